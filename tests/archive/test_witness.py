"""Witnesses: another archive watches a log over HTTP, in a file or a copy, and signs what goes on from what it saw."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from command import Run
from filled_archive import deliver, page
from logged_archive import begin_log
from web_archive import Serving

from newskeep.proofs.words import proven
from storage.archive import Archive, open_archive
from storage.errors import Corrupt
from storage.transparency.countersignature import Countersigned
from storage.transparency.keys import PrivateKey, key_path
from storage.transparency.objects import heads, witnesses
from storage.transparency.proof import prove
from storage.transparency.proof_check import check
from storage.transparency.showing import LogShow
from storage.transparency.witness import Conflict, Shown, last_seen, witness

HOME = ".config"


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    """An archive with a log of several heads."""
    with open_archive(tmp_path / "watched") as archive:
        begin_log(archive, tmp_path / "home" / HOME, monkeypatch)
        for serial in range(3):
            grow(archive, serial)
        yield archive


@pytest.fixture
def own(newskeep: Run, tmp_path: Path, watched: Archive) -> Iterator[Archive]:  # noqa: ARG001
    """The archive of the witness, where commands work."""
    assert newskeep("log", "init", "--name", "witness").returncode == 0
    with open_archive(tmp_path / "archive") as archive:
        yield archive


def grow(archive: Archive, serial: int) -> None:
    deliver(archive, serial, [page(serial * 2), page(serial * 2 + 1)])


def log_of(archive: Archive) -> str:
    assert archive.log is not None
    return archive.log.id


def seen(archive: Archive, log: str) -> bytes:
    found = last_seen(archive.store, log)
    assert found is not None
    return found.to_bytes()


def key_of_witness(archive: Archive) -> PrivateKey:
    return PrivateKey.load(key_path(archive.uri))


def written_anew(watched: Archive) -> None:
    """The log begun again with its own key, over other records."""
    root = Path(watched.uri.removeprefix("file://"))
    for kind in ("leaves", "heads"):
        shutil.rmtree(root / "logs" / log_of(watched) / kind)
    shutil.rmtree(watched.state / "log")
    assert watched.log is not None
    for serial in range(4):
        watched.log.append([f"record {serial} no such thing".encode()] * 9)


def test_over_http(newskeep: Run, watched: Archive, own: Archive, tmp_path: Path) -> None:
    log = log_of(watched)
    with Serving(tmp_path / "watched") as site:
        done = newskeep("log", "witness", site.app)
        assert done.returncode == 0, done.stderr
        assert f"the log {log} goes on: ".encode() in done.stdout
        first = last_seen(own.store, log)
        assert first is not None and first.head.size == heads(watched.store, log)[-1]
        # What has not grown is not signed anew.
        assert newskeep("log", "witness", site.app).returncode == 0
        assert seen(own, log) == first.to_bytes()
        grow(watched, 3)
        assert newskeep("log", "witness", site.app, "--log", log, "-o", "signed.json").returncode == 0
        second = last_seen(own.store, log)
        assert second is not None and second.head.size > first.head.size
        assert second.witness.log == log_of(own)
        assert Countersigned.read((tmp_path / "signed.json").read_bytes()).to_bytes() == second.to_bytes()
        assert newskeep("verify").returncode == 0
        assert newskeep("log", "witness", site.app, "--log", "0" * 16).returncode == 6

        written_anew(watched)
        done = newskeep("log", "witness", site.app)
        assert (done.returncode, done.stderr.count(b"\n")) == (7, 1), done.stderr
        assert b"does not go on from" in done.stderr or b"another root" in done.stderr
        assert seen(own, log) == second.to_bytes()
        (evidence,) = own.store.list(f"witnessed/{log}/conflicts/")
        with own.store.open(evidence.key) as stream:
            assert Shown.read(stream.read()).key.log == log
        assert newskeep("verify").returncode == 0


def test_proofs_and_verify_know_it(newskeep: Run, watched: Archive, own: Archive, tmp_path: Path) -> None:
    log = log_of(watched)
    assert newskeep("log", "witness", str(tmp_path / "watched"), "-o", "signed.json").returncode == 0
    with Serving(tmp_path / "archive") as site:
        done = newskeep("log", "countersigned", site.app, "--archive", str(tmp_path / "watched"))
        assert done.returncode == 0, done.stderr
    # The same out of a file.
    where = ("--archive", str(tmp_path / "watched"))
    assert newskeep("log", "countersigned", "signed.json", *where).returncode == 0
    (kept,) = witnesses(watched.store, log)
    assert kept.witness.log == log_of(own)

    data = prove(watched, watched.find(page(0).url))
    done_check = check(data)
    assert done_check.problems == []
    # The proof is under the first head, and the witness signed the newest.
    (checked,) = done_check.logs
    assert checked.head.size < checked.witnesses[0].head.size == kept.head.size
    assert any(f"the witness {kept.witness.log}" in line for line in proven(done_check))

    fields = json.loads(data)
    (told,) = fields["logs"][0]["witnesses"]
    for name, value in (
        ("path", told["path"][:-1]),
        ("signature", told["signature"].replace("A", "B")),
        ("witness", json.loads(data)["logs"][0]["key"]),
        ("head", fields["logs"][0]["head"]),
    ):
        forged = json.loads(data)
        forged["logs"][0]["witnesses"][0][name] = value
        assert any("a countersignature does not hold" in line for line in check(json.dumps(forged).encode()).problems)

    assert newskeep("verify", *where).returncode == 0
    assert newskeep("verify", "--proof", "signed.json", *where).returncode == 0
    written_anew(watched)
    told_by_verify = newskeep("verify", *where)
    assert told_by_verify.returncode == 7
    # It is found by what the witness signed, though this machine forgot its log.
    assert f"{kept.head.size:,} leaves".encode() in told_by_verify.stdout


def test_what_is_shown_without_a_path_is_not_signed(watched: Archive, own: Archive) -> None:
    show, key = LogShow(watched.store), key_of_witness(own)
    log = log_of(watched)
    before = witness(own.store, key, show.newest(log))
    grow(watched, 3)
    with pytest.raises(Corrupt, match="seen here were"):
        witness(own.store, key, show.newest(log))
    assert witness(own.store, key, show.newest(log, before.head.size)).head.size > before.head.size


def test_a_log_that_became_shorter_is_told(watched: Archive, own: Archive) -> None:
    show, key, log = LogShow(watched.store), key_of_witness(own), log_of(watched)
    witness(own.store, key, show.newest(log))
    newest = max(heads(watched.store, log))
    watched.store.delete(f"logs/{log}/heads/{newest:012d}.txt")
    with pytest.raises(Conflict, match="the newest were removed"):
        witness(own.store, key, show.newest(log))


@pytest.mark.parametrize("first", ["-1", "x", "9" * 13, "1 ", "\u00b2"])
def test_what_serve_is_asked_wrongly(watched: Archive, tmp_path: Path, first: str) -> None:
    log = log_of(watched)
    # Open to everybody where all else asks for a key.
    with Serving(tmp_path / "watched", NEWSKEEP_WEB_TOKEN="a" * 40) as site:
        assert site.get("/api/articles").status == 401
        assert json.loads(site.get("/log").body) == {"logs": [log]}
        assert json.loads(site.get(f"/log/{log}").body)["log"] == log
        assert site.get(f"/log/{log}?first={quote(first)}").status == 400
        # It has not so many: what there is stands there without a path.
        far = json.loads(site.get(f"/log/{log}?first=99999999").body)
        assert (far["first"], far["path"]) == (0, [])
        assert site.get("/log/nothing").status == site.get("/log/../x/countersignature").status == 404
        assert site.get(f"/log/{log}/countersignature").status == 404


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("arrange", [lambda path: path.write_text("{}"), lambda path: path.write_bytes(b"\xff" * 99)])
def test_what_is_wrong_is_one_line(newskeep: Run, tmp_path: Path, arrange: Callable[[Path], object]) -> None:
    arrange(tmp_path / "wrong.json")
    for command, code in (
        (("witness", "wrong.json"), 2),
        (("countersigned", "wrong.json"), 2),
        (("countersigned", "missing.json"), 2),
        (("witness", "missing"), 3),
        (("witness", "http://127.0.0.1:9/"), 3),
        (("witness", "https://"), 2),
    ):
        done = newskeep("log", *command)
        assert (done.returncode, done.stderr.count(b"\n")) == (code, 1), (command, done.stderr)
    done = newskeep("log", "witness", "wrong.json", "--archive", str(tmp_path / "watched"))
    assert done.stderr.count(b"\n") == 1

"""Proofs: they hold through joins and purges of others, need no archive, and nothing in them can be changed."""

from __future__ import annotations

import base64
import gzip
import json
import random
import shutil
import subprocess
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import Run
from filled_archive import Page
from foreign_venvs import clean_environ
from logged_archive import begin_log, fill_logged
from time_authority import TimeAuthority, running_authority

from newskeep.proofs.words import PAGE, open_points, proven
from storage.archive import Archive, open_archive
from storage.errors import NotArchived, UsageError
from storage.transparency.proof import prove
from storage.transparency.proof_check import CheckedProof, check
from storage.transparency.stamps import load_roots

CHANGES = 60
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeAuthority]:
    with running_authority(tmp_path_factory.mktemp("tsa") / "authority") as running:
        yield running


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, authority: TimeAuthority) -> Iterator[tuple[Archive, list[Page]]]:
    folder = tmp_path_factory.mktemp("proofs")
    with pytest.MonkeyPatch.context() as patch, open_archive(folder / "archive") as archive:
        begin_log(archive, folder / "home", patch)
        yield archive, fill_logged(archive, authority)


def changed(proof: bytes, chance: random.Random) -> bytes:
    """A proof with one value of it changed, anywhere."""
    fields: Any = json.loads(proof)
    places: list[tuple[Any, Any]] = []
    waiting = [fields]
    while waiting:
        each = waiting.pop()
        for key, value in each.items() if isinstance(each, dict) else enumerate(each):
            if isinstance(value, (dict, list)):
                waiting.append(value)
            # A name is for people; a log may call itself what it likes.
            elif key != "name":
                places.append((each, key))
    holder, key = chance.choice(places)
    value = holder[key]
    if isinstance(value, int):
        holder[key] = value + chance.choice([1, -1, 1 << 40])
    else:
        at = chance.randrange(len(value))
        holder[key] = value[:at] + chance.choice([c for c in "abcABC0123" if c != value[at]]) + value[at + 1 :]
    return json.dumps(fields).encode()


def test_every_capture_is_proven(filled: tuple[Archive, list[Page]]) -> None:
    archive, pages = filled
    for page in pages:
        for capture in archive.captures(page.url):
            done = check(prove(archive, capture))
            assert done.problems == []
            assert done.response is not None and done.response.url == page.url
            assert done.body is not None and page.response.endswith(done.body)
            assert ("original" in done.records) == capture.is_revisit
            assert len(done.records["request"]) == 1
            assert proven(done) and open_points(done)


def test_a_stamp_says_since_when_it_was_held(filled: tuple[Archive, list[Page]], authority: TimeAuthority) -> None:
    archive, pages = filled
    proof = prove(archive, archive.find(pages[0].url))
    unknown = check(proof).logs[0].stamps[0]
    (known,) = check(proof, load_roots(authority.root)).logs[0].stamps
    assert (unknown.believed, known.believed) == (False, True)
    assert known.signer == "CN=Clock of the tests"
    assert any("at the latest" in line for line in proven(check(proof)))


def test_whatever_is_changed_it_no_longer_holds(filled: tuple[Archive, list[Page]]) -> None:
    archive, pages = filled
    chance = random.Random(7)
    proof = prove(archive, next(each for each in archive.captures(pages[2].url) if each.is_revisit))
    for number in range(CHANGES):
        forged = changed(proof, chance)
        try:
            done = check(forged)
        except UsageError:
            continue
        assert done.problems or _is_the_same(done, check(proof)), f"change {number}"


def _is_the_same(one: CheckedProof, other: CheckedProof) -> bool:
    """Base64 and a certificate beside what is signed may be written in more than one way."""
    same = (one.url, one.captured, one.records) == (other.url, other.captured, other.records)
    return same and [each.note for each in one.logs] == [each.note for each in other.logs]


def test_a_record_is_not_shown_for_another(filled: tuple[Archive, list[Page]]) -> None:
    archive, pages = filled
    fields = json.loads(prove(archive, archive.find(pages[0].url)))
    by_role = {each["role"]: each for each in fields["records"]}
    by_role["request"]["role"], by_role["response"]["role"] = "response", "request"
    assert any("it calls a record the response" in line for line in check(json.dumps(fields).encode()).problems)
    other = json.loads(prove(archive, archive.find(pages[1].url)))
    other["records"] = [each for each in other["records"] if each["role"] == "response"] + [by_role["response"]]
    assert any("belongs to another answer" in line for line in check(json.dumps(other).encode()).problems)


def test_an_archive_without_a_log_proves_nothing(tmp_path: Path, filled: tuple[Archive, list[Page]]) -> None:
    archive, pages = filled
    assert isinstance(archive.uri, str)
    shutil.copytree(archive.uri.removeprefix("file://"), tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "logs")
    with open_archive(tmp_path / "copy") as other, pytest.raises(NotArchived, match="newskeep log init"):
        prove(other, other.find(pages[0].url))


def test_the_commands(
    newskeep: Run, filled: tuple[Archive, list[Page]], authority: TimeAuthority, tmp_path: Path
) -> None:
    archive, pages = filled
    where = ("--archive", archive.uri)
    done = newskeep("prove", pages[0].url, "-o", "a.json", *where)
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    piped = newskeep("prove", pages[0].url, "-o", "-", *where)
    assert piped.stdout == (tmp_path / "a.json").read_bytes()
    assert not (tmp_path / "-").exists()
    held = newskeep("check-proof", "a.json", "--authority", str(authority.root), "--body", "a.html")
    assert held.returncode == 0
    assert b"What is proven" in held.stdout and b"What is not proven" in held.stdout
    assert pages[0].response.endswith((tmp_path / "a.html").read_bytes())
    assert json.loads(newskeep("check-proof", "a.json", "--json").stdout)["problems"] == []
    piped = newskeep("check-proof", "-", stdin=(tmp_path / "a.json").read_bytes())
    assert (piped.returncode, piped.stderr) == (0, b"standard input: the proof holds\n")
    nothing = newskeep("check-proof", "-")
    assert (nothing.returncode, nothing.stderr.count(b"\n")) == (2, 1) and b"standard input: " in nothing.stderr
    assert newskeep("check-proof", "a.json", "--log", "0" * 16).returncode == 7

    fields = json.loads((tmp_path / "a.json").read_bytes())
    record = gzip.decompress(base64.b64decode(fields["records"][0]["member"]))
    forged = gzip.compress(record.replace(b"Article 0", b"Article 9"))
    fields["records"][0]["member"] = base64.b64encode(forged).decode()
    (tmp_path / "forged.json").write_text(json.dumps(fields))
    done = newskeep("check-proof", "forged.json")
    assert done.returncode == 7
    assert b"its bytes are not those that were logged" in done.stdout

    assert newskeep("prove", "https://never.example/", "-o", "b.json", *where).returncode == 6
    assert newskeep("prove", pages[0].url, "-o", "no/such/folder", *where).returncode == 2
    (tmp_path / "text.json").write_text("[]")
    for wrong in (("text.json",), ("missing.json",), (), ("a.json", "--authority", "text.json")):
        done = newskeep("check-proof", *wrong)
        assert (done.returncode, done.stderr.count(b"\n")) == (2, 1), done.stderr


@pytest.mark.exhaustive
@pytest.mark.long
def test_a_strangers_machine_checks_it(filled: tuple[Archive, list[Page]], tmp_path: Path) -> None:
    """In an empty virtual environment into which the program is installed, with no archive, home or configuration."""
    archive, pages = filled
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    install = [str(programs / "pip"), "install", "--quiet", "--disable-pip-version-check", str(ROOT)]
    subprocess.run(install, check=True, capture_output=True, env=clean_environ())
    (tmp_path / "stranger").mkdir()
    (tmp_path / "stranger" / "a.json").write_bytes(prove(archive, archive.find(pages[0].url)))

    def check_proof(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [str(programs / "newskeep"), "check-proof", *arguments]
        nothing = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "stranger")}
        return subprocess.run(command, cwd=tmp_path / "stranger", env=nothing, capture_output=True, check=False)

    held = check_proof("a.json", "--page", "check.html")
    assert (held.returncode, held.stderr) == (0, b"a.json: the proof holds\n")
    assert (tmp_path / "stranger" / "check.html").read_bytes() == PAGE.read_bytes()
    (tmp_path / "stranger" / "forged.json").write_bytes(
        changed((tmp_path / "stranger" / "a.json").read_bytes(), random.Random(3))
    )
    assert check_proof("forged.json").returncode in (2, 7)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"newskeep_proof": 1, "url": "x"}'])
def test_what_is_no_proof_is_told_without_the_words_of_python(data: bytes) -> None:
    with pytest.raises(UsageError, match="not a proof as newskeep writes it") as told:
        check(data)
    assert "Error" not in str(told.value) and "Corrupt" not in str(told.value)

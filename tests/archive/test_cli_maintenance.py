"""verify, reindex, copy and compact as a person types them: exit codes, lines, JSON, interruptions."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from command import Run
from filled_archive import Page, check, fill, folder_archive, objects
from origin import Origin
from warm_start import WarmStart

from storage.locking import held
from storage.objects.local import LocalStore

HTML = [("Content-Type", "text/html; charset=utf-8")]


@pytest.fixture
def pages(tmp_path: Path) -> list[Page]:
    """An archive in ./archive."""
    for archive in folder_archive(tmp_path / "archive"):
        made = fill(archive)
    shutil.rmtree(tmp_path / "archive" / "made")
    return made


def lines(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def ok(done: subprocess.CompletedProcess[bytes]) -> subprocess.CompletedProcess[bytes]:
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return done


def test_what_was_crawled_goes_through_all_of_it(newskeep: Run, tmp_path: Path) -> None:
    with Origin() as origin:
        for number in range(3):
            text = f"<html><title>Page {number}</title><article>" + f"<p>Paragraph {number} of the town's news.</p>" * 9
            origin.reply(f"/{number}", text.encode(), headers=HTML)
            origin.reply("/gzip", text.encode(), headers=HTML)
        urls = [origin.url(f"/{number}") for number in range(3)]
        for some in (urls, urls[:1]):
            ok(newskeep("save", "--allow-private", "--ignore-robots", *some))
    bodies = {url: ok(newskeep("get", url)).stdout for url in urls}
    texts = {url: ok(newskeep("get", url, "--as", "text")).stdout for url in urls}
    ok(newskeep("verify", "--deep"))
    (tmp_path / "archive" / "index.sqlite").unlink()
    ok(newskeep("reindex"))
    ok(newskeep("verify", "--deep"))
    ok(newskeep("compact", "--min-age", "0"))
    ok(newskeep("verify", "--deep"))
    ok(newskeep("copy", "archive", "backup"))
    ok(newskeep("verify", "--deep", "--archive", "backup"))
    assert len(list((tmp_path / "backup" / "warc").rglob("*.gz"))) == 1
    for url in urls:
        assert ok(newskeep("get", url, "--archive", "backup")).stdout == bodies[url]
        assert ok(newskeep("get", url, "--archive", "backup", "--as", "text")).stdout == texts[url]
    assert len(lines(newskeep("captures", urls[0], "--json", "--archive", "backup"))) == 2


@pytest.mark.usefixtures("pages")
def test_verify_names_what_is_wrong_and_ends_with_one(newskeep: Run, tmp_path: Path) -> None:
    done = ok(newskeep("verify"))
    assert done.stdout == b""
    assert b"3 WARCs, 15 captures, 12 articles" in done.stderr
    assert b"all is well" in done.stderr
    (last,) = lines(ok(newskeep("verify", "--deep", "--json")))
    assert (last["warcs"], last["records"], last["problems"]) == (3, 33, 0)
    warc = sorted((tmp_path / "archive" / "warc").rglob("*.gz"))[0]
    data = bytearray(warc.read_bytes())
    data[len(data) // 2] ^= 1
    warc.write_bytes(data)
    assert newskeep("verify").returncode == 0
    done = newskeep("verify", "--deep")
    assert done.returncode == 7
    assert done.stdout.decode().startswith(f"warc/2026/03/01/{warc.name}: damaged at byte ")
    assert b": 1 problem\n" in done.stderr
    problem, last = lines(newskeep("verify", "--deep", "--json"))
    assert (set(problem), last["problems"]) == ({"key", "what"}, 1)


@pytest.mark.parametrize("command", ["verify", "reindex", "compact"])
def test_no_archive(newskeep: Run, command: str) -> None:
    done = newskeep(command, "--archive", "absent")
    assert done.returncode == 3
    assert b"absent" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.sqlite_file("damage done to the file")
def test_damaged_index_says_reindex_and_reindex_helps(newskeep: Run, tmp_path: Path, pages: list[Page]) -> None:
    (tmp_path / "archive" / "index.sqlite").write_bytes(b"no database")
    for command in (["verify"], ["get", pages[0].url]):
        done = newskeep(*command)
        assert done.returncode == 3
        assert b"newskeep reindex" in done.stderr
    (told,) = lines(ok(newskeep("reindex", "--json")))
    assert (told["entered"], told["captures"], told["problems"]) == (3, 15, 0)
    assert "damaged" in told["renewed"]
    ok(newskeep("verify"))
    for archive in folder_archive(tmp_path / "archive"):
        check(archive, pages)


def test_empty_machine_is_told_to_reindex(newskeep: Run, pages: list[Page]) -> None:
    elsewhere = ["--archive", "archive", "--state", "elsewhere"]
    for command in (["get", pages[0].url], ["captures", "paper.example"]):
        done = newskeep(*command, *elsewhere)
        assert done.returncode == 6
        assert b"newskeep reindex" in done.stderr
    ok(newskeep("reindex", *elsewhere))
    assert pages[0].text.encode() in ok(newskeep("get", pages[0].url, "--as", "text", *elsewhere)).stdout


@pytest.mark.usefixtures("pages")
def test_reindex_that_could_not_read_all_ends_with_seven(newskeep: Run, tmp_path: Path) -> None:
    cdxj = sorted((tmp_path / "archive" / "cdxj").rglob("*.cdxj"))[0]
    cdxj.unlink()
    done = newskeep("reindex", "--fresh")
    assert done.returncode == 7
    assert cdxj.name.encode() in done.stdout
    ok(newskeep("reindex", "--mend"))
    assert cdxj.exists()
    ok(newskeep("reindex", "--fresh"))
    ok(newskeep("verify", "--deep"))


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("command", [["reindex"], ["compact"], ["copy", "archive", "archive2"]])
def test_already_running(newskeep: Run, tmp_path: Path, command: list[str]) -> None:
    shutil.copytree(tmp_path / "archive", tmp_path / "archive2")
    with held(tmp_path / "archive" / "upkeep.lock", "x"), held(tmp_path / "archive2" / "upkeep.lock", "x"):
        done = newskeep(*command)
    assert done.returncode == 75
    assert b"already running" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.usefixtures("pages")
def test_copy_says_what_it_did(newskeep: Run, tmp_path: Path) -> None:
    (told,) = lines(ok(newskeep("copy", "archive", "backup", "--json")))
    assert (told["copied"], told["kept"], told["problems"], told["index"]["entered"]) == (11, 0, 0, 3)
    assert b"0 objects copied" in ok(newskeep("copy", "archive", (tmp_path / "backup").as_uri())).stderr
    assert objects(LocalStore(str(tmp_path / "backup"))) == objects(LocalStore(str(tmp_path / "archive")))
    assert newskeep("copy", "absent", "backup").returncode == 3
    assert newskeep("copy", "archive", "archive").returncode == 2
    assert newskeep("copy", "archive", "gopher://x").returncode == 2
    assert newskeep("copy", "archive").returncode == 2
    path = next((tmp_path / "backup" / "warc").rglob("*.gz"))
    path.write_bytes(b"another")
    done = newskeep("copy", "archive", "backup")
    assert done.returncode == 7
    assert path.name.encode() in done.stdout


def test_compact_tells_before_it_does(newskeep: Run, tmp_path: Path, pages: list[Page]) -> None:
    before = objects(LocalStore(str(tmp_path / "archive")))
    done = ok(newskeep("compact", "--dry-run"))
    size = sum(len(data) for key, data in before.items() if key.startswith("warc/"))
    assert done.stdout.decode() == f"2026-03-01: 3 WARCs of {size:,} bytes\n"
    assert objects(LocalStore(str(tmp_path / "archive"))) == before
    assert ok(newskeep("compact", "--day", "2026-03-02")).stdout == b""
    assert newskeep("compact", "--day", "yesterday").returncode == 2
    (told,) = lines(ok(newskeep("compact", "--day", "2026-03-01", "--json")))
    assert (told["made"], told["sources"], told["bytes"]) == (1, 3, size)
    for archive in folder_archive(tmp_path / "archive"):
        check(archive, pages)


@pytest.mark.sqlite_file("stopped by the size of its log")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_stopped_reindex_keeps_what_is_done(
    newskeep: Run, tmp_path: Path, environment: Mapping[str, str], warm_start: WarmStart, number: int
) -> None:
    for archive in folder_archive(tmp_path / "archive"):
        pages = fill(archive, warcs=60, pages=1)
    command = ("reindex", "--archive", "archive", "--state", "elsewhere")
    process = warm_start.start(command, tmp_path, environment)
    index = tmp_path / "elsewhere" / "index.sqlite-wal"
    while process.poll() is None and not (index.exists() and index.stat().st_size > 200_000):
        time.sleep(0.005)
    process.send_signal(number)
    _, err = process.communicate()
    assert b"Traceback" not in err
    (told,) = lines(ok(newskeep("reindex", "--archive", "archive", "--state", "elsewhere", "--json")))
    assert told["known"] + told["entered"] == 60
    assert told["known"] > 0
    assert told["renewed"] is None
    assert pages[-1].response.endswith(
        ok(newskeep("get", pages[-1].url, "--archive", "archive", "--state", "elsewhere")).stdout
    )


_SUMMARIES = (
    *(("verify",), ("verify", "--deep"), ("reindex", "--fresh"), ("compact",), ("reextract",)),
    ("copy", "archive", "there"),
    *(("export", "--format", name, "--to", f"out-{name}") for name in ("jsonl", "cdxj", "wacz")),
)


def test_one_of_each_is_told_as_one(newskeep: Run, tmp_path: Path) -> None:
    (tmp_path / "newskeep.toml").write_text("allow_private = true\nworkers = 1\n")
    with Origin() as origin:
        text = "<html><title>The bridge</title><article><p>The bridge of the town opens today after long years.</p>"
        origin.reply("/one", text.encode(), headers=HTML)
        ok(newskeep("save", "--ignore-robots", origin.url("/one")))
        commands = (*_SUMMARIES, ("explain", origin.url("/one")), ("changes", origin.url("/one")))
        done = [ok(newskeep(*command)) for command in commands]
    said = b"\n".join(each.stdout + each.stderr for each in done).decode()
    assert "1 WARC, 1 capture, 1 article in " in said
    assert "1 capture in 1 file (" in said
    assert not re.findall(
        r"\b1 (?:\w+ )?(?:WARCs|captures|articles|objects|files|records|bytes|words|blocks|sites)\b", said
    )


@pytest.mark.parametrize("form", ["body", "http", "request"])
def test_get_names_a_record_that_cannot_be_read(newskeep: Run, tmp_path: Path, pages: list[Page], form: str) -> None:
    told = json.loads(ok(newskeep("captures", pages[0].url, "--json")).stdout.splitlines()[-1])
    warc = next((tmp_path / "archive").glob(f"warc/**/{told['filename']}"))
    with warc.open("r+b") as file:
        file.seek(told["offset"])
        file.write(b"\x1b[31mno gzip\xff")
    done = newskeep("get", pages[0].url, "--as", form)
    said = done.stderr.decode()
    assert (done.returncode, done.stdout) == (1, b"")
    where = f"{pages[0].url} at {told['offset']} in warc/"
    assert where in said and warc.name in said and said.endswith("; newskeep verify --deep says what to do\n")
    # Nothing of what could not be read.
    assert said.isascii() and "31m" not in said and "\\x" not in said


def test_get_names_a_text_that_cannot_be_read(newskeep: Run, tmp_path: Path, pages: list[Page]) -> None:
    for part in (tmp_path / "archive").glob("text/**/*.jsonl.gz"):
        part.write_bytes(b"\0" * part.stat().st_size)
    texted = next(page for page in pages if newskeep("get", page.url, "--as", "text").returncode != 6)
    done = newskeep("get", texted.url, "--as", "text")
    said = done.stderr.decode()
    assert done.returncode == 1
    assert said.startswith("newskeep: the text in text/") and said.endswith("newskeep reextract makes it again\n")

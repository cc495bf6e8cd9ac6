"""`newskeep import` as a person moves in with it: what other crawlers wrote is found, read, searched and shown."""

from __future__ import annotations

import gzip
import hashlib
import json
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import foreign_warcs as foreign
import pytest
from command import Run
from origin import Close, Origin
from s3_server import BUCKET, S3Server
from warcs import warc_files
from warm_start import WarmStart

from storage import open_archive

pytest_plugins = ["s3_server"]

HOST = "paper.example"
#: Writer -> the address of its page.
PAGES = {
    "heritrix": f"http://{HOST}/heritrix",
    "browsertrix": f"https://{HOST}/browsertrix",
    "ccnews": f"https://{HOST}/ccnews",
    "wget": f"http://{HOST}/wget",
    "warcit": f"http://{HOST}/warcit",
    "arc": f"http://{HOST}/arc",
}


def lines(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def stories(number: int) -> list[bytes]:
    """Responses with a page each."""
    made = []
    for each in range(number):
        block = foreign.answer(foreign.page(f"Story {each}"))
        fields = [
            ("WARC-Type", "response"),
            ("WARC-Record-ID", foreign.new_id()),
            ("WARC-Target-URI", f"http://{HOST}/{each}"),
            ("WARC-Date", "2020-01-02T03:04:05Z"),
            ("WARC-Block-Digest", foreign.sha1(block)),
            ("Content-Type", "application/http;msgtype=response"),
        ]
        made.append(foreign.record("1.0", fields, block))
    return made


@pytest.fixture
def crawls(tmp_path: Path) -> Path:
    """A folder with a file of each writer, in the form that this writer gives it."""
    folder = tmp_path / "crawls"
    (folder / "below").mkdir(parents=True)
    for writer, records in foreign.WRITERS.items():
        suffix = "arc.gz" if writer == "arc" else "warc.gz"
        (folder / "below" / f"{writer}.{suffix}").write_bytes(foreign.gzipped(records(HOST)))
    (folder / "notes.txt").write_text("not to be taken")
    return folder


def test_files_of_every_writer_are_read_searched_and_checked(newskeep: Run, crawls: Path, tmp_path: Path) -> None:
    done = newskeep("import", "crawls", "--json")
    assert done.returncode == 0, done.stderr
    *files, total = lines(done)
    assert {each["outcome"] for each in files} == {"imported"}
    assert (total["imported"], total["captures"], total["articles"], total["faults"]) == (6, 7, 6, 0)
    for each in files:
        name = Path(each["file"]).name
        assert each["unchanged"] == (name != "arc.arc.gz")
        (part,) = [path for path in warc_files(tmp_path / "archive") if path.name in each["parts"]]
        if each["unchanged"]:
            assert part.read_bytes() == (crawls / "below" / name).read_bytes()
            assert hashlib.sha256(part.read_bytes()).hexdigest() == each["sha256"]
    for url in PAGES.values():
        body = newskeep("get", url).stdout
        assert body.startswith(b"<!doctype html>"), url
        assert b"tells of the harbour" in newskeep("get", url, "--as", "text").stdout
    assert newskeep("search", "harbour", "--json").stdout.count(b"\n") == 6
    checked = newskeep("verify", "--deep")
    assert checked.returncode == 0, checked.stdout
    # The index again from the WARCs alone is the same.
    assert newskeep("reindex", "--from-warcs").returncode == 0
    assert newskeep("verify", "--deep").returncode == 0


def test_a_revisit_without_a_moment_has_the_body_of_its_page(newskeep: Run, crawls: Path) -> None:
    newskeep("import", str(crawls))
    first, again = lines(newskeep("captures", PAGES["heritrix"], "--json"))
    assert again["mime"] == "warc/revisit"
    for capture in (first, again):
        assert newskeep("get", PAGES["heritrix"], "--at", capture["timestamp"]).stdout == foreign.page("Heritrix story")


def test_a_second_run_brings_nothing_twice(newskeep: Run, crawls: Path, tmp_path: Path) -> None:
    newskeep("import", "crawls")
    held = {path: path.read_bytes() for path in warc_files(tmp_path / "archive")}
    again = newskeep("import", "crawls", "--json")
    assert again.returncode == 0
    *files, total = lines(again)
    assert {each["outcome"] for each in files} == {"held"}
    assert total["held"] == 6
    # Nor the same records in another file.
    whole = foreign.gzipped_whole(gzip.decompress((crawls / "below" / "wget.warc.gz").read_bytes()).splitlines(True))
    (tmp_path / "other.warc.gz").write_bytes(whole)
    assert lines(newskeep("import", "other.warc.gz", "--json"))[0]["outcome"] == "held"
    assert {path: path.read_bytes() for path in warc_files(tmp_path / "archive")} == held


def test_what_was_compacted_and_indexed_elsewhere_is_not_brought_in_again(newskeep: Run, tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"{number}.warc.gz").write_bytes(foreign.gzipped(stories(3 + number)[number:]))
    assert newskeep("import", "0.warc.gz", "1.warc.gz").returncode == 0
    assert newskeep("compact", "--min-age", "0").returncode == 0
    assert len(warc_files(tmp_path / "archive")) == 1
    (tmp_path / "archive" / "index.sqlite").unlink()
    assert newskeep("reindex").returncode == 0
    for note in (tmp_path / "archive" / "imported").iterdir():
        note.unlink()
    assert lines(newskeep("import", "0.warc.gz", "1.warc.gz", "--json"))[-1]["captures"] == 0
    assert len(warc_files(tmp_path / "archive")) == 1
    assert newskeep("verify", "--deep").returncode == 0


@pytest.mark.parametrize("container", [foreign.plain, foreign.gzipped_whole, foreign.zstandard])
def test_other_compressions_become_a_member_a_record(newskeep: Run, tmp_path: Path, container: Any) -> None:
    records = foreign.old_wget(HOST)
    (tmp_path / "file").write_bytes(container(records))
    (told, _) = lines(newskeep("import", "file", "--json"))
    assert told["outcome"] == "imported"
    assert told["unchanged"] is False
    assert "its records unchanged" in told["reason"]
    (part,) = warc_files(tmp_path / "archive")
    assert part.read_bytes().count(b"\x1f\x8b\x08") >= 2
    assert gzip.decompress(part.read_bytes()) == b"".join(records)
    assert newskeep("get", PAGES["wget"]).stdout == foreign.page("wget story")


def test_a_package_brings_its_warcs_and_what_it_says_of_itself(newskeep: Run, tmp_path: Path) -> None:
    warcs = {
        "data-0.warc.gz": foreign.gzipped(foreign.browsertrix(HOST)),
        "data-1.warc.gz": foreign.gzipped(foreign.cc_news(HOST)),
    }
    (tmp_path / "crawl.wacz").write_bytes(foreign.wacz(warcs, "My collection"))
    *files, _ = lines(newskeep("import", "crawl.wacz", "--json"))
    assert [each["file"] for each in files] == [
        "crawl.wacz!archive/data-0.warc.gz",
        "crawl.wacz!archive/data-1.warc.gz",
    ]
    assert all(each["unchanged"] and not each["remarks"] for each in files)
    notes = [json.loads(path.read_bytes()) for path in (tmp_path / "archive" / "imported").iterdir()]
    assert {note["collection"]["title"] for note in notes} == {"My collection"}
    assert {path.read_bytes() for path in warc_files(tmp_path / "archive")} == set(warcs.values())
    assert not (tmp_path / "archive" / "imports").exists()


def test_what_is_damaged_is_told_and_set_aside(newskeep: Run, tmp_path: Path) -> None:
    records = stories(4)
    bad = records[2].replace(b"harbour", b"harbxur")
    (tmp_path / "a.warc.gz").write_bytes(foreign.gzipped([*records[:2], bad, records[3]])[:-30])
    done = newskeep("import", "a.warc.gz")
    assert done.returncode == 7
    assert b"the block does not match its digest" in done.stderr
    assert b"ends in the middle" in done.stderr
    (*_, piece) = sorted((tmp_path / "archive" / "spool" / "damaged").iterdir())
    assert len(list(piece.parent.iterdir())) == 2
    assert gzip.decompress(sorted(piece.parent.iterdir(), key=lambda path: -path.stat().st_size)[0].read_bytes()) == bad
    assert [each["url"][-1] for each in lines(newskeep("captures", HOST, "--json"))] == ["0", "1"]
    assert newskeep("verify", "--deep").returncode == 0


@pytest.mark.sqlite_file("a server's is looked into, which makes the file that stands for it")
def test_a_dry_run_says_what_would_come_and_writes_nothing(newskeep: Run, crawls: Path, tmp_path: Path) -> None:
    # Before there is an archive, too.
    done = newskeep("import", str(crawls), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "archive").exists()
    newskeep("import", str(crawls / "below" / "arc.arc.gz"))
    assert b"held        " in newskeep("import", str(crawls), "--dry-run").stdout
    assert done.stdout.count(b"importable") == 6
    assert b"7 captures would come" in done.stderr
    assert len(warc_files(tmp_path / "archive")) == 1


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("none.warc.gz", "no such file"),
        ("page.html", "not a WARC, ARC or WACZ file"),
        ("empty.warc", "empty"),
        ("nothing", "no file in it is named .warc"),
        ("ftp://paper.example/a.warc.gz", "ftp:// cannot be read"),
        ("broken.wacz", "not a readable WACZ"),
        ("http://127.0.0.1:1/a.warc.gz", "not a public address: 127.0.0.1"),
    ],
)
def test_what_cannot_be_brought_in_is_a_line(newskeep: Run, tmp_path: Path, given: str, reason: str) -> None:
    (tmp_path / "page.html").write_text("<html>")
    (tmp_path / "empty.warc").touch()
    (tmp_path / "broken.wacz").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "nothing").mkdir()
    done = newskeep("import", given)
    assert done.returncode == 5
    (line,) = done.stdout.decode().splitlines()
    assert line.startswith("failed")
    assert reason in line
    assert b"Traceback" not in done.stderr


def test_the_run_leaves_a_report(newskeep: Run, crawls: Path, tmp_path: Path) -> None:
    newskeep("import", str(crawls), "none.warc")
    (report,) = (tmp_path / "archive" / "crawls").rglob("*.json")
    told = json.loads(report.read_bytes())
    assert told["state"] == "finished"
    assert told["counts"] == {"archived": 6, "failed": 1}


# From elsewhere


def head(status: str, size: int, *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {size}", 'ETag: "v1"', *fields, "", ""]).encode()


def test_a_download_goes_on_where_it_broke_off_and_is_not_made_twice(newskeep: Run, tmp_path: Path) -> None:
    data = foreign.gzipped(stories(30))
    half = len(data) // 2
    with Origin() as origin:
        origin.on("/moved", b"HTTP/1.1 302 Found\r\nLocation: /a.warc.gz?key=1\r\nContent-Length: 0\r\n\r\n")
        origin.on("/a.warc.gz", head("200 OK", len(data)) + data[:half], Close())
        rest = head("206 Partial Content", len(data) - half, f"Content-Range: bytes {half}-{len(data) - 1}/{len(data)}")
        origin.on("/a.warc.gz", rest + data[half:])
        origin.on("/a.warc.gz", b'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n\r\n')
        done = newskeep("import", origin.url("/moved"), "--allow-private", "--json")
        assert done.returncode == 0, done.stderr
        assert lines(done)[0]["unchanged"] is True
        _, second = origin.logged("/a.warc.gz?key=1")
        assert b'If-Range: "v1"' in second.request
        assert f"Range: bytes={half}-".encode() in second.request
        again = newskeep("import", origin.url("/moved"), "--allow-private", "--json")
        assert lines(again)[0]["outcome"] == "held"
        assert b'If-None-Match: "v1"' in origin.logged("/a.warc.gz?key=1")[-1].request
    (part,) = warc_files(tmp_path / "archive")
    assert part.read_bytes() == data
    assert not list((tmp_path / "archive" / "imports").glob("*.part"))


def test_an_address_that_has_no_file(newskeep: Run) -> None:
    with Origin() as origin:
        done = newskeep("import", origin.url("/none?secret=1"), "--allow-private")
    assert done.returncode == 5
    assert b"404 Not Found" in done.stdout
    assert b"secret" not in done.stdout


def test_a_bucket(newskeep: Run, tmp_path: Path, moto_server: S3Server, environment: dict[str, str]) -> None:
    environment |= {
        "AWS_ENDPOINT_URL_S3": moto_server.endpoint,
        "AWS_ACCESS_KEY_ID": moto_server.access_key,
        "AWS_SECRET_ACCESS_KEY": moto_server.secret_key,
    }
    client, data = moto_server.client(), {}
    for writer in ("wget", "ccnews"):
        data[f"old/{writer}.warc.gz"] = foreign.gzipped(foreign.WRITERS[writer](HOST))
        client.put_object(Bucket=BUCKET, Key=f"old/{writer}.warc.gz", Body=data[f"old/{writer}.warc.gz"])
    client.put_object(Bucket=BUCKET, Key="old/notes.txt", Body=b"not to be taken")
    one = newskeep("import", f"s3://{BUCKET}/old/wget.warc.gz", "--json")
    assert one.returncode == 0, one.stderr
    assert lines(one)[0]["file"] == f"s3://{BUCKET}/old/wget.warc.gz"
    *files, _ = lines(newskeep("import", f"s3://{BUCKET}/old", "--json"))
    assert [each["outcome"] for each in files] == ["imported", "held"]
    assert {path.read_bytes() for path in warc_files(tmp_path / "archive")} == set(data.values())
    # Into a bucket as well.
    into = newskeep("import", f"s3://{BUCKET}/old/wget.warc.gz", "--archive", f"s3://{BUCKET}/archive")
    assert into.returncode == 0, into.stderr
    assert newskeep("get", PAGES["wget"], "--archive", f"s3://{BUCKET}/archive").stdout == foreign.page("wget story")
    assert newskeep("import", f"s3://{BUCKET}/none").returncode == 5


# Stopped


@pytest.mark.parametrize(
    "number",
    [*(pytest.param(each, marks=pytest.mark.exhaustive) for each in (signal.SIGINT, signal.SIGTERM)), signal.SIGKILL],
)
def test_a_run_that_was_stopped_goes_on(
    newskeep: Run, tmp_path: Path, environment: Mapping[str, str], warm_start: WarmStart, number: signal.Signals
) -> None:
    data = foreign.gzipped(stories(150))
    (tmp_path / "a.warc.gz").write_bytes(data)
    process = warm_start.start(("import", "a.warc.gz"), tmp_path, environment)
    spool = tmp_path / "archive" / "spool"
    # As soon as some pages are extracted.
    while process.poll() is None and not any(path.stat().st_size for path in spool.glob("*/*.articles")):
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate()
    if number != signal.SIGKILL:
        assert process.returncode in (0, 5), said
        assert b"Traceback" not in said
    done = newskeep("import", "a.warc.gz", "--json")
    assert done.returncode == 0, done.stderr
    (part,) = warc_files(tmp_path / "archive")
    assert part.read_bytes() == data
    with open_archive(tmp_path / "archive") as archive:
        assert len({one.url for one in archive.captures(HOST, match="host")}) == 150
        assert len(list(archive.captures(HOST, match="host"))) == 150
        assert len(list(archive.articles())) == 150
    assert newskeep("verify", "--deep").returncode == 0
    assert not list(spool.glob("*/*"))


# Where somebody looks first


def test_reindex_and_verify_say_import_of_a_foreign_file(newskeep: Run, crawls: Path, tmp_path: Path) -> None:
    # A folder of somebody else's, taken for an archive.
    done = newskeep("reindex", "--archive", str(crawls))
    assert done.returncode == 7
    assert b"`newskeep import " in done.stdout
    assert b"wget.warc.gz" in done.stdout
    assert b"remove it" not in done.stdout
    # And a file put among ours.
    newskeep("import", str(crawls))
    (tmp_path / "archive" / "warc" / "mine.warc.gz").write_bytes(foreign.gzipped(stories(1)))
    for command in ("reindex", "verify"):
        told = newskeep(command)
        assert told.returncode == 7
        assert b"warc/mine.warc.gz` brings it in" in told.stdout


def test_what_is_brought_in_is_tagged_and_what_is_held_too(newskeep: Run, crawls: Path, tmp_path: Path) -> None:
    wget = str(crawls / "below" / "wget.warc.gz")
    assert newskeep("import", wget, "--tag", "Moved", "--tag", "y2020").returncode == 0
    assert [line["url"] for line in lines(newskeep("captures", "--tag", "moved", "--json"))].count(PAGES["wget"]) == 1
    done = newskeep("import", str(crawls), "--tag", "all")
    assert done.returncode == 0, done.stderr.decode()
    with open_archive(tmp_path / "archive") as archive:
        everything = {(each.url, each.timestamp) for each in archive.index.all_captures()}
        assert all("all" in archive.index.tags_of(url, moment) for url, moment in everything)
        moved = {url for url, moment in everything if "moved" in archive.index.tags_of(url, moment)}
    assert PAGES["wget"] in moved and PAGES["heritrix"] not in moved
    # Another machine knows it from the store alone.
    assert newskeep("reindex").returncode == 0
    assert newskeep("search", "tag:all", "tag:y2020", "--json").returncode == 0
    assert newskeep("import", wget, "--tag", "two words").returncode == 2

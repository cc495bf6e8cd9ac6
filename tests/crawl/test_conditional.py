"""Conditional requests: what is asked, and a 304 from the wire to the index, to `get`, and to other people's replay."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command import Run
from conditional_spider import AGAIN
from next_second import next_second
from origin import Origin, response
from pywb_server import Pywb, running_pywb
from sample_archive import Tools
from warcs import by_url, records, warc_files
from warm_start import WarmStart, shared

from crawler.session.conditional import Validators, asks_conditionally, conditional_headers, confirms, validators
from storage import open_archive
from storage.model import Exchange

pytest_plugins = ["sample_archive"]

PAGE = b"<html><head><title>The harbour</title></head><body><p>A page that stays as it is.</p></body></html>"
PROFILE = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
SCRIPT = """
import sys
from crawler.run import Crawl, run
from storage import open_archive

settings = {"SPIDER_MODULES": ["again"], "ALLOW_PRIVATE_ADDRESSES": True, "ROBOTSTXT_OBEY": False}
told = []
with open_archive("archive") as archive:
    run(archive, [Crawl("again", {"urls": sys.argv[1:]})], settings, told.append)
for outcome in told:
    print(outcome.outcome, outcome.status, outcome.reason, outcome.url.rpartition("/")[2], sep="|")
"""


def answer(etag: str = '"v1"', status: str = "200 OK", body: bytes = PAGE) -> bytes:
    fields = [("Content-Type", "text/html"), ("ETag", etag), ("X-Server", "front-2")]
    return response(b"" if status.startswith("304") else body, status, fields)


@dataclass(frozen=True, slots=True)
class Revisited:
    """An archive in which /page was captured, and confirmed by a 304; the origin still knows what it sent."""

    folder: Path
    origin: Origin
    url: str
    told: list[str]


@pytest.fixture(scope="module")
def revisited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Revisited]:
    folder = tmp_path_factory.mktemp("conditional")
    with Origin() as origin:
        # Captured first; asked for again, it is as before.
        origin.on("/page", answer())
        origin.on("/page", answer(status="304 Not Modified"))
        # Never captured with these validators.
        origin.on("/unknown", answer(status="304 Not Modified"))
        origin.on("/other", answer('"v0"'))
        origin.on("/other", answer(status="304 Not Modified"))
        # A 304 may leave out what the page said.
        marked = [("Content-Type", "text/html"), ("ETag", '"v1"'), ("X-Robots-Tag", "noarchive")]
        origin.on("/marked", response(b"<html><p>Says noarchive", headers=marked))
        origin.on("/marked", answer(status="304 Not Modified"))
        # The condition must not go along to another address.
        origin.on("/moved", response(b"", "302 Found", [("Location", "/target")]))
        origin.on("/target", answer('"v1"'))
        urls = [origin.url(path) for path in ("/page", "/other", "/marked")]
        save = ("save", "--allow-private", "--ignore-robots", *urls)
        shared().run(save, folder, os.environ).check_returncode()
        next_second()
        (folder / "again.py").write_text(AGAIN)
        more = [*urls, origin.url("/unknown"), origin.url("/moved")]
        done = shared().python(f"import sys; sys.path.append({str(folder)!r})\n{SCRIPT}", *more, cwd=folder)
    assert done.returncode == 0, done.stderr.decode()
    yield Revisited(folder, origin, origin.url("/page"), sorted(done.stdout.decode().splitlines()))


@pytest.fixture
def run(revisited: Revisited, environment: Mapping[str, str], warm_start: WarmStart) -> Run:
    def command(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return warm_start.run(arguments, revisited.folder, environment, b"", 120)

    return command


def test_outcomes(revisited: Revisited) -> None:
    assert revisited.told == [
        "archived|200|None|moved",
        "unchanged|304|not modified|marked",
        "unchanged|304|not modified|other",
        "unchanged|304|not modified|page",
        "unchanged|304|not modified|unknown",
    ]


def test_what_a_304_confirms_says_noarchive_still(revisited: Revisited) -> None:
    marked = by_url(revisited.folder / "archive", "response", "revisit")[revisited.origin.url("/marked")]
    said = [(record.type, record["Newskeep-Noarchive"]) for record in marked]
    assert said == [("response", "X-Robots-Tag"), ("revisit", "as before")]


def test_condition_is_sent_and_not_to_where_it_leads(revisited: Revisited) -> None:
    asked = {entry.path: b'If-None-Match: "v1"' in entry.request for entry in revisited.origin.log[3:]}
    asks = ("/page", "/other", "/marked", "/unknown", "/moved")
    assert asked == {**dict.fromkeys(asks, True), "/target": False}


def test_records(revisited: Revisited) -> None:
    kept = records(revisited.folder / "archive")
    first, revisit = (
        next(record for record in kept if record.type == kind and record.url == revisited.url)
        for kind in ("response", "revisit")
    )
    assert revisit["WARC-Profile"] == PROFILE
    assert revisit["WARC-Refers-To-Target-URI"] == revisited.url
    assert revisit["WARC-Refers-To-Date"] == first["WARC-Date"]
    assert revisit["WARC-Payload-Digest"] == first["WARC-Payload-Digest"]
    assert revisit.block == b""
    beside = [record for record in kept if record["WARC-Concurrent-To"] == revisit["WARC-Record-ID"]]
    assert [record.type for record in beside] == ["request", "metadata"]
    logged = revisited.origin.logged("/page")[1]
    assert [record.block for record in beside] == [logged.request, logged.sent]
    # Nothing that is known had these validators: an answer by itself.
    plain = by_url(revisited.folder / "archive", "response", "revisit")
    assert [(record.type, record.block[:12]) for record in plain[revisited.origin.url("/unknown")]] == [
        ("response", b"HTTP/1.1 304")
    ]
    assert [record.type for record in plain[revisited.origin.url("/other")]] == ["response", "response"]


def test_get_and_captures(revisited: Revisited, run: Run) -> None:
    lines = [json.loads(line) for line in run("captures", revisited.url, "--json").stdout.splitlines()]
    assert [(line["status"], line["mime"]) for line in lines] == [(200, "text/html"), (304, "warc/revisit")]
    at = ("--at", lines[1]["timestamp"])
    logged = revisited.origin.logged("/page")[1]
    assert run("get", revisited.url).stdout == PAGE
    assert run("get", revisited.url, *at).stdout == PAGE
    assert run("get", revisited.url, *at, "--as", "http").stdout == logged.sent
    assert run("get", revisited.url, *at, "--as", "request").stdout == logged.request
    assert b"stays as it is" in run("get", revisited.url, *at, "--as", "text").stdout
    # A 304 by itself shows nothing; the page of before does.
    assert run("get", revisited.origin.url("/other")).stdout == PAGE


def test_upkeep(revisited: Revisited, run: Run, tmp_path: Path) -> None:
    def all_is_well(folder: Path) -> None:
        assert run("verify", "--deep", "--archive", str(folder)).returncode == 0
        with open_archive(folder) as archive:
            first, second = archive.captures(revisited.url)
            assert (first.status, second.status, second.is_revisit) == (200, 304, True)
            memento = archive.read(second)
            assert (memento.original, memento.message.body) == (first, PAGE)
            assert memento.response == revisited.origin.logged("/page")[1].sent
            (version,) = archive.versions(revisited.url)
            assert version.captures == 2

    copy = tmp_path / "copy"
    all_is_well(revisited.folder / "archive")
    assert run("copy", "archive", str(copy)).returncode == 0
    assert run("reindex", "--from-warcs", "--archive", str(copy)).returncode == 0
    all_is_well(copy)
    assert run("compact", "--min-age", "0", "--archive", str(copy)).returncode == 0
    assert len(warc_files(copy)) == 1
    all_is_well(copy)


def test_replay(revisited: Revisited, tools: Tools, tmp_path: Path) -> None:
    warcs = warc_files(revisited.folder / "archive")
    for arguments in (["init", "theirs"], ["add", "theirs", *warcs]):
        done = tools("wb-manager", *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    lines = [
        line for path in (revisited.folder / "archive").rglob("*.cdxj") for line in path.read_bytes().splitlines(True)
    ]
    (tmp_path / "ours.cdxj").write_bytes(b"".join(sorted(lines)))
    ours = {"index": str(tmp_path / "ours.cdxj"), "archive_paths": sorted({f"{warc.parent}/" for warc in warcs})}
    (tmp_path / "config.yaml").write_text(json.dumps({"collections": {"ours": ours}, "framed_replay": False}))
    with running_pywb(tools, tmp_path) as port:
        for collection in ("theirs", "ours"):
            answer = Pywb(port).get(f"/{collection}/2999id_/{revisited.url}")
            assert (answer.status, answer.body) == (200, PAGE), collection
            assert answer.headers["Content-Type"] == "text/html"
    assert tools("warcio", "check", *warcs).returncode == 0


# What is asked, and what an answer confirms


def exchange(asked: str, answered: str) -> Exchange:
    request = f"GET / HTTP/1.1\r\nHost: a\r\n{asked}\r\n\r\n".encode("latin-1")
    answer = f"HTTP/1.1 304 Not Modified\r\n{answered}\r\n\r\n".encode("latin-1")
    return Exchange("http://a/", datetime.now(UTC), request, answer)


@pytest.mark.parametrize(
    ("asked", "answered", "earlier", "expected"),
    [
        ('If-None-Match: "a"', "", Validators('"a"'), True),
        ('If-None-Match: "a"', 'ETag: W/"a"', Validators('W/"a"'), True),
        ('If-None-Match: "a"', "", Validators('"b"', "Sun, 22 Nov 2026 12:00:00 GMT"), False),
        ('If-None-Match: "a"', 'ETag: "b"', Validators('"a"'), False),
        (
            "If-Modified-Since: Sun, 22 Nov 2026 12:00:00 GMT",
            "",
            Validators(None, "Sun, 22 Nov 2026 12:00:00 GMT"),
            True,
        ),
        (
            "If-Modified-Since: Sun, 22 Nov 2026 12:00:00 GMT",
            "",
            Validators(None, "Sun, 22 Nov 2026 11:00:00 GMT"),
            False,
        ),
        ("If-Modified-Since: Sun, 22 Nov 2026 12:00:00 GMT", "", Validators('"a"'), False),
        ("Accept: */*", "", Validators(), False),
    ],
)
def test_what_a_304_confirms(asked: str, answered: str, earlier: Validators, expected: bool) -> None:
    made = exchange(asked, answered)
    assert confirms(made, earlier) is expected
    assert asks_conditionally(made.request) is asked.startswith("If-")


def test_validators_and_headers() -> None:
    found = validators(b'HTTP/1.1 200 OK\r\nETag: W/"x"\r\nLast-Modified: yesterday\r\n\r\nETag: no')
    assert conditional_headers(found.etag, found.last_modified) == {
        "If-None-Match": 'W/"x"',
        "If-Modified-Since": "yesterday",
    }
    assert not validators(b"")
    assert conditional_headers("", None) == conditional_headers("x" * 5_000, "a\r\nCookie: b") == {}

"""Pages that say `noarchive`: kept and marked wherever they are told of, or refused where somebody wants that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from article_page import PAGE
from command import Run
from origin import Origin
from warcs import by_url, records

from storage import open_archive
from storage.rights.page import noarchive, signals

HTML = [("Content-Type", "text/html")]
HEADER = ("X-Robots-Tag", "noindex, NoArchive")
SECRET = b"<html><head><title>Not for keeping</title></head><body><p>What must not be kept.</p></body></html>"
META = b'<meta content="noarchive" name=ROBOTS><title>'


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        story = PAGE.encode()
        origin.reply("/plain", story, headers=HTML)
        origin.reply("/meta", story.replace(b"<title>", META), headers=HTML)
        origin.reply("/header", story, headers=[*HTML, ("X-Robots-Tag", "nofollow"), HEADER])
        origin.reply("/other", story, headers=[*HTML, ("X-Robots-Tag", "otherbot: noarchive")])
        origin.reply("/none", story, headers=[*HTML, ("X-Robots-Tag", "none")])
        yield origin


def save(newskeep: Run, *arguments: str) -> dict[str, dict[str, Any]]:
    done = newskeep("save", "--json", "--allow-private", *arguments)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return {line["url"]: line for line in map(json.loads, done.stdout.splitlines())}


def marks(newskeep: Run, origin: Origin) -> dict[str, bool]:
    done = newskeep("captures", origin.netloc.partition(":")[0], "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["url"].removeprefix(origin.url("")): line["noarchive"] for line in lines}


def test_it_is_kept_and_marked(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    paths = ("/plain", "/meta", "/header", "/other", "/none")
    outcomes = save(newskeep, *(origin.url(path) for path in paths))
    assert {line["outcome"] for line in outcomes.values()} == {"archived"}
    assert [outcomes[origin.url(path)]["noarchive"] for path in paths] == [
        *(None, "meta robots", "X-Robots-Tag", None, None)
    ]
    assert outcomes[origin.url("/meta")]["words"] > 50
    kept = by_url(tmp_path / "archive", "response")
    assert [kept[origin.url(path)][0]["Newskeep-Noarchive"] for path in ("/plain", "/meta", "/header")] == [
        *(None, "meta robots", "X-Robots-Tag")
    ]
    with open_archive(tmp_path / "archive") as archive:
        assert {each.url: each.noarchive for each in archive.articles()} == {
            origin.url(path): path in ("/meta", "/header") for path in paths
        }
        assert {each.url for each in archive.index.articles() if each.noarchive} == {
            origin.url("/meta"),
            origin.url("/header"),
        }


def test_the_mark_is_told(newskeep: Run, origin: Origin) -> None:
    url = origin.url("/meta")
    done = newskeep("save", "--allow-private", url)
    assert "noarchive (meta robots)" in done.stdout.decode()
    assert "noarchive" in newskeep("captures", url).stdout.decode()
    assert "noarchive" in newskeep("explain", url).stdout.decode()
    assert json.loads(newskeep("get", url, "--as", "json").stdout)["noarchive"] is True
    # What it says keeps nothing from who holds it.
    assert newskeep("get", url, "--as", "text").returncode == 0


@pytest.mark.parametrize("lost", [["index.sqlite"], ["index.sqlite", "cdxj"]], ids=["index", "index and CDXJ"])
def test_reindex_restores_the_mark(newskeep: Run, origin: Origin, tmp_path: Path, lost: list[str]) -> None:
    save(newskeep, origin.url("/plain"), origin.url("/meta"))
    for name in lost:
        for file in [*(tmp_path / "archive").glob(f"{name}*"), *(tmp_path / "archive" / name).rglob("*.cdxj")]:
            if file.is_file():
                file.unlink()
    assert newskeep("reindex").returncode in (0, 7)
    found = marks(newskeep, origin)
    assert found["/meta"] is True and found["/plain"] is False
    with open_archive(tmp_path / "archive") as archive:
        assert [each.url for each in archive.index.articles() if each.noarchive] == [origin.url("/meta")]
    assert newskeep("verify", "--deep").returncode == (0 if len(lost) == 1 else 7)


def test_reextract_keeps_the_mark(newskeep: Run, origin: Origin) -> None:
    save(newskeep, origin.url("/meta"))
    assert newskeep("reextract").returncode == 0
    assert json.loads(newskeep("get", origin.url("/meta"), "--as", "json").stdout)["noarchive"] is True


def test_a_revisit_says_what_the_capture_says_that_it_repeats(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    url = origin.url("/turns")
    turns: list[list[tuple[str, str]]] = [[], [], [HEADER], [HEADER], []]
    for fields in turns:
        origin.reply("/turns", PAGE.encode(), headers=[*HTML, *fields])
    for _ in turns:
        save(newskeep, url)
    found = [
        (record.type, record["Newskeep-Noarchive"])
        for record in records(tmp_path / "archive")
        if record.url == url and record.type in ("response", "revisit")
    ]
    # A whole record where the word changes: who may see a revisit may see the body that it leads to.
    said = "X-Robots-Tag"
    assert found == [
        ("response", None),
        ("revisit", None),
        ("response", said),
        ("revisit", said),
        ("response", None),
    ]


def test_it_is_refused_where_that_is_wanted(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    (tmp_path / "newskeep.toml").write_text('noarchive = "refuse"\n')
    origin.reply("/secret/header", SECRET, headers=[*HTML, ("X-Robots-Tag", "nofollow"), HEADER])
    origin.reply("/secret/meta", SECRET.replace(b"<title>", META), headers=HTML)
    origin.reply("/secret/feed", SECRET, headers=[("Content-Type", "application/rss+xml"), HEADER])
    paths = ("/secret/header", "/secret/meta", "/secret/feed", "/other")
    outcomes = save(newskeep, *(origin.url(path) for path in paths))
    reasons = {path: outcomes[origin.url(path)]["reason"] for path in paths}
    assert reasons == {
        "/secret/header": "noarchive (X-Robots-Tag)",
        "/secret/meta": "noarchive (meta robots)",
        "/secret/feed": "noarchive (X-Robots-Tag)",
        "/other": None,
    }
    assert outcomes[origin.url("/secret/meta")]["outcome"] == "refused"
    kept = records(tmp_path / "archive")
    assert not any(b"must not be kept" in record.block for record in kept)
    assert not any(record.type == "response" and record.url == origin.url("/secret/header") for record in kept)
    (request,) = [record for record in kept if record.type == "request" and record.url == origin.url("/secret/header")]
    (note,) = [record for record in kept if record["WARC-Concurrent-To"] == request["WARC-Record-ID"]]
    assert note.type == "metadata"
    assert b"not-kept: noarchive (X-Robots-Tag)\r\nhttp-status: 200\r\n" in note.block
    assert newskeep("get", origin.url("/secret/header")).returncode == 6
    assert newskeep("verify", "--deep").returncode == 0
    outcomes = save(newskeep, origin.url("/secret/header"), "--ignore-robots")
    assert outcomes[origin.url("/secret/header")]["outcome"] == "archived"
    assert outcomes[origin.url("/secret/header")]["noarchive"] == "X-Robots-Tag"


@pytest.mark.parametrize(("of_all", "of_site"), [("keep", "refuse"), ("refuse", "keep")])
def test_a_site_may_differ(newskeep: Run, origin: Origin, tmp_path: Path, of_all: str, of_site: str) -> None:
    story = PAGE.encode().replace(b"<title>", META)
    for name in ("one", "two"):
        path = f"/2026/11/20/a-story-of-the-harbour-{name}.html"
        origin.reply(f"/{name}/", f'<a href="{path}">A story of the harbour</a>'.encode(), headers=HTML)
        origin.reply(path, story, headers=HTML)
    start = f'start = "{origin.url("/one/")}"\ndelay = 0\n'
    (tmp_path / "newskeep.toml").write_text(
        f'noarchive = "{of_all}"\n[sites.own]\n{start}noarchive = "{of_site}"\n'
        f"[sites.plain]\n{start.replace('/one/', '/two/')}"
    )
    done = newskeep("crawl", "own", "plain", "--allow-private", "--json")
    outcomes = {line["url"][-8:-5]: line["outcome"] for line in map(json.loads, done.stdout.splitlines())}
    word = {"keep": "archived", "refuse": "refused"}
    assert outcomes == {"one": word[of_site], "two": word[of_all]}, done.stderr.decode()
    assert done.stderr.count(b"; 1 says noarchive") == 1


@pytest.mark.parametrize("table", ["{}", "[sites.a]\nstart = 'https://a.example/'\n{}"])
def test_another_word_is_one_line(newskeep: Run, tmp_path: Path, table: str) -> None:
    (tmp_path / "newskeep.toml").write_text(table.format("noarchive = true\n"))
    done = newskeep("crawl", "a")
    assert done.returncode == 2
    assert 'noarchive must be "keep" or "refuse", not True' in done.stderr.decode()


def page(head: bytes, fields: bytes = b"Content-Type: text/html\r\n") -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n" + head


@pytest.mark.parametrize(
    ("message", "where"),
    [
        (page(b"", b"X-Robots-Tag: newskeep: noarchive\r\n"), "X-Robots-Tag"),
        (page(b"", b"x-robots-tag: otherbot: nofollow\r\nX-ROBOTS-TAG: noarchive\r\n"), "X-Robots-Tag"),
        (page(b"", b"X-Robots-Tag: unavailable_after: 25-Jun-30 15:00:00 PST, noarchive\r\n"), "X-Robots-Tag"),
        (page(b"", b"X-Robots-Tag: max-snippet: 50, noarchive\r\n"), "X-Robots-Tag"),
        (page(b"", b"X-Robots-Tag: otherbot: nofollow, noarchive\r\n"), None),
        (page(b"", b"X-Robots-Tag: noindex, nofollow, none\r\n"), None),
        (page(b"", b"X-Robots-Tag: noindex noarchive\r\n"), "X-Robots-Tag"),
        (page(b"", b"X-Robots-Tag: noindex; noarchive\r\n"), "X-Robots-Tag"),
        (page(b"", b"X-Robots-Tag: *: noarchive\r\n"), "X-Robots-Tag"),
        (page(b"", b"X-Robots-Tag: otherbot: nofollow noarchive\r\n"), None),
        (page(b"", b"X-Robots-Tag: nonoarchive\r\n"), None),
        (page(b'<meta name="robots" content="noindex noarchive">'), "meta robots"),
        (page(b'<meta name="robots" content="noindex;&#32;&#110;oarchive">'), "meta robots"),
        (page(b'<meta name="robots" content="none">'), None),
        (page(b'<meta name="newskeep" content="noarchive">'), "meta newskeep"),
        (page(b"<META content='noindex , NOARCHIVE' name='Robots'/>"), "meta robots"),
        (page(b'<meta name="googlebot" content="noarchive">'), None),
        (page(b'<!-- <meta name="robots" content="noarchive"> -->'), None),
        (page(b'<script>"<meta name=robots content=noarchive>"</script>'), None),
        (page(b'<meta name="description" content="><meta name=robots content=noarchive>">'), None),
        (page(b"<p>&lt;meta name=robots content=noarchive&gt;</p>"), None),
        (page(b"<meta name=robots content=noarchive>", b"Content-Type: text/plain\r\n"), None),
        (page("<meta name=robots content=noarchive>".encode("utf-16")), "meta robots"),
        (page(b"<meta " * 40_000), None),
        (page(b"<!--" * 60_000), None),
        (page(b"<meta a='" * 30_000), None),
        (page(b"<meta " + b"a=\"'" * 60_000 + b">"), None),
        (page(b"\xff\x00\xfe", b"Content-Type: text/html\r\nContent-Encoding: gzip\r\n"), None),
        (b"", None),
    ],
)
def test_where_noarchive_is_said(message: bytes, where: str | None) -> None:
    assert noarchive(signals(message)) == where

"""`newskeep status` as a person types it: what it counts is what is held, whoever is away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from command import Run
from filled_archive import deliver, fill, folder_archive, page
from origin import Origin
from warm_start import WarmStart

from newskeep.status.holdings import FILE, KINDS, Held, count, holdings_of, kind_of
from storage.archive import Archive

HTML = [("Content-Type", "text/html; charset=utf-8")]
#: Three WARCs of four pages each, the last one revisited; and one of a month later, with a page that is held already.
CAPTURES, ADDRESSES, ARTICLES, REVISITS = 3 * 5 + 2, 3 * 4 + 1, 3 * 4 + 2, 3


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An archive in ./archive, closed again."""
    for archive in folder_archive(tmp_path / "archive"):
        fill(archive)
        deliver(archive, 9, [page(0, version=31), page(99, version=31)])
        return archive
    raise AssertionError


def told(newskeep: Run, *arguments: str, code: int = 0) -> dict[str, Any]:
    done = newskeep("status", "--json", *arguments)
    assert done.returncode == code, done.stderr.decode()
    (line,) = done.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.usefixtures("archive")
def test_counts_are_those_of_what_is_held(newskeep: Run, tmp_path: Path) -> None:
    found = told(newskeep)
    assert (found["captures"], found["addresses"], found["articles"]) == (CAPTURES, ADDRESSES, ARTICLES)
    assert found["warcs"] == 4
    assert found["kinds"]["pages"]["captures"] == CAPTURES - REVISITS
    assert found["kinds"]["repeated"]["captures"] == REVISITS
    assert found["bytes"]["warc"] == sum(path.stat().st_size for path in tmp_path.glob("archive/warc/**/*.gz"))
    assert found["bytes"]["text"] == sum(path.stat().st_size for path in tmp_path.glob("archive/text/**/*.gz"))
    site = found["sites"]["paper.example"]
    assert site["captures"] == CAPTURES
    # An address counts in the month in which it came first.
    assert {month: held["addresses"] for month, held in site["months"].items()} == {"2026-03": 12, "2026-04": 1}
    assert found["months"]["2026-04"]["captures"] == 2
    assert found["disk"]["crawls_pause"] is False
    assert found["problem"] is None


@pytest.mark.usefixtures("archive")
def test_what_was_counted_is_counted_again_when_the_index_has_changed(newskeep: Run, tmp_path: Path) -> None:
    before = told(newskeep)
    kept = tmp_path / "archive" / FILE
    stamp = json.loads(kept.read_bytes())["stamp"]
    assert told(newskeep)["sites"] == before["sites"]
    for archive in folder_archive(tmp_path / "archive"):
        deliver(archive, 10, [page(200)])
        assert told(newskeep)["captures"] == CAPTURES + 1
        assert json.loads(kept.read_bytes())["stamp"] != stamp
        # One that is damaged, or of another version, is counted anew.
        for spoilt in (b"", b"[]", b'{"stamp": 1}', kept.read_bytes().replace(b'"kinds"', b'"sorts"')):
            kept.write_bytes(spoilt)
            assert holdings_of(archive) == count(archive.index)


@pytest.mark.usefixtures("archive")
def test_for_a_person(newskeep: Run) -> None:
    lines = newskeep("status").stdout.decode()
    assert f"{CAPTURES} captures of {ADDRESSES} addresses, {ARTICLES} articles" in lines
    for heading in ("Held", "By month", "By site", "By kind", "Room", "Sites"):
        assert f"\n{heading}\n" in lines
    assert "paper.example" in lines
    assert "crawls pause below 1.0 GB (min_free)" in lines


def test_what_is_saved_the_last_crawl_and_the_spool(newskeep: Run, tmp_path: Path) -> None:
    body = b"<html><title>A</title><article>" + bytes(range(32, 127)) * 300 + b"</article></html>"
    with Origin() as origin:
        origin.reply("/a", body, headers=HTML)
        origin.reply("/b.png", b"\x89PNG" + body, headers=[("Content-Type", "image/png")])
        for _ in range(2):
            assert newskeep("save", "--allow-private", origin.url("/a"), origin.url("/b.png")).returncode == 0
    found = told(newskeep)
    assert found["kinds"]["pictures"]["captures"] == 1
    taken = sum(path.stat().st_size for path in (tmp_path / "archive" / "warc").rglob("*.gz"))
    assert 0 < found["saved"]["revisit_bytes"] < taken
    assert [crawl["counts"] for crawl in found["crawls"]] == [{"unchanged": 2}, {"archived": 2}]
    assert found["spool"] == {"bytes": 0, "warcs": 0, "damaged": 0}
    assert newskeep("compact", "--min-age", "0").returncode == 0
    assert told(newskeep)["saved"]["compacted_files"] == 1
    assert "saved by compaction 1 file less: 1 WARC made of small ones" in newskeep("status").stdout.decode()


def test_sites_and_what_is_next(newskeep: Run, tmp_path: Path) -> None:
    with Origin() as origin:
        config = f'allow_private = true\ndelay = 0\n[sites.paper]\nstart = "{origin.url("/")}"\nevery = "1h"\n'
        (tmp_path / "newskeep.toml").write_text(config, encoding="utf-8")
        (tmp_path / "archive").mkdir()
        assert "1 site, none of them crawled yet: newskeep due" in newskeep("status").stdout.decode()
        newskeep("due")
        found = told(newskeep)
    assert found["health"]["paper"]["trouble"] is True
    assert [row["site"] for row in found["next"]] == ["paper"]
    assert "1 site, 1 in trouble" in newskeep("status").stdout.decode()


def test_a_disk_below_the_floor_is_told(warm_start: WarmStart, environment: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    full = {**environment, "NEWSKEEP_MIN_FREE": str(10**18)}
    done = warm_start.run(("status",), tmp_path, full, b"", 60)
    assert "less than min_free, 1,000,000 TB: crawls pause" in done.stdout.decode()
    assert (
        json.loads(warm_start.run(("status", "--json"), tmp_path, full, b"", 60).stdout)["disk"]["crawls_pause"] is True
    )


def test_nothing_there_and_a_store_that_is_away(
    newskeep: Run, warm_start: WarmStart, environment: Mapping[str, str], tmp_path: Path
) -> None:
    assert newskeep("status").returncode == 3
    away = {
        **environment,
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "anybody",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_MAX_ATTEMPTS": "1",
    }
    done = warm_start.run(("status", "--archive", "s3://nowhere"), tmp_path, away, b"", 60)
    assert done.returncode == 3
    assert b"127.0.0.1:1" in done.stdout
    # What this machine knows is told all the same.
    assert b"\nRoom\n" in done.stdout


@pytest.mark.parametrize(
    ("mime", "kind"),
    [
        ("text/html", "pages"),
        ("warc/revisit", "repeated"),
        ("image/webp", "pictures"),
        ("application/x-javascript", "styles and scripts"),
        ("application/rss+xml", "feeds and sitemaps"),
        ("text/xml", "feeds and sitemaps"),
        ("application/xhtml+xml", "pages"),
        ("application/pdf", "documents"),
        ("IMAGE/PNG", "pictures"),
        ("made\nup", "other"),
        (None, "other"),
    ],
)
def test_kinds(mime: str | None, kind: str) -> None:
    assert kind_of(mime) == kind
    assert kind in KINDS


def test_hosts_with_ports_addresses_and_names_below_others(tmp_path: Path) -> None:
    from filled_archive import Page

    urls = [
        "https://www.paper.example/a",
        "https://paper.example:8443/a",
        "https://sport.paper.example/a",
        "https://paper-b.example/a",
        "http://192.0.2.7/a",
        "http://[2001:db8::1]:8080/a",
        "http://localhost/",
    ]
    made = page(1)
    for archive in folder_archive(tmp_path / "archive"):
        deliver(archive, 0, [Page(url, made.moment, made.response, made.text) for url in urls])
        held = dict(count(archive.index).by_site())
        assert sum(each.captures for each in held.values()) == len(urls)
        assert held["paper.example"] == Held(2, 2, 2, held["paper.example"].bytes)
        assert {site for site, each in held.items() if each.captures == each.articles == 1} == {
            "sport.paper.example",
            "paper-b.example",
            "192.0.2.7",
            "2001-db8--1",
            "localhost",
        }


@pytest.mark.usefixtures("archive")
def test_what_is_hidden_is_not_counted(newskeep: Run) -> None:
    told(newskeep)
    newskeep("remove", "paper.example", "--reason", "court order", "--yes")
    hidden = told(newskeep)
    assert (hidden["captures"], hidden["articles"], hidden["sites"]) == (0, 0, {})
    newskeep("remove", "paper.example", "--undo", "--reason", "lifted", "--yes")
    assert told(newskeep)["captures"] == CAPTURES

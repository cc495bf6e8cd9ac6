"""Text again from the WARCs: the same where nothing changed, cleaner where more of the site is known."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from command import Run
from site_worlds import background

from crawler.session.site_memory_store import SiteMemoryStore
from newskeep.demo import DemoSite
from storage import open_archive
from storage.articles import read_part, write_part


@pytest.fixture
def site() -> Iterator[DemoSite]:
    with DemoSite() as site:
        yield site


def save(newskeep: Run, *urls: str) -> None:
    done = newskeep("save", "--allow-private", *urls)
    assert done.returncode == 0, done.stderr.decode()


def articles(site: DemoSite) -> list[str]:
    """Addresses of the portal's articles, without those that are gone or forbidden."""
    left_out = {*site.missing, *site.forbidden}
    portal = site.sites[1].base
    return [url for url in site.urls if url.startswith(portal) and url not in left_out]


def text_parts(archive: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (archive / "text").rglob("*.jsonl.gz")}


def leaked(newskeep: Run, site: DemoSite, url: str) -> list[str]:
    expected = site.article(url)
    assert expected is not None
    article = json.loads(newskeep("get", url, "--as", "json").stdout)
    kept = {block["text"] for block in article["blocks"] if block["kept"]}
    return [line for line in expected.boilerplate if line in kept]


def test_nothing_changes_when_nothing_is_new(newskeep: Run, site: DemoSite, tmp_path: Path) -> None:
    save(newskeep, *articles(site)[:5])
    before = text_parts(tmp_path / "archive")
    done = newskeep("reextract")
    assert done.returncode == 0, done.stderr.decode()
    assert b"0 of 5 articles changed" in done.stderr
    assert text_parts(tmp_path / "archive") == before


def test_what_else_is_said_of_articles_is_told_of_too(newskeep: Run, site: DemoSite, tmp_path: Path) -> None:
    save(newskeep, *articles(site)[:3])
    before = text_parts(tmp_path / "archive")
    ((path, part),) = before.items()
    held = [placed.article for placed in read_part(io.BytesIO(part))]
    with path.open("wb") as file:
        for _ in write_part(file, [held[0], *(replace(each, language=None) for each in held[1:])]):
            pass
    done = newskeep("reextract")
    assert done.stderr == b"0 of 3 articles changed, and what is said of 2 others, in 1 WARC\n"
    assert text_parts(tmp_path / "archive") == before


def test_first_articles_are_cleaned_of_what_was_learned_later(newskeep: Run, site: DemoSite, tmp_path: Path) -> None:
    urls = articles(site)
    save(newskeep, urls[0])
    dirty = leaked(newskeep, site, urls[0])
    assert dirty
    save(newskeep, *urls[1:])
    before = text_parts(tmp_path / "archive")

    told = newskeep("reextract", "--diff")
    assert told.returncode == 0, told.stderr.decode()
    assert f"- {dirty[0]}" in told.stdout.decode()
    assert text_parts(tmp_path / "archive") == before
    assert leaked(newskeep, site, urls[0]) == dirty

    assert newskeep("reextract").returncode == 0
    assert leaked(newskeep, site, urls[0]) == []
    assert b"0 of" in newskeep("reextract", "--diff").stderr


def test_where_the_memory_was_lost_once_is_enough(newskeep: Run, site: DemoSite, tmp_path: Path) -> None:
    urls = articles(site)
    for url in urls[:7]:
        save(newskeep, url)
    assert newskeep("reextract").returncode == 0
    before = text_parts(tmp_path / "archive")
    assert len(before) == 7
    for memory in (tmp_path / "archive" / "sites").iterdir():
        memory.unlink()

    told = newskeep("reextract", "--diff")
    assert b"0 of 7 articles would change" in told.stderr
    assert not list((tmp_path / "archive" / "sites").iterdir())
    assert newskeep("reextract").returncode == 0
    assert text_parts(tmp_path / "archive") == before
    assert b"0 of 7 articles changed" in newskeep("reextract").stderr


def test_unlearned_line_comes_back(newskeep: Run, site: DemoSite) -> None:
    urls = articles(site)
    save(newskeep, *urls[:6])
    article = json.loads(newskeep("get", urls[0], "--as", "json").stdout)
    line = next(item["text"] for item in article["removed"] if item["reason"].startswith("repeated"))
    host = urls[0].partition("://")[2].partition(":")[0]
    shown = newskeep("sites", "memory", host, "--unlearn", line)
    assert shown.returncode == 0, shown.stderr.decode()
    assert newskeep("reextract", host).returncode == 0
    again = json.loads(newskeep("get", urls[0], "--as", "json").stdout)
    assert line in [block["text"] for block in again["blocks"] if block["kept"]]


def test_explain_shows_every_block_with_its_reason(newskeep: Run, site: DemoSite) -> None:
    urls = articles(site)
    save(newskeep, *urls[:4])
    article = json.loads(newskeep("get", urls[0], "--as", "json").stdout)
    lines = newskeep("explain", urls[0]).stdout.decode().splitlines()
    marks = [line.split()[:2] for line in lines if line[:4].strip().isdigit()]
    expected = ["kept" if block["kept"] else "removed" for block in article["blocks"]]
    assert marks == [[str(number), mark] for number, mark in enumerate(expected, 1)]
    assert any("repeated on" in line for line in lines)
    assert 0.0 < article["confidence"] < 1.0
    assert f"confidence {round(100 * article['confidence'])} %" in " ".join(" ".join(lines).split())


def test_sites_memory_tells_what_is_template_and_what_changed(newskeep: Run, site: DemoSite, tmp_path: Path) -> None:
    urls = articles(site)
    save(newskeep, *urls[:4])
    host = urls[0].partition("://")[2].partition(":")[0]
    lines = [json.loads(line) for line in newskeep("sites", "memory", host, "--json").stdout.splitlines()]
    assert {"articles": 4, "line": "Disclaimer:"} in lines
    assert newskeep("sites", "memory", host, "--changes").stdout == b""

    # A site that began with three articles about one affair.
    world = background(42, 7, where="end")
    told, others = world.articles[::7], [each for n, each in enumerate(world.articles) if n % 7]
    with open_archive(tmp_path / "archive") as opened:
        memories = SiteMemoryStore(opened.store, opened.state)
        memories.learn("affair.example", told[:3])
        memories.learn("affair.example", others)
    shown = newskeep("sites", "memory", "affair.example", "--changes").stdout.decode().splitlines()
    assert shown[1:] == [
        "    2026-10-09  template: on 3 of 3 articles",
        "    2026-10-18  article text: on 3 of 39 articles",
    ]
    (line,) = newskeep("sites", "memory", "affair.example", "--changes", "--json").stdout.splitlines()
    assert [each["template"] for each in json.loads(line)["verdicts"]] == [True, False]


def test_a_damaged_warc_is_named_and_the_others_get_their_text(newskeep: Run, site: DemoSite, tmp_path: Path) -> None:
    urls = articles(site)[:3]
    for url in urls:
        save(newskeep, url)
    archive = tmp_path / "archive"
    warcs = sorted((archive / "warc").rglob("*.warc.gz"))
    damaged, missing = warcs[:2]
    with damaged.open("r+b") as file:
        file.seek(30)
        file.write(b"\0" * 20)
    missing.unlink()
    before = text_parts(archive)
    spoilt = next(path for path in before if path.name == warcs[2].name.replace("warc.gz", "jsonl.gz"))
    spoilt.write_bytes(b"no gzip")
    done = newskeep("reextract")
    assert done.returncode == 7, done.stderr.decode()
    told = done.stderr.decode().splitlines()
    for warc, line in zip((damaged, missing), told, strict=False):
        assert line.startswith(f"{warc.relative_to(archive)}: its text stays as it is (")
        assert line.endswith("; `newskeep verify --deep` says what to do")
    assert told[2:] == ["1 of 1 article changed, in 1 WARC"]
    assert text_parts(archive) == before

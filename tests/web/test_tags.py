"""Tags and notes on the web: pages, API, feeds; what strangers put into them is text."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from room_archive import STORY, fill
from web_archive import Serving, Site

from storage import open_archive
from storage.annotating.annotate import put
from storage.annotations import described, noted, tagged, unnoted
from storage.archive import Archive

EVIL = "<script>alert(1)</script> & “quoted”\u202e"
ENTRY = "{http://www.w3.org/2005/Atom}entry"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tags") / "archive"
    fill(folder)
    with open_archive(folder) as archive:
        put(archive, tagged(STORY, "exact", "Ada", add=["bridges", "選挙"]))
        put(archive, noted(STORY, EVIL, "Ada"))
        put(archive, described("bridges", "Ada", title=EVIL, description="All <b>bridges</b>."))
    return folder


@pytest.fixture(scope="module")
def looked_at(filled: Path) -> Iterator[Site]:
    """A server over what no test changes."""
    with Serving(filled) as running:
        yield running


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Path:
    shutil.copytree(filled, tmp_path / "archive")
    return tmp_path / "archive"


@pytest.fixture
def room(folder: Path) -> Iterator[Site]:
    with Serving(folder) as running:
        yield running


@pytest.fixture
def archive(folder: Path) -> Iterator[Archive]:
    with open_archive(folder) as opened:
        yield opened


def text(room: Site, path: str, status: int = 200) -> str:
    found = room.get(path, Accept="text/html")
    if found.status == 302:
        found = room.get(found.headers["Location"], Accept="text/html")
    assert found.status == status, found.body
    return found.body.decode()


def articles(room: Site, path: str) -> set[str]:
    return {each["url"] for each in json.loads(text(room, path))["articles"]}


def test_an_article_shows_its_tags_and_notes_as_text(room: Site, archive: Archive) -> None:
    shown = text(room, f"/article/{STORY}")
    assert 'href="/search?tag=bridges"' in shown and f'href="/search?tag={quote("選挙")}"' in shown
    assert "&lt;script&gt;alert(1)" in shown and "<script>alert" not in shown
    (note,) = archive.index.notes(STORY)
    put(archive, unnoted(note, "Ada"))
    put(archive, tagged(STORY, "exact", "Ada", remove=["bridges", "選挙"]))
    shown = text(room, f"/article/{STORY}")
    assert "alert(1)" not in shown and 'id="notes"' not in shown


def test_the_page_of_tags_lists_collections_with_their_feeds(looked_at: Site) -> None:
    shown = text(looked_at, "/tags")
    assert "&lt;script&gt;" in shown and "<script>alert" not in shown and "All &lt;b&gt;bridges" in shown
    assert 'href="/feeds/new.atom?tag=bridges"' in shown and "選挙" in shown
    assert '<a href="/tags">Tags</a>' in text(looked_at, "/")


def test_search_lists_and_finds_what_has_a_tag(looked_at: Site) -> None:
    listed = text(looked_at, "/search?tag=Bridges")
    assert "harbour-bridge" in listed and "All &lt;b&gt;bridges" in listed and 'value="bridges"' in listed
    found = text(looked_at, "/search?q=bridge&tag=bridges")
    assert "harbour-bridge" in found
    assert "Nothing was found" in text(looked_at, "/search?tag=other")
    assert "did you mean two-words?" in text(looked_at, "/search?tag=two+words", 400)


def test_the_api_chooses_by_tag_and_lists_tags(looked_at: Site) -> None:
    assert articles(looked_at, "/api/articles?tag=bridges") == {STORY}
    assert articles(looked_at, "/api/search?q=bridge&tag=bridges") == {STORY}
    assert articles(looked_at, "/api/articles?tag=other") == set()
    captures = json.loads(text(looked_at, f"/api/captures?url={STORY}&tag=bridges"))["captures"]
    assert captures == json.loads(text(looked_at, f"/api/captures?url={STORY}"))["captures"]
    (bridges, _) = json.loads(text(looked_at, "/api/tags"))["tags"]
    assert (bridges["tag"], bridges["title"], bridges["captures"]) == ("bridges", EVIL, len(captures))
    article = json.loads(text(looked_at, f"/api/article?url={STORY}"))
    assert article["tags"] == ["bridges", "選挙"] and article["notes"][0]["text"] == EVIL
    assert looked_at.get("/api/articles?tag=a+b").status == 400


def test_a_feed_of_a_tag_has_what_has_it_and_knows_when_that_changes(room: Site, archive: Archive) -> None:
    first = room.get("/feeds/new.atom?tag=bridges")
    assert first.status == 200 and len(ElementTree.fromstring(first.body).findall(ENTRY)) == 1
    etag = {"If_None_Match": first.headers["ETag"]}
    assert room.get("/feeds/new.atom?tag=bridges", **etag).status == 304
    put(archive, tagged("www.paper.example", "host", "Ada", add=["bridges"]))
    second = room.get("/feeds/new.atom?tag=bridges", **etag)
    assert second.status == 200 and len(ElementTree.fromstring(second.body).findall(ENTRY)) > 1

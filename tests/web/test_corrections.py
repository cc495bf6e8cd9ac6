"""Corrections in the reading room: one button a block, for who may, sent by our own pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from room_archive import STORY, fill
from web_archive import Answer, Serving, Site

from newskeep.web.options import ServeOptions
from storage import open_archive
from storage.corrections import Correction, add, read_all

LETTER, READ_ALSO = "Subscribe to our morning letter", "Read also: Ferries"
OURS = {"Sec_Fetch_Site": "same-origin"}
_BUTTON = re.compile(r'<button class="fix" form="say" formaction="([^"]+)" lang="en" aria-label="[^"]+">(\w+)<')
TOKEN = "0123456789abcdef"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(tmp_path / "archive")
    return tmp_path / "archive"


@pytest.fixture
def room(folder: Path) -> Iterator[Site]:
    with Serving(folder) as running:
        yield running


def page(room: Site, path: str, **headers: str) -> Answer:
    found = room.get(path, Accept="text/html", **headers)
    if found.status == 302:
        found = room.get(found.headers["Location"], Accept="text/html", **headers)
    return found


def shown(room: Site, path: str = f"/correct/{STORY}") -> str:
    found = page(room, path)
    assert found.status == 200
    return unescape(found.body.decode())


def button(room: Site, words: str) -> tuple[str, str]:
    """Where the button of the block with these words leads, and what it says."""
    text = shown(room)
    address, verdict = next(iter(_BUTTON.findall(text, text.index(words))))
    return address, verdict


def press(room: Site, words: str, verdict: str) -> None:
    address, said = button(room, words)
    assert said == verdict
    found = room.get(address, "POST", **OURS)
    assert found.status == 303, found.body
    assert re.fullmatch(
        r"/correct/\d{14}/https://www\.paper\.example/2026/harbour-bridge#b\d+", found.headers["Location"]
    )


def text_of(folder: Path) -> str:
    with open_archive(folder) as archive:
        return archive.article(STORY).text


def test_kept_removed_and_taken_back(room: Site, folder: Path) -> None:
    before = text_of(folder)
    assert "Correct the text" in shown(room, f"/article/{STORY}")
    press(room, LETTER, "Keep")
    press(room, "A bridge is cheaper", "Remove")
    after = text_of(folder)
    assert LETTER in after and "A bridge is cheaper" not in after
    told = shown(room, f"/article/{STORY}")
    assert "2 blocks corrected by a reader" in told and "Removed: by a reader" in told
    assert 'class="fix"' not in told
    press(room, LETTER, "Undo")
    press(room, "A bridge is cheaper", "Undo")
    assert text_of(folder) == before
    with open_archive(folder) as archive:
        assert read_all(archive.store) == []


def test_of_this_article_somebody_knows_better_than_of_the_site(room: Site, folder: Path) -> None:
    with open_archive(folder) as archive:
        article, now = archive.article(STORY), datetime.now(UTC)
        block = next(block for block in article.blocks if block.text.startswith(READ_ALSO))
        add(archive.store, Correction(STORY, now, block.text, "keep", now, whole_site=True))
    press(room, LETTER, "Keep")
    assert READ_ALSO in text_of(folder)
    press(room, READ_ALSO, "Undo")
    assert READ_ALSO not in text_of(folder)
    press(room, READ_ALSO, "Keep")
    assert READ_ALSO in text_of(folder)


def test_only_our_own_pages_may_say_so(room: Site, folder: Path) -> None:
    address, _ = button(room, LETTER)
    assert room.get(address).status == 404, "nothing is changed by looking"
    for headers in (
        {},
        {"Sec_Fetch_Site": "cross-site", "Origin": room.app},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Origin": room.originals},
        {"Origin": "null"},
        {"Host": "enemy.example", **OURS},
    ):
        assert room.get(address, "POST", **headers).status in (403, 421), headers
    assert not (folder / "corrections").exists()
    assert room.get(address, "POST", Origin=room.app).status == 303


def test_what_is_not_there_changes_nothing(room: Site, folder: Path) -> None:
    address, _ = button(room, LETTER)
    for pattern, change, status in (
        (r"/\d+-", "/9999-", 409),
        (r"/\d+-", "/0-", 409),
        (r"-[0-9a-f]{8}/", "-00000000/", 409),
        ("/keep/", "/burn/", 400),
        ("harbour-bridge", "nothing-here", 404),
    ):
        found = room.get(re.sub(pattern, change, address), "POST", **OURS)
        assert found.status == status and found.body.count(b"\n") == 1, (pattern, change)
    assert not (folder / "corrections").exists()


def test_it_is_for_who_has_the_key_or_for_this_machine(folder: Path) -> None:
    key = {"Authorization": f"Bearer {TOKEN}"}
    with Serving(folder, "--token", TOKEN, "--read-only") as room:
        assert b"Correct the text" not in page(room, f"/article/{STORY}", **key).body
        assert page(room, f"/correct/{STORY}", **key).status == 403
        assert room.get(f"/correct/keep/1-00000000/20260101000000/{STORY}", "POST", **OURS, **key).status == 403
    with Serving(folder, "--token", TOKEN) as room:
        assert page(room, f"/correct/{STORY}").status == 401
        found = page(room, f"/correct/{STORY}", **key).body.decode()
        address = _BUTTON.findall(unescape(found))[0][0]
        assert room.get(address, "POST", **OURS).status == 401
        assert room.get(address, "POST", **OURS, **key).status == 303


def test_where_others_may_look_without_a_key_nobody_may() -> None:
    proxied = ServeOptions(public_url="https://archive.example", originals_url="https://originals.example")
    assert not proxied.may_correct
    assert replace(proxied, token=TOKEN).may_correct
    assert not replace(proxied, token=TOKEN, read_only=True).may_correct
    assert ServeOptions().may_correct

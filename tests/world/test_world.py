"""The simulated world itself: the same for the same seed, answers by its own clock, and tells the truth."""

from __future__ import annotations

import http.client
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from world import START, World


def ask(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=240)
    connection.request("GET", parts.path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    found = response.status, dict(response.getheaders()), response.read()
    connection.close()
    return found


def test_time_passes_only_when_told(tmp_path: Path) -> None:
    with World(["editor", "remover"], tmp_path) as world:
        world.set(START, runs=False)
        story = next(each for each in world.truth(START + timedelta(days=1), START) if each.edits)
        assert ask(story.url)[0] == 404
        world.set(story.published, runs=False)
        status, headers, first = ask(story.url)
        assert status == 200
        assert headers["Date"] == f"{story.published:%a, %d %b %Y %H:%M:%S} GMT"
        assert ask(story.url, If_None_Match=headers["ETag"])[0] == 304
        world.set(story.edits[0][0], runs=False)
        status, _, second = ask(story.url, If_None_Match=headers["ETag"])
        assert status == 200
        assert second != first
        removed = next(each for each in world.truth(START + timedelta(days=1)) if each.removed)
        assert removed.removed is not None
        world.set(removed.removed, runs=False)
        assert ask(removed.url)[0] == removed.gone
        lines = world.log()
        assert [(line.status, line.version) for line in lines if line.article == story.article] == [
            *((200, 0), (304, 0), (200, 1))
        ]


def test_the_same_seed_is_the_same_world(tmp_path: Path) -> None:
    told = []
    for seed in (7, 7, 8):
        with World(["wire"], tmp_path, seed) as world:
            told.append([(each.title, each.published, each.edits) for each in world.truth(START)])
    assert told[0] == told[1] != told[2]

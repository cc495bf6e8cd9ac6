"""Pages without text are archived with the reason, are no articles, and `health` says so of a site of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Run
from origin import Origin
from small_paper import Paper

pytestmark = pytest.mark.long
SHELL = (
    b"<!doctype html><title>A story</title><meta property=og:type content=article><div id=root></div>"
    b"<noscript>You need to enable JavaScript to run this app.</noscript><script src=/app.js></script>"
)
FILM = b"<!doctype html><title>A film</title><video src=/film.mp4></video>"


@pytest.fixture
def paper(tmp_path: Path) -> Iterator[Paper]:
    with Origin() as origin:
        (tmp_path / "newskeep.toml").write_text(
            f'allow_private = true\noperator = "https://o.example/"\nworkers = 1\n'
            f'[sites.town]\nstart = "{origin.url()}"\ndelay = 0\nevery = 60\n'
        )
        yield Paper(origin, stories=5)


def test_a_site_of_frames_is_empty(newskeep: Run, paper: Paper) -> None:
    for number in (1, 2, 3):
        paper.put(paper.path(number), SHELL.replace(b"A story", b"Story %d" % number))
    paper.put(paper.path(4), FILM)
    done = newskeep("crawl", "--json", "town")
    told = {line["url"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert [told[paper.url(number)]["outcome"] for number in range(1, 6)] == ["archived"] * 5
    assert [told[paper.url(number)]["reason"] for number in range(1, 6)] == [
        *["no text: needs scripts"] * 3,
        "no text: a video",
        None,
    ]
    assert b"5 archived, 0 unchanged, 0 refused, 0 failed; 4 without text" in done.stderr
    exported = newskeep("export", "--format", "jsonl", "--to", "-").stdout
    assert [json.loads(line)["url"] for line in exported.splitlines()] == [paper.url(5)]
    assert newskeep("get", paper.url(4)).stdout == FILM, "what came is kept"
    (line,) = newskeep("health", "--json").stdout.splitlines()
    health = json.loads(line)
    assert (health["verdict"], health["trouble"]) == ("empty", True)
    assert health["why"] == "4 of the last 5 pages have no text"
    assert health["words_an_article"]["now"] > 50, "of those that are articles"

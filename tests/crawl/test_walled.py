"""Walls are no pages: `save`, `crawl`, `sites check`, `reextract` and `health` all know them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Run
from origin import Origin
from small_paper import Paper

from storage.warc import WALL, read_records

pytestmark = pytest.mark.long
COOKIES = (
    b"<!doctype html><title>Your privacy</title><h1>Your privacy</h1><p>We and our partners store cookies on your "
    b"device "
    b"and process personal data for advertising.</p><button>Accept all</button>"
)
LOGIN = b"<!doctype html><title>Log in</title><form><label>E-mail<input></label><input type=password></form>"
CHECK = b"<!doctype html><title>Security check</title><h1>Please verify that you are a human</h1><script>go()</script>"


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture
def paper(origin: Origin, tmp_path: Path) -> Paper:
    (tmp_path / "newskeep.toml").write_text(
        f'allow_private = true\noperator = "https://o.example/"\nworkers = 1\n'
        f'[sites.town]\nstart = "{origin.url()}"\ndelay = 0\nevery = 60\n'
    )
    return Paper(origin, stories=5)


def outcomes(stdout: bytes) -> dict[str, dict[str, object]]:
    return {line["url"]: line for line in map(json.loads, stdout.splitlines())}


def test_saved_walls_are_refused_and_their_bytes_kept(newskeep: Run, paper: Paper, tmp_path: Path) -> None:
    paper.put("/consent/collect", COOKIES)
    paper.put(paper.path(1), b"", status="302 Found", Location="/consent/collect?back=1")
    paper.put("/consent/collect?back=1", COOKIES * 40)
    paper.put(paper.path(2), LOGIN)
    paper.put(paper.path(3), CHECK)
    done = newskeep("save", "--json", "--delay", "0", *map(paper.url, (1, 2, 3, 4)))
    told = outcomes(done.stdout)
    assert done.returncode == 4
    where = paper.origin.url("/").split("/")[2]
    assert [(told[paper.url(n)]["outcome"], told[paper.url(n)]["reason"]) for n in (1, 2, 3, 4)] == [
        ("refused", f"a cookie wall: redirected to {where}"),
        ("refused", "a login wall"),
        ("refused", "a bot check"),
        ("archived", None),
    ]
    assert newskeep("get", paper.url(2)).stdout == LOGIN, "what came is kept"
    marks = []
    for path in (tmp_path / "archive" / "warc").rglob("*.warc.gz"):
        with path.open("rb") as file:
            marks += [mark for record in read_records(file) if (mark := record.field(WALL))]
    assert sorted(marks) == ["a bot check", f"a cookie wall: redirected to {where}", "a login wall"]

    def articles() -> list[str]:
        exported = newskeep("export", "--format", "jsonl", "--to", "-").stdout
        return [json.loads(line)["url"] for line in exported.splitlines()]

    assert articles() == [paper.url(4)]
    assert newskeep("reextract").returncode == 0
    assert articles() == [paper.url(4)]
    # The same wall once more is no page that has not changed.
    again = outcomes(newskeep("save", "--json", paper.url(2)).stdout)
    assert again[paper.url(2)]["reason"] == "a login wall"


def test_what_is_read_is_the_page_and_not_the_wall_before_it(newskeep: Run, paper: Paper) -> None:
    page, consent = paper.page(1), paper.origin.url("/consent")
    paper.put("/consent", COOKIES * 40)
    assert newskeep("save", "--delay", "0", paper.url(1), paper.url(3)).returncode == 0
    paper.put(paper.path(1), LOGIN)
    paper.put(paper.path(2), LOGIN)
    paper.put(paper.path(3), b"", status="302 Found", Location="/consent")
    assert newskeep("save", "--delay", "0", *map(paper.url, (1, 2, 3))).returncode == 5
    walled = [json.loads(line) for line in newskeep("captures", paper.url(1), "--json").stdout.splitlines()]
    assert [line["wall"] for line in walled] == [None, "a login wall"]
    assert b"a login wall" in newskeep("captures", paper.url(1)).stdout

    # A good one is held: it is what is meant, also where a wall is nearer, or a redirect led to one.
    for options in ((), ("--at", "2100")):
        got = newskeep("get", paper.url(1), *options)
        assert (got.stdout, got.stderr) == (page, b"")
        assert newskeep("get", paper.url(3), *options).stdout == paper.page(3)
    assert newskeep("get", paper.url(1), "--as", "text", "--at", "2100").returncode == 0
    # The very second of a wall is what was asked for; of the other there is nothing else.
    for got in (newskeep("get", paper.url(1), "--at", walled[1]["timestamp"]), newskeep("get", paper.url(2))):
        assert got.stdout == LOGIN
        assert b"this is not the page but what came in its place: a login wall" in got.stderr
        assert got.stderr.count(b"\n") == 1
    for url, why in ((paper.url(2), b"a login wall"), (consent, b"a cookie wall")):
        got = newskeep("get", url, "--as", "text")
        assert (got.returncode, got.stderr.count(b"\n")) == (6, 1)
        assert b"only what came in its place: " + why in got.stderr, got.stderr


def test_a_crawl_counts_walls_and_health_names_them(newskeep: Run, paper: Paper) -> None:
    for number in (1, 2, 3):
        paper.put(paper.path(number), COOKIES)
    done = newskeep("crawl", "--json", "town")
    told = outcomes(done.stdout)
    assert [told[paper.url(number)]["outcome"] for number in range(1, 6)] == ["refused"] * 3 + ["archived"] * 2
    assert b"3 refused, 0 failed; 3 of them walls" in done.stderr
    (line,) = newskeep("health", "--json").stdout.splitlines()
    health = json.loads(line)
    assert (health["verdict"], health["trouble"]) == ("banned", True)
    assert health["why"].startswith("3 of the last 5 pages were walls: "), health["why"]
    assert "a cookie wall" in health["why"]
    assert [group["reason"] for group in health["coverage"]["missed"]] == ["a cookie wall"]


def test_a_front_page_that_is_a_wall_is_said(newskeep: Run, paper: Paper) -> None:
    paper.put("/", COOKIES)
    done = newskeep("crawl", "town")
    assert done.returncode == 5
    assert f"{paper.origin.url()}: a cookie wall".encode() in done.stderr
    checked = newskeep("sites", "check", "town", "--delay", "0")
    assert checked.returncode == 5
    assert b"a cookie wall" in checked.stdout


def test_an_article_that_is_a_wall_is_said_by_check(newskeep: Run, paper: Paper) -> None:
    for number in range(1, 6):
        paper.put(paper.path(number), LOGIN)
    checked = newskeep("sites", "check", "town", "--delay", "0")
    assert b"refused: a login wall" in checked.stdout, checked.stdout

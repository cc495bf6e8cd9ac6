"""`newskeep changes` and `duplicates` as a person uses them, on pages saved from real servers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from command import Run
from next_second import next_second
from origin import Origin

pytestmark = pytest.mark.long

HTML = [("Content-Type", "text/html; charset=utf-8")]
STORY = (
    "The town council voted on Friday to open the new bridge across the harbour to cyclists before the summer.",
    "The vote came after two years in which the builders had waited for steel that the yard could not deliver.",
    "Mayor Anna Holm said that she would be the first to ride across it, and that her brother would hold the ribbon.",
    "Shopkeepers on the southern quay have asked for more benches, better light and a clock to be read from afar.",
    "The old ferry stays until the autumn, then it will be sold to a museum in the north that collects small ships.",
)
EDITED = (*STORY[:2], STORY[2].replace("the first", "the second"), *STORY[3:], "A fireworks display ends the evening.")


def page(title: str, story: Sequence[str], layout: str = "old", site: str = "The Paper") -> bytes:
    """The story in one of two templates."""
    paragraphs = "\n".join(f"<p>{line}</p>" for line in story)
    head = f'<meta charset=utf-8><title>{title} | {site}</title><meta property="og:site_name" content="{site}">'
    if layout == "old":
        body = f"<nav><a href=/>Home</a> <a href=/b>Business</a></nav><article><h1>{title}</h1>{paragraphs}</article>"
        foot = f"<footer>About {site} <a href=/c>Contact</a></footer>"
    else:
        body = '<div class=top><ul><li><a href=/>Start</a><li><a href=/s>Sport</a></ul></div><main class="story-body">'
        body += f"<header><h1>{title}</h1></header><section>{paragraphs}</section></main>"
        foot = "<div class=bottom><a href=/p>Privacy</a> <a href=/d>Subscribe today</a></div>"
    return f"<!doctype html><html lang=en><head>{head}</head><body>{body}{foot}</body></html>".encode()


@pytest.fixture
def paper() -> Iterator[Origin]:
    with Origin("127.0.0.1") as origin:
        yield origin


@pytest.fixture
def herald() -> Iterator[Origin]:
    with Origin("127.0.0.2") as origin:
        yield origin


def save(newskeep: Run, *urls: str, code: int = 0) -> None:
    next_second()
    done = newskeep("save", "--allow-private", "--ignore-robots", "--timeout", "120", *urls)
    assert done.returncode == code, done.stderr.decode()


def lines(newskeep: Run, *arguments: str) -> list[dict[str, Any]]:
    done = newskeep(*arguments, "--json")
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_versions_and_what_changed(newskeep: Run, paper: Origin) -> None:
    url = paper.url("/bridge")
    for body in (
        page("Bridge opens", STORY),
        page("Bridge opens", STORY, "new"),
        page("Bridge opens late", EDITED, "new"),
    ):
        paper.reply("/bridge", body, headers=HTML)
    paper.reply("/bridge", b"gone", "404 Not Found", HTML)
    for code in (0, 0, 0, 5):
        save(newskeep, url, code=code)

    first, second = lines(newskeep, "changes", url)
    assert (first["version"], first["captures"], first["changes"], first["removed"]) == (1, 2, None, [])
    assert (second["version"], second["captures"], second["title"]) == (2, 1, "Bridge opens late")
    assert second["changes"]["title"] == [{"both": "Bridge opens"}, {"after": " late"}]
    changed, added = second["changes"]["text"]
    assert {"before": "first"} in changed["pieces"] and {"after": "second"} in changed["pieces"]
    assert changed["same_before"] == 2
    assert added["pieces"] == [{"after": EDITED[-1]}]
    (removal,) = second["removed"]
    assert (removal["status"], removal["until"]) == (404, None)
    assert removal["timestamp"] > second["timestamp"] > first["last"] > first["timestamp"]

    shown = newskeep("changes", url).stdout.decode()
    assert "title  Bridge opens{+ late+}" in shown
    assert "would be the [-first-]{+second+} to ride" in shown
    assert "{+A fireworks display ends the evening.+}" in shown
    assert "404 Not Found" in shown
    assert STORY[0] not in shown
    assert "\x1b" not in shown


def test_an_article_that_never_changed(newskeep: Run, paper: Origin) -> None:
    paper.reply("/bridge", page("Bridge opens", STORY), headers=HTML)
    paper.reply("/moved", status="302 Found", headers=[("Location", "/bridge")])
    save(newskeep, paper.url("/bridge"))
    save(newskeep, paper.url("/moved"))
    (only,) = lines(newskeep, "changes", paper.url("/bridge"))
    # The second answer had the same bytes, so it is a revisit.
    assert (only["captures"], only["removed"], only["changes"]) == (2, [], None)
    assert b"no changes in 2 captures" in newskeep("changes", paper.url("/moved")).stdout


def test_page_that_came_back(newskeep: Run, paper: Origin) -> None:
    url = paper.url("/bridge")
    paper.reply("/bridge", page("Bridge opens", STORY), headers=HTML)
    paper.reply("/bridge", b"gone", "410 Gone", HTML)
    paper.reply("/bridge", page("Bridge opens", STORY), headers=HTML)
    for code in (0, 5, 0):
        save(newskeep, url, code=code)
    (only,) = lines(newskeep, "changes", url)
    (removal,) = only["removed"]
    assert (removal["status"], removal["until"], only["captures"]) == (410, only["last"], 2)
    assert "410 Gone, back at" in newskeep("changes", url).stdout.decode()


def test_agency_copy_and_republished_articles(newskeep: Run, paper: Origin, herald: Origin) -> None:
    paper.reply("/bridge", page("Bridge opens", STORY), headers=HTML)
    paper.reply("/2026/bridge-again", page("Bridge opens", STORY), headers=HTML)
    copy = (STORY[0].replace("the new bridge", "a bridge"), *STORY[1:], "Reporting by the harbour desk.")
    herald.reply("/wire/17", page("Cyclists get their bridge", copy, "new", "The Herald"), headers=HTML)
    other = tuple(f"Nothing here tells of a bridge, and line {n} is about tomatoes in glass houses." for n in range(9))
    herald.reply("/other", page("Tomatoes", other, "new", "The Herald"), headers=HTML)
    for url in (paper.url("/bridge"), paper.url("/2026/bridge-again"), herald.url("/wire/17"), herald.url("/other")):
        save(newskeep, url)

    found = {each["url"]: each for each in lines(newskeep, "duplicates", paper.url("/bridge"))}
    assert list(found) == [herald.url("/wire/17"), paper.url("/2026/bridge-again")]
    again, wire = found[paper.url("/2026/bridge-again")], found[herald.url("/wire/17")]
    assert (again["exact"], again["similarity"], again["site"]) == (True, 1.0, "127.0.0.1")
    assert (wire["exact"], wire["site"], wire["title"]) == (False, "127.0.0.2", "Cyclists get their bridge")
    assert 0.6 <= wire["similarity"] < 1.0

    assert newskeep("reindex", "--fresh").returncode == 0
    assert {each["url"]: each for each in lines(newskeep, "duplicates", paper.url("/bridge"))} == found

    shown = newskeep("duplicates", paper.url("/bridge"), "--limit", "1").stdout.decode()
    assert herald.url("/wire/17") in shown and "bridge-again" not in shown
    none = newskeep("duplicates", herald.url("/other"))
    assert (none.returncode, none.stdout) == (0, b"")
    assert b"under no other URL" in none.stderr


@pytest.mark.parametrize("command", ["changes", "duplicates"])
def test_what_is_not_archived_is_said(newskeep: Run, paper: Origin, tmp_path: Path, command: str) -> None:
    assert newskeep(command, paper.url("/bridge")).returncode == 3
    paper.reply("/picture.png", b"\x89PNG", headers=[("Content-Type", "image/png")])
    save(newskeep, paper.url("/picture.png"))
    for path, message in (("/bridge", b"not in the archive"), ("/picture.png", b"no text of")):
        done = newskeep(command, paper.url(path))
        assert done.returncode == 6
        assert message in done.stderr
        assert b"Traceback" not in done.stderr
    assert newskeep(command, "no address").returncode == 2
    assert (tmp_path / "archive").is_dir()

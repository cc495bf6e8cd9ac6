"""A crawl that brings nothing says why and does not end with 0, unless all is held already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Run
from origin import Origin
from small_paper import HTML, Paper

pytestmark = pytest.mark.long


@pytest.fixture
def paper(tmp_path: Path) -> Iterator[Paper]:
    with Origin() as origin:
        (tmp_path / "newskeep.toml").write_text(
            f'allow_private = true\noperator = "https://o.example/"\nworkers = 1\n'
            f'[sites.town]\nstart = "{origin.url()}"\ndelay = 0\nevery = 60\n'
        )
        yield Paper(origin, stories=2)


def without_links(paper: Paper) -> str:
    paper.put("/", b"<!doctype html><title>Town News</title><div id=root></div><script src=/app.js></script>")
    return "nothing found: its source names no links: a page that needs scripts has none"


def links_of_others(paper: Paper) -> str:
    paper.front(["https://a.example/2026/11/22/one-of-others", "https://b.example/2026/11/22/two-of-others"], head="")
    return "nothing found: none of the 2 links of its sources is taken for an article: 2 another host"


def an_article(paper: Paper) -> str:
    head = '<script type="application/ld+json">{"@type":"NewsArticle","headline":"x"}</script>'
    paper.put("/", b"", status="302 Found", Location=paper.path(1))
    paper.put(paper.path(1), paper.page(1, head=head))
    return " is an article and names no others: `newskeep save` archives it"


def not_there(paper: Paper) -> str:
    paper.put("/", b"no", status="404 Not Found")
    return f"{paper.origin.url()}: 404 Not Found"


def articles_forbidden(paper: Paper) -> str:
    paper.robots("User-agent: *\nDisallow: /2026/\n")
    return "nothing found: none of the 2 articles that were asked for could be had: 2 robots.txt"


def all_forbidden(paper: Paper) -> str:
    paper.robots("User-agent: *\nDisallow: /\n")
    return f"{paper.origin.url()}: robots.txt"


def articles_fail(paper: Paper) -> str:
    for number in (1, 2):
        paper.put(paper.path(number), b"no", status="404 Not Found")
    return "nothing found: none of the 2 articles that were asked for could be had: 2 404 Not Found"


def another_type(paper: Paper) -> str:
    paper.put("/", b"%PDF-1.7", "application/pdf")
    return f"{paper.origin.url()}"


@pytest.mark.parametrize(
    "make",
    [
        *(without_links, links_of_others, an_article, not_there, articles_forbidden, all_forbidden),
        *(articles_fail, another_type),
    ],
)
def test_nothing_is_never_silent(newskeep: Run, paper: Paper, make: object) -> None:
    assert callable(make)
    why = make(paper)
    done = newskeep("crawl", "town")
    said = done.stderr.decode()
    assert (done.returncode, "Traceback" in said) == (5, False), said
    assert why in said, said
    assert "town: " in said
    assert "; failed\n" in said, said
    (line,) = newskeep("health").stdout.decode().splitlines()[:1]
    assert line.startswith("failing"), line


def test_due_says_it_too(newskeep: Run, paper: Paper) -> None:
    why = without_links(paper)
    done = newskeep("due")
    assert done.returncode == 5
    assert f"newskeep: town: failed: {why}".encode() in done.stderr, done.stderr


def test_nothing_new_is_well(newskeep: Run, paper: Paper) -> None:
    assert newskeep("crawl", "town").returncode == 0
    done = newskeep("crawl", "town")
    assert done.returncode == 0, "nothing has changed"
    assert b"town: 0 announced, 0 new; 0 archived" in done.stderr
    paper.front([paper.path(1), paper.path(2)])
    done = newskeep("crawl", "town")
    assert done.returncode == 0, "all that is named is held"
    paper.put("/", b"<title>Town News</title><p>Back soon.</p>", HTML)
    paper.feed([])
    done = newskeep("crawl", "town")
    assert done.returncode == 5, "its sources name nothing any more"
    assert b"nothing found: its " in done.stderr


def test_check_says_why_there_is_nothing(newskeep: Run, paper: Paper) -> None:
    why = links_of_others(paper)
    done = newskeep("sites", "check", "town", "--delay", "0")
    assert done.returncode == 5
    assert why.encode() in done.stdout, done.stdout

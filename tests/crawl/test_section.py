"""The address of a section brings that section; one that is not there, or is none, brings nothing and says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from command import Run
from origin import Origin
from small_paper import Paper

pytestmark = pytest.mark.long

OWN = [f"/politics/a-story-of-the-bridge-vote-{n}" for n in range(4)]
BELOW = "/politics/europe/a-story-of-the-bridge-treaty"
OTHER = [f"/sport/a-story-of-the-bridge-race-{n}" for n in range(4)]


@pytest.fixture
def paper(tmp_path: Path) -> Iterator[Paper]:
    with Origin() as origin:
        (tmp_path / "newskeep.toml").write_text('allow_private = true\noperator = "https://o.example/"\ndelay = 0\n')
        paper = Paper(origin, stories=0, modified=False)
        for path in (*OWN, BELOW, *OTHER):
            paper.put(path, paper.page(1, more=path))
        paper.robots(f"User-agent: *\nAllow: /\nSitemap: {origin.url('/map.xml')}\n")
        paper.sitemap("/map.xml", [(path, paper.now - timedelta(days=2)) for path in (*OWN, BELOW, *OTHER)])
        paper.feed([OWN[1], OTHER[1]])
        menu = '<a href="/politics/europe/">Europe</a><a href="/sport/">Sport</a><a href="/">Home</a>'
        paper.front(OTHER, menu=menu)
        paper.front([*OWN[:3], OTHER[0]], "/politics/", menu=menu)
        paper.front([BELOW, OTHER[2]], "/politics/europe/")
        yield paper


def stories(paper: Paper) -> list[str]:
    return [path for path in paper.asked() if "a-story" in path]


def test_a_section_brings_that_section(newskeep: Run, paper: Paper) -> None:
    url = paper.origin.url("/politics/")
    done = newskeep("crawl", url)
    said = done.stderr.decode()
    assert done.returncode == 0, said
    assert sorted(stories(paper)) == sorted([*OWN[:3], BELOW])
    assert not {"/", "/sport/", "/map.xml", "/feed/"} & set(paper.asked()), "nor is the rest of the site looked through"
    name = url.removeprefix("http://").rstrip("/")
    assert f"newskeep: {name}: this section alone; for the whole site give {paper.origin.url('/')}\n" in said
    assert f"{name}: 4 announced, 4 new; 4 archived" in said
    done = newskeep("crawl", url, "--since", f"{paper.now - timedelta(days=9):%Y-%m-%d}")
    assert sorted(stories(paper)) == sorted([*OWN, BELOW]), "what its page no longer names, the sitemap has"
    assert len(stories(paper)) == 5


def test_addresses_without_their_section(newskeep: Run, paper: Paper) -> None:
    paths = [f"/2026/11/2{n}/a-story-of-the-bridge-vote" for n in range(3)]
    for path in paths:
        paper.put(path, paper.page(1, more=path))
    paper.front(paths, "/politics/", head="")
    assert newskeep("crawl", paper.origin.url("/politics/")).returncode == 0
    assert sorted(stories(paper)) == sorted(paths)


@pytest.mark.parametrize(
    ("status", "headers", "why"),
    [
        ("404 Not Found", {}, "404 Not Found"),
        ("410 Gone", {}, "410 Gone"),
        ("403 Forbidden", {}, "403 Forbidden"),
        ("500 Internal Server Error", {}, "500 Internal Server Error"),
        ("302 Found", {"Location": "/"}, "redirects to the front page; to crawl the whole site, give {root}"),
        (
            "301 Moved",
            {"Location": OWN[0]},
            "is an article: `newskeep save` archives it; to crawl the whole site, give {root}",
        ),
    ],
)
def test_what_is_no_section_is_told(
    newskeep: Run, paper: Paper, status: str, headers: dict[str, str], why: str
) -> None:
    url, root = paper.origin.url("/politics/"), paper.origin.url("/")
    paper.put("/politics/", b"<title>no</title>", status=status, **headers)
    done = newskeep("crawl", url)
    assert (done.returncode, stories(paper)) == (5, [path for path in headers.values() if path != "/"])
    assert f"  {url}: {why.format(root=root)}\n" in done.stderr.decode(), done.stderr.decode()
    done = newskeep("sites", "check", url, "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["articles"]) == (5, {})
    assert found["nothing"] == f"{url}: {why.format(root=root)}"


def test_robots_forbid_a_section(newskeep: Run, paper: Paper) -> None:
    paper.robots(f"User-agent: *\nDisallow: /politics/\nSitemap: {paper.origin.url('/map.xml')}\n")
    url = paper.origin.url("/politics/")
    done = newskeep("crawl", url)
    assert (done.returncode, stories(paper)) == (5, [])
    assert f"  {url}: robots.txt\n".encode() in done.stderr


def test_a_section_that_moved(newskeep: Run, paper: Paper) -> None:
    paper.put("/pol/", b"", status="301 Moved Permanently", Location="/politics/")
    url = paper.origin.url("/pol/")
    done = newskeep("crawl", url)
    assert (done.returncode, sorted(stories(paper))) == (0, sorted([*OWN[:3], BELOW]))
    assert (
        f"{url}: redirects to {paper.origin.url('/politics/')}, which is taken for the section".encode() in done.stderr
    )


def test_the_check_of_a_section_gives_its_table(newskeep: Run, paper: Paper, tmp_path: Path) -> None:
    shown = newskeep("sites", "check", paper.origin.url("/politics/"), "--delay", "0").stdout.decode()
    assert "3 addresses look like articles" in shown, shown
    assert "outside of the section" in shown
    table = shown[shown.index("[sites.") :]
    assert "section = true" in table
    with (tmp_path / "newskeep.toml").open("a") as file:
        file.write(table)
    name = table.partition("]")[0].removeprefix("[sites.")
    assert newskeep("crawl", name).returncode == 0
    assert set(stories(paper)) == {*OWN[:3], BELOW}

"""`newskeep crawl`, `sites check` and `save --requisites` as a person uses them, against a small paper."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from command import Run
from origin import Origin
from small_paper import Paper
from warm_start import WarmStart

from crawler.engine.extensions import site_lock
from crawler.frontier import frontier_of
from crawler.frontier.address_state import Visit
from storage import open_archive
from storage.archive import Archive
from storage.locking import held

pytestmark = pytest.mark.long


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture
def folder(tmp_path: Path, origin: Origin) -> Path:
    """Where the command runs, with the paper as site "town", asked as fast as it answers."""
    configure(tmp_path, f'[sites.town]\nstart = "{origin.url()}"\ndelay = 0\nevery = 60\n')
    return tmp_path


def configure(folder: Path, text: str) -> None:
    (folder / "newskeep.toml").write_text(f'allow_private = true\noperator = "https://o.example/"\nworkers = 1\n{text}')


def crawl(newskeep: Run, *arguments: str) -> tuple[int, dict[str, dict[str, Any]], str]:
    """Return the exit code, the outcomes by URL, and what was said on standard error."""
    done = newskeep("crawl", "--json", *arguments)
    said = done.stderr.decode()
    assert "Traceback" not in said, said
    return done.returncode, {line["url"]: line for line in map(json.loads, done.stdout.splitlines())}, said


@contextmanager
def archive(folder: Path) -> Iterator[Archive]:
    with open_archive(folder / "archive") as opened:
        yield opened


def make_due(folder: Path, url: str) -> None:
    """Have an article asked for again at once, an hour after it was found."""
    with archive(folder) as opened:
        known = frontier_of(opened).known("town", url)
        assert known is not None
        visit = Visit("town", url, "article", known.fetched or known.announced, known.state, datetime.now(UTC))
        frontier_of(opened).visited(
            [replace(visit, interval=known.interval, digest=known.digest, etag=known.etag, status=known.status)]
        )


def test_an_unknown_site_is_found_out(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    configure(tmp_path, "delay = 0\n")
    paper = Paper(origin)
    in_map, old, forbidden, odd = (
        *("/2026/11/20/a-story-that-only-the-map-names", "/2026/01/02/an-old-story-of-the-bridge"),
        *("/private/2026/11/22/not-for-robots-at-all", "/odd"),
    )
    paper.robots(f"User-agent: *\nDisallow: /private/\nSitemap: {origin.url('/map.xml')}\n")
    paper.feed([forbidden, odd + "?utm_source=rss", *map(paper.path, (2, 1, 3))])
    entries = [(old, paper.now - timedelta(days=90 + n)) for n in range(60)]
    paper.sitemap("/map.xml", [*entries, (in_map, paper.now - timedelta(days=2))])
    paper.put(in_map, paper.page(77))
    paper.put(old, paper.page(78))
    paper.put(odd, b"<!doctype html><title>Odd</title><p>A picture of the day.</p>")
    menu = "".join(
        f'<a href="{path}">{path[1:].title()}</a>' for path in ("/sport", "/naught", "/log-ind", "/persondata")
    )
    paper.front([*map(paper.path, range(1, 7)), "/about", "/tag/bridges/"], menu=menu)
    paper.front([paper.path(4)], "/sport", head="")
    code, told, said = crawl(newskeep, origin.url("/"))
    assert code == 0
    assert paper.asked()[:3] == ["/robots.txt", "/", "/news.rss"]
    articles = [path for path in paper.asked() if path.startswith("/2026/")]
    dated = [path for path in articles if path in map(paper.path, (1, 2, 3))]
    assert dated == [paper.path(2), paper.path(1), paper.path(3)], "newest first, by the feed's dates"
    assert set(articles) == {*map(paper.path, range(1, 7)), in_map, old}
    assert {told[paper.url(number)]["outcome"] for number in range(1, 7)} == {"archived"}
    assert told[origin.url(forbidden)]["reason"] == "robots.txt"
    assert told[origin.url(odd)]["reason"] == "not an article: 5 words of text", "the feed named it: archived, marked"
    assert not {"/about", "/tag/bridges/", "/log-ind", "/persondata", forbidden} & set(paper.asked())
    assert (
        "10 announced, 10 new; 9 archived, 0 unchanged, 1 refused, 0 failed; 1 not an article; 1 not a section" in said
    )
    assert "404 " not in said, "that a guess was wrong is no news"
    crawl(newskeep, origin.url("/"))
    assert {path for path, times in Counter(paper.asked()).items() if times > 1} == {"/", "/news.rss"}


def test_a_second_run_asks_for_what_is_new(newskeep: Run, origin: Origin, folder: Path) -> None:
    paper = Paper(origin, stories=3)
    crawl(newskeep, "town")
    before = len(paper.asked())
    paper.put(paper.path(9), paper.page(9))
    paper.feed([paper.path(9)])
    code, told, _ = crawl(newskeep, "town")
    assert (code, list(told)) == (0, [paper.url(9)])
    again = origin.log[before:]
    assert [entry.path for entry in again] == ["/news.rss", "/", paper.path(9)], "nor robots.txt, which holds for hours"
    assert all(b"If-None-Match:" in entry.request for entry in again[:2])
    assert paper.asked().count(paper.path(1)) == 1
    # What is in the archive is not fetched again though nobody remembers it.
    (folder / "archive" / "frontier.sqlite").unlink()
    paper.front([])
    assert crawl(newskeep, "town")[:2] == (0, {})
    assert paper.asked().count(paper.path(9)) == 1


def test_edits_layouts_and_removals(newskeep: Run, origin: Origin, folder: Path) -> None:
    paper = Paper(origin, stories=1)
    url = paper.url(1)
    crawl(newskeep, "town")
    paper.put(paper.path(1), paper.page(1, foot="A new footer with today's weather."))
    make_due(folder, url)
    assert crawl(newskeep, "town")[1][url]["outcome"] == "archived"
    with archive(folder) as opened:
        assert (known := frontier_of(opened).known("town", url)) is not None
        assert known.changed is None, "the text is as it was"
    paper.put(paper.path(1), paper.page(1, more="It opens in May."))
    make_due(folder, url)
    crawl(newskeep, "town")
    with archive(folder) as opened:
        assert (known := frontier_of(opened).known("town", url)) is not None
        assert known.changed is not None
    paper.put(paper.path(1), b"gone", status="410 Gone")
    make_due(folder, url)
    code, told, _ = crawl(newskeep, "town")
    assert (code, told[url]["reason"]) == (0, "410 Gone"), "a page that is gone is no failure of the site"
    shown = newskeep("changes", url).stdout.decode()
    assert "{+ It opens in May.+}" in shown or "{+It opens in May.+}" in shown, shown
    assert "410 Gone" in shown


def test_one_article_by_many_addresses(newskeep: Run, origin: Origin, folder: Path) -> None:
    paper = Paper(origin, stories=1, modified=False)
    story = paper.path(1)
    loop, other, home = (f"/2026/11/22/{name}-of-the-long-bridge" for name in ("loop", "other", "home"))
    amp = "/2026/11/22/a-story-that-is-only-there-as/amp"
    twins = ["/s/1234567", f"/print{story}", story + "?utm_source=rss&fbclid=1", "/2026/11/22/1234568-moved.html"]
    paper.put(twins[0], b"", status="301 Moved Permanently", Location=story)
    paper.put(twins[1], paper.page(1, head=f'<link rel="canonical" href="{story}">'))
    paper.put(amp, paper.page(7))
    paper.put(twins[3], b"", status="302 Found", Location="/")
    paper.put(loop, paper.page(5, head=f'<link rel="canonical" href="{other}">'))
    paper.put(other, paper.page(5, head=f'<link rel="canonical" href="{loop}">'))
    paper.put(home, paper.page(6, head='<link rel="canonical" href="/">'))
    paper.feed([*twins, loop, home, amp])
    paper.front([])
    code, told, _ = crawl(newskeep, "town")
    assert code == 0
    assert paper.asked().count(story) == 1, "a redirect is not followed to what the run asks for itself"
    with archive(folder) as opened:
        known = {
            path: frontier_of(opened).known("town", origin.url(path))
            for path in (*twins, story, loop, other, home, amp)
        }
        held_urls = {capture.url for capture in opened.captures(origin.url("/"), match="host")}
    states = {path: row.state if row else None for path, row in known.items()}
    assert states == {
        twins[0]: "alias",
        twins[1]: "alias",
        twins[2]: None,
        twins[3]: "refused",
        story: "held",
        loop: "alias",
        other: "held",
        home: "held",
        amp: "held",
    }
    assert paper.asked().count(amp.removesuffix("/amp")) == 1, "the article's own address, tried first"
    assert [row.alias_of for row in known.values() if row and row.url == origin.url(twins[0])] == [origin.url(story)]
    assert {origin.url(twins[0]), origin.url(twins[1]), origin.url(story)} <= held_urls, "each as it was fetched"
    assert told[origin.url(twins[0])]["final_url"] == origin.url(story)


def test_killed_at_any_moment_the_next_run_goes_on(
    newskeep: Run, origin: Origin, folder: Path, environment: Mapping[str, str], warm_start: WarmStart
) -> None:
    paper = Paper(origin, stories=20, modified=False)
    for wanted in (5, 12):
        process = warm_start.start(
            ("crawl", "town"), folder, environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while len([path for path in paper.asked() if path.startswith("/2026/")]) < wanted and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    code, _, said = crawl(newskeep, "town")
    assert code == 0, said
    stories = Counter(path for path in paper.asked() if path.startswith("/2026/"))
    assert len(stories) == 20
    # What was on its way at a kill was in no archive.
    assert sum(stories.values()) <= 22
    with archive(folder) as opened:
        assert frontier_of(opened).counts().articles == {"held": 20}


def test_back_fill_goes_on_within_its_cap(newskeep: Run, origin: Origin, folder: Path) -> None:
    paper = Paper(origin, stories=0)
    days = [paper.now - timedelta(days=back) for back in range(1, 400)]
    paths = {f"/{day:%Y/%m/%d}/the-story-of-that-day": day for day in days}
    for path in paths:
        paper.put(path, paper.page(1, more=path))
    parts = [[*paths][start : start + 100] for start in range(0, 400, 100)]
    for number, part in enumerate(parts):
        paper.sitemap(f"/map{number}.xml", [(path, paths[path]) for path in part])
    index = [(f"/map{number}.xml", paths[part[0]]) for number, part in enumerate(parts)]
    paper.sitemap("/map.xml", index, "sitemapindex")
    configure(folder, f'[sites.town]\nsitemaps = "{origin.url("/map.xml")}"\ndelay = 0\nevery = "1d"\n')
    window = ("--since", f"{days[129]:%Y-%m-%d}", "--until", f"{days[120]:%Y-%m-%d}", "--cap", "6")
    first = crawl(newskeep, "town", *window)[1]
    second = crawl(newskeep, "town", *window)[1]
    wanted = [origin.url(path) for path, day in paths.items() if days[129].date() <= day.date() <= days[120].date()]
    # Nobody knows the time zone of the day in an address: those beside the time are asked last.
    edges = [origin.url(path) for path, day in paths.items() if day in (days[119], days[130])]
    asked = [origin.url(path) for path in paper.asked() if path in paths]
    assert asked == wanted + edges, "newest first, then the rest"
    assert (len(first), sorted([*first, *second])) == (6, sorted(asked))
    assert "/map3.xml" not in paper.asked(), "nothing in it is of that time"


def test_a_maze_of_sitemaps_ends(newskeep: Run, origin: Origin, folder: Path) -> None:
    paper = Paper(origin, stories=1)
    maps = [f"/map{number}.xml" for number in range(70)]
    for path in maps:
        paper.sitemap(path, [(each, None) for each in maps], "sitemapindex")
    configure(folder, f'[sites.town]\nsitemaps = "{origin.url(maps[0])}"\ndelay = 0\n')
    said = crawl(newskeep, "town")[2]
    asked = Counter(path for path in paper.asked() if path in maps)
    assert (len(asked) <= 50, set(asked.values())) == (True, {1})
    assert "sitemap" in said


def test_names_locks_and_failing_sites(newskeep: Run, origin: Origin, folder: Path) -> None:
    paper = Paper(origin, stories=2)
    dead = "http://127.0.0.1:9/"
    code, _, said = crawl(newskeep, "tovn")
    assert (code, said.count("\n")) == (2, 1)
    assert "no site is named 'tovn'; did you mean 'town'?" in said
    with held(site_lock(folder / "archive", "town"), "a test"):
        code, _, said = crawl(newskeep, "town")
        assert (code, paper.asked()) == (75, [])
        assert "town: another process is crawling it" in said
    code, told, said = crawl(newskeep, dead, "town")
    assert (code, len(told)) == (4, 2), "one that fails takes no other with it"
    assert f"  {dead}: connection refused" in said


@pytest.mark.usefixtures("folder")
def test_a_site_that_does_not_want_us_is_left_alone(newskeep: Run, origin: Origin) -> None:
    paper = Paper(origin, stories=4)
    challenge = b"<!doctype html><title>Just a moment...</title><script>window._cf_chl_opt={}</script>"
    for number in range(1, 5):
        paper.put(paper.path(number), challenge, status="403 Forbidden", cf_mitigated="challenge")
    code, told, said = crawl(newskeep, "town")
    assert code == 5
    assert {line["reason"] for line in told.values()} == {"a bot check: Cloudflare"}
    assert "left alone for a while: a bot check: Cloudflare" in said
    asked = len(paper.asked())
    assert len([path for path in paper.asked() if path.startswith("/2026/")]) <= 2
    code, _, said = crawl(newskeep, "town")
    assert (code, len(paper.asked())) == (5, asked)
    assert "town: left alone until" in said.replace("  left", "town: left")


@pytest.mark.usefixtures("folder")
def test_requisites_come_with_their_pages(newskeep: Run, origin: Origin) -> None:
    paper = Paper(origin, stories=2)
    with Origin("127.0.0.2") as elsewhere:
        elsewhere.reply("/robots.txt", b"User-agent: *\nDisallow: /no\n")
        elsewhere.reply("/pic.png", b"\x89PNG", headers=[("Content-Type", "image/png")])
        head = '<link rel=stylesheet href="/style.css"><link rel=icon href="/icon.svg"><script src="/code.js"></script>'
        foot = f'<img src="{elsewhere.url("/pic.png")}" srcset="/big.png 2x"><img src="{elsewhere.url("/no.png")}">'
        foot += '<img data-src="/lazy.png" src="data:,">'
        for number in (1, 2):
            paper.put(paper.path(number), paper.page(number, head=head, foot=foot))
        paper.put("/style.css", b'@import "more.css"; body{background:url("back.png")}', "text/css")
        paper.put("/more.css", b"@font-face{src:url(font.woff2)}", "text/css")
        for name in ("icon.svg", "code.js", "big.png", "lazy.png", "back.png"):
            paper.put(f"/{name}", name.encode(), "application/octet-stream")
        code, told, said = crawl(newskeep, "town", "--requisites")
        assert (code, len(told)) == (0, 2), "they are no articles"
        assert "requisites: 8 archived, 1 failed, 1 refused" in said
        assert not elsewhere.logged("/no.png")
        needed = (
            "/style.css",
            "/more.css",
            "/back.png",
            "/font.woff2",
            "/icon.svg",
            "/code.js",
            "/big.png",
            "/lazy.png",
        )
        assert [paper.asked().count(path) for path in needed] == [1] * 8, "once for both pages"
        paper.put(paper.path(3), paper.page(3, head=head, foot=foot))
        done = newskeep("save", paper.url(3), "--requisites")
        assert b"requisites: 6 held, 1 refused" in done.stderr, done.stderr
        assert newskeep("get", origin.url("/back.png")).stdout == b"back.png"
    assert paper.asked().count("/style.css") == 1


def test_a_site_is_tried_out_without_archiving(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    configure(tmp_path, "")
    paper = Paper(origin, modified=False)
    paper.front(
        [*map(paper.path, range(1, 7)), "/about", "/tag/bridges/", "https://elsewhere.example/2026/11/22/a-b-c-d"]
    )
    done = newskeep("sites", "check", origin.url("/"), "--delay", "0")
    shown = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    for line in (
        "robots.txt  200, allows us",
        f"{origin.url('/news.rss')}  rss, 6 links, 6 articles, newest",
        "6 addresses look like articles, 6 of them with a date",
        "1  another host  https://elsewhere.example/2026/11/22/a-b-c-d",
        "title      Story 1 of the long bridge",
        f'feeds = ["{origin.url("/news.rss")}"]',
    ):
        assert line in shown, (line, shown)
    assert not (tmp_path / "archive").exists()
    assert len([path for path in paper.asked() if path.startswith("/2026/")]) == 1
    # What it prints is a configuration that works.
    table = shown[shown.index("[sites.") :]
    configure(tmp_path, table)
    name = table.partition("]")[0].removeprefix("[sites.")
    listed = [json.loads(line) for line in newskeep("sites", "--json").stdout.splitlines()]
    assert {line["name"]: line["feeds"] for line in listed}[name] == [origin.url("/news.rss")]
    found = json.loads(newskeep("sites", "check", name, "--json", "--delay", "0").stdout)
    assert (len(found["articles"]), found["article"]["title"]) == (6, "Story 1 of the long bridge")


def test_a_check_shows_the_best_date_and_no_time_that_nobody_gave(
    newskeep: Run, origin: Origin, tmp_path: Path
) -> None:
    configure(tmp_path, "")
    paper = Paper(origin, stories=0)
    paper.now = (paper.now - timedelta(days=1)).replace(hour=12, minute=30)
    both, page_alone = (f"/{paper.now:%Y/%m/%d}/story-{n}-of-the-long-bridge" for n in (1, 2))
    for path in (both, page_alone):
        paper.put(path, paper.page(1, more=path))
    paper.front([both, page_alone])
    paper.feed([both])
    shown = newskeep("sites", "check", origin.url("/"), "--delay", "0").stdout.decode()
    assert f"  {paper.now:%Y-%m-%d} 11:30  {origin.url(both)}\n" in shown
    assert f"  {paper.now:%Y-%m-%d}        {origin.url(page_alone)}\n" in shown


@pytest.mark.usefixtures("folder")
def test_a_back_fill_asks_for_what_is_of_its_time_and_for_that_first(newskeep: Run, origin: Origin) -> None:
    paper = Paper(origin, stories=0)
    day = {back: paper.now - timedelta(days=back) for back in range(40)}
    late = [f"/{day[1]:%Y/%m/%d}/late-story-of-the-bridge-{n}" for n in range(30)]
    wanted = [f"/{day[10]:%Y-%m-%d}-a-story-of-the-bridge-{n}" for n in range(4)]
    undated = [f"/bridge/the-bridge-opens-at-last-{n}" for n in range(4)]
    changed, gone = "/bridge/a-story-changed-much-later", "/bridge/a-story-that-is-far-too-old"
    for path in (*late, *wanted, *undated, changed, gone):
        paper.put(path, paper.page(1, more=path))
    paper.front([*undated, *late, *wanted])
    paper.feed([])
    paper.robots(f"User-agent: *\nAllow: /\nSitemap: {origin.url('/map.xml')}\n")
    paper.sitemap("/map.xml", [(gone, day[30]), (changed, day[2]), *((path, day[1]) for path in late)])
    # An earlier run has made all known, and fetched one.
    crawl(newskeep, "town", "--cap", "1")
    before = len(paper.asked())
    window = ("--since", f"{day[11]:%Y-%m-%d}", "--until", f"{day[9]:%Y-%m-%d}")
    code, told, said = crawl(newskeep, "town", *window, "--cap", "6")
    asked = [path for path in paper.asked()[before:] if "bridge" in path]
    assert asked == [*wanted, changed, undated[0]], asked
    assert (code, len(told)) == (0, 6)
    assert "31 outside of the time wanted" in said
    code, told, said = crawl(newskeep, "town", *window)
    assert sorted(told) == sorted(map(origin.url, undated[1:])), "and never those that are not of it"
    assert "31 outside of the time wanted" in said


@pytest.mark.usefixtures("folder")
def test_the_newest_come_first_whichever_list_names_them(newskeep: Run, origin: Origin) -> None:
    paper = Paper(origin, stories=0)
    day = {back: paper.now - timedelta(days=back) for back in range(20)}
    undated = [f"/bridge/the-bridge-opens-at-last-{n}" for n in range(5)]
    by_address = [f"/{day[back]:%Y/%m/%d}/story-of-the-bridge-of-that-day" for back in range(5, 9)]
    old, changed, fed = "/bridge/a-story-that-the-map-calls-old", "/bridge/a-story-that-changed", "/bridge/a-story-fed"
    for path in (*undated, *by_address, old, changed, fed):
        paper.put(path, paper.page(1, more=path))
    paper.front([*undated, old, *reversed(by_address), changed])
    paper.front([undated[0], old], "/sport", head="")
    paper.feed([fed])
    others = [(f"/bridge/one-of-the-many-others-{n}", day[9]) for n in range(60)]
    paper.robots(f"User-agent: *\nAllow: /\nSitemap: {origin.url('/map.xml')}\n")
    paper.sitemap("/map.xml", [(old, day[19]), (changed, day[2]), *others])
    crawl(newskeep, "town", "--cap", "500")
    asked = [path for path in paper.asked() if "bridge" in path and not path.startswith("/bridge/one")]
    assert asked == [fed, changed, *by_address, old, *undated], asked

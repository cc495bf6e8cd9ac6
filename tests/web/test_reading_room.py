"""The reading room over HTTP: every page, paging by key, what is held and what is not, the button that verifies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from room_archive import HERALD, PAPER, STORY, fill, gone, kept, pages, story, write
from web_archive import Serving, Site

from crawler.sizes import size
from newskeep.status.reports import Reports
from newskeep.web.options import ServeOptions
from newskeep.web.reading_room import humanize, status
from newskeep.web.reading_room.charts import bars, time_line
from newskeep.web.reading_room.search import pieces
from newskeep.web.reading_room.text import fields, parts
from storage.archive import Archive
from storage.model import Reason
from storage.objects.local import LocalStore
from storage.urls import timestamp14

_ARTICLE = re.compile(r'href="(/article/[^"]+)"')
_NEXT = re.compile(r'href="([^"]+)" rel="next"')


@dataclass(frozen=True, slots=True)
class Room:
    site: Site
    now: datetime

    def page(self, path: str, status: int = 200, **headers: str) -> str:
        found = self.site.get(path, Accept="text/html", **headers)
        assert (path, found.status) == (path, status)
        return found.body.decode()

    def story_at(self, days: float) -> str:
        """The 14 digits of a moment after the story's first capture."""
        return timestamp14(self.now - timedelta(days=12) + timedelta(days=days))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("room") / "archive"
    now = fill(folder)
    with Serving(folder) as running:
        yield Room(running, now)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(LocalStore(str(tmp_path / "archive")), tmp_path / "archive") as opened:
        yield opened


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/search",
        "/sites",
        "/tags",
        "/doubts",
        "/status",
        "/site/paper.example",
        f"/captures/{STORY}",
        f"/beside/{STORY}",
        f"/exchange/{STORY}",
    ],
)
def test_pages_need_nothing_from_elsewhere(room: Room, path: str) -> None:
    found = room.site.get(path)
    assert (found.status, found.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "script-src 'self'" in found.headers["Content-Security-Policy"]
    assert "unsafe" not in found.headers["Content-Security-Policy"]
    text = found.body.decode()
    loaded = re.findall(r'<(?:link rel="(?:stylesheet|icon)"|script|img|iframe)[^>]*(?:href|src)="([^"]+)"', text)
    own = {address for address in loaded if not address.startswith(room.site.originals)}
    assert own == {"/static/room.css", "/static/room.js", "/static/icon.svg"}
    assert not re.search(r"<script(?! src=\"/static/room\.js\" defer></script>)|<style|\sstyle=|\son[a-z]+=", text)


def test_stylesheet_is_served_and_asks_for_nothing(room: Room) -> None:
    found = room.site.get("/static/room.css")
    assert found.headers["Content-Type"].startswith("text/css")
    assert "url(" not in found.body.decode() and "@import" not in found.body.decode()


def _walk(room: Room, path: str | None, pattern: re.Pattern[str]) -> list[str]:
    """What the pages list, from the first to the last."""
    found: list[str] = []
    while path is not None:
        text = room.page(path)
        listed = text[text.index("<main") : text.index("</main")]
        found += dict.fromkeys(pattern.findall(listed.partition("<aside")[0]))
        following = _NEXT.search(text)
        path = unescape(following[1]) if following else None
    return found


def test_pages_by_key_show_each_article_once_newest_first(room: Room) -> None:
    found = _walk(room, "/search", _ARTICLE)
    assert len(found) == len(set(found)) == 78
    times = [address.split("/")[2] for address in found]
    assert times == sorted(times, reverse=True)
    of_site = _walk(room, "/site/herald.example", _ARTICLE)
    assert of_site == [address for address in found if "//herald.example" in address]


def test_doubts_are_listed_the_least_sure_first_or_the_newest(room: Room) -> None:
    found = _walk(room, "/doubts", _ARTICLE)
    assert len(found) == len(set(found)) == 35
    numbers = [int(address.rpartition("/")[2]) for address in found]
    # Of one confidence the newest first; the last ones were captured first.
    assert numbers == sorted(numbers, key=lambda number: (number % 10, number))
    newest = _walk(room, "/doubts?order=newest", _ARTICLE)
    assert sorted(newest) == sorted(found) and [int(each.rpartition("/")[2]) for each in newest] == sorted(numbers)
    of_site = _walk(room, "/doubts?site=herald.example", _ARTICLE)
    assert of_site == [address for address in found if "//herald.example" in address]
    assert "doubtful: 40 %" in room.page("/doubts?order=newest")
    assert "No text is doubtful of nowhere.example." in room.page("/doubts?site=nowhere.example")
    assert "order is one of least-sure, newest" in room.page("/doubts?order=oldest", 400)
    for after in ("x", "0.1", "9_1.1", "nan_1.1"):
        assert "after is not one that was given out here" in room.page(f"/doubts?after={after}", 400)


def test_status_says_what_is_held_and_what_it_takes(room: Room) -> None:
    text = room.page("/status")
    counts = json.loads(room.site.get("/api/articles?limit=500").body)["articles"]
    assert f"{len(counts)} articles." in text
    assert 'href="/site/paper.example"' in text
    months = re.findall(r'<th scope="row">(\d{4}-\d\d)</th><td>([\d,]+)</td>', text)
    captures = re.search(r"(\d[\d,]*) captures of", text)
    assert captures
    assert sum(int(number.replace(",", "")) for _, number in months) == int(captures[1].replace(",", ""))
    assert [month for month, _ in months] == sorted((month for month, _ in months), reverse=True)
    assert "None are configured on this machine." in text
    assert "free of" in text
    # Every page leads there.
    assert '<a href="/status">Status</a>' in room.page("/")


def test_an_article_says_how_sure_its_text_is(room: Room) -> None:
    for number, told, confidence in ((1, ["doubtful: 10 %"], 0.1), (5, ["sure"], 0.5), (68, [], None)):
        url = f"{PAPER}/news/{number}"
        text = room.page(room.site.get(f"/article/{url}").headers["Location"])
        assert re.findall("<span>Text ([^<]+)</span>", text) == told
        assert json.loads(room.site.get(f"/api/article?url={url}").body)["confidence"] == confidence
    listed = json.loads(room.site.get("/api/articles?site=paper.example&limit=500").body)["articles"]
    assert {each["confidence"] for each in listed if each["url"] == f"{PAPER}/news/1"} == {0.1}
    assert 'href="/doubts?site=paper.example"' in room.page("/site/paper.example")


def test_filters_narrow_the_list(room: Room) -> None:
    assert _walk(room, "/search?language=ar", _ARTICLE) == [
        f"/article/{timestamp14(room.now - timedelta(hours=6))}/{HERALD}/ar/1"
    ]
    assert len(_walk(room, "/search?author=mette", _ARTICLE)) == 4
    assert len(_walk(room, "/search?author=LIND&site=herald.example", _ARTICLE)) == 24
    assert len(_walk(room, "/search?author=ole+lind&site=herald.example", _ARTICLE)) == 24
    assert [_walk(room, f"/search?author={name}", _ARTICLE) for name in ("lin", "lind+ole", "!")] == [[], [], []]
    day = f"{room.now - timedelta(days=12):%Y-%m-%d}"
    listed = _walk(room, f"/search?from={day}&to={day}", _ARTICLE)
    assert listed and {address.split("/")[2][:8] for address in listed} == {day.replace("-", "")}
    form = room.page(f"/search?site=a%22b&from={day}")
    assert 'value="a&#34;b"' in form and f'value="{day}"' in form
    assert "is longer than" in room.page(f"/search?site={'a' * 301}", 400)


def test_words_are_searched_and_marked(room: Room) -> None:
    found = room.page("/search?q=bridge+ferry")
    assert [address.split("/", 3)[3] for address in dict.fromkeys(_ARTICLE.findall(found))] == [
        STORY,
        f"{HERALD}/wire/bridge",
    ]
    assert "what we know" in found and "<mark>" in found and "Harbour <mark>bridge</mark>" in found
    assert len(_walk(room, "/search?q=ships", _ARTICLE)) == 70
    assert len(_walk(room, "/search?q=ships&author=lind&site=herald.example", _ARTICLE)) == 24
    assert _ARTICLE.findall(room.page("/search?q=%E6%A9%8B"))[0].endswith("/ja/1")
    assert "Nothing was found" in room.page("/search?q=%22)%20OR%20(%27*")
    assert "after is not one" in room.page("/search?q=ships&after=x", 400)


def test_a_search_has_a_feed_of_what_it_finds(room: Room) -> None:
    query = "q=%22harbour+bridge%22&site=paper.example&from=2020-01-01&to=&language=en&author=jonas"
    page = room.page(f"/search?{query}")
    [address] = re.findall(
        r'<link rel="alternate" type="application/atom\+xml" title="This search" href="([^"]+)">', page
    )
    feed = ElementTree.fromstring(room.site.get(unescape(address)).body)
    entries = feed.findall("{*}entry")
    assert [entry.findtext("{*}title") for entry in entries] == ["Harbour bridge: what we know"]
    links = {link.get("rel"): link.get("href") or "" for link in feed.findall("{*}link")}
    assert links["self"] == room.site.app + unescape(address)
    assert room.page(links["alternate"].removeprefix(room.site.app))
    # When its text was first seen so, not when it was last fetched.
    assert entries[0].findtext("{*}updated") == f"{room.now - timedelta(days=4):%Y-%m-%dT%H:%M:%SZ}"
    assert len(ElementTree.fromstring(room.site.get("/feeds/search.atom?limit=100").body).findall("{*}entry")) > 70
    assert room.site.get("/feeds/search.atom?q=nowheretobefound").body.count(b"<entry") == 0
    assert room.site.get("/feeds/search.atom?from=yesterday").status == 400


def test_marks_cut_a_text() -> None:
    found = pieces("a bridge here", [(2, 8)])
    assert [(piece.text, piece.hit) for piece in found] == [("a ", False), ("bridge", True), (" here", False)]
    assert [piece.hit for piece in pieces("ab", [(0, 1), (1, 2)])] == [True, True]
    assert pieces("", []) == ()


def test_front_page_says_what_is_held(room: Room) -> None:
    text = room.page("/")
    assert re.search(r"<dt>Articles <small>[^<]+</small></dt><dd>78</dd>", text)
    assert re.search(r"<dt>Captures <small>[^<]+</small></dt><dd>83</dd>", text)
    # The picture's text, and the same as a table.
    assert re.search(r"78 articles, at most \d a day", text)
    row = f'<th scope="row">{humanize.short_day(room.now.date() - timedelta(days=1))}</th>'
    assert f"{row}<td>15</td><td>19</td><td>1</td><td>2</td>" in text
    assert re.search(r'<a href="/site/paper.example">paper.example</a>.*?<span>1\d</span>', text, re.DOTALL)


def test_site_has_coverage_and_runs_where_a_frontier_is(room: Room) -> None:
    text = room.page("/site/paper.example")
    assert "53 of 71 announced articles held (75 %)" in text
    assert "robots.txt forbids it" in text and "timed out after 60 s" in text
    assert "Coverage" not in room.page("/site/herald.example")
    assert "no article of nowhere.example" in room.page("/site/nowhere.example", 404)


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An archive without frontier and reports, in which a bit of one article's record is another one."""
    folder = tmp_path_factory.mktemp("damaged") / "archive"
    folder.mkdir()
    with Archive(LocalStore(str(folder)), folder) as opened:
        opened.deliver(write(folder / "made", 0, pages(datetime.now(UTC))))
        capture = opened.find(f"{PAPER}/news/1")
    warc = next((folder / "warc").rglob("*.warc.gz"))
    data = bytearray(warc.read_bytes())
    data[capture.offset + capture.length // 2] ^= 0x40
    warc.chmod(0o644)
    warc.write_bytes(data)
    with Serving(folder) as running:
        yield running


def test_site_without_a_frontier_makes_none(damaged: Site) -> None:
    assert damaged.get("/site/paper.example").status == 200
    assert b"Crawled a day" not in damaged.get("/").body
    assert not (damaged.folder / "frontier.sqlite").exists()


def test_damage_is_told_and_costs_its_own_pages_only(damaged: Site) -> None:
    url = f"{PAPER}/news/1"
    found = damaged.get(f"/verify/{url}", "POST", Sec_Fetch_Site="same-origin")
    assert (found.status, b"Something is wrong" in found.body) == (200, True)
    # The text lies elsewhere.
    address = damaged.get(f"/article/{url}").headers["Location"]
    assert b"the wind was light" in damaged.get(address).body
    exchange = damaged.get(f"/exchange/{url}", Accept="text/html")
    assert (exchange.status, b"the block does not match" in exchange.body or b"not a readable" in exchange.body) == (
        500,
        True,
    )


def test_empty_archive_says_so(archive: Archive, tmp_path: Path) -> None:
    archive.store.check(write=True)
    with Serving(tmp_path / "archive") as running:
        assert b"Nothing is held yet" in running.get("/").body
        assert b"No articles are held yet" in running.get("/sites").body
        assert b"Nothing was found" in running.get("/search").body
        missing = running.get("/article/https://www.paper.example/", Accept="text/html")
        assert (missing.status, b"Nothing of its host is held" in missing.body) == (404, True)


def test_article_has_one_address_a_capture(room: Room) -> None:
    """A time that is near, a redirect, and a revisit lead to the article that is meant."""
    for path, days in (
        (f"/article/{STORY}", 8),
        (f"/article/{room.story_at(1.4)}/{STORY}", 2),
        (f"/article/{room.story_at(0)[:8]}/{STORY}", 0),
        (f"/article/{STORY.replace('https', 'http').replace('www.', '')}", 8),
        (f"/article/{PAPER}/short/bridge", 0),
    ):
        found = room.site.get(path)
        assert (found.status, found.headers["Location"]) == (302, f"/article/{room.story_at(days)}/{STORY}"), path
    assert "Version 2 of 3" in room.page(f"/article/{room.story_at(2)}/{STORY}")


def test_what_is_not_held_leads_on(room: Room) -> None:
    # Captures without a text, the host's others, nothing at all.
    held = room.page(f"/article/{PAPER}/report.pdf", 404)
    assert f"/captures/{PAPER}/report.pdf" in held or "What is held of it" in held
    assert "From the same host" in room.page(f"/captures/{PAPER}/nothing", 404)
    assert "Nothing of its host is held" in room.page("/captures/http://nowhere.example/", 404)
    assert "Bad Request" in room.page("/article/ftp://paper.example/", 400)
    assert room.site.get(f"/beside/{PAPER}/report.pdf").status == 200
    assert "<iframe" not in room.page(f"/beside/{PAPER}/report.pdf")


def test_errors_on_the_other_origin_are_bare(room: Room) -> None:
    found = room.site.original(f"/web/2026/{PAPER}/nothing", Accept="text/html")
    assert (found.status, b"Not Found" in found.body) == (404, True)
    assert b"<a " not in found.body and b"stylesheet" not in found.body


def test_exchange_shows_both_heads(room: Room) -> None:
    text = unescape(room.page(f"/exchange/{room.story_at(5)}/{STORY}"))
    assert "GET /2026/harbour-bridge HTTP/1.1" in text and "HTTP/1.1 410 Gone" in text
    assert "192.0.2.1" in text and "7 bytes of body" in text
    revisit = unescape(room.page(f"/exchange/{room.story_at(7 / 24)}/{STORY}"))
    assert "the same bytes as before" in revisit and "identical-payload-digest" in revisit
    confirmed = unescape(room.page(f"/exchange/{room.story_at(9)}/{STORY}"))
    assert "HTTP/1.1 304 Not Modified\nETag" in confirmed and "HTTP/1.1 200 OK\nContent-Type" in confirmed


def test_captures_go_on_by_time(room: Room) -> None:
    assert room.page(f"/captures/{STORY}").count('<li><span class="cell">') == 6
    assert room.page(f"/captures/{room.story_at(4)}/{STORY}").count('<li><span class="cell">') == 3
    assert "Nothing was captured so late" in room.page(f"/captures/2099/{STORY}")


def test_verify_is_for_our_own_pages_only(room: Room) -> None:
    path = f"/verify/{room.story_at(2)}/{STORY}"
    assert room.site.get(path).status == 405
    assert room.site.get(path, "POST").status == 403
    for headers in (
        {"Sec_Fetch_Site": "cross-site", "Origin": room.site.app},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": room.site.originals},
        {"Origin": "null"},
    ):
        assert room.site.get(path, "POST", **headers).status == 403
    for headers in ({"Sec_Fetch_Site": "same-origin", "Origin": "null"}, {"Origin": room.site.app}):
        found = room.site.get(path, "POST", **headers)
        assert (found.status, b"It is as it was written" in found.body) == (200, True)


def test_compare_takes_the_versions_nearest(room: Room) -> None:
    text = room.page(f"/compare/{room.story_at(0)}-{room.story_at(8)}/{STORY}")
    assert (
        '<del><span class="unseen"> [gone: </span>31<' in text and '<ins><span class="unseen"> [new: </span>30<' in text
    )
    form = room.site.get(f"/compare?url={STORY}&before={room.story_at(0)}&after={room.story_at(2)}")
    assert (form.status, form.headers["Location"]) == (
        303,
        f"/compare/{room.story_at(0)}-{room.story_at(2)}/{STORY}",
    )
    # Never to another server.
    away = room.site.get("/compare?url=http://evil.example/&before=2026&after=2026")
    assert away.headers["Location"].startswith("/compare/2026")


def test_index_counts_sites_and_days(archive: Archive, tmp_path: Path) -> None:
    archive.store.check(write=True)
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    archive.deliver(write(tmp_path / "made", 0, pages(now)))
    assert list(archive.index.sites()) == ["herald.example", "paper.example"]
    assert list(archive.index.sites("herald.example")) == ["paper.example"]
    since = now - timedelta(days=1)
    counted = archive.index.articles_a_day(since)
    assert counted == {date(2026, 3, 10): 6, date(2026, 3, 9): 1}
    assert archive.index.articles_a_day(since, "paper.example") == {date(2026, 3, 10): 1, date(2026, 3, 9): 1}
    assert archive.index.busiest_sites(since, 1) == [("herald.example", 5)]


def test_a_picture_that_takes_long_is_shown_until_the_next_is_made(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.store.check(write=True)
    pictures, options, now = status.Pictures(Reports()), ServeOptions(), datetime.now(UTC)

    def held() -> int:
        return pictures.newest(archive, options).counts.captures

    for name in ("_FRESH", "_REST"):
        monkeypatch.setattr(status, name, 0)
    assert held() == 0
    archive.deliver(write(tmp_path / "first", 0, pages(now)))
    assert (first := held()) > 0
    monkeypatch.setattr(status, "_PATIENCE", 0)
    archive.deliver(write(tmp_path / "second", 1, pages(now)))
    assert held() == first
    pictures.renew(archive, options)
    assert held() == 2 * first


def test_reports_are_read_by_their_heads(archive: Archive) -> None:
    archive.store.check(write=True)
    today = datetime.now(UTC).date()
    big = '{"crawl": "1", "state": "finished", "counts": {"archived": 7}, "outcomes": [\n' + '{"url": "x"},\n' * 1_000
    archive.store.put(f"crawls/{today:%Y/%m/%d}/1.json", big.encode())
    archive.store.put(f"crawls/{today:%Y/%m/%d}/2.json", b"[]")
    reports = Reports()
    assert [(one.day, dict(one.counts)) for one in reports.newest(archive)] == [(today, {"archived": 7})]
    before = archive.store.traffic.requests
    reports.newest(archive)
    assert archive.store.traffic.requests == before


def test_blocks_are_put_together() -> None:
    article = replace(
        story(),
        blocks=(
            gone("Menu", Reason("navigation"), "li"),
            gone("More", Reason("navigation"), "li"),
            gone("A long line that has a row of its own, as it is no menu", Reason("navigation")),
            gone("Ad", Reason("model", probability=0.03)),
            gone("Other ad", Reason("model", probability=0.11)),
            kept("Council approves the harbour bridge | The Paper", "h1"),
            kept("One."),
            kept("Deep", "h4"),
            kept("Deeper", "h5"),
            kept("a | b", "row"),
            kept("c", "row"),
            kept("x", "li"),
            gone("Read also", Reason("repeated", "on 3 articles of paper.example"), "li"),
            kept("y", "li"),
            kept("Said so.", "quote"),
            kept("odd", "of no known kind"),
        ),
    )
    found = [(part.kind, part.level, part.lines) for part in parts(article)]
    assert found == [
        ("removed", 0, ()),
        ("paragraph", 0, ("One.",)),
        # No level is left out.
        ("heading", 2, ("Deep",)),
        ("heading", 3, ("Deeper",)),
        ("table", 0, ("a | b", "c")),
        ("list", 0, ("x",)),
        ("removed", 0, ()),
        ("list", 0, ("y",)),
        ("quote", 0, ("Said so.",)),
        ("paragraph", 0, ("odd",)),
    ]
    runs = next(part for part in parts(article) if part.kind == "removed").runs
    assert [(run.reason, [[gone.text for gone in row] for row in run.rows]) for run in runs] == [
        ("navigation", [["Menu", "More"], ["A long line that has a row of its own, as it is no menu"]]),
        ("unlikely to be article text", [["Ad", "Other ad"]]),
    ]
    assert [gone.note for gone in runs[1].rows[0]] == ["3 %", "11 %"]
    table = next(part for part in parts(article) if part.kind == "table")
    assert table.rows == [["a", "b"], ["c", ""]]
    told_fields = {field.name: field for field in fields(article)}
    assert (told_fields["Authors"].source, told_fields["Authors"].doubt) == ("json-ld author", "byline: Mette Kjær")


def test_pictures_keep_their_proportions() -> None:
    days = [date(2026, 3, 1) + timedelta(days=number) for number in range(4)]
    found = bars(days, {"archived": {days[0]: 10, days[2]: 1}, "failed": {days[0]: 10}}, humanize.short_day)
    assert (found.highest, found.total, len(found.bars)) == (20, 21, 3)
    low, high, small = found.bars
    assert (low.height, high.height, low.y, high.y) == (60, 60, 60, 0) and small.height == 6
    assert all(bar.x >= 0 and bar.x + bar.width <= found.width for bar in found.bars)
    assert bars(days, {"articles": {}}, humanize.short_day).bars == ()
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    line = time_line(
        [(moment, "a", ""), (moment + timedelta(hours=1), "b", ""), (moment + timedelta(hours=4), "c", "")]
    )
    assert line is not None and [dot.x for dot in line.dots] == [6, 93, 354]
    assert time_line([(moment, "a", "")]) is None
    same = time_line([(moment, "a", ""), (moment, "b", "")])
    assert same is not None and {dot.x for dot in same.dots} == {6}


def test_words_for_people() -> None:
    assert humanize.written("2026-03-01T05:00:00+01:00") == "1 March 2026, 05:00 (UTC+0100)"
    assert (humanize.written("2026-03-01"), humanize.written("<b>soon")) == ("1 March 2026", "<b>soon")
    assert [size(value) for value in (1, 999, 1_000, 999_600, 2_340_000_000)] == [
        "1 byte", "999 bytes", "1.0 kB", "1.0 MB", "2.3 GB",
    ]  # fmt: skip
    assert humanize.reason(Reason("hidden", probability=0.03)) == ("hidden, unlikely to be article text", "3 %")
    everywhere = Reason("repeated", "on 3 articles of x.example")
    assert humanize.reason(everywhere) == ("repeated on 3 articles of x.example", "")
    assert humanize.language('en" onload="x') is None and humanize.language("pt-BR") == "pt-BR"
    assert humanize.visible(b"HTTP/1.1 200 OK\r\nX: \x1b[31m\xe6\r\n\r\n") == ["HTTP/1.1 200 OK", "X: \\x1b[31m\\xe6"]

"""Which articles a back-fill asks for, and in which order: by what each kind of date says, and what it does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from crawler.discovery import Link, read_feed, read_sitemap
from crawler.frontier.address_state import AddressState
from crawler.sites.link_selection import LinkSelector
from crawler.sites.site import site_at
from crawler.sites.time_window import Dates, Standing, Window

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SINCE, UNTIL = datetime(2026, 11, 10, tzinfo=UTC), datetime(2026, 11, 12, 23, 59, 59, tzinfo=UTC)
WINDOW = Window(SINCE, UNTIL)
INSIDE, LIKELY, EDGE, UNKNOWN, OUTSIDE = Standing
BARE = "https://town.example/story"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def of_day(day: str) -> str:
    return f"https://town.example/2026/11/{day}/story"


@pytest.mark.parametrize(
    ("dates", "standing"),
    [
        # A publication with its zone is exact; else it has a day's grace.
        (Dates(BARE, published=SINCE, exact=True), INSIDE),
        (Dates(BARE, published=SINCE - HOUR, exact=True), OUTSIDE),
        (Dates(BARE, published=UNTIL + HOUR, exact=True), OUTSIDE),
        (Dates(BARE, published=SINCE - HOUR), EDGE),
        (Dates(BARE, published=UNTIL + 23 * HOUR), EDGE),
        (Dates(BARE, published=UNTIL + 25 * HOUR), OUTSIDE),
        # So has the day of an address; a month may reach into the time.
        (Dates(of_day("10")), INSIDE),
        (Dates(of_day("12")), INSIDE),
        (Dates(of_day("9")), EDGE),
        (Dates(of_day("13")), EDGE),
        (Dates(of_day("8")), OUTSIDE),
        (Dates(of_day("14")), OUTSIDE),
        (Dates("https://town.example/2026/11/story"), LIKELY),
        (Dates("https://town.example/2026/09/story"), OUTSIDE),
        # A change tells only that it was published no later.
        (Dates(BARE, modified=SINCE - 2 * DAY), OUTSIDE),
        (Dates(BARE, modified=SINCE - HOUR), EDGE),
        (Dates(BARE, modified=UNTIL - HOUR), LIKELY),
        (Dates(BARE, modified=UNTIL + 9 * DAY), UNKNOWN),
        (Dates(of_day("11"), modified=NOW), INSIDE),
        (Dates(BARE, published=SINCE + HOUR, exact=True, modified=NOW), INSIDE),
        (Dates(of_day("20"), modified=SINCE + HOUR), OUTSIDE),
        # Where two dates of publication differ, one of them is enough.
        (Dates(of_day("11"), published=NOW, exact=True), INSIDE),
        (Dates(of_day("20"), published=SINCE + HOUR, exact=True), INSIDE),
        (Dates(of_day("9"), published=SINCE - HOUR, exact=True), OUTSIDE),
        # A list's own date is a hint.
        (Dates(BARE, "https://town.example/archive/2026/11/11"), LIKELY),
        (Dates(BARE, "https://town.example/archive/2026/09/11"), UNKNOWN),
        (Dates(BARE), UNKNOWN),
    ],
)
def test_what_is_of_the_time(dates: Dates, standing: Standing) -> None:
    assert WINDOW.standing(dates, NOW) is standing


def test_a_window_that_is_open() -> None:
    since, until = Window(SINCE), Window(until=UNTIL)
    assert [bool(window) for window in (since, until, Window())] == [True, True, False]
    assert since.standing(Dates(BARE, modified=NOW), NOW) is LIKELY
    assert since.standing(Dates(of_day("27")), NOW) is INSIDE
    assert until.standing(Dates(BARE, modified=SINCE - 900 * DAY), NOW) is LIKELY
    assert until.standing(Dates(of_day("27")), NOW) is OUTSIDE


def test_the_order_of_what_waits() -> None:
    def known(name: str, **told: object) -> AddressState:
        url = name if "/" in name else f"{BARE}-{name}"
        return AddressState("s", url, "article", told.pop("state", "waiting"), NOW, **told)  # type: ignore[arg-type]

    waiting = [
        known("later", published=NOW),
        known("undated"),
        known("long after", modified=NOW),
        known("soon after", modified=UNTIL + 3 * DAY),
        known("changed then", modified=UNTIL - DAY),
        known(of_day("13")),
        known("held", published=UNTIL, state="held"),
        known(of_day("10")),
        known("newest", published=UNTIL - HOUR),
        known("earlier", published=SINCE - 9 * DAY),
    ]
    ranked = [(rank, each.url) for each in waiting if (rank := WINDOW.rank(each, NOW)) is not None]
    assert [url.removeprefix(f"{BARE}-") for _, url in sorted(ranked)] == [
        "newest", of_day("10"), "changed then", of_day("13"), "soon after", "long after", "undated", "held",
    ]  # fmt: skip


def feed(entry: str) -> Link:
    text = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="{BARE}"/>{entry}</entry></feed>'
    return read_feed(text.encode(), "https://town.example/feed", now=NOW).links[0]


def sitemap(entry: str) -> Link:
    text = f"<urlset><url><loc>{BARE}</loc>{entry}</url></urlset>"
    return read_sitemap(text.encode(), "https://town.example/map.xml", now=NOW).links[0]


@pytest.mark.parametrize(
    ("read", "entry", "standing"),
    [
        (feed, "<published>2026-11-09T23:00:00Z</published>", OUTSIDE),
        (feed, "<published>2026-11-09T23:00:00</published>", EDGE),
        (feed, "<published>2026-11-09</published>", EDGE),
        (feed, "<published>2026-11-13T01:00:00+02:00</published>", INSIDE),
        (feed, "<published>2026-11-11T01:00:00Z</published><updated>2026-11-27T01:00:00Z</updated>", INSIDE),
        (feed, "<updated>2026-11-27T01:00:00Z</updated>", UNKNOWN),
        (feed, "<updated>2026-11-01T01:00:00Z</updated>", OUTSIDE),
        (sitemap, "<lastmod>2026-11-27</lastmod>", UNKNOWN),
        (sitemap, "<lastmod>2026-11-11</lastmod>", LIKELY),
        (sitemap, "<lastmod>2026-11-01</lastmod>", OUTSIDE),
        (sitemap, "<lastmod>2026-11-27</lastmod><news><publication_date>2026-11-11</publication_date></news>", INSIDE),
        (sitemap, "<news><publication_date>2026-11-13T05:00:00Z</publication_date></news>", OUTSIDE),
        (sitemap, "<news><publication_date>2026-11-13</publication_date></news>", EDGE),
        (sitemap, "", UNKNOWN),
    ],
)
def test_each_source_by_what_its_dates_say(read: Callable[[str], Link], entry: str, standing: Standing) -> None:
    assert WINDOW.standing(Dates.of_link(read(entry), "https://town.example/feed"), NOW) is standing


def test_links_outside_are_left_out_of_every_kind_of_list() -> None:
    finder = LinkSelector(site_at("https://town.example/"), WINDOW, NOW)
    inside, outside = (Link(of_day(day), score=0.9) for day in ("11", "20"))
    undated = Link("https://town.example/art/a-story-of-five-words-more", score=0.9)
    changed = Link("https://town.example/art/another-story-of-five-words", modified=NOW, score=0.9)
    for choose in (finder.feed, finder.page, finder.sitemap):
        taken = choose([outside, undated, changed, inside], "https://town.example/")
        found = [each.url for each in (*taken.articles, *taken.doubtful)]
        assert sorted(found) == sorted([inside.url, undated.url, changed.url])
        assert (taken.dropped, taken.outside) == ({"outside of the time wanted": 1}, (outside.url,))
    foreign = Link("https://other.example/2026/11/11/story", published=SINCE)
    finder = LinkSelector(site_at("https://town.example/"), WINDOW, NOW)
    finder.feed([foreign, outside, inside], "https://town.example/feed")
    assert finder.examples.total == 2, "articles of other times show what addresses look like, foreign ones do not"
    assert [each.url for each in taken.doubtful] == [changed.url, undated.url], "what has a date may sooner be of it"

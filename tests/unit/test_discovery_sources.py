"""Feeds and sitemaps as they are found in the wild."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.discovery import SourceLinks, read_feed, read_page, read_sitemap, usual_places
from crawler.discovery.dates import moment

NOW = datetime(2026, 11, 22, tzinfo=UTC)
FEED = "https://example.org/news/rss.xml"
MAP = "https://example.org/sitemap.xml"


def feed(text: str | bytes, content_type: str | None = None) -> SourceLinks:
    return read_feed(text.encode() if isinstance(text, str) else text, FEED, content_type, now=NOW)


def sitemap(text: str | bytes) -> SourceLinks:
    return read_sitemap(text.encode() if isinstance(text, str) else text, MAP, now=NOW)


def urls(reading: SourceLinks) -> list[str]:
    return [link.url for link in reading.links]


def rss(items: str) -> str:
    return f"<rss version='2.0'><channel><title>T</title>{items}</channel></rss>"


def test_rss_with_what_real_feeds_do_to_links() -> None:
    reading = feed(
        "\ufeff\n<?xml version='1.0' encoding='utf-16'?>"
        + rss(
            "<link>https://www.example.org/</link>"
            "<item><title>A &amp;amp; B &eacute;</title><link>\n /a?x=1&y=2&utm_source=rss\n</link></item>"
            "<item><link><![CDATA[ https://example.org/b?a=1&b=2 ]]></link></item>"
            "<item><guid isPermaLink='true'>/c</guid></item>"
            "<item><guid isPermaLink='false'>4711</guid><title>lost</title></item>"
            "<item xmlns:f='http://rssnamespace.org/feedburner/ext/1.0'><link>https://feeds.example.com/~r/1</link>"
            "<f:origLink>https://example.org/d</f:origLink></item>"
            "<item><link>www.example.org/e</link><media:title>picture</media:title></item>"
        )
    )
    assert urls(reading) == [
        "https://www.example.org/a?x=1&y=2",
        "https://example.org/b?a=1&b=2",
        "https://www.example.org/c",
        "https://example.org/d",
        "https://www.example.org/e",
    ]
    assert reading.links[0].title == "A & B é"
    assert reading.links[4].title is None
    assert reading.problems == (f"{FEED}: entries without a link: 1, such as 'lost'",)


def test_atom_takes_the_alternate_link_and_resolves_xml_base() -> None:
    reading = feed(
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://base.example/x/'>"
        "<link rel='self' href='/self'/><link rel='next' href='?page=2'/>"
        "<entry xml:base='y/'><link rel='enclosure' href='a.mp3'/><link type='application/json' href='j'/>"
        "<link rel='alternate' type='text/html' href='h'/><updated>2026-11-03T10:00:00+01:00</updated>"
        "<title type='xhtml'><div>Two <b>words</b></div></title></entry></feed>"
    )
    assert urls(reading) == ["https://base.example/x/y/h"]
    assert [link.url for link in reading.next] == ["https://base.example/x/?page=2"]
    assert reading.links[0].published == datetime(2026, 11, 3, 9, tzinfo=UTC)
    assert (reading.links[0].title, reading.kind) == ("Two words", "atom")


@pytest.mark.parametrize(
    "entry",
    [
        "<entry><source><link href='/desk'/><updated>2019-01-01T00:00:00Z</updated></source>{own}</entry>",
        "<entry><author><uri>/a</uri><link href='/author'/></author>{own}</entry>",
        "<entry><content type='xhtml'><div><link href='/inside'/></div></content>{own}</entry>",
        "<entry xmlns:m='http://search.yahoo.com/mrss/'><m:group><link href='/film'/></m:group>{own}</entry>",
        "<entry><event><link href='/event'/><published>2020-01-01</published></event>{own}</entry>",
        "<entry xmlns:o='https://agency.example/ns'><o:link href='/other'/>{own}</entry>",
    ],
)
def test_an_entry_has_its_own_link_and_date_wherever_others_stand(entry: str) -> None:
    own = "<link href='/own'/><updated>2026-11-03T10:00:00Z</updated>"
    reading = feed(f"<feed xmlns='http://www.w3.org/2005/Atom'>{entry.format(own=own)}</feed>")
    assert urls(reading) == ["https://example.org/own"]
    assert reading.links[0].published == datetime(2026, 11, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "other",
    [
        "<image><url>/i.jpg</url><title>Picture</title><link>/picture</link></image>",
        "<source url='/s'><link>/source</link><pubDate>Tue, 01 Jan 2019 00:00:00 GMT</pubDate></source>",
        "<related><item-link/><link>/related</link></related>",
        "<a:link xmlns:a='http://www.w3.org/2005/Atom' rel='alternate' href='/atom'/>",
    ],
)
def test_an_item_has_its_own_link_title_and_date(other: str) -> None:
    reading = feed(rss(f"<item>{other}<title>Own</title><link>/own</link></item>"))
    assert [(link.url, link.title, link.published) for link in reading.links] == [
        ("https://example.org/own", "Own", None)
    ]


def test_rdf_and_json() -> None:
    rdf = feed(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/' "
        "xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><link>https://example.org/</link></channel>"
        "<item rdf:about='https://example.org/1'><dc:date>2026-11-03</dc:date></item></rdf:RDF>"
    )
    assert (urls(rdf), rdf.kind) == (["https://example.org/1"], "rdf")
    assert rdf.links[0].published == datetime(2026, 11, 3, tzinfo=UTC)
    data = feed('{"items": [{"url": "/a", "date_published": "2026-11-03T10:00:00Z"}, 7], "next_url": "/feed/2"}')
    assert (urls(data), [link.url for link in data.next]) == (["https://example.org/a"], ["https://example.org/feed/2"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tue, 03 Nov 2026 10:00:00 GMT", "2026-11-03T10:00"),
        ("Di, 03 Nov 26 10:00 CET", "2026-11-03T09:00"),
        ("mar., 03 août 2026 10:00:00 +0200", "2026-08-03T08:00"),
        ("3 November 2026 7:05:00 EDT", "2026-11-03T11:05"),
        ("2026-11-03T10:00:00.123+0100", "2026-11-03T09:00"),
        ("2026-11-03", "2026-11-03T00:00"),
        ("2026-11", "2026-11-01T00:00"),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("0000-00-00T00:00:00Z", None),
        ("Tue, 03 Nov 2099 10:00:00 GMT", None),
        ("Tue, 33 Nov 2026 99:00:00 GMT", None),
        ("yesterday", None),
        # A clock of twelve hours; with it, numbers begin with the month.
        ("11/3/2026 9:05:00 PM", "2026-11-03T21:05"),
        ("11/20/2026 12:05 AM", "2026-11-20T00:05"),
        ("Nov 20, 2026, 12:30 p. m.", "2026-11-20T12:30"),
        ("Fri, 20 Nov 2026 9.05pm", "2026-11-20T21:05"),
        ("2026-11-20 09:05:00 PM", "2026-11-20T21:05"),
        ("2026. 11. 20. 오후 9:05", "2026-11-20T21:05"),
        ("2026年11月20日 上午9:05", "2026-11-20T09:05"),
        ("Fri, 20 Nov 2026 13:05 PM", "2026-11-20T13:05"),
        # Zones of one and two digits.
        ("Fri, 20 Nov 2026 10:00:00 +02", "2026-11-20T08:00"),
        ("Fri, 20 Nov 2026 10:00:00 -5", "2026-11-20T15:00"),
        ("2026-11-20T10:00:00 GMT+2", "2026-11-20T08:00"),
        ("Fri, 20 Nov 2026 10:00:00 +05:30", "2026-11-20T04:30"),
        ("20.11.2026 21:05 CET", "2026-11-20T20:05"),
        # The midnight at a day's end; times that there are not.
        ("2026-11-20T24:00:00Z", "2026-11-21T00:00"),
        ("2026-11-20T25:00:00Z", None),
        ("2026-11-20T10:00:00 or so", None),
        ("Fri, 20 Nov 2026 half past nine", None),
    ],
)
def test_dates(text: str, expected: str | None) -> None:
    found = moment(text, NOW)
    assert (found.strftime("%Y-%m-%dT%H:%M") if found else None) == expected


def test_bad_dates_are_dropped_and_told() -> None:
    reading = feed(rss("<item><link>/a</link><pubDate>soon</pubDate></item>"))
    assert reading.links[0].published is None
    assert reading.problems == (f"{FEED}: dates that cannot be right: 1, such as 'soon'",)


def test_entities_are_never_resolved() -> None:
    lol = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 12))
    reading = feed(
        f"<!DOCTYPE rss [<!ENTITY l0 'lol'>{lol}<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
        + rss("<item><title>&l11;&x;</title><link>/q</link></item>")
    )
    assert urls(reading) == ["https://example.org/q"]
    assert reading.links[0].title == "&l11;&x;"
    assert "entities" in reading.problems[0]


def test_broken_xml_is_read_entry_by_entry_and_cut_xml_as_far_as_it_goes() -> None:
    broken = feed(
        rss("<item><description>one <br> two</description><link>/1</link></item><item><b><link>/2</link></item>")
    )
    assert sorted(urls(broken)) == ["https://example.org/1", "https://example.org/2"]
    assert any("not well-formed" in line for line in broken.problems)
    cut = feed("<rss><channel><item><link>/1</link></item><item><link>https://example.org/a-half-lin")
    assert urls(cut) == ["https://example.org/1"]
    assert cut.problems == (f"{FEED}: is cut off; what is there was read",)


def test_encodings_that_are_declared_wrongly() -> None:
    text = rss("<item><link>/a</link><title>Grüße aus Köln</title></item>")
    wrong = feed(b"<?xml version='1.0' encoding='utf-8'?>" + text.encode("latin-1"))
    right = feed(b"<?xml version='1.0' encoding='iso-8859-1'?>" + text.encode())
    wide = feed(text.encode("utf-16"), "text/xml; charset=utf-8")
    assert {reading.links[0].title for reading in (wrong, right, wide)} == {"Grüße aus Köln"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "is an HTML page, not a feed"),
        (b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>", "is an HTML page, not a feed"),
        (b"", "is empty"),
        (b"Service unavailable", "is no feed"),
        (b"<urlset><url><loc>https://example.org/a</loc></url></urlset>", "is a sitemap, not a feed"),
        (b'{"items": [', "is JSON that cannot be read"),
    ],
)
def test_what_is_no_feed_is_told(content: bytes, told: str) -> None:
    assert feed(content) == SourceLinks(problems=(f"{FEED}: {told}",))


URLSET = (
    "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:news='n' xmlns:image='i'>"
    "<url><loc>https://example.org/a?b=1&c=2</loc><image:image><image:loc>https://example.org/i.jpg</image:loc></image:image>"
    "<news:news><news:publication_date>2026-11-01T10:00+01:00</news:publication_date><news:title>Hey</news:title></news:news></url>"
    "<url><loc>/relative</loc><lastmod>2026-11-02</lastmod></url><url><loc>https://other.example/x</loc></url></urlset>"
)


def test_sitemap_with_news_pictures_and_foreign_links() -> None:
    reading = read_sitemap(URLSET.encode(), MAP, hosts=lambda host: host == "example.org", now=NOW)
    assert urls(reading) == ["https://example.org/a?b=1&c=2", "https://example.org/relative"]
    assert reading.links[0].published == datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert (reading.links[0].title, reading.links[0].score) == ("Hey", 1.0)
    assert reading.links[1].modified == datetime(2026, 11, 2, tzinfo=UTC)
    assert [line.removeprefix(f"{MAP}: ") for line in reading.problems] == [
        "relative links: 1, such as '/relative'",
        "links to other sites, left out: 1, such as 'https://other.example/x'",
    ]


def test_sitemap_index_text_and_feed() -> None:
    index = sitemap(
        f"<sitemapindex><sitemap><loc>https://example.org/2.xml.gz</loc><lastmod>2026-11-02</lastmod></sitemap>"
        f"<sitemap><loc>{MAP}</loc></sitemap></sitemapindex>"
    )
    assert [(link.url, link.modified) for link in index.next] == [
        ("https://example.org/2.xml.gz", datetime(2026, 11, 2, tzinfo=UTC))
    ]
    assert urls(sitemap("https://example.org/a\nhttps://example.org/b\n")) == [
        "https://example.org/a",
        "https://example.org/b",
    ]
    assert sitemap(rss("<item><link>/a</link></item>")).kind == "rss"
    assert sitemap("<html>").problems == (f"{MAP}: is an HTML page, not a sitemap",)


STORY = "https://example.org/2026/11/20/a-story-about-the-harbour.html"


@pytest.mark.parametrize(
    "text",
    [
        f"<sitemapindex><url><loc>{STORY}</loc></url><url><loc>/c.xml</loc></url></sitemapindex>",
        f"<urlset><url><loc>{STORY}</loc></url><sitemap><loc>/c.xml</loc></sitemap></urlset>",
        f"<urlset><url><loc>{STORY}</loc></url><url><loc>/c.xml</loc></url></urlset>",
        f"<x:data xmlns:x='x'><url><loc>{STORY}</loc></url><sitemap><loc>/c.xml</loc></sitemap></x:data>",
        f"<URLSET><URL><LOC>{STORY}</LOC></URL><SITEMAP><LOC>/c.xml</LOC></SITEMAP></URLSET>",
        f"<urlset><loc>{STORY}</loc><loc>/c.xml</loc></urlset>",
        f"<rss><channel><url><loc>{STORY}</loc></url><sitemap><loc>/c.xml</loc></sitemap></channel></rss>",
        f"<html><body><urlset><url><loc>{STORY}</loc></url><url><loc>/c.xml</loc></url></urlset></body></html>",
    ],
)
def test_right_entries_in_the_wrong_wrapper(text: str) -> None:
    reading = sitemap(text)
    assert urls(reading) == [STORY]
    assert [link.url for link in reading.next] == ["https://example.org/c.xml"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<urlset></urlset>", "has no entries"),
        (b"<sitemapindex><!-- --></sitemapindex>", "has no entries"),
        (b"<urlset><url><loc>mailto:a</loc></url></urlset>", "has no entry that could be read"),
        (b"", "is empty"),
    ],
)
def test_a_sitemap_that_gives_nothing_says_so(content: bytes, told: str) -> None:
    assert f"{MAP}: {told}" in sitemap(content).problems


def test_a_feed_that_gives_nothing_says_so() -> None:
    assert feed(rss("")).problems == (f"{FEED}: has no entries",)
    assert feed('{"items": []}').problems == (f"{FEED}: has no entries",)
    assert f"{FEED}: has no entry that could be read" in feed(rss("<item><title>lost</title></item>")).problems


def test_gzip_is_unpacked_within_bounds() -> None:
    packed = gzip.compress(URLSET.encode())
    assert urls(sitemap(packed)) == urls(sitemap(URLSET))
    assert any("cut off" in line for line in sitemap(packed[:-20]).problems)
    bomb = sitemap(gzip.compress(b"<urlset>" + bytes(60_000_000)))
    assert f"{MAP}: larger than 50 MB once unpacked; the rest was left unread" in bomb.problems


def test_no_more_than_fifty_thousand_links() -> None:
    reading = sitemap("\n".join(f"https://example.org/{number}" for number in range(50_010)))
    assert len(reading.links) == 50_000
    assert reading.problems == (f"{MAP}: more than 50,000 links; the rest was left unread",)


def test_usual_places_are_few_and_absolute() -> None:
    feeds, sitemaps = usual_places("https://example.org/de/")
    assert "https://example.org/feed/" in feeds
    assert "https://example.org/sitemap.xml" in sitemaps
    assert len(feeds) + len(sitemaps) <= 12


_PIECES = st.sampled_from(
    b"<rss> <channel> <item> </item> <link> </link> <![CDATA[ ]]> & <!-- \x00 <entry> <urlset> <url> <loc> http://[ "
    b"<pubDate> "
    b"\xff\xfe <a/href=' '> <base/href='//['> <feed/xml:base='http://['> \x1f\x8b\x08 "
    b'{"items":[{"url":" "}]} &#xd800; '
    b"</rss>".split(b" ")
)


@given(
    st.lists(_PIECES | st.binary(max_size=12), max_size=30).map(b"".join),
    st.sampled_from([None, "utf-7", "a/b; charset=x"]),
)
def test_nothing_raises(content: bytes, content_type: str | None) -> None:
    for read in (read_feed, read_sitemap, read_page):
        reading = read(content, FEED, content_type)
        assert all(line.startswith(FEED) for line in reading.problems)
        assert all(link.url.startswith(("http://", "https://")) for link in reading.links)

"""Front pages, the shapes of addresses, and which addresses are one article."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.discovery import (
    Examples,
    canonical_candidate,
    identity,
    looks_like_article,
    read_page,
    requisites_of,
    requisites_of_css,
    same_article,
    trap_reason,
)
from storage.errors import InvalidURL

HOME = "https://example.org/"

FRONT = b"""<!doctype html><html><head>
<link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed/">
<link rel="alternate" type="application/rss+xml" href="/feed/"><link rel="canonical" href="https://example.org/">
<link rel="next" href="/?page=2">
<meta name="robots" content="index, NOARCHIVE"><meta name="newskeep" content="nofollow">
</head><body><header><nav><a href="/politics/">Politics</a><a href="/sport/football/">Football</a>
<a href="/privacy-policy/">Privacy</a><a href="/login">Log in</a><a href="/2026/11/">November</a></nav></header>
<main><article class="teaser"><a href="/2026/11/21/council-votes-on-new-tram-line/"><img alt=""></a>
<h2><a href="/2026/11/21/council-votes-on-new-tram-line/?utm_source=front">Council votes on the new tram line</a></h2>
<a href="/tag/trams-and-buses-in-town/">Trams</a></article>
<h3><a href="/storm">Storm closes schools along the coast</a></h3></main>
<footer><a href="/about-us/">About</a>
<a href="/rss.xml">RSS</a><a href="mailto:x@example.org">Mail</a></footer></body>"""


def test_front_page() -> None:
    page = read_page(FRONT, HOME)
    assert [link.url for link in page.articles] == [
        "https://example.org/2026/11/21/council-votes-on-new-tram-line/",
        "https://example.org/storm",
    ]
    assert page.articles[0].title == "Council votes on the new tram line"
    assert page.sections == ("https://example.org/politics/", "https://example.org/sport/football/")
    assert page.feeds == (
        "https://example.org/feed/",
        "https://example.org/rss.xml",
        "https://example.org/comments/feed/",
    )
    assert (page.canonical, page.next) == (HOME, ("https://example.org/?page=2",))
    assert (page.nofollow, page.noindex) == (True, False)
    assert not read_page(FRONT, HOME, user_agent="other/1.0").nofollow
    assert not page.article


@pytest.mark.parametrize(
    ("said", "is_feed"),
    [
        ("text/xml", True),
        ("application/xml; charset=utf-8", True),
        ("Application/RSS+XML", True),
        ("application/feed+json", True),
        ("text/xml+oembed", False),
        ("application/json", False),
        ("text/html", False),
        ("", False),
    ],
)
def test_which_alternates_are_feeds(said: str, is_feed: bool) -> None:
    head = f"<html><head><link rel='Alternate' type='{said}' href='/news-all'></head><body><p>Hello"
    assert read_page(head.encode(), HOME).feeds == (("https://example.org/news-all",) if is_feed else ())


def test_a_page_that_is_an_article() -> None:
    html = b"""<html><head><base href="https://cdn.example.org/x/"><link rel="amphtml" href="amp/1">
    <meta property="og:type"
    content="article"><script type="application/ld+json">{"@type": "NewsArticle", "headline": "H"}</script><body>"""
    page = read_page(html, "https://example.org/storm")
    assert page.article
    assert page.amphtml == "https://cdn.example.org/x/amp/1"
    assert read_page(b"%PDF-1.4", HOME).problems == ("https://example.org/: is no HTML page",)


ARTICLES = [
    "https://example.org/2026/11/21/storm/",
    "https://example.org/politik/regierung-einigt-sich-auf-haushalt-a-4711.html",
    "https://example.org/art/12345/kurz",
    "https://example.org/en/202109084254562329.html",
    "https://example.org/news/articles/c4ng3y2xq01o",
    "https://example.org/%D8%A7%D9%84%D8%AD%D9%83%D9%88%D9%85%D8%A9-%D8%AA%D9%82%D8%B1-%D8%A7%D9%84%D9%85%D9%8A%D8%B2%D8%A7%D9%86%D9%8A%D8%A9-%D8%A7%D9%84%D8%AC%D8%AF%D9%8A%D8%AF%D8%A9",
    "https://example.org/news/%E6%94%BF%E5%BA%9C%E3%81%8C%E6%96%B0%E3%81%97%E3%81%84%E4%BA%88%E7%AE%97%E6%A1%88%E3%82%92%E7%99%BA%E8%A1%A8",
    "https://example.org/index.php?id=48213",
    "https://example.org/weather/storm-warning-for-the-whole-coast-1206862",
]
OTHERS = [
    "https://example.org/",
    "https://example.org/politics/",
    "https://example.org/tag/storm-on-the-coast-again",
    "https://example.org/author/jane-mary-anne-doe",
    "https://example.org/2026/11/",
    "https://example.org/search?q=storm",
    "https://example.org/privacy-policy",
    "https://example.org/2026/11/21/storm.jpg",
    "https://example.org/feed/",
    "https://example.org/login?next=/2026/11/21/storm/",
    "http://[",
]


@pytest.mark.parametrize("url", ARTICLES)
def test_articles_by_their_address(url: str) -> None:
    verdict = looks_like_article(url)
    assert verdict, verdict.reason


@pytest.mark.parametrize("url", OTHERS)
def test_other_pages_by_their_address(url: str) -> None:
    verdict = looks_like_article(url)
    assert not verdict, verdict.reason
    assert verdict.reason


def test_examples_outweigh_what_holds_in_general() -> None:
    odd = Examples(f"https://example.org/x/{word}" for word in ("tram", "bus", "ship"))
    short = Examples(f"https://example.org/story/{number}/word" for number in range(10_000, 10_012))
    assert looks_like_article("https://example.org/story/10777/other", short).score > 0.9
    unlike = "https://example.org/our-guide-to-bus-lines"
    assert looks_like_article(unlike, short).score < looks_like_article(unlike).score
    assert not looks_like_article("https://example.org/politics", odd)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.org/calendar/2031/04/", "a calendar"),
        ("https://example.org/events?month=4&year=2031", "a calendar"),
        ("https://example.org/a;jsessionid=0123ABCD", "a session id"),
        ("https://example.org/a?sid=0123456789abcdef0123456789abcdef", "a session id"),
        ("https://example.org/list?page=51", "page 51 of a list"),
        ("https://example.org/news/page/4000/", "page 4,000 of a list"),
        ("https://example.org/a/b/a/b/a/b/x", "'a' again and again in its path"),
        ("https://example.org/" + "x/" * 3, "'x' again and again in its path"),
        ("https://example.org/" + "/".join(map(str, range(15))), "15 levels deep"),
        (f"https://example.org/?q={'x' * 500}", "a query of 502 characters"),
        ("https://example.org/l?sort=a&order=b", "a sorted or filtered list"),
    ],
)
def test_traps(url: str, reason: str) -> None:
    assert trap_reason(url) == reason
    assert looks_like_article(url).score == 0


@pytest.mark.parametrize(
    "url", [*ARTICLES, "https://example.org/list?page=3", "https://example.org/2011/11/11/eleven/"]
)
def test_no_traps(url: str) -> None:
    assert trap_reason(url) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Example.org/a?utm_source=x&id=3&fbclid=y&gclid=z", "https://example.org/a?id=3"),
        ("https://example.org/modules.php?name=News&sid=421", "https://example.org/modules.php?name=News&sid=421"),
        ("https://example.org/a?sid=0123456789abcdef0123456789abcdef", "https://example.org/a"),
        ("https://example.org/a;jsessionid=0A1B?p=7", "https://example.org/a?p=7"),
        ("https://example.org/a?ref=rss&ref=4711", "https://example.org/a?ref=4711"),
        ("https://example.org/%c3%bc?cid=5&p=1", "https://example.org/%C3%BC?cid=5&p=1"),
    ],
)
def test_identity(url: str, expected: str) -> None:
    assert identity(url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org/storm-1234/amp/", "https://example.org/storm-1234/"),
        ("https://example.org/storm-1234.amp.html", "https://example.org/storm-1234.html"),
        ("https://amp.example.org/storm-1234", "https://www.example.org/storm-1234"),
        ("https://example.org/a?id=3&outputType=amp", "https://example.org/a?id=3"),
        ("https://example.org/a?id=3&print=1", "https://example.org/a?id=3"),
        ("https://example.org/storm-1234/print/", "https://example.org/storm-1234/"),
        ("https://www.google.com/amp/s/example.org/a-1/amp", "https://example.org/a-1"),
        ("https://example.org/music/amp/", None),
        ("https://example.org/storm-1234", None),
        ("nonsense", None),
    ],
)
def test_twins(url: str, expected: str | None) -> None:
    assert canonical_candidate(url) == expected


@pytest.mark.parametrize(
    ("canonical", "believed"),
    [
        ("https://www.example.org/politics/council-votes-on-tram-4711", True),
        ("https://m.example.org/politics/council-votes-on-tram-line-4711", True),
        ("https://example.org/", False),
        ("https://example.org/politics/", False),
        ("https://other.example/politics/council-votes-on-tram-line-4711", False),
        ("https://example.org/politics/storm-closes-many-schools-99812", False),
        (None, False),
    ],
)
def test_canonical_links_are_believed_within_reason(canonical: str | None, believed: bool) -> None:
    url = "https://example.org/politics/council-votes-on-tram-line-4711?x=1"
    assert bool(same_article(url, canonical, HOME)) is believed
    assert not same_article(url, canonical, HOME, named_by_others=3)


def test_requisites() -> None:
    html = (
        b"<html><base href='https://cdn.example.org/x/'><link rel=icon href=/f.ico><script src=s.js></script>"
        b"<img src=a.png srcset='b.png 1x, c,d.png 2x' data-src='data:image/png;base64,x'>"
        b"<div style='background:url(\"q.png\")'></div><style>@import 'x.css'; a{b:url( \"y.woff\" )}</style>"
    )
    names = [url.removeprefix("https://cdn.example.org/") for url in requisites_of(html, HOME)]
    assert names == ["f.ico", "x/s.js", "x/a.png", "x/b.png", "x/c,d.png", "x/q.png", "x/x.css", "x/y.woff"]
    css = b"/* url(no.png) */ @font-face{src:url('../f.woff2')} i{b:url(data:x)}"
    assert requisites_of_css(css, "https://example.org/css/a.css") == ("https://example.org/f.woff2",)


@given(
    st.from_regex(r"https?://(e\.org|\[|amp\.e\.org:8080)/[a-z0-9;=/%._()?&\[\]é政-]{0,60}", fullmatch=True) | st.text()
)
def test_addresses_never_raise_and_identity_is_idempotent(url: str) -> None:
    looks_like_article(url, Examples([url] * 3))
    trap_reason(url)
    canonical_candidate(url)
    same_article(url, url, url)
    try:
        once = identity(url)
    except InvalidURL:
        return
    assert identity(once) == once

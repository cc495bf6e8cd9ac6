"""What pages say of their articles, and what they only pretend to say."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from crawler.extraction.metadata import Metadata, language, metadata, names, titles
from crawler.html import dates

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
URL = "https://www.harbourpost.example/news/2026/crane-falls"
ENGLISH = (
    "The crane fell at noon, when the quay was nearly empty, and nobody was hurt. The harbour master said that the "
    "wind had been stronger than the forecast, and that the company should have lowered the boom in the morning. "
    "Two ships had to wait outside until the evening, and the ferry to the island did not sail at all on Tuesday."
)
DANISH = (
    "Kranen væltede ved middagstid, da kajen næsten var tom, og ingen kom til skade. Havnefogeden siger, at vinden var "
    "kraftigere end varslet, og at selskabet burde have sænket udliggeren om morgenen. To skibe måtte vente udenfor "
    "til om aftenen, og færgen til øen sejlede slet ikke om tirsdagen, fortæller de, som bor der."
)


def page(head: str = "", body: str = "", lang: str = "en", **article: Any) -> Metadata:
    """The metadata of a page with these parts; keywords are the properties of its JSON-LD article."""
    script = f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", **article})}</script>'
    text = f'<html lang="{lang}"><head>{script if article else ""}{head}</head><body>{body}<p>Text</p></body></html>'
    return metadata(html.document_fromstring(text), URL, now=NOW)


def meta(name: str, content: str, kind: str = "property") -> str:
    return f'<meta {kind}="{name}" content="{content}">'


def test_a_full_page() -> None:
    found = page(
        head='<link rel="canonical" href="/news/2026/crane-falls#top">'
        + meta("og:site_name", "Harbour Post")
        + meta("og:title", "Crane falls on the quay | Harbour Post")
        + meta("og:description", "Nobody &amp;amp; nothing was hurt.")
        + meta("og:image", "//img.harbourpost.example/crane.jpg")
        + meta("article:tag", "Cranes")
        + meta("article:tag", "Wind"),
        lang="en_GB",
        headline="Crane falls on the quay",
        author=[{"@type": "Person", "name": "By Ann Berg"}, {"name": "Bo Lind and Cleo Dahl"}],
        datePublished="2026-11-20T14:05:00+0100",
        dateModified="2026-11-20T15:00:00Z",
        articleSection=["Local"],
        isAccessibleForFree="False",
    )
    assert found == Metadata(
        title="Crane falls on the quay",
        authors=("Ann Berg", "Bo Lind", "Cleo Dahl"),
        published="2026-11-20T14:05:00+01:00",
        modified="2026-11-20T15:00:00+00:00",
        language="en-GB",
        section="Local",
        topics=("Cranes", "Wind"),
        image="https://img.harbourpost.example/crane.jpg",
        description="Nobody & nothing was hurt.",
        canonical_url="https://www.harbourpost.example/news/2026/crane-falls",
        paywalled=True,
        sources={
            "title": "meta og:title",
            "authors": "json-ld author",
            "published": "json-ld datePublished",
            "modified": "json-ld dateModified",
            "language": "html lang",
            "section": "json-ld articleSection",
            "topics": "meta article:tag",
            "image": "meta og:image",
            "description": "meta og:description",
            "canonical_url": "link canonical",
            "paywalled": "json-ld isAccessibleForFree",
        },
    )


def test_an_empty_page_says_nothing() -> None:
    assert metadata(html.document_fromstring("<html><body></body></html>"), now=NOW) == Metadata()


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ("<title>Crane falls - Harbour Post</title>" + meta("og:site_name", "Harbour Post"), "", "Crane falls"),
        ("<title>Crane falls | Local | Harbourpost.example</title>", "", "Crane falls"),
        ("<title>Harbour Post: Crane falls</title>" + meta("og:site_name", "Harbour Post"), "", "Crane falls"),
        ("<title>クレーンが倒れる｜港新聞</title>", "<h1>クレーンが倒れる</h1>", "クレーンが倒れる"),
        ("<title>Wind - and then silence</title>", "", "Wind - and then silence"),
        ("<title>Crane falls</title>" + meta("og:site_name", "Crane falls"), "", "Crane falls"),
        ("<title>Harbour Post</title>" + meta("og:site_name", "Harbour Post"), "<h1>Crane  falls</h1>", "Crane falls"),
        ("<title>Crane &amp;amp; quay</title>", "<svg><title>Logo</title></svg>", "Crane & quay"),
    ],
)
def test_title_without_the_site(head: str, body: str, title: str) -> None:
    assert page(head, body).title == title


@pytest.mark.parametrize(
    ("head", "body"),
    [
        # The logo is an h1: by its link, by its name, by what the page is called.
        (
            "<title>Crane falls on quay | The Post</title>",
            "<h1><a href=/>The Post</a></h1><h2>Crane falls on quay</h2>",
        ),
        ("<title>Crane falls on quay | The Post</title>", "<h1>The Post</h1><h1>Crane falls on quay</h1>"),
        ("<title>Harbour: Crane falls on quay</title>", "<h1>Harbour</h1><h3>Crane falls on quay</h3>"),
        # Sections and badges.
        ("<title>Crane falls on quay - Sport - The Post</title>", "<h1>Sport</h1><h2>Crane falls on quay</h2>"),
        ("<title>Crane falls on quay</title>", "<h1>LIVE</h1><h1>Crane falls on quay</h1>"),
        ("<title>Video | Crane falls on quay</title>", "<h1>Video</h1><h2>Crane falls on quay</h2>"),
        ("<title>Crane falls on quay</title>", "<h1><span class=badge>Exclusive</span> Crane falls on quay</h1>"),
        (
            "<title>The Post</title>",
            "<h1><b class=label>Live</b>Crane falls <i>on quay</i> <time>9:05</time></h1>",
        ),
        (meta("og:title", "Exclusive") + "<title>Crane falls on quay</title>", "<h1>Crane falls on quay</h1>"),
        (meta("og:title", "Local") + meta("article:section", "Local"), "<h1>Crane falls on quay</h1>"),
        # What hangs on it, where a heading says how far it goes.
        (meta("og:title", "Crane falls on quay - Where the sea is near"), "<h1>Crane falls on quay</h1>"),
        (meta("og:title", "Crane falls on quay_海港_港新闻网"), "<h1>Crane falls on quay</h1>"),
        ("<title>The Sea Port : Crane falls on quay</title>", "<h2>Crane falls on quay</h2>"),
        (meta("og:title", "Crane falls on quay: HARBOURPOST"), ""),
        (
            meta("og:title", "Crane falls on…") + "<title>Crane falls on quay | The Post</title>",
            "<h1>Crane falls on quay</h1>",
        ),
    ],
)
def test_the_headline_is_no_site_section_or_badge(head: str, body: str) -> None:
    assert page(head, body).title == "Crane falls on quay"


def test_a_title_keeps_what_belongs_to_it() -> None:
    for title in ("Crane falls: nobody hurt", "Sport: Crane falls", "Live music returns", "Crane and its history"):
        body = "<h1>Crane</h1><h2>Sport</h2>"
        assert (
            page(f"<title>{title} | Harbour Post</title>" + meta("og:site_name", "Harbour Post"), body).title == title
        )


def test_of_two_headlines_the_editors_own_is_the_title() -> None:
    shared = meta("og:title", "Nobody hurt as the crane came down")
    searched = "<title>Crane accident Harbour: what happened? - Harbour Post</title>"
    site = meta("og:site_name", "Harbour Post")
    assert page(shared + searched + site, headline="Crane accident Harbour: what happened?").title == (
        "Nobody hurt as the crane came down"
    )
    assert titles.choose({"title": "A", "meta og:title": "A", "json-ld headline": "B"}, []) == ("json-ld headline", "B")
    assert titles.choose({}, ["A"]) is None


@pytest.mark.parametrize(
    ("credit", "people"),
    [
        ("By Ann Berg", ["Ann Berg"]),
        ("Von Ann Berg und Bo Lind, Berlin", ["Ann Berg", "Bo Lind", "Berlin"]),
        ("Text: Ann Berg; Foto: Bo Lind", ["Ann Berg", "Bo Lind"]),
        ("Ann Berg (dpa)", ["Ann Berg"]),
        ("ANN BERG, Political Editor", ["ANN BERG"]),
        ("Ann Berg | Bo Lind | Cleo Dahl", ["Ann Berg", "Bo Lind", "Cleo Dahl"]),
        ("José Ortega y Gasset", ["José Ortega y Gasset"]),
        ("Jane Doe, Jr.", ["Jane Doe, Jr"]),
        ("Ann Berg/Bo Lind", ["Ann Berg", "Bo Lind"]),
        ("srf/hosb", ["srf/hosb"]),
        ("Post Staff", ["Post Staff"]),
        ("Le Post avec AFP", ["Le Post avec AFP"]),
        ("https://www.facebook.com/harbourpost", []),
        ("ann@harbourpost.example", []),
        ("ann-berg", []),
        ("105092", []),
        ("admin", []),
        ("Автор: Анна Берг", ["Анна Берг"]),
        ("记者：王小明、李红", ["王小明", "李红"]),
        ("Analysis by Ann Berg", ["Ann Berg"]),
        ("By Ann Berg on November 18, 2026", ["Ann Berg"]),
        ("Ann Berg 18.11.2026 14:05", ["Ann Berg"]),
        ("Анна Берг 18 ноября 2026", ["Анна Берг"]),
        ("Ann Berg Published Nov 18", ["Ann Berg"]),
        ("By April Jones", ["April Jones"]),
        ("Reuters /", ["Reuters"]),
        ("", []),
    ],
)
def test_names_of_a_credit(credit: str, people: list[str]) -> None:
    assert list(names.people([credit])) == people


def test_persons_are_told_from_newsrooms_and_buttons() -> None:
    found = [
        "Ann van der Berg",
        "Email Ann",
        "View Full Profile",
        "About The Author",
        "dpa",
        "Harbour Post",
        "News Agency",
        "Follow us",
        "Read more?",
        "Berg",
        "3 Min Lesen",
    ]
    assert names.persons(found, own=["Harbour Post"]) == ("Ann van der Berg",)


def test_the_byline_has_the_last_word_over_an_organisation() -> None:
    byline = (
        '<article><h1>T</h1><div class="byline">By <a href="/a/ann">Ann Berg</a> <span>20 Nov</span></div></article>'
    )
    found = page(body=byline, headline="T", author={"@type": "Organization", "name": "Harbour Post"})
    assert found.authors == ("Ann Berg",)
    assert found.sources["authors"] == "byline"
    assert found.doubts == {"authors": "json-ld author: Harbour Post"}


def test_an_agency_alone_is_credited_and_the_site_beside_a_person_is_not() -> None:
    site = meta("og:site_name", "Harbour Post")
    assert page(site, headline="T", author="Reuters").authors == ("Reuters",)
    assert page(site, headline="T", author=[{"name": "Ann Berg"}, {"name": "Harbour Post"}]).authors == ("Ann Berg",)
    assert page(site, headline="T", author=[{"name": "Ann Berg"}, {"name": "Reuters"}]).authors == (
        "Ann Berg",
        "Reuters",
    )
    assert page(site, headline="T", author={"name": "Harbour Post"}).authors == ("Harbour Post",)


@pytest.mark.parametrize(
    "body",
    [
        '<h1>T</h1><aside><div class="author">Ann Berg</div></aside>',
        '<h1>T</h1><div class="related"><span class="byline">Ann Berg</span></div>',
        '<article><h1>T</h1></article><article class="story"><span class="byline">Ann Berg</span></article>',
        '<h1>T</h1><figure><span class="author">Ann Berg</span></figure>',
        '<h1>T</h1><div class="author">Follow us</div>',
    ],
)
def test_somebody_elses_byline_is_none(body: str) -> None:
    assert page(body=body).authors == ()


def test_a_byline_without_marks() -> None:
    body = "<article><h1>T</h1><p>20. november 2026</p><p>Af <b>Ann Berg</b></p></article>"
    assert page(body=body).authors == ("Ann Berg",)


DATED = (
    ("en", "Posted on November 18, 2026 by Ann Berg", "Ann Berg"),
    ("en", "Photos and text by Ann Berg, November 18, 2026", "Ann Berg"),
    ("en", "Posted by Ann Berg on November 18, 2026", "Ann Berg"),
    ("en", "By Ann Berg on 18 November 2026 at 10:15", "Ann Berg"),
    ("en", "Submitted by Ann Berg on Wed, 11/18/2026 - 10:15", "Ann Berg"),
    ("en", "Published 18 Nov 2026 by Ann Berg and Jo Lund", "Ann Berg, Jo Lund"),
    ("en", "Posted in News on November 18, 2026 by Ann Berg", "Ann Berg"),
    ("en", "Posted November 18, 2026 in World News by Ann Berg", "Ann Berg"),
    ("en", "By Ann Berg Published: 18 November 2026 Updated: 19 November 2026", "Ann Berg"),
    ("en", "By Ann Berg, Staff Writer | November 18, 2026", "Ann Berg"),
    ("en", "Updated on November 18, 2026 by Ann Berg", "Ann Berg"),
    ("en", "December 18, 2025 by April Jones", "April Jones"),
    ("en", "By Ann Berg 2 hours ago", "Ann Berg"),
    ("en", "Ann Berg · November 18, 2026", "Ann Berg"),
    ("en", "Ann Berg | Nov 18, 2026 | 5 min read", "Ann Berg"),
    ("en", "Nov 18, 2026 – Ann Berg", "Ann Berg"),
    ("en", "<span>Ann Berg</span> <i>•</i> <time>November 18, 2026</time>", "Ann Berg"),
    ("en", "Posted on <time>November 18, 2026</time> by <a href=/ann>Ann Berg</a>", "Ann Berg"),
    ("de", "Von Ann Berg, 18.11.2026", "Ann Berg"),
    ("de", "Veröffentlicht am 18. November 2026 von Ann Berg", "Ann Berg"),
    ("de", "Erstellt von Ann Berg am 18.11.2026", "Ann Berg"),
    ("de", "18.11.2026, 10:15 Uhr - Ann Berg", "Ann Berg"),
    ("fr", "Par Anne Dupont, publié le 18/11/2026 à 10h15", "Anne Dupont"),
    ("fr", "Publié le 18 novembre 2026 par Anne Dupont", "Anne Dupont"),
    ("es", "Publicado el 18 de noviembre de 2026 por Ana Torres", "Ana Torres"),
    ("pt", "Publicado por Ana Torres em 18 de novembro de 2026", "Ana Torres"),
    ("it", "Pubblicato il 18 novembre 2026 da Anna Rossi", "Anna Rossi"),
    ("nl", "Geplaatst op 18 november 2026 door Anna Visser", "Anna Visser"),
    ("da", "Publiceret den 18. november 2026 af Anna Holm", "Anna Holm"),
    ("sv", "Publicerad 18 november 2026 av Anna Berg", "Anna Berg"),
    ("fi", "Kirjoittanut Anna Laine 18.11.2026", "Anna Laine"),
    ("pl", "Opublikowano 18 listopada 2026 przez Jan Nowak", "Jan Nowak"),
    ("ru", "Анна Петрова, 18 ноября 2026, 10:15", "Анна Петрова"),
    ("ru", "18 ноября 2026 Автор: Анна Петрова", "Анна Петрова"),
    ("tr", "18 Kasım 2026 - Ayşe Yılmaz", "Ayşe Yılmaz"),
    ("el", "Από Μαρία Παππά, 18 Νοεμβρίου 2026", "Μαρία Παππά"),
    ("hu", "Szerző: Nagy Anna, 2026. november 18.", "Nagy Anna"),
    ("id", "Oleh Ani Wijaya pada 18 November 2026", "Ani Wijaya"),
    ("ja", "2026年11月18日 記者 山田太郎", "山田太郎"),
    ("ko", "작성자: 김민수 2026.11.18", "김민수"),
)


@pytest.mark.parametrize("markup", ["<p>{}</p>", "<div class=byline>{}</div>", "<div><div><span>{}</span></div></div>"])
@pytest.mark.parametrize(("language", "line", "people"), DATED)
def test_a_byline_with_its_date(language: str, line: str, people: str, markup: str) -> None:
    text = (
        f"<html lang={language}><body><article><h1>T</h1>{markup.format(line)}<p>{ENGLISH}</p></article></body></html>"
    )
    assert ", ".join(metadata(html.document_fromstring(text), URL, now=NOW).authors) == people


@pytest.mark.parametrize(
    "line",
    [
        "Posted on November 18, 2026 in World Affairs",
        "Published November 18, 2026",
        "New York, 18 November 2026",
        "San Francisco · November 18, 2026",
        "Black Friday, November 27, 2026",
        "Wednesday Morning · November 18, 2026",
        "Harbour Post | 18 November 2026",
        "18 November 2026 | 5 Comments",
        "World Affairs · Ann Berg · November 18, 2026 · Jo Lund",
        "The bridge was opened by Ann Berg and her band on 18 November 2026, a day of rain on the coast.",
        "Photo by Ann Berg, November 18, 2026",
        "Foto: Ann Berg, 18.11.2026",
        "Illustration by Ann Berg | November 18, 2026",
        "Fotograf Ann Berg, 18. november 2026",
        "Translated by Ann Berg, 18 November 2026",
        "Video by Ann Berg · November 18, 2026",
    ],
)
def test_what_stands_beside_a_date_and_is_no_name(line: str) -> None:
    site = meta("og:site_name", "Harbour Post")
    text = f"<html lang=en><head>{site}</head><body><article><h1>T</h1><p>{line}</p></article></body></html>"
    assert metadata(html.document_fromstring(text), URL, now=NOW).authors == ()


def test_a_heading_is_no_byline() -> None:
    def authors(body: str) -> tuple[str, ...]:
        tree = html.document_fromstring(f"<html><body><h1>Crane falls on quay</h1>{body}</body></html>")
        return metadata(tree, URL, "Key Insights\n" + ENGLISH + "\nAnn Berg", now=NOW).authors

    assert authors("<h2>Key Insights</h2>") == ("Ann Berg",)
    assert authors("<h2>Key Insights</h2><h3>Ann Berg</h3>") == ()


def test_authors_by_reference() -> None:
    graph = {
        "@graph": [
            {"@type": "Article", "headline": "T", "author": {"@id": "#ann"}},
            {"@id": "#ann", "name": "Ann Berg"},
        ]
    }
    text = f'<html><head><script type="application/ld+json">{json.dumps(graph)}</script></head></html>'
    assert metadata(html.document_fromstring(text), now=NOW).authors == ("Ann Berg",)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-20", "2026-11-20"),
        ("2026-11-20T14:05", "2026-11-20T14:05:00"),
        ("2026-11-20 14:05:09", "2026-11-20T14:05:09"),
        ("2026-11-20T14:05:09.123Z", "2026-11-20T14:05:09.123000+00:00"),
        ("2026-11-20T14:05:09+0530", "2026-11-20T14:05:09+05:30"),
        ("2026-11-20T14:05:09-03", "2026-11-20T14:05:09-03:00"),
        ("2026-11-20T14:05:09 CET", "2026-11-20T14:05:09+01:00"),
        ("2026-11-20T14:05:09+01:00[Europe/Copenhagen]", "2026-11-20T14:05:09+01:00"),
        ("20261120T140509Z", "2026-11-20T14:05:09+00:00"),
        ("20.11.2026", "2026-11-20"),
        ("20/11/2026 14:05", "2026-11-20T14:05:00"),
        ("11/20/2026", "2026-11-20"),
        ("2026年11月20日 14:05", "2026-11-20T14:05:00"),
        ("Fri, 20 Nov 2026 14:05:09 +0100", "2026-11-20T14:05:09+01:00"),
        ("Fri Nov 20 14:05:09 CET 2026", "2026-11-20T14:05:09+01:00"),
        ("November 20, 2026 2:05 PM EST", "2026-11-20T14:05:00-05:00"),
        ("20 November 2026", "2026-11-20"),
        ("Freitag, 20. November 2026, 14:05 Uhr", "2026-11-20T14:05:00"),
        ("vendredi 20 novembre 2026 à 14h05", "2026-11-20T14:05:00"),
        ("20 de noviembre de 2026 a las 14:05", "2026-11-20T14:05:00"),
        ("fredag den 20. november 2026 kl. 14.05", "2026-11-20T14:05:00"),
        ("20 ноября 2026 г., 14:05", "2026-11-20T14:05:00"),
        ("14:05, 20 Nov 2026", "2026-11-20T14:05:00"),
        ("2026년 11월 20일 14:05", "2026-11-20T14:05:00"),
        # November in Poland, October in Croatia.
        ("20 listopada 2026", None),
        ("1795179909", "2026-11-20T13:05:09+00:00"),
        ("/Date(1795179909000)/", "2026-11-20T13:05:09+00:00"),
        ("1851-09-18", "1851-09-18"),
        # The future, with a day's grace.
        ("2026-11-22T11:00:00Z", "2026-11-22T11:00:00+00:00"),
        ("2026-11-22T13:00:00Z", None),
        ("2027-01-01", None),
        ("2026-11-31", None),
        ("2026-13-40", None),
        ("0001-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("9999999999", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates(text: str, value: str | None) -> None:
    assert dates.iso(text, NOW) == value


def test_a_date_of_the_same_day_that_says_more_is_taken() -> None:
    time = '<h1>T</h1><time datetime="2026-11-20T14:05:00+01:00">'
    found = page(body=time, headline="T", datePublished="2026-11-20")
    assert (found.published, found.sources["published"]) == ("2026-11-20T14:05:00+01:00", "time")
    assert page(body=time, headline="T", datePublished="2026-11-19").published == "2026-11-19"


def test_impossible_dates_give_way() -> None:
    head = meta("article:published_time", "2026-11-20T10:00:00Z")
    assert page(head, headline="T", datePublished="2206-11-20T10:00:00Z").published == "2026-11-20T10:00:00+00:00"
    assert page(headline="T", datePublished="soon", dateModified="2026-11-20").published is None


LONG = "<p>" + "The tower was opened by the king himself in front of many hundred people on " + "{}, it is said.</p>"


@pytest.mark.parametrize(
    ("body", "published", "modified"),
    [
        (
            "<h1>T</h1><span itemprop=datePublished content=2026-11-20T09:00+01:00>now</span>",
            "2026-11-20T09:00:00+01:00",
            None,
        ),
        ("<h1>T</h1><div itemprop='datePublished'>20 November 2026</div>", "2026-11-20", None),
        ("<h1>T</h1><time>20 November 2026</time>", "2026-11-20", None),
        ("<h1>T</h1><abbr class=published title=2026-11-20T09:00Z>today</abbr>", "2026-11-20T09:00:00+00:00", None),
        (
            "<h1>T</h1><p class=dateline>By Ann Berg | Published 20. november 2026 kl. 9.05</p>",
            "2026-11-20T09:05:00",
            None,
        ),
        ("<h1>T</h1><span class=post-date>Nov 20, 2026</span>", "2026-11-20", None),
        ("<h1>T</h1><p>20. November 2026</p>", "2026-11-20", None),
        ("<div class=meta><span property='dc:date'>2026-11-20</span></div><h1>T</h1>", "2026-11-20", None),
        # Marked as a change, by its names or by the words before it.
        (
            "<h1>T</h1><b itemprop=dateModified content=2026-11-20>a</b><b itemprop=datePublished>2026-11-19</b>",
            "2026-11-19",
            "2026-11-20",
        ),
        ("<h1>T</h1><p>Updated: <time datetime=2026-11-20>a</time></p>", None, "2026-11-20"),
        ("<h1>T</h1><p><span>Aktualisiert am</span> <time datetime=2026-11-20>a</time></p>", None, "2026-11-20"),
        ("<h1>T</h1><time class=updated datetime=2026-11-20>a</time>", None, "2026-11-20"),
        ("<h1>T</h1><p>Last modified 20 November 2026</p>", None, "2026-11-20"),
        # Inside the text, of a picture, of another article.
        ("<h1>T</h1>" + LONG.format("<time datetime=1871-05-01>1 May 1871</time>"), None, None),
        ("<h1>T</h1>" + LONG.format("<time>1 May 2019</time>"), None, None),
        ("<h1>T</h1><figure><figcaption><time datetime=2019-05-01>May</time></figcaption></figure>", None, None),
        ("<h1>T</h1><aside><time datetime=2026-11-20>a</time></aside>", None, None),
    ],
)
def test_dates_that_the_page_shows(body: str, published: str | None, modified: str | None) -> None:
    found = page(body=body)
    assert (found.published, found.modified) == (published, modified)


def test_language_is_checked_against_the_text() -> None:
    def found(lang: str, text: str) -> tuple[str | None, str | None]:
        tree = html.document_fromstring(f'<html lang="{lang}"><body><p>x</p></body></html>')
        made = metadata(tree, text=text, now=NOW)
        return made.language, made.doubts.get("language")

    assert found("da-DK", DANISH) == ("da-DK", None)
    assert found("en-US", DANISH) == ("da", "html lang: en-US")
    assert found("en", "Kort tekst.") == ("en", None)
    assert found("", ENGLISH) == ("en", None)
    assert found("xx", ENGLISH)[0] == "xx"
    assert found("nb-NO", DANISH) == ("nb-NO", None)


@pytest.mark.parametrize(
    ("declared", "tag"),
    [
        ("EN", "en"),
        ("pt_br", "pt-BR"),
        ("zh-hans-cn", "zh-Hans-CN"),
        ("de_DE.UTF-8", "de-DE"),
        ("utf-8", None),
        ("", None),
    ],
)
def test_language_tags(declared: str, tag: str | None) -> None:
    assert language.tag(declared) == tag


def test_addresses_are_absolute_and_sane() -> None:
    def canonical(href: str) -> str | None:
        return page(f'<link rel="canonical" href="{href}">').canonical_url

    assert canonical("/a?b=1#c") == "https://www.harbourpost.example/a?b=1"
    assert canonical("https://www.harbourpost.example/") is None
    assert canonical("javascript:alert(1)") is None
    assert canonical("http://[::1") is None
    assert canonical("http://host:99999/a") is None
    assert page(meta("og:image", "data:image/png;base64,AAAA"), headline="T", image={"url": "/i.png"}).image == (
        "https://www.harbourpost.example/i.png"
    )


@pytest.mark.parametrize(
    ("article", "head", "paywalled"),
    [
        ({"isAccessibleForFree": False}, "", True),
        ({"isAccessibleForFree": "http://schema.org/False"}, "", True),
        ({"isAccessibleForFree": True}, "", False),
        ({"isAccessibleForFree": True, "hasPart": {"isAccessibleForFree": False}}, "", True),
        ({}, meta("article:content_tier", "metered"), True),
        ({}, meta("article:content_tier", "free"), False),
        ({}, "", None),
    ],
)
def test_paywall(article: dict[str, Any], head: str, paywalled: bool | None) -> None:
    assert page(head, headline="T", **article).paywalled is paywalled


def test_section_from_the_breadcrumbs() -> None:
    steps = [{"item": {"name": "Home"}}, {"name": "Local"}, {"name": "Crane falls"}]
    script = json.dumps({"@type": "BreadcrumbList", "itemListElement": steps})
    assert page(f'<script type="application/ld+json">{script}</script>').section == "Local"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "url", "@id", "@type"]), inner)
    ),
    max_leaves=6,
)
FIELDS = st.dictionaries(
    st.sampled_from(
        [
            "headline",
            "author",
            "publisher",
            "datePublished",
            "image",
            "keywords",
            "articleSection",
            "inLanguage",
            "hasPart",
        ]
    ),
    JSON,
)
PIECES = """<h1> </h1> <article> <time\vdatetime='2026'> <span\vclass=byline>By\v <a\vrel=author> </a> <title> </title>
<meta\vproperty=og:title\vcontent='a\v|\vb'> <meta\vname=author\vcontent=',\v;'> <link\vrel=canonical\vhref='//['>
<meta\vproperty=article:published_time\vcontent=99999999999999> Ann\vBerg <svg><title> <!--\vc\v--> <?pi\vx?> &#0;
</p>"""
MARKUP = st.lists(
    st.sampled_from([piece.replace("\v", " ") for piece in re.split("[ \n]", PIECES)]) | st.text(max_size=10),
    max_size=20,
)


@given(FIELDS, MARKUP, st.text(max_size=40))
def test_never_raises(article: dict[str, object], markup: list[str], url: str) -> None:
    script = json.dumps({"@type": "Article", "headline": "x", **article}).replace("<", "\\u003c")
    text = f'<html><script type="application/ld+json">{script}</script>{"".join(markup)}</html>'
    try:
        tree = html.document_fromstring(text)
    except (ValueError, html.etree.ParserError):
        return  # what lxml cannot hold, no page can hold
    assert isinstance(metadata(tree, url, "".join(markup), now=NOW), Metadata)

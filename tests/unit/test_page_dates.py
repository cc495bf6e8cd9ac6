"""Which of the dates on a page is that of its article."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from lxml import html

from crawler.extraction.metadata import Metadata, metadata

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
STORY = "<p>The crane fell at noon, when the quay was nearly empty, and nobody was hurt, the harbour master said.</p>"
LINKED = "<a href=/b>Ferry to the island did not sail on Tuesday</a>"


def read(body: str, lang: str = "en", url: str = "https://post.example/crane", head: str = "") -> Metadata:
    text = f'<html lang="{lang}"><head><title>Crane falls</title>{head}</head><body>{body}</body></html>'
    return metadata(html.document_fromstring(text), url, now=NOW)


def dates(body: str, lang: str = "en", url: str = "https://post.example/crane") -> tuple[str | None, str | None]:
    found = read(body, lang, url)
    return found.published, found.modified


@pytest.mark.parametrize(
    ("lang", "line", "published", "modified"),
    [
        ("en", "By Ann Berg | Nov. 18, 2026 at 2:05 p.m. ET", "2026-11-18T14:05:00-05:00", None),
        (
            "en",
            "Published: 18 November 2026 | Updated: 19 November 2026, 15:10 GMT",
            *("2026-11-18", "2026-11-19T15:10:00+00:00"),
        ),
        ("en", "Updated 19 Nov 2026, first published 18 Nov 2026", "2026-11-18", "2026-11-19"),
        ("en", "Published 18 November 2026, updated 15:10", "2026-11-18", None),
        (
            "de",
            "Veröffentlicht am 18.11.2026, aktualisiert am 19.11.2026 um 15:10 Uhr",
            "2026-11-18",
            "2026-11-19T15:10:00",
        ),
        ("fr", "Publié le 18 novembre 2026 à 14h05 - Mis à jour le 19/11/2026", "2026-11-18T14:05:00", "2026-11-19"),
        ("es", "Actualizado el 19 de noviembre de 2026", None, "2026-11-19"),
        ("pl", "18 listopada 2026, ostatnia aktualizacja 19 listopada 2026 15:10", "2026-11-18", "2026-11-19T15:10:00"),
        ("ru", "18 ноября 2026, 14:05 (обновлено 19 ноября 2026)", "2026-11-18T14:05:00", "2026-11-19"),
        ("ko", "입력 2026.11.18 오후 2:05 | 수정 2026.11.19 오전 9:10", "2026-11-18T14:05:00", "2026-11-19T09:10:00"),
        ("zh", "来源：港口新闻 2026年11月18日 14:05", "2026-11-18T14:05:00", None),
        ("ja", "公開 2026年11月18日 14時05分 / 更新 2026年11月19日", "2026-11-18T14:05:00", "2026-11-19"),
        ("ar", "نشر في 18 نوفمبر 2026", "2026-11-18", None),
        ("en", "Event date: 18 November 2026", None, None),
        ("en", "18 November 2026 – 20 November 2026", None, None),
        ("en", "Retrieved 18 November 2026", None, None),
        ("de", "vor 3 Stunden", None, None),
    ],
)
def test_a_line_below_the_headline(lang: str, line: str, published: str | None, modified: str | None) -> None:
    for shape in ("<p class=dateline>{}</p>", "<div class='article-date'>{}</div>", "<address>{}</address>"):
        assert dates(f"<h1>Crane falls</h1>{shape.format(line)}{STORY}", lang) == (published, modified)


@pytest.mark.parametrize(
    ("lang", "lines", "published", "modified"),
    [
        (
            "da",
            "<p>Af Ann Berg, 18. nov. 2026 kl. 14.05. Opdateret 19. nov. 2026 kl. 9.10</p>",
            *("2026-11-18T14:05:00", "2026-11-19T09:10:00"),
        ),
        ("it", "<p>di Ann Berg</p><p>18 novembre 2026 - Aggiornato alle 15:10</p>", "2026-11-18", None),
        ("ko", "<p>기사입력 2026-11-18 14:05</p><p>최종수정 2026-11-19</p>", "2026-11-18T14:05:00", "2026-11-19"),
        ("ja", "<p>掲載日：2026/11/18 更新日：2026/11/19</p>", "2026-11-18", "2026-11-19"),
        ("zh", "<div>2026-11-18 14:05:09 来源: 港口新闻</div>", "2026-11-18T14:05:09", None),
        ("th", "<p>18 พฤศจิกายน 2569 เวลา 14:05 น.</p>", "2026-11-18T14:05:00", None),
        (
            "en",
            "<dl><dt>Published</dt><dd>18 November 2026</dd><dt>Updated</dt><dd>19 Nov 2026</dd></dl>",
            *("2026-11-18", "2026-11-19"),
        ),
        ("en", "<ul><li>Ann Berg</li><li>18 November 2026</li><li>5 min read</li></ul>", "2026-11-18", None),
        ("en", "<p>On 18 June 2015 it began.</p>", None, None),
        ("en", "<p>The battle of 18 June 1815 was long.</p>", None, None),
        ("en", "<p>The concert takes place on Saturday, 14 November 2026.</p>", None, None),
    ],
)
def test_lines_that_nothing_marks(lang: str, lines: str, published: str | None, modified: str | None) -> None:
    assert dates(f"<h1>Crane falls</h1>{lines}<p>Text</p>", lang) == (published, modified)


@pytest.mark.parametrize(
    ("markup", "published"),
    [
        ("<time datetime=2026-11-18T14:05>3 hours ago</time>", "2026-11-18T14:05:00"),
        ("<time datetime=2026-11-18>18 November 2026, 14:05</time>", "2026-11-18T14:05:00"),
        ("<abbr title='2026-11-18T14:05:00Z'>vor 3 Stunden</abbr>", "2026-11-18T14:05:00+00:00"),
        ("<address>Ann Berg, <time>18 November 2026</time></address>", "2026-11-18"),
        ("<span data-timestamp=1795010709>3 hours ago</span>", "2026-11-18T14:05:09+00:00"),
        ("<span data-datetime=1795010709000>3 hours ago</span>", "2026-11-18T14:05:09+00:00"),
        ("<div class=date><b>18</b><b>Nov</b><b>2026</b></div>", "2026-11-18"),
        ("<div class=date><span>Nov</span> <span>18</span>, <span>2026</span></div>", "2026-11-18"),
        ("<p><span class=date>18.11.2026</span> <span class=hour>14:05</span></p>", "2026-11-18T14:05:00"),
        ("<div class=meta><span>By Ann Berg</span><span>18 November 2026</span></div>", "2026-11-18"),
        ("<div itemprop=datePublished content=2026-11-18T14:05:00+01:00></div>", "2026-11-18T14:05:00+01:00"),
        ("<span itemprop=startDate content=2026-11-18></span>", None),
        ("<time itemprop=dateModified datetime=2026-11-18></time>", None),
        ("<time datetime=2027-11-18>18 November</time>", None),
    ],
)
def test_a_date_by_its_markup(markup: str, published: str | None) -> None:
    assert read(f"<h1>Crane falls</h1>{markup}{STORY}").published == published


@pytest.mark.parametrize(
    "other",
    [
        f"<div class=more><div><time datetime=2026-11-17>a</time>{LINKED}</div></div>",
        f"<ul><li>{LINKED} <span class=date>17 November 2026</span></li></ul>",
        "<div class=box><time datetime=2026-11-17>a</time><h3><a href=/b>Ferry</a></h3></div>",
        "<div id=comments><p class=date>17 November 2026</p></div>",
        "<ol class=kommentare><li><time datetime=2026-11-17></time> Bo: Well!</li></ol>",
        "<div itemscope itemtype='https://schema.org/Comment'><time datetime=2026-11-17></time></div>",
        "<div itemscope itemtype='https://schema.org/MusicEvent'><time datetime=2026-11-17></time></div>",
        "<div class=event-date>17 November 2026</div>",
        "<div class=events><div><time datetime=2026-11-17>17</time> Concert</div></div>",
        "<section class=replies><article><time datetime=2026-11-17>a</time> Well!</article></section>",
        "<p class=update-note>© 17 November 2026 Harbour Post</p>",
        "<footer><time datetime=2026-11-17></time></footer>",
        "<div>Copyright <span class=date>17 November 2026</span></div>",
    ],
)
def test_a_date_of_something_else(other: str) -> None:
    assert dates(f"<article><h1>Crane falls</h1>{STORY}</article>{other}") == (None, None)
    own = "<time datetime=2026-11-18>a</time>"
    assert read(f"{other}<article><h1>Crane falls</h1>{own}{STORY}</article>{other}").published == "2026-11-18"


@pytest.mark.parametrize(
    "tools",
    [
        "<h6>Size: <a href=#>T</a> | <a href=#>T</a> <a href=#c>3 comments</a> <a href=#p>Print</a></h6>",
        "<h6>字号:<span><a href=#>T</a></span>|<a href=#>T</a> <a href=#c>0人参与</a> <a href=#p>打印</a></h6>",
        "<h5><a href=#>A+</a></h5>",
    ],
)
def test_buttons_in_a_heading_are_no_teaser(tools: str) -> None:
    line = f"<div id=info><p><span>2026年11月18日 16:49</span><br>来源：<a href=/p>海港邮报</a></p>{tools}</div>"
    assert dates(f"<article><h1>Crane falls</h1>{line}{STORY}</article>") == ("2026-11-18T16:49:00", None)


def test_the_date_of_today_in_the_head_of_the_site_is_none() -> None:
    masthead = "<header><a href=/>Harbour Post</a><time>Sunday 29 November 2026</time></header>"
    assert read(f"{masthead}<h1>Crane falls</h1>{STORY}").published is None
    assert read(f"{masthead}<article><header><time>18 Nov 2026</time><h1>Crane falls</h1></header>").published == (
        "2026-11-18"
    )


def test_the_date_below_the_headline_comes_before_one_above() -> None:
    above, below = "<div class=date>29 November 2026</div>", "<div class=date>18 November 2026</div>"
    assert read(f"{above}<h1>Crane falls</h1>{below}{STORY}").published == "2026-11-18"
    assert read(f"{below}<h1>Crane falls</h1>{STORY}").published == "2026-11-18"


@pytest.mark.parametrize(
    ("lang", "url", "published"),
    [
        ("en-US", "https://post.example/crane", "2026-03-11"),
        ("en-GB", "https://post.example/crane", "2026-11-03"),
        ("en", "https://www.post.co.uk/crane", "2026-11-03"),
        ("en", "https://www.post.com.au/crane", "2026-11-03"),
        ("fr", "https://post.example/crane", "2026-11-03"),
    ],
)
def test_digits_are_read_as_the_country_writes_them(lang: str, url: str, published: str) -> None:
    assert read(f"<h1>Crane falls</h1><p class=date>03/11/2026</p>{STORY}", lang, url).published == published


def test_the_address_has_the_last_word() -> None:
    url = "https://post.example/2026/11/18/crane"
    found = read(f"<h1>Crane falls</h1>{STORY}", url=url)
    assert (found.published, found.sources["published"]) == ("2026-11-18", "address")
    assert read(f"<h1>Crane falls</h1><time>17 Nov 2026</time>{STORY}", url=url).published == "2026-11-17"
    assert read(STORY, url="https://post.example/2026/13/40/crane").published is None


def test_the_page_itself_has_a_date_where_no_article_is_described() -> None:
    page = {"@type": "WebPage", "datePublished": "2026-11-18T14:05:00+01:00", "dateModified": "2026-11-19T10:00:00Z"}
    script = f'<script type="application/ld+json">{json.dumps({"@graph": [{"@type": "WebSite"}, page]})}</script>'
    found = read(f"<h1>Crane falls</h1>{STORY}", head=script)
    assert (found.published, found.modified) == ("2026-11-18T14:05:00+01:00", "2026-11-19T10:00:00+00:00")

"""Pages that are no articles: how they are known, and that their text is no worse than trafilatura's own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crawler.extraction import extract
from crawler.extraction.trafilatura_text import opinion
from crawler.html.document import parse
from storage.model import DOUBTFUL

URL = "https://shop.example/things/1"
PARAGRAPHS = [
    f"The rope number {number} is made of hemp from the coast and holds {number} times the weight of a fishing boat."
    for number in range(2, 9)
]
TEXT = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
MENU = "<nav><a href=/>Home</a> <a href=/b>Basket</a></nav>"


def page(body: str = TEXT, head: str = "", attributes: str = "", **described: Any) -> str:
    script = f'<script type="application/ld+json">{json.dumps(described)}</script>' if described else ""
    return (
        f"<!doctype html><html lang=en><head><title>Hemp rope</title>{head}{script}</head><body>{MENU}"
        f"<main {attributes}><h1>Hemp rope</h1>{body}</main></body></html>"
    )


def typed(kind: str, **more: Any) -> dict[str, Any]:
    return {"@context": "https://schema.org", "@type": kind, "name": "Hemp rope", **more}


def method(html: str) -> str:
    extractor = extract(html, URL).extractor
    assert extractor is not None
    return extractor.method


@pytest.mark.parametrize(
    ("html", "kind"),
    [
        (page(**typed("Product")), "product"),
        (page(**typed("ProductGroup", hasVariant=[typed("Product")])), "product"),
        (page(attributes="itemscope itemtype='https://schema.org/Product'"), "product"),
        (page(head='<meta property="og:type" content="product.item">'), "product"),
        (page(**typed("CollectionPage", mainEntity=typed("ItemList"))), "collection page"),
        (page(**typed("SearchResultsPage")), "collection page"),
        (page(**typed("DiscussionForumPosting", headline="Which rope?", datePublished="2026-11-18")), "forum thread"),
        (page(**typed("QAPage", mainEntity=typed("Question"))), "forum thread"),
        (page(**typed("Service")), "service page"),
        (page(**typed("ProfilePage")), "profile"),
        (page(head='<meta name=generator content="Docusaurus v3.1">'), "documentation"),
        (page(head='<meta name="generator" content="Sphinx 7.2">'), "documentation"),
    ],
)
def test_what_a_page_says_it_is(html: str, kind: str) -> None:
    article = extract(html, URL)
    assert method(html) == f"trafilatura: a {kind}"
    assert all(text in article.text for text in PARAGRAPHS)
    # Nobody has measured how sure trafilatura's text is.
    assert article.confidence is not None


@pytest.mark.parametrize(
    "html",
    [
        page(**typed("NewsArticle", headline="Hemp rope", datePublished="2026-11-18")),
        # A test of a product, an article about one, an article beside a shop.
        page(**typed("Review", itemReviewed=typed("Product"))),
        page(**typed("NewsArticle", headline="Hemp rope", about=typed("Product"), mentions=[typed("Service")])),
        page(**typed("WebSite"), hasPart=[typed("NewsArticle", headline="Hemp rope"), typed("Product")]),
        page(head='<meta property="og:type" content="article">', **typed("Product")),
        page(head='<meta property="article:published_time" content="2026-11-18">', **typed("CollectionPage")),
        page(attributes="itemscope itemtype='https://schema.org/NewsArticle'", **typed("Product")),
        # Another thing on the page, beside its headline.
        page(TEXT + "<div itemscope itemtype='https://schema.org/Product'><b>Rope</b></div>"),
        page(**typed("WebSite", publisher=typed("Organization"))),
        page(**typed("FAQPage")),
    ],
)
def test_an_article_stays_one(html: str) -> None:
    assert method(html) == "model"


def test_the_answers_of_a_thread_belong_to_it() -> None:
    answers = "".join(f"<li class=comment><p>{text}</p></li>" for text in PARAGRAPHS[3:])
    body = "".join(f"<p>{text}</p>" for text in PARAGRAPHS[:3]) + f"<div id=comments><ol>{answers}</ol></div>"
    thread = extract(page(body, **typed("DiscussionForumPosting")), URL)
    assert all(text in thread.text for text in PARAGRAPHS)


@pytest.mark.parametrize("kind", ["Product", "CollectionPage", "Service", "ProfilePage"])
def test_as_much_as_trafilatura_has(kind: str) -> None:
    rows = "".join(f"<tr><th>Length {n}</th><td>{n} metres of three strands</td></tr>" for n in range(2, 8))
    cards = "".join(f"<div class=card><h3><a href=/{n}>Rope {n}</a></h3><p>{n} crowns</p></div>" for n in range(2, 8))
    html = page(f"<p>{PARAGRAPHS[0]}</p><table>{rows}</table><div class=cards>{cards}</div>", **typed(kind))
    tree = parse(html)
    assert tree is not None
    found = {line.strip(" -|#") for line in opinion(tree, "default").splitlines()} - {""}
    text = extract(html, URL).text
    assert {line for line in found if line not in text and "|" not in line} == set()


def teasers(number: int, shape: str = "<div><h3><a href=/{n}>{headline}</a></h3><p>{text}</p></div>") -> str:
    """As many headlines that lead on, each with a paragraph."""
    headlines = [
        f"The town hears of rope for the {day} time" for day in ("first", "second", "third", "fourth", "fifth")
    ]
    cards = (shape.format(n=n, headline=headlines[n % 5], text=PARAGRAPHS[n % len(PARAGRAPHS)]) for n in range(number))
    return "".join(cards)


@pytest.mark.parametrize(
    "shape",
    [
        "<div class=card><h3><a href=/{n}>{headline}</a></h3><p>{text}</p></div>",
        "<article><h2><a href=/{n}>{headline}</a></h2><i>2026</i><p>{text} <a href=/{n}>More</a></p></article>",
        "<ul><li><div><h3><a href=/{n}>{headline}</a></h3></div><div><div>{text}</div></div></li></ul>",
        "<a href=/{n}><b>{headline}</b></a><br>{text}<hr>",
    ],
)
def test_a_page_that_does_nothing_but_lead_to_others(shape: str) -> None:
    article = extract(page(teasers(8, shape)), URL)
    assert method(page(teasers(8, shape))) == "trafilatura: a collection page"
    assert article.confidence is not None
    assert article.confidence < DOUBTFUL


def test_a_list_of_pages_with_an_introduction_is_in_doubt() -> None:
    shape = "<a href=/{n}><b>{headline}</b></a><br>{text}<hr>"
    article = extract(page(f"<p>{PARAGRAPHS[0]}</p>{teasers(9, shape)}"), URL)
    assert PARAGRAPHS[0] in article.text
    assert article.confidence is not None
    assert article.confidence < DOUBTFUL


@pytest.mark.parametrize(
    "html",
    [
        # A short article above what else there is, one of sections, a review of the papers, a count of places.
        page(f"<p>{PARAGRAPHS[0]}</p>{teasers(9)}"),
        page(teasers(9, "<h3>{headline}</h3><p>{text}</p>")),
        page(teasers(9, "<h3><a href=https://n{n}.example/>{headline}</a></h3><p>{text}</p>")),
        page(teasers(9, "<h3><a href=/{n}>{n}. {headline}</a></h3><p>{text}</p>")),
        page(teasers(9), **typed("NewsArticle", headline="Hemp rope", datePublished="2026-11-18")),
        page(teasers(4)),
    ],
)
def test_what_looks_like_a_list_of_pages_and_is_none(html: str) -> None:
    assert "collection page" not in method(html)
    assert PARAGRAPHS[0] in extract(html, URL).text


def test_a_doubtful_page_that_does_not_say_what_it_is() -> None:
    slogans = [f"Ropes for every boat, number {number} of the coast" for number in range(9)]
    body = "".join(f"<div class=tile><h2>{text}</h2><p>Try it. It holds.</p></div>" for text in slogans)
    doubtful = extract(page(body), URL)
    assert doubtful.extractor is not None
    assert doubtful.extractor.method.startswith("trafilatura: ")
    assert doubtful.confidence is not None and doubtful.confidence < 0.5
    assert doubtful.text
    dated = page(body, head='<meta property="article:published_time" content="2026-11-18">')
    assert not method(dated).startswith("trafilatura: in doubt")

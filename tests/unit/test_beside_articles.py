"""What stands beside an article, and there is more of it than of the article: teasers, comments, hidden text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.extraction import extract
from storage.model import Article

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
URL = "https://gazette.example/news/1"
NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
TELLS = [
    f"On day {number} the {number} ferry of the harbour left {number} minutes late, said captain {number}, who was ill."
    for number in NUMBERS
]
STORY = "".join(f"<p>{text}</p>" for text in TELLS[:2])
TITLE = "Ferries leave the harbour late again this week"
OTHERS = [
    (
        f"Council {number} mends the bridge over the river",
        f"The council of town {number} has mended {number} bridges, and mends {number} more, said {number} men.",
    )
    for number in NUMBERS[:8]
]


def page(markup: str, title: str = f"{TITLE} - Gazette") -> Article:
    return extract(f"<html lang=en><title>{title}</title><body>{markup}", URL, now=NOW)


def kept(markup: str) -> list[str]:
    return [block.text for block in page(markup).blocks if block.kept and block.text != TITLE]


def row(item: str) -> str:
    return "".join(item.format(at=at, headline=headline, text=text) for at, (headline, text) in enumerate(OTHERS))


@pytest.mark.parametrize(
    "item",
    [
        "<article class=card><h3><a href=/{at}>{headline}</a></h3><p>{text}</p></article>",
        "<div class='k k{at}'><a href=/{at}>{headline}</a><div>{text}</div></div>",
        "<li><p><b><a href=https://www.gazette.example/{at}>{headline}</a></b></p><p>{text}</p></li>",
        "<a href=/{at}><h3>{headline}</h3><p>{text}</p></a>",
    ],
)
@pytest.mark.parametrize("above", ["", "{row}"])
def test_teasers_are_not_the_text_of_a_short_article(item: str, above: str) -> None:
    teasers = f"<section>{row(item)}</section>"
    story = f"<div class=a><h1>{TITLE}</h1>{STORY}</div>"
    assert kept(teasers + story if above else story + teasers) == TELLS[:2]


def test_teasers_are_told_under_a_headline_that_is_no_heading() -> None:
    item = "<div class=i><a href=/{at}>{headline}</a><div>{text}</div></div>"
    assert kept(f"<div class=a><div>{TITLE}</div><div>{TELLS[0]}</div></div><div>{row(item)}</div>") == TELLS[:1]


def test_what_an_article_lists_under_its_headline_is_its_text() -> None:
    item = "<div class=place><h3><a href=/places/{at}>{headline}</a></h3><p>{text}</p></div>"
    found = kept(
        f"<article><h1>{TITLE}</h1><div class=body><p>{TELLS[0]}</p>{row(item)}<p>{TELLS[1]}</p></div></article>"
    )
    assert all(text in found for _, text in OTHERS)


def test_a_list_that_says_it_is_one_keeps_its_teasers() -> None:
    item = "<article class=card><h3><a href=/{at}>{headline}</a></h3><p>{text}</p></article>"
    says = '<script type="application/ld+json">{"@type": "CollectionPage"}</script>'
    found = kept(f"{says}<div><h1>{TITLE}</h1><p>{TELLS[0]}</p></div><section>{row(item)}</section>")
    assert OTHERS[3][1] in found


@pytest.mark.parametrize("heading", ["Comments (8)", "8 comments", "Kommentare", "Комментарии: 8", "网友评论"])
def test_comments_are_told_by_their_heading(heading: str) -> None:
    said = "".join(f"<div class=m><b>Reader</b><p>{text}</p></div>" for _, text in OTHERS)
    assert kept(f"<div><h1>{TITLE}</h1>{STORY}</div><div id=d><div class=h>{heading}</div>{said}</div>") == TELLS[:2]


def test_an_opinion_is_no_comment_of_a_reader() -> None:
    story = "".join(f"<p>{text}</p>" for text in TELLS[:6])
    assert kept(f"<div><h4>Kommentar</h4><h1>{TITLE}</h1>{story}</div>") == TELLS[:6]
    named = f"<div class=comment-article><h1>{TITLE}</h1><div class=comment-body-text>{story}</div></div>"
    assert kept(named) == TELLS[:6]


def test_an_article_that_a_script_is_to_show_is_found_behind_its_first_lines() -> None:
    story = "".join(f"<p class=par>{text}</p>" for text in TELLS[1:9])
    hidden = f'<div class=body style="display:none">{story}</div>'
    assert kept(f"<div class=art><h1>{TITLE}</h1><div class=lead><p>{TELLS[0]}</p></div>{hidden}</div>") == TELLS[:9]


def test_hidden_terms_beside_a_short_article_are_not_its_text() -> None:
    terms = "".join(f"<p>{text}</p>" for _, text in OTHERS)
    found = kept(f'<main><h1>{TITLE}</h1>{STORY}</main><div class=t style="display:none"><h2>Terms</h2>{terms}</div>')
    assert found == TELLS[:2]


DISCUSSED = (
    "<li><div class=who>Reader {at}, 1{at}:30</div><p>{text}</p><a href=#r{at}>Reply</a></li>",
    "<div class=comment-body><b>Reader</b><div>{at} days ago</div><p>{text}</p></div>",
)


@pytest.mark.parametrize("item", DISCUSSED)
@pytest.mark.parametrize("heading", ["Discussion", "Diskussion (8)", "Réactions", "Обсуждение", "نقاش", "讨论", "토론"])
def test_a_discussion_is_told_by_who_said_it_and_when(heading: str, item: str) -> None:
    thread = f"<div id=d><h3>{heading}</h3><ul>{row(item)}</ul></div>"
    assert kept(f"<div><h1>{TITLE}</h1>{STORY}</div>{thread}") == TELLS[:2]


@pytest.mark.parametrize(
    "item",
    [
        "<p>{text}</p>",
        "<li><b>Mayor {at}</b>: {text}</li>",
        # The entries of a day, with nothing to answer with.
        "<div class=entry><time>1{at}:30</time><p>{text}</p></div>",
    ],
)
@pytest.mark.parametrize("heading", ["Discussion", "Reaktionen", "Réactions (3)"])
def test_what_an_article_discusses_is_its_text(heading: str, item: str) -> None:
    found = kept(f"<article><h1>{TITLE}</h1>{STORY}<section><h2>{heading}</h2>{row(item)}</section></article>")
    assert all(any(text in line for line in found) for _, text in OTHERS)

"""The rules beside the model: copies, prompts, the next article, what belongs together."""

from __future__ import annotations

import pytest

from crawler.extraction.classify.copies import copies
from crawler.extraction.classify.next_article import next_articles
from crawler.extraction.classify.prompts import prompts
from crawler.html.blocks import cut
from crawler.html.document import body, parse
from crawler.html.elements import Cut

NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
#: Twelve paragraphs of which no two share a run of four words.
PARAGRAPHS = [
    f"On day {number} the {number} ferry of the {number} harbour left {number} minutes late, said captain {number}."
    for number in NUMBERS
]
STORY = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)


URL = "https://gazette.example/news/1"


def cuts(markup: str) -> list[Cut]:
    tree = parse(f"<!doctype html><html><body>{markup}</body></html>")
    assert tree is not None
    return cut(body(tree))


def without(markup: str, rule: object, *more: object) -> list[str]:
    """What is left of a page of which everything had been kept."""
    found = cuts(markup)
    gone = set(rule(found, [one.excluded is None for one in found], *more))  # type: ignore[operator]
    return [one.text for at, one in enumerate(found) if at not in gone and one.excluded is None]


@pytest.mark.parametrize(
    "copy",
    [
        f'<div style="display:none">{" ".join(PARAGRAPHS)}</div>',
        f"<div id=print>{STORY}</div>",
        f"<div>{'<br>'.join(PARAGRAPHS)}</div>",
        f"<div class=amp><section>{STORY}</section></div>",
    ],
)
@pytest.mark.parametrize("first", [False, True])
def test_a_page_that_holds_its_article_twice_keeps_it_once(copy: str, first: bool) -> None:
    story = f"<main><h1>Late ferries</h1>{STORY}</main>"
    kept = without(copy + story if first else story + copy, copies)
    assert sorted(kept) == sorted(["Late ferries", *PARAGRAPHS])


def test_a_preview_before_the_hidden_whole_goes() -> None:
    half = "".join(f"<p>{text}</p>" for text in PARAGRAPHS[:9])
    assert without(f"<div>{half}</div><div hidden>{STORY}</div>", copies) == PARAGRAPHS


def test_what_stands_in_a_copy_alone_stays() -> None:
    kept = without(f"<div>{STORY}</div><div>{STORY}<p>Only in the second version of it all.</p></div>", copies)
    assert kept == [*PARAGRAPHS, "Only in the second version of it all."]


def test_of_three_copies_one_stays() -> None:
    assert without(f"<div>{STORY}</div>" * 3, copies) == PARAGRAPHS


def test_a_quotation_and_a_refrain_are_no_copies() -> None:
    quoted = f"<p>{PARAGRAPHS[0]}</p>{STORY}<blockquote>{PARAGRAPHS[3]}</blockquote><p>{PARAGRAPHS[4]}</p>"
    assert len(without(quoted, copies)) == len(PARAGRAPHS) + 3


def test_one_caption_under_twelve_pictures_stands_once() -> None:
    figure = "<figure><img src=a><figcaption>The harbour on Monday</figcaption></figure>"
    assert without(figure * 12, copies) == ["The harbour on Monday"]


@pytest.mark.parametrize(
    "prompt",
    [
        '<p><strong>Read also:</strong> <a href="/b">School roof collapses in storm</a></p>',
        '<p>Læs også: <a href="/b">Taget på skolen styrter sammen i stormen</a></p>',
        '<p><a href="/b">MORE: School roof collapses in the storm</a></p>',
        '<p>Читайте также: <a href="/b">Крыша школы обрушилась во время бури</a></p>',
        '<p>関連記事：<a href="/b">嵐で学校の屋根が崩れる</a></p>',
        '<p>Lire aussi :<br><a href="/b">Le toit d’une école s’effondre dans la tempête</a></p>',
        '<p>Read also: <a href="https://www.gazette.example/b">School roof collapses in storm</a></p>',
        '<p>See also:</p><p><a href="/b">School roof collapses in storm</a></p>',
    ],
)
def test_a_prompt_to_another_article_goes(prompt: str) -> None:
    assert without(f"<p>{PARAGRAPHS[0]}</p>{prompt}<p>{PARAGRAPHS[1]}</p>", prompts, URL) == PARAGRAPHS[:2]


@pytest.mark.parametrize(
    "told",
    [
        '<p>Tickets: <a href="https://www.harbour.example/tickets">www.harbour.example/tickets</a></p>',
        '<p>Source: <a href="/b">Statistics Office</a></p>',
        '<p>The mayor of the old harbour town said: <a href="/b">we will build it again next year</a></p>',
        '<p>Best for ships: <a href="https://shop.example/lamp">The new harbour lamp, second model</a></p>',
        '<p>Step two: <a href="#two">how to find the right harbour</a></p>',
        '<p>Note: the <a href="/b">report of the harbour council</a> is not yet public.</p>',
    ],
)
def test_a_link_of_the_text_stays(told: str) -> None:
    assert len(without(f"<p>{PARAGRAPHS[0]}</p>{told}", prompts, URL)) == 2


NEXT = "".join(f"<p>The roof of school number {number} fell {number} days ago in the storm.</p>" for number in NUMBERS)


@pytest.mark.parametrize(
    "page",
    [
        "<main><article><h1>Late ferries</h1>{0}</article><article><h1>Roofs fall</h1>{1}</article></main>",
        "<div class=article-body><h1>Late ferries</h1>{0}</div><div class=article-body><h1>Roofs fall</h1>{1}</div>",
        "<div><h1>Late ferries</h1><article>{0}</article></div><div><h1>Roofs fall</h1><article>{1}</article></div>",
    ],
)
def test_the_next_article_is_not_the_page_s(page: str) -> None:
    kept = without(page.format(STORY, NEXT), next_articles, "Late ferries | Coast Gazette")
    assert kept in (["Late ferries", *PARAGRAPHS], PARAGRAPHS)
    kept = without(page.format(NEXT, STORY), next_articles, "Roofs fall | Coast Gazette")
    assert "Late ferries" not in kept[:1]


@pytest.mark.parametrize(
    "page",
    [
        "<article><section><h1>Late ferries</h1>{0}</section><section><h1>Why</h1>{1}</section></article>",
        "<h1>Coast Gazette</h1><article><h1>Late ferries</h1>{0}{1}</article>",
        "<article><h1>Late ferries</h1>{0}<h1>Why</h1>{1}</article>",
    ],
)
def test_sections_with_top_headings_are_one_article(page: str) -> None:
    found = page.format(STORY, NEXT)
    assert len(without(found, next_articles, "Late ferries")) == len(cuts(found))


@pytest.mark.parametrize(
    ("words", "before"),
    [("Read also", "<p>{words} <a href=/2>The bridge over the river is closed again</a></p>")]
    + [
        (
            words,
            "<p><b>{words}</b></p><ul><li><a href=/2>The bridge is shut</a></li><li><a href=/3>Rain</a></li></ul>",
        )
        for words in ("อ่านเพิ่มเติม", "Διαβάστε επίσης:", "Lesen Sie auch", "延伸阅读")
    ],
)
def test_read_also_goes_without_a_colon(words: str, before: str) -> None:
    assert (
        without(f"<p>{PARAGRAPHS[0]}</p>{before.format(words=words)}<p>{PARAGRAPHS[1]}</p>", prompts, URL)
        == PARAGRAPHS[:2]
    )


def test_a_sentence_that_begins_like_read_also_stays() -> None:
    told = "Read more books, said the teacher of <a href=/2>the school by the river</a> when the library was opened."
    page = f"<p>{PARAGRAPHS[0]}</p><p>{told}</p><p>See also:</p><p>{PARAGRAPHS[1]}</p>"
    assert len(without(page, prompts, URL)) == 4

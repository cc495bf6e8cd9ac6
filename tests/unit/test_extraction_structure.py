"""What belongs together: rows, lists, key points, headings, beginnings; and an article that was nearly lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from crawler.extraction.classify import structure
from crawler.extraction.classify.lost import is_little, is_lost
from crawler.extraction.classify.structure import Judged
from crawler.html.blocks import cut
from crawler.html.document import body, parse
from storage.model import Block, Reason

ONE = "The harbour council voted on Tuesday to repair the old lighthouse before the winter storms begin."
TWO = "Work is expected to take four months, the council said in a statement after the meeting."
LONG = f"<p>{ONE}</p><p>{TWO}</p>"


def judged(markup: str, answers: dict[str, float] | None = None, *, kept: Iterable[str] = (ONE, TWO)) -> Judged:
    tree = parse(f"<!doctype html><html><body>{markup}</body></html>")
    assert tree is not None
    cuts = cut(body(tree))
    known = answers or {}
    return Judged(cuts, [known.get(one.text, 0.01) for one in cuts], [one.text in set(kept) for one in cuts])


def added(page: Judged, rule: Callable[..., Iterable[int]], *more: str) -> list[str]:
    return [page.cuts[at].text for at in rule(page, *more)]


def table(*cells: tuple[str, str]) -> str:
    return "<table>" + "".join(f"<tr><td>{one}</td><td>{two}</td></tr>" for one, two in cells) + "</table>"


def test_a_table_is_whole_or_absent() -> None:
    rows = table(("Monday", "10 to 12"), ("Tuesday", "closed"), ("Wednesday", "<a href=/w>see there</a>"))
    assert added(judged(LONG + rows, kept=("Monday | 10 to 12", "Wednesday | see there")), structure.tables) == [
        "Tuesday | closed"
    ]
    assert added(judged(LONG + rows, kept=("Monday | 10 to 12",)), structure.tables) == []


def items(*texts: str) -> str:
    return "<ul>" + "".join(f"<li>{text}</li>" for text in texts) + "</ul>"


TOWERS = ("Northern Point", "Gull Rock", "Seal Sands")
ANNOUNCES = "Other towers under repair this year:"


@pytest.mark.parametrize("names", [TOWERS, [f"<a href=/{at}>{name}</a>" for at, name in enumerate(TOWERS)]])
def test_an_announced_list_belongs_to_its_sentence(names: tuple[str, ...]) -> None:
    page = judged(f"{LONG}<p>{ANNOUNCES}</p>{items(*names)}<p>{TWO}</p>", kept=(ONE, TWO, ANNOUNCES))
    assert added(page, structure.lists) == list(TOWERS)


def test_headlines_under_a_colon_are_left_to_the_model() -> None:
    headlines = [f"<a href=/{at}>Ferry line {at} cut to two crossings a day</a>" for at in range(3)]
    page = judged(f"{LONG}<p>{ANNOUNCES}</p>{items(*headlines)}<p>{TWO}</p>", kept=(ONE, TWO, ANNOUNCES))
    assert added(page, structure.lists) == []


SAYS = ("Bring a lamp and a warm coat.", "Leave the dog at home with friends.")


def test_a_list_amid_the_text_belongs_to_it() -> None:
    assert added(judged(f"{LONG}{items(*SAYS)}<p>{TWO}</p>"), structure.lists) == list(SAYS)


@pytest.mark.parametrize(
    "markup",
    [
        f"{LONG}{items(*SAYS)}",
        f"{LONG}<div class=newsletter-signup>{items(*SAYS)}</div><p>{TWO}</p>",
        f"{LONG}<p>Something else that is left out.</p>{items(*SAYS)}<p>{TWO}</p>",
        f"{LONG}<div hidden>{items(*SAYS)}</div><p>{TWO}</p>",
        f"{LONG}<nav>{items(*SAYS)}</nav><p>{TWO}</p>",
    ],
)
def test_a_list_elsewhere_is_left_to_the_model(markup: str) -> None:
    assert added(judged(markup), structure.lists) == []


POINTS = (
    "Nokia dominated global phones until others eroded its share.",
    "It pivoted to networks and secured contracts in three countries.",
)


def test_key_points_under_the_headline_are_text() -> None:
    assert added(judged(f"<h1>Lighthouse</h1>{items(*POINTS)}{LONG}"), structure.key_points) == list(POINTS)
    linked = [f"<a href=/{at}>{text}</a>" for at, text in enumerate(POINTS)]
    assert added(judged(f"<h1>Lighthouse</h1>{items(*linked)}{LONG}"), structure.key_points) == []
    assert added(judged(f"{items(*POINTS)}<h1>Lighthouse</h1>{LONG}"), structure.key_points) == []


def test_headings_of_a_live_blog() -> None:
    posts = "".join(
        f"<article><time>1{at}:05</time><h2>Road {at} is closed</h2><p>{ONE}</p></article>" for at in range(4)
    )
    assert added(judged(f"<h1>Storm: live</h1>{posts}"), structure.headings) == [
        f"Road {at} is closed" for at in range(4)
    ]


def test_a_heading_over_what_was_left_out_is_none() -> None:
    related = "<h2>Most read</h2><p>Ferry line cut to two crossings</p><p>School roof falls</p>"
    assert added(judged(f"{LONG}{related}<h2>Why</h2>{LONG}"), structure.headings) == ["Why"]


LEAD = "Engineers have found deep cracks in the stone along the whole of its northern side."
MORE = "Residents had asked for the repair for several years, and handed over a long petition."


@pytest.mark.parametrize("name", ["teaser-content", "content-top", "x1"])
def test_a_beginning_of_several_paragraphs_in_another_container(name: str) -> None:
    page = judged(f"<h1>Lighthouse</h1><div class={name}><p>{LEAD}</p><p>{MORE}</p></div><div>{LONG}</div>")
    assert added(page, structure.beginning, "Something else.") == [LEAD, MORE]


def test_one_sentence_before_the_text_may_be_the_standfirst() -> None:
    markup = f"<h1>Lighthouse</h1><div><p>{LEAD}</p></div><div>{LONG}</div>"
    assert added(judged(markup), structure.beginning, "A description.") == []
    assert added(judged(markup), structure.beginning, "") == [LEAD]
    assert added(judged(markup, {LEAD: 0.2}), structure.beginning, "A description.") == [LEAD]


@pytest.mark.parametrize(
    "markup",
    [
        "<h1>Lighthouse</h1><div class=newsletter><p>{0}</p><p>{1}</p></div>{2}",
        "<div><p>{0}</p><p>{1}</p></div><h1>Lighthouse</h1>{2}",
        "<h1>Lighthouse</h1><div hidden><p>{0}</p><p>{1}</p></div>{2}",
    ],
)
def test_what_is_no_beginning(markup: str) -> None:
    assert added(judged(markup.format(LEAD, MORE, LONG)), structure.beginning, "") == []


def decided(page: Judged) -> list[Block]:
    pairs = zip(page.cuts, page.answers, page.kept, strict=True)
    return [Block(one.text, one.kind, kept, Reason("model", probability=answer)) for one, answer, kept in pairs]


STORY = [
    f"On day {number} ferry {number} of harbour {number} left {number} minutes late, again." for number in range(40)
]


def test_an_article_that_is_left_out_is_lost() -> None:
    page = judged("".join(f"<p>{text}</p>" for text in STORY), dict.fromkeys(STORY[:3], 0.9), kept=STORY[:3])
    blocks = decided(page)
    assert is_little(page.cuts, blocks)
    assert is_lost("\n".join(STORY), page.cuts, blocks)
    assert not is_lost("\n".join(STORY[:4]), page.cuts, blocks)
    assert not is_lost("", page.cuts, blocks)


def test_what_the_model_rules_out_beside_a_text_of_its_own_is_not_lost() -> None:
    markup = "".join(f"<p>{text}</p>" for text in STORY)
    sure = dict.fromkeys(STORY[:10], 0.9)
    page = judged(markup, sure, kept=STORY[:10])
    assert not is_lost("\n".join(STORY), page.cuts, decided(page))
    unsure = judged(markup, dict.fromkeys(STORY, 0.2) | sure, kept=STORY[:10])
    assert is_lost("\n".join(STORY), unsure.cuts, decided(unsure))


def test_a_part_that_rules_have_kept_does_not_speak_for_the_model() -> None:
    page = judged("".join(f"<p>{text}</p>" for text in STORY), kept=STORY[:15])
    assert is_lost("\n".join(STORY), page.cuts, decided(page))
    # What is kept of another text than trafilatura's speaks against that one.
    other = [
        f"Rope number {number} of the coast held {number} boats in {number} storms last year." for number in range(15)
    ]
    both = judged("".join(f"<p>{text}</p>" for text in [*other, *STORY]), kept=other)
    assert not is_lost("\n".join(STORY), both.cuts, decided(both))

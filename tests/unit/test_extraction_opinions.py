"""Trafilatura's opinions of a page and of a part of it, which are asked for together."""

from __future__ import annotations

import pytest

from crawler.extraction.trafilatura_text import first_opinion, first_opinions
from crawler.html.document import body, parse

_TEXT = "".join(
    f"<p>The harbour crane number {n} fell into the basin, and nobody was hurt, the port said.</p>" for n in range(8)
)
_COMMENTS = f'<div class="comments-list"><p>First!</p>{_TEXT}</div>'
_NEXT = f'<div class="infinite-scroll">{_TEXT.replace("crane", "ferry")}</div>'
_DEEP = "<div>" * 300


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(f'<div><div id="part">{_TEXT}</div></div>', id="plain"),
        pytest.param(
            f'<main><div id="part"><h1>Crane falls</h1>{_TEXT}{_COMMENTS}</div>{_NEXT}</main>', id="dropped in it"
        ),
        pytest.param(f'<div><div id="part">{_TEXT}</div> and a tail <nav>Menu</nav> of its own</div>', id="tail"),
        pytest.param(f'<aside><div><div id="part">{_TEXT}</div></div></aside><p>Rest</p>', id="in what is left out"),
        pytest.param(f'<div class="comments-list"><div id="part">{_TEXT}</div></div><p>Rest</p>', id="in comments"),
        pytest.param(f'<div class="infinite-scroll" id="part">{_TEXT}</div><p>Rest</p>', id="itself dropped"),
        pytest.param(
            f'<div><script>1</script><article id="part"><div class="post">{_TEXT}</div></article></div>{_DEEP}{_TEXT}',
            id="too deep beside it",
        ),
    ],
)
def test_opinions_of_page_and_part_are_as_of_each_alone(page: str) -> None:
    tree = parse(f"<html><body>{page}</body></html>")
    assert tree is not None
    whole = body(tree)
    part = whole.get_element_by_id("part")
    assert first_opinions(whole, part) == (first_opinion(whole), first_opinion(part))

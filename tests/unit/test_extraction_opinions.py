"""How often trafilatura is asked: once where the main part of a page holds all there is to read, else of the whole."""

from __future__ import annotations

import pytest
from justext.core import define_stoplist  # type: ignore[import-untyped]
from trafilatura import external

from crawler.extraction.opinions import Opinions, ask
from crawler.extraction.trafilatura_text import load_stop_words
from crawler.html.blocks import cut
from crawler.html.document import body, parse

_TEXT = "".join(
    f"<p>The harbour crane number {n} fell into the basin, and nobody was hurt, the port said.</p>" for n in range(10)
)
_MENU = "<ul>" + "".join(f'<li><a href="/{n}">A long headline of section {n}</a></li>' for n in range(20)) + "</ul>"
_REST = "".join(
    f"<p>The council of district {n} will meet on Monday to hear from the owners of the ferry.</p>" for n in range(2)
)


def _asked(content: str) -> Opinions:
    tree = parse(f"<html><body>{content}</body></html>")
    assert tree is not None
    return ask(tree, cut(body(tree)))


@pytest.mark.parametrize(
    "around",
    [
        pytest.param("", id="nothing"),
        pytest.param(_MENU, id="menu"),
        pytest.param(f'<div style="display: none">{_REST}</div>', id="hidden text"),
        pytest.param("<p>All rights reserved by the owners of the paper.</p>", id="one line"),
    ],
)
def test_part_that_holds_all_there_is_to_read_is_asked_alone(around: str) -> None:
    asked = _asked(f'<div><div><div class="story">{_TEXT}</div></div></div><div>{around}</div>')
    assert "crane number 9" in asked.first
    assert (asked.default, asked.precision) == (None, None)


def test_modes_are_asked_where_the_whole_page_says_more() -> None:
    asked = _asked(f"<main><div><div><div><div>{_TEXT}</div></div></div></div><div><div>{_REST}</div></div></main>")
    assert asked.default is not None and "district 1" in asked.default
    assert asked.precision is not None
    assert "district 1" in asked.first


def test_page_that_nothing_can_be_said_of_has_an_empty_opinion() -> None:
    assert _asked("<nav>Home</nav>") == Opinions("")


def test_stop_words_are_those_that_trafilatura_would_read(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = external.JT_STOPLIST
    monkeypatch.setattr(external, "JT_STOPLIST", None)
    theirs = external.jt_stoplist_init()
    assert isinstance(theirs, tuple)
    assert not isinstance(ours, tuple)
    assert define_stoplist(ours) == define_stoplist(theirs)


def test_stop_words_that_were_loaded_are_not_read_again() -> None:
    load_stop_words()
    before = define_stoplist.cache_info().misses
    tree = parse(f"<html><body>{_TEXT}</body></html>")
    assert tree is not None
    external.try_justext(tree, "", None)
    assert define_stoplist.cache_info().misses == before

"""XPaths whose answers are kept find what lxml finds by them, on any tree."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, html
from trafilatura import xpaths

import crawler.extraction.trafilatura_text  # noqa: F401 - remembers trafilatura's expressions
from crawler.extraction.remembered_xpaths import Remembered, remembered

_NAMESPACES = {"re": "http://exslt.org/regular-expressions"}
_LISTS = ("BODY_XPATH", "OVERALL_DISCARD_XPATH", "PRECISION_DISCARD_XPATH", "RAW_TREE_PRUNE_XPATH")
_MORE = ("DISCARD_IMAGE_ELEMENTS", "REMOVE_COMMENTS_AND_LISTS_XPATH", "REMOVE_COMMENTS_XPATH", "TEASER_DISCARD_XPATH")
_ALL = [each for name in (*_LISTS, *_MORE) for each in getattr(xpaths, name) if isinstance(each, Remembered)]
#: Every word that one of the expressions has, as a page may have it.
_WORDS = sorted(
    {
        re.sub(r"\\[sS]|[\^$()?\[\]|:\\*]", "", word)
        for each in _ALL
        for literal in re.findall(r"'([^']*)'", each.expression.path)
        for word in literal.split("|")
    }
    - {""}
)
_TAGS = (
    "div",
    "p",
    "section",
    "span",
    "item",
    "list",
    "article",
    "main",
    "details",
    "ol",
    "ul",
    "aside",
    "h1",
    "a",
    "b",
)
_NAMES = (
    *("class", "id", "role", "style", "itemprop", "aria-hidden", "data-component", "data-lp-replacement-content"),
    "href",
)
_value = st.lists(
    st.sampled_from([*_WORDS, "x", "SOCIAL", "Nav", "hidden", "true", "post", "article ", "  "])
    | st.text(alphabet="abhr-_ \tİé", max_size=5),
    max_size=3,
).map(" ".join)
_element = st.tuples(
    st.sampled_from(_TAGS),
    st.lists(st.tuples(st.sampled_from(_NAMES), _value), max_size=3, unique_by=lambda pair: pair[0]),
    st.integers(0, 5),
)


def _tree(elements: Sequence[tuple[str, list[tuple[str, str]], int]]) -> etree._Element:
    """Each element in the one so many before it."""
    made: list[etree._Element] = [html.Element("body")]
    for tag, attributes, back in elements:
        element = etree.SubElement(made[max(0, len(made) - 1 - back)], tag)
        for name, value in attributes:
            element.set(name, value)
        made.append(element)
    return made[0]


def test_most_of_trafilaturas_expressions_are_remembered() -> None:
    names = [name for name in (*_LISTS, *_MORE) if any(isinstance(each, Remembered) for each in getattr(xpaths, name))]
    assert names == [*_LISTS, *_MORE]
    assert len(_ALL) >= 12


@settings(max_examples=150, deadline=None)
@given(st.lists(_element, min_size=1, max_size=25))
def test_the_same_elements_in_the_same_order(elements: list[tuple[str, list[tuple[str, str]], int]]) -> None:
    tree = _tree(elements)
    for each in _ALL:
        for _ in range(2):
            assert list(each(tree)) == each.expression(tree), each.expression.path


@pytest.mark.parametrize(
    "path",
    [
        ".//*[self::div or self::p][@id]",
        ".//*[@id or contains(translate(@class, 'AB', 'ab'), 'ab') and not(self::p)]",
        ".//*[re:test(@id|@class, '^a|B$', 'i')]",
        ".//*[starts-with(@id|@class, 'a')][1]",
        "(.//*[@class='a' or (@id='b' and self::div)])[1]",
        ".//*[@class][not(.//p)]",
        ".//*[@class=''] ",
        ".//*[re:test(@id, '^b|A[)|(]?B|x(?:a|B)|[|]')]",
        r".//*[re:test(@class, 'x\|y|B')]",
        ".//*[re:test(@class, '(?i)q|xab')]",
    ],
)
def test_forms_that_are_remembered(path: str) -> None:
    expression = etree.XPath(path, namespaces=_NAMESPACES)
    found = remembered(expression)
    assert isinstance(found, Remembered)
    tree = html.fromstring(
        "<body><div id=b class=a><p class=a>x<p id=AB class=b>y</div><p class=B id=a>z<div class=''></div>"
        "<div class=xAb><div id=aB></div><div id=b></div></div></body>"
    )
    assert list(found(tree)) == expression(tree)
    assert list(found(tree)) == expression(tree)


@pytest.mark.parametrize(
    "path",
    [
        *(".//div[@id]", "//*[@id]", ".//*[.//p]", ".//*[p]", ".//*[position() = 1]", ".//*[@id='a']/p"),
        *(".//*[text()='a']", ".//*[translate(@id, 'ab', 'c') = 'a']", ".//*[string-length(@id)]", ".//*[1]"),
        *(".//*[@id]/p[@class]", ".//*[@id]|.//*[@class]", "(.//*[@id])[1]|(.//*[@class])[1]", ".//*[@id]|.//p"),
        *(".//*[re:test(@id, '(')]", ".//*[@*]", ".//*[self::*]", ".//*[@xml:lang]", ".//*[@id != 'a']"),
        *(".//*[@id] [2]/*[@class]", ".//*[../p]", ".//*[$a]", ".//*[@id=1]"),
        *(".//*[contains(@id, @class)]", ".//*[@id = @class]", "(.//*[@id])[2]", ".//*[re:test(@id, 'a', 'x')]"),
    ],
)
def test_what_looks_at_more_stays_as_it_is(path: str) -> None:
    expression = etree.XPath(path, namespaces=_NAMESPACES)
    assert remembered(expression) is expression


def test_answers_are_not_kept_without_end() -> None:
    expression = etree.XPath(".//*[contains(@id, '7')]")
    found = remembered(expression)
    assert isinstance(found, Remembered)
    for page in range(4):
        tree = html.Element("body")
        for number in range(1_500):
            etree.SubElement(tree, "p", id=f"{page}-{number}")
        assert list(found(tree)) == expression(tree)
        assert found.kept <= 2_000


def test_no_answer_is_kept_to_attributes_of_any_length() -> None:
    expression = etree.XPath(".//*[contains(@style, 'none')]")
    found = remembered(expression)
    assert isinstance(found, Remembered)
    tree = html.fromstring(f"<body><p style='{'x' * 1_000}none'><p style='{'y' * 1_000}'><p style=none>")
    assert [list(found(tree)), found.kept] == [expression(tree), 1]

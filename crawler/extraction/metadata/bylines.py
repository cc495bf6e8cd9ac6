"""The byline that a reader sees near the headline."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import islice

from lxml.etree import XPath, _Element

from crawler.extraction.metadata import dated_bylines, names
from crawler.extraction.metadata.dated_bylines import Dates
from crawler.extraction.metadata.surroundings import is_foreign
from crawler.html.elements import HEADINGS

# By the attribute and not by the element: three times as fast.
_MARKED = XPath(
    "//h1 | //@rel[.='author']/.. | //@itemprop[contains(.,'author')]/.."
    " | //@data-testid[contains(.,'uthor') or contains(.,'yline')]/.."
    " | //@class[contains(.,'uthor') or contains(.,'yline') or contains(.,'utor') or contains(.,'uteur')"
    " or contains(.,'riter') or starts-with(.,'firma') or contains(.,' firma')]/.."
    " | //@data-hook[.='user-name']/.."
)
_NEAR = XPath("following::*[position() <= 80][string-length(normalize-space(text())) > 1]")
_CALLED = re.compile(
    r"(?:^|[\s_-])(?:author|authors|byline|writer)(?:[_-]?name)?(?:\s|$)|^(?:author|byline|writer)s?(?:[-_]|$)",
    re.IGNORECASE,
)
#: What may stand in it beside the name: a word that leads in to it, a date.
_BESIDE = re.compile(r"^[^:：\d]{1,12}[:：]\s*|\d[\d/.:-]*")
_REPORTER = re.compile(r"^(?:本报|本刊|本网|新华社)?(?:记者|記者|作者)[\s:：]+")
#: A byline is short; longer is a biography.
_LONGEST = 200
_MOST_NAMES = 10
_MOST_MARKED = 30
#: Elements below the headline that may be a byline with its date.
_MOST_DATED = 12
#: Elements in a byline, at most.
_MOST_WITHIN = 200


def visible(tree: _Element, heading: _Element | None, dates: Dates, own: Collection[str] = ()) -> tuple[str, ...]:
    """Return the persons in the byline, the first below the headline; empty if no byline can be told.

    `dates` finds those in a line; `own` are the names the site goes by, which are no persons.
    """
    for element in _marked(tree, heading):
        if not is_foreign(element, heading):
            found = dated_bylines.credited(_credits(element), dates, own)
            if 0 < len(found) <= _MOST_NAMES and (
                _is_named(element) or all(map(names.has_case, found)) or _is_nothing_else(element, found)
            ):
                return found
    return ()


def credited(tree: _Element, heading: _Element | None) -> tuple[str, ...]:
    """Return what stands where the page marks its author and is no person: initials, an agency."""
    for element in _marked(tree, heading):
        if not is_foreign(element, heading):
            named = names.people([_text(element)])
            found = tuple(name for name in named if _is_named(element) or names.is_organisation(name))
            if 0 < len(found) <= _MOST_NAMES:
                return found
    return ()


def unmarked(
    heading: _Element | None, text: str, dates: Dates, own: Collection[str] = (), headings: Collection[str] = ()
) -> tuple[str, ...]:
    """Return the persons in a line that only reads like a byline: near the headline, or at an end of the text.

    `dates` and `own` as above; `headings` are those of the page: none is a byline, though "Key Features" reads like a
    name.
    """
    if heading is not None:
        for element in _elements(_NEAR(heading)):
            line = element.text or ""
            if len(line) <= _LONGEST and _says_writer(line) and not is_foreign(element, heading):
                found = dated_bylines.credited([_text(element)], dates, own)
                if 0 < len(found) <= _MOST_NAMES:
                    return found
        if found := _dated(heading, dates, own):
            return found
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in (*lines[:3], *lines[-6:]):
        if len(line) <= 60 and (reporter := names.korean_reporter(line)):
            return (reporter,)
    for line in (*lines[:3], *lines[-2:]):
        found = names.persons([line], own) if len(line) <= 60 and line not in headings else ()
        # A line that is nothing but a name, or says that it is one.
        if found and (_says_writer(line) or (names.has_case(line) and names.is_only_names(line, found))):
            return found
    return ()


def _says_writer(line: str) -> bool:
    return names.says_by(line) and not names.is_beside_the_text(line)


def _dated(heading: _Element, dates: Dates, own: Collection[str]) -> tuple[str, ...]:
    """The persons in a line below the headline that has a date: those it says, else those that stand beside it."""
    around = set(heading.iterancestors())
    named: tuple[str, ...] = ()
    seen: set[_Element] = set()
    for element in _elements(_NEAR(heading))[:_MOST_DATED]:
        # The name and the date may each have an element.
        for each in (element, element.getparent()):
            if each is None or each in around or each in seen or each.tag in HEADINGS:
                continue
            seen.add(each)
            line = _text(each)
            if len(line) > _LONGEST or is_foreign(each, heading):
                continue
            if found := dated_bylines.said(line, dates, own):
                return found
            named = named or dated_bylines.beside(line, dates, own)
    return named


def _marked(tree: _Element, heading: _Element | None) -> list[_Element]:
    """The elements marked as bylines, the first below the headline or, without one, in the page."""
    found = _elements(_MARKED(tree))
    if heading is not None and heading in found:
        found = found[found.index(heading) + 1 :]
    return [element for element in found if element.tag != "h1"][:_MOST_MARKED]


def _elements(found: object) -> list[_Element]:
    return [element for element in found if isinstance(element, _Element)] if isinstance(found, list) else []


def _is_named(element: _Element) -> bool:
    """Whether the page says for machines that this is the author; a class name may say less."""
    return "author" in (element.get("itemprop") or "") or element.get("rel") == "author"


def _is_nothing_else(element: _Element, found: Sequence[str]) -> bool:
    """Whether an element that is called the author's holds but names of words with spaces between them: in a script
    without capitals nothing else tells a name, and two Chinese characters are any word, unless one says "reporter"."""
    text = _text(element)
    is_name = _REPORTER.search(text) is not None or all(" " in name for name in found)
    if not is_name or not _CALLED.search(element.get("class") or ""):
        return False
    return names.is_only_names(_BESIDE.sub("", _REPORTER.sub("", text)), found)


def _credits(element: _Element) -> list[str]:
    """The text of a byline: what is marked as a name in it, else its links, else its pieces of text."""
    within = list(islice(element.iter("*"), _MOST_WITHIN + 1))
    if len(within) > _MOST_WITHIN:
        # A class name with "author" in it around half the page.
        return []
    marked = [each for each in within if (each.get("itemprop") or "").strip() == "name"]
    for group in (marked, [each for each in within if each.tag == "a"]):
        texts = [_text(each) for each in group]
        if names.persons(texts):
            return texts
    pieces = [" ".join(str(piece).split()) for piece in element.itertext("*")]
    # Who made the pictures may be named beside who wrote.
    pieces = [piece for piece in pieces if not names.is_beside_the_text(piece)]
    return [piece for piece in pieces if piece] if sum(map(len, pieces)) <= _LONGEST else []


def _text(element: _Element) -> str:
    """The text below an element on one line; its parts stay apart where only markup parts them."""
    return " ".join(" ".join(map(str, element.itertext("*"))).split())

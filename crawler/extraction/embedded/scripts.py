"""The data a page carries for its scripts: JSON in script elements and attributes, literals that scripts assign."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from lxml.etree import _Element

from crawler.extraction.embedded.literals import MAX_DEPTH, NoLiteral, read
from crawler.extraction.embedded.references import joined, rows

# Bounds on what one page can cost.
_MAX_SCRIPT = 6_000_000
_MAX_VALUES = 200
#: Characters of a page that are looked through for values that turn out to be none: each place where one may begin is
#: tried, and what is open at one may be open at all of them.
_MAX_FUTILE = 4_000_000
#: What a place in vain costs beside that, in characters.
_PLACE = 16
#: Characters; shorter data holds no article.
_SHORTEST = 200
#: A name, and a literal that is assigned or handed to it, behind up to three variables: `kit.start(app, element, {`.
_GIVEN = re.compile(
    r"(?<![\w$.])([\w$][\w$.]{0,99}+)(?:\[\s*[\"']([\w$.-]{1,99})[\"']\s*\])?\s{0,9}"
    r"(?:=(?![=>])|\((?:\s{0,9}[A-Za-z_$][\w$.]{0,99}+\s{0,9},){0,3})\s{0,9}"
    r"(?=[\[{\"'`]|JSON\.parse\(|\(?function\b|Object\.|decodeURIComponent\(|(?:window\.)?atob\()"
)
_STREAM = "__next_f"


class Data(NamedTuple):
    """A value, and what the page calls it: `__NEXT_DATA__`."""

    name: str
    value: Any


class _Page:
    """What is kept while the scripts of a page are read."""

    def __init__(self) -> None:
        #: The parts of React's stream.
        self.stream: list[str] = []
        #: Characters that may still be looked through in vain.
        self.patience = _MAX_FUTILE


def data(tree: _Element) -> Iterator[Data]:
    """Yield the values that scripts of a page are given, in page order; JSON-LD is no data of scripts.

    Bounded by the length of the page, whatever its scripts are.
    """
    page = _Page()
    for count, found in enumerate(_values(tree, page)):
        if count >= _MAX_VALUES:
            break
        yield found
    if page.stream:
        yield Data(_STREAM, rows("".join(page.stream)))


def _values(tree: _Element, page: _Page) -> Iterator[Data]:
    for element in tree.iter():
        if element.tag == "script":
            text, kind = element.text or "", (element.get("type") or "").lower()
            if "ld+json" in kind or not (_SHORTEST <= len(text) <= _MAX_SCRIPT or _STREAM in text):
                continue
            # Of other kinds, such as text/x-data, a page's own script makes something; markup is no data.
            if "json" in kind or (kind and not _is_code(kind) and text.lstrip()[:1] in ("{", "[")):
                yield from _json(element.get("id") or kind, text)
            elif _is_code(kind):
                yield from _given(text, page)
        else:
            for key, value in element.items():
                name, text = str(key), str(value)
                if _SHORTEST <= len(text) <= _MAX_SCRIPT and text.lstrip()[:1] in ("{", "["):
                    yield from _json(name, text)


def _is_code(kind: str) -> bool:
    return not kind or "javascript" in kind or kind == "module"


def _json(name: str, text: str) -> Iterator[Data]:
    if text.lstrip().startswith("<!--"):
        # So that no browser of old shows it, nor a parser reads tags in it (Hypernova).
        text = text.strip().removeprefix("<!--").removesuffix("-->")
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return
    yield Data(name, joined(_unpacked(value)))


def _given(script: str, page: _Page) -> Iterator[Data]:
    """What a script assigns, or hands to a function; the parts of React's stream are put to it."""
    at = 0
    while page.patience > 0 and (found := _GIVEN.search(script, at)) is not None:
        name = found[2] or found[1]
        try:
            value, at = read(script, found.end())
        except NoLiteral as error:
            at = found.end()
            page.patience -= error.at - at + _PLACE
            continue
        if _STREAM in name:
            if isinstance(value, list) and len(value) == 2 and isinstance(value[1], str):
                page.stream.append(value[1])
        elif at - found.end() >= _SHORTEST:
            yield Data(name.removeprefix("window."), joined(_unpacked(value)))


def _unpacked(value: Any, depth: int = 0) -> Any:
    """A value with those in it that were written as a string, again and again, as themselves."""
    if isinstance(value, str):
        if depth > MAX_DEPTH or len(value) < _SHORTEST or value.lstrip()[:1] not in ("{", "["):
            return value
        try:
            return _unpacked(json.loads(value, strict=False), depth + 1)
        except (ValueError, RecursionError):
            return value
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {key: _unpacked(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_unpacked(inner, depth + 1) for inner in value]
    return value

"""Patterns of paths as in robots.txt (RFC 9309, 2.2.2): `*` for anything, `$` for the end; the longest one counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar
from urllib.parse import quote, urlsplit

_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
T = TypeVar("T")


def path_of(url: str) -> str:
    """Path and query of a URL, in the form in which patterns are compared; "/" for what is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "/"
    return _normal(f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}")


def matches(pattern: str, path: str) -> bool:
    """Whether a path is one of a pattern's; each byte is looked at once, whatever the number of stars."""
    pattern = _normal(pattern)
    ends = pattern.endswith("$")
    first, *others = (pattern[:-1] if ends else pattern).split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    if not others:
        return not ends or at == len(path)
    *middle, last = others
    for piece in middle:
        at = path.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return (path.endswith(last) and len(path) - len(last) >= at) if ends else path.find(last, at) >= 0


def longest(rules: Iterable[T], path: str, pattern_of: Callable[[T], str]) -> list[T]:
    """The rules whose pattern has a path, of them those with the longest one: several, where several have the same."""
    found = [rule for rule in rules if matches(pattern_of(rule), path)]
    most = max((len(pattern_of(rule)) for rule in found), default=0)
    return [rule for rule in found if len(pattern_of(rule)) == most]


def _normal(path: str) -> str:
    """Escapes in capitals, without those of letters that need none; what is not ASCII escaped (RFC 3986, 6.2.2)."""

    def plain(found: re.Match[str]) -> str:
        char = chr(int(found[1], 16))
        return char if _UNRESERVED.fullmatch(char) else found[0].upper()

    return _ESCAPE.sub(plain, quote(path, safe="/%*$?&=+,;:@!'()#~[]"))

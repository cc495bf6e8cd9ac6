"""What X-Robots-Tag and meta elements for robots say: `noarchive`, `noai`, `unavailable_after` and their kind."""

from __future__ import annotations

import re
from collections.abc import Iterator

from storage.rights.dates import read_date

#: Directives that are kept; `none` is `noindex` and `nofollow` in one word.
DIRECTIVES = frozenset({"noarchive", "noai", "noimageai", "nosnippet", "noindex", "none"})
UNAVAILABLE = "unavailable_after"
#: Whom a directive may be addressed to, beside our robot.
EVERYBODY = "robots"
# Directives with a value: what stands before their colon is no robot's name.
_VALUED = {UNAVAILABLE, "max-snippet", "max-image-preview", "max-video-preview"}
_ROBOT = re.compile(r"\*|[a-z][a-z0-9_-]*")
_AFTER = re.compile(rf"\b{UNAVAILABLE}\b\s*[:=]?\s*(.*)", re.IGNORECASE | re.DOTALL)
_WEEKDAY_ALONE = re.compile(rf"{UNAVAILABLE}\s*[:=]?\s*[a-z]{{3,9}}\s*$", re.IGNORECASE)
#: Parts of one value that are looked at.
_PARTS_MOST = 1_000

Said = tuple[str, str | None]


def of_header(value: str, robot: str) -> Iterator[Said]:
    """Yield directives of a line of X-Robots-Tag and their values: for all or, behind a name and a colon, for a robot.

    Those for other robots are passed over; `robot` is in lower case.
    """
    addressed = EVERYBODY
    for item in _items(value):
        name, colon, rest = (part.strip() for part in item.partition(":"))
        directive = item
        if colon and name.lower() not in _VALUED and _ROBOT.fullmatch(name.lower()):
            addressed, directive = EVERYBODY if name == "*" else name.lower(), rest
        if addressed in (EVERYBODY, robot):
            yield from _said(directive)


def of_meta(content: str) -> Iterator[Said]:
    """Yield the directives of a meta element's content and their values."""
    for item in _items(content):
        yield from _said(item)


def _items(value: str) -> Iterator[str]:
    """Yield what stands between commas and semicolons, a date with its commas in one."""
    pending: str | None = None
    for part in re.split("[,;]", value, maxsplit=_PARTS_MOST)[:_PARTS_MOST]:
        item = part.strip()
        if pending is not None and (item[:1].isdigit() or _WEEKDAY_ALONE.search(pending)):
            pending = f"{pending} {item}"
            continue
        if pending is not None:
            yield pending
        pending = None
        if UNAVAILABLE in item.lower():
            pending = item
        else:
            yield item
    if pending is not None:
        yield pending


def _said(item: str) -> Iterator[Said]:
    found = _AFTER.search(item)
    plain = item[: found.start()] if found else item
    for word in plain.lower().split():
        if word in DIRECTIVES:
            yield word, None
    if found:
        text = found[1].strip()
        moment = read_date(text)
        yield UNAVAILABLE, moment.isoformat() if moment else text

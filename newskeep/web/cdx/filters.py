"""Filters of a CDX query. The only user of `regex`: expressions come from strangers and must end in bounded time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import regex  # type: ignore[import-untyped]

from newskeep.web.cdx.fields import CdxLine, field_name, value
from storage.errors import UsageError

#: Seconds that one expression may take on one value; a common one takes microseconds.
_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Filter:
    """A test of one field of a line."""

    field: str
    test: Callable[[str], bool]
    wanted: bool

    def keeps(self, line: CdxLine) -> bool:
        """Raises `UsageError` for an expression that takes too long."""
        return self.test(value(line, self.field) or "") is self.wanted


def parse_filter(text: str, *, whole: bool) -> Filter:
    """Return the filter that `[!][=|~]field:value` stands for. Raises `UsageError`.

    "=" means equal. "~" and no mark mean to pywb an expression that the value begins with, and a part of the value; to
    the Internet Archive (`whole`) a part of the value, and an expression for all of it.
    """
    rest = text.removeprefix("!")
    mark = rest[:1] if rest[:1] in ("=", "~") else ""
    name, colon, wanted = rest.removeprefix(mark).partition(":")
    if not colon:
        raise UsageError(f"filter={text[:100]}: write a field, a colon and what it should be, such as status:200")
    # Some write the "!" behind the mark.
    negated = text.startswith("!") != name.startswith("!")
    field = field_name(name.removeprefix("!"))
    if mark == "=":
        test: Callable[[str], bool] = wanted.__eq__
    elif (mark == "~") == whole:
        test = lambda held: wanted in held  # noqa: E731
    else:
        test = _expression(wanted, whole)
    if field == "digest" and mark == "=":
        # With its label or without.
        test = lambda held: wanted in (held, held.rpartition(":")[2])  # noqa: E731
    return Filter(field, test, not negated)


def _expression(text: str, whole: bool) -> Callable[[str], bool]:
    try:
        compiled = regex.compile(text)
    except (regex.error, RecursionError, OverflowError, MemoryError) as error:
        raise UsageError(f"filter: {text[:100]} is not a regular expression ({error})") from None
    match = compiled.fullmatch if whole else compiled.match

    def test(held: str) -> bool:
        try:
            return match(held, timeout=_SECONDS, concurrent=True) is not None
        except TimeoutError:
            raise UsageError(f"filter: {text[:100]} takes too long; write a simpler expression") from None

    return test

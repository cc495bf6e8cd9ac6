"""Numbers on the command line: those of click, that no database, clock or process is overtaxed by."""

from __future__ import annotations

from math import isfinite
from typing import Any

import click

#: More than anybody counts: the largest whole number of PostgreSQL's `integer`; seconds of 68 years.
MOST = 2**31 - 1
#: The same of `bigint`, for bytes and for numbers that databases give.
HIGHEST = 2**63 - 1


class Whole(click.IntRange):
    """A whole number from `least` to `most`."""

    def __init__(self, least: int = 1, most: int = MOST) -> None:
        super().__init__(min=least)
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return _bounded(self, super().convert(value, param, ctx), self._most, param, ctx)


class Real(click.FloatRange):
    """A number that is not less than none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{value!r} is no number of seconds or minutes", param, ctx)
        return _bounded(self, number, MOST, param, ctx)


def _bounded(
    kind: click.ParamType[Any], number: float, most: int, param: click.Parameter | None, ctx: click.Context | None
) -> float:
    if number > most:
        kind.fail(f"{number} is too large: {most:,} at most", param, ctx)
    return number

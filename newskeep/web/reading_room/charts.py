"""Small pictures, drawn here as shapes with their numbers; the templates make SVG of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from newskeep.web.reading_room import humanize

#: Units of a picture's own; it is scaled to the page.
WIDTH, HEIGHT = 720, 120
_GAP = 0.25


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, or one part of one that is stacked: `kind` tells which."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    #: What it stands for, in words.
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """The same as numbers: one row of the table beside the picture."""

    label: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar a day; `highest` is the value at the top."""

    bars: tuple[Bar, ...]
    rows: tuple[Row, ...]
    kinds: tuple[str, ...]
    highest: int
    total: int

    @property
    def width(self) -> int:
        return WIDTH

    @property
    def height(self) -> int:
        return HEIGHT


def days_until(last: date, number: int) -> list[date]:
    """The last days, the oldest first."""
    return [last - timedelta(days=back) for back in reversed(range(number))]


def bars(days: Sequence[date], kinds: Mapping[str, Mapping[date, int]], name: Callable[[date], str]) -> Bars:
    """Draw a bar for each day, its kinds one on the other in the order given."""
    totals = [sum(values.get(day, 0) for values in kinds.values()) for day in days]
    highest = max(totals, default=0)
    step = WIDTH / max(len(days), 1)
    drawn: list[Bar] = []
    for place, day in enumerate(days):
        top = float(HEIGHT)
        for kind, values in kinds.items():
            value = values.get(day, 0)
            if not value:
                continue
            # A day that has one must not look like a day that has none.
            height = max(HEIGHT * value / highest, 1.5)
            top = max(top - height, 0.0)
            x = round(place * step + step * _GAP / 2, 1)
            label = f"{name(day)}: {humanize.tally(value, kind)}"
            drawn.append(Bar(x, round(top, 1), round(step * (1 - _GAP), 1), round(height, 1), kind, label))
    rows = tuple(Row(name(day), tuple(values.get(day, 0) for values in kinds.values())) for day in days)
    return Bars(tuple(drawn), rows, tuple(kinds), highest, sum(totals))


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class TimeLine:
    """Moments between two ends, as dots on a line."""

    dots: tuple[Dot, ...]
    first: datetime
    last: datetime


#: Units of a time line, and what is left at either end.
_LINE, _EDGE = 360, 6


def time_line(moments: Sequence[tuple[datetime, str, str]]) -> TimeLine | None:
    """Draw moments, each with its kind and what it is in words, in order of time; `None` of fewer than two."""
    if len(moments) < 2:
        return None
    first, last = moments[0][0], moments[-1][0]
    whole = (last - first).total_seconds() or 1.0
    dots = tuple(
        Dot(round(_EDGE + (_LINE - 2 * _EDGE) * (moment - first).total_seconds() / whole, 1), kind, label)
        for moment, kind, label in moments
    )
    return TimeLine(dots, first, last)

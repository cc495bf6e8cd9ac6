"""One thing that a publisher said, and where: the noun of this room, and its form in a record, a line and a row."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

#: Signals that are kept of one answer, and characters of a value; what says more says nothing.
SIGNALS_MOST, VALUE_MOST = 64, 500
#: Characters of the packed form that are read: a little more than the most that is written.
_PACKED_MOST = 256 * 1024
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


class Signal(NamedTuple):
    """A signal as it was said, with its source."""

    #: "noarchive", "noai", "search", "ai-train", "train-ai", "tdm-reservation", "license", …: docs/rights.md has all.
    name: str
    #: "no", "n", "1", an address; of `unavailable_after` the moment (ISO 8601), or the text where that is no date.
    value: str | None
    #: "X-Robots-Tag", "meta robots", "Content-Usage", "robots.txt line 12", "tdmrep.json", …
    source: str


def pack(signals: Iterable[Signal]) -> str:
    """Signals as one line of ASCII: a JSON list of [name, value, source]."""
    return json.dumps([list(signal) for signal in signals], separators=(",", ":"))


def unpack(text: str | None) -> tuple[Signal, ...]:
    """The signals of `pack`; none of what is none, since others may have written it."""
    if not text or len(text) > _PACKED_MOST:
        return ()
    try:
        return from_json(json.loads(text))
    except (ValueError, RecursionError):
        return ()


def from_json(items: Any) -> tuple[Signal, ...]:
    """The signals of a JSON list of lists, or of objects; what is neither is left out."""
    found = (_signal(item) for item in items) if isinstance(items, list) else ()
    return tuple(signal for signal in found if signal is not None)[:SIGNALS_MOST]


def to_json(signals: Iterable[Signal]) -> list[dict[str, str | None]]:
    """Signals as a person or a program reads them: objects with `name`, `value` and `source`."""
    return [signal._asdict() for signal in signals]


def _signal(item: Any) -> Signal | None:
    fields = [item.get(name) for name in Signal._fields] if isinstance(item, dict) else item
    if not isinstance(fields, list) or len(fields) != len(Signal._fields):
        return None
    name, value, source = fields
    if isinstance(name, str) and isinstance(source, str) and (value is None or isinstance(value, str)):
        return Signal(name, value, source)
    return None


def kept(signals: Iterable[Signal]) -> tuple[Signal, ...]:
    """Signals without repetitions and within bounds, in their order."""
    short = (signal._replace(value=signal.value and signal.value[:VALUE_MOST]) for signal in signals)
    return tuple(dict.fromkeys(short))[:SIGNALS_MOST]


def shown_until(signals: Iterable[Signal]) -> datetime | None:
    """Until when an answer may be shown to others: the earliest `unavailable_after`, 1970 where it says `noarchive`.

    `None` where nothing ends it.
    """
    ends = []
    for name, value, _ in signals:
        if name == "noarchive":
            ends.append(_ALWAYS)
        elif name == "unavailable_after" and (end := moment_of(value)):
            ends.append(end)
    return min(ends, default=None)


class Marked(Protocol):
    """What is held, and says whether it may be shown."""

    @property
    def noarchive(self) -> bool: ...

    @property
    def shown_until(self) -> datetime | None: ...


def is_closed(held: Marked, now: datetime) -> bool:
    """Whether its publisher wants it shown to nobody else: `noarchive`, or an `unavailable_after` that is past."""
    return held.noarchive or ((end := held.shown_until) is not None and end <= now)


def moment_of(value: str | None) -> datetime | None:
    """The moment of an `unavailable_after`; `None` where the publisher wrote no date."""
    try:
        moment = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None

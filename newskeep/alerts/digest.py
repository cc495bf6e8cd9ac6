"""A message: what happened, as text for people and as JSON for programs. Pure: no clock, no network."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newskeep.alerts.event import KINDS, Event
from newskeep.alerts.outbox import Delivery
from newskeep.health.verdicts import WELL
from storage.counts import counted
from storage.urls import parse_timestamp

#: Of the form of the JSON; raised when a reader of the old one would misread the new.
VERSION = 1
#: Events that the text names of each kind; the JSON has all.
NAMED = 50
_WIDTH = 76
_HEADINGS = {"new": "New", "changed": "Changed", "removed": "Gone", "trouble": "Sites"}
_NOUNS = {
    "new": ("new article", "new articles"),
    "changed": ("changed article", "changed articles"),
    "removed": ("article gone", "articles gone"),
    "trouble": ("site changed", "sites changed"),
}


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent for an alert, once or until it arrives."""

    alert: str
    delivery: Delivery
    at: datetime
    #: Where `newskeep serve` is reached; no slash at the end.
    public_url: str | None = None
    #: Sent by hand, to see whether it arrives.
    test: bool = False

    @property
    def subject(self) -> str:
        """One line: what there is, and of one event what it is."""
        events = self.delivery.events
        what = _counts(events)
        if len(events) == 1:
            what = _headline(events[0])
        return f"[{self.alert}] {'Test: ' if self.test else ''}{what}"

    def text(self) -> str:
        """Plain text, lines broken at 76 characters where an address allows it."""
        return "\n".join(self._lines()) + "\n"

    def to_json(self) -> dict[str, Any]:
        """What docs/alerts.md describes."""
        return {
            "version": VERSION,
            "delivery": self.delivery.id,
            "alert": self.alert,
            "sent": self.at.isoformat(timespec="seconds"),
            "test": self.test,
            "counts": dict(Counter(event.kind for event in self.delivery.events)),
            "dropped": self.delivery.dropped,
            "events": [{**event.to_json(), **self._links(event)} for event in self.delivery.events],
            # What Slack, Mattermost and their like show.
            "text": self.text(),
        }

    def _lines(self) -> Iterator[str]:
        events = self.delivery.events
        if self.test:
            yield "A test: nothing of this happened just now."
            yield ""
        yield f"{_counts(events)}: alert {self.alert}"
        for kind in KINDS:
            mine = [event for event in events if event.kind == kind]
            if mine:
                yield ""
                yield _HEADINGS[kind]
            for event in reversed(mine[-NAMED:]):
                yield ""
                yield from self._event(event)
            if len(mine) > NAMED:
                yield ""
                yield f"… and {len(mine) - NAMED:,} more."
        if self.delivery.dropped:
            yield ""
            dropped = counted(self.delivery.dropped, "event")
            yield f"{dropped} before these could not be told: too many, or for too long."

    def _event(self, event: Event) -> Iterator[str]:
        yield from _wrapped(_headline(event))
        if event.kind == "trouble":
            yield from _wrapped(event.do or "", "  ")
            return
        yield from _wrapped(", ".join(_facts(event)), "  ")
        yield from _wrapped(event.summary or "", "  ")
        for name, address in {"": event.url or "", **self._links(event)}.items():
            # Whole, however long: broken it could not be followed.
            yield f"  {name + ': ' if name else ''}{address}"

    def _links(self, event: Event) -> dict[str, str]:
        """Where what happened is seen in the archive; nothing where that cannot be reached."""
        if self.public_url is None or event.url is None:
            return {}
        at = event.before if event.kind == "removed" and event.before else event.timestamp
        links = {
            "article": f"{self.public_url}/article/{at}/{event.url}",
            "memento": f"{self.public_url}/web/{at}/{event.url}",
        }
        if event.kind == "changed" and event.before:
            links["compare"] = f"{self.public_url}/compare/{event.before}-{event.timestamp}/{event.url}"
        return links


def one_line(text: str) -> str:
    """What others wrote, fit for a line and a header field: no controls, nothing that turns the direction of text."""
    seen = "".join(" " if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else char for char in text)
    return re.sub(r"\s+", " ", seen).strip()


def _headline(event: Event) -> str:
    if event.kind != "trouble":
        return one_line(event.title or event.url or "")
    was = f", was {event.verdict_before}" if event.verdict_before else ""
    well = " again" if event.verdict in WELL else ""
    return one_line(f"{event.site}: {event.verdict}{well}{was}: {event.why}")


def _facts(event: Event) -> Iterator[str]:
    yield event.site
    yield from map(one_line, event.authors[:3])
    if event.kind == "removed":
        yield f"{event.status} at {_time(event.timestamp)}"
        if event.before:
            yield f"last there at {_time(event.before)}"
    else:
        yield _time(event.timestamp)
    if event.words is not None:
        yield counted(event.words, "word")


def _time(timestamp: str) -> str:
    return f"{parse_timestamp(timestamp, 'start'):%Y-%m-%d %H:%M} UTC"


def _counts(events: tuple[Event, ...]) -> str:
    counts = Counter(event.kind for event in events)
    return ", ".join(counted(counts[kind], *_NOUNS[kind]) for kind in KINDS if counts[kind])


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        one_line(text), _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False
    )

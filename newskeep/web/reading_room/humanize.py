"""Times, numbers, languages and reasons, as the pages tell them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus

from crawler.sizes import size  # noqa: F401 - for the templates
from newskeep.confidence import in_words as sure  # noqa: F401 - for the templates
from newskeep.confidence import is_doubtful  # noqa: F401 - for the templates
from storage.counts import counted as count
from storage.model import Capture, Reason

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,4}")
_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: Reasons of the extraction that say too little by themselves.
_REASONS = {
    "model": "unlikely to be article text",
    "hidden": "hidden, unlikely to be article text",
    "caption": "caption, unlikely to be article text",
    "control": "a button or form field",
    "dialog": "a dialog over the page",
    "noscript": "shown only without scripts",
    "not in the text": "not in the article's text",
    "a reader removed it": "by a reader",
}


def day(moment: datetime | date) -> str:
    """ "1 March 2026", in UTC; names of months do not depend on the server's language."""
    when = moment.astimezone(UTC) if isinstance(moment, datetime) else moment
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def weekday(moment: date) -> str:
    return f"{_DAYS[moment.weekday()]} {day(moment)}"


def short_day(moment: date) -> str:
    return f"{moment.day} {_MONTHS[moment.month - 1][:3]}"


def clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M}"


def when(moment: datetime) -> str:
    return f"{day(moment)}, {moment.astimezone(UTC):%H:%M:%S} UTC"


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def written(text: str) -> str:
    """A date as a page gives it (ISO 8601), with its zone; what is none stays as it is."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    told = day(found.date())
    if len(text) > 10:
        told += f", {found:%H:%M}"
    if (offset := found.utcoffset()) is not None:
        told += " UTC" if not offset else f" (UTC{found:%z})"
    return told


def machine(text: str) -> str | None:
    """The same for a program: `None` where it is no date."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return None
    return text


def number(value: int) -> str:
    return f"{value:,}"


def span(seconds: float) -> str:
    """A length of time in one unit."""
    length = timedelta(seconds=seconds)
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if length >= timedelta(seconds=2 * unit):
            return f"{length.total_seconds() / unit:.0f} {name}s"
    return count(round(seconds), "second")


def language(tag: str | None) -> str | None:
    """A tag that a browser may be told, `None` for what is not one."""
    return tag if tag and _TAG.fullmatch(tag) else None


def reason(why: Reason) -> tuple[str, str]:
    """Why a block was removed, in a sentence's words; and what may differ from the next one, or nothing."""
    words = _REASONS.get(why.word, why.word)
    answer = "" if why.probability is None else f"{round(100 * why.probability)} %"
    return f"{words} {why.detail}".rstrip(), answer


def status(code: int | None) -> str:
    if code is None:
        return "not HTTP"
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)


def kind(capture: Capture) -> str:
    """What a capture holds."""
    if capture.wall is not None:
        return f"not the page: {capture.wall}"
    if capture.is_revisit:
        return "not changed" if capture.status == 304 else "the same bytes as before"
    return capture.mime or "no media type"


def visible(data: bytes) -> list[str]:
    """The lines of a head as text: ASCII as it is, every other byte as its escape."""
    lines = data.decode("latin-1").replace("\r\n", "\n").rstrip("\n").split("\n")
    return ["".join(char if " " <= char <= "~" else f"\\x{ord(char):02x}" for char in line) for line in lines]

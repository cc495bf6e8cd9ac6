"""Times, numbers, languages and reasons, as the pages tell them: in the language of the request."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from http import HTTPStatus

from crawler import sizes
from newskeep.confidence import is_doubtful, whole_percent
from newskeep.web.language import cldr, gettext, ngettext
from newskeep.web.reading_room.vocabulary import NOUNS, REASONS
from storage.model import Capture, Reason

number, percent, short_day, weekday = cldr.number, cldr.percent, cldr.short_day, cldr.weekday

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,4}")
#: How site memory says of a line where it stands too.
_REPEATED = re.compile(r"on ([\d,]+) articles? of (\S+)")
#: Bytes in the units of `crawler.sizes`, as CLDR names them.
_UNITS = {"kB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte"}


def day(moment: datetime | date) -> str:
    """ "1 March 2026", in UTC."""
    return cldr.day(moment.astimezone(UTC) if isinstance(moment, datetime) else moment)


def clock(moment: datetime) -> str:
    """ "05:07", in UTC."""
    return cldr.clock(moment.astimezone(UTC))


def minute(moment: datetime) -> str:
    return cldr.together(day(moment), clock(moment))


def when(moment: datetime) -> str:
    return f"{cldr.together(day(moment), cldr.clock(moment.astimezone(UTC), seconds=True))} UTC"


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
        told = cldr.together(told, cldr.clock(found))
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


def count(value: int, noun: str) -> str:
    """A number with its noun: "1 article", "1,200 articles"."""
    one, more = NOUNS[noun]
    return ngettext(one, more, value) % {"num": number(value)}


def size(value: int) -> str:
    """Bytes in the unit that suits them, in powers of a thousand."""
    told = sizes.size(value)
    amount, _, name = told.partition(" ")
    if name not in _UNITS:
        return count(value, "byte")
    return cldr.unit(float(amount.replace(",", "")), f"digital-{_UNITS[name]}")


def span(seconds: float) -> str:
    """A length of time in one unit."""
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * unit:
            return cldr.unit(round(seconds / unit), f"duration-{name}", short=False)
    return cldr.unit(round(seconds), "duration-second", short=False)


def word(text: str) -> str:
    """A word of the program's own, as of a state or an outcome, in the language of the reader; others as they are."""
    return gettext(text)


def tally(value: int, name: str) -> str:
    """A number of a run with its name: "12 announced"."""
    return gettext("%(number)s %(name)s") % {"number": number(value), "name": word(name)}


def sure(confidence: float) -> str:
    """What to say of a text: "sure", or "doubtful: 31 %"."""
    if not is_doubtful(confidence):
        return gettext("sure")
    return gettext("doubtful: %(percent)s") % {"percent": percent(whole_percent(confidence))}


def language(tag: str | None) -> str | None:
    """A tag that a browser may be told, `None` for what is not one."""
    return tag if tag and _TAG.fullmatch(tag) else None


def reason(why: Reason) -> tuple[str, str]:
    """Why a block was removed, in a sentence's words; and what may differ from the next one, or nothing."""
    answer = "" if why.probability is None else percent(round(100 * why.probability))
    if repeated := _REPEATED.fullmatch(why.detail):
        articles = count(int(repeated[1].replace(",", "")), "article")
        return gettext("repeated on %(articles)s of %(host)s") % {"articles": articles, "host": repeated[2]}, answer
    return f"{gettext(REASONS.get(why.word, why.word))} {why.detail}".rstrip(), answer


def status(code: int | None) -> str:
    if code is None:
        return gettext("not HTTP")
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)


def kind(capture: Capture) -> str:
    """What a capture holds."""
    if capture.wall is not None:
        return gettext("not the page: %(wall)s") % {"wall": gettext(capture.wall)}
    if capture.is_revisit:
        return gettext("not changed") if capture.status == 304 else gettext("the same bytes as before")
    return capture.mime or gettext("no media type")


def visible(data: bytes) -> list[str]:
    """The lines of a head as text: ASCII as it is, every other byte as its escape."""
    lines = data.decode("latin-1").replace("\r\n", "\n").rstrip("\n").split("\n")
    return ["".join(char if " " <= char <= "~" else f"\\x{ord(char):02x}" for char in line) for line in lines]

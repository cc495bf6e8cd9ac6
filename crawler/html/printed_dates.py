"""Dates in a line of text as people write it, in the languages of news: "By Ann Berg | 18 novembre 2026 à 14h05"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date
from typing import NamedTuple

from crawler.html.clocks import CLOCK, at_clock, in_24_hours
from crawler.html.month_names import folded, month_of, order_of, primary
from crawler.html.time_zones import AMERICAN, UnknownZone

#: Of a longer text the beginning is looked at, in characters.
_LONGEST = 400
# No day is found in what has no year, or three numbers.
_MAYBE = re.compile(r"\d{4}|\d\D{1,3}\d{1,2}\D{1,3}\d|\d\D+\d\d\b")
_WORDS = r"[^\d|;:()\[\]·•]{1,40}?"
_ORDINAL = r"(?:st|nd|rd|th|er|re|[oa°]\b|:?[ea]\b)?"
_NUMBERS = re.compile(
    r"(?<![\d./-])(?<!\d:)(\d{4}|\d{1,2})(?:\s?([./-])\s?(\d{1,2})\s?\2|\s(\d{1,2})\s)\s?(\d{4}|\d{1,2})(?![\d/:-]|\.\d)"
)
_CJK = re.compile(r"(?<!\d)(\d{4})\s?[年년]\s*(\d{1,2})\s?[月월]\s*(\d{1,2})(?:\s?[日号號일])?(?!\d)")
_VIETNAMESE = re.compile(r"(?<!\d)(\d{1,2})\s+tháng\s+(\d{1,2})(?:,|\s+năm)?\s+(\d{4})(?!\d)", re.IGNORECASE)
_DAY_NAME_YEAR = re.compile(
    rf"(?<![\d./])(?<!\d:)(\d{{1,2}}){_ORDINAL}({_WORDS})(\d{{4}}|['’]?\d\d)(?!\d|\s?[.:h]\s?\d)"
)
_NAME_DAY_YEAR = re.compile(
    rf"(?<![\d./])(?<!\d:)(\d{{1,2}}){_ORDINAL}(?:\s*[,.]\s*|\s+)(?:of\s|del?\s)?(\d{{4}})(?!\d)"
)
_YEAR_NAME_DAY = re.compile(rf"(?<!\d)(\d{{4}})({_WORDS})(\d{{1,2}})(?!\d|\s?[:h]\s?\d|\.\d)")
# "18 de noviembre del 2026", "den 18. november 2026", "ta' Novembru", "2026 m. lapkričio 18 d.".
_JOINING = frozenset(
    {"de", "del", "of", "the", "di", "da", "do", "den", "d", "la", "le", "el", "m", "ta", "tal", "dna", "al"}
)
_WORD = re.compile(r"[^\s,/’'_-]+")
#: Words before the year that may name the month: Arabic has names of two, Vietnamese of three.
_MOST_WORDS = 3
_BEFORE_CLOCK = re.compile(r"[Tt](?=\d)|[^\d+]{0,32}")
_CLOCK = re.compile(CLOCK)
_CLOCK_AND_GAP = re.compile(rf"{CLOCK}(?P<gap>[^\d]{{0,24}})$")
#: Words between a clock and its day: "um", "a las", "года в", a weekday.
_MOST_BETWEEN = 3


class Printed(NamedTuple):
    """A date in a line: its value in ISO 8601, and what the line says before and, after the last one, behind it."""

    value: str
    before: str
    after: str = ""


class _Day(NamedTuple):
    start: int
    end: int
    day: date


def printed_dates(text: str, locale: str, is_possible: Callable[[date], bool], stop: re.Pattern[str]) -> list[Printed]:
    """Return the dates in a text, in its order.

    `locale` (a BCP 47 tag, "" if not known) names the months and decides what 11/03/2026 is; of two readings the one
    that `is_possible` is taken. A clock beside a day belongs to it unless a word of `stop` ("updated") stands between.
    A date without a year is none, and so is "three hours ago".
    """
    text = normal(text)[:_LONGEST]
    if not _MAYBE.search(text):
        return []
    american = bool(AMERICAN.search(text))
    whole = in_24_hours(text, locale)
    american = american or whole != text
    days = list(_days(whole, locale, american, is_possible))
    found: list[Printed] = []
    past = 0
    for number, day in enumerate(days):
        until = days[number + 1].start if number + 1 < len(days) else len(whole)
        value, start, end = _with_clock(whole, day, past, until, stop, locale)
        found.append(Printed(value, whole[past:start]))
        past = end
    return [*found[:-1], found[-1]._replace(after=whole[past:])] if found else []


def normal(text: str) -> str:
    """Return a text on one line, with the usual forms of digits, signs and blanks."""
    text = unicodedata.normalize("NFKC", text).replace("\u2212", "-")
    # Marks of direction stand between the digits of Arabic and Hebrew dates.
    return " ".join("".join(each for each in text if unicodedata.category(each) != "Cf").split())


def _days(text: str, locale: str, american: bool, is_possible: Callable[[date], bool]) -> Iterator[_Day]:
    """The days in a text that are possible, the first first, none within another."""
    found = [
        _Day(start, end, day)
        for start, end, readings in (*_in_numbers(text, locale, american), *_with_names(text, locale))
        if (day := next(filter(is_possible, _valid(readings)), None)) is not None
    ]
    past = 0
    for each in sorted(found, key=lambda each: (each.start, -each.end)):
        if each.start >= past:
            yield each
            past = each.end


_Readings = tuple[int, int, list[tuple[int, int, int]]]


def _valid(readings: list[tuple[int, int, int]]) -> Iterator[date]:
    for year, month, day in readings:
        try:
            yield date(year, month, day)
        except ValueError:
            continue


def _in_numbers(text: str, locale: str, american: bool) -> Iterator[_Readings]:
    for match in _CJK.finditer(text):
        yield (*match.span(), [(int(match[1]), int(match[2]), int(match[3]))])
    for match in _VIETNAMESE.finditer(text):
        yield (*match.span(), [(int(match[3]), int(match[2]), int(match[1]))])
    for match in _NUMBERS.finditer(text):
        first, middle, last = match[1], int(match[3] or match[4]), match[5]
        if len(first) == 4:
            if len(last) < 3:
                yield (*match.span(), [(int(first), middle, int(last)), (int(first), int(last), middle)])
        elif len(last) in (2, 4):
            if len(last) == 2 and order_of(locale) == "ymd":
                first, last = last, first
            day_first = (_full_year(last, locale), middle, int(first))
            readings = [day_first, (day_first[0], day_first[2], day_first[1])]
            # Nobody who writes points begins with the month.
            is_swapped = match[2] != "." and _is_american(locale, american)
            yield (*match.span(), readings[::-1] if is_swapped else readings)


def _is_american(locale: str, american: bool) -> bool:
    """Whether a date in digits begins with the month; a clock of twelve hours decides where no country is named."""
    order = order_of(locale)
    return american if order is None else order == "mdy"


def _with_names(text: str, locale: str) -> Iterator[_Readings]:
    for match in _DAY_NAME_YEAR.finditer(text):
        if month := _month(match[2], locale):
            yield (*match.span(), [(_full_year(match[3].strip("'’"), locale), month, int(match[1]))])
    for match in _NAME_DAY_YEAR.finditer(text):
        words = list(_WORD.finditer(text, max(0, match.start() - 30), match.start()))[-2:]
        for word in words[::-1]:
            if month := month_of(text[word.start() : match.start()], locale) or month_of(word[0], locale):
                yield word.start(), match.end(), [(_full_year(match[2], locale), month, int(match[1]))]
                break
    for match in _YEAR_NAME_DAY.finditer(text):
        if month := _month(match[2], locale):
            yield (*match.span(), [(_full_year(match[1], locale), month, int(match[3]))])


def _month(between: str, locale: str) -> int | None:
    """The month that stands between day and year, among nothing but small words."""
    words = [word for word in _WORD.findall(folded(between)) if word not in _JOINING]
    return month_of(" ".join(words), locale) if 0 < len(words) <= _MOST_WORDS else None


def _full_year(digits: str, locale: str) -> int:
    """A year, also of two digits (from 1970 to 2069), and of the Buddhist calendar, by which Thais count."""
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 70 else 1900)
    return year - 543 if primary(locale) == "th" and year > 2400 else year


def _with_clock(
    text: str, day: _Day, past: int, until: int, stop: re.Pattern[str], locale: str
) -> tuple[str, int, int]:
    """The day with the clock behind it, else with the one before it; and where both begin and end."""
    country = locale.rpartition("-")[2] if "-" in locale else {"he": "IL", "zh": "CN"}.get(locale, "")
    gap = _BEFORE_CLOCK.match(text, day.end, until)
    clock = _CLOCK.match(text, gap.end(), until) if gap and _is_gap(gap[0], stop) else None
    start, end = day.start, clock.end() if clock else day.end
    if clock is None:
        clock = _CLOCK_AND_GAP.search(text[past : day.start])
        if clock is None or not _is_gap(clock["gap"], stop):
            return day.day.isoformat(), day.start, day.end
        start = past + clock.start()
    try:
        return at_clock(day.day, clock, country).isoformat(), start, end
    except UnknownZone:
        return day.day.isoformat(), start, end
    except (ValueError, OverflowError):
        return day.day.isoformat(), day.start, day.end


def _is_gap(text: str, stop: re.Pattern[str]) -> bool:
    return len(_WORD.findall(text)) <= _MOST_BETWEEN and not stop.search(text)

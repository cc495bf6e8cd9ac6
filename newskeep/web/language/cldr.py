"""Dates, times, numbers and units as the language of the request writes them (CLDR). Days and times are in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime

from babel.dates import format_date, format_skeleton, format_time, get_datetime_format
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from newskeep.web.language import current


def day(moment: date) -> str:
    """ "1 March 2026"."""
    return format_date(moment, "long", current().locale)


def weekday(moment: date) -> str:
    """ "Sunday, 1 March 2026"."""
    return format_date(moment, "full", current().locale)


def short_day(moment: date) -> str:
    """ "1 Mar"."""
    return str(format_skeleton("MMMd", moment, locale=current().locale))


def clock(moment: datetime, seconds: bool = False) -> str:
    """ "05:07", with `seconds` "05:07:09", in the zone of the moment, in UTC where it has none."""
    zone = moment.tzinfo or UTC
    return format_time(moment, "medium" if seconds else "short", tzinfo=zone, locale=current().locale)


def together(of_day: str, of_clock: str) -> str:
    """A day and a time of it."""
    pattern = str(get_datetime_format("medium", current().locale))
    return pattern.replace("{1}", of_day).replace("{0}", of_clock)


def number(value: float) -> str:
    """ "1,234"."""
    return str(format_decimal(value, locale=current().locale))


def percent(value: int) -> str:
    """Hundredths: "31 %"."""
    # With a space, as everywhere else in the program; CLDR has none for English alone of those with the sign behind.
    if current().tag == "en":
        return f"{value} %"
    return str(format_percent(value / 100, locale=current().locale))


def unit(value: float, name: str, short: bool = True) -> str:
    """An amount with CLDR's name of its unit, as "digital-megabyte" or "duration-hour"."""
    digits = "#,##0.0" if value < 10 and value != int(value) else "#,##0"
    return str(format_unit(value, name, "short" if short else "long", digits, locale=current().locale))

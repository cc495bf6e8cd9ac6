"""Time zones by the names that pages print, which mean another zone in another country."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Hours east of Greenwich, after CLDR's metazones and the IANA database: the abbreviations that news pages print, each
# in its usual meaning.
_ZONES = {
    name: hours
    for hours, names in {
        0: "Z UT UTC GMT WET",
        1: "BST WEST CET MEZ WAT",
        2: "CEST MESZ EET SAST CAT OEZ",
        3: "EEST MSK МСК EAT TRT IDT",
        4: "GST",
        5: "PKT",
        5.5: "IST SLST",
        5.75: "NPT",
        7: "WIB ICT",
        8: "HKT SGT WITA PHT MYT AWST",
        9: "JST KST WIT",
        9.5: "ACST",
        10: "AEST",
        10.5: "ACDT",
        11: "AEDT",
        12: "NZST",
        13: "NZDT",
        -2.5: "NDT",
        -3: "ADT BRT ART UYT",
        -3.5: "NST",
        -4: "AST EDT CLT VET BOT",
        -5: "EST CDT COT PET",
        -6: "CST MDT",
        -7: "MST PDT",
        -8: "PST AKDT",
        -9: "AKST",
        -10: "HST",
    }.items()
    for name in names.split()
}
# What the same letters mean in some countries.
_ELSEWHERE = {
    ("IST", "IE"): 1.0,
    ("IST", "IL"): 2.0,
    ("CST", "CN"): 8.0,
    ("CST", "TW"): 8.0,
    ("CST", "CU"): -5.0,
    ("BST", "BD"): 6.0,
    ("AST", "SA"): 3.0,
    ("AST", "IQ"): 3.0,
    ("PST", "PH"): 8.0,
    ("WST", "AU"): 8.0,
    ("EST", "AU"): 10.0,
}
# Names of a place's time, in summer and in winter.
_PLACES = {
    "ET": "America/New_York",
    "CT": "America/Chicago",
    "MT": "America/Denver",
    "PT": "America/Los_Angeles",
    "AT": "America/Halifax",
}
#: Zones of countries whose dates begin with the month.
AMERICAN = re.compile(r"\b[ECMP][SD]?T\b")
_OFFSET = re.compile(r"(?:UTC|GMT|UT|Z)?\s*([+-])(\d{1,2}):?(\d{2})?")
_FARTHEST = timedelta(hours=14)


class UnknownZone(ValueError):
    """A zone is named that is not known: the time beside it could be any."""


def zone_of(name: str | None, at: datetime, country: str = "") -> tzinfo | None:
    """Return the zone of "Z", "+0200", "+02", "GMT+2:00", "CEST" or "ET" at a wall clock; `None` if none is named.

    `country` is an ISO 3166 code: IST is India's, in Ireland Ireland's. Raises `UnknownZone` for what is written like a
    zone and is none of the known; a word of other form is no zone.
    """
    name = (name or "").upper().strip()
    if match := _OFFSET.fullmatch(name):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        if offset > _FARTHEST:
            raise UnknownZone(name)
        return timezone(-offset if match[1] == "-" else offset)
    hours = _ELSEWHERE.get((name, country), _ZONES.get(name))
    if hours is not None:
        return timezone(timedelta(hours=hours))
    if name in _PLACES:
        return _at(_PLACES[name], at)
    if re.fullmatch(r"[A-Z]{2,5}T", name):
        raise UnknownZone(name)
    return None


def _at(place: str, at: datetime) -> timezone:
    try:
        offset = at.replace(tzinfo=ZoneInfo(place)).utcoffset()
    except ZoneInfoNotFoundError as error:
        # A machine without the IANA database.
        raise UnknownZone(place) from error
    return timezone(offset or timedelta())

"""Durations as people write and read them."""

from __future__ import annotations

import re

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw]?)", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
#: Seconds of a hundred years: what databases and clocks reckon with.
_MOST = 36_525 * 86_400
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def parse_duration(value: object) -> float:
    """Return the seconds of `"15m"`, `"2h"`, `"1d"`, `"1w"` or a number of seconds, up to a hundred years.

    Raises `ValueError`.
    """
    seconds = -1.0
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value
    elif isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        seconds = float(match[1]) * _SECONDS[match[2]]
    if 0 <= seconds <= _MOST:
        return float(seconds)
    raise ValueError('a time such as 90, "15m", "2h" or "1d"')


def duration(seconds: float) -> str:
    """The largest two units that say it: "45s", "15m", "1h 30m", "3d"."""
    rest = round(abs(seconds))
    if rest >= 3_600:
        # Nobody plans an hour ahead by the second.
        rest = round(rest / 60) * 60
    parts = []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0s"

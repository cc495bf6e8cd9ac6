"""How the languages of news name months and halves of the day, and in which order they write dates.

From Unicode CLDR, by `scripts/cldr-dates`: a table of ours, since Babel takes 3 ms and some memory a language, and
seventy would be asked for a word that is no month.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

#: An abbreviation has so many letters, if CLDR does not know it: "sept", "janv".
_SHORTEST = 3


@lru_cache(maxsize=4096)
def month_of(name: str, language: str = "") -> int | None:
    """Return the number of a month, from 1, by its name or a beginning of it; `None` for other words.

    Of a word that several languages have, that of `language` (a BCP 47 tag), then English, and then only if all mean
    the same: "listopad" is November in Poland and October in Croatia.
    """
    word = folded(name)
    own = _months(primary(language))
    return own.get(word) or _months("en").get(word) or _all_months().get(word)


def order_of(locale: str) -> str | None:
    """Return how a language and country write a date in digits: "dmy", "mdy" or "ymd"; `None` if that is not known.

    "en" alone is that of the United States, as CLDR has it.
    """
    orders: dict[str, str] = _cldr()["orders"]
    return orders.get(locale) or _cldr()["languages"].get(primary(locale), {}).get("order")


@cache
def halves(language: str) -> Mapping[str, bool]:
    """Return what a language writes beside a clock of twelve hours, folded, and whether it means the afternoon."""
    described = _cldr()["languages"].get(primary(language), {})
    found = {folded(word): after for after, name in ((False, "am"), (True, "pm")) for word in described.get(name, ())}
    return {**found, "am": False, "pm": True}


def folded(text: str) -> str:
    """Return a text in lower case without accents and points, so that "ΝΟΕ.", "Νοέ" and "Νοε" are one."""
    text = unicodedata.normalize("NFKD", text.casefold()).replace("ı", "i")
    return "".join(each for each in text if unicodedata.category(each) not in ("Mn", "Mc") and each != ".").strip()


def primary(tag: str) -> str:
    """Return the language of a tag without script and country."""
    return tag.split("-", 1)[0].lower()


@cache
def _months(language: str) -> Mapping[str, int]:
    """Names and unambiguous beginnings of one language."""
    described = _cldr()["languages"].get(language)
    if described is None:
        return {}
    names = [(folded(name), number) for number, names in enumerate(described["months"], 1) for name in names]
    return {**_unambiguous(pair for name, number in names for pair in _beginnings(name, number)), **dict(names)}


@cache
def _all_months() -> Mapping[str, int]:
    return _unambiguous(pair for language in _cldr()["languages"] for pair in _months(language).items())


def _beginnings(name: str, number: int) -> Iterator[tuple[str, int]]:
    yield from ((name[:length], number) for length in range(_SHORTEST, len(name)))


def _unambiguous(pairs: Iterator[tuple[str, int]]) -> dict[str, int]:
    meanings: dict[str, set[int]] = {}
    for word, number in pairs:
        meanings.setdefault(word, set()).add(number)
    return {word: min(numbers) for word, numbers in meanings.items() if len(numbers) == 1}


@cache
def _cldr() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(files(__package__).joinpath("cldr_dates.json").read_bytes())
    return table

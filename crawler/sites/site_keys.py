"""What the table of a site may say: its keys, and how the value of each is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, cast, get_args
from urllib.parse import urlsplit

from crawler import defaults
from crawler.durations import parse_duration
from crawler.politeness.proxies import check_proxy
from crawler.subscriptions.fields import check_field
from crawler.subscriptions.login import read_login
from storage.annotations import parse_tags
from storage.errors import UsageError
from storage.urls import normalize

#: No source is asked more often, in seconds.
_SHORTEST = 60.0


@lru_cache(maxsize=4096)
def pattern(rule: str) -> re.Pattern[str]:
    """Return a rule of `include` or `exclude` compiled. Raises `re.error`."""
    return re.compile(rule)


def many(value: object) -> Iterator[Any]:
    """Yield the items of a list, or the one value that stands for a list of one."""
    if isinstance(value, list | tuple):
        yield from value
    elif value is not None:
        yield value


def _texts(value: object) -> tuple[str, ...]:
    found = tuple(many(value))
    if not all(isinstance(each, str) for each in found):
        raise ValueError("a text or a list of texts")
    return cast("tuple[str, ...]", found)


def _urls(value: object) -> tuple[str, ...]:
    return tuple(normalize(url) for url in _texts(value))


def _rules(value: object) -> tuple[str, ...]:
    rules = _texts(value)
    for rule in rules:
        try:
            pattern(rule)
        except re.error as error:
            raise ValueError(f"regular expressions ({error})") from None
    return rules


def _host_names(value: object) -> tuple[str, ...]:
    names = _texts(value)
    return tuple(urlsplit(normalize(f"http://{name.partition('://')[2] or name}")).netloc for name in names)


def _every(value: object) -> float:
    seconds = parse_duration(value)
    if seconds < _SHORTEST:
        raise ValueError(f"{_SHORTEST:g} seconds or more")
    return seconds


def _whole(least: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f"a whole number from {least}")
        return value

    return read


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError("a text")
    return value


def _language(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9*,;=. -]+", value):
        raise ValueError('a text such as "de, en;q=0.5"')
    return value


def _proxy(value: object) -> str:
    address = _text(value)
    check_proxy(address)
    return address


def _headers(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
        raise ValueError("a table of texts")
    return tuple((check_field(str(name)), text) for name, text in value.items())


def _policy(value: object) -> str:
    if value not in get_args(defaults.NoarchivePolicy):
        raise ValueError('"keep" or "refuse"')
    return cast("str", value)


def _render(value: object) -> str:
    if value not in get_args(defaults.Render):
        raise ValueError('"never", "when-needed" or "always"')
    return cast("str", value)


def _tags(value: object) -> tuple[str, ...]:
    try:
        return parse_tags(_texts(value))
    except UsageError as error:
        raise ValueError(f"tags ({error})") from None


def _yes(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


#: How the value of each key is read; a `ValueError` says what it must be.
READERS: dict[str, Callable[[object], Any]] = {
    "start": _urls,
    "feeds": _urls,
    "sitemaps": _urls,
    "include": _rules,
    "exclude": _rules,
    "hosts": _host_names,
    "every": _every,
    "delay": parse_duration,
    "section": _yes,
    "depth": _whole(0),
    "cap": _whole(1),
    "user_agent": _text,
    "noarchive": _policy,
    "accept_language": _language,
    "proxy": _proxy,
    "cookies": _text,
    "headers": _headers,
    "login": read_login,
    "requisites": _yes,
    "websub": _yes,
    "render": _render,
    "scroll": _whole(0),
    "click": _texts,
    "load_more": _text,
    "insecure": _yes,
    "tags": _tags,
}
#: What may hold a secret, and is not shown in an error.
SECRET = ("proxy", "headers", "login")
#: What a table may say.
KEYS = tuple(READERS)

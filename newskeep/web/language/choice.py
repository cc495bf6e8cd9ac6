"""Which language a reader gets: the one that was chosen here, kept in a cookie, or else what the browser asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from newskeep.web.language import BY_TAG, ENGLISH, LANGUAGES, Language, speaking

COOKIE = "newskeep-language"
#: What an answer depends on.
VARY = "Accept-Language, Cookie"
#: One range of Accept-Language, perhaps with its weight (RFC 9110, 12.5.4); a longer field is not read to its end.
_RANGE = re.compile(
    r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?\s*"
)
_LONGEST, _RANGES = 1_000, 30
#: Chinese in characters that are not the simplified ones.
_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})


def chosen(cookie: str | None) -> Language | None:
    """The language of a cookie; `None` where none was chosen, or one that there is not."""
    return BY_TAG.get(cookie or "")


def preferred(accept_language: str) -> Language:
    """The language that Accept-Language wants most of those there are, the first named on a tie; else English.

    A range fits a language by its first part: "de-AT" is German. Traditional Chinese gets the simplified one, which its
    readers know better than English, but none that they have named.
    """
    weighted = sorted(_ranges(accept_language), key=lambda pair: -pair[1])
    refused = {language for name, weight in weighted if not weight and (language := _named(name))}
    for name, weight in weighted:
        language = next((each for each in LANGUAGES if each not in refused), None) if name == "*" else _named(name)
        if weight and language and language not in refused:
            return language
    near = BY_TAG["zh-Hans"]
    is_near = near not in refused and any(weight and _is_traditional(name) for name, weight in weighted)
    return near if is_near else ENGLISH


class ChooseLanguage:
    """ASGI middleware: answers every request in its language."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        language = chosen(request.cookies.get(COOKIE)) or preferred(
            ", ".join(request.headers.getlist("accept-language"))
        )
        with speaking(language):
            await self._app(scope, receive, send)


def _ranges(field: str) -> Iterator[tuple[str, float]]:
    for part in field[:_LONGEST].split(",")[:_RANGES]:
        if match := _RANGE.fullmatch(part):
            yield match[1].lower(), float(match[2] or 1)


def _named(name: str) -> Language | None:
    if _is_traditional(name):
        return None
    first = name.partition("-")[0]
    return BY_TAG["zh-Hans"] if first == "zh" else BY_TAG.get(first)


def _is_traditional(name: str) -> bool:
    first, *more = name.split("-")
    return first == "zh" and bool(_TRADITIONAL.intersection(more)) and "hans" not in more

"""The languages of the pages: which there are, which one a request is answered in, and its words.

Messages are English; the catalogs in `catalogs/` have the other languages (gettext). The language of a request is a
context variable, which handlers in threads see too, so that whoever writes words needs no parameter for it. Outside of
a request it is English. What programs read is never translated: JSON, feeds, errors as plain text.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from newskeep.web.language.catalogs import catalog


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the pages."""

    #: As HTML's `lang` and Accept-Language have it (BCP 47).
    tag: str
    #: What those who speak it call it.
    name: str
    #: The locale of dates and numbers, and of the catalog (CLDR).
    locale: str


ENGLISH = Language("en", "English", "en_GB")
LANGUAGES = (
    ENGLISH,
    Language("de", "Deutsch", "de"),
    Language("da", "Dansk", "da"),
    Language("fr", "Français", "fr"),
    Language("es", "Español", "es"),
    Language("zh-Hans", "简体中文", "zh_Hans"),
)
BY_TAG = {each.tag: each for each in LANGUAGES}

_current: ContextVar[Language] = ContextVar("language", default=ENGLISH)


def current() -> Language:
    """The language of the request that is answered."""
    return _current.get()


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Within the block, words are of this language."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def gettext(message: str) -> str:
    """The message in the language of the request; as it is where there is no translation."""
    # The empty message is the head of a catalog.
    return catalog(current().locale).gettext(message) if message else ""


def ngettext(one: str, more: str, number: int) -> str:
    """The message in the form for a number of things; "%(num)s" in it is the caller's to fill."""
    return catalog(current().locale).ngettext(one, more, number)


def gettext_noop(message: str) -> str:
    """The message as it is: marked for the catalogs, translated where it is shown."""
    return message


def ngettext_noop(one: str, more: str) -> tuple[str, str]:
    """The same for a message that goes with a number."""
    return one, more

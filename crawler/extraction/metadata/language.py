"""The language of an article: what the page declares, checked against its text."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier  # type: ignore[import-untyped]

#: So many bytes are needed to tell, and so many characters are enough.
_LEAST, _ENOUGH = 200, 320
#: A detector sees "da" where it is "nb": within a group the page knows better.
_CLOSE = (
    frozenset({"da", "no", "nb", "nn"}),
    frozenset({"hr", "sr", "bs", "sh", "sl", "me", "cnr"}),
    frozenset({"id", "ms", "jv", "su"}),
    frozenset({"pt", "gl"}),
    frozenset({"cs", "sk"}),
    frozenset({"zu", "xh", "ss", "nr", "nd"}),
    frozenset({"ru", "uk", "be", "bg", "mk"}),
    frozenset({"hi", "mr", "ne"}),
    frozenset({"fa", "prs", "ps", "ur"}),
    frozenset({"zh", "yue", "cmn"}),
    frozenset({"es", "ca", "an", "ast"}),
    frozenset({"de", "lb", "gsw", "nds"}),
    frozenset({"nl", "af", "fy", "li"}),
)
#: Domains of countries that are bought from everywhere.
_SOLD = frozenset({"AI", "CC", "CO", "EU", "FM", "IO", "LY", "ME", "TO", "TV", "WS"})
_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|\d{3}))?(?:[-_.@].*)?", re.IGNORECASE)


def tag(declared: str | None) -> str | None:
    """Return a BCP 47 tag, such as "da", "pt-BR" or "zh-Hans-CN"; `None` for what is no language."""
    match = _TAG.fullmatch((declared or "").strip())
    if not match or match[1].lower() in ("und", "mul", "zxx", "utf"):
        return None
    script, region = (match[2] or "").title(), (match[3] or "").upper()
    return "-".join(filter(None, (match[1].lower(), script, region)))


def with_country(tag: str, host: str) -> str:
    """Return a tag with the country of a host's name, unless it names one: "en" at example.co.uk is "en-GB"."""
    country = host.rpartition(".")[2].upper()
    if not tag or "-" in tag or len(country) != 2 or country in _SOLD:
        return tag
    return f"{tag}-{'GB' if country == 'UK' else country}"


def detect(text: str, enough: int = _ENOUGH) -> str | None:
    """Return the ISO 639-1 code of the text's language; `None` if there is too little text, or it is not sure.

    `enough` characters are looked at.
    """
    text = " ".join(text[: 2 * enough].split())[:enough]
    # A Chinese sentence is a quarter of an English one.
    if len(text.encode()) < _LEAST:
        return None
    code, probability = _identifier().classify(text)
    return str(code) if probability > 0.95 else None


def agree(declared: str, detected: str) -> bool:
    """Whether two codes are the same language, or so close that the text cannot tell."""
    one, other = declared.split("-", 1)[0], detected.split("-", 1)[0]
    return one == other or any(one in group and other in group for group in _CLOSE) or not _knows(one)


def _knows(code: str) -> bool:
    """Whether the detector was taught this language."""
    return code in _identifier().labels or code in ("nb", "nn")


@cache
def _identifier() -> LanguageIdentifier:
    """The detector, loaded once a process."""
    from crawler.extraction.metadata.language_model import load

    return load()

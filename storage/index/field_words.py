"""Site, language and authors as words among those of the text, which have no ":", so that they narrow a search."""

from __future__ import annotations

import re
from collections.abc import Iterator

from storage.index.tokenizer import tokens

#: Between what must not be taken for one phrase; every document has one.
BREAK = ":"
_NO_SITE = re.compile(r"[^a-z0-9.:_-]")


def site_word(site: str) -> str:
    """The word of a site, with nothing in it that FTS5 would read as more than a word."""
    return _NO_SITE.sub(" ", f"s:{site.casefold()}")


def language_words(language: str | None) -> Iterator[str]:
    """A language tag and what it is a region or script of, the widest first."""
    parts = re.findall(r"[a-z0-9]+", (language or "").lower())
    for length in range(1, len(parts) + 1):
        yield f"l:{'-'.join(parts[:length])}"


def author_words(author: str) -> list[str]:
    return [f"a:{token}" for token in tokens(author)]

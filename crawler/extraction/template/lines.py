"""A block's text as a line that may repeat on a site: folded and hashed, with its numbers and without."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from crawler.html.words import tokens

#: Lines that are the same for so many characters are the same.
LONGEST = 400
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_QUOTE = re.compile(r"^\s*(?:[\"'“„”»«‘’「『]|[-–—―]\s)")
#: What leads in to something else: "Read also: …".
_LEAD = re.compile(r"^\s*([^\s:：|»›→][^:：|»›→]{0,38}?)\s*[:：|»›→]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, folded: without case and punctuation."""

    key: str
    #: The same for other numbers: a rate of today and of tomorrow.
    loose: str
    #: Words that are no numbers; characters where a script has no spaces.
    words: int
    #: Opens with a quotation mark or a dash: somebody speaks.
    quoted: bool


@lru_cache(maxsize=65_536)
def line(text: str) -> Line:
    """Return a text's line; the same for its first `LONGEST` characters."""
    text = text[:LONGEST]
    loose = tokens(_NUMBER.sub("0", text))
    return Line(
        short_hash(" ".join(tokens(text)) or text),
        short_hash(" ".join(loose) or text),
        sum(word != "0" for word in loose),
        _QUOTE.match(text) is not None,
    )


def lead(text: str) -> str | None:
    """Return the hash of what leads in to the rest: "Read also" of "Read also: Ten ways …"; `None` if nothing does."""
    match = _LEAD.match(text)
    return line(match[1]).loose if match else None


def short_hash(text: str) -> str:
    """Return 8 hexadecimal digits: among the thousands of lines of a site's memory hardly two are the same."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=4).hexdigest()

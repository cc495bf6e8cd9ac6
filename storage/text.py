"""Words, in every script; what is layout and typography in a text, and what is the text."""

from __future__ import annotations

import re
import unicodedata

# Scripts written without spaces: each character counts as a word, as word processors count them.
_UNSPACED = (
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f"
)
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+(?:['’-][^\W{_UNSPACED}]+)*")
_PIECE = re.compile(rf"{_WORD.pattern}|\s+|.", re.DOTALL)
# What one system writes and the next one does not: quotation marks, dashes, dots, invisible marks.
_TYPOGRAPHY = {
    **dict.fromkeys("‘’‚‛′ʼ", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    "…": "...",
    **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
}
_TYPOGRAPHIC = re.compile(f"[{''.join(_TYPOGRAPHY)}]")
# What a page puts between a headline and its own name.
_SUFFIX = re.compile(r" [|\-:·•/~*] | ?\| ?")

_SURROGATE = re.compile("[\ud800-\udfff]")


def characters(text: str) -> str:
    """The text with U+FFFD for a lone surrogate, which is no character: UTF-8, and so no database, has it."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def count_words(text: str) -> int:
    """Number of words of a text; each character of an unspaced script (Chinese, Japanese, Thai, …) is one."""
    return len(_WORD.findall(text))


def pieces(text: str) -> list[str]:
    """Cut a text into words, signs and white space; joined they are the text."""
    return _PIECE.findall(text)


def plain(text: str) -> str:
    """The text without its layout and typography: line ends, paragraphs, kinds of spaces, quotes and dashes."""
    marked = unicodedata.normalize("NFC", text)
    return " ".join(_TYPOGRAPHIC.sub(lambda mark: _TYPOGRAPHY[mark[0]], marked).split())


def is_same_title(one: str | None, other: str | None) -> bool:
    """Whether two titles differ in nothing that a template alone may change.

    That is typography, a title that is not there at all, and what follows a separator: "A bridge opens | The Paper".
    """
    if one is None or other is None:
        return True
    short, long = sorted((plain(one), plain(other)), key=len)
    return long.startswith(short) and (len(long) == len(short) or _SUFFIX.match(long, len(short)) is not None)

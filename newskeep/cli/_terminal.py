"""What others wrote, made fit for a terminal: the one place for all commands.

Titles, authors, addresses and reason phrases may hold what a terminal obeys (ESC, C1 controls), what turns lines round
(bidi overrides and isolates), what makes another line, and what nobody sees (tag characters). Lines for people are made
fit wherever they go, as a pipe may end in a terminal too; JSON and files keep the bytes.
"""

from __future__ import annotations

import io
import logging
import re
import unicodedata

import click

_JOINERS = "\u200c\u200d"
#: The flags of England, Scotland and Wales are a black flag and tag characters; these and no others.
_FLAGS = re.compile(
    "\U0001f3f4(?:\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074"
    "|\U000e0077\U000e006c\U000e0073)\U000e007f)"
)
#: Formatting characters that are seen: signs before numbers in Arabic, Syriac and Kaithi.
_SEEN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")


def fit(text: str, *, lines: bool = False) -> str:
    """Text as a terminal may have it, on one line; with `lines` line feeds and tabs stay.

    Letters, signs and emoji stay as they are, with the joiners (U+200C, U+200D) and variation selectors that belong to
    them. Controls become their pictures (ESC "␛"), what ends lines becomes a space, what is invisible goes.
    """
    return "".join(pieces(text, lines=lines))


def echo(text: str, *, err: bool = False, lines: bool = False) -> None:
    """Print a line for a person, made fit as `fit` does."""
    click.echo(fit(text, lines=lines), err=err)


def show_error(error: click.ClickException) -> None:
    """Print what click has to say of wrong arguments, which may quote them."""
    told = io.StringIO()
    error.show(told)
    click.echo(fit(told.getvalue(), lines=True), err=True, nl=False)


class Formatter(logging.Formatter):
    """Lines of the log, which quote addresses and answers; a traceback has several."""

    def format(self, record: logging.LogRecord) -> str:
        return fit(super().format(record), lines=True)


def pieces(text: str, *, lines: bool) -> list[str]:
    """What `fit` makes of each character."""
    if text.isascii() and text.isprintable():
        return list(text)
    flags = {place for flag in _FLAGS.finditer(text) for place in range(*flag.span())}
    made: list[str] = []
    before = " "
    for place, char in enumerate(text):
        piece = char if place in flags or (lines and char in "\n\t") else _piece(char, before)
        made.append(piece)
        before = piece or before
    return made


def _piece(char: str, before: str) -> str:
    """What a character becomes behind another, as it is shown."""
    code = ord(char)
    if char.isprintable() and not _is_selector(code):
        return char
    if _is_selector(code) or char in _JOINERS:
        # Of use behind what it changes, once.
        last = before[-1]
        changes = unicodedata.category(last)[0] in "LMNS" and not _is_selector(ord(last))
        return char if changes or (char in _JOINERS and _is_selector(ord(last))) else ""
    match unicodedata.category(char):
        case "Cc":
            return _control(code)
        case "Cf":
            return char if char in _SEEN else ""
        case "Zl" | "Zp":
            return " "
        case "Cs":
            return "\ufffd"
        case _:
            # Spaces, and characters of private use or newer than this Python.
            return char


def _is_selector(code: int) -> bool:
    return 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF


def _control(code: int) -> str:
    if code in (*range(0x09, 0x0E), 0x85):
        return " "
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"

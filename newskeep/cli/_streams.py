"""Standard output and error that take any text, in whatever coding the locale says."""

from __future__ import annotations

import codecs
import io
import sys

_ESCAPES = "newskeep-escapes"


def take_any_text() -> None:
    """Write what the coding of a stream has no sign for as JSON escapes it, instead of ending with a fault.

    A locale that is not UTF-8, such as de_DE.ISO-8859-1, has no sign for most of what titles hold. What the user has
    said himself (PYTHONIOENCODING with a way of replacing) holds.
    """
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper) or codecs.lookup(stream.encoding).name == "utf-8":
            continue
        if stream.errors in ("strict", "surrogateescape", "backslashreplace"):
            codecs.register_error(_ESCAPES, _escaped)
            stream.reconfigure(errors=_ESCAPES)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2)), error.end

"""Standard output and error as they may be: in any coding, closed from the beginning, or left by who read them."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from contextlib import suppress

_ESCAPES = "newskeep-escapes"


def open_missing() -> None:
    """Put nothing in the place of standard streams that the caller has closed, as `>&-` does.

    Otherwise the next file that is opened, of the archive perhaps, would be standard output to whoever writes to it.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is taken, which is this one.
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def is_gone(error: OSError) -> bool:
    """Whether nobody is there any more: the end of a pipe, or a terminal that was closed."""
    return error.errno in (errno.EPIPE, errno.EIO) or isinstance(error, BrokenPipeError)


def drop_broken() -> None:
    """Have what is still written where nobody reads any more go nowhere; Python would complain at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
            # A closed terminal refuses even this; to a flush without anything in it it says nothing.
            os.write(stream.fileno(), b"")
        except OSError as error:
            if not is_gone(error):
                raise
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


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


def tell_last(line: str) -> None:
    """Say it on standard error if that goes, and have Python write nothing at its end."""
    with suppress(OSError):
        os.write(2, line.encode(errors="replace") + b"\n")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)

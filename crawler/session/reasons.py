"""Faults of libraries and of the machine in words for a person: no name of a class, no `None`."""

from __future__ import annotations

import os

#: Two Content-Length fields of an answer that contradict each other (RFC 9112, 6.3).
TWO_LENGTHS = "two lengths that differ"
NO_STATUS_LINE = "not a valid HTTP answer: its first line is not one of HTTP"
BAD_CHUNK = "not a valid HTTP answer: its chunks make no sense"


def in_words(error: BaseException) -> str:
    """One line that says what went wrong: the system's own words, else the first line of the message."""
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    said = " ".join(str(error).split())
    return f"a fault of ours: {said[:200]}" if said and said != "None" else "a fault of ours that says nothing"


def no_connection(error: BaseException) -> str:
    """Why a connection did not come about; Twisted's own words are a sentence about itself and a number."""
    number = getattr(error, "osError", None)
    if isinstance(number, OSError):
        number = number.errno
    return f"no connection: {os.strerror(number)}" if isinstance(number, int) else "no connection"


def not_http(error: BaseException) -> str:
    """What is wrong with an answer that is no message of HTTP/1."""
    said = str(error).lower()
    if TWO_LENGTHS in said:
        return f"not a valid HTTP answer: {TWO_LENGTHS}"
    if "chunk" in said:
        return BAD_CHUNK
    if any(word in said for word in ("parts", "status", "version")):
        return NO_STATUS_LINE
    return "not a valid HTTP answer"

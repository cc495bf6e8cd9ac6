"""What a check found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

#: "warn": works, and may not be what is wanted; "bad": something does not work, or will not.
Grade = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and what to do where it is not as it should be."""

    check: str
    grade: Grade
    said: str
    cure: str | None = None


Check = Callable[[], Iterable[Finding]]


def good(check: str, said: str) -> Finding:
    return Finding(check, "ok", said)


def warned(check: str, said: str, cure: str | None = None) -> Finding:
    return Finding(check, "warn", said, cure)


def bad(check: str, said: str, cure: str | None = None) -> Finding:
    return Finding(check, "bad", said, cure)


def parted(check: str, message: str) -> Finding:
    """A bad finding from a message of ours, which names the cure behind its last semicolon, if at all."""
    said, mark, cure = message.rpartition("; ")
    return bad(check, said, cure) if mark else bad(check, cure)


def alone(check: str, look: Check) -> Iterator[Finding]:
    """Yield what a check finds; one that fails is a finding itself, and in the way of no other."""
    try:
        yield from look()
    except Exception as error:
        yield parted(check, str(error) or type(error).__name__)

"""A number with its noun, as people write it: "1 article", "1,200 articles"."""

from __future__ import annotations


def counted(number: int, noun: str, more: str | None = None) -> str:
    """The number and the noun that goes with it; `more` is its plural where that is not the noun with an s."""
    return f"{number:,} {noun if number == 1 else more or noun + 's'}"

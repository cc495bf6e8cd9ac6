"""Fields of JSON objects that others may have written, checked as they are taken."""

from __future__ import annotations


def as_text(value: object) -> str:
    """Return a text. Raises TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where text should stand")
    return value


def as_text_or_none(value: object) -> str | None:
    """The same, or `None` for null."""
    return None if value is None else as_text(value)

"""What is said where a published month cannot be read."""

from __future__ import annotations

from storage.errors import StoreUnavailable
from storage.published.month import Month


class NotWhole(StoreUnavailable):
    """The store is there, and what is published of a month is not, or is damaged."""


def publish_again(month: Month | str, *, texts: bool = False) -> str:
    """Say how a month is made anew, with its texts where these are what is missing."""
    return f"`newskeep index publish --month {month}{' --search' if texts else ''} --again` makes it again"

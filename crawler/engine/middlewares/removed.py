"""Leaves alone what was taken out of the archive for good, with what comes later of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scrapy import Request

from crawler.politeness.errors import Refused
from crawler.sites.context import context_of
from storage.errors import InvalidURL, StoreUnavailable
from storage.removals import Hiding, in_force
from storage.urls import surt

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from storage.archive import Archive


class RemovedMiddleware:
    """Refuses what `remove --also-future` is about, before its host is asked for anything, robots.txt included.

    An embargo's pages are fetched: they are shown when it ends. Holds as the index knew it when the run began.
    """

    def __init__(self, hidings: list[Hiding]) -> None:
        self._ranges = [each for hiding in hidings for each in hiding.hide.ranges]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(_for_good(context_of(crawler).session.archive))

    def process_request(self, request: Request) -> None:
        if self._ranges and self._covers(request.url):
            raise Refused("removed from the archive, and what comes later of it")

    def _covers(self, url: str) -> bool:
        try:
            key = surt(url)
        except InvalidURL:
            return False
        return any(first <= key < end for first, end in self._ranges)


def _for_good(archive: Archive) -> list[Hiding]:
    if not archive.has_index:
        return []  # asking would make one
    try:
        found = in_force(archive.index.removals())
    except StoreUnavailable:
        return []  # what needs the index says so
    return [each for each in found if each.newest is None and each.until is None]

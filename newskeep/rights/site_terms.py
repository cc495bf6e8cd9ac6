"""robots.txt and tdmrep.json as they were when a page was captured, read from their own captures."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

from storage.archive import Archive
from storage.errors import NewskeepError, StoreUnavailable
from storage.http import ContentError
from storage.model import Capture
from storage.rights.robots_txt import ROBOTS_MAX_BYTES, RobotsTerms
from storage.rights.signal import Signal
from storage.rights.tdmrep import PATH, TDMREP_MAX_BYTES, TdmTerms

ROBOTS = "/robots.txt"
#: A file that was captured behind the page counts where none was before, up to this much later.
_BEHIND = timedelta(days=1)
#: Hosts whose captures are kept, captures of each, and files that are kept as they were read.
_HOSTS_KEPT, _CAPTURES_MOST, _FILES_KEPT = 1_000, 100_000, 1_000
Terms = RobotsTerms | TdmTerms
K = TypeVar("K")
V = TypeVar("V")


class SiteTerms:
    """Looks up what a site said; reads each file once, however many pages are asked about."""

    def __init__(self, archive: Archive, robot: str = "newskeep") -> None:
        """`robot` is the name by which robots.txt may speak to us, in lower case."""
        self._archive = archive
        self._readers: dict[str, Callable[[bytes], Terms]] = {
            ROBOTS: partial(RobotsTerms.read, robot=robot),
            PATH: TdmTerms.read,
        }
        self._captures: OrderedDict[str, list[Capture]] = OrderedDict()
        self._files: OrderedDict[tuple[str, str | None], Terms] = OrderedDict()

    def of(self, url: str, moment: datetime) -> tuple[Signal, ...]:
        """What the two files said of a URL at a moment.

        The newest capture of a file that is not behind the moment counts ("current at the time of the fetch",
        draft-ietf-aipref-attach, 3.3), else the first within a day after it. Raises `StoreUnavailable`.
        """
        parts = urlsplit(url)
        found: list[Signal] = []
        for path in self._readers:
            if (capture := self._at(f"{parts.scheme}://{parts.netloc}{path}", moment)) is not None:
                found += self.read(capture, path).of(url)
        return tuple(found)

    def read(self, capture: Capture, path: str) -> Terms:
        """The terms of a capture of one of the two files; none of an answer that is no success, or cannot be read."""
        key = path, f"{capture.digest} {capture.status}"
        return _kept(self._files, key, _FILES_KEPT, lambda: self._readers[path](self._content(capture, path)))

    def _at(self, url: str, moment: datetime) -> Capture | None:
        held = _kept(self._captures, url, _HOSTS_KEPT, lambda: self._held(url))
        # In whole seconds: an article does not know more of its moment.
        second = moment.replace(microsecond=0)
        number = bisect_right(held, second, key=lambda capture: capture.timestamp.replace(microsecond=0))
        if number:
            return held[number - 1]
        return held[0] if held and held[0].timestamp - moment <= _BEHIND else None

    def _held(self, url: str) -> list[Capture]:
        # A host that did not answer has said nothing.
        found = self._archive.index.captures(url, limit=_CAPTURES_MOST)
        return [capture for capture in found if capture.url == url and capture.status is not None]

    def _content(self, capture: Capture, path: str) -> bytes:
        try:
            memento = self._archive.read(capture)
            if 300 <= (capture.status or 0) < 400 and memento.confirmed is None:
                memento = self._archive.get(capture.url, capture.timestamp, follow=True)
            message = memento.message
            if not 200 <= (message.status or 0) < 300:
                return b""
            return message.content(8 * (ROBOTS_MAX_BYTES if path == ROBOTS else TDMREP_MAX_BYTES))
        except StoreUnavailable:
            raise
        except (ContentError, NewskeepError):
            return b""


def _kept(held: OrderedDict[K, V], key: K, most: int, make: Callable[[], V]) -> V:
    """What is held of a key, made where it is not; the one that was asked for longest ago goes where there are more."""
    if key not in held:
        held[key] = make()
        while len(held) > most:
            held.popitem(last=False)
    held.move_to_end(key)
    return held[key]

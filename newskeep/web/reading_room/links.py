"""Addresses of the reading room's pages."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote, urlencode

from starlette.requests import Request

from crawler.extraction.template.lines import short_hash
from newskeep.web.addresses import Origins, memento_path
from newskeep.web.reading_room.text import NumberedBlock
from storage.index import ArticleEntry
from storage.model import Capture
from storage.urls import timestamp14

# Browsers take these out of a path before they ask for it.
_DOTS = re.compile(r"/\.{1,2}(?:[/?]|$)|/%2e", re.IGNORECASE)


class Links:
    """Where the pages for a request's reader are, and the originals on their own origin."""

    def __init__(self, request: Request) -> None:
        self._origins = Origins.of(request)

    def article(self, entry: ArticleEntry) -> str:
        return self._of("article", timestamp14(entry.timestamp), entry.url)

    def article_near(self, url: str, at: datetime) -> str:
        return self._of("article", timestamp14(at), url)

    def captures(self, url: str, since: datetime | None = None) -> str:
        return self._of("captures", timestamp14(since) if since else "", url)

    def compare(self, url: str, before: datetime, after: datetime) -> str:
        return self._of("compare", f"{timestamp14(before)}-{timestamp14(after)}", url)

    def beside(self, capture: Capture) -> str:
        return self._of("beside", timestamp14(capture.timestamp), capture.url)

    def screenshot(self, capture: Capture) -> str:
        return self._of("screenshot", timestamp14(capture.timestamp), capture.url)

    def exchange(self, capture: Capture) -> str:
        return self._of("exchange", timestamp14(capture.timestamp), capture.url)

    def verify(self, capture: Capture) -> str:
        return self._of("verify", timestamp14(capture.timestamp), capture.url)

    def correct(self, entry: ArticleEntry) -> str:
        """The page on which an article's text is corrected."""
        return self._of("correct", timestamp14(entry.timestamp), entry.url)

    def say(self, entry: ArticleEntry, verdict: str, block: NumberedBlock) -> str:
        """Where it is said of a block that it is to be kept or removed, or as the extractor has it."""
        place = f"{verdict}/{block.number}-{short_hash(block.text)}"
        return self._of(f"correct/{place}", timestamp14(entry.timestamp), entry.url)

    def original(self, capture: Capture, modifier: str = "") -> str:
        """The archived page on the other origin, opened for this reader."""
        return self._origins.open(memento_path(timestamp14(capture.timestamp), _in_path(capture.url), modifier))

    def replay(self, capture: Capture) -> str | None:
        """The page with its pictures, styles and scripts on the origin of replay; `None` where that does not run."""
        return self._origins.replayed(capture.timestamp, _in_path(capture.url))

    def framed(self, capture: Capture) -> str:
        """The page that shows an archived one under a banner."""
        return self._of("replay", timestamp14(capture.timestamp), capture.url)

    def site(self, site: str) -> str:
        return f"/site/{quote(site)}"

    def search(self, **values: str | None) -> str:
        given = {name.rstrip("_"): value for name, value in values.items() if value}
        return f"/search?{urlencode(given)}" if given else "/search"

    def search_feed(self, **values: str | None) -> str:
        return f"/feeds/search.atom{self.search(**values).removeprefix('/search')}"

    def doubts(self, **values: str | None) -> str:
        given = {name: value for name, value in values.items() if value}
        return f"/doubts?{urlencode(given)}" if given else "/doubts"

    def data(self, url: str, at: datetime) -> str:
        return f"/api/article?{urlencode({'url': url, 'at': timestamp14(at)})}"

    def time_map(self, url: str) -> str:
        return f"/timemap/link/{_in_path(url)}"

    def _of(self, page: str, at: str, url: str) -> str:
        return f"/{page}/{at + '/' if at else ''}{_in_path(url)}"


def _in_path(url: str) -> str:
    """A URL for the end of a path; as a whole in escapes where a browser would make another one of it."""
    return quote(url, safe="") if _DOTS.search(url) or "\\" in url else url

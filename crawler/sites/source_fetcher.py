"""Fetches one source of a site and reads it: a feed, a sitemap, a page; notes how it went and when to ask again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from scrapy import Request

from crawler.discovery import PageLinks, SourceLinks, read_feed, read_page, read_sitemap
from crawler.frontier import revisit_policy
from crawler.frontier.address_state import AddressState, Role, State, Visit
from crawler.session.conditional import Validators, conditional_headers, validators
from crawler.session.outcomes import failed_outcome, was_asked
from crawler.session.recorder import recorded_for
from crawler.sites.section import is_front
from storage.http import ContentError, HttpMessage
from storage.versions import GONE

if TYPE_CHECKING:
    from scrapy.http import Response

    from crawler.sites.link_selection import LinkSelection, LinkSelector
    from crawler.sites.run_ledger import RunLedger

#: Bytes of a source when decompressed: what sitemaps.org allows.
_MAX_BYTES = 52_428_800
#: Sources that one run asks, and how many of them may be sitemaps where it is no back-fill: indexes may lead on and on.
_MOST_SOURCES, _MOST_SITEMAPS = 200, 50
#: From this score on a start page is itself an article.
SURELY = 0.9
#: Statuses that say nothing of whether there is such a source.
_PASSING = (401, 403, 408, 425, 429)
#: `source` of addresses that nobody named: the usual places of feeds, and the archive pages of a back-fill.
GUESSED, BACKFILL = "the usual places", "back-fill"

Fetch = Callable[[Request], Awaitable["Response"]]
#: Takes what a source at an address (after redirects) gave; returns how many articles were new.
Take = Callable[[AddressState, str, "SourceLinks | PageLinks"], Awaitable[int]]
#: When to ask again for a source that was read, after its own rhythm's time and the time of the visit.
Due = Callable[[AddressState, "datetime | None", datetime], "datetime | None"]


@dataclass(frozen=True, slots=True)
class SourceRead:
    """What one source gave; `reading` and `taken` are `None` for one that could not be read, for the `reason` given."""

    url: str
    role: Role
    reading: SourceLinks | PageLinks | None = None
    taken: LinkSelection | None = None
    reason: str | None = None


class SourceFetcher:
    """Asks each source once a run. With a back-fill unconditionally: the links of other times are wanted."""

    def __init__(
        self, ledger: RunLedger, finder: LinkSelector, fetch: Fetch, on_read: Callable[[SourceRead], None]
    ) -> None:
        self.asked: set[str] = set()
        self._sitemaps = 0
        self._ledger = ledger
        self._finder = finder
        self._fetch = fetch
        self._on_read = on_read

    async def ask(self, known: AddressState, take: Take, next_due: Due) -> bool:
        """Fetch a source and make known what it names; return whether it is one."""
        if known.url in self.asked or len(self.asked) >= _MOST_SOURCES or not self._has_room(known):
            return False
        self.asked.add(known.url)
        request = self._request(known)
        try:
            response = await self._fetch(request)
        except Exception as error:
            await self._missed(known, request, error)
            return False
        recorded = recorded_for(response)
        message = HttpMessage.parse(recorded.exchange.response)
        if recorded.wall is not None:
            if recorded.wall.of_page:
                await self._bad(known, "failed", recorded.wall.reason, message)
                return False
            self._ledger.failed(urlsplit(known.url).netloc, recorded.wall.reason)
            await self._bad(known, "refused", recorded.wall.reason)
            return False
        # Some say so of what they were never asked about; what they name is not known then.
        self._ledger.counts.not_modified += response.status == HTTPStatus.NOT_MODIFIED
        if response.status == HTTPStatus.NOT_MODIFIED and known.digest is not None:
            await self._read_well(known, message, 0, known.digest, next_due)
            return True
        if not 200 <= response.status < 300:
            reason = f"{response.status} {message.reason}".strip()
            await self._bad(known, "gone" if response.status in GONE else "failed", reason, message)
            return False
        reading = await self._reading(known, response.url, message)
        if isinstance(reading, str):
            await self._bad(known, "failed", reading, message)
            return False
        if (no_section := self._no_section(known, response.url, reading)) is not None:
            await self._bad(known, "refused", no_section, message)
            return False
        for problem in reading.problems:
            self._ledger.problem(problem)
        new = await take(known, response.url, reading)
        named = sorted(link.url for link in reading.links)
        digest = hashlib.sha1("\n".join(named).encode()).hexdigest()
        await self._read_well(known, message, new, digest, next_due)
        return True

    def _no_section(self, known: AddressState, url: str, reading: SourceLinks | PageLinks) -> str | None:
        """Why the page at the address of a section, after redirects to `url`, is none; `None` for one that is."""
        site = self._finder.site
        if not site.section or known.url not in site.start or not isinstance(reading, PageLinks):
            return None
        if is_front(url) and not is_front(known.url):
            return f"redirects to the front page; to crawl the whole site, give {url}"
        if reading.article.score >= SURELY:
            front = urljoin(url, "/")
            return f"is an article: `newskeep save` archives it; to crawl the whole site, give {front}"
        return None

    def _has_room(self, known: AddressState) -> bool:
        if known.role != "sitemap" or self._finder.window.since is not None:
            return True
        if self._sitemaps >= _MOST_SITEMAPS:
            self._ledger.problem(f"more than {_MOST_SITEMAPS} sitemaps: the others are left to the next runs")
            return False
        self._sitemaps += 1
        return True

    def _request(self, known: AddressState) -> Request:
        # In a back-fill the links are wanted again, those of other times.
        again = self._finder.window.since is None
        headers = conditional_headers(known.etag, known.last_modified) if again else {}
        return Request(known.url, headers=headers, dont_filter=True)

    async def _reading(self, known: AddressState, url: str, message: HttpMessage) -> SourceLinks | PageLinks | str:
        """Read a source, in a thread, since a sitemap may have 50 MB; a text says why it cannot be read."""
        try:
            reading = await asyncio.to_thread(self._read, known.role, url, message)
        except ContentError as error:
            return str(error)
        if isinstance(reading, SourceLinks) and reading.kind is None:
            return reading.problems[0].removeprefix(f"{url}: ") if reading.problems else f"not a {known.role}"
        return reading

    def _read(self, role: Role, url: str, message: HttpMessage) -> SourceLinks | PageLinks:
        content, kind = message.content(_MAX_BYTES), message.header("content-type")
        if role == "feed":
            return read_feed(content, url, kind)
        if role == "sitemap":
            return read_sitemap(content, url, kind)
        return read_page(content, url, kind, examples=self._finder.examples)

    async def _missed(self, known: AddressState, request: Request, error: Exception) -> None:
        if not was_asked(error):
            return
        outcome = failed_outcome(known.url, request, error)
        self._ledger.failed(urlsplit(known.url).netloc, outcome.reason or "failed")
        await self._bad(known, "refused" if outcome.outcome == "refused" else "failed", outcome.reason or "failed")

    async def _bad(self, known: AddressState, state: State, reason: str, message: HttpMessage | None = None) -> None:
        site, at = self._finder.site, datetime.now(UTC)
        due, interval = revisit_policy.next_failure(known, at, site.every)
        if not _was_guessed(known):
            self._ledger.sources_failed += known.source is None
            self._ledger.problem(f"{known.url}: {reason}")
            self._on_read(SourceRead(known.url, known.role, reason=reason))
        elif message is not None and (message.status or 0) < 500 and message.status not in _PASSING:
            # That nothing is there is no surprise; it is not asked again.
            state, due = "gone", None
            if known.role == "page" and known.source != BACKFILL:
                self._ledger.counts.not_section += 1
        status = message.status if message else None
        visit = Visit(site.name, known.url, known.role, at, state, due, interval, reason=reason, status=status)
        await self._ledger.visit([replace(visit, digest=known.digest)])

    async def _read_well(
        self, known: AddressState, message: HttpMessage, new: int, digest: str | None, next_due: Due
    ) -> None:
        self._ledger.sources_read += 1
        self._ledger.counts.sources += message.status != HTTPStatus.NOT_MODIFIED
        site, at = self._finder.site, datetime.now(UTC)
        due, interval = revisit_policy.next_source(known, at, new, site.every)
        kept = validators(message.head)
        if message.status == HTTPStatus.NOT_MODIFIED:
            # It may leave out what has not changed.
            kept = Validators(kept.etag or known.etag, kept.last_modified or known.last_modified)
        visit = Visit(
            site.name,
            known.url,
            known.role,
            at,
            "held",
            next_due(known, due, at),
            interval,
            changed=digest != known.digest,
            status=message.status,
            etag=kept.etag,
            last_modified=kept.last_modified,
            digest=digest,
        )
        await self._ledger.visit([visit])


def _was_guessed(known: AddressState) -> bool:
    """Whether nobody said that there is such a source: it was tried, or a page's link was taken for a section."""
    is_guess = known.source in (GUESSED, BACKFILL) or (known.role == "page" and known.source is not None)
    return is_guess and known.digest is None

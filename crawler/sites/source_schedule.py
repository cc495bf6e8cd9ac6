"""Reads the sources of a site that are due: feeds, sitemaps, pages; makes what they name known.

A site of which nothing is known but its front page gets its sources from there: the feeds the page announces, the
sitemaps of robots.txt, where there are none the usual places, and the section pages of its menus.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from crawler.discovery import Link, PageLinks, SourceLinks, usual_places
from crawler.frontier.address_state import AddressState, Announcement, Role
from crawler.sites.backfill import archive_pages
from crawler.sites.source_fetcher import BACKFILL, GUESSED, SURELY, Fetch, SourceFetcher, SourceRead
from storage.counts import counted
from storage.errors import InvalidURL
from storage.urls import normalize

if TYPE_CHECKING:
    from crawler.sites.link_selection import LinkSelection, LinkSelector
    from crawler.sites.run_ledger import RunLedger

#: Sources that are kept of a site.
_MOST_SOURCES = 200
#: Rounds: the front page names a section, robots.txt an index, that a sitemap.
_ROUNDS = 4
#: Sections that are kept of a site, and feeds that are taken from a page.
_SECTIONS, _FEEDS = 30, 10
#: Sitemaps that indexes lead to in one run that is no back-fill, and how deep indexes may name indexes.
_FOLLOWED, _DEEPEST = 50, 3
#: Sitemaps of an index that one run reads: of those that changed, and in a back-fill.
_CHILDREN, _CHILDREN_BACK = 10, 200
#: Sitemaps of an index that did not change for so long hold no news.
_OLD = timedelta(days=7)
#: … and those that did are read after this though the index says that they have not changed since.
_DOUBT = timedelta(days=1)
#: An archive page that was read so long after its day is complete, and is not asked again.
_LATE = timedelta(days=1)
#: Archive pages in a row that are not there, after which no further one is asked.
_EMPTY = 5
# Feeds teach what the addresses of articles look like; sitemaps last: they know the dates of what pages named without.
_ORDER: tuple[Role, ...] = ("feed", "page", "sitemap")

#: The Sitemap lines of the robots.txt that governs an address, as far as it has been read.
Sitemaps = Callable[[str], Awaitable[Iterable[str]]]


class SourceSchedule:
    """The sources of one run."""

    def __init__(
        self,
        ledger: RunLedger,
        finder: LinkSelector,
        fetch: Fetch,
        sitemaps: Sitemaps,
        on_read: Callable[[SourceRead], None] = lambda read: None,
    ) -> None:
        self._ledger = ledger
        self._finder = finder
        self._asker = SourceFetcher(ledger, finder, fetch, on_read)
        self._sitemaps = sitemaps
        self._on_read = on_read
        self._announced: set[str] = set()
        #: Articles of which nothing tells whether they are of the time wanted, by address, the likeliest first.
        self._doubtful: dict[str, Announcement] = {}
        self._room = _MOST_SOURCES
        self._eager = False
        self._archive_links: set[str] = set()
        #: Sitemaps of an index -> when it says that they changed last.
        self._told: dict[str, datetime | None] = {}

    async def read(self, eager: bool = False) -> None:
        """Ask every source that is due, and those that they name; with a back-fill, every sitemap.

        With `eager`, feeds and what the configuration names are asked whether they are due or not.
        """
        self._eager = eager
        await self._declare()
        for number in range(_ROUNDS):
            due = [known for known in await self._due() if known.url not in self._asker.asked]
            for role in _ORDER:
                await asyncio.gather(*(self._ask(known) for known in due if known.role == role))
            await self._ledger.flush()
            if not due and number:
                break
            await self._ask_robots()
            await self._try_usual_places()
        await self._read_archives()

    async def _declare(self) -> None:
        site = self._finder.site
        roles: tuple[tuple[Role, tuple[str, ...]], ...] = (
            ("page", site.start), ("feed", site.feeds), ("sitemap", site.sitemaps)
        )  # fmt: skip
        await self._ledger.announce(Announcement(url, role) for role, urls in roles for url in urls)
        self._room -= len(await self._all())

    async def _ask_robots(self) -> None:
        """Take the sitemaps that robots.txt names, where the configuration does not; it was read before any page."""
        site = self._finder.site
        if site.sitemaps or not site.start or not self._wants_site():
            return
        found = []
        for line in await self._sitemaps(site.start[0]):
            try:
                found.append(normalize(urljoin(site.start[0], line)))
            except (InvalidURL, ValueError):
                self._ledger.problem(f"robots.txt of {site.start[0]}: no address of a sitemap: {line[:100]}")
        await self._announce_sources([Announcement(url, "sitemap", "robots.txt") for url in dict.fromkeys(found)])

    def _wants_site(self) -> bool:
        """Whether sources of the whole site are of use; of a section only for what its page does not name any more."""
        return not self._finder.site.section or (bool(self._finder.window) and self._ledger.sources_read > 0)

    async def _all(self) -> list[AddressState]:
        far = datetime.now(UTC) + timedelta(days=3650)
        return await asyncio.to_thread(self._ledger.frontier.due_sources, self._finder.site.name, far)

    async def _due(self) -> list[AddressState]:
        back, now = self._finder.window.since is not None, datetime.now(UTC)
        if not (back or self._eager):
            return await self._ledger.due_sources()
        return [known for known in await self._all() if self._is_wanted_now(known, now, back)]

    def _is_wanted_now(self, known: AddressState, now: datetime, back: bool) -> bool:
        if (known.due and known.due <= now) or (back and known.role == "sitemap"):
            return True
        return self._eager and (known.role == "feed" or known.source is None)

    async def _try_usual_places(self) -> None:
        """Where neither the page nor robots.txt names a source: ask the usual places until one answers."""
        site = self._finder.site
        if not site.start or not self._ledger.sources_read or not self._wants_site():
            return
        roles = {known.role for known in await self._all()}
        feeds, sitemaps = usual_places(site.start[0])
        places: tuple[tuple[Role, tuple[str, ...], bool], ...] = (
            ("feed", feeds, bool(site.feeds)), ("sitemap", sitemaps, bool(site.sitemaps))
        )  # fmt: skip
        for role, urls, declared in places:
            if role in roles or declared:
                continue
            for url in urls:
                if url in self._asker.asked or await self._ledger.known(url):
                    continue
                await self._ledger.announce([Announcement(url, role, GUESSED)])
                known = await self._ledger.known(url)
                if known is None or await self._ask(known):
                    break

    async def _read_archives(self) -> None:
        """In a back-fill: the site's own lists of past days, until enough articles wait."""
        since = self._finder.window.since
        if since is None:
            return
        until = min(self._finder.window.until or self._finder.now, self._finder.now)
        empty = 0
        for url, end in archive_pages(self._archive_links, since, until):
            known = await self._ledger.known(url)
            if known is not None and known.fetched is not None and known.fetched > end + _LATE:
                continue
            if empty >= _EMPTY or await self._enough():
                return
            if known is None:
                known = AddressState(self._finder.site.name, url, "page", "waiting", self._finder.now, source=BACKFILL)
            empty = 0 if await self._ask(known) else empty + 1

    async def _ask(self, known: AddressState) -> bool:
        return await self._asker.ask(known, self._take, self._due_after)

    async def _take(self, known: AddressState, url: str, reading: SourceLinks | PageLinks) -> int:
        """Make known what a source names; return how many articles were new."""
        if isinstance(reading, PageLinks):
            await self._from_page(known, url, reading)
            self._archive_links.update(link.url for link in reading.links if known.url in self._finder.site.start)
        self._ledger.links += len(reading.links)
        choose = {"feed": self._finder.feed, "sitemap": self._finder.sitemap, "page": self._finder.page}[known.role]
        taken = await asyncio.to_thread(choose, reading.links, known.url)
        self._on_read(SourceRead(known.url, known.role, reading, taken))
        if reading.links and not taken.articles and (known.role != "page" or known.source is None):
            reasons = ", ".join(f"{number:,} {reason}" for reason, number in taken.dropped.most_common(3))
            self._ledger.problem(f"{known.url}: none of its {counted(len(reading.links), 'link')} is taken: {reasons}")
        new = await self._announce(taken)
        if isinstance(reading, SourceLinks) and known.role == "sitemap":
            await self._children(known, reading)
        return new

    async def _announce(self, taken: LinkSelection) -> int:
        new = await self._ledger.announce(taken.articles)
        await self._ledger.pass_over(taken.left_out, taken.outside)
        await self._keep_doubtful(taken.doubtful)
        before = len(self._announced)
        self._announced.update(article.url for article in taken.articles)
        self._ledger.counts.announced += len(self._announced) - before
        self._ledger.counts.new += new
        self._ledger.counts.dropped += taken.dropped
        return new

    async def _keep_doubtful(self, found: Sequence[Announcement]) -> None:
        """Remember what may be of the time wanted; not in the frontier, or every other run would fetch it."""
        if not found:
            return
        known = await self._ledger.known_among(item.url for item in found)
        fresh = {item.url: item for item in found if item.url not in known}
        ever = datetime.max.replace(tzinfo=UTC)
        nearest = sorted((self._doubtful | fresh).values(), key=lambda item: item.modified or ever)
        self._doubtful = {item.url: item for item in nearest[: self._finder.site.cap]}

    async def take_doubtful(self, limit: int) -> None:
        """Make known at most so many of those that may be of the time wanted or not."""
        chosen = [self._doubtful.pop(url) for url in list(self._doubtful)[:limit]]
        new = await self._ledger.announce(chosen)
        self._ledger.counts.announced += len(chosen)
        self._ledger.counts.new += new

    async def _from_page(self, known: AddressState, url: str, reading: PageLinks) -> None:
        """Take feeds and sections from a page, where the configuration does not name them."""
        site = self._finder.site
        if known.url in site.start and is_article(reading):
            self._ledger.start_article = known.url
        if not site.owns(url):
            # The front page moved; its links would all be somebody else's.
            self._ledger.problem(f"{known.url}: redirects to {url}, whose host is taken for the site's from here on")
            self._finder.site = site = replace(site, hosts=(*site.hosts, urlsplit(url).netloc))
        is_start = known.url in site.start
        if is_start and site.section and not site.has_below(url):
            self._ledger.problem(f"{known.url}: redirects to {url}, which is taken for the section")
            self._finder.site = site = replace(site, start=(*site.start, url))
        found: list[Announcement] = []
        if not site.feeds and is_start:
            found += [Announcement(feed, "feed", known.url) for feed in reading.feeds[:_FEEDS]]
        if site.depth and is_start:
            found += [Announcement(section, "page", known.url) for section in await self._new_sections(reading)]
        await self._announce_sources(found)

    async def _new_sections(self, reading: PageLinks) -> list[str]:
        """The sections that a page names and that are not known, as many as the site may still have."""
        site = self._finder.site
        named = [section for section in reading.sections if site.owns(section) and section not in site.start]
        if site.section:
            named = [section for section in named if site.has_below(section)]
        known = await asyncio.to_thread(self._ledger.frontier.known_among, site.name, named)
        kept = sum(each.role == "page" and each.source is not None for each in await self._all())
        return [section for section in named if section not in known][: max(0, _SECTIONS - kept)]

    async def _announce_sources(self, found: list[Announcement]) -> None:
        """Keep further sources, as long as there is room; what a site names may be endless."""
        if self._room > 0 and found:
            self._room -= await self._ledger.announce(found[: self._room])

    async def _children(self, known: AddressState, reading: SourceLinks) -> None:
        """Read the sitemaps of an index that may hold what is wanted, those that changed last first."""
        if reading.next and await self._depth(known) > _DEEPEST:
            self._ledger.problem(f"{known.url}: an index of indexes of indexes, not followed further")
            return
        children = sorted(reading.next, key=lambda link: link.modified or datetime.now(UTC), reverse=True)
        wanted = [child for child in children if self._is_wanted(child)] or children[:1]
        back = self._finder.window.since is not None
        for child in wanted[: _CHILDREN_BACK if back else _CHILDREN]:
            if (back and await self._enough()) or (not back and len(self._told) >= _FOLLOWED):
                return
            there = await self._ledger.known(child.url)
            if there is None:
                if self._room <= 0 and not back:
                    return
                self._room -= await self._ledger.announce([Announcement(child.url, "sitemap", known.url)])
                there = await self._ledger.known(child.url)
            elif not back and not _changed_since(child, there):
                continue
            if there is not None and there.role == "sitemap":
                self._told[there.url] = child.modified
                await self._ask(there)

    async def _depth(self, index: AddressState) -> int:
        """How many indexes lead to an index, itself counted; no further than it matters."""
        depth = 1
        while depth <= _DEEPEST and index.source and (parent := await self._ledger.known(index.source)):
            if parent.role != "sitemap":
                break
            index, depth = parent, depth + 1
        return depth

    def _is_wanted(self, child: Link) -> bool:
        since = self._finder.window.since
        if child.modified is None:
            return True
        return child.modified >= (since or self._finder.now - _OLD)

    async def _enough(self) -> bool:
        """Whether as many articles wait as the run may fetch."""
        cap = self._finder.site.cap
        due = await self._ledger.due_articles(cap, self._finder.window, surely=True)
        return len(due) >= cap

    def _due_after(self, known: AddressState, due: datetime | None, at: datetime) -> datetime | None:
        """When to ask for a source that was read: one of which another tells when it changes, not by its own rhythm."""
        if known.source == BACKFILL:
            # What is past does not change.
            return None
        changed = self._told.get(known.url)
        if changed is None:
            return due
        # Not all indexes tell the truth.
        return at + _DOUBT if changed >= at - _OLD else None


def is_article(reading: SourceLinks | PageLinks | None) -> bool:
    """Whether what was read as a source is itself an article."""
    return isinstance(reading, PageLinks) and reading.article.score >= SURELY


def _changed_since(child: Link, there: AddressState) -> bool:
    """Whether a sitemap says that it changed since it was read."""
    return child.modified is not None and (there.fetched is None or child.modified > there.fetched)

"""The feeds of sites that name a hub, by what the crawls archived of them: nothing is fetched for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crawler.discovery.hubs import Topic, read_topic
from crawler.frontier import frontier_of, has_frontier
from storage.errors import NewskeepError, NotArchived
from storage.http import ContentError

if TYPE_CHECKING:
    from crawler.sites.site import Site
    from storage.archive import Archive
    from storage.model import Capture

_log = logging.getLogger(__name__)

#: Bytes of a feed once unpacked.
_FEED_MAX = 52_428_800
#: Feeds of a site that are looked at.
_FEEDS = 50
_FOREVER = datetime.max.replace(tzinfo=UTC)


class Topics:
    """Looks at each capture of a feed once."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._read: dict[tuple[str, int], Topic | None] = {}

    def of(self, site: Site) -> Mapping[str, Topic | None]:
        """Return what the feeds of a site say of hubs, those that are held; `None` for one that names none.

        What cannot be read now is left out.
        """
        found: dict[str, Topic | None] = {}
        for feed in self._feeds(site):
            try:
                found[feed] = self._topic(feed)
            except NotArchived:
                continue
            except (NewskeepError, ContentError) as error:
                _log.warning("websub: %s cannot be read: %s", feed, error)
        return found

    def _feeds(self, site: Site) -> Iterator[str]:
        """The feeds that are declared, and those that the crawls found."""
        feeds = list(site.feeds)
        if has_frontier(self._archive):
            known = frontier_of(self._archive).due_sources(site.name, _FOREVER)
            feeds += [source.url for source in known if source.role == "feed"]
        yield from list(dict.fromkeys(feeds))[:_FEEDS]

    def _topic(self, feed: str) -> Topic | None:
        capture = self._archive.find(feed)
        if _key(capture) not in self._read:
            memento = self._archive.get(feed, follow=True)
            message = memento.message
            content = message.content(_FEED_MAX)
            kind = message.header("content-type")
            self._read[_key(capture)] = read_topic(content, memento.capture.url, kind, message.all("link"))
        return self._read[_key(capture)]


def _key(capture: Capture) -> tuple[str, int]:
    return capture.filename, capture.offset

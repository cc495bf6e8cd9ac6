"""What a hub says to us: that it verifies or refuses, and what is new in a feed (WebSub, sections 5.3 and 7)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from crawler.discovery.feeds import read_feed
from newskeep.websub.subscription import Subscription
from storage.errors import InvalidURL
from storage.urls import normalize

if TYPE_CHECKING:
    from crawler.discovery.links import Link
    from crawler.sites.site import Site
    from newskeep.websub.store import SubscriptionStore
    from storage.index.index import Index

_log = logging.getLogger(__name__)

#: Captures of an address that are looked at for one that succeeded.
_LOOKED_AT = 50


def verify(store: SubscriptionStore, name: str, mode: str, topic: str, seconds: int | None, now: datetime) -> bool:
    """Whether a hub is right that we want, or want no more, what it verifies; what follows is kept."""
    known = store.get(name)
    if known is None or known.topic != topic:
        return False
    if mode == "unsubscribe" and known.state == "leaving":
        store.remove(name)
        _log.info("websub: %s: no longer subscribed to %s", known.site, known.feed)
        return True
    if mode != "subscribe" or not known.is_pending(now):
        return False
    return store.change(name, lambda found: found.verified(now, seconds)) is not None


def deny(store: SubscriptionStore, name: str, topic: str, reason: str, now: datetime) -> bool:
    """Keep that a hub refuses, or has ended, a subscription."""
    known = store.get(name)
    if known is None or known.topic != topic:
        return False
    said = "".join(char if char.isprintable() else " " for char in reason)[:200]
    _log.warning("websub: %s: the hub refuses %s: %s", known.site, known.feed, said or "it does not say why")
    store.change(name, lambda found: None if found.state == "leaving" else found.refused(now, said))
    return True


def new_links(
    subscription: Subscription, site: Site, index: Index, content: bytes, content_type: str | None, now: datetime
) -> Iterator[str]:
    """Yield the articles of the site in a pushed feed that are not held, or were changed since they were.

    What the site's own rules refuse is left out, as a crawl would.
    """
    for link in read_feed(content, subscription.topic, content_type, now=now).links:
        try:
            url = normalize(link.url)
        except InvalidURL:
            continue
        if site.refuses(url) is None and not _is_held(index, url, link):
            yield url


def _is_held(index: Index, url: str, link: Link) -> bool:
    captures = index.captures(url, since=link.modified, limit=_LOOKED_AT)
    return any(each.wall is None and (each.status or 0) < 400 for each in captures)

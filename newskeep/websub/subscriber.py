"""Keeps what is subscribed to true to the configuration, for as long as `serve` runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import urlsplit

from crawler.config import load
from crawler.sites.site import load_sites
from newskeep.posting import NotDelivered
from newskeep.websub.hub_request import ask
from newskeep.websub.store import SubscriptionStore
from newskeep.websub.subscription import LEAVING_MOST, Subscription
from newskeep.websub.topics import Topics
from storage.errors import AlreadyRunning, NewskeepError
from storage.locking import held
from storage.spool import writing

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.sites.site import Site
    from storage.archive import Archive

_log = logging.getLogger(__name__)

#: Seconds between two looks at what is wanted and what is due.
LOOK_SECONDS = 30.0
_GRACE_SECONDS = 5.0


class Wanted(NamedTuple):
    """What identifies a subscription."""

    site: str
    feed: str
    topic: str
    hub: str
    origin: str

    @classmethod
    def of(cls, known: Subscription) -> Wanted:
        return cls(known.site, known.feed, known.topic, known.hub, known.origin)


def wanting(sites: Mapping[str, Site]) -> dict[str, Site]:
    return {name: site for name, site in sites.items() if site.websub}


class Subscriber:
    """A thread that asks hubs, for the time of the block. Of several on one folder one works.

    The subscriptions stay when it ends: what a hub sends meanwhile is lost, and found by the next crawl.
    """

    def __init__(self, archive: Archive, config: Config, origin: str) -> None:
        self.store = SubscriptionStore(archive.state / "websub")
        self._config = config
        self._origin = origin
        self._topics = Topics(archive)
        self._sites: dict[str, Site] = {}
        self._ending = threading.Event()
        self._told: str | None = None
        self._thread = threading.Thread(target=self._work, name="websub", daemon=True)

    def __enter__(self) -> Self:
        self.look_at_sites()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join(_GRACE_SECONDS)

    def site(self, name: str) -> Site | None:
        """A site that is to be told by hubs."""
        return self._sites.get(name)

    def look_at_sites(self) -> None:
        """Read the configuration again: a site may have gone from it. One that is wrong now changes nothing."""
        try:
            self._sites = wanting(load_sites(load(self._config.file) if self._config.file else self._config))
        except NewskeepError as error:
            self._warn(str(error))

    def keep(self, now: datetime) -> None:
        """Ask the hubs for what is wanted and not there, or due, and to stop for what is not wanted any more."""
        known = {Wanted.of(each): each for each in self.store.all()}
        wanted, unsure = self._wanted()
        for each, subscription in known.items():
            if each not in wanted and (each.site, each.feed) not in unsure:
                self._leave(subscription, now)
        for each in wanted:
            self._have(known.get(each) or Subscription.new(*each), now)

    def _wanted(self) -> tuple[list[Wanted], set[tuple[str, str]]]:
        """What is to be subscribed to; and feeds of which nobody can tell now, whose subscriptions stay."""
        wanted: list[Wanted] = []
        held: set[tuple[str, str]] = set()
        for name, site in self._sites.items():
            for feed, topic in self._topics.of(site).items():
                held.add((name, feed))
                if topic is not None:
                    wanted.append(Wanted(name, feed, topic.url, topic.hubs[0], self._origin))
        here = [(each.site, each.feed) for each in self.store.all() if each.origin == self._origin]
        return wanted, {each for each in here if each[0] in self._sites and each not in held}

    def _have(self, subscription: Subscription, now: datetime) -> None:
        if subscription.state == "leaving":
            # It was wanted again before the hub let go.
            subscription = Subscription.new(*Wanted.of(subscription))
        if subscription.is_due(now):
            self._ask(subscription, now, lambda: ask(subscription, "subscribe", self._config))

    def _leave(self, subscription: Subscription, now: datetime) -> None:
        leaving = subscription.leaving()
        if leaving.failures >= LEAVING_MOST or (leaving.until is not None and leaving.until < now):
            self.store.remove(leaving.id)
        elif leaving.until is None and leaving.asked is None:
            self.store.remove(leaving.id)  # no hub knows of it
        elif leaving.is_due(now):
            self._ask(leaving, now, lambda: ask(leaving, "unsubscribe", self._config))

    def _ask(self, subscription: Subscription, now: datetime, send: Callable[[], None]) -> None:
        # Durable first: the hub may verify before it answers.
        self.store.put(subscription.being_asked(now))
        try:
            send()
        except NotDelivered as error:
            host = urlsplit(subscription.hub).netloc
            problem = str(error)
            self.store.change(subscription.id, lambda known: known.failed(now, problem))
            self._warn(f"{subscription.site}: the hub {host} could not be asked: {problem}")

    def _work(self) -> None:
        while not self._ending.is_set():
            try:
                with writing(self.store.root):
                    self.store.make_folder()
                with held(self.store.root / "lock", "the subscriptions"):
                    self._work_alone()
            except AlreadyRunning:
                pass  # another server minds them
            except NewskeepError as error:
                self._warn(str(error))
            except Exception:
                _log.exception("websub")
            self._ending.wait(LOOK_SECONDS)

    def _work_alone(self) -> None:
        for _ in self._rounds():
            self.look_at_sites()
            self.keep(datetime.now(UTC))

    def _rounds(self) -> Iterator[None]:
        while not self._ending.is_set():
            yield
            self._ending.wait(LOOK_SECONDS)

    def _warn(self, line: str) -> None:
        """Say what is wrong, not again and again."""
        if line != self._told:
            _log.warning("websub: %s", line)
        self._told = line

"""How the sites of the configuration go, by the hosts that their articles are on: asked once a minute."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

from crawler.frontier import frontier_of, has_frontier
from crawler.sites.site import load_sites
from newskeep.health.collect import health_of
from newskeep.health.hosts import KnownHosts
from newskeep.health.verdicts import Verdict
from storage.errors import NewskeepError

if TYPE_CHECKING:
    from crawler.config import Config
    from storage.archive import Archive

#: Seconds for which a verdict is shown as it was.
_FRESH = 60


class SiteHealth:
    """Verdicts by host. Threads may share one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[str, tuple[float, Verdict | None]] = {}

    def of(self, archive: Archive, config: Config, hosts: Collection[str]) -> Mapping[str, Verdict]:
        """How the sites go that these hosts are of; without those that this machine does not crawl."""
        with self._lock:
            now = time.monotonic()
            old = [host for host in hosts if host not in self._known or now - self._known[host][0] >= _FRESH]
            if old:
                found = _verdicts(archive, config, old)
                self._known |= {host: (now, found.get(host)) for host in old}
            known = {host: self._known[host][1] for host in hosts}
        return {host: verdict for host, verdict in known.items() if verdict is not None}


def _verdicts(archive: Archive, config: Config, hosts: Collection[str]) -> dict[str, Verdict]:
    try:
        # Asking for the frontier makes one.
        if not has_frontier(archive):
            return {}
        sites = load_sites(config)
        known = KnownHosts(hosts)
        own = {name: found for name, site in sites.items() if (found := known.of(site))}
        asked = [sites[name] for name in own]
        health = health_of(frontier_of(archive), asked, datetime.now(UTC), samples=0, index=archive.index)
        return {host: each.verdict for each in health for host in own[each.site]}
    except NewskeepError:
        # The configuration is wrong, or the frontier is being made anew: `newskeep doctor` says so, and what is held is
        # held all the same.
        return {}

"""Which jobs must not run at the same time: those that meet the same hosts.

Sites share a lock where a host of one is a host of the other or lies below it, also by way of a third. Every worker
finds the same locks in the same newskeep.toml; where one does not, its host leases keep them apart (`hosts`).
"""

from __future__ import annotations

from collections.abc import Iterable

from crawler.sites.site import Site


class HostLocks:
    """The locks of sites and hosts, by those of the configuration."""

    def __init__(self, sites: Iterable[Site]) -> None:
        self._parents: dict[str, str] = {}
        for site in sites:
            self._join(site.netlocs)
        for host in list(self._parents):
            for above in _above(host):
                if above in self._parents:
                    self._unite(host, above)

    def of_site(self, site: Site) -> str:
        """The lock of a site, also of one that the configuration does not have."""
        return min((self.of_host(host) for host in site.netlocs), default=site.name)

    def of_host(self, host: str) -> str:
        host = host.removeprefix("www.")
        for each in (host, *_above(host)):
            if each in self._parents:
                return self._root(each)
        return host

    def _join(self, hosts: Iterable[str]) -> None:
        first = None
        for host in sorted(hosts):
            self._parents.setdefault(host, host)
            first = first or host
            self._unite(host, first)

    def _unite(self, one: str, other: str) -> None:
        # The first by name stands for all, so that every machine finds the same.
        first, last = sorted((self._root(one), self._root(other)))
        self._parents[last] = first

    def _root(self, host: str) -> str:
        while (above := self._parents[host]) != host:
            host = above
        return host


def _above(host: str) -> Iterable[str]:
    """The names above a host, the nearest first: "b.c" and "c" of "a.b.c"."""
    parts = host.split(".")
    return (".".join(parts[depth:]) for depth in range(1, len(parts)))

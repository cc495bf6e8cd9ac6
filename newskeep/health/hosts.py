"""Which of the hosts that an index knows are a site's own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from crawler.sites.site import Site


class KnownHosts:
    """The hosts that an index knows, found by themselves and by the ends of their names: sites and hosts may both be
    ten thousand, so that no site is held against all of them.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        self._by_end: defaultdict[str, list[str]] = defaultdict(list)
        for host in hosts:
            labels = host.split(".")
            for start in range(len(labels)):
                self._by_end[".".join(labels[start:])].append(host)

    def of(self, site: Site) -> list[str]:
        """Return, by name, those that a site names, and what is below them."""
        # The index knows hosts as `site_of` has them: without a port, IPv6 addresses with hyphens.
        own = {(urlsplit(f"//{netloc}").hostname or netloc).replace(":", "-") for netloc in site.netlocs}
        return sorted({host for name in own for host in self._by_end.get(name, ())})

"""Which jobs must not run at the same time."""

from __future__ import annotations

import pytest

from crawler.sites.site import Site, site_at
from newskeep.queue.locks import HostLocks


def site(name: str, *starts: str, hosts: tuple[str, ...] = ()) -> Site:
    return Site(name, start=tuple(f"https://{each}/" for each in starts), hosts=hosts)


def locks_of(*sites: Site) -> dict[str, str]:
    locks = HostLocks(sites)
    return {each.name: locks.of_site(each) for each in sites}


def test_sites_of_other_hosts_have_other_locks() -> None:
    assert locks_of(site("a", "a.example"), site("b", "b.example")) == {"a": "a.example", "b": "b.example"}


@pytest.mark.parametrize(
    "sites",
    [
        (site("all", "www.paper.example"), site("sport", "sport.paper.example")),
        (site("one", "one.example", hosts=("shared.example",)), site("two", "two.example", hosts=("shared.example",))),
        (site("one", "a.example", "b.example"), site("two", "b.example", "c.example"), site("three", "c.example")),
        (site("first", "x.a.example"), site("last", "y.a.example"), site("middle", "a.example")),
        (site("port", "a.example:8080"), site("section", "a.example:8080/politics")),
    ],
    ids=["below", "shared", "by a third", "beside", "port"],
)
def test_sites_that_meet_one_host_share_a_lock(sites: tuple[Site, ...]) -> None:
    assert len(set(locks_of(*sites).values())) == 1
    # Wherever the file names them, every machine finds the same.
    assert locks_of(*sites) == locks_of(*reversed(sites))


def test_an_address_has_the_lock_of_the_configured_site() -> None:
    locks = HostLocks([site("one", "www.one.example", hosts=("media.example",))])
    assert locks.of_site(site_at("https://sport.one.example/")) == locks.of_host("media.example") == "media.example"
    assert locks.of_site(site_at("https://www.other.example/")) == locks.of_host("www.other.example") == "other.example"

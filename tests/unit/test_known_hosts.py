"""Which hosts are a site's own."""

from __future__ import annotations

import pytest

from crawler.sites.site import Site
from newskeep.health.hosts import KnownHosts

HOSTS = KnownHosts(
    ["blog.paper.example", "localhost", "newspaper.example", "paper.example", "sport.blog.paper.example"]
)


@pytest.mark.parametrize(
    ("names", "own"),
    [
        (["paper.example"], ["blog.paper.example", "paper.example", "sport.blog.paper.example"]),
        (["blog.paper.example"], ["blog.paper.example", "sport.blog.paper.example"]),
        (["www.paper.example:8080"], ["blog.paper.example", "paper.example", "sport.blog.paper.example"]),
        # Each once, in one order, however they are named.
        (["newspaper.example", "blog.paper.example", "sport.blog.paper.example"],
         ["blog.paper.example", "newspaper.example", "sport.blog.paper.example"]),
        (["localhost:80"], ["localhost"]),
        (["aper.example", "herald.example"], []),
    ],
)  # fmt: skip
def test_hosts_are_those_that_are_named_and_below(names: list[str], own: list[str]) -> None:
    assert HOSTS.of(Site("paper", hosts=tuple(names))) == own


def test_an_ipv6_address_is_found_as_the_index_has_it() -> None:
    assert KnownHosts(["--1"]).of(Site("local", start=("http://[::1]:8080/",))) == ["--1"]
    assert KnownHosts(()).of(Site("local", start=("http://[::1]:8080/",))) == []

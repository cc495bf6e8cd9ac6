"""Sites by the names that people gave them in newskeep.toml, or that a spider class has."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from crawler.sites.site import find_site
from storage.errors import InvalidURL, UsageError
from storage.urls import site_of

if TYPE_CHECKING:
    from crawler.config import Config
    from storage.index.query_parser import SearchQuery


def site_hosts(config: Config, name: str) -> tuple[str, ...]:
    """Return the hosts of the site with a name, the one it begins at first; none where it is no name.

    Names are in small letters, whatever a person types.

    Raises `ConfigError` for a site that is declared wrongly.
    """
    name = name.lower()
    if name not in config.sites and (not name or any(sign in name for sign in ".:/[")):
        return ()
    try:
        site = find_site(config, name)
    except UsageError:
        return ()  # a host without a dot, such as localhost
    first = [site_of(url) for url in site.sources[:1]]
    return tuple(dict.fromkeys([*first, *sorted(site_of(f"http://{each}") for each in site.netlocs)]))


def site_asked(config: Config, asked: str) -> str:
    """Return the host of a site that is given by its name, host or address. Raises `UsageError`."""
    if named := site_hosts(config, asked):
        return named[0]
    try:
        return site_of(asked if "://" in asked else f"http://{asked}")
    except InvalidURL as error:
        raise UsageError(f"{asked!r} is no site; its address {error.reason}") from None


def parse_words(config: Config, words: str) -> SearchQuery:
    """Return what a person searches for, `site:` by the names of a configuration too. Raises `UsageError`."""
    from storage.index.query_parser import SearchQuery

    return SearchQuery.parse(words, partial(site_hosts, config))

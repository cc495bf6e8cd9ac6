"""Sites that a person lists: by name or address in any form that lists of URLs have, or as feed readers export them."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from crawler.config import Config
from crawler.list_forms import entries
from crawler.list_sources import is_opml, subscriptions
from crawler.sites.site import Site, find_site
from storage.errors import InvalidURL, UsageError
from storage.urls import join, normalize

#: Bytes of a list; a site takes some hundred, a feed in OPML some three hundred.
_MOST = 20_000_000


@dataclass(frozen=True, slots=True)
class ListedSite:
    """One entry of a list: as given, and the site that it means, or why there is none."""

    given: str
    site: Site | None = None
    error: str | None = None


def read_sites(config: Config, names: Iterable[str] = (), file: str | None = None) -> list[ListedSite]:
    """Return each different site once, those of `names` before those of `file` ("-": standard input).

    Raises `UsageError` where one of the names is none, the file cannot be read, or there is no site.
    """
    listed = [ListedSite(name, find_site(config, name)) for name in names]
    if file is not None:
        content = _read(file)
        listed += _subscribed(config, content) if is_opml(content) else _named(config, content, file)
    found: dict[str, ListedSite] = {}
    for each in listed:
        key = each.site.name if each.site else each.given
        found[key] = _together(found[key], each) if key in found else each
    if not found:
        raise UsageError("the list names no site")
    return list(found.values())


def _together(one: ListedSite, other: ListedSite) -> ListedSite:
    """A site that was named twice, such as by http:// and https://, with the feeds of both."""
    if one.site is None or other.site is None:
        return one
    return replace(one, site=replace(one.site, feeds=tuple(dict.fromkeys(one.site.feeds + other.site.feeds))))


def _read(file: str) -> bytes:
    try:
        if file == "-":
            return sys.stdin.buffer.read(_MOST)
        with Path(file).open("rb") as stream:
            return stream.read(_MOST)
    except OSError as error:
        raise UsageError(f"cannot read the list {file}: {error.strerror}") from error


def _named(config: Config, content: bytes, name: str) -> Iterator[ListedSite]:
    for entry in entries(io.BufferedReader(io.BytesIO(content)), "" if name == "-" else name):
        yield ListedSite(entry.given, error=entry.error) if entry.error else _listed(config, entry.given)


def _listed(config: Config, given: str, feeds: Iterable[str] = ()) -> ListedSite:
    try:
        site = find_site(config, given)
        # One that is configured has what it is to have.
        added = () if site.name in config.sites else tuple(dict.fromkeys(_addresses(feeds)))
        return ListedSite(given, replace(site, feeds=site.feeds + added))
    except InvalidURL as error:
        return ListedSite(given, error=error.reason)
    except UsageError as error:
        return ListedSite(given, error=str(error))


def _subscribed(config: Config, content: bytes) -> Iterator[ListedSite]:
    """The sites of a feed reader's subscriptions: all feeds of one are together, one without a page is its host's."""
    feeds: dict[str, list[str]] = {}
    for feed, page in subscriptions(content):
        feeds.setdefault(page or _front(feed), []).append(feed)
    yield from (_listed(config, page, of_page) for page, of_page in feeds.items())


def _front(feed: str) -> str:
    """The front page of a feed's host; what is no address as it is, to be told."""
    found = next(_addresses([feed]), None)
    return feed if found is None else join(found, "/")


def _addresses(feeds: Iterable[str]) -> Iterator[str]:
    """The feeds that have an address."""
    for feed in feeds:
        with suppress(InvalidURL):
            yield normalize(feed)

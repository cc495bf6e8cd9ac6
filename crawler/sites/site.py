"""A site is data: a table `[sites.NAME]` of newskeep.toml, a spider class of a few lines, or just an address.

[sites.guardian]
start = "https://www.theguardian.com/"
every = "10m"
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from crawler import defaults
from crawler.discovery import identity
from crawler.sites.section import is_front, lies_below, section_name
from crawler.sites.site_keys import KEYS, READERS, SECRET, many, pattern
from crawler.subscriptions.login import Login
from crawler.subscriptions.references import anchor, is_reference, mind_readers
from storage.errors import ConfigError, InvalidURL, UsageError
from storage.homes import expanded
from storage.urls import site_of

if TYPE_CHECKING:
    from crawler.config import Config

#: Fit for a file name, a spider's name and an option's value.
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}", re.ASCII)
#: Spiders that are no sites.
RESERVED = ("site", "urls")


@dataclass(frozen=True, slots=True)
class Site:
    """What is to be crawled as one site. URLs are normalised; missing is empty or `None`."""

    name: str
    #: Pages that are looked through for links, feeds and sections: the front page, mostly.
    start: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    #: Regular expressions, searched in the URL. With `include` only articles that match one of them are taken, however
    #: their address looks; what matches one of `exclude` is never taken.
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    #: Hosts that belong to the site besides those of `start`, `feeds` and `sitemaps`; their subdomains do too.
    hosts: tuple[str, ...] = ()
    #: Seconds between two looks at a source that brings news at each; one that brings none is asked more rarely.
    every: float = defaults.SITE_EVERY
    #: Seconds between two requests to a host, give or take a half.
    delay: float = defaults.SITE_DELAY
    #: Whether only what lies below the start pages is wanted, and not the rest of their sites.
    section: bool = False
    #: How far pages are followed for links: 0, the start pages alone; 1, the sections they name as well.
    depth: int = 1
    #: Articles that one run fetches at most.
    cap: int = defaults.SITE_CAP
    #: The whole User-Agent field for this site.
    user_agent: str | None = None
    #: What becomes of pages that say `noarchive`; `None`: as for all.
    noarchive: defaults.NoarchivePolicy | None = None
    #: The Accept-Language field; `None`: any language.
    accept_language: str | None = None
    #: A proxy for this site, in place of that of all.
    proxy: str | None = field(default=None, repr=False)
    #: A file of cookies that are sent: cookies.txt, or JSON.
    cookies: str | None = None
    #: Names and values of fields that are sent to the site's own hosts; the values may be references.
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    #: How to log in.
    login: Login | None = None
    #: Whether pictures, styles and scripts are archived with a page.
    requisites: bool = False
    #: Whether hubs that its feeds name are asked to tell `newskeep serve` what is new (WebSub).
    websub: bool = False
    #: Which pages are shown by a browser; `None`: as for all.
    render: defaults.Render | None = None
    #: Screens that a rendered page is scrolled down.
    scroll: int = 0
    #: CSS selectors of what is clicked once on a rendered page, such as a consent.
    click: tuple[str, ...] = ()
    #: CSS selector of a rendered page's "load more", clicked for as long as it is there.
    load_more: str | None = None
    #: Whether the site is fetched though its TLS certificate is bad; `None`: as for all sites.
    insecure: bool | None = None
    #: Given to what is archived of it.
    tags: tuple[str, ...] = ()
    #: Name of the spider that crawls it.
    spider: str = "site"

    @property
    def sources(self) -> tuple[str, ...]:
        return self.start + self.feeds + self.sitemaps

    def owns(self, url: str) -> bool:
        """Whether a normalised URL is on one of the site's hosts or below."""
        netloc = urlsplit(url).netloc
        return any(netloc == host or netloc.endswith(f".{host}") for host in self.netlocs)

    @property
    def netlocs(self) -> frozenset[str]:
        """The site's hosts without their www, with a port where it is not the default."""
        return _netlocs(self)

    def refuses(self, url: str) -> str | None:
        """Why an address is not taken as an article by the site's own rules; `None` if it may be."""
        if not self.owns(url):
            return "another host"
        if url in self.sources:
            return "a source"
        if any(pattern(rule).search(url) for rule in self.exclude):
            return "excluded"
        if self.include and not self.includes(url):
            return "not included"
        return None

    def has_below(self, url: str) -> bool:
        """Whether a normalised URL lies below one of the start pages."""
        return lies_below(url, self.start)

    @property
    def hint(self) -> str | None:
        """What to tell who gave the address of a section; `None` of a whole site."""
        if not self.section:
            return None
        return f"{self.name}: this section alone; for the whole site give {urljoin(self.start[0], '/')}"

    def includes(self, url: str) -> bool:
        """Whether one of `include` matches."""
        return any(pattern(rule).search(url) for rule in self.include)


@lru_cache(maxsize=256)
def _netlocs(site: Site) -> frozenset[str]:
    hosts = {urlsplit(url).netloc for url in site.sources} | set(site.hosts)
    return frozenset(host.removeprefix("www.") for host in hosts)


def site_at(address: str) -> Site:
    """Return the site of an address, named by its host; `https://` may be left out. Raises `InvalidURL`.

    An address that is not the front page's stands for the section below it; what tells where a reader came from
    (utm_source) is left out.
    """
    url = identity(address if "://" in address else f"https://{address}")
    port = urlsplit(url).port
    host = site_of(url) + (f":{port}" if port else "")
    if is_front(url):
        return Site(host, start=(url,))
    return Site(section_name(host, url), start=(url,), section=True)


def load_sites(config: Config) -> Mapping[str, Site]:
    """Return the sites that the configuration file names, by name, in its order.

    A table without an address stands for the spider class of its name, and may change what that declares. Raises
    `ConfigError`, which names the file, the table and the key.
    """
    defaults: dict[str, Any] = {}
    if config.delay is not None:
        defaults["delay"] = config.delay
    return {name: _from_table(config, name, table, defaults) for name, table in config.sites.items()}


def find_site(config: Config, asked: str) -> Site:
    """Return the site that a person means: one of the configuration, a declared one, or any by its address.

    Raises `UsageError`, with the name that is nearest.
    """
    if asked in config.sites:
        # One table alone: a mistake in another one is not this site's.
        only = replace(config, sites={asked: config.sites[asked]})
        return load_sites(only)[asked]
    if "://" in asked or re.search(r"[.:/\[]", asked):
        site = site_at(asked)
        return _configured_at(config, site.start[0]) or _with_defaults(config, site)
    from crawler.sites.spider_loader import declared_sites

    declared = declared_sites(config)
    if asked in declared:
        return _with_defaults(config, declared[asked])
    known = [*config.sites, *declared]
    near = _near(asked, known) or f"; a site without a name is given by its address, such as https://{asked}.example/"
    raise UsageError(f"no site is named {asked!r}{near}")


def _with_defaults(config: Config, site: Site) -> Site:
    return replace(site, delay=config.delay) if config.delay is not None and site.delay == defaults.SITE_DELAY else site


def _configured_at(config: Config, url: str) -> Site | None:
    """The configured site that starts at an address."""
    for name, table in config.sites.items():
        start = table.get("start") if isinstance(table, dict) else None
        if any(isinstance(each, str) and each.rstrip("/") == url.rstrip("/") for each in many(start)):
            return load_sites(replace(config, sites={name: table}))[name]
    return None


def make_site(
    name: str, values: Mapping[str, Any], where: str = "", base: Callable[[], Site | None] = lambda: None
) -> Site:
    """Return the site that a table or a class declares; `where` begins the message of a `ConfigError`.

    What has no address of its own changes the site that `base` gives.
    """
    if not _NAME.fullmatch(name) or name in RESERVED:
        raise ConfigError(f"{where}{name!r} cannot be a site's name: small letters, digits, dots and hyphens")
    given: dict[str, Any] = {}
    for key, value in values.items():
        read = READERS.get(key)
        if read is None:
            raise ConfigError(f"{where}unknown key {key!r}{_near(key, READERS)}")
        try:
            given[key] = read(value)
        except ValueError as error:
            shown = "" if key in SECRET else f", not {value!r}"
            raise ConfigError(f"{where}{key} must be {error}{shown}") from None
        except ConfigError as error:
            raise ConfigError(f"{where}{key}: {error}") from None
        except InvalidURL as error:
            raise ConfigError(f"{where}{key}: {error}") from None
    if given.get("start") or given.get("feeds") or given.get("sitemaps"):
        return Site(name, **given)
    if declared := base():
        return replace(declared, **given)
    raise ConfigError(f"{where}needs an address: start, feeds or sitemaps")


def _from_table(config: Config, name: str, table: object, defaults: dict[str, Any]) -> Site:
    where = f"{config.file}: [sites.{name}] "
    if not isinstance(table, dict):
        raise ConfigError(f"{where}must be a table")
    own = {**defaults, **table} if table.keys() & {"start", "feeds", "sitemaps"} else table
    site = make_site(name, own, where, lambda: _declared(config, name))
    if config.file is None:
        return site
    # Most sites name no files, and there may be ten thousand.
    if not (site.cookies or site.headers or site.login or site.proxy):
        return site
    if any(not is_reference(text) for text in _secrets(site)):
        mind_readers(config.file, "a secret")
    return _anchored(site, config.file.resolve().parent)


def _secrets(site: Site) -> Iterator[str]:
    """The values of a table that are secrets for sure."""
    if site.login is not None and site.login.password is not None:
        yield site.login.password
    yield from (value for name, value in site.headers if name.lower() in ("authorization", "cookie"))
    if site.proxy is not None and "@" in site.proxy:
        yield site.proxy


def _anchored(site: Site, folder: Path) -> Site:
    """The site whose files of secrets lie beside the configuration, where their paths are relative."""
    return replace(
        site,
        cookies=site.cookies and str(folder / expanded(site.cookies)),
        headers=tuple((name, anchor(value, folder)) for name, value in site.headers),
        login=site.login and site.login.map(lambda _, value: anchor(value, folder)),
    )


def _declared(config: Config, name: str) -> Site | None:
    from crawler.sites.spider_loader import declared_sites  # imports Scrapy

    return declared_sites(config).get(name)


def _near(key: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


assert {*KEYS, "name", "spider"} == {item.name for item in fields(Site)}

"""The configuration: newskeep.toml, variables, sites, proxy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from crawler.config import variables_without_effect
from crawler.identity import identity_of
from crawler.politeness.proxies import check_proxy
from crawler.politeness.trust_roots import check_roots
from crawler.sites.site import load_sites
from newskeep.doctor.finding import Finding, alone, bad, good, parted, warned
from storage.counts import counted
from storage.errors import ConfigError, NewskeepError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.config import Config


def findings(config: Config, mistakes: Sequence[str]) -> Iterator[Finding]:
    """`mistakes`: what `crawler.config.examine` found wrong."""
    yield from (parted("configuration", mistake) for mistake in mistakes)
    if not mistakes:
        yield good("configuration", str(config.file or "none, which is fine; newskeep init writes one"))
    for line in variables_without_effect():
        said, _, meant = line.partition("; ")
        yield bad("variable", said, meant or "unset it")
    for name, look in (
        ("spider modules", lambda: _spider_modules(config)),
        ("sites", lambda: _sites(config)),
        ("operator", lambda: _operator(config)),
        ("network", lambda: _network(config)),
    ):
        yield from alone(name, look)


def _spider_modules(config: Config) -> Iterator[Finding]:
    from crawler.spider_modules import spider_modules

    spider_modules(config.spider_modules, config.file)
    if config.spider_modules:
        yield good("spider modules", ", ".join(config.spider_modules))


def _sites(config: Config) -> Iterator[Finding]:
    wrong = 0
    for name, table in config.sites.items():
        try:
            load_sites(replace(config, sites={name: table}))
        except NewskeepError as error:
            wrong += 1
            yield parted(f"site {name}", str(error))
    if not config.sites:
        yield good("sites", "none are configured: newskeep sites check ADDRESS --write adds one")
    elif not wrong:
        yield good("sites", counted(len(config.sites), "site"))


def _operator(config: Config) -> Iterator[Finding]:
    said = config.operator or config.user_agent or ""
    if "@" in said or "://" in said:
        yield good("operator", said)
    else:
        yield warned(
            "operator",
            "servers that you crawl cannot reach you",
            'operator = "a web page or e-mail address of yours" in newskeep.toml',
        )


def _network(config: Config) -> Iterator[Finding]:
    wrong = False
    for name, check, said in (("proxy", check_proxy, config.proxy), ("ca_file", check_roots, config.ca_file)):
        try:
            check(said)
        except ConfigError as error:
            wrong = True
            yield parted(name, str(error))
    try:
        identity = identity_of(config.signing_key, config.agent)
    except ConfigError as error:
        yield parted("signing_key", str(error).removeprefix("signing_key: "))
    else:
        if identity is not None:
            yield good("signing_key", f"requests are signed as {identity.agent}, with the key {identity.thumbprint}")
    if config.proxy and not wrong:
        yield good("proxy", "set; it is asked when something is fetched")

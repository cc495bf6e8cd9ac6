"""`newskeep crawl`: crawl news sites, by name or address."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from crawler import defaults
from newskeep.cli import _options
from newskeep.cli._numbers import Whole
from newskeep.cli._options import Duration, Moment, check_order, common, settle, site_names
from newskeep.cli._terminal import echo
from storage.errors import UsageError

_EXAMPLES = """\b
Examples:
  newskeep crawl https://www.example.org/
  newskeep crawl https://www.example.org/politics/
  newskeep crawl guardian computerworld --requisites
  newskeep crawl guardian --tag election-2026
  newskeep crawl guardian --since 2026-01-01 --until 2026-02 --cap 2000

\b
Exit codes: 0 done, also with nothing new, 1 a fault of ours or of a spider, 3 the
archive is out of reach, 4 some sites failed, blocked us, gave nothing or were stopped,
5 all of them, 75 another process crawls them."""


@click.command(epilog=_EXAMPLES)
@click.argument("sites", nargs=-1, required=True, metavar="SITE-OR-URL...", shell_complete=site_names)
@click.option(
    "--since", type=Moment("start"), metavar="TIME", help="Only what was published since; sitemaps are read for it."
)
@click.option("--until", type=Moment("end"), metavar="TIME", help="With --since: nothing newer.")
@click.option("--cap", type=Whole(), metavar="N", help=f"Articles a site at most.  [{defaults.SITE_CAP}]")
@click.option("--requisites", is_flag=True, default=None, help="Archive pictures, styles and scripts with the pages.")
@_options.gives_tags
@_options.delay(defaults.SITE_DELAY)
@_options.at_once
@click.option("--time-limit", type=Duration(), metavar="TIME", help="End in good order after this time, such as 10m.")
@_options.ignore_robots
@_options.allow_private
@_options.insecure
@_options.trust_proxy
@_options.operator
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each article.")
@common
def crawl(
    sites: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    cap: int | None,
    requisites: bool | None,
    tags: tuple[str, ...],
    delay: float | None,
    at_once: int,
    time_limit: float | None,
    ignore_robots: bool,
    as_json: bool,
    config: Path | None,
    verbose: int,
    **given: Any,
) -> int:
    """Crawl news sites: find what is new, fetch it, newest first, and look again at what is due.

    A site is a name from newskeep.toml, a declared spider, or any address: its feeds, sitemaps and sections are then
    found out and remembered. An address that is not a front page stands for the section below it. What was fetched
    before is not fetched again before it is due; stop it at any time, the next run goes on.

    Newest first is by the dates of feeds and sitemaps and those in addresses; what has none comes last. With --since
    they decide before fetching: what they show to be of another time is passed over, and counted.
    """
    if until is not None and since is None:
        raise UsageError("--until goes with --since: say from when on")
    check_order(since, until)
    settings = settle(config, verbose, robots=False if ignore_robots else None, **given)

    from crawler.run import crawl_of
    from crawler.sites.site import find_site
    from crawler.sites.subscribed import subscription_of
    from newskeep.cli._fetching import archive_sites
    from storage.annotations import parse_tags

    said: dict[str, Any] = {"cap": cap, "requisites": requisites, "delay": delay, "insecure": given["insecure"]}
    changes = {name: value for name, value in said.items() if value is not None}
    asked = (find_site(settings, each) for each in sites)
    found = {site.name: replace(site, **changes, tags=parse_tags((*site.tags, *tags))) for site in asked}
    for site in found.values():
        if site.hint and site.name not in settings.sites:
            echo(f"newskeep: {site.hint}", err=True)
    window = {name: value for name, value in (("since", since), ("until", until)) if value is not None}
    crawls = [crawl_of(site, eager=True, subscription=subscription_of(site), **window) for site in found.values()]
    return archive_sites(settings, crawls, as_json, at_once=at_once, time_limit=time_limit)

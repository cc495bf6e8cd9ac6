"""`newskeep submit crawl`: queue crawls of sites."""

from __future__ import annotations

from datetime import datetime

import click

from crawler import defaults
from crawler.config import Config
from newskeep.cli import _options
from newskeep.cli._numbers import Whole
from newskeep.cli._options import Moment, check_order, site_names
from newskeep.cli._queue import opened_queue, with_queue
from storage.errors import UsageError

_EXAMPLES = """\b
Examples:
  newskeep submit crawl https://www.example.org/
  newskeep submit crawl guardian computerworld --requisites
  newskeep submit crawl guardian --since 2026-01-01 --until 2026-02 --cap 2000

\b
Exit codes: 0 queued, or waiting already, 2 usage or configuration, 3 the queue is out
of reach."""


@click.command(epilog=_EXAMPLES)
@click.argument("sites", nargs=-1, required=True, metavar="SITE-OR-URL...", shell_complete=site_names)
@click.option("--since", type=Moment("start"), metavar="TIME", help="Only what was published since: a back-fill.")
@click.option("--until", type=Moment("end"), metavar="TIME", help="With --since: nothing newer.")
@click.option("--cap", type=Whole(), metavar="N", help=f"Articles a site at most.  [{defaults.SITE_CAP}]")
@click.option("--requisites", is_flag=True, default=None, help="Archive pictures, styles and scripts with the pages.")
@_options.gives_tags
@_options.delay(defaults.SITE_DELAY)
@_options.ignore_robots
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each crawl.")
@with_queue
def crawl(
    sites: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    cap: int | None,
    requisites: bool | None,
    tags: tuple[str, ...],
    delay: float | None,
    ignore_robots: bool,
    as_json: bool,
    settings: Config,
) -> None:
    """Queue a crawl of each site, as `newskeep crawl` does it; a site waits once.

    A site is a name from newskeep.toml, a declared spider, or an address. The workers look the name up in their own
    newskeep.toml, which has its passwords: give all of them the same.
    """
    if until is not None and since is None:
        raise UsageError("--until goes with --since: say from when on")
    check_order(since, until)
    with opened_queue(settings) as queue:
        from newskeep.cli.submit._shown import show
        from newskeep.queue.submitting import submit_crawls
        from storage.urls import timestamp14

        submitted = submit_crawls(
            queue,
            settings,
            sites,
            eager=True,
            since=timestamp14(since) if since else None,
            until=timestamp14(until) if until else None,
            cap=cap,
            delay=delay,
            requisites=requisites,
            ignore_robots=ignore_robots,
            tags=tags,
        )
        show(submitted, as_json)

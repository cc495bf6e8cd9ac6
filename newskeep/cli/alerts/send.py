"""`newskeep alerts send`: look at what happened, and tell it."""

from __future__ import annotations

import logging

import click

from crawler.config import Config
from crawler.sites.site import load_sites
from newskeep.alerts.alert import find_alert
from newskeep.alerts.telling import alerts_of, tell
from newskeep.cli._options import configured, open_existing
from newskeep.cli._terminal import echo

logger = logging.getLogger(__name__)

_EXAMPLES = """\b
Examples:
  newskeep alerts send                  in a crontab of your own, beside `save` or an import
  newskeep alerts send --now            what waits, also in quiet hours

\b
Exit codes: 0 done, 2 usage or configuration, 3 the archive is out of reach, 4 some
messages were not taken, 5 none was, 75 another process sends just now."""


@click.command(epilog=_EXAMPLES)
@click.option("--now", is_flag=True, help="Wait for nothing: quiet hours, the time between messages or tries.")
@configured
def send(now: bool, settings: Config) -> int:
    """Look at what is new in the archive, changed or gone, and tell it to whom it is for. Says what was not taken.

    `crawl` and `due` do the same at their end. A new alert tells of what is captured from its first run on.
    """
    alerts = alerts_of(settings)
    if not alerts:
        find_alert(alerts, "")
    with open_existing(settings) as archive:
        told = tell(archive, settings, alerts, load_sites(settings).values(), at_once=now)
    failed = [sent for sent in told if sent.problem is not None]
    for sent in told:
        if sent.problem is None:
            logger.info("%s", sent)
        else:
            echo(f"newskeep: {sent}", err=True)
    if not failed:
        return 0
    return 5 if len(failed) == len(told) else 4

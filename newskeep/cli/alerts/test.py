"""`newskeep alerts test`: send a message now, to see whether it arrives."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from crawler.config import Config
from newskeep.alerts.alert import find_alert
from newskeep.alerts.delivery import send_test
from newskeep.alerts.telling import alerts_of
from newskeep.cli._options import configured
from newskeep.cli._terminal import echo

_EXAMPLES = """\b
Examples:
  newskeep alerts test harbour

\b
Exit codes: 0 it was taken, 2 usage or configuration, 4 it was not taken by one of the
two, 5 by none."""


@click.command(epilog=_EXAMPLES)
@click.argument("name", metavar="NAME")
@configured
def test(name: str, settings: Config) -> int:
    """Send a message with an invented article to the webhook and the addresses of an alert, whatever the hour.

    Nothing is looked at in the archive, and what waits goes on waiting.
    """
    alert = find_alert(alerts_of(settings), name)
    told = send_test(alert, settings, datetime.now(UTC))
    for sent in told:
        line = f"alert {sent.alert}: {sent.channel}: {sent.problem or 'it was taken'}"
        echo(f"newskeep: {line}" if sent.problem else line, err=sent.problem is not None)
    failed = sum(sent.problem is not None for sent in told)
    return 0 if not failed else 5 if failed == len(told) else 4

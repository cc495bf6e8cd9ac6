"""`newskeep alerts list`: what is told to whom, and how telling goes."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from rich.text import Text

from crawler.config import Config
from crawler.durations import duration
from newskeep.alerts.outbox import Standing, has_outbox, outbox_of
from newskeep.alerts.telling import alerts_of
from newskeep.cli._console import Console
from newskeep.cli._options import configured
from newskeep.cli._terminal import echo, fit
from newskeep.times import iso, local
from storage import open_archive

if TYPE_CHECKING:
    from newskeep.alerts.alert import Alert

_EXAMPLES = """\b
Examples:
  newskeep alerts list
  newskeep alerts list --json | jq 'select(.problem)'

\b
Exit codes: 0 done, 2 usage or configuration, 3 the archive is out of reach."""


@click.command("list", epilog=_EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each alert and way to tell.")
@configured
def list_(as_json: bool, settings: Config) -> None:
    """Show each alert: of what it tells, to whom, when it last did, what waits and what went wrong.

    Secrets are not shown: of a webhook its host, or where its address is kept.
    """
    alerts = alerts_of(settings)
    if not alerts:
        echo("no alerts: add a table [alerts.NAME] to newskeep.toml", err=True)
        return
    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    with open_archive(settings.archive, settings.state, settings.lock, settings.shared_index) as archive:
        for alert in alerts.values():
            if not as_json:
                out.print(Text.assemble((alert.name, "bold"), f"  {fit(_what(alert))}"))
            for channel in alert.channels:
                known = outbox_of(archive).standing(alert.name, channel) if has_outbox(archive) else Standing()
                if as_json:
                    click.echo(json.dumps(_json(alert, channel, known), ensure_ascii=False))
                else:
                    out.print(Text(f"  {fit(_to(alert, channel))}: {fit(_how(known))}"))


def _what(alert: Alert) -> str:
    parts = [", ".join(alert.on)]
    parts += [alert.query] if alert.query else []
    parts += [f"of {', '.join(alert.sites)}"] if alert.sites else []
    parts += [f"in {alert.language}"] if alert.language else []
    parts += [f"by {alert.author}"] if alert.author else []
    parts.append(f"every {duration(alert.every)}" if alert.every else "at once")
    parts += [f"quiet {alert.quiet}"] if alert.quiet else []
    return "; ".join(parts)


def _to(alert: Alert, channel: str) -> str:
    if channel == "email":
        return f"email {', '.join(alert.email)}"
    assert alert.webhook is not None
    if alert.webhook.text is not None:
        return f"webhook at {urlsplit(alert.webhook.text).hostname}"
    if alert.webhook.variable is not None:
        return f"webhook in the variable {alert.webhook.variable}"
    return f"webhook in {alert.webhook.file}"


def _how(known: Standing) -> str:
    parts = [f"last told {local(known.sent)}" if known.sent else "nothing told yet", f"{known.waiting:,} waiting"]
    if known.problem:
        parts.append(known.problem + (f", tried again after {local(known.again)}" if known.again else ""))
    return "; ".join(parts)


def _json(alert: Alert, channel: str, known: Standing) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "on": list(alert.on),
        "query": alert.query,
        "sites": list(alert.sites),
        "language": alert.language,
        "author": alert.author,
        "every": alert.every,
        "quiet": str(alert.quiet) if alert.quiet else None,
        "channel": channel,
        "to": _to(alert, channel),
        "waiting": known.waiting,
        "sent": iso(known.sent),
        "tries": known.tries,
        "again": iso(known.again),
        "problem": known.problem,
    }

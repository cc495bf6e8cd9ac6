"""`newskeep rights`: what a site said of the use of its pages, and when it said something else."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from crawler.config import Config
from newskeep.cli._console import Console
from newskeep.cli._options import SiteName, configured, open_existing, why_nothing
from newskeep.cli._terminal import fit
from storage.counts import counted
from storage.errors import NotArchived
from storage.rights.signal import to_json
from storage.urls import timestamp14

if TYPE_CHECKING:
    from newskeep.rights import SiteState
    from storage.rights import Signal

_EXAMPLES = """\b
Examples:
  newskeep rights example.org
  newskeep rights example.org --json | jq -c '[.since, .came]'

\b
Exit codes: 0 done, 2 no site, 3 the archive is out of reach, 6 neither file is in the archive."""


@click.command(epilog=_EXAMPLES)
@click.argument("site", type=SiteName())
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each state of a file.")
@configured
def rights(site: str, as_json: bool, settings: Config) -> None:
    """Show how the terms of a site changed: Content-Signal, Content-Usage, licences, TDMRep.

    They are read from robots.txt and tdmrep.json as these were captured, for newskeep by its name, or for all. What
    single pages say is in `newskeep get --as json`, and what follows from all of it in `newskeep export --for`.
    """
    from newskeep.rights import history

    with open_existing(settings) as opened:
        states = list(history(opened, site))
        if not states:
            nothing = f"no robots.txt or tdmrep.json of {site} is in {opened.uri}"
            raise NotArchived(f"{nothing}{why_nothing(opened, None)}")
    if as_json:
        for state in states:
            click.echo(json.dumps(_fields(state)))
        return
    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    before = ""
    for state in states:
        if state.url != before:
            out.print(Text(fit(state.url), "bold"))
        _show(out, state, is_first=state.url != before)
        before = state.url


def _show(out: Console, state: SiteState, is_first: bool) -> None:
    seen = f", {counted(state.captures, 'capture')} until {state.until:%Y-%m-%d %H:%M}" if state.captures > 1 else ""
    missing = "" if state.status is not None and state.status < 400 else f", answered {state.status}"
    out.print(Text(f"  {state.since:%Y-%m-%d %H:%M}{seen}{missing}", "dim"))
    if not state.signals and is_first:
        out.print("    says nothing of use")
    for mark, signals, style in (("+", state.came, "green"), ("-", state.went, "red")):
        for signal in signals:
            out.print(Text(f"    {mark if not is_first else ' '} {_line(signal)}", "" if is_first else style))


def _line(signal: Signal) -> str:
    value = "" if signal.value is None else f" {signal.value}"
    return fit(f"{signal.name}{value}  ({signal.source})")


def _fields(state: SiteState) -> dict[str, Any]:
    return {
        "url": state.url,
        "since": timestamp14(state.since),
        "until": timestamp14(state.until),
        "captures": state.captures,
        "status": state.status,
        **{name: to_json(getattr(state, name)) for name in ("signals", "came", "went")},
    }

"""`newskeep corrections`: what readers corrected."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from crawler.config import Config
from newskeep.cli._console import Console, escape
from newskeep.cli._options import SiteName, configured, open_existing
from newskeep.cli._terminal import echo, fit
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND

if TYPE_CHECKING:
    from storage.corrections import Correction
    from storage.problems import Problem

_EXAMPLES = """\b
Examples:
  newskeep corrections
  newskeep corrections gazette herald.example
  newskeep corrections --json > corrections.jsonl

\b
Exit codes: 0 done, 2 a wrong option, 3 the archive is out of reach, 7 done, but one could not be read."""


@click.command(epilog=_EXAMPLES)
@click.argument("sites", nargs=-1, type=SiteName(), metavar="[SITE]...")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each, as newskeep docs formats has it.")
@configured
def corrections(sites: tuple[str, ...], as_json: bool, settings: Config) -> int:
    """List what readers corrected and did not take back, site by site, the oldest first.

    `newskeep correct URL` makes one or takes it back. What they are for: newskeep docs corrections.
    """
    from storage.corrections import read_all, to_fields
    from storage.removals import in_force

    problems: list[Problem] = []
    with open_existing(settings) as opened:
        hidden = in_force(opened.index.removals())
        found = [
            each
            for site in (dict.fromkeys(sites) or (None,))
            for each in read_all(opened.store, site, problems.append)
            if not any(hiding.covers(each.url, each.captured) for hiding in hidden)
        ]
    out = Console(file=sys.stdout, highlight=False)
    for each in sorted(found, key=lambda each: (each.site, each.made)):
        if as_json:
            click.echo(json.dumps(to_fields(each), ensure_ascii=False))
        else:
            show_correction(out, each)
            out.print(f"[dim]        {escape(each.url)}[/]", soft_wrap=True)
    for problem in problems:
        echo(str(problem), err=True)
    echo(counted(len(found), "correction") if found else "nothing was corrected", err=True)
    return PROBLEMS_FOUND if problems else 0


def show_correction(out: Console, each: Correction, number: int | None = None) -> None:
    """Print a correction on one line, as much of its block as fits."""
    place = "" if number is None else f"{number:>4}"
    style = "green" if each.verdict == "keep" else "red"
    told = [f"{each.made:%Y-%m-%d %H:%M}", "whole site" if each.whole_site else None, each.by, each.note]
    why = f"  {', '.join(filter(None, told))}"
    room = max(20, out.width - len(why) - len(place) - 9)
    text = fit(each.text)
    text = text if len(text) <= room else text[: room - 1] + "…"
    line = f"[dim]{place}[/]  [{style}]{each.verdict:<6}[/] {escape(text)}[dim]{escape(why)}[/]"
    out.print(line, no_wrap=True, overflow="ellipsis")

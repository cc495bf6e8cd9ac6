"""`newskeep doctor`: what is installed, reachable, missing or misconfigured, and the cure."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from crawler.config import Config
from crawler.config import examine as examine_configuration
from newskeep.cli._console import Console
from newskeep.cli._options import common, set_up_logging
from newskeep.cli._terminal import echo, fit
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND

if TYPE_CHECKING:
    from newskeep.doctor.finding import Finding, Grade

_COLOURS: dict[Grade, str] = {"ok": "green", "warn": "yellow", "bad": "red"}

_EXAMPLES = """\b
Examples:
  newskeep doctor
  newskeep doctor --archive s3://my-bucket/news
  newskeep doctor --json | jq 'select(.grade == "bad")'

\b
Exit codes: 0 nothing is bad, 7 something is."""


@click.command(epilog=_EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each check.")
@common
def doctor(
    as_json: bool, archive: str | None, state: str | None, index: str | None, config: Path | None, verbose: int
) -> int:
    """Look whether all is in place, and say what to do where it is not: a line a check, ok, warn or bad.

    Python, packages and extras; newskeep.toml, variables and sites, every mistake of them; whether the store can be
    reached and written, and its clock; the state folder, index, spool and disk; what starts the schedule. Nothing is
    changed. A server that does not answer is waited for fifteen seconds.
    """
    set_up_logging(verbose)
    from newskeep.doctor.examine import examine

    settings, mistakes = examine_configuration(config)
    known = archive is not None or not mistakes or settings.archive != Config().archive
    given: dict[str, Any] = {"archive": archive, "state": state, "index": index}
    settings = replace(settings, **{name: value for name, value in given.items() if value is not None})
    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    counts: dict[str, int] = {"ok": 0, "warn": 0, "bad": 0}
    for found in examine(settings, mistakes, has_archive=known):
        counts[found.grade] += 1
        if as_json:
            click.echo(json.dumps(asdict(found), ensure_ascii=False))
        else:
            out.print(_row(found))
    warnings = counted(counts["warn"], "warning")
    echo(f"{counted(sum(counts.values()), 'check')}: {counts['bad'] or 'none'} bad, {warnings}", err=True)
    return PROBLEMS_FOUND if counts["bad"] else 0


def _row(found: Finding) -> Text:
    row = Text.assemble((f"{found.grade:<4}", _COLOURS[found.grade]), f"  {found.check:<14}  {fit(found.said)}")
    return row.append(f"\n{'':<22}→ {fit(found.cure)}") if found.cure else row

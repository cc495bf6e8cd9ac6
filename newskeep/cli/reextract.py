"""`newskeep reextract`: text again from the WARCs."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import track

from newskeep.cli._options import Moment, common, open_existing, settle
from newskeep.cli._terminal import Console, echo, escape
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND

if TYPE_CHECKING:
    from crawler.session.reextract import Change
    from storage.problems import Problem

_EXAMPLES = """\b
Examples:
  newskeep reextract --diff                       see what would change, write nothing
  newskeep reextract www.example.org --since 2026-11

\b
Exit codes: 0 done, 3 the archive is out of reach, 7 done, but a WARC could not be read."""


@click.command(epilog=_EXAMPLES)
@click.argument("site", required=False)
@click.option("--since", type=Moment(), metavar="TIME", help="Only what was captured since.")
@click.option("--diff", is_flag=True, help="Show what would change, and write nothing.")
@common
def reextract(
    site: str | None,
    since: datetime | None,
    diff: bool,
    archive: str,
    state: str,
    index: str,
    config: Path,
    verbose: int,
) -> int:
    """Extract the text of archived pages again: with the extractor as it is now and what is known of the sites now.

    Text that comes out the same is left as it is. The WARCs are only read; one that is damaged is named, and keeps the
    text it has.
    """
    settings = settle(config, verbose, archive=archive, state=state, index=index)

    from crawler.session.extraction_pool import ExtractionLimits, ExtractionPool, default_workers
    from crawler.session.reextract import reextract as remake

    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    workers = settings.workers or default_workers()
    pool = ExtractionPool(workers, ExtractionLimits())
    articles = changed = warcs = 0
    problems: list[Problem] = []

    def on_problem(problem: Problem) -> None:
        problems.append(problem)
        echo(str(problem), err=True)

    try:
        with open_existing(settings) as opened:
            remade = remake(
                opened, pool, workers=workers, site=site, since=since, write=not diff, on_problem=on_problem
            )
            bar = Console(stderr=True)
            for each in track(remade, "reading WARCs", console=bar, transient=True, disable=not sys.stderr.isatty()):
                warcs += 1
                articles += each.articles
                changed += len(each.changes)
                if diff or verbose:
                    for change in each.changes:
                        _show(out, change)
    finally:
        pool.close()
    done = "would change" if diff else "changed"
    echo(f"{changed:,} of {counted(articles, 'article')} {done}, in {counted(warcs, 'WARC')}", err=True)
    return PROBLEMS_FOUND if problems else 0


def _show(out: Console, change: Change) -> None:
    out.print(f"[bold]{escape(change.url)}[/] [dim]{change.timestamp}[/]")
    for line in change.diff():
        out.print(f"[{'red' if line[0] == '-' else 'green'}]{escape(line)}[/]")

"""`newskeep reindex`: the index from the store."""

from __future__ import annotations

from dataclasses import asdict

import click

from crawler.config import Config
from newskeep.cli._maintenance import progress, sum_up, tell
from newskeep.cli._options import configured, open_existing
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND

_EXAMPLES = """\b
Examples:
  newskeep reindex --archive s3://my-bucket/news    on a new machine
  newskeep reindex --fresh                          throw the old index away first
  newskeep reindex --from-warcs --mend              when CDXJ files are lost or wrong

\b
Exit codes: 0 done, 3 the archive is out of reach, 7 done, but something could not be read,
75 another reindex or compaction is at work."""


@click.command(epilog=_EXAMPLES)
@click.option("--fresh", is_flag=True, help="Begin with an empty index; otherwise only what is new is read.")
@click.option("--from-warcs", is_flag=True, help="Read the WARCs, not their CDXJ; begins with an empty index.")
@click.option(
    "--mend",
    is_flag=True,
    help="Put CDXJ files that are missing or wrong, and lost leaves of the log, back into the archive.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each problem, and one for the summary.")
@configured
def reindex(
    fresh: bool,
    from_warcs: bool,
    mend: bool,
    as_json: bool,
    settings: Config,
) -> int:
    """Bring the index on this machine up to date with what the archive holds, or make it from nothing.

    It is made from CDXJ files and text parts; where a CDXJ is missing or unreadable, from the WARC itself. An index
    that is damaged or of another version is thrown away. Stopped anywhere, it goes on there next time.
    """
    problems = 0
    with open_existing(settings) as opened:
        from storage.maintenance.reindex import ReindexOptions
        from storage.maintenance.reindex import reindex as run
        from storage.problems import Problem

        def on_problem(problem: Problem) -> None:
            nonlocal problems
            problems += 1
            tell(problem, as_json)

        with progress("indexing") as show:
            done = run(
                opened,
                ReindexOptions(fresh, from_warcs, mend),
                on_warc=lambda so_far: show(
                    f"{counted(so_far.known + so_far.entered, 'WARC')}, {counted(so_far.captures, 'capture')}"
                ),
                on_problem=on_problem,
            )
        line = f"{counted(done.entered, 'WARC')} entered, {done.known:,} known, {done.removed:,} removed"
        rows = f"{counted(done.captures, 'capture')} and {counted(done.articles, 'article')} are new"
        why = f"; begun anew: {done.renewed}" if done.renewed else ""
        figures = {"archive": opened.uri, **asdict(done), "problems": problems}
        sum_up(f"{line}; {rows} in the index of {opened.uri}{why}", figures, as_json)
    return PROBLEMS_FOUND if problems else 0

"""`newskeep compact`: few large WARC files instead of many small ones."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from crawler.config import Config
from newskeep.cli._maintenance import progress, still_kept, sum_up, tell
from newskeep.cli._numbers import HIGHEST, Real, Whole
from newskeep.cli._options import configured, open_existing
from newskeep.cli._terminal import echo
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND

if TYPE_CHECKING:
    from storage.compaction.run import CompactGroup

_EXAMPLES = """\b
Examples:
  newskeep compact --dry-run
  newskeep compact --day 2026-11-21
  newskeep compact --min-size 500000000 --archive s3://my-bucket/news

\b
Exit codes: 0 done, 3 the archive is out of reach, 7 done, but something was left as it was,
75 another compaction or reindex is at work."""


@click.command(epilog=_EXAMPLES)
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Only WARCs begun on this day (UTC).")
@click.option(
    "--min-size",
    type=Whole(most=HIGHEST),
    default=100_000_000,
    metavar="BYTES",
    help="Join WARCs below this.  [100 MB]",
)
@click.option("--min-age", type=Real(0), default=60, metavar="MINUTES", help="Leave younger ones alone.  [60]")
@click.option("--dry-run", is_flag=True, help="Say what would be joined, and change nothing in the archive.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each problem, and one for the summary.")
@configured
def compact(
    day: datetime | None,
    min_size: int,
    min_age: float,
    dry_run: bool,
    as_json: bool,
    settings: Config,
) -> int:
    """Join a day's small WARCs, with their CDXJ and text, into large ones of up to 1 GB.

    The records stay as they are, byte for byte. The small files are removed once the large one is read back and
    indexed; who reads meanwhile sees no gap. What a killed compaction left is finished or undone first. Months of the
    index that are published, and have changed or have something that is hidden now, are published again.
    """
    with open_existing(settings) as opened:
        from datetime import timedelta

        from storage.compaction.run import CompactOptions
        from storage.compaction.run import compact as run

        options = CompactOptions(
            day=day.date() if day else None,
            min_size=min_size,
            min_age=timedelta(minutes=min_age),
            dry_run=dry_run,
        )
        with progress("compacting") as show:

            def on_group(group: CompactGroup) -> None:
                what = f"{group.day}: {counted(len(group.holdings), 'WARC')} of {counted(group.size, 'byte')}"
                show(what)
                if dry_run and not as_json:
                    echo(what)

            done = run(opened, options, on_group=on_group)
        for problem in done.left:
            tell(problem, as_json)
        line = f"{counted(done.sources, 'WARC')} joined into {done.made:,} ({counted(done.bytes, 'byte')})"
        if done.finished or done.undone:
            line += f"; of killed compactions {done.finished} finished, {done.undone} undone"
        if done.released.gone:
            line += f"; {counted(done.released.gone, 'object')} whose retention has ended removed"
        line += still_kept(done.released)
        if done.published:
            line += f"; {counted(done.published, 'month')} of the index published again"
        figures = {
            "archive": opened.uri,
            "made": done.made,
            "sources": done.sources,
            "bytes": done.bytes,
            "finished": done.finished,
            "undone": done.undone,
            "released": done.released.gone,
            "locked": done.released.kept,
            "published": done.published,
            "problems": len(done.left),
        }
        sum_up(f"{line}; in {opened.uri}", figures, as_json)
    return PROBLEMS_FOUND if done.left else 0

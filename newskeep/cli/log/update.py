"""`newskeep log update`: log what something else has put into the archive, and have the log stamped."""

from __future__ import annotations

import click

from crawler.config import Config
from newskeep.cli._maintenance import progress, tell
from newskeep.cli._options import configured, open_existing
from newskeep.cli._terminal import echo
from newskeep.stamping import stamp
from storage.archive import Archive
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND, UsageError

_EXAMPLES = """\b
Examples:
  newskeep log update
  NEWSKEEP_TIME_AUTHORITIES=https://freetsa.org/tsr newskeep log update

\b
Exit codes: 0 done, 2 there is no log of yours, 3 the archive is out of reach, 7 a WARC cannot be read or a stamp not be
had."""


@click.command(epilog=_EXAMPLES)
@click.option("--purged", is_flag=True, help="What is gone was purged by a machine without a log: log it as such.")
@configured
def update(purged: bool, settings: Config) -> int:
    """Log what came into the archive without being logged, and ask for the stamps that are missing.

    Crawls log what they archive by themselves. What machines without a log have put in or joined is taken up here: from
    now on it cannot be changed unseen.
    """
    with open_existing(settings) as opened:
        return bring_up_to_date(opened, settings, purged=purged)


def bring_up_to_date(archive: Archive, settings: Config, *, purged: bool = False) -> int:
    """Log and stamp, say what was done, and return the exit code."""
    from storage.transparency.update import update as run

    if archive.log is None:
        raise UsageError(f"there is no log of yours for {archive.uri}; newskeep log init begins one")
    with progress("logging") as show:
        done = run(
            archive,
            archive.log,
            purges=purged,
            on_warc=lambda so_far: show(counted(so_far.added, "WARC")),
            on_problem=lambda problem: tell(problem, as_json=False),
        )
    failures = stamp(archive, settings.time_authorities)
    for failure in failures:
        echo(f"newskeep: {failure}", err=True)
    moved = f", {counted(done.moved, 'joined one')}" if done.moved else ""
    echo(f"{counted(done.added, 'WARC')} logged{moved} in the log {archive.log.id} of {archive.uri}", err=True)
    return PROBLEMS_FOUND if done.problems or failures else 0

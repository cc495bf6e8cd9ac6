"""`newskeep copy`: an archive to another place."""

from __future__ import annotations

from dataclasses import asdict

import click

from newskeep.cli._maintenance import progress, sum_up, tell
from newskeep.cli._options import set_up_logging
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND

_EXAMPLES = """\b
Examples:
  newskeep copy archive s3://my-bucket/news
  newskeep copy s3://my-bucket/news s3://other-bucket/news
  newskeep copy s3://my-bucket/news /mnt/backup/news
  newskeep copy archive s3://my-bucket/news --index postgresql://crawler@db.example.org/news

\b
Exit codes: 0 done, 2 a wrong address, 3 an archive or the index is out of reach,
7 done, but not everything could be copied, 75 another copy, reindex or compaction is at work on the target."""


@click.command(epilog=_EXAMPLES)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--state", metavar="DIR", help="Folder for what is local to this machine of a remote TO.")
@click.option("--index", metavar="URI", help="The index of TO that machines share, postgresql://USER@HOST/DATABASE.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each problem, and one for the summary.")
@click.option("-v", "--verbose", count=True, help="Say more on standard error; twice: everything.")
def copy(source: str, target: str, state: str | None, index: str | None, as_json: bool, verbose: int) -> int:
    """Copy what TO does not hold yet; FROM and TO are folders, file://… or s3://bucket/prefix.

    Every object is checked before it is copied, and read back and compared; one that is damaged is named and left out.
    Stopped anywhere, the same command goes on there; run again, it copies what is new. Nothing that TO holds is
    replaced, but for the site memories. The index of TO is brought up to date: that on this machine, or with --index
    the one that machines share. No newskeep.toml is read.
    """
    set_up_logging(verbose)
    from crawler.config import resolved_address
    from storage import open_archive
    from storage.maintenance.copy import copy as run
    from storage.maintenance.copy_checks import known_to

    shared = resolved_address(index, "index")
    with (
        open_archive(source) as origin,
        open_archive(target, state, index=shared) as opened,
        progress("copying") as show,
    ):
        done = run(
            origin.store,
            opened,
            known=known_to(origin),
            on_object=lambda so_far: show(f"{counted(so_far.copied, 'object')}, {counted(so_far.bytes, 'byte')}"),
        )
    for problem in done.problems:
        tell(problem, as_json)
    line = f"{counted(done.copied, 'object')} copied ({counted(done.bytes, 'byte')}), {done.kept:,} there already"
    if done.joined:
        line += f", {counted(done.joined, 'WARC')} there in joined ones"
    if done.purged:
        line += f", {counted(done.purged, 'capture')} purged from {opened.uri}"
    figures = {**asdict(done), "problems": len(done.problems)}
    sum_up(f"{line}; {opened.uri} holds what {origin.uri} holds" if not done.problems else line, figures, as_json)
    return PROBLEMS_FOUND if done.problems else 0

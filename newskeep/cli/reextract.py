"""`newskeep reextract`: text again from the WARCs."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import track

from newskeep.cli._console import Console, escape
from newskeep.cli._maintenance import progress
from newskeep.cli._options import Moment, ShardType, common, executor_option, open_existing, settle
from newskeep.cli._terminal import echo
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND, UsageError
from storage.extras import command_for

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.session.extraction_pool import ExtractionPool
    from crawler.session.reextract import Change
    from crawler.session.reextract_shard import ShardResult
    from storage.archive import Archive
    from storage.bulk import Shard
    from storage.problems import Problem

_EXAMPLES = """\b
Examples:
  newskeep reextract --diff                       see what would change, write nothing
  newskeep reextract www.example.org --since 2026-11
  newskeep reextract --shard $SLURM_ARRAY_TASK_ID/64     one of 64 jobs of an array
  newskeep reextract --executor ray                      on every processor that Ray has

\b
Exit codes: 0 done, 2 a wrong option, 3 the archive is out of reach, 7 done, but a WARC could not be read,
75 a reindex, compaction or copy is at work, or the same shard on this machine."""


@click.command(epilog=_EXAMPLES)
@click.argument("site", required=False)
@click.option("--since", type=Moment(), metavar="TIME", help="Only what was captured since.")
@click.option("--diff", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--shard", type=ShardType(), metavar="I/N", help="Only the WARCs of this shard: 1/8 to 8/8.")
@executor_option
@click.option("--job", metavar="NAME", help="Of shards and Ray: what is done under this name is not done again.")
@common
def reextract(
    site: str | None,
    since: datetime | None,
    diff: bool,
    shard: Shard | None,
    executor: str,
    job: str | None,
    archive: str,
    state: str,
    index: str,
    config: Path,
    verbose: int,
) -> int:
    """Extract the text of archived pages again: with the extractor as it is now and what is known of the sites now.

    Text that comes out the same is left as it is. The WARCs are only read; one that is damaged is named, and keeps the
    text it has.

    With --shard many processes share the work, each on a machine of its own or not. Run them twice: the first time
    they learn what repeats on each site, and when all have, they make the texts. With --executor ray one run does both,
    on all processors that Ray has. --job is by default this version.
    """
    if job is not None and shard is None and executor == "local":
        raise UsageError("--job is for --shard and --executor ray")
    if diff and (shard is not None or executor == "ray"):
        raise UsageError("--diff is of this process alone; --shard and --executor ray write")
    if shard is not None and executor == "ray":
        raise UsageError("--shard or --executor ray, not both: Ray makes shards of its own")
    settings = settle(config, verbose, archive=archive, state=state, index=index)

    from crawler.session.extraction_pool import ExtractionLimits, ExtractionPool, default_workers
    from crawler.session.reextract import reextract as remake

    if executor == "ray":
        with open_existing(settings) as opened:
            return _on_ray(opened, settings, job or _job(site, since), site, since)
    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    workers = settings.workers or default_workers()
    pool = ExtractionPool(workers, ExtractionLimits())
    articles = changed = redescribed = warcs = 0
    problems: list[Problem] = []

    def on_problem(problem: Problem) -> None:
        problems.append(problem)
        echo(str(problem), err=True)

    try:
        with open_existing(settings) as opened:
            if shard is not None:
                return _shard(opened, pool, shard, job or _job(site, since), workers, site, since, on_problem)
            remade = remake(
                opened, pool, workers=workers, site=site, since=since, write=not diff, on_problem=on_problem
            )
            bar = Console(stderr=True)
            for each in track(remade, "reading WARCs", console=bar, transient=True, disable=not sys.stderr.isatty()):
                warcs += 1
                articles += each.articles
                changed += len(each.changes)
                redescribed += each.redescribed
                if diff or verbose:
                    for change in each.changes:
                        _show(out, change)
    finally:
        pool.close()
    done = "would change" if diff else "changed"
    others = f", and what is said of {redescribed:,} others" if redescribed else ""
    echo(f"{changed:,} of {counted(articles, 'article')} {done}{others}, in {counted(warcs, 'WARC')}", err=True)
    return PROBLEMS_FOUND if problems else 0


def _job(site: str | None, since: datetime | None) -> str:
    """The name of a job: this version, and of a part of the archive what says which."""
    from crawler.extraction.version import our_version

    part = f"{site or ''} {since.isoformat() if since else ''}".strip()
    digest = f"-{hashlib.sha256(part.encode()).hexdigest()[:8]}" if part else ""
    return f"reextract-{our_version()}{digest}".lower().replace("+", "-")


def _shard(
    archive: Archive,
    pool: ExtractionPool,
    shard: Shard,
    name: str,
    workers: int,
    site: str | None,
    since: datetime | None,
    on_problem: Callable[[Problem], None],
) -> int:
    from crawler.session.reextract_shard import reextract_shard
    from storage.bulk import BulkJob

    with progress(f"shard {shard}") as show:
        done = reextract_shard(
            archive,
            pool,
            BulkJob(archive.store, name),
            shard,
            workers=workers,
            site=site,
            since=since,
            on_problem=on_problem,
            on_warc=lambda so_far: show(f"{counted(so_far.warcs, 'WARC')}, {counted(so_far.articles, 'article')}"),
        )
    if done.waits_for:
        left = f"{len(done.waits_for):,} of {shard.of:,} shards have not ({', '.join(map(str, done.waits_for[:8]))})"
        echo(f"shard {shard} of {name} has learned; {left}; run all again when they have", err=True)
        return 0
    return _sum_up(f"shard {shard} of {name}", done)


def _on_ray(archive: Archive, settings: Config, name: str, site: str | None, since: datetime | None) -> int:
    from crawler.session.reextract_shard import chosen_warcs
    from storage.bulk import BulkJob
    from storage.maintenance.reindex import reindex

    try:
        from crawler.session.reextract_ray import reextract_on_ray
    except ModuleNotFoundError as error:
        raise UsageError(f"--executor ray needs {error.name}: {command_for('ray')}") from None
    BulkJob(archive.store, name)  # says at once where the name is none
    with progress("Ray") as show:
        done = reextract_on_ray(
            archive.uri,
            settings.lock,
            name,
            list(chosen_warcs(archive, site, since)),
            on_problem=lambda problem: echo(str(problem), err=True),
            on_learned=lambda learned, of: show(f"{learned:,} of {of:,} shards have learned"),
            on_shard=lambda so_far: show(f"{counted(so_far.warcs, 'WARC')}, {counted(so_far.articles, 'article')}"),
        )
        show("bringing the index up to date")
        reindex(archive)
    return _sum_up(name, done)


def _sum_up(what: str, done: ShardResult) -> int:
    line = f"{done.changed:,} of {counted(done.articles, 'article')} changed, in {counted(done.warcs, 'WARC')}"
    earlier = f", {done.earlier:,} done before" if done.earlier else ""
    problems = f", {counted(done.problems, 'problem')}" if done.problems else ""
    echo(f"{what}: {line}{earlier}{problems}", err=True)
    return PROBLEMS_FOUND if done.problems else 0


def _show(out: Console, change: Change) -> None:
    out.print(f"[bold]{escape(change.url)}[/] [dim]{change.timestamp}[/]")
    for line in change.diff():
        out.print(f"[{'red' if line[0] == '-' else 'green'}]{escape(line)}[/]")

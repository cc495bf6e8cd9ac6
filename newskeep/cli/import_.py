"""`newskeep import`: what other crawlers wrote, into the archive."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from crawler.config import Config, user_agent
from newskeep.cli._maintenance import progress
from newskeep.cli._options import allow_private, configured, gives_tags
from newskeep.cli._terminal import echo
from newskeep.stamping import stamp_after_run
from storage.counts import counted
from storage.errors import UsageError

if TYPE_CHECKING:
    from crawler.ingest.importing import FileResult, ImportResult
    from crawler.session.stop_flag import StopFlag
    from storage.archive import Archive

_EXAMPLES = """\b
Examples:
  newskeep import site.warc.gz                        of wget --warc-file
  newskeep import crawls/                             all WARC, ARC and WACZ files in a folder and below
  newskeep import crawl.wacz --dry-run                say what would come, write nothing
  newskeep import https://data.commoncrawl.org/crawl-data/CC-NEWS/2026/11/CC-NEWS-20261101000000-00001.warc.gz
  newskeep import s3://my-bucket/old-crawls --tag old-crawls

\b
Exit codes: 0 done, 3 the archive is out of reach, 4 some files could not be brought in, 5 none could,
7 done, but records in them were damaged."""


@click.command("import", epilog=_EXAMPLES)
@click.argument("sources", nargs=-1, required=True, metavar="FILE-OR-FOLDER-OR-URL...")
@click.option("--dry-run", is_flag=True, help="Read and check all, say what would come, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each file, and one for the summary.")
@gives_tags
@allow_private
@configured
def import_(
    sources: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    tags: tuple[str, ...],
    allow_private: bool | None,
    settings: Config,
) -> int:
    """Bring the WARC, WACZ and ARC files of other crawlers into the archive.

    Of gzip with a member for each record the bytes are taken over as they are; other files are written with such
    members, their records unchanged. Every record is checked; one that is damaged is named, left out and set aside.
    Text is extracted, and all of it is searched and replayed like what was crawled.

    What is held already is not brought in twice. Stopped anywhere, the same command goes on there; half a download
    too. An http or https address is fetched directly, never through a proxy.
    """
    if allow_private:
        settings = replace(settings, allow_private=True)
    _check(settings, sources)
    from crawler.ingest.importing import is_there
    from storage import open_archive

    with open_archive(settings.archive, settings.state, settings.lock, settings.shared_index) as archive:
        if not dry_run or is_there(archive):
            archive.store.check(write=not dry_run)
        if not dry_run:
            archive.check_index()
        result = _run(archive, settings, sources, dry_run, as_json, tags)
        for failure in stamp_after_run(archive, () if dry_run else settings.time_authorities):
            echo(f"newskeep: {failure}", err=True)
        _sum_up(result, archive, as_json, dry_run)
    return result.exit_code


def _check(settings: Config, sources: tuple[str, ...]) -> None:
    from crawler.politeness.trust_roots import check_roots

    fetched = [each for each in sources if each.lower().startswith(("http://", "https://"))]
    if fetched and settings.proxy:
        raise UsageError("a proxy is configured, and import does not use one: download the file, then import that")
    check_roots(settings.ca_file)


def _run(
    archive: Archive,
    settings: Config,
    sources: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    tags: tuple[str, ...],
) -> ImportResult:
    from crawler.ingest.download import Downloader, DownloadOptions
    from crawler.ingest.importing import ImportOptions, clear, import_files, is_there, workspace
    from crawler.ingest.sources import Sources
    from crawler.session.extraction_pool import default_workers
    from crawler.session.stop_flag import StopFlag
    from storage.ingest.note import read_note

    agent = settings.user_agent or user_agent(settings.operator)
    stop, folder = StopFlag(), workspace(archive)
    workers, spool = settings.workers or default_workers(), settings.spool_max_bytes
    options = ImportOptions(agent, workers, dry_run, spool_max_bytes=spool, tags=tags)
    with progress("importing") as show, _stopped_by_signals(stop):
        downloader = Downloader(
            folder,
            DownloadOptions(agent, settings.allow_private, settings.ca_file),
            lambda sha256: is_there(archive) and read_note(archive.store, sha256) is not None,
            stop.look_strictly,
            _fetching(show),
        )
        try:
            return import_files(
                archive,
                Sources(folder, downloader).files(sources),
                options,
                stop,
                lambda result: _tell(result, as_json),
                lambda work, name, done, size: show(f"{work} {name}{_share(done, size)}"),
            )
        finally:
            clear(folder)


@contextmanager
def _stopped_by_signals(stop: StopFlag) -> Iterator[None]:
    """Have the first SIGINT or SIGTERM ask for a stop, and the next one end the process."""

    def handle(number: int, _frame: Any) -> None:
        if stop.asked:
            # What is in the archive and in the spool is whole: the next run goes on from there.
            sys.stdout.flush()
            os._exit(128 + number)
        stop.ask()
        echo(
            "\nnewskeep: stopping: the same command goes on from here; once more to stop at once", err=True, lines=True
        )

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _fetching(show: Callable[[str], None]) -> Callable[[int], None]:
    fetched = 0

    def on_bytes(count: int) -> None:
        nonlocal fetched
        fetched += count
        show(f"fetching, {fetched / 1_000_000:,.0f} MB")

    return on_bytes


def _share(done: int, size: int) -> str:
    return f", {done / size:.0%}" if size else ""


def _tell(result: FileResult, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(result)))
    else:
        echo(f"{result.outcome:<10}  {result.file}  {result.reason or ''}")
        for line in (*result.faults, *result.remarks):
            echo(f"            {line}", err=True)
        if result.fault_count > len(result.faults):
            echo(f"            and {result.fault_count - len(result.faults):,} more", err=True)
    sys.stdout.flush()


def _sum_up(result: ImportResult, archive: Archive, as_json: bool, dry_run: bool) -> None:
    counts = dict(sorted(result.counts.items()))
    if as_json:
        about = {"archive": archive.uri, "crawl": result.crawl, "stopped": result.stopped}
        figures = {"captures": result.captures, "articles": result.articles, "faults": result.faults}
        click.echo(json.dumps({**about, **counts, **figures}))
    else:
        files = ", ".join(f"{number:,} {outcome}" for outcome, number in counts.items())
        captures, articles = counted(result.captures, "capture"), counted(result.articles, "article")
        came = f"{captures} would come" if dry_run else f"{captures}, {articles} came"
        echo(f"{files or 'no file'}; {came} into {archive.uri}", err=True)
    if result.failure is not None:
        echo(f"newskeep: {result.failure}", err=True)
    if result.stopped:
        echo("newskeep: stopped before the end: the same command goes on from here", err=True)

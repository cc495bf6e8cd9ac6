"""What commands that fetch have in common: open the archive, run, show outcomes as they come, sum up."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crawler.run import Crawl, RunResult, check_network, run
from crawler.session.report import outcome_json
from crawler.sites.run_summary import site_lines, total_line
from crawler.sites.site import load_sites
from newskeep.cli._console import Console, escape
from newskeep.cli._streams import drop_broken, is_gone
from newskeep.cli._terminal import echo, fit
from newskeep.saving.store_check import look
from newskeep.stamping import stamp_after_run
from storage import open_archive
from storage.counts import counted

if TYPE_CHECKING:
    from rich.progress import Progress

    from crawler.config import Config
    from crawler.list_runs import ListRun
    from storage.archive import Archive
    from storage.model import Outcome

_COLOURS = {"archived": "green", "unchanged": "cyan", "held": "cyan", "refused": "yellow", "failed": "red"}


def archive_with(
    config: Config, crawls: list[Crawl], total: int | None, as_json: bool, listed: ListRun | None = None
) -> int:
    """Run crawls into the configured archive and show their outcomes; return the exit code.

    `listed` stands for the list that is fetched, if the next run can go on with it.
    """
    check_network(config)
    with open_archive(config.archive, config.state, config.lock, config.shared_index) as archive:
        _look(archive)
        with _Display(total, as_json) as display:
            began = datetime.now(UTC)
            if listed is not None:
                listed.begin()

            def on_outcome(outcome: Outcome) -> None:
                display.show(outcome)
                if listed is not None:
                    listed.alive()

            result = run(archive, crawls, config.scrapy_settings(), on_outcome, display.stopping)
        if listed is not None and not result.stopped and result.failure is None:
            listed.end()
        tell_unstamped(archive, config)
        _sum_up(result, archive, "goes on from here" if listed else _by_hand(began))
        return result.exit_code


def archive_sites(
    config: Config, crawls: Iterable[Crawl], as_json: bool, *, at_once: int, time_limit: float | None
) -> int:
    """Crawl sites into the configured archive, show outcomes, and a line for each site; return the exit code."""
    from newskeep.alerts.telling import alerts_of, begin_before_run, tell_after_run

    check_network(config)
    alerts = alerts_of(config)
    with open_archive(config.archive, config.state, config.lock, config.shared_index) as archive:
        _look(archive)
        begin_before_run(archive, alerts)
        with _Display(None, as_json) as display:
            result = run(
                archive,
                crawls,
                config.scrapy_settings(),
                display.show,
                display.stopping,
                at_once=at_once,
                time_limit=time_limit,
                on_end=lambda crawl, state, run_id: display.tell(
                    site_lines(archive, crawl.site or crawl.spider, state, run_id)
                ),
            )
        tell_unstamped(archive, config)
        # What is due of a site is remembered.
        _sum_up(result, archive, "goes on from here")
        for failure in tell_after_run(archive, config, alerts, lambda: load_sites(config).values()):
            echo(f"newskeep: {failure}", err=True)
        return result.exit_code


def tell_unstamped(archive: Archive, config: Config) -> None:
    """Have what was logged stamped, and tell what of that failed."""
    for failure in stamp_after_run(archive, config.time_authorities):
        echo(f"newskeep: {failure}", err=True)


def _by_hand(began: datetime) -> str:
    """How to go on with addresses of which nothing is remembered: from a pipe, or the command line."""
    return f"goes on from here with --newer-than {began:%Y-%m-%dT%H:%M:%SZ}"


def _look(archive: Archive) -> None:
    # A key that cannot be used is told before something is fetched that could not be logged.
    _ = archive.log
    if (said := look(archive)) is not None:
        echo(f"newskeep: {said}", err=True)


class _Display:
    """Outcomes on standard output as they are known, a progress bar on standard error if that is a terminal."""

    def __init__(self, total: int | None, as_json: bool) -> None:
        self._as_json = as_json
        self._told = Console(stderr=True)
        self._bar = progress("archiving", total, self._told) if sys.stderr.isatty() else None
        # On one terminal the bar and the lines must go through the same console, or they overwrite each other.
        shared = sys.stdout.isatty() and sys.stderr.isatty()
        self._out = self._told if shared else Console(file=sys.stdout)

    def __enter__(self) -> _Display:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            with _whoever_reads():
                self._bar.stop()

    def show(self, outcome: Outcome) -> None:
        """Print an outcome; raises `BrokenPipeError`, once, where nobody reads any more."""
        try:
            if self._as_json:
                self._out.data(json.dumps(outcome_json(outcome), ensure_ascii=False))
            else:
                self._out.print(row(outcome), highlight=False, soft_wrap=True)
            self._out.file.flush()
        except OSError as error:
            if not is_gone(error):
                raise
            drop_broken()
            raise BrokenPipeError from error
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])

    def tell(self, lines: list[str]) -> None:
        """Print lines for a person."""
        with _whoever_reads():
            for line in lines:
                self._told.print(fit(line), markup=False, highlight=False, soft_wrap=True)

    def stopping(self) -> None:
        said = "newskeep: stopping: requests under way end and are sealed; once more to stop at once"
        with _whoever_reads():
            echo("\n" + said, err=True, lines=True)


@contextmanager
def _whoever_reads() -> Iterator[None]:
    """What is said by the way is no reason to stop where nobody reads it."""
    try:
        yield
    except OSError as error:
        if not is_gone(error):
            raise
        drop_broken()


def progress(word: str, total: int | None, console: Console) -> Progress:
    """A progress bar of one task; loaded where it is shown, as it takes as long as all other printing."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    described = TextColumn("{task.description}")
    bar = Progress(described, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console, transient=True)
    bar.add_task(word, total=total)
    return bar


def row(outcome: Outcome) -> str:
    """One line of the table: outcome, status, words, URL, and the title or the reason."""
    # What waits in a queue has none yet.
    colour = _COLOURS.get(outcome.outcome, "default")
    status = str(outcome.status or "-")
    words = "-" if outcome.words is None else counted(outcome.words, "word")
    told = outcome.reason or outcome.title or ""
    if outcome.noarchive and outcome.outcome != "refused":
        told += f" · noarchive ({outcome.noarchive})"
    return f"[{colour}]{outcome.outcome:<9}[/] {status:>3} {words:>11}  {escape(outcome.url)}  [dim]{escape(told)}[/]"


@_whoever_reads()
def _sum_up(result: RunResult, archive: Archive, rest: str) -> None:
    echo(total_line(result.counts, result.requisites, archive.uri, result.crawl), err=True)
    if result.failure is not None:
        echo(f"newskeep: {result.failure}", err=True)
    if result.stopped:
        echo(f"newskeep: stopped before the end: what was told is kept; the same command {rest}", err=True)
    if result.timed_out:
        echo("newskeep: the time is up: the next run goes on from here", err=True)

"""`newskeep due`: crawl what is due."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.config import variables_without_effect
from crawler.durations import duration
from crawler.frontier import frontier_of
from crawler.frontier.count_words import in_words
from newskeep.alerts.telling import alerts_of, begin_before_run, tell_after_run
from newskeep.cli import _options
from newskeep.cli._options import Duration, common, settle, site_names
from newskeep.cli._terminal import echo
from newskeep.schedule.due import sites_of
from newskeep.schedule.due_run import Round, crawl_due, health_troubles
from newskeep.schedule.pings import check, ping
from newskeep.schedule.troubles import Notebook, Trouble
from newskeep.times import iso
from storage.counts import counted
from storage.errors import AlreadyRunning
from storage.locking import held

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.frontier.address_state import SiteRun
    from crawler.sites.site import Site
    from storage.archive import Archive
    from storage.model import RunState

#: Sites that make a share of the daily look at all, and most shares: a run more often than hourly comes round in a day.
_SHARE, _SHARES_MAX = 100, 24

_EXAMPLES = """\b
Examples:
  newskeep due                  in a crontab, every few minutes: `newskeep schedule install`
  newskeep due -v               see what it does
  newskeep due gazette herald   of these, those that are due

\b
Exit codes: 0 done, 1 a fault of ours or of a spider, 3 the archive is out of reach,
4 some sites failed, blocked us or the run was stopped, 5 all of them failed, 75 it is
running already."""


@click.command(epilog=_EXAMPLES)
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=site_names)
@click.option("--time-limit", type=Duration(), default="50m", show_default=True, metavar="TIME", help="End after this.")
@_options.at_once
@click.option("-q", "--quiet", is_flag=True, help="Say nothing of a run that goes on already; for crontabs.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each site that was crawled.")
@common
def due(
    names: tuple[str, ...],
    time_limit: float,
    at_once: int,
    quiet: bool,
    as_json: bool,
    archive: str,
    state: str,
    index: str,
    config: Path,
    verbose: int,
) -> int:
    """Crawl all sites that are due, the most overdue first, several at once. The one line for a crontab.

    Says nothing when all is well. What goes wrong is told on standard error when it begins, and then once a day: sites
    that fail, block us, fall silent or have a new layout, a store that is away. A second run while one goes on ends
    with 75. What the time limit leaves is due still.
    """
    settings = settle(config, verbose, archive=archive, state=state, index=index)
    if settings.ping is not None:
        check(settings.ping)
    alerts = alerts_of(settings)
    sites = sites_of(settings, names)
    from crawler.run import check_network
    from storage import open_archive

    check_network(settings)
    show = _Show(verbose > 0, as_json)
    with open_archive(settings.archive, settings.state, settings.lock, settings.shared_index) as opened:
        try:
            with held(opened.state / "locks" / "due.lock", "newskeep due"):
                show.verbosely(f"looking at {counted(len(sites), 'site')}, for {duration(time_limit)} at most")
                begin_before_run(opened, alerts)
                done = _pinged(settings, opened, sites, at_once, time_limit, show)
                failures = tell_after_run(opened, settings, alerts, sites.values)
                untold = [Trouble(each.about, str(each)) for each in failures]
                untold += [Trouble(each, each) for each in _unstamped(opened, settings)]
                _tell(opened, sites, done, untold, show)
        except AlreadyRunning as error:
            if not quiet:
                raise
            return error.exit_code
    return done.exit_code


def _pinged(
    settings: Config, archive: Archive, sites: Mapping[str, Site], at_once: int, time_limit: float, show: _Show
) -> Round:
    """One round between two pings; one that was stopped by hand is neither success nor failure."""
    ping(settings.ping, "start", proxy=settings.proxy)
    try:
        done = crawl_due(archive, settings, sites, at_once, time_limit, show.site)
    except Exception as error:
        ping(settings.ping, "fail", str(error), proxy=settings.proxy)
        raise
    if done.exit_code == 0:
        ping(settings.ping, "success", proxy=settings.proxy)
    elif not done.stopped or any(state in {"failed", "blocked"} for state in (done.sites or {}).values()):
        ping(settings.ping, "fail", done.report(), proxy=settings.proxy)
    return done


def _unstamped(archive: Archive, settings: Config) -> list[str]:
    """Have the log stamped by the time authorities, if there are any; what went wrong."""
    if not settings.time_authorities:
        return []
    # On use: what checks certificates is a tenth of a run that finds nothing due.
    from newskeep.stamping import stamp_after_run

    return stamp_after_run(archive, settings.time_authorities)


def _tell(archive: Archive, sites: Mapping[str, Site], done: Round, untold: Iterable[Trouble], show: _Show) -> None:
    """Say what is wrong and was not said within a day; with --verbose everything."""
    at = datetime.now(UTC)
    notebook = Notebook(archive.state / "schedule" / "told.json")
    troubles = [*done.troubles, *(Trouble(line, line) for line in variables_without_effect()), *untold]
    troubles += health_troubles(frontier_of(archive), _looked_at(sites, notebook, at), at)
    news = notebook.news(troubles, at)
    notebook.save(at)
    for trouble in troubles if show.verbose else news:
        echo(f"newskeep: {trouble.line}", err=True)
    if done.stopped:
        echo("newskeep: stopped before the end; what is left is due still", err=True)
    elif done.timed_out:
        show.verbosely("the time limit has ended it; what is left is due still")
    show.verbosely(done.report().split("\n")[0])


def _looked_at(sites: Mapping[str, Site], notebook: Notebook, at: datetime) -> list[Site]:
    """The sites whose weeks are looked at in this run: each once a day, and of very many a share a run."""
    shares = min(_SHARES_MAX, math.ceil(len(sites) / _SHARE))
    for share in range(shares):
        if notebook.is_time(f"the health of sites, {share} of {shares}", at):
            return list(sites.values())[share::shares]
    return []


class _Show:
    """Sites as they end: JSON lines on standard output, and with --verbose lines on standard error."""

    def __init__(self, verbose: bool, as_json: bool) -> None:
        self.verbose = verbose
        self._as_json = as_json

    def verbosely(self, line: str) -> None:
        if self.verbose:
            echo(line, err=True)

    def site(self, name: str, state: RunState, run: SiteRun | None) -> None:
        if self._as_json:
            times = {"started": iso(run.started), "finished": iso(run.finished)} if run else {}
            problems = {"hosts": dict(run.hosts), "problems": list(run.problems)} if run else {}
            counts = run.counts.to_json() if run else {}
            click.echo(json.dumps({"site": name, "state": state, **times, "counts": counts, **problems}))
        told = ", ".join(in_words(run.counts)) if run else ""
        self.verbosely(f"{name}: {state}{': ' if told else ''}{told}")

"""`newskeep health`: how each site goes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from crawler.durations import duration
from crawler.frontier import frontier_of
from crawler.frontier.count_words import in_words
from newskeep.cli._console import Console
from newskeep.cli._options import common, settle, site_names
from newskeep.cli._terminal import echo, fit
from newskeep.health.history import SAMPLE
from newskeep.times import iso, local
from storage.counts import counted

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.frontier.address_state import SiteRun
    from crawler.sites.site import Site
    from newskeep.health.collect import Health
    from newskeep.health.spared import Spared

#: What the command ends with when a site is in trouble.
TROUBLE = 4
_COLOURS = {"ok": "green", "quiet": "green"}
#: Runs that are shown of a site that was asked for.
_RUNS = 5
#: Lines that are shown of what a host's memory spared.
_SPARED = 5

_EXAMPLES = """\b
Examples:
  newskeep health
  newskeep health gazette herald              with runs, days, and what was missed
  newskeep health --json | jq 'select(.trouble) | .why'
  newskeep health --prometheus > /var/lib/node_exporter/newskeep.prom

\b
Exit codes: 0 all is well, 3 the archive is out of reach, 4 a site is in trouble."""


@click.command(epilog=_EXAMPLES)
@click.argument("names", nargs=-1, metavar="[SITE]...", shell_complete=site_names)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each site.")
@click.option("--prometheus", is_flag=True, help="Print metrics in Prometheus' text format.")
@common
def health(
    names: tuple[str, ...],
    as_json: bool,
    prometheus: bool,
    archive: str,
    state: str,
    index: str,
    config: Path,
    verbose: int,
) -> int:
    """Tell how sites go, trouble first: all of them, or those that are named, with all that is known.

    A lull as the site has them (quiet) is told from silence, a redesign, a block, hosts that fail, and a schedule that
    does not run; each says why it is thought so and what to do.
    """
    settings = settle(config, verbose, archive=archive, state=state, index=index)
    from crawler.session.site_memory_store import SiteMemoryStore
    from newskeep.health.collect import health_of
    from storage import open_archive

    sites = _sites(settings, names)
    with open_archive(settings.archive, settings.state, settings.lock, settings.shared_index) as opened:
        known = opened.index if opened.has_index else None
        memories = SiteMemoryStore(opened.store, opened.state) if names or verbose else None
        found = health_of(frontier_of(opened), sites, datetime.now(UTC), index=known, memories=memories)
        if prometheus or as_json:
            return _for_programs(found, prometheus)
        all_of_them = sorted(found, key=lambda each: (not each.verdict.trouble, each.site))
    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    width = max((len(each.site) for each in all_of_them), default=0)
    for each in all_of_them:
        out.print(_row(each, width))
        if names or verbose:
            for line in _details(each):
                out.print(Text(f"    {fit(line)}", "dim"))
    bad = sum(each.verdict.trouble for each in all_of_them)
    echo(f"{counted(len(all_of_them), 'site')}, {bad or 'none'} in trouble", err=True)
    return TROUBLE if bad else 0


def _sites(settings: Config, names: tuple[str, ...]) -> list[Site]:
    from newskeep.schedule.due import sites_of

    return list(sites_of(settings, names).values())


def _for_programs(found: Iterator[Health], prometheus: bool) -> int:
    bad = False
    if prometheus:
        from newskeep.health.prometheus import render

        kept = list(found)
        click.echo(render(kept), nl=False)
        return TROUBLE if any(each.verdict.trouble for each in kept) else 0
    for each in found:
        bad = bad or each.verdict.trouble
        click.echo(json.dumps(_json(each), ensure_ascii=False))
    return TROUBLE if bad else 0


def _row(health: Health, width: int) -> Text:
    verdict = health.verdict
    row = Text.assemble(
        (f"{verdict.kind:<9}", _COLOURS.get(verdict.kind, "red")), f"  {health.site:<{width}}  {fit(verdict.why)}"
    )
    return row.append(f"\n{'':<{width + 11}}  → {verdict.do}") if verdict.do else row


def _details(health: Health) -> Iterator[str]:
    history, coverage = health.history, health.coverage
    if history.state and history.state.due:
        yield f"every {duration(history.every)}; next run {local(history.state.due)}"
    for run in history.runs[:_RUNS]:
        yield f"{local(run.started)}  {_run(run)}"
        yield from (f"{'':<4}{host}: {why}" for host, why in sorted(run.hosts.items()))
    for problem in history.runs[0].problems if history.runs else ():
        yield f"source: {problem}"
    if days := _from_first(history.days)[-8:]:
        yield "articles a day: " + "  ".join(f"{day:%a %d} {count}" for day, count in days)
    new, old = history.samples()
    if new.articles:
        before = f" (before: {old.length:.0f}, {old.dateless:.0%})" if old.articles else ""
        yield f"words an article {new.length:.0f}, without a date {new.dateless:.0%}{before}"
    doubt, doubt_before = history.doubt(SAMPLE)
    if doubt.judged:
        before = f" (in the month before: {doubt_before.share:.0%})" if doubt_before.judged else ""
        yield f"doubtful texts {doubt.share:.0%} of the last {doubt.judged}{before}"
    for spared in health.spared or ():
        of = counted(spared.of, "article")
        yield f"repeats, but stays in {spared.articles} of {of} of {spared.host}, since it would be most of the text:"
        yield from (f"{'':<4}{count:>4}  {line}" for count, line in spared.lines[:_SPARED])
    if coverage.announced:
        delay = (
            f", {duration(coverage.median_delay)} after it was announced" if coverage.median_delay is not None else ""
        )
        share = coverage.held / coverage.announced
        yield f"announced in 7 days {coverage.announced}, held {coverage.held} ({share:.0%}){delay}"
    for group in coverage.groups:
        if group.state not in {"held", "alias"}:
            yield f"{'':<4}{group.count} {group.state}{': ' if group.reason else ''}{group.reason or ''}"
            yield from (f"{'':<8}{url}" for url in group.samples)


def _run(run: SiteRun) -> str:
    counts = ", ".join(in_words(run.counts, _SHOWN))
    took = f" in {duration((run.finished - run.started).total_seconds())}" if run.finished else ""
    return f"{run.state or 'not ended'}{took}{': ' if counts else ''}{counts}"


def _from_first(days: Sequence[tuple[date, int]]) -> Sequence[tuple[date, int]]:
    """Days from the first one on that had an article."""
    return days[next((place for place, (_, count) in enumerate(days) if count), len(days)) :]


_SHOWN = ("announced", "new", "archived", "unchanged", "refused", "failed", "requests")


def _json(health: Health) -> dict[str, Any]:
    history, coverage, state = health.history, health.coverage, health.history.state
    new, old = history.samples()
    doubt, doubt_before = history.doubt(SAMPLE)
    return {
        "site": health.site,
        "verdict": health.verdict.kind,
        "trouble": health.verdict.trouble,
        "why": health.verdict.why,
        "do": health.verdict.do or None,
        "every": history.every,
        "next_run": iso(state.due) if state else None,
        "blocked_until": iso(state.blocked_until) if state else None,
        "new_in_24_hours": history.new(1),
        "usual_a_day": history.usual,
        "days": {day.isoformat(): count for day, count in _from_first(history.days)},
        "words_an_article": {"now": new.length, "before": old.length},
        "undated": {"now": new.dateless, "before": old.dateless},
        "doubtful": {"now": doubt.share, "before": doubt_before.share},
        "spared": _spared(health.spared),
        "coverage": {
            "since": iso(coverage.since),
            "announced": coverage.announced,
            "held": coverage.held,
            "median_delay": coverage.median_delay,
            "missed": [
                {"state": group.state, "reason": group.reason, "count": group.count, "urls": list(group.samples)}
                for group in coverage.groups
                if group.state not in {"held", "alias"}
            ],
        },
        "runs": [
            {
                "crawl": run.crawl,
                "started": iso(run.started),
                "finished": iso(run.finished),
                "state": run.state,
                "counts": run.counts.to_json(),
                "hosts": dict(run.hosts),
                "problems": list(run.problems),
            }
            for run in history.runs
        ],
    }


def _spared(found: Sequence[Spared] | None) -> list[dict[str, Any]] | None:
    """What repeats and stays, by host; nothing where the memories were not asked."""
    if found is None:
        return None
    return [
        {
            "host": each.host,
            "articles": each.articles,
            "of": each.of,
            "lines": [{"articles": count, "line": line} for count, line in each.lines],
        }
        for each in found
    ]

"""`newskeep status`: one picture of the archive."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from rich.text import Text

from crawler.config import Config
from crawler.sizes import size
from newskeep.cli._console import Console
from newskeep.cli._options import configured
from newskeep.cli._terminal import fit
from newskeep.times import distance, local
from storage.counts import counted
from storage.errors import StoreUnavailable

if TYPE_CHECKING:
    from newskeep.status.collect import Status
    from newskeep.status.holdings import Held
    from newskeep.status.reports import ReportHead

#: Rows of sites and months where not all are asked for.
_SITES, _MONTHS = 12, 6

_EXAMPLES = """\b
Examples:
  newskeep status
  newskeep status --all                                  every site, every month
  newskeep status --json | jq '.sites["example.org"].months'
  newskeep status --json | jq -e '.disk.crawls_pause | not'

\b
Exit codes: 0 done, also where sites are in trouble (newskeep health), 2 the configuration is
wrong, 3 the archive is out of reach; what this machine knows of it is told all the same."""


@click.command(epilog=_EXAMPLES)
@click.option("--all", "everything", is_flag=True, help=f"All sites and months, not the first {_SITES} and {_MONTHS}.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@configured
def status(everything: bool, as_json: bool, settings: Config) -> int:
    """Show the whole archive: what it holds and takes, how it goes, and what is due next.

    Captures, addresses and articles by site and month (in UTC; an address counts in the month in which it was captured
    first), bytes by kind, what revisits and compaction save, the spool, the room on the disk, the last crawls, the
    health of the sites of newskeep.toml, and the next runs.

    The numbers are those of the index on this machine. They are counted once, about two seconds for a million captures,
    and again when something was added.
    """
    from newskeep.status.collect import as_json as json_of
    from newskeep.status.collect import status_of
    from storage import open_archive

    with open_archive(settings.archive, settings.state, settings.lock, settings.shared_index) as archive:
        if not archive.uri.startswith("s3:"):
            archive.store.check()
        found = status_of(archive, settings, datetime.now(UTC))
    if as_json:
        click.echo(json.dumps(json_of(found), ensure_ascii=False))
    else:
        _show(found, everything)
    return StoreUnavailable.exit_code if found.problem or found.stored.problem else 0


def _show(found: Status, everything: bool) -> None:
    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    out.print(Text.assemble((fit(found.archive), "bold"), f"  {local(found.at)}"))
    for problem in filter(None, (found.problem, found.stored.problem)):
        out.print(Text(f"  {fit(problem)}", "red"))
    for heading, lines in (
        ("Held", _held(found)),
        ("By month", _table("MONTH", found.holdings.by_month(), None if everything else _MONTHS)),
        ("By site", _table("SITE", found.holdings.by_site(), None if everything else _SITES)),
        ("By kind", _kinds(found)),
        ("Room", _room(found)),
        ("Last crawls", (_crawl(each, found.at) for each in found.stored.crawls)),
        ("Sites", _health(found)),
        ("Next", _next(found)),
    ):
        told = list(lines)
        if told:
            out.print(Text(f"\n{heading}", "bold"))
        for line in told:
            out.print(Text.assemble("  ", line if isinstance(line, Text) else fit(line)))


def _held(found: Status) -> Iterator[str]:
    total, counts = found.holdings.total, found.counts
    if not counts.warcs:
        yield "nothing that the index on this machine knows of; newskeep reindex makes it where something is held"
        return
    addresses = counted(total.addresses, "address", "addresses")
    yield f"{counted(total.captures, 'capture')} of {addresses}, {counted(total.articles, 'article')}"
    if found.left_out:
        yield found.left_out
    yield f"WARC {size(counts.bytes)} in {counted(counts.warcs, 'file')}, text {size(found.holdings.text_bytes)}"
    if found.holdings.saved:
        yield f"saved by revisits {size(found.holdings.saved)}: what was the same again is held once"
    if found.stored.joined:
        saved = f"{counted(found.stored.saved_files, 'file')} less"
        yield f"saved by compaction {saved}: {counted(found.stored.joined, 'WARC')} made of small ones"


def _table(first: str, rows: Sequence[tuple[str, Held]], most: int | None) -> Iterator[str]:
    if not rows:
        return
    cells = [(first, "CAPTURES", "ADDRESSES", "ARTICLES", "WARC")]
    cells += [
        (fit(name), f"{held.captures:,}", f"{held.addresses:,}", f"{held.articles:,}", size(held.bytes))
        for name, held in rows[:most]
    ]
    yield from _aligned(cells)
    if most is not None and rows[most:]:
        yield f"and {len(rows) - most:,} more: --all"


def _kinds(found: Status) -> Iterator[str]:
    cells = [(kind, f"{count:,}", size(taken)) for kind, (count, taken) in found.holdings.kinds.items()]
    yield from _aligned(cells)


def _aligned(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """The first column to the left, the others to the right."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for name, *values in table:
        numbers = "  ".join(f"{value:>{width}}" for value, width in zip(values, widths[1:], strict=True))
        yield f"{name:<{widths[0]}}  {numbers}"


def _room(found: Status) -> Iterator[Text | str]:
    spool, disk = found.spool, found.disk
    waiting = f"{counted(spool.warcs, 'WARC')}, {size(spool.bytes)}" if spool.warcs else "empty"
    yield f"spool  {waiting}"
    if spool.damaged:
        yield Text(f"       {counted(spool.damaged, 'damaged WARC')} in its folder damaged: newskeep doctor", "red")
    yield f"index  {size(found.index_bytes)}"
    if disk is not None:
        line = f"disk   {size(disk.free)} free of {size(disk.total)}"
        floor = f"; crawls pause below {size(disk.floor)} (min_free)" if disk.floor else ""
        yield (
            Text(f"{line}: less than min_free, {size(disk.floor)}: crawls pause", "red")
            if disk.is_below
            else line + floor
        )


def _crawl(report: ReportHead, at: datetime) -> str:
    ended = f"{local(report.finished)}, {distance(report.finished, at)}" if report.finished else f"{report.day}"
    counts = ", ".join(f"{number} {kind}" for kind, number in report.counts.items()) or "nothing done"
    return f"{report.crawl}  {ended}: {report.state}; {counts}"


def _health(found: Status) -> Iterator[Text | str]:
    if not found.sites:
        yield "none in newskeep.toml: newskeep crawl ADDRESS, or a table [sites.NAME] for the schedule"
        return
    troubles = found.troubles
    more = f" of the first {len(found.health)}" if 0 < len(found.health) < found.sites else ""
    if not found.health:
        yield f"{counted(found.sites, 'site')}, none of them crawled yet: newskeep due"
        return
    yield f"{counted(found.sites, 'site')}, {len(troubles) or 'none'}{more} in trouble"
    for each in troubles:
        row = Text.assemble((f"{each.verdict.kind:<9}", "red"), f"  {each.site}  {fit(each.verdict.why)}")
        yield row.append(f" → {each.verdict.do}") if each.verdict.do else row


def _next(found: Status) -> Iterator[str]:
    for row in found.due:
        when = "now" if row.due is None or row.due <= found.at else f"{local(row.due)}, {distance(row.due, found.at)}"
        yield f"{row.site}  {when}{'' if row.state == 'waiting' else f'  ({row.state})'}"

"""`newskeep remove`: take captures out of the archive."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from crawler.config import Config
from newskeep.cli._console import Console
from newskeep.cli._maintenance import progress, still_kept, sum_up, tell
from newskeep.cli._options import Moment, configured, open_existing, who, why_nothing
from newskeep.cli._terminal import echo
from newskeep.cli.captures import row
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND, NotArchived, UsageError
from storage.urls import timestamp14

if TYPE_CHECKING:
    from storage.archive import Archive
    from storage.model import Capture
    from storage.removals import Hiding, Removal

#: Captures that are shown of what is meant, and other addresses with the same text.
_SHOWN, _COPIES = 20, 5

_EXAMPLES = """\b
Examples:
  newskeep remove https://www.example.org/a --reason "court order 12/26" --dry-run
  newskeep remove https://www.example.org/a --reason "court order 12/26"
  newskeep remove https://www.example.org/a --at 2026-11-21 --reason "names a minor"
  newskeep remove 'https://www.example.org/2026/*' --reason embargo --until 2027-01-01
  newskeep remove https://www.example.org/a --purge --yes
  newskeep remove https://www.example.org/a --undo
  newskeep remove --list --json

\b
Exit codes: 0 done, 2 an option is wrong or nobody said yes, 3 the archive is out of reach, 6 nothing of it is held or
hidden, 7 done, but something could not be purged, 75 another upkeep is at work."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was typed."""

    target: str
    prefix: bool
    at: datetime | None
    reason: str | None
    by: str | None
    until: datetime | None
    also_future: bool
    dry_run: bool
    yes: bool
    as_json: bool


@click.command(epilog=_EXAMPLES)
@click.argument("target", required=False, default="", metavar="URL-OR-PREFIX")
@click.option("--prefix", is_flag=True, help="All URLs that start like this one; so does a * at its end.")
@click.option("--at", type=Moment(), metavar="TIME", help="Only the version nearest to this time.")
@click.option("--reason", metavar="TEXT", help="Why. It is kept for good.")
@click.option("--by", metavar="NAME", help="Who decided it.  [your name on this machine]")
@click.option("--until", type=Moment(), metavar="TIME", help="An embargo: shown again by itself from then on.")
@click.option("--also-future", is_flag=True, help="Hide what comes of it later, too, and fetch it no more.")
@click.option("--purge", "purges", is_flag=True, help="Remove it from the files too, for good; a tombstone stays.")
@click.option("--undo", is_flag=True, help="Show again what is hidden and not purged, by its URL or its id.")
@click.option("--list", "lists", is_flag=True, help="List what is hidden and purged.")
@click.option("--dry-run", is_flag=True, help="Show what it is about, and change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
@configured
def remove(purges: bool, undo: bool, lists: bool, settings: Config, **given: Any) -> int:
    """Hide captures everywhere at once: pages, text, search, exports, replay, all protocols; purge them when asked to.

    A URL means all its captures; with a * at its end all URLs that start like it; a name without http:// a host, and
    *.example.org the hosts below it too. What is captured later is shown, unless --also-future says otherwise.

    What is hidden stays in the files, and --undo shows it again. --purge writes the files anew without it, which
    nobody can undo; when, why and by whom stays. It alone, without a URL, ends a purge that was stopped.
    """
    asked = _Asked(**given)
    _check(asked, purges, undo, lists)
    with open_existing(settings) as opened:
        if lists:
            return _list(opened, asked)
        if undo:
            return _undo(opened, asked)
        if not purges:
            return _hide(opened, asked)
        if asked.target and not _decide_purge(opened, asked):
            return 0
        return _purge(opened, asked.as_json)


def _check(asked: _Asked, purges: bool, undo: bool, lists: bool) -> None:
    """Raise `UsageError` where options do not go together."""
    if purges + undo + lists > 1:
        raise UsageError("--purge, --undo and --list are three things; one at a time")
    if not asked.target and not (lists or purges):
        raise UsageError("what is to be removed? Give a URL, a prefix with a * at its end, or a host")
    if asked.target and lists:
        raise UsageError("--list lists everything; it takes no URL")
    if asked.at is not None and (asked.prefix or asked.also_future or not _is_url(asked.target)):
        raise UsageError(
            "--at is about one version of one URL: it goes with neither a prefix, a host nor --also-future"
        )
    if asked.until is not None and (purges or undo):
        raise UsageError("--until is an embargo, and what is shown again some day is only hidden")
    if asked.until is not None and asked.until <= datetime.now(UTC):
        raise UsageError(f"--until {asked.until:%Y-%m-%d %H:%M} UTC is past already")
    if asked.reason is not None and not asked.reason.strip():
        raise UsageError("--reason is empty")


def _is_url(target: str) -> bool:
    return "://" in target and not target.endswith("*")


def _hide(archive: Archive, asked: _Asked) -> int:
    from storage.removing.hide import hidings, put

    hidings(archive)
    removal = _removal(archive, asked)
    if _agreed(archive, removal, asked, "hide"):
        put(archive, removal)
        end = f" until {removal.until:%Y-%m-%d %H:%M} UTC" if removal.until else ""
        undo = f"newskeep remove {removal.id} --undo"
        sum_up(f"hidden{end}; shown again with: {undo}", _fields([removal]), asked.as_json)
    return 0


def _removal(archive: Archive, asked: _Asked) -> Removal:
    """The decision to hide what was typed."""
    from storage.removals import hide
    from storage.removing.hide import target_of

    if asked.reason is None:
        raise UsageError("--reason is missing: say why, as it is kept for good")
    url, match = target_of(asked.target, asked.prefix)
    times = _times(archive, asked)
    return hide(url, match, asked.reason, who(asked.by), times=times, until=asked.until, also_future=asked.also_future)


def _decide_purge(archive: Archive, asked: _Asked) -> bool:
    """Put the decisions to purge what was typed, once it is agreed; False where it is not."""
    from storage.removing.hide import put

    chosen = _hidden(archive, asked)
    new = not chosen
    hides = [_removal(archive, asked)] if new else [each.hide for each in chosen if each.purge is None]
    if not hides:
        echo("decided already", err=True)
        return True
    _check_free(archive, hides, who(asked.by))
    for hide in hides:
        if not _agreed(archive, hide, asked, "purge for good"):
            return False
        if new:
            put(archive, hide)
        put(archive, hide.about("purge", asked.reason or hide.reason, who(asked.by)))
    return True


def _hidden(archive: Archive, asked: _Asked) -> list[Hiding]:
    """What is hidden by the very id or address that was typed, no more of it and no less."""
    from storage.removing.hide import meant

    times = set(_times(archive, asked))
    found = meant(archive, asked.target, asked.prefix)
    return [each for each in found if each.hide.id == asked.target or set(each.hide.times) == times]


def _times(archive: Archive, asked: _Asked) -> tuple[datetime, ...]:
    """The seconds of the version that --at is about; none where all are meant."""
    from storage.removing.hide import version_at

    return version_at(archive, asked.target, asked.at) if asked.at is not None else ()


def _check_free(archive: Archive, hides: Iterable[Removal], by: str) -> None:
    """Raise `UsageError` where the body of something that stays would go."""
    from storage.removals import Hiding
    from storage.removing.due import due
    from storage.removing.purge import blocked, why_blocked

    wanted = due(archive, [Hiding(hide, hide.about("purge", hide.reason, by)) for hide in hides])
    for original, revisit in blocked(archive, wanted):
        raise UsageError(why_blocked(original, revisit))


def _purge(archive: Archive, as_json: bool) -> int:
    from crawler.session.site_memory_store import SiteMemoryStore
    from storage.problems import Problem
    from storage.removing.purge import purge

    memories = SiteMemoryStore(archive.store, archive.state)
    with progress("purging") as show:
        done = purge(
            archive,
            before_warc=memories.forget,
            on_warc=lambda so_far: show(f"{counted(so_far.captures, 'capture')}, {counted(so_far.warcs, 'WARC')}"),
        )
    if done.warcs and archive.store.keeps_deleted() is not False:
        what = "the bucket keeps older versions of what is removed, or does not say: remove those by its own means"
        done.problems.append(Problem(archive.uri, what))
    for problem in done.problems:
        tell(problem, as_json)
    figures = {"captures": done.captures, "warcs": done.warcs, "locked": done.released.kept}
    figures["problems"] = len(done.problems)
    line = f"{counted(done.captures, 'capture')} purged from {counted(done.warcs, 'WARC')} of {archive.uri}"
    sum_up(f"{line}{still_kept(done.released)}; copies elsewhere: newskeep copy", figures, as_json)
    return PROBLEMS_FOUND if done.problems else 0


def _undo(archive: Archive, asked: _Asked) -> int:
    from storage.removing.hide import meant, put

    times = set(_times(archive, asked))
    found = [each for each in meant(archive, asked.target, asked.prefix) if times <= set(each.hide.times)]
    if not found:
        raise NotArchived(f"nothing is hidden under {asked.target}; newskeep remove --list lists what is")
    hidden = [each.hide for each in found if each.purge is None]
    if not hidden:
        raise UsageError(f"{asked.target} was purged; nothing can be shown again")
    for hide in hidden:
        if not _agreed(archive, hide, asked, "show again"):
            return 0
        put(archive, hide.about("restore", asked.reason or "given back", who(asked.by)))
    sum_up("shown again", _fields(hidden), asked.as_json)
    return 0


def _list(archive: Archive, asked: _Asked) -> int:
    from storage.removing.hide import hidings

    for each in hidings(archive):
        hide = each.hide
        if asked.as_json:
            click.echo(json.dumps(_hiding(each), ensure_ascii=False))
            continue
        state = f"until {each.until:%Y-%m-%d}" if each.until else each.state
        times = "".join(f" {timestamp14(time)}" for time in hide.times)
        last = each.purge or hide
        echo(f"{hide.id}  {state:<16}  {hide.match:<6}  {hide.url}{times}  {last.reason} ({last.by})")
    return 0


def _hiding(each: Hiding) -> dict[str, Any]:
    hide, purge = each.hide, each.purge
    told = {"purged": purge.moment.isoformat(timespec="seconds"), "purged_by": purge.by} if purge else {}
    return {**_fields([hide])["removals"][0], "state": each.state, **told}


def _fields(removals: Iterable[Removal]) -> dict[str, Any]:
    return {"removals": [json.loads(each.to_json()) for each in removals]}


@dataclass(slots=True)
class _Preview:
    """What a decision is about: how much, and the first of it."""

    captures: int = 0
    urls: int = 0
    redirects: int = 0
    shown: list[Capture] = field(default_factory=list)

    @classmethod
    def of(cls, captures: Iterable[Capture]) -> _Preview:
        preview, last = cls(), ""
        for capture in captures:
            preview.captures += 1
            preview.urls += capture.url != last
            preview.redirects += 300 < (capture.status or 0) < 400 and not capture.is_revisit
            last = capture.url
            if len(preview.shown) < _SHOWN:
                preview.shown.append(capture)
        return preview


def _agreed(archive: Archive, removal: Removal, asked: _Asked, verb: str) -> bool:
    """Show what a decision is about; True once somebody said yes.

    False after a dry run. Raises `NotArchived` where nothing is held of it, `UsageError` where there is nobody to ask.
    """
    from storage.removing.hide import covered

    preview = _Preview.of(covered(archive, removal, datetime.now(UTC)))
    if not preview.captures and not removal.also_future:
        raise NotArchived(f"nothing of {removal.url} is in the archive {archive.uri}{why_nothing(archive, None)}")
    if not asked.yes:
        _show(archive, preview, asked)
    if asked.dry_run:
        echo(f"nothing was changed; without --dry-run this would {verb} them", err=True)
        return False
    if asked.yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(f"there is nobody to ask; --yes to {verb} {counted(preview.captures, 'capture')}")
    return click.confirm(f"{verb[0].upper()}{verb[1:]}?", err=True)


def _show(archive: Archive, preview: _Preview, asked: _Asked) -> None:
    from newskeep import fields
    from storage.removing.hide import copies

    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    for capture in preview.shown:
        if asked.as_json:
            click.echo(json.dumps(fields.of_capture(capture)))
        else:
            out.print(row(capture))
    more = preview.captures - len(preview.shown)
    line = f"{counted(preview.captures, 'capture')} of {counted(preview.urls, 'address', 'addresses')}"
    echo(f"{line}, {more:,} of them not shown here" if more else line, err=True)
    if preview.redirects:
        echo(f"{counted(preview.redirects, 'is a redirect', 'are redirects')}: where they lead stays", err=True)
    elsewhere = copies(archive, preview.shown)
    if elsewhere:
        first = ", ".join(elsewhere[:_COPIES])
        echo(
            f"the same text stays under {counted(len(elsewhere), 'other address', 'other addresses')}: {first}",
            err=True,
        )

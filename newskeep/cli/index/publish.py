"""`newskeep index publish`: months of the index into the archive."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from crawler.config import Config
from newskeep.cli._maintenance import progress, sum_up, tell
from newskeep.cli._options import configured, open_existing
from newskeep.cli._terminal import echo
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND, UsageError
from storage.extras import command_for
from storage.published.month import Month

if TYPE_CHECKING:
    from storage.archive import Archive
    from storage.problems import Problem
    from storage.publishing.publish import Published
    from storage.publishing.release import ReleaseResult
    from storage.publishing.release_texts import TextsReleased

_EXAMPLES = """\b
Examples:
  newskeep index publish                            every month that is over and has changed
  newskeep index publish --month 2026-04 --month 2026-05
  newskeep index publish --closed --release         and have the database let them go
  newskeep index publish --closed --search --release    their texts and words as well

\b
Exit codes: 0 done, 2 a month that is none, or is not over, 3 the archive is out of reach,
6 nothing of that month is held, 7 done, but something could not be published or let go,
75 a reindex, compaction or copy is at work."""


class MonthType(click.ParamType[Month]):
    """A month: 2026-05."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Month:
        try:
            return value if isinstance(value, Month) else Month.parse(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


@click.command(epilog=_EXAMPLES)
@click.option("--month", "months", type=MonthType(), multiple=True, metavar="MONTH", help="This month; repeatable.")
@click.option("--closed", is_flag=True, help="Every month that is over (UTC); so without --month.")
@click.option("--search", is_flag=True, help="Also the texts of articles, as files that are searched where they lie.")
@click.option("--release", is_flag=True, help="Have the database let go what is published, once each row was compared.")
@click.option("--no-parquet", is_flag=True, help="Only the ZipNum cluster.")
@click.option("--again", is_flag=True, help="Also what has not changed since it was published.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each month and problem, and a summary.")
@configured
def publish(
    months: tuple[Month, ...],
    closed: bool,
    search: bool,
    release: bool,
    no_parquet: bool,
    again: bool,
    as_json: bool,
    settings: Config,
) -> int:
    """Write months of the index into the archive as a ZipNum cluster and as Parquet: those that have changed.

    A month is visible only whole, and the one before it until then. With --release the captures of a month leave the
    database of this machine, after each was found in what is published; get, captures, serve and all others then read
    them from there. With --search so do the texts and words of its articles, which search then reads from there; a
    month that was published with them once is so again.
    """
    if months and closed:
        raise UsageError("--month or --closed, not both")
    if not no_parquet:
        _check_parquet()
    if search and release:
        _check_apsw()
    problems: list[Problem] = []

    def on_problem(problem: Problem) -> None:
        problems.append(problem)
        tell(problem, as_json)

    from storage.publishing.publish import PublishOptions
    from storage.publishing.publish import publish as run
    from storage.publishing.release import ReleaseResult
    from storage.publishing.release_texts import TextsReleased

    figures = {"published": 0, "unchanged": 0, "captures": 0, "let_go": 0, "late": 0, "texts": 0, "texts_let_go": 0}
    with open_existing(settings) as opened:
        if release:
            opened.check_index()
        options = PublishOptions(months or None, table=not no_parquet, search=search, again=again)
        with progress("publishing") as show:
            found = run(
                opened,
                options,
                on_problem=on_problem,
                on_line=lambda month, number: show(f"{month}: {counted(number, 'capture')}"),
            )
            for each in found:
                done = _release(opened, each, on_problem) if release else ReleaseResult()
                figures["published" if each.is_new else "unchanged"] += 1
                figures["captures"] += each.manifest.captures
                figures["let_go"] += done.left
                figures["late"] += done.late
                texts = _release_texts(opened, each, show) if release and search else TextsReleased()
                figures["texts"] += each.manifest.documents
                figures["texts_let_go"] += texts.left
                _tell_month(each, done, texts, as_json)
            if figures["let_go"] or figures["texts_let_go"]:
                show("making the database smaller")
                opened.index.scrub()
        told = f"{counted(figures['published'], 'month')} published, {figures['unchanged']:,} unchanged"
        line = f"{told}, {counted(figures['captures'], 'capture')}"
        if not figures["published"] + figures["unchanged"]:
            line = "nothing to publish: no month that is over (UTC) has captures"
        if release:
            line += f"; {counted(figures['let_go'], 'row')} left the database"
        if figures["texts_let_go"]:
            line += f", and {counted(figures['texts_let_go'], 'text')}"
        if figures["late"]:
            line += f", {counted(figures['late'], 'row')} that came meanwhile will with the next run"
        sum_up(f"{line}; in {opened.uri}", {"archive": opened.uri, **figures, "problems": len(problems)}, as_json)
    return PROBLEMS_FOUND if problems else 0


def _check_parquet() -> None:
    for name in ("pyarrow", "tldextract"):
        try:
            __import__(name)
        except ModuleNotFoundError:
            raise UsageError(f"Parquet needs {name}: {command_for('parquet')}; or give --no-parquet") from None


def _check_apsw() -> None:
    try:
        __import__("apsw")
    except ModuleNotFoundError:
        needs = f"to search what the database has let go needs apsw: {command_for('published-search')}"
        raise UsageError(f"{needs}; or give --search without --release") from None


def _release_texts(archive: Archive, published: Published, show: Callable[[str], None]) -> TextsReleased:
    from storage.publishing.release_texts import release_texts

    month = published.manifest.month
    return release_texts(
        archive, published.manifest, lambda done: show(f"{month}: {counted(done.left, 'text')} let go")
    )


def _release(archive: Archive, published: Published, on_problem: Callable[[Problem], None]) -> ReleaseResult:
    from storage.publishing.release import release

    manifest = published.manifest
    done = release(archive, manifest)
    if done.example is not None:
        cure = "run `newskeep reindex`, then this again"
        what = f"{counted(done.unanswered, 'row of the database is', 'rows of the database are')} not in it as they are"
        on_problem(Problem(manifest.key, f"not let go: {what} ({done.example.url}); {cure}"))
    return done


def _tell_month(published: Published, released: ReleaseResult, texts: TextsReleased, as_json: bool) -> None:
    manifest = published.manifest
    size = sum(file.size for file in manifest.files)
    if as_json:
        fields = {
            "month": str(manifest.month),
            "published": published.is_new,
            "captures": manifest.captures,
            "withheld": manifest.withheld,
            "files": len(manifest.files),
            "bytes": size,
            "let_go": released.left,
            "late": released.late,
            "texts": None if manifest.texts is None else manifest.documents,
            "texts_let_go": texts.left,
            "texts_kept": texts.kept,
        }
        click.echo(json.dumps(fields))
        return
    what = (
        f"{counted(manifest.captures, 'capture')} in {counted(len(manifest.files), 'file')} ({counted(size, 'byte')})"
    )
    withheld = f", {manifest.withheld:,} hidden ones apart" if manifest.withheld else ""
    searched = "" if manifest.texts is None else f", {counted(manifest.documents, 'text')} to be searched"
    gone = f", {counted(released.left, 'row')} left the database" if released.left else ""
    gone += f", {counted(texts.left, 'text')} left it" if texts.left else ""
    gone += f", {counted(texts.kept, 'text')} not published as it is stay" if texts.kept else ""
    echo(f"{manifest.month}  {what}{withheld}{searched}{'' if published.is_new else ', as it was published'}{gone}")

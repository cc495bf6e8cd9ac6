"""`newskeep export`: the archive in the formats that other tools open."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.config import Config
from newskeep.cli._maintenance import progress, sum_up, tell
from newskeep.cli._options import (
    Moment,
    ShardType,
    SiteName,
    check_order,
    configured,
    executor_option,
    of_tag,
    open_existing,
    why_nothing,
)
from newskeep.cli._terminal import echo
from newskeep.export import CAPTURE_FORMATS, FORMATS, STREAMS, Selection, Tools, open_stream
from newskeep.export.left_out import LeftOut, count
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND, NotArchived, UsageError
from storage.extras import command_for
from storage.rights.purposes import PURPOSES, Purpose

if TYPE_CHECKING:
    from newskeep.export.job import ExportResult
    from storage.archive import Archive
    from storage.bulk import Shard
    from storage.model import Article
    from storage.problems import Problem

#: Signals that a summary names.
_REASONS = 5

_EXAMPLES = """\b
Examples:
  newskeep export --format jsonl --to - --since 2026-11 | jq -r .title
  newskeep export --format parquet --to news-parquet
  newskeep export --format jsonl --to for-others --public
  newskeep export --format parquet --to for-training --for ai-train
  newskeep export --format wacz --to election --tag election-2026
  newskeep export --format parquet --to s3://my-bucket/table --shard $SLURM_ARRAY_TASK_ID/16
  newskeep export --format jsonl --to s3://my-bucket/articles --executor ray
  newskeep export --format wacz --to s3://my-bucket/for-others --site example.org --sign-key key.pem

\b
Exit codes: 0 done, 2 a wrong option or place, 3 an archive or target is out of reach,
6 nothing that was chosen is in the archive, 7 done, but not everything could be read."""


@click.command(epilog=_EXAMPLES)
@click.option(
    "--format", "name", type=click.Choice(list(FORMATS)), required=True, help="What to make: newskeep docs export."
)
@click.option(
    "--to", required=True, metavar="URI", help="A folder, file://… or s3://bucket/prefix; - for standard output."
)
@click.option("--site", type=SiteName(), metavar="SITE", help="Only of this site: its name, host or address.")
@click.option("--since", type=Moment(), metavar="TIME", help="Captured not earlier than this.")
@click.option("--until", type=Moment("end"), metavar="TIME", help="Captured not later than this.")
@click.option("--language", metavar="TAG", help="Only articles in this language: da, pt, pt-BR.")
@of_tag
@click.option("--public", is_flag=True, help="For others to see: leave out what says noarchive, or is past its time.")
@click.option(
    "--for",
    "purpose",
    type=click.Choice(PURPOSES),
    help="What it is for: leave out what its publisher reserves for that.",
)
@click.option(
    "--sign-key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Sign WACZ files with this private key (PEM, curve P-384).",
)
@click.option("--shard", type=ShardType(), metavar="I/N", help="Only what lies in the WARCs of this shard, 1/8 to 8/8.")
@executor_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each problem, and one for the summary.")
@configured
def export(
    name: str,
    to: str,
    site: str | None,
    since: datetime | None,
    until: datetime | None,
    language: str | None,
    tag: str | None,
    public: bool,
    purpose: Purpose | None,
    sign_key: Path | None,
    shard: Shard | None,
    executor: str,
    as_json: bool,
    settings: Config,
) -> int:
    """Hand on articles (jsonl, parquet, markdown, wet) or captures (wacz, cdxj).

    The newest come first, a file at a time, each visible only whole. Stopped anywhere, the same command goes on there.
    How many of them say noarchive is told; with --public these are left out. With --for it is told how many of what was
    chosen are reserved, and by which signals: newskeep docs rights.

    With --shard many processes share the work: each makes the folder shard=I-of-N in the target, and goes on there.
    With --executor ray one run makes all of them, on all processors that Ray has.
    """
    if sign_key is not None and name != "wacz":
        raise UsageError("--sign-key is for --format wacz")
    if to == "-" and name not in STREAMS:
        raise UsageError(f"--format {name} makes files; only {' and '.join(STREAMS)} can go to standard output")
    if shard is not None and name == "wacz":
        raise UsageError("--shard: a WACZ has what its pages need, wherever it lies; choose another format")
    if executor == "ray":
        _check_ray(name, to, shard)
    check_order(since, until)
    problems: list[Problem] = []

    def on_problem(problem: Problem) -> None:
        problems.append(problem)
        if to == "-":
            echo(str(problem), err=True)
        else:
            tell(problem, as_json)

    selection = Selection(
        site=site,
        since=since,
        until=until,
        language=language,
        tag=tag,
        public=public,
        purpose=purpose,
        shard=shard,
    )
    tools = _tools(sign_key, on_problem)
    with open_existing(settings) as opened:
        if to == "-":
            records = _stream(opened, name, selection, tools)
        elif executor == "ray":
            records = _on_ray(opened, settings, name, to, selection, on_problem, as_json, problems)
        else:
            place = to if shard is None else shard.place(to)
            records = _files(opened, name, place, selection, tools, as_json, problems)
        # A shard may have nothing of it.
        if not records and not problems and shard is None:
            raise NotArchived(f"nothing in {opened.uri} is chosen by that{_why_nothing(opened, name, selection)}")
    return PROBLEMS_FOUND if problems else 0


def _check_ray(name: str, to: str, shard: Shard | None) -> None:
    if name == "wacz":
        raise UsageError("--executor ray: a WACZ has what its pages need, wherever it lies; choose another format")
    if shard is not None:
        raise UsageError("--shard or --executor ray, not both: Ray makes shards of its own")
    if to == "-":
        raise UsageError("--executor ray makes files; give a place as --to")


def _why_nothing(archive: Archive, name: str, selection: Selection) -> str:
    if (selection.public or selection.purpose) and (told := _of(count(archive, name, selection), selection)):
        return told
    return why_nothing(archive, selection.site, selection.tag)


def _of(found: LeftOut, selection: Selection) -> str:
    """The part of a summary on what publishers keep to themselves; empty where that is nothing."""
    told = ""
    if found.noarchive:
        says = "says" if found.noarchive == 1 else "say"
        number = f"{found.noarchive:,}"
        told += (
            f"; {number} that {says} noarchive left out" if selection.public else f"; {number} of them {says} noarchive"
        )
    if found.ended and selection.public:
        told += f"; {found.ended:,} whose unavailable_after is past left out"
    if reserved := found.reserved.total():
        why = ", ".join(f"{number:,} by {reason}" for reason, number in found.reserved.most_common(_REASONS))
        more = f", and {len(found.reserved) - _REASONS} other reasons" if len(found.reserved) > _REASONS else ""
        told += f"; {reserved:,} reserved for {selection.purpose} left out ({why}{more})"
    if found.licensed:
        names = "names a licence" if found.licensed == 1 else "name a licence"
        told += f"; {found.licensed:,} of them {names}, whose terms are not read here"
    return told


def _stream(archive: Archive, name: str, selection: Selection, tools: Tools) -> int:
    records = 0
    for line in open_stream(name, tools).lines(archive, selection):
        sys.stdout.buffer.write(line)
        records += 1
    sys.stdout.flush()
    if told := _of(count(archive, name, selection), selection):
        echo(f"{counted(records, 'line')}{told}", err=True)
    return records


def _files(
    archive: Archive,
    name: str,
    to: str,
    selection: Selection,
    tools: Tools,
    as_json: bool,
    problems: list[Problem],
) -> int:
    from newskeep.export.job import export as run
    from storage.objects import open_store

    target = open_store(to)
    try:
        with progress(f"exporting {name}") as show:
            done = run(
                archive,
                name,
                target,
                selection,
                tools,
                on_part=lambda so_far: show(f"{counted(so_far.records, 'record')}, {counted(so_far.bytes, 'byte')}"),
            )
    finally:
        target.close()
    return _sum_up(done, name, target.uri, selection, as_json, problems)


def _on_ray(
    archive: Archive,
    settings: Config,
    name: str,
    to: str,
    selection: Selection,
    on_problem: Callable[[Problem], None],
    as_json: bool,
    problems: list[Problem],
) -> int:
    try:
        from newskeep.export.on_ray import export_on_ray
    except ModuleNotFoundError as error:
        raise UsageError(f"--executor ray needs {error.name}: {command_for('ray')}") from None
    with progress("Ray") as show:
        done = export_on_ray(
            archive,
            settings.lock,
            name,
            to,
            selection,
            partial(_tools, None),
            on_problem=on_problem,
            on_shard=lambda so_far: show(f"{counted(so_far.records, 'record')}, {counted(so_far.bytes, 'byte')}"),
        )
    return _sum_up(done, name, to, selection, as_json, problems)


def _sum_up(
    done: ExportResult, name: str, to: str, selection: Selection, as_json: bool, problems: list[Problem]
) -> int:
    what = counted(done.records, "capture" if name in CAPTURE_FORMATS else "article")
    line = f"{what} in {counted(done.files, 'file')} ({counted(done.bytes, 'byte')}) in {to}"
    if done.earlier:
        line += f", {done.earlier:,} of them there already"
    line += _of(LeftOut(done.noarchive, done.ended, Counter(done.reserved), done.licensed), selection)
    if done.records or selection.shard:
        sum_up(line, {**asdict(done), "problems": len(problems)}, as_json)
    return done.records


def _tools(sign_key: Path | None, on_problem: Callable[[Problem], None]) -> Tools:
    from importlib.metadata import version

    return Tools(
        markdown=_markdown,
        requisites=_requisites,
        sign_key=sign_key,
        software=f"newskeep/{version('newskeep')}",
        on_problem=on_problem,
    )


def _markdown(article: Article) -> str:
    # On use: it brings the whole of extraction along.
    from crawler.extraction.markup import to_markdown

    return to_markdown(article)


def _requisites(content: bytes, url: str, content_type: str | None, is_css: bool) -> Iterator[str]:
    from crawler.discovery import requisites_of, requisites_of_css

    yield from (requisites_of_css if is_css else requisites_of)(content, url, content_type)

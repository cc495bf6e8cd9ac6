"""What verify, reindex, copy and compact have in common: progress, problems, a summary."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from newskeep.cli._console import Console
from newskeep.cli._terminal import echo
from storage.counts import counted

if TYPE_CHECKING:
    from storage.objects.retention import Released
    from storage.problems import Problem


@contextmanager
def progress(work: str) -> Iterator[Callable[[str], None]]:
    """Show how far the work is, on standard error if that is a terminal; call it with a line that says so."""
    shown = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with shown:
        task = shown.add_task(work)
        yield lambda line: shown.update(task, description=f"{work}: {line}")


def tell(problem: Problem, as_json: bool) -> None:
    """Print a problem as it is found."""
    if as_json:
        click.echo(json.dumps(asdict(problem)))
    else:
        echo(str(problem))
    sys.stdout.flush()


def still_kept(released: Released) -> str:
    """What to add to a line where something that was taken out is still under Object Lock; else empty."""
    if not released.kept:
        return ""
    until = f" until {released.until:%Y-%m-%d}" if released.until else ""
    return f"; {counted(released.kept, 'object')} taken out stay under Object Lock{until}, and a later run removes them"


def sum_up(line: str, figures: Mapping[str, Any], as_json: bool) -> None:
    """End with a line for people on standard error, or with the figures, as the last JSON line."""
    if as_json:
        click.echo(json.dumps(figures))
    else:
        echo(line, err=True)

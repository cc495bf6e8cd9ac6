"""What changes of the schedule share: the job that they are about, and whether a person agrees."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from crawler.config import load
from newskeep.schedule.job import job

if TYPE_CHECKING:
    from crawler.config import Config
    from newskeep.schedule.job import Job


class Agreed:
    """Whether to go on: after what will be done was printed, and, on a terminal, agreed to."""

    def __init__(self, dry_run: bool, yes: bool) -> None:
        self._dry_run = dry_run
        self._ask = not yes and sys.stdin.isatty()

    def __call__(self, question: str) -> bool:
        if self._dry_run:
            return False
        return not self._ask or click.confirm(question, default=True, err=True)


def job_of(settings: Config, options: tuple[str, ...]) -> Job:
    from storage import open_archive

    with open_archive(settings.archive, settings.state, settings.lock, settings.shared_index) as opened:
        own_state = None if str(opened.state) == opened.uri else opened.state
        # Another process has the file, but neither our options nor our variables.
        named = settings.index if settings.index != load(settings.file, {}).index else None
        return job(opened, settings.file, own_state, options, named)

"""How submitted crawls are told."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click

from newskeep.cli._terminal import echo
from newskeep.queue.task import CrawlTask


def show(submitted: Iterable[tuple[CrawlTask, int | None]], as_json: bool) -> int:
    """Tell of each crawl whether it was queued, as that is done; return how many were."""
    queued = 0
    for task, job in submitted:
        queued += job is not None
        if as_json:
            click.echo(json.dumps({"site": task.name, "title": task.title, "job": job}))
        else:
            echo(f"{task.title}: " + ("waits or runs already" if job is None else f"job {job}"))
    return queued

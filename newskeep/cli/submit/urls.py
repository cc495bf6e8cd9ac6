"""`newskeep submit urls`: queue a list of URLs."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from crawler import defaults
from crawler.config import Config
from newskeep.cli import _options
from newskeep.cli._options import Since
from newskeep.cli._queue import opened_queue, with_queue
from newskeep.cli._terminal import echo
from storage.counts import counted
from storage.errors import UsageError

_EXAMPLES = """\b
Examples:
  newskeep submit urls list.txt
  newskeep submit urls list.csv --newer-than 7d --tag election-2026
  grep -o 'https://[^"]*' page.html | newskeep submit urls -
  newskeep jobs report                   how far the lists are
  newskeep jobs report 12 --json         what became of each URL

\b
Exit codes: 0 queued, 2 a wrong option or list, 3 the queue is out of reach."""


@click.command(epilog=_EXAMPLES)
@click.argument("file", metavar="FILE")
@click.option("--extract-urls", is_flag=True, help="Take every web address out of the text in FILE.")
@click.option(
    "--newer-than", type=Since(), metavar="TIME", help="Do not ask for what is held since: 12h, 7d, 2026-11-21."
)
@click.option("--requisites", is_flag=True, help="Archive pictures, styles and scripts with the pages.")
@_options.gives_tags
@_options.delay(defaults.LIST_DELAY)
@_options.ignore_robots
@click.option("--json", "as_json", is_flag=True, help="Print the list's number as JSON.")
@with_queue
def urls(
    file: str,
    extract_urls: bool,
    newer_than: datetime | None,
    requisites: bool,
    tags: tuple[str, ...],
    delay: float | None,
    ignore_robots: bool,
    as_json: bool,
    settings: Config,
) -> None:
    """Queue a list of URLs, in the forms that `newskeep save` reads; - is standard input.

    It is cut by host into batches, which the workers save side by side; URLs of one host are asked for one after the
    other. What became of each URL comes together in one report: `newskeep jobs report`.
    """
    if file != "-" and not Path(file).is_file():
        why = "is a folder" if Path(file).is_dir() else "no such file"
        raise UsageError(f"cannot read the list {file}: {why}")
    with opened_queue(settings) as queue:
        from crawler.url_list import read_urls
        from newskeep.queue.lists import ListStore
        from newskeep.queue.submitting import submit_list
        from storage.urls import timestamp14

        options = {
            "newer_than": timestamp14(newer_than) if newer_than else None,
            "requisites": requisites,
            "tags": list(tags),
            "delay": delay,
            "ignore_robots": ignore_robots,
        }
        name = "standard input" if file == "-" else Path(file).name
        listed = read_urls((), file, form="text" if extract_urls else None)
        number = submit_list(queue, settings, name, listed, options)
        state = ListStore(queue.database, queue.name).state(number)
        if as_json:
            click.echo(json.dumps(state.to_json(), ensure_ascii=False))
        else:
            told = f"{counted(state.urls, 'URL')} in {counted(state.batches, 'batch', 'batches')}"
            echo(f"list {number}: {told}; newskeep jobs report {number} tells what became of them")

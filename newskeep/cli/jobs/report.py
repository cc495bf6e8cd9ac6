"""`newskeep jobs report`: what became of a list of URLs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from crawler.config import Config
from newskeep.cli._console import Console
from newskeep.cli._numbers import HIGHEST, Whole
from newskeep.cli._queue import opened_queue, with_queue
from newskeep.cli._terminal import echo
from newskeep.times import local
from storage.counts import counted

if TYPE_CHECKING:
    from newskeep.queue.lists import ListState

_EXAMPLES = """\b
Examples:
  newskeep jobs report                   the lists, and how far each is
  newskeep jobs report 3
  newskeep jobs report 3 --json > outcomes.jsonl

\b
Exit codes: 0 all archived, unchanged or held, 2 no such list, 3 the queue is out of
reach, 4 some URLs failed, were refused or wait, 5 all of them failed or were refused."""


@click.command(epilog=_EXAMPLES)
@click.argument("number", type=Whole(most=HIGHEST), required=False, metavar="[LIST]")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each URL; without LIST, for each list.")
@with_queue
def report(number: int | None, as_json: bool, settings: Config) -> int:
    """Tell what became of each URL of a list, in its order, as `newskeep save` does; without LIST, of all lists."""
    with opened_queue(settings) as queue:
        from crawler.session.report import parse_outcome
        from newskeep.cli._fetching import row
        from newskeep.queue.lists import ListStore

        lists = ListStore(queue.database, queue.name)
        if number is None:
            for state in lists.all():
                if as_json:
                    click.echo(json.dumps(state.to_json(), ensure_ascii=False))
                else:
                    echo(_line(state))
            return 0
        state = lists.state(number)
        out = Console(file=sys.stdout)
        for line in lists.outcomes(number):
            if as_json:
                out.data(json.dumps(line, ensure_ascii=False))
            else:
                out.print(row(parse_outcome(line)), highlight=False, soft_wrap=True)
        # Once more: it may have gone on meanwhile.
        state = lists.state(number)
        echo(_line(state), err=True)
        return _code(state)


def _line(state: ListState) -> str:
    told = [f"{count:,} {kind}" for kind, count in sorted(state.counts.items())]
    told += [f"{state.waiting:,} waiting"] if state.waiting else []
    return f"list {state.list}: {state.name}, {local(state.submitted)}, {counted(state.urls, 'URL')}: {', '.join(told)}"


def _code(state: ListState) -> int:
    good = sum(state.counts.get(kind, 0) for kind in ("archived", "unchanged", "held"))
    if good == state.urls:
        return 0
    return 4 if good or state.waiting else 5

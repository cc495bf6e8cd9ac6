"""`newskeep worker`: do what was submitted."""

from __future__ import annotations

import os
import socket

import click

from crawler.config import Config
from newskeep.cli._numbers import Whole
from newskeep.cli._options import Duration
from newskeep.cli._queue import with_queue
from newskeep.cli._terminal import echo

_EXAMPLES = """\b
Examples:
  newskeep worker
  newskeep worker --at-once 8 --name paris-1
  newskeep worker --until-empty          end when nothing is left to do
  newskeep worker --stop-within 20s      where the supervisor kills after 30 seconds
  kill -TERM PID                         jobs under way end in good order, others go on with them

\b
Exit codes: 0 stopped or nothing left, 1 a fault of ours, 2 usage or configuration, 3 the
queue or the archive is out of reach (with --until-empty also: what was fetched waits here),
4 with --until-empty: some jobs failed."""

#: Seconds after which a worker that says nothing counts as gone; see newskeep/queue/hosts.py for what follows of it.
_LEASE = 60.0
_LEASE_LEAST = 5.0
#: Seconds; less than what supervisors give a process by default (systemd: 90).
_STOP_WITHIN = 60.0


@click.command(epilog=_EXAMPLES)
@click.option("--at-once", type=Whole(), default=4, show_default=True, metavar="N", help="Jobs at a time.")
@click.option("--name", metavar="NAME", help="What the worker is called in `newskeep jobs`.  [host name and process]")
@click.option("--until-empty", is_flag=True, help="End when nothing waits and nothing runs, here or elsewhere.")
@click.option(
    "--lease",
    type=Duration(),
    default=f"{_LEASE:g}s",
    show_default=True,
    metavar="TIME",
    help="Without a sign of life for so long its jobs are given to others; it stops asking hosts before.",
)
@click.option(
    "--stop-within",
    type=Duration(),
    default=f"{_STOP_WITHIN:g}s",
    show_default=True,
    metavar="TIME",
    help="Jobs that have not ended so long after SIGTERM are killed; what they fetched is kept.",
)
@with_queue
def worker(
    at_once: int, name: str | None, until_empty: bool, lease: float, stop_within: float, settings: Config
) -> int:
    """Take jobs from the queue and do them, each in a process of its own, until stopped.

    On SIGTERM or Ctrl-C it takes no further job; those under way end in good order and are put back, for others to go
    on. Once more ends it at once. While its archive cannot be reached, its disk is full or its configuration is wrong,
    it takes no job, and goes on by itself when that is over. A worker that is killed or cut off is found out by the
    others, which do its jobs again: nothing that was archived is lost.
    """
    if lease < _LEASE_LEAST:
        raise click.BadParameter(f"{_LEASE_LEAST:g} seconds or more", param_hint="--lease")
    from newskeep.cli._worker import work

    name = name or f"{socket.gethostname()}-{os.getpid()}"
    failed = work(settings, name, at_once, lease, stop_within, until_empty=until_empty)
    if failed:
        echo(f"newskeep: {failed} of the jobs failed; newskeep jobs --status failed tells why", err=True)
    return 4 if failed and until_empty else 0

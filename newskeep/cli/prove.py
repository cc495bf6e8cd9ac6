"""`newskeep prove`: the proof of a capture, in one file."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from crawler.config import Config
from newskeep.cli._options import Moment, configured, open_existing
from newskeep.cli._terminal import echo
from storage.counts import counted
from storage.errors import UsageError
from storage.urls import normalize, timestamp14

_EXAMPLES = """\b
Examples:
  newskeep prove https://www.example.org/a -o a.proof.json
  newskeep prove https://www.example.org/a --at 2026-11-21 -o a.proof.json
  newskeep check-proof a.proof.json

\b
Exit codes: 0 done, 2 the file cannot be written, 3 the archive is out of reach, 6 not in the archive, or in no log."""


@click.command(epilog=_EXAMPLES)
@click.argument("url")
@click.option("--at", type=Moment(), metavar="TIME", help="The capture nearest to this time.  [the newest good one]")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    required=True,
    help="The file to write; - is standard output.",
)
@configured
def prove(url: str, at: datetime | None, output: Path, settings: Config) -> None:
    """Write what shows that a capture is as it was logged: for a court, an editor, a historian.

    The file has the answer and what was asked, byte for byte, robots.txt and tdmrep.json of that time and the
    certificates of the server, where they are held, what the publisher said of its use, the way of each record into the
    signed tree of the log, and the time stamps. `newskeep check-proof` checks it on any machine, and `newskeep
    check-proof --page` writes a page that does so in a browser.
    """
    from storage.transparency.proof import prove as made

    with open_existing(settings) as opened:
        capture = opened.find(normalize(url), at)
        data = made(opened, capture)
    try:
        if output == Path("-"):
            sys.stdout.buffer.write(data)
        else:
            output.write_bytes(data)
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}") from error
    when = timestamp14(capture.timestamp)
    echo(f"{output}: the proof of {capture.url} at {when}, {counted(len(data), 'byte')}", err=True)

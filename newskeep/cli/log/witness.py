"""`newskeep log witness`: watch the logs of another archive, and countersign what goes on from what was seen."""

from __future__ import annotations

from pathlib import Path

import click

from crawler.config import Config
from newskeep.cli._options import configured, open_existing
from newskeep.cli._terminal import echo
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND, Corrupt, UsageError

_EXAMPLES = """\b
Examples:
  newskeep log witness https://archive.example.org
  newskeep log witness https://archive.example.org --log 0123456789abcdef -o signed.json
  newskeep log witness /mnt/copies/town
  curl https://archive.example.org/log/0123456789abcdef?first=8160 > head.json; newskeep log witness head.json

\b
Exit codes: 0 done, 2 this archive has no log of yours or the file cannot be read, 3 the other archive or this one is
out of reach, 6 it has no such log, 7 a log does not go on from what was seen."""


@click.command(epilog=_EXAMPLES)
@click.argument("source", metavar="URL-OR-FILE")
@click.option("--log", "only", metavar="ID", help="Only this log of it.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the countersignature; one log alone."
)
@configured
def witness(source: str, only: str | None, output: Path | None, settings: Config) -> int:
    """Check that the logs of another archive go on from what was seen of them, and countersign their newest heads.

    URL-OR-FILE is where its `newskeep serve` is, a file with what that answers under /log/ID, or a copy of the archive.
    Heads are kept in this archive, and signed with the key of its log. One that does not go on from what was seen is
    told, kept as evidence, and not signed. Run it again and again: by cron, say. The other archive takes the
    countersignature with `newskeep log countersigned`.
    """
    from newskeep.witnessing import shown
    from storage.transparency.keys import PrivateKey, key_path
    from storage.transparency.witness import Conflict
    from storage.transparency.witness import witness as sign

    with open_existing(settings) as opened:
        path, wrong = key_path(opened.uri), False
        if opened.log is None:
            raise UsageError(f"there is no log of yours for {opened.uri} to sign with; newskeep log init begins one")
        key = PrivateKey.load(path)
        signed = []
        try:
            for each in shown(source, opened.store, only):
                try:
                    done = sign(opened.store, key, each)
                except Conflict as error:
                    # Others of its logs may be well.
                    echo(f"newskeep: {error}", err=True)
                    wrong = True
                    continue
                signed.append(done)
                size = counted(done.head.size, "leaf", "leaves")
                echo(f"the log {done.head.log} goes on: {size}, countersigned {done.time:%Y-%m-%d %H:%M:%S} UTC")
        except Corrupt as error:
            echo(f"newskeep: {source}: {error}", err=True)
            wrong = True
        if output is not None and signed:
            _write(output, [each.to_bytes() for each in signed])
    return PROBLEMS_FOUND if wrong else 0


def _write(output: Path, signed: list[bytes]) -> None:
    if len(signed) > 1:
        raise UsageError(f"{output}: there are {len(signed)} logs; choose one with --log")
    try:
        output.write_bytes(signed[0])
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}") from error

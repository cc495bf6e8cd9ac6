"""`newskeep log countersigned`: take up what a witness signed of this archive's log."""

from __future__ import annotations

import click

from crawler.config import Config
from newskeep.cli._options import configured, open_existing
from newskeep.cli._terminal import echo
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND, Corrupt, UsageError

_EXAMPLES = """\b
Examples:
  newskeep log countersigned https://witness.example.org
  newskeep log countersigned signed.json

\b
Exit codes: 0 done, 2 there is no log of yours or the file cannot be read, 3 witness or archive out of reach, 6 it has
signed nothing of this log, 7 what it signed is not what this log has."""


@click.command(epilog=_EXAMPLES)
@click.argument("source", metavar="URL-OR-FILE")
@configured
def countersigned(source: str, settings: Config) -> int:
    """Keep the countersignature of a witness beside the head of your log that it signed.

    URL-OR-FILE is where the witness' `newskeep serve` is, or what `newskeep log witness -o` wrote there. Proofs that
    are made from then on have it, and `newskeep verify` holds the log against it.
    """
    from newskeep.witnessing import countersignature
    from storage.transparency.objects import add_witness

    with open_existing(settings) as opened:
        if opened.log is None:
            raise UsageError(f"there is no log of yours for {opened.uri}; newskeep log init begins one")
        try:
            found = countersignature(source, opened.log.id)
            add_witness(opened.store, opened.log.id, found)
        except Corrupt as error:
            echo(f"newskeep: {source}: {error}", err=True)
            return PROBLEMS_FOUND
        what = f"{counted(found.head.size, 'leaf', 'leaves')} of the log {found.head.log}"
        echo(f"the witness {found.witness.log} signed {what} on {found.time:%Y-%m-%d %H:%M:%S} UTC", err=True)
    return 0

"""`newskeep identity make`: a key to sign requests with."""

from __future__ import annotations

from pathlib import Path

import click

from newskeep.cli._options import configured
from newskeep.cli._terminal import echo

_EXAMPLES = """\b
Examples:
  newskeep identity make identity.pem

\b
Exit codes: 0 done, 2 there is a file already, or it cannot be written."""


@click.command(epilog=_EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@configured
def make(file: Path, **_: object) -> None:
    """Make a private key (Ed25519, PEM) that nobody but you can read, and say what to write into newskeep.toml.

    Keep it out of the archive, and out of backups of it: who has it can sign as you.
    """
    from storage import private_keys

    private_keys.make(file)
    echo(f"{file}: a new key, for its owner alone; to sign requests with it, write into newskeep.toml:", err=True)
    echo(f'signing_key = "{file}"\nsignature_agent = "https://HOST"', lines=True)
    echo("and put at that HOST what this prints: newskeep identity directory", err=True)

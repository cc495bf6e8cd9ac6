"""`newskeep identity directory`: what others need to check our signatures."""

from __future__ import annotations

import json

import click

from crawler.config import Config
from newskeep.cli._options import configured
from newskeep.cli._terminal import echo
from newskeep.cli.identity._identity import identity_in

_EXAMPLES = """\b
Examples:
  newskeep identity directory
  newskeep identity directory > http-message-signatures-directory

\b
Exit codes: 0 done, 2 no key is named in newskeep.toml, or it cannot be read."""


@click.command(epilog=_EXAMPLES)
@configured
def directory(settings: Config) -> None:
    """Print the key directory, a JSON Web Key Set, and say where it belongs.

    `newskeep serve` offers it by itself, signed.
    """
    from crawler.identity.key import DIRECTORY_PATH, DIRECTORY_TYPE

    identity = identity_in(settings)
    echo(json.dumps(identity.directory, indent=2), lines=True)
    echo(f"the key is {identity.thumbprint}", err=True)
    echo(f"to be found at {identity.agent}{DIRECTORY_PATH}, as {DIRECTORY_TYPE}", err=True)

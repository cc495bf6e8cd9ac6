"""`newskeep check-proof`: what a proof proves, with no archive at hand."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newskeep.cli._terminal import echo
from storage.errors import PROBLEMS_FOUND, UsageError

if TYPE_CHECKING:
    from newskeep.proofs.verdict import Verdict

_EXAMPLES = """\b
Examples:
  newskeep check-proof a.proof.json
  newskeep check-proof a.proof.json --log 0123456789abcdef --authority freetsa.pem
  newskeep check-proof a.proof.json --body a.html
  newskeep check-proof archive-00000.wacz
  newskeep prove https://www.example.org/a -o - | newskeep check-proof -
  newskeep check-proof --page check.html

\b
Exit codes: 0 it is proven, 2 not a proof, 7 it does not hold."""
_STANDARD_INPUT = Path("-")


@click.command("check-proof", epilog=_EXAMPLES)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--log", "log", metavar="ID", help="The log that must have signed it.")
@click.option(
    "--authority",
    "authorities",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Certificates (PEM) of a time authority that you believe; may be given again.",
)
@click.option("--body", type=click.Path(path_type=Path, dir_okay=False), help="Write the proven body to this file.")
@click.option(
    "--page", type=click.Path(path_type=Path, dir_okay=False), help="Write the page that checks in a browser."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check_proof(
    file: Path | None,
    log: str | None,
    authorities: tuple[Path, ...],
    body: Path | None,
    page: Path | None,
    as_json: bool,
) -> int:
    """Check a proof that `newskeep prove` wrote, and say in plain words what is proven and what is not.

    A WACZ that `newskeep export` wrote has one of each of its records, where the archive has a log. Neither an archive
    nor a network is needed. With - for FILE it is read from standard input.
    """
    from newskeep.proofs.verdict import verdict
    from newskeep.proofs.words import PAGE
    from storage.transparency.stamps import load_roots

    if page is not None:
        _write(page, PAGE.read_bytes())
    if file is None:
        if page is None:
            raise UsageError("name a proof to check, or with --page a file for the page that checks one")
        return 0
    roots = [root for each in authorities for root in load_roots(each)]
    name = "standard input" if file == _STANDARD_INPUT else str(file)
    with _on_disk(file) as path:
        done = verdict(path, roots, log, name)
    if body is not None and not done.problems and done.body is None:
        raise UsageError(f"{name}: a package has many bodies; --body is for the proof of one capture")
    _tell(done, as_json)
    sys.stdout.flush()
    echo(f"{name}: {'this proves NOTHING' if done.problems else 'the proof holds'}", err=True)
    if body is not None and done.body is not None:
        _write(body, done.body)
    return PROBLEMS_FOUND if done.problems else 0


@contextmanager
def _on_disk(file: Path) -> Iterator[Path]:
    """The file, or one with what standard input has: a package is read here and there."""
    if file != _STANDARD_INPUT:
        yield file
        return
    with tempfile.NamedTemporaryFile(prefix="newskeep-proof-") as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.flush()
        yield Path(kept.name)


def _tell(done: Verdict, as_json: bool) -> None:
    from newskeep.proofs.words import publisher_said
    from storage.rights.signal import to_json

    if as_json:
        said = {"proven": done.proven, "problems": done.problems, "open": done.open, "rights": to_json(done.rights)}
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    sections = {
        "What is proven": done.proven,
        "What the publisher said of its use, as read from the bytes in this proof": publisher_said(done.rights),
        "What does not hold": done.problems,
        "What is not proven": done.open,
    }
    for heading, lines in sections.items():
        if lines:
            echo(f"{heading}\n", lines=True)
            for each in lines:
                echo(f"  - {each}")
            echo("")


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error

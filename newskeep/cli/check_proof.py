"""`newskeep check-proof`: what a proof proves, with no archive at hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newskeep.cli._terminal import echo
from storage.errors import PROBLEMS_FOUND, UsageError

if TYPE_CHECKING:
    from storage.rights.signal import Signal

_EXAMPLES = """\b
Examples:
  newskeep check-proof a.proof.json
  newskeep check-proof a.proof.json --log 0123456789abcdef --authority freetsa.pem
  newskeep check-proof a.proof.json --body a.html
  newskeep check-proof --page check.html

\b
Exit codes: 0 it is proven, 2 not a proof, 7 it does not hold."""


@click.command("check-proof", epilog=_EXAMPLES)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
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

    Neither an archive nor a network is needed.
    """
    from newskeep.proofs.words import PAGE, open_points, proven
    from storage.transparency.proof_check import check
    from storage.transparency.stamps import load_roots

    if page is not None:
        _write(page, PAGE.read_bytes())
    if file is None:
        if page is None:
            raise UsageError("name a proof to check, or with --page a file for the page that checks one")
        return 0
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    try:
        done = check(data, [root for each in authorities for root in load_roots(each)])
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from error
    if log is not None and any(each.id != log for each in done.logs):
        done.problems.append(f"it is not signed by the log {log} alone")
    if done.problems:
        _tell(as_json, (), {"proven": [], "problems": done.problems, "open": []}, f"{file}: this proves NOTHING")
        return PROBLEMS_FOUND
    said = {"proven": proven(done), "problems": [], "open": open_points(done)}
    _tell(as_json, done.rights, said, f"{file}: the proof holds")
    if body is not None:
        _write(body, done.body or b"")
    return 0


def _tell(as_json: bool, rights: tuple[Signal, ...], said: dict[str, list[str]], line: str) -> None:
    from newskeep.proofs.words import publisher_said
    from storage.rights.signal import to_json

    if as_json:
        click.echo(json.dumps({**said, "rights": to_json(rights)}, ensure_ascii=False))
        return
    sections = {
        "What is proven": said["proven"],
        "What the publisher said of its use, as read from the bytes in this proof": publisher_said(rights),
        "What does not hold": said["problems"],
        "What is not proven": said["open"],
    }
    for heading, lines in sections.items():
        if lines:
            echo(f"{heading}\n", lines=True)
            for each in lines:
                echo(f"  - {each}")
            echo("")
    sys.stdout.flush()
    echo(line, err=True)


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error

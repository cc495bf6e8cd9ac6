"""`newskeep identity check`: was this request ours?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.config import Config
from newskeep.cli._options import Moment, configured, open_existing
from newskeep.cli._terminal import echo
from newskeep.cli.identity._identity import identity_in
from storage.errors import PROBLEMS_FOUND, UsageError

if TYPE_CHECKING:
    from crawler.identity.check import Verdict

#: Bytes of a request that are read from a file.
_REQUEST_MOST = 1 << 20

_EXAMPLES = """\b
Examples:
  newskeep identity check https://www.example.org/a
  newskeep identity check --request request.txt
  newskeep identity check --request - --key last-years.pem < request.txt

\b
Exit codes: 0 it was ours, 2 no key, or nothing to check, 3 the archive is out of reach,
6 not in the archive, 7 it was not ours, or nobody can tell."""


@click.command(epilog=_EXAMPLES)
@click.argument("url", required=False)
@click.option("--at", type=Moment(), metavar="TIME", help="The request of the capture nearest to this time.")
@click.option(
    "--request",
    "file",
    type=click.Path(path_type=Path, allow_dash=True, exists=True, dir_okay=False),
    help="A request as somebody's log has it, line by line, head and all; - for standard input.",
)
@click.option(
    "--key",
    "keys",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Look for this private key too, such as one that was replaced; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@configured
def check(
    url: str | None,
    at: datetime | None,
    file: Path | None,
    keys: tuple[Path, ...],
    as_json: bool,
    settings: Config,
) -> int:
    """Say whether a request was signed with our key: one that is in the archive, or one that somebody shows you.

    A request that says it is newskeep and has no signature of yours is somebody else's. One that has, and whose minute
    is over, was yours then: who sends it now may have seen it.
    """
    from crawler.identity import identity_of
    from crawler.identity.check import check_request

    if (url is None) == (file is None):
        raise UsageError("give the address of an archived page, or --request FILE")
    own = identity_in(settings)
    others = [identity_of(str(key), own.agent) for key in keys]
    request = _archived(settings, url, at) if url is not None else _shown(file)
    verdict = check_request(request, [own, *(each for each in others if each)])
    if as_json:
        click.echo(json.dumps(_fields(verdict)))
    else:
        echo(f"{'ours' if verdict.is_ours else 'not ours'}: {verdict.told}{_times(verdict)}")
    return 0 if verdict.is_ours else PROBLEMS_FOUND


def _archived(settings: Config, url: str, at: datetime | None) -> bytes:
    with open_existing(settings) as opened:
        return opened.reader.request(opened.find(url, at)).block


def _shown(file: Path | None) -> bytes:
    """A request of a file; the empty line at its end may have got lost on the way, and so may carriage returns."""
    assert file is not None
    with click.open_file(str(file), "rb") as stream:
        request: bytes = stream.read(_REQUEST_MOST)
    return request if b"\r\n" in request else request.replace(b"\n", b"\r\n")


def _times(verdict: Verdict) -> str:
    if verdict.created is None or verdict.expires is None:
        return ""
    over = "" if verdict.expires > datetime.now(UTC) else ", which is over"
    return f"; it says {verdict.created:%Y-%m-%d %H:%M:%S} UTC, valid until {verdict.expires:%H:%M:%S}{over}"


def _fields(verdict: Verdict) -> dict[str, Any]:
    return {
        "ours": verdict.is_ours,
        "told": verdict.told,
        "keyid": verdict.keyid,
        "created": verdict.created.isoformat() if verdict.created else None,
        "expires": verdict.expires.isoformat() if verdict.expires else None,
    }

"""`newskeep verify`: is everything there, and as it was written?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from crawler.config import Config
from newskeep.cli._maintenance import progress, sum_up, tell
from newskeep.cli._options import configured, open_existing
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND

_EXAMPLES = """\b
Examples:
  newskeep verify
  newskeep verify --deep --archive s3://my-bucket/news
  newskeep verify --proof kept/a.proof.json
  newskeep verify --json | jq -r .key

\b
Exit codes: 0 all is well, 2 a proof cannot be read, 3 the archive is out of reach, 7 something is wrong."""


@click.command(epilog=_EXAMPLES)
@click.option("--deep", is_flag=True, help="Read every WARC: records against digests, captures against CDXJ.")
@click.option(
    "--proof",
    "proofs",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A proof, a WACZ with one or a countersignature, kept elsewhere: the log must go on from it; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each problem, and one for the summary.")
@configured
def verify(deep: bool, proofs: tuple[Path, ...], as_json: bool, settings: Config) -> int:
    """Hold WARCs, CDXJ, text and index against each other; name what is wrong and what to do.

    Without --deep the WARCs themselves are not read, only their sizes are compared. Nothing is changed.
    """
    from newskeep.proofs.verdict import kept_heads

    kept = [head for path in proofs for head in kept_heads(path)]
    with open_existing(settings) as opened:
        from storage.maintenance.verify import Verification

        with progress("verifying") as show:
            look = Verification(
                opened,
                deep=deep,
                kept=kept,
                on_warc=lambda seen: show(f"{counted(seen.warcs, 'WARC')}, {counted(seen.bytes, 'byte')}"),
            )
            for problem in look.problems():
                tell(problem, as_json)
        seen = look.checked
        held = (seen.warcs, "WARC"), (seen.captures, "capture"), (seen.articles, "article")
        line = f"{', '.join(counted(number, noun) for number, noun in held)} in {opened.uri} checked"
        if deep:
            line += f", {counted(seen.records, 'record')} of {counted(seen.bytes, 'byte')} read"
        if seen.locked_until is not None:
            line += f", {counted(seen.locked, 'object')} under Object Lock until {seen.locked_until[:10]} at least"
        found = counted(seen.problems, "problem") if seen.problems else "all is well"
        sum_up(f"{line}: {found}", {"archive": opened.uri, "deep": deep, **asdict(seen)}, as_json)
    return PROBLEMS_FOUND if seen.problems else 0

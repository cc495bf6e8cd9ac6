"""`newskeep verify`: is everything there, and as it was written?"""

from __future__ import annotations

from dataclasses import asdict

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
  newskeep verify --json | jq -r .key

\b
Exit codes: 0 all is well, 3 the archive is out of reach, 7 something is wrong."""


@click.command(epilog=_EXAMPLES)
@click.option("--deep", is_flag=True, help="Read every WARC: records against digests, captures against CDXJ.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each problem, and one for the summary.")
@configured
def verify(deep: bool, as_json: bool, settings: Config) -> int:
    """Hold WARCs, CDXJ, text and index against each other; name what is wrong and what to do.

    Without --deep the WARCs themselves are not read, only their sizes are compared. Nothing is changed.
    """
    with open_existing(settings) as opened:
        from storage.maintenance.verify import Verification

        with progress("verifying") as show:
            look = Verification(
                opened,
                deep=deep,
                on_warc=lambda seen: show(f"{counted(seen.warcs, 'WARC')}, {counted(seen.bytes, 'byte')}"),
            )
            for problem in look.problems():
                tell(problem, as_json)
        seen = look.checked
        held = (seen.warcs, "WARC"), (seen.captures, "capture"), (seen.articles, "article")
        line = f"{', '.join(counted(number, noun) for number, noun in held)} in {opened.uri} checked"
        if deep:
            line += f", {counted(seen.records, 'record')} of {counted(seen.bytes, 'byte')} read"
        found = counted(seen.problems, "problem") if seen.problems else "all is well"
        sum_up(f"{line}: {found}", {"archive": opened.uri, "deep": deep, **asdict(seen)}, as_json)
    return PROBLEMS_FOUND if seen.problems else 0

"""`newskeep save`: archive a list of URLs now."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from crawler import defaults
from newskeep.cli import _options
from newskeep.cli._options import common, settle
from storage.errors import UsageError

_EXAMPLES = """\b
Examples:
  newskeep save https://www.example.org/a https://www.example.org/b
  newskeep save -i urls.txt --archive s3://my-bucket/news
  grep -o 'https://[^"]*' page.html | newskeep save -i - --json > outcomes.jsonl
  newskeep save -i urls.txt --proxy http://proxy.example.org:3128 --trust-proxy
  newskeep save -i urls.txt --cookies cookies.txt
  newskeep save -i urls.txt --header 'Authorization: Bearer ${TOKEN}'

\b
Exit codes: 0 all archived or unchanged, 1 a fault of ours or of a spider, 3 the
archive is out of reach, 4 some URLs failed or were refused, 5 all of them."""


@click.command(epilog=_EXAMPLES)
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option("-i", "--input", "file", metavar="FILE", help="Read URLs from FILE, one a line; - is standard input.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each URL.")
@click.option("--requisites", is_flag=True, help="Archive pictures, styles and scripts with the pages.")
@click.option("--cookies", metavar="FILE", help="Send the cookies of FILE, cookies.txt or JSON, where they belong.")
@click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="FIELD",
    help="Send 'Name: value' to the hosts of the URLs; may be repeated. In it ${VARIABLE} or ${file:PATH} is a secret.",
)
@_options.ignore_robots
@_options.allow_private
@_options.insecure
@_options.delay(defaults.LIST_DELAY)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help=f"Bound of a request.  [{defaults.DOWNLOAD_TIMEOUT:g}]",
)
@click.option(
    "--max-size",
    type=click.IntRange(1),
    metavar="BYTES",
    help=f"Bound of a body; more is cut.  [{defaults.DOWNLOAD_MAXSIZE >> 20} MiB]",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1),
    metavar="N",
    help=f"Requests at once, over all hosts.  [{defaults.CONCURRENT_REQUESTS}]",
)
@_options.operator
@click.option("--user-agent", metavar="TEXT", help="The whole User-Agent field.")
@click.option("--proxy", metavar="URL", help="Fetch through a proxy of HTTP or SOCKS.")
@_options.trust_proxy
@common
def save(
    urls: tuple[str, ...],
    file: str | None,
    as_json: bool,
    requisites: bool,
    cookies: str | None,
    headers: tuple[str, ...],
    ignore_robots: bool,
    config: Path | None,
    verbose: int,
    **given: Any,
) -> int:
    """Fetch URLs now, archive every exchange, extract the text, and say what became of each.

    A list may have blank lines, # comments and duplicates. Each different URL ends as archived, unchanged (the archive
    has the same content already), refused or failed, with the reason.

    Stopped at any time, what was told is kept. The same command asks for the whole list again.
    """
    if not urls and file is None:
        raise UsageError("nothing to save: name URLs, or a list with -i FILE (-i - for standard input)")
    if file not in (None, "-") and not Path(file or "").exists():
        raise UsageError(f"cannot read the list {file}: no such file")
    if file not in (None, "-") and Path(file or "").is_dir():
        raise UsageError(f"cannot read the list {file}: is a folder")
    settings = settle(config, verbose, robots=False if ignore_robots else None, **given)

    from crawler.run import Crawl
    from crawler.subscriptions.subscription import listed_subscription
    from newskeep.cli._fetching import archive_with

    subscription = listed_subscription(cookies, headers)
    crawl = Crawl("urls", {"urls": urls, "file": file, "requisites": requisites, "subscription": subscription})
    return archive_with(settings, [crawl], _total(urls, file), as_json)


def _total(urls: tuple[str, ...], file: str | None) -> int | None:
    """How many lines there are to do, for the progress bar; unknown for standard input."""
    if file == "-" or not sys.stderr.isatty() or not (file is None or Path(file).is_file()):
        # A pipe can be read once only.
        return None
    lines = 0
    if file is not None:
        with Path(file).open("rb") as stream:
            lines = sum(1 for line in stream if line.strip() and not line.startswith(b"#"))
    return len(urls) + lines

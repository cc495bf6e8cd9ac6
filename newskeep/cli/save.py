"""`newskeep save`: archive a list of URLs now."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler import defaults
from newskeep.cli import _options
from newskeep.cli._numbers import HIGHEST, Real, Whole
from newskeep.cli._options import Since, common, open_existing, settle
from newskeep.cli._terminal import echo
from newskeep.times import local
from storage.counts import counted
from storage.errors import UsageError

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.list_runs import ListRun

#: Ends of names of lists that have more or less than a URL a line.
_OTHER_FORMS = frozenset((".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".html", ".htm"))

_EXAMPLES = """\b
Examples:
  newskeep save https://www.example.org/a https://www.example.org/b
  newskeep save -i urls.txt --archive s3://my-bucket/news
  newskeep save -i urls.txt --no-text && newskeep reextract
  grep -o 'https://[^"]*' page.html | newskeep save -i - --json > outcomes.jsonl
  newskeep save -i bookmarks.html --newer-than 7d
  newskeep save --retry-failed last
  newskeep save -i urls.txt --tag election-2026
  newskeep save -i mail.txt --extract-urls
  newskeep save -i urls.txt --proxy http://proxy.example.org:3128 --trust-proxy
  newskeep save -i urls.txt --render when-needed
  newskeep save https://www.example.org/a --screenshot --pdf
  newskeep save -i urls.txt --cookies cookies.txt
  newskeep save -i urls.txt --header 'Authorization: Bearer ${TOKEN}'

\b
Exit codes: 0 all archived, unchanged or held, 1 a fault of ours or of a spider, 2 a wrong
option or list, 3 the archive is out of reach, 4 some URLs failed or were refused, 5 all of
them, 6 no such crawl."""


@click.command(epilog=_EXAMPLES)
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option("-i", "--input", "file", metavar="FILE", help="Read URLs from FILE; - is standard input.")
@click.option("--extract-urls", is_flag=True, help="Take every web address out of the text in FILE.")
@click.option(
    "--newer-than",
    type=Since(),
    metavar="TIME",
    help="Do not ask for what is held since: 12h, 7d, 2026-11-21; 0s: ask for all.",
)
@click.option("--retry-failed", metavar="CRAWL", help="Ask again for what failed in a crawl: its id, or last.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each URL.")
@click.option("--no-text", is_flag=True, help="Archive alone; `newskeep reextract` makes the text later.")
@click.option("--requisites", is_flag=True, help="Archive pictures, styles and scripts with the pages.")
@click.option("--cookies", metavar="FILE", help="Send the cookies of FILE, cookies.txt or JSON, where they belong.")
@click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="FIELD",
    help="Send 'Name: value' to the hosts of the URLs; may be repeated. In it ${VARIABLE} or ${file:PATH} is a secret.",
)
@_options.gives_tags
@_options.ignore_robots
@_options.allow_private
@_options.render
@_options.screenshot
@_options.pdf
@_options.insecure
@_options.delay(defaults.LIST_DELAY)
@click.option(
    "--timeout",
    type=Real(0, min_open=True),
    metavar="SECONDS",
    help=f"Bound of a request.  [{defaults.DOWNLOAD_TIMEOUT:g}]",
)
@click.option(
    "--max-size",
    type=Whole(most=HIGHEST),
    metavar="BYTES",
    help=f"Bound of a body; more is cut.  [{defaults.DOWNLOAD_MAXSIZE >> 20} MiB]",
)
@click.option(
    "--concurrency",
    type=Whole(),
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
    extract_urls: bool,
    newer_than: datetime | None,
    retry_failed: str | None,
    as_json: bool,
    requisites: bool,
    no_text: bool,
    cookies: str | None,
    headers: tuple[str, ...],
    tags: tuple[str, ...],
    ignore_robots: bool,
    config: Path | None,
    verbose: int,
    **given: Any,
) -> int:
    """Fetch URLs now, archive every exchange, extract the text, and say what became of each.

    A list is lines with a URL each, blank ones, # comments and duplicates among them; CSV with a column of addresses
    (url, link or the like); JSON lines with a field url, such as --json prints; or bookmarks as browsers export them.
    Its name and beginning show which. Each different URL ends as archived, unchanged (the archive has the same content
    already), held (not asked for), refused or failed, with the reason.

    Stopped at any time, what was told is kept. The same command goes on with a list of -i FILE that was cut off less
    than twelve hours ago: what has been archived since its first run is told as held. What failed is asked for again.
    """
    if retry_failed is not None and (urls or file is not None):
        raise UsageError("--retry-failed has its URLs from the crawl: leave the others out")
    for name in filter(_is_file, urls):
        raise UsageError(f"{name} is a file; a list of URLs is given by -i: newskeep save -i {name}")
    if extract_urls and file is None:
        raise UsageError("--extract-urls goes with -i FILE")
    if not urls and file is None and retry_failed is None:
        raise UsageError("nothing to save: name URLs, or a list with -i FILE (-i - for standard input)")
    if file not in (None, "-") and not Path(file or "").exists():
        raise UsageError(f"cannot read the list {file}: no such file")
    if file not in (None, "-") and Path(file or "").is_dir():
        raise UsageError(f"cannot read the list {file}: is a folder")
    off = {"robots": False if ignore_robots else None, "text": False if no_text else None}
    settings = settle(config, verbose, **off, **given)
    if settings.render == "never" and given["render"] is None and (given["screenshot"] or given["pdf"]):
        settings = replace(settings, render="always")

    from crawler.run import Crawl
    from crawler.subscriptions.subscription import listed_subscription
    from newskeep.cli._fetching import archive_with

    subscription = listed_subscription(cookies, headers)
    listed = None
    if retry_failed is not None:
        urls = _failed(settings, retry_failed)
        if not urls:
            return 0
    elif file is not None and Path(file).is_file():
        listed = _list_run(settings, urls, Path(file), newer_than)
        newer_than = listed.since
    form = "text" if extract_urls else None
    arguments = {
        "urls": urls,
        "file": file,
        "requisites": requisites,
        "newer_than": newer_than,
        "form": form,
        "subscription": subscription,
        "tags": tags,
    }
    total = None if extract_urls else _total(urls, file)
    return archive_with(settings, [Crawl("urls", arguments)], total, as_json, listed)


def _failed(settings: Config, crawl: str) -> tuple[str, ...]:
    from crawler.session.past_reports import failed_urls

    with open_existing(settings) as archive:
        crawl, found = failed_urls(archive, crawl)
    urls = tuple(found)
    told = f"{counted(len(urls), 'URL')} of it failed" if urls else "nothing of it failed"
    echo(f"newskeep: crawl {crawl}: {told}", err=True)
    return urls


def _list_run(settings: Config, urls: tuple[str, ...], file: Path, newer_than: datetime | None) -> ListRun:
    """What stands for a list that can be read twice; says so where it goes on by itself, and how where it does not."""
    from crawler.list_runs import ListRun
    from storage import open_archive

    with open_archive(settings.archive, settings.state, settings.lock, settings.shared_index) as archive:
        try:
            listed = ListRun(archive.state, urls, file, newer_than)
        except OSError as error:
            raise UsageError(f"cannot read the list {file}: {error.strerror}") from error
    if listed.goes_on and listed.began:
        began = local(listed.began)
        echo(f"newskeep: going on with this list, begun {began}; --newer-than 0s asks for all of it", err=True)
    elif newer_than is None and listed.began:
        since = listed.began.strftime("%Y-%m-%dT%H:%M:%SZ")
        echo(f"newskeep: this list was cut off before; --newer-than {since} goes on with it", err=True)
    return listed


def _total(urls: tuple[str, ...], file: str | None) -> int | None:
    """How many lines there are to do, for the progress bar; unknown for standard input."""
    if file == "-" or not sys.stderr.isatty() or not (file is None or Path(file).is_file()):
        # A pipe can be read once only.
        return None
    if file is not None and Path(file).suffix.lower() in _OTHER_FORMS:
        return None
    lines = 0
    if file is not None:
        with Path(file).open("rb") as stream:
            lines = sum(1 for line in stream if line.strip() and not line.startswith(b"#"))
    return len(urls) + lines


def _is_file(name: str) -> bool:
    try:
        return "://" not in name and Path(name).is_file()
    except OSError:
        # Longer than any name.
        return False

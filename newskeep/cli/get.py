"""`newskeep get`: a page back from the archive."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import click

from newskeep.cli._options import Moment, common, open_existing, settle
from newskeep.cli._terminal import echo, fit
from storage.counts import counted
from storage.http import ContentError
from storage.urls import normalize, timestamp14

if TYPE_CHECKING:
    from storage.archive import Archive
    from storage.reader import Memento

#: These may end in a terminal behind a pipe too, such as `| less -R`.
_FOR_EYES = ("text", "markdown")
FORMS = ("body", "http", "request", "text", "markdown", "json", "dom", "screenshot", "pdf")
#: Bytes; a body is archived up to 64 MiB by default, and text compresses about ten times.
_CONTENT_MAX_BYTES = 1024**3

_EXAMPLES = """\b
Examples:
  newskeep get https://www.example.org/a > a.html
  newskeep get https://www.example.org/a --at 2026-11-21 --as text
  newskeep get https://www.example.org/a --as http | head -20
  newskeep get https://www.example.org/a --as screenshot -o a.png

\b
Exit codes: 0 done, 3 the archive is out of reach, 6 not in the archive."""


@click.command(epilog=_EXAMPLES)
@click.argument("url")
@click.option("--at", type=Moment(), metavar="TIME", help="The capture nearest to this time.  [the newest good one]")
@click.option("--as", "form", type=click.Choice(FORMS), default="body", show_default=True, help="What to print.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to a file instead of standard output.")
@common
def get(
    url: str,
    at: datetime | None,
    form: str,
    output: Path | None,
    archive: str,
    state: str,
    index: str,
    config: Path,
    verbose: int,
) -> None:
    """Print a page from the archive.

    body is the page as a browser would save it, http the response byte for byte as the server sent it, request what
    was asked; text, markdown and json are the article. Of a page that was rendered, dom is what scripts had made of it,
    screenshot and pdf how it looked. All but http and request follow redirects inside the archive.

    What a terminal would obey is taken out of text and markdown, and on a terminal of all; -o writes the exact bytes.
    """
    settings = settle(config, verbose, archive=archive, state=state, index=index)
    url = normalize(url)
    with open_existing(settings) as opened:
        data = _form(opened, url, at, form)
        if verbose:
            traffic = opened.store.traffic
            echo(
                f"{counted(traffic.requests, 'request')}, {counted(traffic.bytes_read, 'byte')} read from {opened.uri}",
                err=True,
            )
    if output is not None:
        output.write_bytes(data)
    else:
        sys.stdout.buffer.write(_shown(data, form))
        sys.stdout.flush()


def _shown(data: bytes, form: str) -> bytes:
    """What standard output gets: what is for eyes made fit for a terminal, what is for programs as it is."""
    if not sys.stdout.isatty() and form not in _FOR_EYES:
        return data
    return fit(data.decode(errors="replace"), lines=True).encode()


def _said(memento: Memento) -> Memento:
    """Say so where what is printed is not the page that was asked for."""
    if memento.capture.wall is not None:
        where = f"{memento.capture.url} at {timestamp14(memento.capture.timestamp)}"
        echo(f"newskeep: this is not the page but what came in its place: {memento.capture.wall} ({where})", err=True)
    return memento


def _led(memento: Memento) -> Memento:
    """Say so where a redirect leads to no page that is held, and its own body, mostly empty, is printed."""
    location = memento.message.header("location")
    if 300 <= (memento.message.status or 0) < 400 and location is not None:
        where = location
        with suppress(ValueError):  # as it came, where it is no address
            where = urljoin(memento.capture.url, location)
        echo(f"newskeep: this is a redirect that leads to no page in the archive: {where}", err=True)
    return memento


def _form(archive: Archive, url: str, at: datetime | None, form: str) -> bytes:
    match form:
        case "http":
            return _said(archive.get(url, at)).response
        case "request":
            return archive.reader.request(archive.find(url, at)).block
        case "dom" | "screenshot" | "pdf":
            return archive.rendition(url, form, at).block
        case "body":
            memento = _led(_said(archive.get(url, at, follow=True)))
            try:
                return memento.message.content(_CONTENT_MAX_BYTES)
            except ContentError as error:
                raise ContentError(f"{url}: {error}; --as http has the exact bytes") from error
    article = archive.article(url, at)
    if form == "text":
        return article.text.encode() + b"\n"
    if form == "markdown":
        from crawler.extraction.markup import to_markdown

        return to_markdown(article).encode()
    from storage.articles import to_json

    return json.dumps(to_json(article), ensure_ascii=False, indent=2).encode() + b"\n"

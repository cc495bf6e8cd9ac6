"""`newskeep explain`: a page's blocks, kept and removed, with the reasons."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from crawler.config import Config
from newskeep.cli._console import Console, escape
from newskeep.cli._options import Moment, configured, open_existing
from newskeep.cli._terminal import echo, fit
from newskeep.confidence import percent
from storage.counts import counted
from storage.urls import site_of

if TYPE_CHECKING:
    from storage.model import Article, Block

_EXAMPLES = """\b
Examples:
  newskeep explain https://www.example.org/a
  newskeep explain https://www.example.org/a --removed | less -R"""


@click.command(epilog=_EXAMPLES)
@click.argument("url")
@click.option("--at", type=Moment(), metavar="TIME", help="The capture nearest to this time.  [the newest good one]")
@click.option("--removed", "only_removed", is_flag=True, help="Only what was removed.")
@configured
def explain(url: str, at: datetime | None, only_removed: bool, settings: Config) -> None:
    """Show every block of an archived page in page order: its number, kept (green) or removed (red), and why.

    `newskeep correct URL` takes the numbers, where a block should be kept or removed.
    """
    from crawler.extraction.corrections import corrected
    from crawler.session.correcting import corrections_of

    with open_existing(settings) as opened:
        held = opened.article(url, at)
        article = corrected(held, corrections_of(opened, held, lambda problem: echo(str(problem), err=True)))
    out = Console(file=sys.stdout, highlight=False)
    show_head(out, article)
    for number, block in enumerate(article.blocks, 1):
        if not (only_removed and block.kept):
            show_block(out, block, number)
    if article is not held:
        echo(f"the stored text does not have all corrections yet: newskeep reextract {site_of(held.url)}", err=True)


def show_head(out: Console, article: Article) -> None:
    """Print an article's title, metadata, who decided on its text and how sure it is."""
    out.print(f"\n[bold]{escape(article.title or article.url)}[/]")
    told = [", ".join(article.authors), article.published, article.language]
    kept = counted(sum(block.kept for block in article.blocks), "block")
    told += [
        f"{counted(article.words, 'word')} in {kept}",
        f"{counted(len(article.removed), 'block')} removed",
    ]
    if article.noarchive:
        told.append("says noarchive")
    if article.extractor is not None:
        told.append(article.extractor.method)
    if article.confidence is not None:
        told.append(f"confidence {percent(article.confidence)}")
    out.print(f"[dim]{escape(' · '.join(part for part in told if part))}[/]")
    if article.warc is not None and article.warc.insecure is not None:
        out.print(f"[yellow]not proven: {escape(article.warc.insecure)}[/]")


def show_block(out: Console, block: Block, number: int | None = None) -> None:
    """Print a block on one line, as much of it as fits, with its reason."""
    mark, style = ("kept   ", "green") if block.kept else ("removed", "red")
    place = "" if number is None else f"{number:>4}"
    reason = f"  {block.reason}" + (f", against {block.overruled}" if block.overruled else "")
    room = max(20, out.width - len(reason) - len(place) - 10)
    text = fit(block.text)
    text = text if len(text) <= room else text[: room - 1] + "…"
    line = f"[dim]{place}[/]  [{style}]{mark}[/] {escape(text)}[dim]{escape(reason)}[/]"
    out.print(line, no_wrap=True, overflow="ellipsis")

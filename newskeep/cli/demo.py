"""`newskeep demo`: the main job on a small news site that ships with the program."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newskeep.cli._console import Console
from newskeep.cli._options import settle
from newskeep.cli.explain import show_block, show_head
from storage.counts import counted

if TYPE_CHECKING:
    from storage.model import Article, Block

_EXAMPLES = """\b
Examples:
  newskeep demo
  newskeep demo --full | less -R
  newskeep demo --archive /tmp/demo && newskeep captures 127.0.0.1 --archive /tmp/demo"""


@click.command(epilog=_EXAMPLES)
@click.option("--archive", metavar="DIR", default="newskeep-demo", show_default=True, help="Folder to archive into.")
@click.option("--full", is_flag=True, help="Show every kept block too, not only what was removed.")
@click.option("-v", "--verbose", count=True, help="Say more on standard error.")
def demo(archive: str, full: bool, verbose: int) -> int:
    """Serve two small papers on the loopback, archive them, and show what was kept and what was removed.

    One is a Danish trade paper whose articles carry event adverts, a company guide and read-also links in their own
    column; the other an English crypto portal with token widgets and a disclaimer. No network is needed.
    """
    if "://" in archive:
        raise click.UsageError("the demo archives into a folder")
    config = replace(settle(None, verbose), archive=archive, state=None, allow_private=True, robots=True, delay=0.0)

    from crawler.run import Crawl
    from newskeep.cli._fetching import archive_with
    from newskeep.demo import DemoSite
    from storage import open_archive

    out = Console(file=sys.stdout, highlight=False)
    with DemoSite() as site:
        code = archive_with(config, [Crawl("urls", {"urls": site.urls})], len(site.urls), as_json=False)
        hosts = [paper.base.partition("://")[2] for paper in site.sites]
        expected = {*site.missing, *site.forbidden}
    with open_archive(archive) as opened:
        articles = [
            article for article in opened.articles() if article.url.partition("://")[2].startswith(tuple(hosts))
        ]
    for article in sorted(articles, key=lambda article: article.url):
        _show(out, article, full)
    removed = sum(len(article.removed) for article in articles)
    words = sum(article.words for article in articles)
    out.print(
        f"\n[bold]{counted(len(articles), 'article')}, {counted(words, 'word')} kept, "
        f"{counted(removed, 'block')} removed[/], each with its reason."
    )
    if articles:
        where = "" if archive == "archive" else f" --archive {Path(archive)}"
        out.print(f"The original of one:  newskeep get {articles[0].url}{where}", soft_wrap=True)
        out.print(f"Its text:             newskeep get {articles[0].url}{where} --as text", soft_wrap=True)
    # One missing page and one that robots.txt forbids belong to the show.
    return 0 if code == 4 and expected else code


def _show(out: Console, article: Article, full: bool) -> None:
    show_head(out, article)
    shown = article.blocks if full else _in_column(article)
    for block in shown:
        show_block(out, block)
    if rest := len(article.removed) - sum(not block.kept for block in shown):
        around = f"{counted(rest, 'block')} around it: menus, teasers, footer, cookie bar (--full)"
        out.print(f"  [red]removed[/] [dim]and {around}[/]")


def _in_column(article: Article) -> list[Block]:
    """The removed blocks a reader would find amid or right behind the article's own text."""
    kept = [number for number, block in enumerate(article.blocks) if block.kept]
    last = max(
        (number for number, block in enumerate(article.blocks) if block.kept or block.reason.word == "repeated"),
        default=0,
    )
    return [block for block in article.blocks[min(kept, default=0) : last + 1] if not block.kept]

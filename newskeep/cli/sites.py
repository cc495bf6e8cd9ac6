"""`newskeep sites`: the sites that are configured, what one would bring, and what the archive knows of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape

from crawler import defaults
from newskeep.cli._options import common, open_existing, settle
from storage.errors import NotArchived

if TYPE_CHECKING:
    from datetime import datetime

    from crawler.site_check import Check
    from crawler.sites.site import Site
    from crawler.sites.source_fetcher import SourceRead

_EXAMPLES = """\b
Examples:
  newskeep sites
  newskeep sites check https://www.example.org/
  newskeep sites memory www.example.org
"""
_CHECK_EXAMPLES = """\b
Examples:
  newskeep sites check https://www.example.org/
  newskeep sites check guardian --json | jq .articles

\b
Exit codes: 0 articles were found, 5 none."""
_MEMORY_EXAMPLES = """\b
Examples:
  newskeep sites memory www.example.org
  newskeep sites memory www.example.org --unlearn "We are a reader-owned paper."
"""


@click.group(epilog=_EXAMPLES, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each site.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file.  [./newskeep.toml if there]")
@click.pass_context
def sites(context: click.Context, as_json: bool, config: Path | None) -> None:
    """List the sites that are configured; try one out; see and correct what the archive knows of one."""
    if context.invoked_subcommand is not None:
        return
    from crawler.sites.site import load_sites
    from crawler.sites.spider_loader import declared_sites

    settings = settle(config, 0)
    configured = load_sites(settings)
    declared = {name: site for name, site in declared_sites(settings).items() if name not in configured}
    for where, found in ((str(settings.file), configured), ("spider", declared)):
        for site in found.values():
            click.echo(json.dumps(_site_json(site, where), ensure_ascii=False) if as_json else _site_line(site, where))
    if not configured and not as_json:
        click.echo("newskeep: no site is configured: docs/add-a-site.md tells how", err=True)


def _site_line(site: Site, where: str) -> str:
    return f"{site.name:<24} every {_span(site.every):<5} {site.sources[0]}  ({where})"


def _site_json(site: Site, where: str) -> dict[str, Any]:
    from crawler.sites.site import KEYS

    return {"name": site.name, "from": where, **{key: getattr(site, key) for key in KEYS}}


def _span(seconds: float) -> str:
    for letter, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f}{letter}"
    return f"{seconds:g}s"


@sites.command(epilog=_CHECK_EXAMPLES)
@click.argument("site", metavar="SITE-OR-URL")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--delay",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help=f"Wait between two requests to a host.  [{defaults.SITE_DELAY:g}]",
)
@click.option("--ignore-robots", is_flag=True, help="Do not ask robots.txt.")
@click.option("--allow-private", is_flag=True, default=None, help="Fetch from loopback and private addresses too.")
@common
def check(
    site: str,
    as_json: bool,
    delay: float | None,
    ignore_robots: bool,
    config: Path | None,
    verbose: int,
    **given: Any,
) -> int:
    """Try a site out, without archiving: its feeds, sitemaps and sections, which links would be fetched and why others
    would not, one article as it would be kept, and what to put into newskeep.toml.
    """
    from dataclasses import replace

    from crawler.site_check import check as try_out
    from crawler.sites.site import find_site

    settings = settle(config, verbose, robots=False if ignore_robots else None, **given)
    chosen = find_site(settings, site)
    found = try_out(chosen if delay is None else replace(chosen, delay=delay), settings)
    if as_json:
        click.echo(json.dumps(_check_json(found), ensure_ascii=False, indent=2))
    else:
        _print_check(Console(file=sys.stdout, highlight=False, soft_wrap=True), found)
    return 0 if found.articles else 5


def _print_check(out: Console, found: Check) -> None:
    out.print(f"[bold]{escape(found.site.name)}[/]  {escape(' '.join(found.site.start))}")
    out.print(f"\nrobots.txt  {_robots_line(found)}")
    for title, role in (("Feeds", "feed"), ("Sitemaps", "sitemap"), ("Pages", "page")):
        sources = [source for source in found.sources if source.role == role]
        out.print(f"\n[bold]{title}[/]" + ("" if sources else "  none found"))
        for source in sources:
            out.print(f"  {escape(source.url)}  [dim]{escape(_source_line(source))}[/]")
    if found.sections:
        out.print(f"\n[bold]Sections[/] that would be looked through too\n  {escape('  '.join(found.sections))}")
    articles = found.articles
    dated = sum(date is not None for date in articles.values())
    out.print(f"\n[bold]{len(articles)} addresses look like articles[/], {dated} of them with a date")
    for url, date in list(articles.items())[:5]:
        out.print(f"  {_date(date)}  {escape(url)}")
    if found.dropped:
        out.print("\n[bold]Left out[/]")
        for number, reason, sample in found.dropped:
            out.print(f"  {number:>5}  {escape(reason)}  [dim]{escape(sample)}[/]")
    _print_article(out, found)
    if articles:
        out.print(f"\n[bold]For newskeep.toml[/]\n{escape(found.table())}")


def _print_article(out: Console, found: Check) -> None:
    outcome, article = found.outcome, found.article
    if outcome is None:
        return
    out.print(f"\n[bold]One article[/]  {escape(outcome.url)}")
    if article is None:
        out.print(f"  {outcome.outcome}: {escape(outcome.reason or 'no text')}")
        return
    out.print(f"  title      {escape(article.title or '-')}")
    out.print(f"  published  {article.published or '-'}")
    out.print(f"  authors    {escape(', '.join(article.authors) or '-')}")
    out.print(f"  text       {article.words} words, {len(article.removed)} blocks removed")
    if outcome.reason:
        out.print(f"  [yellow]{escape(outcome.reason)}[/]")


def _robots_line(found: Check) -> str:
    robots = found.robots
    if robots.status is None:
        return "not asked, or no answer"
    verdict = "allows us" if robots.allowed else "[red]forbids us[/]"
    delay = f", asks for {robots.crawl_delay:g} s between requests" if robots.crawl_delay else ""
    return f"{robots.status}, {verdict}{delay}"


def _source_line(source: SourceRead) -> str:
    if source.reading is None or source.taken is None:
        return source.reason or "cannot be read"
    articles = source.taken.articles
    kind = getattr(source.reading, "kind", None)
    named = len(getattr(source.reading, "next", ()))
    parts = [kind or "page", f"{len(source.reading.links)} links", f"{len(articles)} articles"]
    if kind == "index":
        parts = [kind, f"{named} sitemaps"]
    dates = [article.published for article in articles if article.published]
    if dates:
        parts.append(f"newest {_date(max(dates))}")
    return ", ".join([*parts, *source.reading.problems[:2]])


def _date(date: datetime | None) -> str:
    return f"{date:%Y-%m-%d %H:%M}" if date else " " * 16


def _check_json(found: Check) -> dict[str, Any]:
    article = found.article
    return {
        "site": found.site.name,
        "robots": {"status": found.robots.status, "allowed": found.robots.allowed, "delay": found.robots.crawl_delay},
        "sources": [
            {
                "url": source.url,
                "role": source.role,
                "links": len(source.reading.links) if source.reading else 0,
                "articles": len(source.taken.articles) if source.taken else 0,
                "problems": [source.reason]
                if source.reason
                else list(source.reading.problems if source.reading else ()),
            }
            for source in found.sources
        ],
        "sections": found.sections,
        "articles": {url: date.isoformat() if date else None for url, date in found.articles.items()},
        "left_out": [{"count": count, "reason": reason, "sample": url} for count, reason, url in found.dropped],
        "article": article
        and {"url": article.url, "title": article.title, "published": article.published, "words": article.words},
        "toml": found.table(),
    }


@sites.command(epilog=_MEMORY_EXAMPLES)
@click.argument("site", metavar="SITE")
@click.option("--unlearn", metavar="LINE", multiple=True, help="This line is article text for good; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each line of the memory.")
@common
def memory(
    site: str, unlearn: tuple[str, ...], as_json: bool, archive: str, state: str, config: Path, verbose: int
) -> None:
    """Show what repeats over a site's pages and is removed from its articles, the most frequent first.

    With --unlearn a line is never removed again, from the next crawl or reextract on.
    """
    from crawler.session.site_memory_store import SiteMemoryStore
    from storage.urls import site_of

    settings = settle(config, verbose, archive=archive, state=state)
    host = site_of(site if "://" in site else f"http://{site}")
    with open_existing(settings) as opened:
        memories = SiteMemoryStore(opened.store, opened.state)
        known = memories.load(host)
        if not known.stories:
            raise NotArchived(f"nothing is remembered of {host} in the archive {opened.uri}")
        for line in unlearn:
            known = known.unlearn(line)
        if unlearn:
            memories.save(host, known)
    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    for count, line in known.lines():
        if as_json:
            click.echo(json.dumps({"articles": count, "line": line}, ensure_ascii=False))
        else:
            out.print(f"[dim]{count:>4}[/]  {escape(line)}")

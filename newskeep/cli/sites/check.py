"""`newskeep sites check`: what a site would bring, without archiving."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler import defaults
from newskeep.cli import _options
from newskeep.cli._console import Console, escape
from newskeep.cli._options import common, settle, site_names
from newskeep.cli._terminal import echo
from storage.counts import counted

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.site_check import Check
    from crawler.sites.source_fetcher import SourceRead

_EXAMPLES = """\b
Examples:
  newskeep sites check https://www.example.org/
  newskeep sites check https://www.example.org/politics/
  newskeep sites check https://www.example.org/ --write
  newskeep sites check guardian --json | jq .articles

\b
Exit codes: 0 articles were found, 5 none."""


@click.command(epilog=_EXAMPLES)
@click.argument("site", metavar="SITE-OR-URL", shell_complete=site_names)
@click.option("--write", is_flag=True, help="Add it to the configuration file, whose rest stays as it is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_options.delay(defaults.SITE_DELAY)
@_options.ignore_robots
@_options.allow_private
@_options.insecure
@_options.trust_proxy
@common
def check(
    site: str,
    write: bool,
    as_json: bool,
    delay: float | None,
    ignore_robots: bool,
    config: Path | None,
    verbose: int,
    **given: Any,
) -> int:
    """Try a site out, without archiving: its feeds, sitemaps and sections, which links would be fetched and why others
    would not, one article as it would be kept, and what to put into newskeep.toml.

    An address that is not a front page stands for the section below it.
    """
    from dataclasses import replace

    from crawler.site_check import check as try_out
    from crawler.sites.site import find_site

    settings = settle(config, verbose, robots=False if ignore_robots else None, **given)
    chosen = find_site(settings, site)
    said = {"delay": delay, "insecure": given["insecure"]}
    changes: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    found = try_out(replace(chosen, **changes), settings)
    if as_json:
        click.echo(json.dumps(_check_json(found), ensure_ascii=False, indent=2))
    else:
        _print_check(Console(file=sys.stdout, highlight=False, soft_wrap=True), found)
    if write:
        _write(found, settings)
    return 0 if found.articles else 5


def _write(found: Check, settings: Config) -> None:
    """Add the table of a site to the file; where it is in it already, or has no articles, say so."""
    from crawler.config import DEFAULT_FILE
    from crawler.config_file import add_site
    from crawler.sites.site_table import table_name

    path, name = settings.file or DEFAULT_FILE, found.site.name
    if name in settings.sites:
        echo(f"newskeep: {path} has it already, as [sites.{name}]", err=True)
    elif found.site.spider != "site":
        echo(f"newskeep: nothing is written: a spider class declares {name}", err=True)
    elif not found.articles:
        echo(f"newskeep: nothing is written to {path}: no articles were found", err=True)
    else:
        name = table_name(name, settings.sites)
        add_site(path, name, found.table(name))
        echo(f"newskeep: added to {path} as [sites.{name}]; newskeep crawl {name} crawls it", err=True)


def _print_check(out: Console, found: Check) -> None:
    out.print(f"[bold]{escape(found.site.name)}[/]  {escape(' '.join(found.site.start))}")
    if found.site.hint:
        out.print(f"[dim]{escape(found.site.hint)}[/]")
    out.print(f"\nrobots.txt  {_robots_line(found)}")
    if found.subscription:
        out.print(f"subscription  {escape(found.subscription)}")
    for title, role in (("Feeds", "feed"), ("Sitemaps", "sitemap"), ("Pages", "page")):
        sources = [source for source in found.sources if source.role == role]
        out.print(f"\n[bold]{title}[/]" + ("" if sources else "  none found"))
        for source in sources:
            out.print(f"  {escape(source.url)}  [dim]{escape(_source_line(source))}[/]")
    if found.sections:
        out.print(f"\n[bold]Sections[/] that would be looked through too\n  {escape('  '.join(found.sections))}")
    articles = found.articles
    taken = counted(len(articles), "address looks like an article", "addresses look like articles")
    dated = sum(date is not None for date in articles.values())
    out.print(f"\n[bold]{taken}[/], {dated} of them with a date")
    for url, date in list(articles.items())[:5]:
        out.print(f"  {_date(date)}  {escape(url)}")
    if found.dropped:
        out.print("\n[bold]Left out[/]")
        for number, reason, sample in found.dropped:
            out.print(f"  {number:>5}  {escape(reason)}  [dim]{escape(sample)}[/]")
    if found.nothing:
        out.print(f"\n[yellow]{escape(found.nothing)}[/]")
    _print_article(out, found)
    if articles:
        out.print("\n[bold]For newskeep.toml[/]")
        for line in found.table().splitlines():
            out.print(escape(line))


def _print_article(out: Console, found: Check) -> None:
    outcome, article = found.outcome, found.article
    if outcome is None:
        return
    out.print(f"\n[bold]One article[/]  {escape(outcome.url)}")
    if article is None:
        out.print(f"  {outcome.outcome}: {escape(outcome.reason or 'no text')}")
        return
    out.print(f"  title      {escape(article.title or '-')}")
    out.print(f"  published  {escape(article.published or '-')}")
    out.print(f"  authors    {escape(', '.join(article.authors) or '-')}")
    out.print(f"  text       {counted(article.words, 'word')}, {counted(len(article.removed), 'block')} removed")
    if outcome.reason:
        out.print(f"  [yellow]{escape(outcome.reason)}[/]")


def _robots_line(found: Check) -> str:
    robots = found.robots
    if robots.status is None:
        return f"[red]{escape(robots.reason or 'no answer')}[/]"
    verdict = "allows us" if robots.allowed else "[red]forbids us[/]"
    delay = f", asks for {robots.crawl_delay:g} s between requests" if robots.crawl_delay else ""
    return f"{robots.status}, {verdict}{delay}"


def _source_line(source: SourceRead) -> str:
    from crawler.sites.link_selection import date_of

    if source.reading is None or source.taken is None:
        return source.reason or "cannot be read"
    articles = source.taken.articles
    kind = getattr(source.reading, "kind", None)
    named = len(getattr(source.reading, "next", ()))
    parts = [kind or "page", counted(len(source.reading.links), "link"), counted(len(articles), "article")]
    if kind == "index":
        parts = [kind, counted(named, "sitemap")]
    now = datetime.now(UTC)
    dates = [date for article in articles if (date := date_of(article, now))]
    if dates:
        parts.append(f"newest {_date(max(dates)).rstrip()}")
    problems = [problem.removeprefix(f"{source.url}: ") for problem in source.reading.problems[:2]]
    return ", ".join([*parts, *problems])


def _date(date: datetime | None) -> str:
    """A date in 16 columns; midnight stands for a day whose time nobody gave."""
    if date is None:
        return " " * 16
    return f"{date:%Y-%m-%d}" + (" " * 6 if date.time() == time.min else f"{date: %H:%M}")


def _check_json(found: Check) -> dict[str, Any]:
    article = found.article
    return {
        "site": found.site.name,
        "robots": {
            "status": found.robots.status,
            "allowed": found.robots.allowed,
            "delay": found.robots.crawl_delay,
            "reason": found.robots.reason,
        },
        "subscription": found.subscription,
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
        "nothing": found.nothing,
        "toml": found.table(),
    }

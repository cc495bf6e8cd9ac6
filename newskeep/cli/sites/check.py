"""`newskeep sites check`: what a site would bring, without archiving."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
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
from storage.errors import UsageError

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.site_check import Check
    from crawler.sites.site import Site
    from crawler.sites.source_fetcher import SourceRead

_EXAMPLES = """\b
Examples:
  newskeep sites check https://www.example.org/
  newskeep sites check https://www.example.org/politics/
  newskeep sites check https://www.example.org/ --write
  newskeep sites check -i feeds.opml --write
  newskeep sites check guardian --json | jq .articles

\b
Exit codes: 0 articles were found, 4 of some sites none, 5 none."""


@click.command(epilog=_EXAMPLES)
@click.argument("sites", metavar="[SITE-OR-URL]...", nargs=-1, shell_complete=site_names)
@click.option("-i", "--input", "file", metavar="FILE", help="Read sites from FILE, OPML too; - is standard input.")
@click.option("--write", is_flag=True, help="Add what has articles to the configuration file, whose rest stays.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; of several sites a line each.")
@_options.delay(defaults.SITE_DELAY)
@_options.ignore_robots
@_options.allow_private
@_options.insecure
@_options.trust_proxy
@common
def check(
    sites: tuple[str, ...],
    file: str | None,
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

    An address that is not a front page stands for the section below it. Of several sites each gets a line; a list has
    them in any form that lists of URLs have, or is what a feed reader exports (OPML).
    """
    from crawler.sites.site_list import read_sites

    if not sites and file is None:
        raise UsageError("nothing to try: name sites, or a list with -i FILE (-i - for standard input)")
    settings = settle(config, verbose, robots=False if ignore_robots else None, **given)
    listed = read_sites(settings, sites, file)
    for wrong in (each for each in listed if each.site is None):
        echo(f"newskeep: {wrong.given}: {wrong.error}", err=True)
    said = {"delay": delay, "insecure": given["insecure"]}
    changes: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    chosen = [replace(each.site, **changes) for each in listed if each.site is not None]
    found = _tried(chosen, settings)
    if len(found) < len(chosen):
        echo(f"newskeep: stopped: {len(found)} of {counted(len(chosen), 'site')} tried", err=True)
    _print(found, as_json, alone=len(listed) == 1)
    if write:
        _write(found, settings)
    good = sum(bool(each.articles) for each in found)
    return 5 if not good else 0 if good == len(listed) else 4


def _tried(sites: Sequence[Site], settings: Config) -> list[Check]:
    """Try the sites out, with a progress bar where there are several and somebody looks."""
    from crawler.site_check import check as try_out
    from newskeep.cli._fetching import progress

    if len(sites) < 2 or not sys.stderr.isatty():
        return try_out(sites, settings) if sites else []
    with progress("trying", len(sites), Console(stderr=True)) as bar:
        return try_out(sites, settings, lambda: bar.advance(bar.task_ids[0]))


def _write(found: Iterable[Check], settings: Config) -> None:
    """Add the tables of sites to the file; where one is in it already, or has no articles, say so."""
    from crawler.config import DEFAULT_FILE
    from crawler.config_file import add_site
    from crawler.sites.site_table import table_name

    path, taken = settings.file or DEFAULT_FILE, set(settings.sites)
    for each in found:
        name = each.site.name
        if name in settings.sites:
            echo(f"newskeep: {path} has it already, as [sites.{name}]", err=True)
        elif each.site.spider != "site":
            echo(f"newskeep: nothing is written: a spider class declares {name}", err=True)
        elif not each.articles:
            echo(f"newskeep: {name}: nothing is written to {path}: no articles were found", err=True)
        else:
            name = table_name(name, taken)
            add_site(path, name, each.table(name))
            taken.add(name)
            echo(f"newskeep: added to {path} as [sites.{name}]; newskeep crawl {name} crawls it", err=True)


def _print(found: Sequence[Check], as_json: bool, alone: bool) -> None:
    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    for each in found:
        if as_json:
            out.data(json.dumps(_check_json(each), ensure_ascii=False, indent=2 if alone else None))
        elif alone:
            _print_check(out, each)
        else:
            _print_line(out, each)


def _print_line(out: Console, found: Check) -> None:
    """One of several sites."""
    name = f"[bold]{escape(found.site.name)}[/]"
    if not found.articles:
        out.print(f"{name}  [yellow]{escape(found.nothing or 'nothing found')}[/]")
        return
    newest = next((date for date in found.articles.values() if date), None)
    read = Counter(source.role for source in found.sources if source.taken is not None)
    sources = ", ".join(counted(read[role], role) for role in ("feed", "sitemap", "page") if read[role])
    dated = f", newest {_date(newest).rstrip()}" if newest else ""
    out.print(f"{name}  {counted(len(found.articles), 'article')}{dated}  [dim]{sources}[/]")


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

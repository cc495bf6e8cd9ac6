"""`newskeep init`: the first newskeep.toml, by questions or by options."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from newskeep.cli._terminal import echo
from storage.counts import counted
from storage.errors import NewskeepError, UsageError
from storage.homes import expanded

if TYPE_CHECKING:
    from crawler.sites.site import Site

T = TypeVar("T")

_EXAMPLES = """\b
Examples:
  newskeep init
  newskeep init --site https://www.example.org/ --operator archive@example.org
  newskeep init --yes --archive s3://my-bucket/news --config /etc/newskeep.toml

\b
Exit codes: 0 written, or left as it was at your wish; 2 there is a file already, or what was given is wrong."""


@click.command(epilog=_EXAMPLES)
@click.option("--archive", metavar="URI", help="A folder, file://… or s3://bucket/prefix.  [archive]")
@click.option("--operator", metavar="CONTACT", help="Web page or e-mail address that servers can reach you at.")
@click.option("--site", "sites", multiple=True, metavar="ADDRESS", help="A site to crawl; may be repeated.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing: what is not given stays as by default.")
@click.option("--force", is_flag=True, help="Write the file anew where there is one.")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write.  [NEWSKEEP_CONFIG or ./newskeep.toml]",
)
def init(
    archive: str | None, operator: str | None, sites: tuple[str, ...], yes: bool, force: bool, config: Path | None
) -> None:
    """Write newskeep.toml: where the archive is, how you can be reached, which sites to crawl.

    In a terminal it asks for what the options leave open; elsewhere, and with --yes, it asks nothing. Nothing is
    fetched and no archive is made. A file that is there is never overwritten unasked.
    """
    from crawler.config import DEFAULT_FILE
    from crawler.config_file import new_file, write
    from crawler.sites.site_table import site_table

    path = config or Path(os.environ.get("NEWSKEEP_CONFIG") or DEFAULT_FILE)
    # What was given is looked at before anything is asked.
    place = None if archive is None else _place(archive)
    contact = None if operator is None else _contact(operator)
    chosen = [_site(address) for address in sites]
    asks = not yes and sys.stdin.isatty() and sys.stderr.isatty()
    if path.exists() and not force and not _may_overwrite(path, asks):
        echo(f"{path} is as it was")
        return
    if asks:
        place = place or _ask("Archive, a folder or s3://bucket/prefix", _place, defaults_to="archive")
        contact = contact or _ask("Where servers can reach you, a web page or e-mail address", _contact)
        chosen = chosen or list(_ask_for_sites())
    tables = _named(chosen)
    write(path, new_file(place or "archive", contact, [site_table(name, site) for name, site in tables.items()]))
    echo(f"{path} is written: archive {place or 'archive'}, {counted(len(tables), 'site')}")
    _tell_next(list(tables), "" if path == DEFAULT_FILE or config is None else f" --config {path}")


def _may_overwrite(path: Path, asks: bool) -> bool:
    if not asks:
        raise UsageError(
            f"{path} is there already: --force writes it anew, newskeep sites check ADDRESS --write adds a site to it"
        )
    return click.confirm(f"{path} is there already. Write it anew?", err=True)


def _ask(question: str, read: Callable[[str], T | None], defaults_to: str = "") -> T | None:
    """Ask until the answer is one."""

    def taken(answer: str) -> T | None:
        try:
            return read(answer)
        except NewskeepError as error:
            raise click.BadParameter(str(error)) from error

    answer: T | None = click.prompt(
        question, default=defaults_to, show_default=bool(defaults_to), value_proc=taken, err=True
    )
    return answer


def _ask_for_sites() -> Iterator[Site]:
    question = "A news site to crawl, its address (empty: none)"
    while site := _ask(question, lambda answer: _site(answer) if answer.strip() else None):
        yield site
        question = "One more (empty: no more)"


def _place(text: str) -> str:
    from storage.objects import open_store

    place = text.strip()
    if not place or not place.isprintable():
        raise UsageError(f"{text!r} is no archive: a folder, or s3://bucket/prefix")
    place = place if "://" in place else str(expanded(place))
    open_store(place).close()
    return place


def _contact(text: str) -> str | None:
    contact = text.strip()
    # It becomes part of a header.
    if contact and not (contact.isascii() and re.fullmatch(r"[^\s@]+@[^\s@]+|https?://\S+", contact)):
        raise UsageError(f"{text!r} is no contact: a web page (https://…) or an e-mail address")
    return contact or None


def _site(text: str) -> Site:
    from crawler.sites.site import site_at

    address = text.strip()
    if not re.search(r"[.:/\[]", address):
        raise UsageError(f"{text!r} is no address of a site, such as https://www.example.org/")
    return site_at(address)


def _named(sites: list[Site]) -> dict[str, Site]:
    from crawler.sites.site_table import table_name

    named: dict[str, Site] = {}
    for site in dict.fromkeys(sites):
        named[table_name(site.name, named)] = site
    return named


def _tell_next(sites: list[str], config: str) -> None:
    steps = [(f"newskeep doctor{config}", "whether all is in place")]
    if sites:
        steps += [
            (f"newskeep sites check {sites[0]}{config}", "what a site would bring; archives nothing"),
            (f"newskeep due{config}", "crawl the sites"),
            (f"newskeep schedule install{config}", "from now on, by cron or systemd"),
        ]
    else:
        steps += [
            (f"newskeep sites check ADDRESS --write{config}", "try a site out, and add it"),
            (f"newskeep save URL{config}", "archive a page"),
        ]
    width = max(len(step) for step, _ in steps)
    echo("Next:")
    for step, what in steps:
        echo(f"  {step:<{width}}  {what}")

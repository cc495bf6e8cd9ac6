"""Options that commands share, and what they stand for."""

from __future__ import annotations

import getpass
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

import click
from click.shell_completion import CompletionItem

from crawler import defaults
from crawler.config import Config, load
from newskeep.cli._numbers import Real, Whole
from newskeep.cli._terminal import Formatter
from storage.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from storage.archive import Archive
    from storage.bulk import Shard

F = TypeVar("F", bound=Callable[..., Any])


def delay(default: float) -> Callable[[F], F]:
    """--delay of a command whose requests are `default` seconds apart where neither it nor the configuration says."""
    wait = f"Wait between two requests to a host.  [{default:g}]"
    return click.option("--delay", type=Real(0), metavar="SECONDS", help=wait)


#: --at-once of a command that crawls sites.
at_once = click.option(
    "--at-once",
    type=Whole(),
    default=defaults.SITES_AT_ONCE,
    show_default=True,
    metavar="N",
    help="Sites at a time.",
)
#: Of every command that fetches what it is told to.
ignore_robots = click.option("--ignore-robots", is_flag=True, help="Do not ask robots.txt.")
allow_private = click.option(
    "--allow-private", is_flag=True, default=None, help="Fetch from loopback and private addresses too."
)
render = click.option(
    "--render",
    type=click.Choice(get_args(defaults.Render)),
    metavar="WHEN",
    help="Show pages by a browser: never, when-needed (no text without scripts) or always.  [never]",
)
screenshot = click.option(
    "--screenshot", is_flag=True, default=None, help="Keep a picture of each rendered page; without --render, of all."
)
pdf = click.option(
    "--pdf", is_flag=True, default=None, help="Keep a PDF of each rendered page; without --render, of all."
)
insecure = click.option(
    "--insecure", is_flag=True, default=None, help="Fetch where TLS is not to be believed too, and mark it."
)
trust_proxy = click.option(
    "--trust-proxy", is_flag=True, default=None, help="Leave names to the proxy, and what it may fetch."
)
operator = click.option(
    "--operator", metavar="CONTACT", help="Web page or e-mail address that servers can reach you at."
)


def common(command: F) -> F:
    """Add --archive, --state, --index, --config and --verbose; the command gets each by its name."""
    for option in (
        click.option("-v", "--verbose", count=True, help="Say more on standard error; twice: everything."),
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            # Before the others: a site may be given by a name in it.
            is_eager=True,
            help="Configuration file.  [NEWSKEEP_CONFIG or ./newskeep.toml if there]",
        ),
        click.option(
            "--index",
            metavar="URI",
            help="An index that machines share, postgresql://USER@HOST/DATABASE.  [NEWSKEEP_INDEX or a file]",
        ),
        click.option("--state", metavar="DIR", help="Folder for what is local to this machine of a remote archive."),
        click.option(
            "--archive",
            metavar="URI",
            help="A folder, file://… or s3://bucket/prefix.  [NEWSKEEP_ARCHIVE or ./archive]",
        ),
    ):
        command = option(command)
    return command


def configured(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of `common`; the command gets `settings`, the configuration with what was given put over it."""

    @wraps(command)
    def settled(
        archive: str | None, state: str | None, index: str | None, config: Path | None, verbose: int, **given: Any
    ) -> Any:
        return command(settings=settle(config, verbose, archive=archive, state=state, index=index), **given)

    return common(settled)


def settle(config: Path | None, verbose: int, **given: Any) -> Config:
    """Read the configuration, put the options that were given over it, and set up logging."""
    set_up_logging(verbose)
    return replace(load(config), **{name: value for name, value in given.items() if value is not None})


def open_existing(config: Config) -> Archive:
    """Open the archive for reading; raises `StoreUnavailable` when there is none."""
    from storage import open_archive

    archive = open_archive(config.archive, config.state, config.lock, config.shared_index)
    archive.store.check()
    return archive


def set_up_logging(verbose: int) -> None:
    """Log to standard error: warnings, with -v what we do, with -vv what Scrapy does too."""
    logging.basicConfig(format="%(levelname)s: %(message)s" if verbose < 2 else "%(asctime)s %(name)s %(message)s")
    for handler in logging.getLogger().handlers:
        form = handler.formatter
        if form is not None and not isinstance(form, Formatter):
            handler.setFormatter(Formatter(form._fmt))
    logging.getLogger().setLevel(logging.DEBUG if verbose > 1 else logging.WARNING)
    for ours in ("newskeep", "crawler", "spiders", "storage"):
        logging.getLogger(ours).setLevel([logging.WARNING, logging.INFO, logging.DEBUG][min(verbose, 2)])
    # It would name the whole addresses of pings and webhooks, which are secrets.
    logging.getLogger("urllib3").setLevel(logging.INFO)
    # What goes wrong with a request is its outcome; Scrapy and Twisted would say it a second time, with a traceback.
    # warcio tells each time that it reads an address with blanks in it.
    if verbose < 2:
        for theirs in (
            "scrapy",
            "twisted",
            "trafilatura",
            "asyncio",
            "py.warnings",
            "warcio",
            "procrastinate",
            "psycopg",
        ):
            logging.getLogger(theirs).setLevel(logging.CRITICAL)


class Moment(click.ParamType[datetime]):
    """A point in time: 2026, 2026-11-21, 2026-11-21T22:01+01:00 or 1 to 14 digits."""

    name = "time"

    def __init__(self, pad: Literal["start", "end"] = "start") -> None:
        self._pad: Literal["start", "end"] = pad

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        from storage.urls import parse_timestamp

        if isinstance(value, datetime):
            return value
        try:
            return parse_timestamp(value, self._pad)
        except UsageError as error:
            self.fail(str(error), param, ctx)


def check_order(since: datetime | None, until: datetime | None) -> None:
    """Raise `UsageError` where a time ends before it begins: it would hold nothing, and seem to be empty."""
    if since is not None and until is not None and since > until:
        first, last = (f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" for moment in (since, until))
        raise UsageError(f"--since is after --until: {first} and {last}, in UTC")


def site_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """What Tab offers for a site: the names in newskeep.toml; none where it cannot be read."""
    given = ctx.params.get("config")
    try:
        sites = load(given if isinstance(given, Path) else None).sites
    except ConfigError:
        return []
    return [name for name in sites if name.startswith(incomplete)]


class SiteName(click.ParamType[str]):
    """A site by its name in newskeep.toml, by its host, "www." or not, or by an address on it."""

    name = "site"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from newskeep.site_hosts import site_asked

        given = ctx.params.get("config") if ctx is not None else None
        try:
            return site_asked(load(given if isinstance(given, Path) else None), value)
        except UsageError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in site_names(ctx, param, incomplete)]


class ShardType(click.ParamType["Shard"]):
    """A part of all WARCs: 2/8."""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        from storage.bulk import Shard

        try:
            return value if isinstance(value, Shard) else Shard.parse(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


class TagName(click.ParamType[str]):
    """A tag, in its form."""

    name = "tag"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from storage.annotations import parse_tag

        try:
            return parse_tag(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


#: --tag of a command that archives.
gives_tags = click.option(
    "--tag", "tags", type=TagName(), multiple=True, metavar="TAG", help="Give what is archived this tag; repeatable."
)
#: --tag of a command that chooses among what is held.
executor_option = click.option(
    "--executor",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Where: in this process, or on Ray, on the cluster of RAY_ADDRESS or all of this machine.",
)
of_tag = click.option("--tag", type=TagName(), metavar="TAG", help="Only what has this tag.")


def who(by: str | None) -> str:
    """Who says something: as given, else the user's name on this machine. Raises `UsageError` where that is unknown."""
    if by:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise UsageError("--by is missing: this user has no name here") from None


def why_nothing(archive: Archive, site: str | None, tag: str | None = None) -> str:
    """What to add where nothing was found: that a site or tag is unknown, or that the index is empty; else empty."""
    if next(archive.index.warcs(), None) is None:
        return "; its index is empty: newskeep reindex"
    if tag is not None and not archive.index.tag(tag).captures:
        held = [each.tag for each in archive.index.tags() if each.captures][:5]
        return f"; nothing has the tag {tag}, but {', '.join(held)}" if held else f"; nothing has the tag {tag}"
    if site is not None and all(each != site for each in archive.index.sites()):
        held = list(islice(archive.index.sites(), 5))
        return f"; no article of {site} is held, but of {', '.join(held)}" if held else ""
    return ""


class Since(Moment):
    """A point in time, or how long ago: 7d, 12h."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        from crawler.durations import parse_duration

        if isinstance(value, str) and re.fullmatch(r"\d+(?:\.\d+)?\s*[smhdw]", value.strip()):
            return datetime.now(UTC) - timedelta(seconds=parse_duration(value))
        return super().convert(value, param, ctx)


class Share(click.ParamType[float]):
    """A part of one, 0 to 1."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            share = float(value)
        except ValueError:
            share = -1.0
        # Not a number is not between them either.
        if not 0 <= share <= 1:
            self.fail(f"{value!r} is no number from 0 to 1, such as 0.3", param, ctx)
        return share


class Duration(click.ParamType[float]):
    """A length of time in seconds: 90, 15m, 2h, 1d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from crawler.durations import parse_duration

        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(f"{value!r} is no time; write {error}", param, ctx)

"""`newskeep serve`: the archive in a browser, and for programs over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from newskeep.cli._options import common, open_existing, settle
from newskeep.cli._terminal import echo
from storage.errors import UsageError

if TYPE_CHECKING:
    from newskeep.web.options import ServeOptions
    from storage.archive import Archive

_EXAMPLES = """\b
Examples:
  newskeep serve
  newskeep serve --archive s3://my-bucket/news --port 9000
  newskeep serve --replay
  newskeep serve --noarchive withhold
  NEWSKEEP_WEB_USER=desk:secret newskeep serve --host 0.0.0.0

\b
Exit codes: 0 ended by Ctrl-C, 2 an option is wrong or a port taken, 3 the archive is out of reach."""


@click.command(epilog=_EXAMPLES)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Port; 0: a free one.")
@click.option(
    "--originals-port",
    type=click.IntRange(0, 65535),
    help="Port of the archived pages, which must not share the app's.  [the port after it]",
)
@click.option("--public-url", metavar="URL", help="The app's address as visitors know it, behind a proxy.")
@click.option("--originals-url", metavar="URL", help="The same for the archived pages: another host or port.")
@click.option("--token", envvar="NEWSKEEP_WEB_TOKEN", help="Ask for this token.  [NEWSKEEP_WEB_TOKEN]")
@click.option("--user", envvar="NEWSKEEP_WEB_USER", metavar="NAME:PASSWORD", help="Or for these.  [NEWSKEEP_WEB_USER]")
@click.option(
    "--noarchive",
    type=click.Choice(["withhold", "show"]),
    help="What to do with pages that say noarchive.  [show on this machine, withhold from others]",
)
@click.option("--read-only", is_flag=True, help="Let nobody correct or save, whoever has the key.")
@click.option("--replay", is_flag=True, help="Run pywb too, which shows pages with pictures, styles and scripts.")
@click.option("--replay-port", type=click.IntRange(0, 65535), help="Port of the replayed pages.  [the port after that]")
@click.option("--replay-url", metavar="URL", help="Their address as visitors know it, behind a proxy.")
@click.option(
    "--pywb",
    envvar="NEWSKEEP_PYWB",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="pywb's virtual environment.  [NEWSKEEP_PYWB or ~/.local/share/newskeep/pywb]",
)
@common
def serve(
    host: str,
    port: int,
    originals_port: int | None,
    public_url: str | None,
    originals_url: str | None,
    token: str | None,
    user: str | None,
    noarchive: Literal["withhold", "show"] | None,
    read_only: bool,
    replay: bool,
    replay_port: int | None,
    replay_url: str | None,
    pywb: Path | None,
    archive: str,
    state: str,
    index: str,
    config: Path,
    verbose: int,
) -> None:
    """Show the archive in a browser, and to programs: Memento, CDX, a JSON API, Atom feeds.

    On 127.0.0.1 everybody of this machine may look; on other addresses a token or a name and password is needed. Who
    may look may also correct an article's text, as `newskeep correct` does, and have pages saved, as `newskeep save`
    does; nothing else can be changed. With --read-only, or where others may look without a key, nobody may. Archived
    pages are shown from a port of their own, without their scripts.

    Pages that say noarchive are shown on this machine and withheld (451) where others can look.
    """
    settings = settle(config, verbose, archive=archive, state=state, index=index)
    try:
        from newskeep.web.options import ServeOptions
        from newskeep.web.replay import find_pywb
        from newskeep.web.server import run
    except ModuleNotFoundError as error:
        from storage.extras import command_for

        if (error.name or "").partition(".")[0] in ("newskeep", "crawler", "storage"):
            raise
        raise UsageError(f"{error.name} is not installed: {command_for('web')}") from None
    beside = originals_port if originals_port is not None else _after(port)
    if not replay and (replay_port is not None or replay_url is not None):
        raise UsageError("--replay-port and --replay-url go with --replay")
    options = ServeOptions(
        host=host,
        port=port,
        originals_port=beside,
        public_url=public_url,
        originals_url=originals_url,
        token=token,
        user=user,
        noarchive=noarchive,
        read_only=read_only,
        config=settings,
        replay_port=(replay_port if replay_port is not None else _after(beside)) if replay else None,
        replay_url=replay_url,
    )
    options.check()
    program = find_pywb(pywb) if replay else None
    with open_existing(settings) as opened:
        _warn_if_empty(opened)
        run(opened, options, lambda settled: _say(opened, settled), access_log=bool(verbose), pywb=program)


def _after(port: int) -> int:
    """The next port; any free one where there is none."""
    return port + 1 if 0 < port < 65535 else 0


def _warn_if_empty(archive: Archive) -> None:
    if not archive.index.counts().warcs and next(archive.store.list("warc/"), None) is not None:
        echo(f"the index of {archive.uri} on this machine is empty; make it with `newskeep reindex`", err=True)


def _say(archive: Archive, options: ServeOptions) -> None:
    host = f"[{options.host}]" if ":" in options.host else options.host
    echo(options.public_url or f"http://{host}:{options.port}/")
    where = options.originals_url or f"port {options.originals_port}"
    if options.replay_port is not None:
        where += f", replayed ones on {options.replay_url or f'port {options.replay_port}'}"
    echo(f"{archive.uri}{', read-only' * (not options.may_correct)}; archived pages on {where}; Ctrl-C ends", err=True)
    wanting = sorted(
        name for name, table in options.config.sites.items() if isinstance(table, dict) and table.get("websub")
    )
    if wanting and not (options.public_url and options.may_save):
        echo(f"hubs cannot tell what {', '.join(wanting)} has new: websub needs --public-url, and a key", err=True)
    if options.withholds:
        echo("pages that say noarchive are withheld (451); --noarchive show shows them", err=True)

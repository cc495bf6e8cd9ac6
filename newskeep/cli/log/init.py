"""`newskeep log init`: make the key of a log, and log what is held."""

from __future__ import annotations

import click

from crawler.config import Config
from newskeep.cli._options import configured
from newskeep.cli._terminal import echo
from newskeep.cli.log.update import bring_up_to_date
from storage import open_archive

_EXAMPLES = """\b
Examples:
  newskeep log init
  newskeep log init --name "the town archive, machine 2" --archive s3://my-bucket/news

\b
Exit codes: 0 done, 2 there is a key already or it cannot be written, 3 the archive is out of reach, 7 a WARC cannot be
read."""


@click.command(epilog=_EXAMPLES)
@click.option("--name", default="", metavar="TEXT", help="What the log is called, for people.")
@configured
def init(name: str, settings: Config) -> int:
    """Make a key for this user and archive, and begin a log: all that is held, then all that comes.

    The key lies in your configuration (~/.config/newskeep/logs), readable by you alone, and never in the archive. Who
    has it can sign in the archive's name: keep a copy where only you can get at it. Other machines that write into the
    same archive begin logs of their own.
    """
    from storage.transparency.keys import PrivateKey, key_path

    with open_archive(settings.archive, settings.state, settings.lock, settings.shared_index) as opened:
        # An archive may begin with its log.
        opened.store.check(write=True)
        path = key_path(opened.uri)
        PrivateKey.make(path)
        assert opened.log is not None
        opened.log.begin(name)
        echo(f"the key is {path}: keep a copy of it in a safe place", err=True)
        return bring_up_to_date(opened, settings)

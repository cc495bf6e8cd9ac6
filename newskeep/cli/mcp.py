"""`newskeep mcp`: the archive for assistants."""

from __future__ import annotations

import click

from crawler.config import Config
from newskeep.cli._options import configured, open_existing
from storage.errors import UsageError
from storage.extras import command_for

_EXAMPLES = """\b
Examples:
  newskeep mcp --archive s3://my-bucket/news
  claude mcp add news -- newskeep mcp --archive ~/news
  newskeep mcp --public-url https://archive.example.org

\b
Exit codes: 0 the assistant has ended it, 2 an option is wrong, 3 the archive is out of reach."""


@click.command(epilog=_EXAMPLES)
@click.option("--public-url", metavar="URL", help="Where `newskeep serve` shows the archive, for links to mementos.")
@configured
def mcp(public_url: str | None, settings: Config) -> None:
    """Let an assistant read the archive: the Model Context Protocol on standard input and output.

    It is started by the assistant's program and has three tools: search, get and versions. Each answer names its
    memento, the capture that it stands on. Nothing is changed or fetched. Texts go to whoever runs the assistant.
    """
    if public_url is not None and not public_url.startswith(("http://", "https://")):
        raise UsageError(f"--public-url {public_url}: write scheme and host, such as https://archive.example.org")
    try:
        from newskeep.assistant import Assistant
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("newskeep", "crawler", "storage"):
            raise
        raise UsageError(f"{error.name} is not installed; {command_for('mcp')}") from None
    with open_existing(settings) as archive:
        Assistant(archive, public_url).server().run("stdio")

"""The command line: one file a command, each of which parses, calls and prints."""

from __future__ import annotations

import difflib
import gc
import sys
from importlib import import_module
from keyword import iskeyword

import click
from click.shell_completion import CompletionItem

from newskeep import _packages
from newskeep.cli import _streams

#: Heading of --help -> command -> what is said of it there. A command is the function of its name in the module of its
#: name, imported when it is called, so that --help is there at once.
COMMANDS = {
    "First steps": {
        "init": "Write newskeep.toml: where the archive is, how you can be reached, which sites.",
        "demo": "See it work: archive a small news site that ships with the program.",
        "docs": "Read the documents: they come with the program.",
        "completion": "Have bash, zsh or fish complete commands and options.",
    },
    "Fetch": {
        "save": "Archive URLs now: from the command line, a file or standard input.",
        "crawl": "Crawl news sites by name or address: what is new, and what is due again.",
        "due": "Crawl the sites that are due: the one line for cron.",
        "schedule": "See what runs when, and have cron or systemd start it.",
        "sites": "List sites, try one out, see and correct what repeats over its pages.",
        "identity": "Sign requests, so that servers can tell who asks, and tell whether one was yours.",
        "import": "Bring in WARC, WACZ and ARC files of other crawlers, bytes unchanged.",
    },
    "On many machines": {
        "submit": "Queue work for workers on any machine: what is due, sites, lists of URLs.",
        "worker": "Do what was submitted, beside any number of others.",
        "jobs": "See the queue: what runs, waits or failed, and why; retry, cancel, report.",
    },
    "Read": {
        "get": "Get a page back: body, exact HTTP exchange, text, Markdown or JSON.",
        "captures": "List what is held of a URL or host.",
        "search": "Find articles by the words in their title and text.",
        "explain": "Show a page's blocks, kept and removed, with the reasons.",
        "correct": "Say which blocks of a page belong to its text, or take that back.",
        "corrections": "List what readers corrected, of all sites or of some.",
        "doubts": "List the articles whose text is in doubt, the least sure first.",
        "changes": "Show an article's versions and what changed between them.",
        "duplicates": "Find the same text, or nearly the same, under other URLs.",
        "rights": "Show what a site said of the use of its pages, and when that changed.",
    },
    "Describe": {
        "tag": "Give tags to pages, sites or versions, or take them away.",
        "tags": "List the tags and collections, and how much has them.",
        "collection": "Give a tag a title and a description.",
        "note": "Put a note on a page, list its notes, or take one back.",
    },
    "Keep well": {
        "status": "Show the whole archive: what it holds and takes, how it goes, what is due next.",
        "alerts": "Tell people and programs what is new, changed or gone, and which sites are in trouble.",
        "health": "Tell how each site goes: silent, redesigned, blocked, failing, and what to do.",
        "doctor": "Look whether all is in place: program, configuration, store, schedule; with the cure.",
        "verify": "Check what is held: WARCs, CDXJ, text and index against each other, or every byte.",
        "index": "Publish months of the index: ZipNum for pywb, Parquet for DuckDB.",
        "reindex": "Make the index again from the store, or bring it up to date.",
        "reextract": "Make the text again from the WARCs.",
        "copy": "Copy an archive to another place, or what it lacks of it.",
        "compact": "Join a day's small WARC files into large ones.",
        "remove": "Take pages out: hidden everywhere at once, purged for good on request.",
    },
    "Prove": {
        "log": "Keep a signed log of what is archived, which shows what was changed or removed.",
        "prove": "Write the proof of a capture: what came, signed and stamped, in one file.",
        "check-proof": "Check a proof: no archive and no network is needed.",
    },
    "Hand on": {
        "export": "Hand it on: JSON lines, Parquet, Markdown, WET, WACZ, CDXJ.",
        "serve": "Show the archive in a browser, and to programs over HTTP.",
        "mcp": "Let an assistant search and read it, by the Model Context Protocol.",
    },
}

#: Allocations between two looks for garbage cycles (700 by default), which were a tenth of each command's start: what
#: is imported stays, and commands make few cycles.
_GC_THRESHOLD = 10_000

#: What says by itself which variables have no effect: from a crontab not at each run, and as a check of its own.
_TELL_THEMSELVES = ("due", "doctor")


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [name for group in COMMANDS.values() for name in group]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if not any(cmd_name in group for group in COMMANDS.values()):
            return None
        # Python's own words get an underscore behind them (PEP 8), and a hyphen is one.
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name.replace("-", "_")
        command = getattr(import_module(f"newskeep.cli.{name}"), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        # click looks for what was meant among the commands that it holds itself, and it holds none of ours.
        if args[0].startswith("-") or args[0] in self.list_commands(ctx):
            return super().resolve_command(ctx, args)
        near = difflib.get_close_matches(args[0], self.list_commands(ctx), 1)
        meant = f"; did you mean {near[0]}?" if near else "; newskeep --help lists them"
        raise click.UsageError(f"There is no command {args[0]!r}{meant}", ctx)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        # click would import every command for its summary.
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        commands = {name: summary for group in COMMANDS.values() for name, summary in group.items()}
        return [CompletionItem(name, help=said) for name, said in commands.items() if name.startswith(incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        longest = max(map(len, self.list_commands(ctx)))
        for heading, group in COMMANDS.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(longest), summary) for name, summary in group.items()])


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every command has its own --help with examples.",
)
@click.version_option(package_name="newskeep", message="%(prog)s %(version)s")
@click.pass_context
def newskeep(ctx: click.Context) -> None:
    """Archive news: exact WARC files of what servers sent, and the clean text of the articles.

    \b
    First steps:
      newskeep demo                                 see it work, without a network
      newskeep init                                 write newskeep.toml: archive, contact, sites
      newskeep save https://www.example.org/news    archive a page, into the folder ./archive
      newskeep get https://www.example.org/news     get it back
    """
    if ctx.invoked_subcommand not in _TELL_THEMSELVES:
        from crawler.config import variables_without_effect
        from newskeep.cli._terminal import echo

        for line in variables_without_effect():
            echo(f"newskeep: {line}", err=True)


def main() -> None:
    """Run the command line and end the process with the exit code of the error, if any."""
    gc.set_threshold(_GC_THRESHOLD)
    _streams.open_missing()
    _streams.take_any_text()
    _packages.leave_current_folder()
    if clash := _packages.clash():
        click.echo(f"newskeep: {clash}", err=True)
        sys.exit(2)
    # Not before it is known to be ours.
    from storage.errors import NewskeepError

    try:
        code = newskeep.main(standalone_mode=False)
    except NewskeepError as error:
        from newskeep.cli._terminal import echo

        echo(f"newskeep: {error}", err=True)
        code = error.exit_code
    except click.ClickException as error:
        from newskeep.cli._terminal import show_error

        show_error(error)
        code = 2
    except click.Abort:
        code = 130
    except BrokenPipeError:
        # Somebody closed the pipe, as `head` does.
        _streams.drop_broken()
        code = 0
    except (OSError, MemoryError, RuntimeError) as error:
        from crawler.session.faults import refusal

        if (said := refusal(error)) is None:
            raise
        _streams.tell_last(f"newskeep: {said}")
        code = 1
    sys.exit(code if isinstance(code, int) else 0)

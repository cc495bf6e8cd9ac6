"""`newskeep jobs`: what was submitted; one file a subcommand."""

from __future__ import annotations

import click

from newskeep.cli.jobs.cancel import cancel
from newskeep.cli.jobs.list import list_
from newskeep.cli.jobs.purge import purge
from newskeep.cli.jobs.report import report
from newskeep.cli.jobs.retry import retry
from newskeep.cli.jobs.show import show

_EXAMPLES = """\b
Examples:
  newskeep jobs                          what runs, waits and failed, and who works
  newskeep jobs list --status failed     with the reasons
  newskeep jobs show 12                  each attempt at a job
  newskeep jobs retry 12
  newskeep jobs report 3                 what became of a list of URLs"""


class _ListUnlessSaid(click.Group):
    """`newskeep jobs`, also with options, is `newskeep jobs list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        asks_help = bool(args) and args[0] in ctx.help_option_names
        return super().parse_args(ctx, args if args and (asks_help or args[0][:1] != "-") else ["list", *args])


@click.group(cls=_ListUnlessSaid, epilog=_EXAMPLES)
def jobs() -> None:
    """See the queue: jobs that run, wait or failed, and why; have them done again, or cancel them.

    Without a subcommand it is `newskeep jobs list`.
    """


for command in (list_, show, retry, cancel, purge, report):
    jobs.add_command(command)

"""`newskeep schedule`: see, set and take away what runs when; one file a subcommand."""

from __future__ import annotations

import click

from newskeep.cli.schedule import install, remove
from newskeep.cli.schedule.list import list_
from newskeep.cli.schedule.next import next_


@click.group()
def schedule() -> None:
    """See what runs when, and have cron or systemd start it."""


for command in (list_, next_, install.install, remove.remove):
    schedule.add_command(command)

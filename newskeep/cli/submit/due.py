"""`newskeep submit due`: queue what is due."""

from __future__ import annotations

import click

from crawler.config import Config
from newskeep.cli._options import site_names
from newskeep.cli._queue import opened_queue, with_queue

_EXAMPLES = """\b
Examples:
  newskeep submit due                    every few minutes, in a crontab or a timer
  newskeep submit due -v
  newskeep submit due gazette herald     of these, those that are due

\b
Exit codes: 0 done, also with nothing due, 2 usage or configuration, 3 the queue or the
archive is out of reach."""


@click.command(epilog=_EXAMPLES)
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=site_names)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each site that is due.")
@with_queue
def due(names: tuple[str, ...], as_json: bool, settings: Config) -> None:
    """Queue the sites that `newskeep due` would crawl now, the most overdue first.

    However many machines do so, and how often: a site waits once, and not while it is crawled. Says nothing of what was
    queued, for crontabs; with -v it does.
    """
    import logging

    from crawler.frontier import frontier_of
    from newskeep.schedule.due import sites_of
    from storage import open_archive

    sites = sites_of(settings, names)
    with (
        opened_queue(settings) as queue,
        open_archive(settings.archive, settings.state, settings.lock, settings.shared_index) as archive,
    ):
        from newskeep.cli.submit._shown import show
        from newskeep.queue.submitting import submit_due

        submitted = submit_due(queue, settings, frontier_of(archive), sites)
        if as_json or logging.getLogger("newskeep").isEnabledFor(logging.INFO):
            show(submitted, as_json)
        else:
            for _ in submitted:
                pass

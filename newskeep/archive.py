"""The archive as programs have it: what `storage` reads, and `save`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from storage import archive as base
from storage.places import places, shared_index
from storage.urls import timestamp14

if TYPE_CHECKING:
    from storage.model import Outcome


class Archive(base.Archive):
    """What is held under one URI. Every method may raise `StoreUnavailable`.

    The index is opened on first use and made when absent. Use as a context manager, or call `close`.
    """

    def save(
        self,
        urls: str | Iterable[str],
        *,
        on_outcome: Callable[[Outcome], object] = lambda outcome: None,
        newer_than: datetime | None = None,
        requisites: bool = False,
        ignore_robots: bool = False,
        allow_private: bool | None = None,
        operator: str | None = None,
        timeout: float | None = None,
        delay: float | None = None,
        config: str | os.PathLike[str] | None = None,
        asked_by: str | None = None,
    ) -> list[Outcome]:
        """Fetch URLs now, archive and index them, and return what became of each different one, as it was known.

        It does what `newskeep save` does, by the same newskeep.toml and variables, in a process of its own: it may
        be called any number of times, in threads and notebooks; in a coroutine with `asyncio.to_thread`. `on_outcome`
        is called with each outcome as soon as it is durable. An exception there, or Ctrl-C, stops the rest in order.

        What is held since `newer_than` (without a zone: UTC) is not asked for. `requisites` archives pictures, styles
        and scripts too. `allow_private`, `operator`, `timeout` and `delay` (seconds) go before the configuration;
        `config` names its file. `asked_by` is kept in the crawl report.

        A URL that fails is an outcome, no error. Raises `UsageError`, `ConfigError`, and `StoreUnavailable` where
        nothing can be written or the store is away; what was fetched then waits for the next run.
        """
        from newskeep.saving.process import saved
        from newskeep.saving.request import SaveRequest, url_list

        given = {
            "robots": False if ignore_robots else None,
            "allow_private": allow_private,
            "operator": operator,
            "timeout": timeout,
            "delay": delay,
            # Through a pipe, with its password.
            "index": None if self.shared_index is None else self.shared_index.uri,
        }
        request = SaveRequest(
            archive=self.uri,
            state=str(self.state.absolute()),
            urls=url_list(urls),
            config=None if config is None else os.fspath(config),
            given={name: value for name, value in given.items() if value is not None},
            requisites=requisites,
            newer_than=None if newer_than is None else _digits(newer_than),
            asked_by=asked_by,
        )
        outcomes: list[Outcome] = []
        if not request.urls:
            return outcomes
        # Closed at once where the caller raises, not when Python gets to it.
        with closing(saved(request)) as running:
            for outcome in running:
                outcomes.append(outcome)
                on_outcome(outcome)
        return outcomes


def open_archive(
    uri: str | os.PathLike[str] = "archive",
    state: str | os.PathLike[str] | None = None,
    index: str | None = None,
) -> Archive:
    """Open the archive in a folder or bucket; nothing is made or asked before it is used.

    `uri` is a folder, `file://…` or `s3://bucket/prefix`. `state` is the folder for what is local to this machine; by
    default the archive's folder itself, and for a remote archive a folder of its own in the user's state folder.
    `index` is a PostgreSQL database that several machines share, postgresql://USER@HOST/DATABASE; by default the index
    is a file in the state folder. Raises `UsageError` for what is no such address.
    """
    return Archive(*places(uri, state), shared_index(index))


def _digits(moment: datetime) -> str:
    return timestamp14(moment if moment.tzinfo else moment.replace(tzinfo=UTC))

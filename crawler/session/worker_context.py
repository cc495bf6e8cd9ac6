"""Processes that do not run the program they come from: they need our modules alone.

Multiprocessing runs the main module again in each new process, so that what it defines is found. A script that starts
Scrapy without `if __name__ == "__main__"`, as many do, would crawl once more in each worker.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import popen_forkserver, spawn
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.process import BaseProcess
from typing import Any

_launching = threading.Lock()


class _Process(ForkServerProcess):
    @staticmethod
    def _Popen(process_obj: BaseProcess) -> popen_forkserver.Popen:  # noqa: N802 - Python's name
        with _without_main():
            return ForkServerProcess._Popen(process_obj)


class WorkerContext(ForkServerContext):
    """Starts processes by Python's fork server; what they are to call has to be in a module that can be imported."""

    Process = _Process


@contextmanager
def _without_main() -> Iterator[None]:
    """Leave the main module out of what a process that this thread starts is told of its parent."""
    given, mine = spawn.get_preparation_data, threading.get_ident()

    def told(name: str) -> dict[str, Any]:
        data = given(name)
        if threading.get_ident() != mine:
            return data
        return {key: value for key, value in data.items() if not key.startswith("init_main_")}

    with _launching:
        spawn.get_preparation_data = told
        try:
            yield
        finally:
            spawn.get_preparation_data = given

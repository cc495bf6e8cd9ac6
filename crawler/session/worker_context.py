"""Processes that do not run the program they come from: they need our modules alone.

Multiprocessing runs the main module again in each new process, so that what it defines is found. A script that starts
Scrapy without `if __name__ == "__main__"`, as many do, would crawl once more in each worker.
"""

from __future__ import annotations

import inspect
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import connection, forkserver, popen_forkserver, spawn, util
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol, cast

_launching = threading.Lock()
#: What Python's fork server is started with, as far as we know it: others want more (3.14 a key).
_STARTED_WITH = ["listener_fd", "alive_r", "preload", "main_path", "sys_path"]


#: As `ps -o comm` shows the processes that extract, of jobs.
_NAME = "newskeep-text"


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


class _ForkServer(Protocol):
    """What `multiprocessing` keeps of the process that others come from, under private names."""

    _forkserver_address: str | None
    _forkserver_alive_fd: int | None
    _forkserver_pid: int | None


def fork_server() -> None:
    """Make the process that workers come from out of this one, which has loaded all that they need, and has no thread.

    It ends with this one, as one does that is started. Where Python starts it in a way that we do not know, nothing is
    done: then it is started on first use, and loads all that once more.
    """
    if list(inspect.signature(forkserver.main).parameters) != _STARTED_WITH:
        return
    address = str(connection.arbitrary_address("AF_UNIX"))  # type: ignore[attr-defined]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        if not util.is_abstract_socket_namespace(address):
            Path(address).chmod(0o600)
        listener.listen()
        # The end of what is written tells it that this process has ended.
        alive, ours = os.pipe()
        pid = os.fork()
        if not pid:
            _serve_workers(listener.detach(), alive, ours)
        os.close(alive)
    server = cast(_ForkServer, forkserver._forkserver)
    server._forkserver_address, server._forkserver_alive_fd, server._forkserver_pid = address, ours, pid


def _serve_workers(listener: int, alive: int, parents: int) -> None:
    """Be the process that workers come from, to its end."""
    try:
        os.close(parents)
        # Standard output is for the answers of the other one.
        os.dup2(2, 1)
        Path("/proc/self/comm").write_text(_NAME)
        # Deaf to what is sent to the process group, as `extraction_pool` starts it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        forkserver.main(listener, alive, [])
    finally:
        os._exit(0)

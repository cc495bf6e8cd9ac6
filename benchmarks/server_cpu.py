"""Processor time of the PostgreSQL process that answers for an index, on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from storage.index.index import Index

_TICK = os.sysconf("SC_CLK_TCK")


def server_cpu(index: Index) -> Callable[[], float]:
    """Return what says how many seconds the server's process for an index took so far; 0 of SQLite.

    Of one thread, whose connection the index keeps. A tick is 10 ms: worth something over many questions alone.
    Parallel workers are not counted. Raises `OSError` where the server is not on this machine.
    """
    database = index._database
    if database.engine.dialect.name != "postgresql":
        return lambda: 0.0
    with database.connect() as connection:
        backend = int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
    return lambda: _seconds(backend)


def _seconds(process: int) -> float:
    # proc_pid_stat(5): behind the name come state, parent, …; utime and stime are its fields 14 and 15.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK

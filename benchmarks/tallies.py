"""CPU and memory of all that runs below this process, whoever waits for it, with those of some names apart."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from processes import family, pss

from crawler.browser.processes import adopt_orphans

_TICK = os.sysconf("SC_CLK_TCK")
_CPU_EVERY, _MEMORY_EVERY = 0.1, 1.0
#: Seconds for what is left behind to end by itself.
_PATIENCE = 60.0


@dataclass(slots=True)
class Tally:
    """Seconds of CPU (`apart`: of it, those of the names), of the clock, and bytes."""

    cpu: float = 0.0
    apart: float = 0.0
    seconds: float = 0.0
    peak: int = 0


@contextmanager
def tallied(total: Tally, apart: Sequence[str]) -> Iterator[None]:
    """Add what the processes take that are started meanwhile; returns when all of them have ended.

    `apart` are parts of command lines. Raises `RuntimeError` where one does not end.
    """
    adopt_orphans()
    ended, seen = threading.Event(), _Seen(frozenset(family(os.getpid())))
    watcher = threading.Thread(target=seen.watch, args=(ended,))
    start = time.monotonic()
    watcher.start()
    try:
        yield
    finally:
        # The work is done; what it leaves behind is counted, and not waited for by its user.
        total.seconds += time.monotonic() - start
        left = _wait_for_orphans(seen)
        ended.set()
        watcher.join()
    total.peak = max(total.peak, seen.peak)
    for command, seconds in seen.cpu.values():
        total.cpu += seconds
        total.apart += seconds if any(part in command for part in apart) else 0.0
    if left:
        raise RuntimeError(f"{len(left)} processes go on: {left}")


class _Seen:
    def __init__(self, others: frozenset[int]) -> None:
        self._others = others
        #: Of each process its command, as it is called last, and its own seconds.
        self.cpu: dict[tuple[int, str], tuple[str, float]] = {}
        self.peak = 0

    def watch(self, ended: threading.Event) -> None:
        memory_at = 0.0
        while not ended.wait(_CPU_EVERY):
            running = self.running()
            for pid in running:
                self._look(pid)
            if time.monotonic() >= memory_at:
                self.peak = max(self.peak, sum(map(pss, running)))
                memory_at = time.monotonic() + _MEMORY_EVERY

    def running(self) -> list[int]:
        return [pid for pid in family(os.getpid()) if pid not in self._others]

    def _look(self, pid: int) -> None:
        with suppress(OSError):
            # proc_pid_stat(5): behind the name come state, parent, …; fields 14 and 15 are its CPU, 22 when it began.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            command = Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
            key = (pid, fields[19])
            if not command and key in self.cpu:
                command = self.cpu[key][0]  # it has ended and is not waited for yet
            self.cpu[key] = (command, (int(fields[11]) + int(fields[12])) / _TICK)


def _wait_for_orphans(seen: _Seen) -> list[str]:
    """Wait for all that became our child; return what does not end."""
    deadline = time.monotonic() + _PATIENCE
    while (running := seen.running()) and time.monotonic() < deadline:
        for pid in running:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.05)
    return [Path(f"/proc/{pid}/cmdline").read_text(errors="replace") for pid in running]

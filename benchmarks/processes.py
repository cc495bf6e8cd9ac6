"""Run a command and watch the memory of it and all its children (Linux: /proc)."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from crawler.browser.processes import adopt_orphans

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory at a moment: `main` of the process itself, `total` with its children (proportional set size, bytes)."""

    seconds: float
    main: int
    total: int
    #: What `progress` gave.
    done: int


@dataclass(frozen=True, slots=True)
class Run:
    """How a command ran; times in seconds, `cpu` of the process and all it started, `main_cpu` of itself alone."""

    code: int
    seconds: float
    cpu: float
    main_cpu: float
    samples: tuple[Sample, ...]
    stdout: bytes

    @property
    def peak(self) -> Sample:
        return max(self.samples, key=lambda sample: sample.total)


def watch(
    command: list[str], env: Mapping[str, str], every: float = 0.5, progress: Callable[[], int] = lambda: 0
) -> Run:
    """Run `command` to its end; its standard error is ours."""
    samples: list[Sample] = []
    # So that the CPU of what a child leaves behind is counted too.
    adopt_orphans()
    others = set(_children(os.getpid()))
    before = _children_cpu()
    start = time.monotonic()
    ended = threading.Event()
    process = subprocess.Popen(command, env=dict(env), stdout=subprocess.PIPE)

    def sample() -> None:
        while not ended.wait(every):
            main, total = pss(process.pid), sum(pss(child) for child in family(process.pid))
            if total:
                samples.append(Sample(time.monotonic() - start, main, total, progress()))

    watcher = threading.Thread(target=sample)
    watcher.start()
    try:
        assert process.stdout is not None
        stdout = process.stdout.read()
        # Not yet waited for, it still tells what it took by itself.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        seconds, main_cpu = time.monotonic() - start, _own_cpu(process.pid)
    finally:
        ended.set()
        watcher.join()
        process.communicate()
    for orphan in set(_children(os.getpid())) - others:
        with suppress(ChildProcessError):
            os.waitpid(orphan, 0)
    return Run(process.returncode, seconds, _children_cpu() - before, main_cpu, tuple(samples), stdout)


def family(pid: int) -> list[int]:
    """The process and everything it started that still lives."""
    return [pid, *(each for child in _children(pid) for each in family(child))]


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def pss(pid: int) -> int:
    """Proportional set size in bytes; 0 when the process is gone."""
    try:
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def _own_cpu(pid: int) -> float:
    """CPU seconds of a process itself (proc(5): fields 14 and 15 of its stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children_cpu() -> float:
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime

"""Run a command and watch the memory of it and all its children (Linux: /proc)."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

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
    """How a command ran; times in seconds, `cpu` of the process and its children together."""

    code: int
    seconds: float
    cpu: float
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
        stdout, _ = process.communicate()
        seconds = time.monotonic() - start
    finally:
        ended.set()
        watcher.join()
    return Run(process.returncode, seconds, _children_cpu() - before, tuple(samples), stdout)


def family(pid: int) -> list[int]:
    """The process and everything it started that still lives."""
    found = [pid]
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += family(int(child))
    return found


def pss(pid: int) -> int:
    """Proportional set size in bytes; 0 when the process is gone."""
    try:
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def _children_cpu() -> float:
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime

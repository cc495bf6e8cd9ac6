"""Processes below one of ours on Linux, found and killed: a browser makes a dozen, in groups of their own."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
#: Rounds of killing: a process that is killed may have begun another one meanwhile.
_ROUNDS = 10


def adopt_orphans() -> None:
    """Have what is started below this process stay below it, though its own parent ends (prctl(2))."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int) -> list[int]:
    """The processes below `pid`, in no order."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            # "pid (name) state parent …": the name may hold blanks and brackets.
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
            if fields[0] != "Z":
                children[int(fields[1])].append(int(path.parent.name))
    found, left = [], [pid]
    while left:
        below = children.pop(left.pop(), [])
        found += below
        left += below
    return found


def memory_below(pid: int) -> int:
    """The bytes that the processes below `pid` hold: what several share is told once (proc(5), smaps_rollup)."""
    rollups = (_read(Path(f"/proc/{each}/smaps_rollup")) for each in descendants(pid))
    found = (re.search(rb"^Pss:\s+(\d+) kB", rollup, re.MULTILINE) for rollup in rollups)
    return sum(int(match[1]) << 10 for match in found if match)


def kill_descendants(pid: int, named: str = "") -> None:
    """Kill what is below `pid`, with `named` only programs in whose name that stands; return when it is gone."""
    _kill(lambda: [each for each in descendants(pid) if named in _name(each)])


def kill_marked(mark: str) -> None:
    """Kill what has a text in its environment, whoever its parent is by now; return when it is gone."""
    environments = "[0-9]*/environ"
    _kill(lambda: [int(path.parent.name) for path in Path("/proc").glob(environments) if mark.encode() in _read(path)])


def _kill(find: Callable[[], list[int]]) -> None:
    for _ in range(_ROUNDS):
        found = find()
        if not found:
            return
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
        _reap(found)


def _read(path: Path) -> bytes:
    """A file of another process; nothing of one that is not ours, or has ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace")
    except OSError:
        return ""


def _reap(pids: list[int]) -> None:
    """Take note of the end of those that became our own; of all other children whoever started them does."""
    for pid in pids:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)

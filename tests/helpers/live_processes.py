"""What Linux tells of processes, those that end meanwhile among them."""

from __future__ import annotations

from pathlib import Path


def told_of(pid: int, name: str) -> bytes:
    """What /proc has of a process under `name`, "cmdline" for one; nothing of one that is gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and that nobody has waited for does not."""
    return told_of(pid, "stat").rpartition(b")")[2].split()[:1] not in ([], [b"Z"])


def all_processes() -> list[int]:
    """Their numbers, as they are at one moment."""
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]

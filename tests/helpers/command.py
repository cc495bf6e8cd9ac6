"""The command line as a person runs it: what the fixture `newskeep` is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def python_path(*folders: Path | None) -> str:
    """PYTHONPATH with these before what is on it: with another clock, what sets it (scripts/test-anywhere)."""
    there = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    return os.pathsep.join([*map(str, filter(None, folders)), *there])

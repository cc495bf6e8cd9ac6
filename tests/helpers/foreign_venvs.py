"""Virtual environments for tools of others that do not go together with our dependencies.

Made on first use and kept in the user's cache folder, one for each set of requirements and Python version; safe when
two test runs want the same one at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

#: Their presence would make pip or the tool look at our packages or settings.
_FOREIGN = ("PYTHONPATH", "PYTHONHOME", "PYTHONWARNINGS", "PIP_TARGET", "PIP_USER", "VIRTUAL_ENV")


def environment(name: str, requirements: Sequence[str], *options: str) -> Path:
    """Return the folder of a virtual environment that holds `requirements`; its programs are in `bin`.

    `options` go to `pip install`. Takes up to minutes the first time. Raises RuntimeError with pip's last words.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "newskeep-tests"
    wanted = "\n".join([sys.version, *requirements, *options])
    folder = cache / f"{name}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    complete = folder / "complete"
    if not complete.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with cache.joinpath(f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # The process that held the lock before us may have made it.
            if not complete.exists():
                _make(folder, [*options, *requirements])
                complete.write_text(wanted)
    return folder


def _make(folder: Path, arguments: Sequence[str]) -> None:
    # What a killed run left is not to be trusted.
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *arguments], capture_output=True, text=True, check=False, env=clean_environ())
    if done.returncode:
        raise RuntimeError(f"cannot install {' '.join(arguments)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def moved_clock() -> tuple[str, ...]:
    """What a tool needs in its environment to have our clock, when scripts/test-anywhere has moved it.

    It must then be run with our PYTHONPATH, see every_process/sitecustomize.py.
    """
    return (f"time-machine=={version('time-machine')}",) if os.environ.get("TESTS_DAYS_ON", "0") != "0" else ()


def clean_environ() -> dict[str, str]:
    """The environment variables for a tool of an environment of its own."""
    return {name: value for name, value in os.environ.items() if name not in _FOREIGN}

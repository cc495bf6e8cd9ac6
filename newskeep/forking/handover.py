"""What a new process has from who starts it, for one that is forked from another: taken there, put on here."""

from __future__ import annotations

import json
import os
import re
import resource
import tempfile
import time
from contextlib import suppress
from pathlib import Path

#: Variables that are read as an interpreter and its libraries begin, and never again.
_READ_ONCE = re.compile(r"PYTHON|LC_|LANG|LD_|MALLOC_|GLIBC_|OPENSSL_|OPENBLAS_|OMP_|MKL_")
_LIMITS = sorted({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")})


def for_good() -> tuple[object, ...]:
    """What a process has from its first moment and cannot put on later; where it has changed, another zygote is due."""
    read_once = {name: value for name, value in os.environ.items() if _READ_ONCE.match(name)}
    # Python makes whole paths of them, by the folder that it begins in.
    entries = [os.path.abspath(each) for each in read_once.get("PYTHONPATH", "").split(os.pathsep) if each]  # noqa: PTH100
    return read_once, entries, os.getresuid(), os.getresgid(), os.getgroups()


def take() -> list[int]:
    """Descriptors of all else that a process started now would have of this one: its folder, and the rest as a file.

    Raises `OSError`.
    """
    given = {
        "environment": dict(os.environ),
        "umask": _umask(),
        "limits": [(number, resource.getrlimit(number)) for number in _LIMITS],
        "processors": sorted(os.sched_getaffinity(0)),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
    }
    # Not by its name, which it may have no more.
    folder = os.open("/proc/self/cwd", os.O_PATH | os.O_CLOEXEC)
    try:
        file = os.memfd_create("newskeep", os.MFD_CLOEXEC)
        with os.fdopen(os.dup(file), "w", encoding="ascii") as written:
            json.dump(given, written)
    except BaseException:
        os.close(folder)
        raise
    return [folder, file]


def put_on(folder: int, file: int) -> None:
    """Have what `take` found elsewhere, and close its descriptors."""
    with os.fdopen(file, encoding="ascii") as written:
        written.seek(0)
        given = json.load(written)
    os.fchdir(folder)
    os.close(folder)
    os.umask(given["umask"])
    os.environ.clear()
    os.environ.update(given["environment"])
    # Both are looked for once a process, where the environment says.
    time.tzset()
    tempfile.tempdir = None
    for number, (soft, hard) in given["limits"]:
        # One that was raised meanwhile may be beyond our rights.
        with suppress(OSError, ValueError):
            resource.setrlimit(number, (soft, hard))
    with suppress(OSError):
        os.sched_setaffinity(0, given["processors"])
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, given["nice"])


def _umask() -> int:
    """Read, not set: another thread may be making a file."""
    found = re.search(r"^Umask:\s*(\d+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
    if found is None:
        raise OSError("the umask is not known")
    return int(found[1], 8)

"""What the system is out of is no fault of the program, and is said as what it is."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.session.faults import fault_of

_NEWSKEEP = (sys.executable, "-m", "newskeep")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "no space is left on the disk, or where the output goes"),
        (OSError(errno.EMFILE, "Too many", "/a/b"), "/a/b: too many files are open (ulimit -n)"),
        (MemoryError(), "there is not enough memory"),
        (ValueError("of ours"), "a fault in the program: ValueError: of ours"),
        (FileNotFoundError(errno.ENOENT, "No such file"), "a fault in the program: FileNotFoundError"),
    ],
)
def test_words_of_faults(error: BaseException, said: str) -> None:
    assert str(fault_of(error)).startswith(said)


def test_a_full_disk_behind_standard_output_is_a_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*_NEWSKEEP, "--help"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr == b"newskeep: no space is left on the disk, or where the output goes\n"

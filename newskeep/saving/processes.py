"""Processes for saves: forked from one that has loaded what they need (`newskeep.saving.zygote`), else started anew."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from typing import IO

from newskeep.forking.owner import Forked, Zygotes
from storage.errors import NewskeepError

#: -P: a file called "crawler.py" in the current folder must not be taken for ours.
_COLD = (sys.executable, "-P", "-m", "newskeep.saving.worker")
_ZYGOTE = (sys.executable, "-P", "-m", "newskeep.saving.zygote")
#: Seconds without a save after which a program has its memory again.
_IDLE_SECONDS = 600


class SaveProcess:
    """A process that saves, whoever's child it is."""

    def __init__(self, process: Forked | subprocess.Popen[bytes], stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self.pid = process.pid
        self.stdin = stdin
        self.stdout = stdout
        self._process = process
        self._code: int | None = None
        self._has_ended = False

    def wait(self) -> int | None:
        """Return what it ended with; less than none: the signal that ended it. `None`: nobody can tell any more."""
        if not self._has_ended:
            self._code = self._process.wait()
            self._has_ended = True
        return self._code


class SaveProcesses:
    """Starts processes that save, from any thread."""

    def __init__(self, idle: float | None = None) -> None:
        """`idle`: seconds without a save after which what they are forked from ends; the next save begins it again."""
        self.zygotes = Zygotes(_ZYGOTE if idle is None else (*_ZYGOTE, f"{idle:g}"))

    def start(self, told: IO[bytes]) -> SaveProcess:
        """A process that waits for its request, and whose standard error is `told`. Raises `NewskeepError`."""
        try:
            return self._fork(told) or _start(told)
        except OSError as error:
            raise NewskeepError(f"cannot start {sys.executable}: {error.strerror}") from error

    def _fork(self, told: IO[bytes]) -> SaveProcess | None:
        if self.zygotes.is_cold:
            return None
        with ExitStack() as ours, ExitStack() as its:
            its_stdin, stdin = _pipe(its, ours)
            stdout, its_stdout = _pipe(ours, its)
            forked = self.zygotes.fork([its_stdin.fileno(), its_stdout.fileno(), told.fileno()])
            if forked is None:
                return None
            ours.pop_all()
            return SaveProcess(forked, stdin, stdout)


#: Those of a program.
OURS = SaveProcesses(_IDLE_SECONDS)


def _start(told: IO[bytes]) -> SaveProcess:
    process = subprocess.Popen(
        _COLD,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=told,
        # Ctrl-C is for us: what is under way is then ended in good order.
        start_new_session=True,
    )
    assert process.stdin is not None and process.stdout is not None
    return SaveProcess(process, process.stdin, process.stdout)


def _pipe(of_read: ExitStack, of_write: ExitStack) -> tuple[IO[bytes], IO[bytes]]:
    read, write = os.pipe()
    return of_read.enter_context(os.fdopen(read, "rb")), of_write.enter_context(os.fdopen(write, "wb"))

"""A zygote from the side of its owner: begun, asked to fork from any thread, given up, followed by another."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock, RLock, Thread
from typing import Self
from weakref import WeakSet

from newskeep.forking.handover import for_good, take

#: Seconds that a process may take until it is forked, the loading before the first included.
PATIENCE = 120.0
#: Seconds after the end of a process in which its zygote must have said what it ended with.
CODE_SECONDS = 10.0
#: So many zygotes in a row may be stale as they begin, while a package is being replaced.
_STALE = 2
_ANSWER_BYTES = 1024
#: What Linux has, from 5.3 on.
_CAN_FORK = hasattr(os, "pidfd_open") and hasattr(os, "memfd_create") and hasattr(socket, "SO_PEERCRED")


class Gone(Exception):
    """There is no process to fork from."""


class Stale(Gone):
    """What it has loaded is another thing than what lies on disk by now."""


class Forked:
    """A process that is no child of ours. Whoever has it calls `wait`, or closes both."""

    def __init__(self, pid: int, descriptor: int, told: socket.socket) -> None:
        self.pid = pid
        #: pidfd_open(2); it can be read when the process has ended.
        self.descriptor = descriptor
        #: On it comes what the process ended with.
        self.told = told

    def wait(self) -> int | None:
        """What it ended with; less than none: the signal that ended it. `None`: nobody can tell any more."""
        _wait(self.descriptor)
        os.close(self.descriptor)
        with self.told as told, suppress(Gone, OSError):
            told.settimeout(CODE_SECONDS)
            return hear(told)[0]["code"]
        return None


class Zygote:
    """The process that others are forked from."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket, pid: int, descriptor: int) -> None:
        self.pid = pid
        #: Whether a process was forked from it.
        self.is_proven = False
        self.is_closed = False
        self._process = process
        self._control = control
        self._descriptor = descriptor
        self._for_good = for_good()
        self._closing = RLock()

    @classmethod
    def begin(cls, command: Sequence[str]) -> Self:
        """Start it; return when it is there, not when it has loaded. Raises `OSError` and `Gone`."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            ours.settimeout(PATIENCE)
            answer, files = hear(ours)
        except BaseException:
            ours.close()
            process.kill()
            process.wait()
            raise
        if answer["pid"] != process.pid:
            # It was only to begin the other one, which is nobody's child.
            process.wait()
        else:
            # At its end it is to be gone, whoever needs it then.
            Thread(target=process.wait, name="zygote", daemon=True).start()
        return cls(process, ours, answer["pid"], files[0])

    def fork(self, files: Sequence[int]) -> Forked:
        """A process with these as standard input, output and error. Raises `OSError` and `Gone`."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._ask([*files, theirs.fileno()])
            ours.settimeout(PATIENCE)
            answer, came = hear(ours)
            if "stale" in answer:
                raise Stale
            self.is_proven = True
            return Forked(answer["pid"], came[0], ours)
        except BaseException:
            ours.close()
            raise

    @property
    def is_right(self) -> bool:
        """Whether what it forks would be as what is started now."""
        return not self.is_closed and self._for_good == for_good()

    def retire(self) -> None:
        """Fork no more; it ends when those that it forked have."""
        with self._closing:
            if not self.is_closed:
                self.forget()

    def close(self) -> None:
        """End it, also where it says nothing any more; what it forked goes on."""
        with self._closing:
            if self.is_closed:
                return
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
            if self._process.pid == self.pid:
                self._process.wait()
            else:
                _wait(self._descriptor)
                # Where this is process 1, or adopts orphans, it is a child after all.
                with suppress(ChildProcessError):
                    os.waitpid(self.pid, 0)
            self.forget()

    def forget(self) -> None:
        """Let go of it, in a forked process without a word to it: that has descriptors of its own."""
        self.is_closed = True
        self._control.close()
        os.close(self._descriptor)

    def _ask(self, files: list[int]) -> None:
        given = take()
        try:
            with self._closing:
                if self.is_closed:
                    raise Gone
                socket.send_fds(self._control, [b"f"], [*files, *given])
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Gone from error
        finally:
            for each in given:
                os.close(each)


class Zygotes:
    """The zygote of this process for one kind of others, begun when it is needed; for any number of threads.

    What forks this process, as multiprocessing and gunicorn do, has none in the new one.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.zygote: Zygote | None = None
        #: Whether none can be forked on this machine.
        self.is_cold = not _CAN_FORK
        self._command = command
        self._beginning = Lock()
        _all.add(self)

    def fork(self, files: Sequence[int]) -> Forked | None:
        """A process with these as standard input, output and error, and all else of this one as it is now.

        `None` where it has to be started.
        """
        stale = 0
        while not self.is_cold and stale < _STALE:
            zygote = None
            try:
                zygote = self._ready()
                return zygote.fork(files)
            except Stale:
                stale += 1
                assert zygote is not None
                zygote.retire()
            except (Gone, TimeoutError):
                # One that has worked, and was killed, is followed by another.
                self.is_cold = self.is_cold or zygote is None or not (zygote.is_proven or zygote.is_closed)
                if zygote is not None:
                    zygote.close()
            except OSError:
                # There is no room for it, in memory or among open files.
                return None
        return None

    def close(self) -> None:
        """End it; what it forked goes on."""
        with self._beginning:
            if self.zygote is not None:
                self.zygote.close()

    def retire(self) -> None:
        """Let it end when those that it forked have."""
        with self._beginning:
            if self.zygote is not None:
                self.zygote.retire()

    def forget(self) -> None:
        """Let go of what is the parent's."""
        self._beginning = Lock()
        if self.zygote is not None and not self.zygote.is_closed:
            self.zygote.forget()
        self.zygote = None

    def _ready(self) -> Zygote:
        with self._beginning:
            if self.zygote is None or not self.zygote.is_right:
                if self.zygote is not None:
                    self.zygote.retire()
                self.zygote = Zygote.begin(self._command)
            return self.zygote


_all: WeakSet[Zygotes] = WeakSet()


def _forget_all() -> None:
    for each in list(_all):
        each.forget()


def _retire_all() -> None:
    """At the end of a program, that Python finds nothing open; without a lock that a thread may hold for long."""
    for each in list(_all):
        if (zygote := each.zygote) is not None:
            zygote.retire()


atexit.register(_retire_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


def hear(told: socket.socket) -> tuple[dict[str, int], list[int]]:
    """An answer of a zygote, with the descriptor that came along. Raises `Gone` and `OSError`."""
    try:
        answer, files, _, _ = socket.recv_fds(told, _ANSWER_BYTES, 1)
    except ConnectionResetError as error:
        raise Gone from error
    if not answer:
        raise Gone
    return json.loads(answer), files


def _wait(descriptor: int) -> None:
    """Until a process has ended. Not `select`, which knows no descriptor above 1,023."""
    ended = select.poll()
    ended.register(descriptor, select.POLLIN)
    ended.poll()

"""The process that others are forked from, in its own words: a room's `zygote` begins it, `owner` is the other side.

Most of what a short crawl costs is to load a thousand modules, and of one that makes text the models for it. Here that
is done once. Nothing else is: there is no thread, no connection and no event loop, and no configuration is read. What
is forked begins as a process of its own, and reads newskeep.toml itself.

The first that goes through the socket that is its standard input is this process, as a descriptor (pidfd_open(2)). Then
each byte that comes is a request to fork, with files: standard input, output and error of the process, a socket for
what becomes of it, and what it would have of who asks (`handover`). To that socket goes a descriptor of the process,
and later what it ended with; or, where a module was changed on disk since, that this zygote is stale. It takes no more
when its own socket ends, when its owner does, and after `idle` seconds in which nobody asked; and ends when those
processes have that it forked.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from crawler.browser.processes import adopt_orphans
from newskeep.forking.handover import put_on

#: As `ps -o comm` shows it.
NAME = "newskeep-zygote"
#: Files of a request.
FILES = 6
_CREDENTIALS = struct.Struct("3i")

#: Of a file: when it was changed, how long it is, and which it is.
_State = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Kind:
    """What is forked."""

    #: Modules; without an extra some are not there, and what needs one says so.
    loaded: Iterable[str]
    #: The module whose `main` it does.
    module: str
    #: As `ps -o comm` shows it.
    name: str
    #: Whether the zygote is no child of its owner, who may wait for all of his.
    is_detached: bool = False


def main(kind: Kind, idle: float | None = None) -> None:
    """Be a zygote, to its end; the processes that it forks return from here neither."""
    control = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    try:
        owner = _introduce(control, kind.is_detached)
    except OSError as error:
        sys.exit(f"cannot fork: {error}")
    began = time.time_ns()
    for name in kind.loaded:
        with suppress(ImportError):
            import_module(name)
    if "twisted.internet.reactor" in sys.modules or len(list(Path("/proc/self/task").iterdir())) > 1:
        sys.exit("it would not be safe to fork")
    # What a process leaves behind is waited for here: process 1, in a container the owner, may wait for nobody.
    adopt_orphans()
    # Whoever began it may have ignored or blocked them; what is forked has its own way with them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.chdir("/")
    # What is here now stays; what is forked need not look through it.
    gc.collect()
    gc.freeze()
    _Zygote(control, owner, _Modules(began), idle).serve()
    _be(kind)
    os._exit(_do(kind.module))


def _introduce(control: socket.socket, is_detached: bool) -> int:
    """Tell the owner who this is; return a descriptor of him. Raises `OSError`."""
    asking = control.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    owner = os.pidfd_open(_CREDENTIALS.unpack(asking)[0])
    if is_detached and os.fork():
        os._exit(0)
    Path("/proc/self/comm").write_text(NAME)
    ourselves = os.pidfd_open(os.getpid())
    socket.send_fds(control, [json.dumps({"pid": os.getpid()}).encode() + b"\n"], [ourselves])
    os.close(ourselves)
    return owner


class _Modules:
    """The files that modules were loaded from, as they were then."""

    def __init__(self, began: int) -> None:
        named = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        self._states = {name: _state(name) for name in named if name is not None}
        now = time.time_ns()
        #: Of one that was changed since the first was loaded nobody knows which is here.
        self._is_mixed = any(began <= _changed(name) <= now for name in self._states)

    @property
    def are_stale(self) -> bool:
        return self._is_mixed or any(_state(name) != state for name, state in self._states.items())


def _state(name: str) -> _State | None:
    with suppress(OSError):
        file = Path(name).stat()
        return file.st_mtime_ns, file.st_size, file.st_dev, file.st_ino
    return None


def _changed(name: str) -> int:
    with suppress(OSError):
        return Path(name).stat().st_ctime_ns
    return 0


class _Zygote:
    """Forks for each request."""

    def __init__(self, control: socket.socket, owner: int, modules: _Modules, idle: float | None) -> None:
        self._control = control
        self._owner = owner
        self._modules = modules
        self._idle = idle
        #: Process -> who is to know what it ended with.
        self._told: dict[int, socket.socket] = {}
        self._takes = True

    def serve(self) -> None:
        """Return in a forked process only."""
        awake, waker = socket.socketpair()
        awake.setblocking(False)
        waker.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        while self._takes or self._told:
            asked: list[socket.socket | int] = [self._control, self._owner] if self._takes else []
            ready, _, _ = select.select([*asked, awake], [], [], None if self._told else self._idle)
            if awake in ready:
                awake.recv(4096)
                self._reap()
            if not ready or self._owner in ready:
                self._end()
            elif self._control in ready and self._fork():
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for each in (awake, waker, self._control, *self._told.values()):
                    each.close()
                os.close(self._owner)
                return
        os._exit(0)

    def _fork(self) -> bool:
        """Answer a request; return whether this is the forked process, which has its files then."""
        # One byte: those behind it have files of their own.
        request, files, _, _ = socket.recv_fds(self._control, 1, FILES)
        if not request:
            self._end()
            return False
        if len(files) < FILES:
            # Too many are open here. Who asks is told by the end of its socket.
            _close(files)
            return False
        told = socket.socket(fileno=files.pop(3))
        told.setblocking(False)
        if self._modules.are_stale:
            _close(files)
            self._refuse(told)
            return False
        pid = os.fork()
        if not pid:
            told.close()
            for number, file in enumerate(files[:3]):
                os.dup2(file, number)
                os.close(file)
            put_on(*files[3:])
            return True
        _close(files)
        # Nobody else has waited for it: the descriptor is of this process for sure.
        process = os.pidfd_open(pid)
        _tell(told, {"pid": pid}, [process])
        os.close(process)
        self._told[pid] = told
        return False

    def _reap(self) -> None:
        """Say of each process that has ended how it did."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if (told := self._told.pop(pid, None)) is not None:
                    _tell(told, {"code": os.waitstatus_to_exitcode(status)})
                    told.close()

    def _refuse(self, told: socket.socket) -> None:
        """Tell this one, and whoever waits behind it, that this zygote is stale."""
        self._control.setblocking(False)
        files: list[int] = [told.detach()]
        while files:
            with socket.socket(fileno=files.pop(3 if len(files) == FILES else 0)) as each:
                _tell(each, {"stale": True})
            _close(files)
            files = []
            with suppress(BlockingIOError, ConnectionResetError):
                _, files, _, _ = socket.recv_fds(self._control, 1, FILES)
        self._end()

    def _end(self) -> None:
        """Take no more."""
        self._takes = False
        self._control.close()


def _tell(told: socket.socket, answer: dict[str, int | bool], files: Iterable[int] = ()) -> None:
    with suppress(OSError):  # who asked has given it up
        socket.send_fds(told, [json.dumps(answer).encode() + b"\n"], list(files))


def _close(files: Iterable[int]) -> None:
    for file in files:
        os.close(file)


def _be(kind: Kind) -> None:
    """Make a process of its own of a forked one."""
    from crawler.session.worker_context import fork_server

    # Ctrl-C is for who asked: what is under way is then ended in good order.
    os.setsid()
    Path("/proc/self/comm").write_text(kind.name)
    # Before there are threads. Where no process may be started now, one is on first use, if it may be then.
    with suppress(OSError):
        fork_server()


def _do(name: str) -> int:
    """Do what the process is for; return what to end with."""
    module = import_module(name)
    sys.argv = [str(module.__file__)]
    main: Callable[[], None] = module.main
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    finish()
    return code


def finish() -> None:
    """Do what an interpreter does at its end, but for taking a thousand modules apart: that copies pages they share."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()

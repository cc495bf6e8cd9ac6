"""Processes for jobs: forked from one that has loaded what they need (`newskeep.worker.zygote`), else started anew."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import ExitStack, suppress
from itertools import count
from typing import Self

from storage.errors import NewskeepError

_log = logging.getLogger(__name__)

#: -P: a file called "crawler.py" in the current folder must not be taken for ours.
_COLD = (sys.executable, "-P", "-m", "newskeep.worker.job")
_ZYGOTE = (sys.executable, "-P", "-m", "newskeep.worker.zygote")
#: Bytes of a line: of an answer, and of what is told to a person.
LINE_MOST = 1 << 20
#: Seconds that a process may take until it is forked, the loading before the first included.
_PATIENCE = 120.0
_ANSWER_BYTES = 1024


class _Gone(Exception):
    """There is no process to fork from."""


class Forked:
    """The process of a job that is no child of ours, with what `asyncio.subprocess.Process` has."""

    def __init__(self, descriptor: int, code: asyncio.Future[int | None]) -> None:
        #: What it ended with, once `wait` has returned; `None` where nobody can tell any more.
        self.returncode: int | None = None
        self.stdin: asyncio.StreamWriter
        self.stdout: asyncio.StreamReader
        self.stderr: asyncio.StreamReader
        self._descriptor: int | None = descriptor
        self._code = code
        self._over = asyncio.Event()
        # It can be read when the process has ended.
        asyncio.get_running_loop().add_reader(descriptor, self._ended)

    async def connect(self, stdin: socket.socket, stdout: int, stderr: int) -> None:
        """Take our ends of its files."""
        _, self.stdin = await asyncio.open_connection(sock=stdin)
        self.stdout, self.stderr = await _reader(stdout), await _reader(stderr)

    def send_signal(self, number: int) -> None:
        """Raises `ProcessLookupError` when it has ended."""
        if self._descriptor is None:
            raise ProcessLookupError
        signal.pidfd_send_signal(self._descriptor, signal.Signals(number))

    async def wait(self) -> int | None:
        await self._over.wait()
        self.returncode = await self._code
        return self.returncode

    def _ended(self) -> None:
        assert self._descriptor is not None
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = None
        self._over.set()


class Zygote:
    """The process that jobs are forked from, from our side."""

    def __init__(self, process: Process, control: socket.socket) -> None:
        self.is_gone = False
        #: Whether a job was forked from it.
        self.is_proven = False
        self._process = process
        self._control = control
        self._numbers = count()
        self._asked: dict[int, asyncio.Future[int]] = {}
        self._codes: dict[int, asyncio.Future[int | None]] = {}
        asyncio.get_running_loop().add_reader(control, self._read)

    @classmethod
    async def begin(cls) -> Self:
        """Start it. Raises `OSError`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *_ZYGOTE, stdin=theirs.fileno(), stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
                )
        except BaseException:
            ours.close()
            raise
        return cls(process, ours)

    async def fork(self) -> Forked:
        """Return the process of a job, which waits for its request. Raises `OSError`, `TimeoutError` and `_Gone`."""
        number = next(self._numbers)
        loop = asyncio.get_running_loop()
        with ExitStack() as ours:
            stdin, theirs = socket.socketpair()
            ours.callback(stdin.close)
            (stdout, out), (stderr, err) = _pipe(ours), _pipe(ours)
            try:
                if self.is_gone:
                    raise _Gone
                self._asked[number], self._codes[number] = loop.create_future(), loop.create_future()
                socket.send_fds(self._control, [str(number).encode()], [theirs.fileno(), out, err])
            finally:
                theirs.close()
                os.close(out)
                os.close(err)
            try:
                descriptor = await asyncio.wait_for(self._asked[number], _PATIENCE)
            finally:
                del self._asked[number]
            self.is_proven = True
            forked = Forked(descriptor, self._codes[number])
            ours.pop_all()
            await forked.connect(stdin, stdout, stderr)
            return forked

    async def close(self) -> None:
        """End it, also where it says nothing any more; jobs under way go on."""
        self._over()
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    def _read(self) -> None:
        while not self.is_gone:
            try:
                told, files, _, _ = socket.recv_fds(self._control, _ANSWER_BYTES, 1)
            except BlockingIOError:
                return
            except OSError:
                told, files = b"", []
            if told:
                self._hear(json.loads(told), files)
            else:
                self._over()

    def _hear(self, answer: dict[str, int], files: list[int]) -> None:
        number = answer["number"]
        if not files:
            self._codes.pop(number).set_result(answer["code"])
            return
        asked = self._asked.get(number)
        if asked is None or asked.done():
            # Who asked has given it up; without its input the job ends.
            os.close(files[0])
        else:
            asked.set_result(files[0])

    def _over(self) -> None:
        if self.is_gone:
            return
        self.is_gone = True
        asyncio.get_running_loop().remove_reader(self._control)
        self._control.close()
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(_Gone())
        for code in self._codes.values():
            code.set_result(None)
        self._codes.clear()


class Processes:
    """Starts processes for jobs."""

    def __init__(self) -> None:
        self._zygote: Zygote | None = None
        self._beginning = asyncio.Lock()
        #: Whether none can be forked on this machine.
        self._is_cold = False

    async def start(self) -> Forked | Process:
        """Return the process of a job, which waits for its request. Raises `NewskeepError`."""
        while not self._is_cold:
            zygote = None
            try:
                zygote = await self._ready()
                return await zygote.fork()
            except (_Gone, OSError, TimeoutError) as error:
                # One that has worked, and was killed, is followed by another.
                self._is_cold = self._is_cold or zygote is None or not zygote.is_proven
                if zygote is not None:
                    await zygote.close()
                _log.debug("a job could not be forked: %r", error)
        try:
            return await asyncio.create_subprocess_exec(
                *_COLD,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                limit=LINE_MOST,
                # Ctrl-C is for the worker: what is under way is then ended in good order.
                start_new_session=True,
            )
        except OSError as error:
            raise NewskeepError(f"cannot start {sys.executable}: {error.strerror}") from error

    async def close(self) -> None:
        """Fork no more; jobs under way go on."""
        if self._zygote is not None:
            await self._zygote.close()

    async def _ready(self) -> Zygote:
        async with self._beginning:
            if self._zygote is None or self._zygote.is_gone:
                self._zygote = await Zygote.begin()
            return self._zygote


def _pipe(ours: ExitStack) -> tuple[int, int]:
    """A pipe of which the end that is read is closed with `ours`."""
    read, write = os.pipe()
    ours.callback(_close, read)
    return read, write


def _close(file: int) -> None:
    with suppress(OSError):
        os.close(file)


async def _reader(file: int) -> asyncio.StreamReader:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE_MOST, loop=loop)
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader, loop=loop), os.fdopen(file, "rb", buffering=0)
    )
    return reader

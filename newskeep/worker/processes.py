"""Processes for jobs: forked from one that has loaded what they need (`newskeep.worker.zygote`), else started anew."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import ExitStack, suppress

from newskeep.forking import owner
from newskeep.forking.owner import Gone, Zygotes
from storage.errors import NewskeepError

#: -P: a file called "crawler.py" in the current folder must not be taken for ours.
_COLD = (sys.executable, "-P", "-m", "newskeep.worker.job")
_ZYGOTE = (sys.executable, "-P", "-m", "newskeep.worker.zygote")
#: Bytes of a line: of an answer, and of what is told to a person.
LINE_MOST = 1 << 20


class Forked:
    """The process of a job that is no child of ours, with what `asyncio.subprocess.Process` has."""

    def __init__(self, forked: owner.Forked) -> None:
        self.pid = forked.pid
        #: What it ended with, once `wait` has returned; `None` where nobody can tell any more.
        self.returncode: int | None = None
        self.stdin: asyncio.StreamWriter
        self.stdout: asyncio.StreamReader
        self.stderr: asyncio.StreamReader
        self._descriptor: int | None = forked.descriptor
        self._told = forked.told
        self._over = asyncio.Event()
        # It can be read when the process has ended.
        asyncio.get_running_loop().add_reader(forked.descriptor, self._ended)

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
        return self.returncode

    def _ended(self) -> None:
        assert self._descriptor is not None
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = None
        self._told.setblocking(False)
        self._late = loop.call_later(owner.CODE_SECONDS, self._hear)
        loop.add_reader(self._told, self._hear)

    def _hear(self) -> None:
        self._late.cancel()
        asyncio.get_running_loop().remove_reader(self._told)
        with self._told, suppress(Gone, OSError):
            self.returncode = owner.hear(self._told)[0]["code"]
        self._over.set()


class Processes:
    """Starts processes for jobs."""

    def __init__(self) -> None:
        self.zygotes = Zygotes(_ZYGOTE)

    async def start(self) -> Forked | Process:
        """Return the process of a job, which waits for its request. Raises `NewskeepError`."""
        try:
            if not self.zygotes.is_cold and (forked := await self._fork()) is not None:
                return forked
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
        await asyncio.to_thread(self.zygotes.close)

    async def _fork(self) -> Forked | None:
        with ExitStack() as ours:
            stdin, its_stdin = socket.socketpair()
            ours.callback(stdin.close)
            (stdout, its_stdout), (stderr, its_stderr) = _pipe(ours), _pipe(ours)
            files = [its_stdin.detach(), its_stdout, its_stderr]
            # In a thread: the first is there when all has been loaded.
            started = await asyncio.to_thread(self._hand_over, files)
            if started is None:
                return None
            forked = Forked(started)
            ours.pop_all()
            await forked.connect(stdin, stdout, stderr)
            return forked

    def _hand_over(self, files: list[int]) -> owner.Forked | None:
        """Fork with files that are nobody else's, also where nobody waits for it any more."""
        try:
            return self.zygotes.fork(files)
        finally:
            for each in files:
                os.close(each)


def _pipe(ours: ExitStack) -> tuple[int, int]:
    """A pipe of which the end that is read is closed with `ours`."""
    read, write = os.pipe()
    ours.callback(os.close, read)
    return read, write


async def _reader(file: int) -> asyncio.StreamReader:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE_MOST, loop=loop)
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader, loop=loop), os.fdopen(file, "rb", buffering=0)
    )
    return reader

"""The process of one job, from the worker's side. It ends with the worker: its standard input does."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from newskeep.worker.processes import LINE_MOST, Forked, Processes
from newskeep.worker.request import JobEnd, JobRequest

_log = logging.getLogger(__name__)


class Child:
    """One job under way."""

    def __init__(self, request: JobRequest, processes: Processes) -> None:
        self.request = request
        self._processes = processes
        self._process: Forked | Process | None = None
        self._stopping = False
        self._killing = False

    async def run(self, on_counts: Callable[[Mapping[str, int]], Awaitable[None]] | None = None) -> JobEnd | None:
        """Do the job; `None` where its process ended before it could say how. Raises `NewskeepError`."""
        self._process = process = await self._processes.start()
        assert process.stdin is not None and process.stdout is not None
        told = asyncio.ensure_future(self._hand_on(process))
        try:
            with suppress(ConnectionError):
                process.stdin.write(self.request.to_json().encode() + b"\n")
                await process.stdin.drain()
            # Asked for while it was being started.
            if self._killing:
                self.kill()
            elif self._stopping:
                self.stop()
            end = None
            async for line in process.stdout:
                answer = json.loads(line)
                if "end" in answer:
                    end = JobEnd(**answer["end"])
                elif on_counts is not None:
                    await on_counts(answer["counts"])
            return end
        finally:
            process.stdin.close()
            await process.wait()
            await told

    @property
    def code(self) -> int | None:
        """What the process ended with; less than none: the signal that ended it. `None`: nobody can tell any more."""
        return self._process.returncode if self._process else None

    def stop(self) -> None:
        """Have the job end in good order."""
        self._stopping = True
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once: what it said is safe in the spool."""
        self._killing = True
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            if self._process is not None and self._process.returncode is None:
                self._process.send_signal(number)

    async def _hand_on(self, process: Forked | Process) -> None:
        """Log what the job says to a person, with its number."""
        assert process.stderr is not None
        with suppress(ValueError):  # a line without end
            async for line in process.stderr:
                _log.warning("%s: %s", self.request.title, line.decode(errors="replace").rstrip())
        while await process.stderr.read(LINE_MOST):
            pass

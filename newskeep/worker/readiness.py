"""Whether this machine can do jobs at all: its configuration, store, index, spool and disk.

A job whose store is away fails, and so would every other one after it. So when a job has failed over what may be the
machine's, the machine is tried before anything else is taken: what lies in its spool is delivered, as a job would do
first. While that cannot be done the job is not to blame, and no other is begun.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from newskeep.worker.child import Child
from newskeep.worker.outage import Outage
from newskeep.worker.processes import Processes
from newskeep.worker.request import JobRequest
from newskeep.worker.verdict import exit_in_words
from storage.errors import NewskeepError

#: Seconds between two trials while one fails; each further time twice as long.
_AGAIN, _AGAIN_MOST = 2.0, 60.0


class Readiness:
    """The machine of a worker. `keep` has to run beside all else; `on_change` is called when the answer is another."""

    def __init__(
        self, request: JobRequest, processes: Processes, on_change: Callable[[], None], *, is_ready: bool
    ) -> None:
        """`request`: the job that is none. `is_ready`: whether somebody has just tried the machine, and it was well."""
        #: Whether jobs may be taken.
        self.is_ready = is_ready
        #: Why the last trial failed; `None` where it did not, or none has ended.
        self.why: str | None = None
        self._request = request
        self._processes = processes
        self._on_change = on_change
        self._outage = Outage("no job is taken", "jobs are taken again")
        self._asked = asyncio.Event()
        self._waiting: list[asyncio.Future[str | None]] = []
        self._child: Child | None = None
        self._stopping = False

    async def doubt(self) -> str | None:
        """Have no job taken until the machine was tried anew; return why it can do none.

        `None` where it can, and where we are stopped before that is known.
        """
        if self.why is not None:
            return self.why
        self.is_ready = False
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        self._asked.set()
        return await answer

    async def keep(self) -> None:
        """Try the machine where somebody doubts it, and again until it can do jobs; returns when stopped."""
        pause = _AGAIN
        while True:
            if self.is_ready:
                await self._asked.wait()
            self._asked.clear()
            # Who asks from here on has seen something newer than this trial.
            waiting, self._waiting = self._waiting, []
            why = await self._try()
            if self._stopping:
                why = None
            for answer in waiting:
                if not answer.done():
                    answer.set_result(why)
            if self._waiting:
                continue
            if self._stopping:
                return
            self._note(why)
            if why is None:
                pause = _AGAIN
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _AGAIN_MOST)

    def stop(self) -> None:
        """End a trial that is under way: what it has not delivered, the next one does."""
        self._stopping = True
        if self._child is not None:
            self._child.kill()

    def _note(self, why: str | None) -> None:
        self.is_ready, self.why = why is None, why
        if why is None:
            self._outage.end()
        else:
            self._outage.begin(why)
        self._on_change()

    async def _try(self) -> str | None:
        if self._stopping:
            return None
        self._child = child = Child(self._request, self._processes)
        try:
            end = await child.run()
        except NewskeepError as error:
            return str(error)
        finally:
            self._child = None
        if end is None:
            return f"the process that tries the machine ended early ({exit_in_words(child.code)})"
        return None if end.code == 0 else end.reason or f"exit code {end.code}"

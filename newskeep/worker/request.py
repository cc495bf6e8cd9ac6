"""What a job's process is told, and what it answers: values that go through a pipe."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from newskeep.queue.membership import Taken
from newskeep.queue.task import UnknownTask, parse_task, to_arguments


@dataclass(frozen=True, slots=True)
class JobRequest:
    """One attempt at a job, for one archive."""

    #: `None`: no job, but a trial whether one could be done, and a delivery of what waits in the spool.
    taken: Taken | None
    #: As `open_archive` takes them.
    archive: str
    state: str | None
    #: The address of the queue.
    queue: str = field(repr=False)
    #: Seconds.
    lease: float
    #: Who works, for the crawl report.
    worker: str
    #: newskeep.toml; `None`: there is none.
    config: str | None = None
    #: As `open_archive` takes it.
    index: str | None = field(default=None, repr=False)
    verbose: int = 0

    @property
    def title(self) -> str:
        """What it is called where somebody is told of it."""
        return "trial" if self.taken is None else f"job {self.taken.job}"

    def to_json(self) -> str:
        taken = self.taken
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "taken"}
        if taken is None:
            return json.dumps(fields)
        # No process is started for one.
        assert not isinstance(taken.task, UnknownTask)
        ours = {"job": taken.job, "attempt": taken.attempt, "worker": taken.worker}
        return json.dumps({**fields, "taken": ours, "kind": taken.task.kind, "task": to_arguments(taken.task)})

    @classmethod
    def parse(cls, text: bytes) -> JobRequest:
        fields = json.loads(text)
        if "taken" not in fields:
            return cls(taken=None, **fields)
        task = parse_task(fields.pop("kind"), fields.pop("task"))
        return cls(**{**fields, "taken": Taken(**fields["taken"], task=task)})


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How an attempt ended."""

    #: What the command would end with.
    code: int
    #: finished, time limit, stopped, failed, blocked, busy; away: the store is, and what it fetched waits in the spool;
    #: elsewhere: the site is not in newskeep.toml here.
    state: str
    reason: str | None = None
    crawl: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

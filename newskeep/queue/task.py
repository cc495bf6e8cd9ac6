"""What a job is to do, as it stands in the queue. Secrets do not: a worker has them in its own newskeep.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from storage.errors import NewskeepError


@dataclass(frozen=True, slots=True)
class CrawlTask:
    """One crawl of one site; `None`: as newskeep.toml says."""

    kind: ClassVar[str] = "newskeep.crawl"

    #: As it was asked for: a name or an address.
    site: str
    #: Its name.
    name: str
    #: Whether somebody waits for it: its sources are asked though they are not due.
    eager: bool = False
    #: 14 digits: a back-fill, of what was published in this time.
    since: str | None = None
    until: str | None = None
    cap: int | None = None
    delay: float | None = None
    requisites: bool | None = None
    ignore_robots: bool = False
    tags: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        if self.since is None:
            return f"crawl {self.name}"
        return f"crawl {self.name} since {self.since[:8]}" + (f" until {self.until[:8]}" if self.until else "")

    @property
    def queueing_lock(self) -> str:
        """What is queued once: the look for what is new of a site, and each back-fill of it."""
        return self.title


@dataclass(frozen=True, slots=True)
class BatchTask:
    """One batch of a list of URLs."""

    kind: ClassVar[str] = "newskeep.save"

    list: int
    batch: int
    #: What its URLs are of: a host, or how many hosts.
    what: str = ""

    @property
    def title(self) -> str:
        return f"save list {self.list}, batch {self.batch}" + (f": {self.what}" if self.what else "")

    @property
    def queueing_lock(self) -> str:
        return f"list {self.list}/{self.batch}"


@dataclass(frozen=True, slots=True)
class UnknownTask:
    """What a newer program has queued: for a machine that has it."""

    kind: str

    @property
    def title(self) -> str:
        return f"a job that this version does not know: {self.kind}"


Task = CrawlTask | BatchTask
#: As Procrastinate knows them.
KINDS: Mapping[str, type[Task]] = {CrawlTask.kind: CrawlTask, BatchTask.kind: BatchTask}


def to_arguments(task: Task) -> dict[str, Any]:
    return asdict(task)


def parse_task(kind: str, arguments: Mapping[str, Any]) -> Task:
    """The task that `to_arguments` made. Raises `NewskeepError` for one of another program, or of a newer one."""
    try:
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in arguments.items()
        }
        made: Task = KINDS[kind](**fields)
    except (KeyError, TypeError) as error:
        raise NewskeepError(UnknownTask(kind).title) from error
    return made

"""Workers as real processes on one queue, and a world of small papers whose own logs tell how they were asked.

`pytest_plugins = ["postgres", "s3_server", "fleet"]` in a test module gives it `make_fleet` and `bucket`;
PYTEST_DONT_REWRITE lets it import the rest as well.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest
from origin import Logged, Origin
from s3_server import S3Server, use
from small_paper import Paper
from warm_start import shared

from newskeep.queue.database import QueueDatabase
from newskeep.queue.jobs import JobQueue
from newskeep.worker.zygote import JOB_NAME
from storage import open_archive
from storage.errors import NotArchived
from storage.objects import open_store
from storage.postgres_address import PostgresAddress

#: Seconds; the shortest that a worker takes, so that a killed one is found soon.
LEASE = 6.0
#: Seconds that anything here may take on a busy machine.
PATIENCE = 90.0
#: What a job leaves behind for a moment, which its zygote waits for.
LEFT_NAME = "newskeep-text"


@contextmanager
def world(sites: int, stories: int, network: str = "127.1") -> Iterator[list[Paper]]:
    """So many papers, each a host of its own, in the network of 65,536 addresses that begin so."""
    with ExitStack() as stack:
        hosts = (f"{network}.{n // 250}.{2 + n % 250}" for n in range(sites))
        yield [Paper(stack.enter_context(Origin(host)), stories) for host in hosts]


def wait_until(ready: Callable[[], object], what: str, seconds: float = PATIENCE, pause: float = 0.05) -> None:
    """`pause`: seconds between two looks; longer where a look takes what the workers need themselves."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(pause)


class Fleet:
    """The workers of a test; all share one newskeep.toml and one archive, in `folder` or where `archive` says.

    With `shared_index` the index and what is known of sites are in the database too, and each worker has a state folder
    of its own, as on machines of their own.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        address: str,
        papers: list[Paper],
        shared_index: bool = False,
        archive: str | None = None,
    ) -> None:
        self.folder = folder
        self.archive = archive or str(folder / "archive")
        self.papers = papers
        self.shared_index = shared_index
        self.workers: list[subprocess.Popen[bytes]] = []
        self._environment = environment
        self._address = address

    def configure(self, delay: float, more: str = "") -> None:
        """Write newskeep.toml; `more`: lines of its head."""
        # The queue is where the index is, unless said otherwise.
        where = "index" if self.shared_index else "queue"
        address = f'archive = "{self.archive}"\n{where} = "{self._address}"\n'
        head = f'{address}allow_private = true\noperator = "me@example.org"\nworkers = 1\n'
        tables = (
            f'[sites.paper{number}]\nstart = "{paper.origin.url("/")}"\nfeeds = "{paper.origin.url("/news.rss")}"\n'
            f"delay = {delay}\n"
            for number, paper in enumerate(self.papers)
        )
        (self.folder / "newskeep.toml").write_text(f"{head}{more}\n{''.join(tables)}")

    def start(self, *options: str, inside: Sequence[str] = (), **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker, with these variables as well; what it says is in `worker-N.log`.

        `inside`: what its command begins with, where it is to run on a machine of its own. Otherwise it begins in the
        warm process, but where its clock is another one. The process that its jobs are forked from is its own.
        """
        name = f"worker-{len(self.workers)}"
        command = ["worker", "--name", name, f"--lease={LEASE:g}s"]
        # What is said last holds: a worker may have another one's folder.
        command += ["--state", name] if self.shared_index else []
        command += options
        variables = {**self._environment, **environment}
        with (self.folder / f"{name}.log").open("wb") as log:
            if inside or "LD_PRELOAD" in environment:
                cold = [*inside, sys.executable, "-P", "-m", "newskeep", *command]
                worker = subprocess.Popen(
                    cold, cwd=self.folder, env=variables, stdout=log, stderr=log, start_new_session=True
                )
            else:
                session = "import os; os.setsid()"
                worker = shared().start(command, self.folder, variables, log.fileno(), log.fileno(), session)
        self.workers.append(worker)
        return worker

    def said(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("worker-*.log")))

    def end(self) -> None:
        for worker in self.workers:
            with suppress(ProcessLookupError):
                worker.kill()
            worker.wait()
        # They end with their worker, but for those that a test has stopped.
        for process in self.job_processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    @contextmanager
    def queue(self) -> Iterator[JobQueue]:
        with QueueDatabase(PostgresAddress.parse(self._address)) as database:
            yield JobQueue(database, open_store(self.archive).uri)

    def job_processes(self) -> list[int]:
        """The processes of jobs of this fleet, whoever their parent is by now."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (path / "comm").read_text().strip() == JOB_NAME and (path / "cwd").readlink() == self.folder:
                    found.append(int(path.name))
        return found

    def children(self, worker: subprocess.Popen[bytes]) -> list[str]:
        """The processes of a worker's jobs."""
        return _jobs(worker.pid)

    def kill_some(self, chance: random.Random, times: int, seconds: float) -> int:
        """Kill a worker, another one in its place, so often, at random moments; return how many had jobs then."""
        had_jobs = 0
        for _ in range(times):
            time.sleep(chance.uniform(0.2, 1.0) * seconds)
            alive = [each for each in self.workers if each.poll() is None]
            if not alive:
                break
            victim = chance.choice(alive)
            had_jobs += bool(_jobs(victim.pid))
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            self.start("--until-empty")
        return had_jobs

    def captures(self) -> Counter[str]:
        """How often each story of the world was archived whole."""
        found: Counter[str] = Counter()
        index = self._address if self.shared_index else None
        state = self.folder / "reader" if index else None
        # Raised where nothing is in the index yet.
        with open_archive(self.archive, state, index=index) as archive, suppress(NotArchived):
            for paper in self.papers:
                for capture in archive.captures(paper.origin.url("/"), match="host"):
                    if "/story-" in capture.url and capture.status == 200 and not capture.is_revisit:
                        found[capture.url] += 1
        return found


MakeFleet = Callable[..., Fleet]


@pytest.fixture
def make_fleet(tmp_path: Path, environment: Mapping[str, str], postgres_database: str) -> Iterator[MakeFleet]:
    with ExitStack() as stack:

        def make(
            sites: int, stories: int, delay: float, shared_index: bool = False, archive: str | None = None
        ) -> Fleet:
            papers = stack.enter_context(world(sites, stories))
            fleet = Fleet(tmp_path, environment, postgres_database, papers, shared_index, archive)
            stack.callback(fleet.end)
            fleet.configure(delay)
            return fleet

        yield make


@pytest.fixture
def bucket(moto_server: S3Server, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """The variables with which a bucket is reached; ours has them as well, and the workers' state folder."""
    use(moto_server, monkeypatch)
    monkeypatch.setenv("XDG_STATE_HOME", environment["XDG_STATE_HOME"])
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


def _jobs(worker: int) -> list[str]:
    """The processes of a worker's jobs, which are those of the process that they are forked from."""
    found = [job for zygote in _children(worker) for job in _children(int(zygote))]
    return [job for job in found if _name(job) != LEFT_NAME]


def _name(pid: str) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return LEFT_NAME


def _children(pid: int) -> list[str]:
    """Also those that another thread than the first has started."""
    found: list[str] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += (task / "children").read_text().split()
    return found


def asked_politely(papers: list[Paper], delay: float) -> list[str]:
    """What is wrong with how the papers were asked, by their own logs: two requests nearer than the delay."""
    wrong = []
    for paper in papers:
        log: list[Logged] = sorted(paper.origin.log, key=lambda entry: entry.at)
        for before, after in pairwise(log):
            if after.at - before.at < delay:
                gap = after.at - before.at
                wrong.append(f"{paper.origin.netloc}: {before.path} and {after.path}, {gap:.3f} s apart")
    return wrong


def story_requests(papers: list[Paper]) -> Counter[str]:
    """How often each story was asked for."""
    return Counter(
        paper.origin.url(entry.path) for paper in papers for entry in paper.origin.log if "/story-" in entry.path
    )

"""Workers on machines of their own, whose cable is pulled: for a time or for ever, whatever they are just at."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fleet import PATIENCE, Fleet, asked_politely, story_requests, wait_until, world
from network import SERVER, Machine, Network
from postgres import PostgresServer, postgres
from s3_server import BUCKET, moto, use

from storage.objects import ObjectStore, open_store

pytestmark = [pytest.mark.exhaustive, pytest.mark.timeout(1800)]

ARCHIVE = f"s3://{BUCKET}/cut-off"
DELAY, STORIES = 0.5, 8


@dataclass(frozen=True, slots=True)
class Town:
    """A server with the database, the bucket and the papers; machines of workers are on its network."""

    network: Network
    server: PostgresServer
    fleet: Fleet
    store: ObjectStore
    #: The variables with which the bucket is reached.
    bucket: Mapping[str, str]

    def submit(self, *what: str) -> None:
        command = [sys.executable, "-P", "-m", "newskeep", "submit", *what]
        environment = {**self.fleet._environment, **self.bucket}
        subprocess.run(command, cwd=self.fleet.folder, env=environment, check=True, capture_output=True)

    def start(self, machine: Machine, *options: str) -> subprocess.Popen[bytes]:
        return self.fleet.start(*options, inside=machine.inside, **self.bucket)

    def holds(self, prefix: str) -> bool:
        """Whether the bucket has something below a prefix."""
        return next(iter(self.store.list(prefix)), None) is not None

    def sessions(self, machine: Machine) -> int:
        """How many sessions the database believes to have with a machine."""
        asked = "SELECT count(*) FROM pg_stat_activity WHERE client_addr = %s"
        with self.server.connect() as connection:
            row = connection.execute(asked, (machine.address,)).fetchone()
        assert row is not None
        return int(row[0])

    def stories(self) -> set[str]:
        return {paper.url(number) for paper in self.fleet.papers for number in range(1, STORIES + 1)}

    def is_whole(self, machine: Machine, *states: str) -> None:
        """Have what the disks of earlier workers keep delivered from another machine; nothing is lost, nor too much."""
        fleet = self.fleet
        for state in states:
            self.submit("crawl", "paper0")
            assert self.start(machine, "--until-empty", f"--state={state}").wait(4 * PATIENCE) == 0, fleet.said()
        # What was asked for twice may be kept twice; nothing else.
        assert set(fleet.captures()) == self.stories()
        assert fleet.captures() <= story_requests(fleet.papers)
        assert asked_politely(fleet.papers, DELAY) == []
        assert not re.search("Traceback|a fault of ours", fleet.said())
        with fleet.queue() as queue:
            assert {job.status for job in queue.jobs()} == {"done"}


@pytest.fixture
def make_town(
    tmp_path: Path, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[int], Town]]:
    with ExitStack() as stack:

        def make(sites: int) -> Town:
            network = stack.enter_context(Network())
            server = stack.enter_context(postgres("0.0.0.0"))
            bucket = stack.enter_context(moto(tmp_path, "0.0.0.0"))
            use(replace(bucket, endpoint=f"http://{SERVER}:{bucket.port}"), monkeypatch)
            address = stack.enter_context(server.database()).replace("127.0.0.1", SERVER)
            papers = stack.enter_context(world(sites, STORIES, "10.78"))
            fleet = Fleet(tmp_path, environment, address, papers, shared_index=True, archive=ARCHIVE)
            stack.callback(fleet.end)
            fleet.configure(DELAY)
            variables = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
            return Town(network, server, fleet, open_store(ARCHIVE), variables)

        yield make


#: When the cable is pulled: text, CDXJ and WARC are put in this order, and entered in the index after that.
MOMENTS: dict[str, Callable[[Town], object]] = {
    "fetch": lambda town: sum(story_requests(town.fleet.papers).values()) >= 4,
    "delivery": lambda town: town.holds("text/"),
    "index entry": lambda town: town.holds("warc/"),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("is_for_ever", [False, True], ids=["for a time", "for ever"])
def test_a_machine_whose_cable_is_pulled(make_town: Callable[[int], Town], moment: str, is_for_ever: bool) -> None:
    town = make_town(2)
    fleet, machine, other = town.fleet, town.network.machine(), town.network.machine()
    town.submit("due")
    cut_off = town.start(machine)
    wait_until(lambda: MOMENTS[moment](town), moment)
    machine.pull()
    # By themselves: its jobs, its hosts and its place in the database are given up in time.
    assert town.start(other, "--until-empty").wait(4 * PATIENCE) == 0, fleet.said()
    assert set(story_requests(fleet.papers)) == town.stories()
    if is_for_ever:
        wait_until(lambda: not fleet.children(cut_off), "its jobs to end", 4 * PATIENCE)
        wait_until(lambda: not town.sessions(machine), "the database to give up its sessions", 2 * PATIENCE)
    else:
        machine.plug_in()
    cut_off.send_signal(signal.SIGTERM)
    assert cut_off.wait(2 * PATIENCE) == 0, fleet.said()
    assert not fleet.job_processes()
    town.is_whole(other, "worker-0")


def test_cables_that_are_pulled_at_any_moment(make_town: Callable[[int], Town]) -> None:
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}")
    chance = random.Random(seed)
    town = make_town(10)
    fleet = town.fleet
    machines = [town.network.machine() for _ in range(3)]
    town.submit("due")
    workers = [town.start(machine) for machine in machines]
    wait_until(lambda: story_requests(fleet.papers), "the first article")
    for _ in range(8):
        machine = chance.choice(machines)
        machine.pull()
        # Shorter than a lease, and longer.
        time.sleep(chance.uniform(0.2, 15.0))
        machine.plug_in()
    assert town.start(town.network.machine(), "--until-empty").wait(6 * PATIENCE) == 0, fleet.said()
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(4 * PATIENCE) == 0, fleet.said()
    town.is_whole(machines[0], "worker-0", "worker-1", "worker-2")

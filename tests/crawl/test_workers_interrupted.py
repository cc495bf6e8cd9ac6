"""Workers whose database restarts, who share a state folder, whose clock is wrong, who are stopped at a bad time."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from command import Run
from fault_proxy import Fault, FaultProxy, Kind
from fleet import LEASE, PATIENCE, Fleet, MakeFleet, asked_politely, story_requests, wait_until
from postgres import PostgresServer
from s3_server import BUCKET, S3Server
from world import SLEEP, faketime_library, swept

from newskeep.queue.database import QueueDatabase
from newskeep.queue.membership import Membership
from newskeep.worker.request import JobRequest
from newskeep.worker.worker import Worker
from storage.postgres_address import PostgresAddress

pytestmark = pytest.mark.long
pytest_plugins = ["postgres", "s3_server", "fleet"]


def asked(fleet: Fleet) -> int:
    return sum(story_requests(fleet.papers).values())


def _processes_in(folder: Path) -> list[Path]:
    """Whatever runs in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found += [path] if (path / "cwd").readlink() == folder else []
    return found


def is_whole(fleet: Fleet, stories: int, delay: float) -> None:
    """Nothing is lost, nothing is there that was not asked for, and every paper was asked politely."""
    everything = {paper.url(number) for paper in fleet.papers for number in range(1, stories + 1)}
    captures, requests = fleet.captures(), story_requests(fleet.papers)
    assert set(captures) == set(requests) == everything, fleet.said()
    assert captures <= requests
    assert asked_politely(fleet.papers, delay) == []
    assert not re.search("Traceback|a fault of ours", fleet.said()), fleet.said()
    with fleet.queue() as queue:
        assert {job.status for job in queue.jobs()} == {"done"}, fleet.said()


def test_a_worker_that_finds_nothing_to_do_ends_whatever_its_pool_is_just_at(postgres_database: str) -> None:
    address = PostgresAddress.parse(postgres_database)
    QueueDatabase(address).close()

    async def work() -> int:
        member = Membership(address, "queue", "one", 1, LEASE)
        # Of the machine, which is well.
        trial = JobRequest(None, "archive", None, postgres_database, LEASE, "one")
        return await asyncio.wait_for(Worker(member, lambda _: trial, 1, until_empty=True).run(), PATIENCE)

    for _ in range(40):
        assert asyncio.run(work()) == 0


@pytest.mark.exhaustive
def test_workers_go_on_where_their_database_was_restarted(
    make_fleet: MakeFleet, newskeep: Run, postgres_server: PostgresServer
) -> None:
    fleet = make_fleet(6, 8, 0.4, shared_index=True)
    newskeep("submit", "due")
    workers = [fleet.start("--until-empty", "--at-once=2") for _ in range(2)]
    for wanted in (3, 12, 24):
        wait_until(lambda: asked(fleet) >= wanted, f"{wanted} requests", 2 * PATIENCE)  # noqa: B023
        postgres_server.stop()
        postgres_server.start()
    wait_until(lambda: asked(fleet) >= 30, "30 requests", 2 * PATIENCE)
    # For so long that jobs end over it: in the middle, or as nothing can be entered.
    postgres_server.stop()
    wait_until(lambda: re.search("out of reach for too long|no job is taken", fleet.said()), "a job to end over it")
    postgres_server.start()
    for worker in workers:
        assert worker.wait(4 * PATIENCE) == 0, fleet.said()
    is_whole(fleet, 8, 0.4)


@pytest.mark.exhaustive
def test_workers_of_one_machine_share_a_state_folder(
    make_fleet: MakeFleet, newskeep: Run, bucket: Mapping[str, str]
) -> None:
    fleet = make_fleet(8, 4, 0.4, shared_index=True, archive=f"s3://{BUCKET}/one-folder")
    newskeep("submit", "due")
    options = ("--until-empty", "--at-once=2", "--state=one")
    first, second = (fleet.start(*options, **bucket) for _ in range(2))
    wait_until(lambda: asked(fleet) >= 6, "the first articles")
    first.kill()
    first.wait()
    third = fleet.start(*options, **bucket)
    for worker in (second, third):
        assert worker.wait(4 * PATIENCE) == 0, fleet.said()
    wait_until(lambda: not fleet.job_processes(), "the killed worker's jobs to end")
    newskeep("submit", "crawl", "paper0")
    assert fleet.start(*options, **bucket).wait(PATIENCE) == 0, fleet.said()
    is_whole(fleet, 4, 0.4)
    assert "waits in" not in fleet.said()


def _an_hour_off(folder: Path, seconds: int) -> dict[str, str]:
    """The variables of a process whose wall clock is so many seconds off; see `world.Operator`."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(SLEEP)
    return {
        "LD_PRELOAD": faketime_library(),
        "FAKETIME": f"{seconds:+d}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        "NO_FAKE_STAT": "1",
        "PYTHONPATH": str(folder),
    }


@pytest.mark.exhaustive
@pytest.mark.parametrize("seconds", [3600, -3600], ids=["fast", "slow"])
def test_a_worker_whose_clock_is_an_hour_off_keeps_to_the_queues(
    make_fleet: MakeFleet, newskeep: Run, tmp_path: Path, seconds: int
) -> None:
    fleet = make_fleet(4, 4, 0.4, shared_index=True)
    newskeep("submit", "due")
    wrong = fleet.start("--at-once=1", **_an_hour_off(tmp_path / "clock", seconds))
    right = fleet.start("--at-once=1")
    try:
        wait_until(lambda: asked(fleet) >= 5, "the first articles")
        for worker in (wrong, right):
            worker.kill()
            worker.wait()
        # Each does what the other one had begun.
        wrong = fleet.start("--until-empty", "--at-once=1", **_an_hour_off(tmp_path / "clock", seconds))
        right = fleet.start("--until-empty", "--at-once=1")
        for worker in (wrong, right):
            assert worker.wait(2 * PATIENCE) == 0, fleet.said()
        wait_until(lambda: not fleet.job_processes(), "the killed workers' jobs to end")
    finally:
        for worker in fleet.workers:
            swept(worker.pid)
    is_whole(fleet, 4, 0.4)
    told = re.findall(r"this machine's clock is (.*) the queue's", fleet.said())
    assert told == ["1h ahead of" if seconds > 0 else "1h behind"] * 2


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_the_second_signal_ends_a_worker_at_once_and_nothing_is_lost(
    make_fleet: MakeFleet, newskeep: Run, number: signal.Signals
) -> None:
    fleet = make_fleet(1, 4, 0.4)
    newskeep("submit", "due")
    worker = fleet.start("--stop-within=600s")
    wait_until(lambda: asked(fleet) >= 2, "the first articles")
    worker.send_signal(number)
    wait_until(lambda: "once more to stop at once" in fleet.said(), "the worker to be stopping")
    worker.send_signal(number)
    assert worker.wait(PATIENCE) in (0, 128 + number), fleet.said()
    wait_until(lambda: not fleet.job_processes(), "its jobs to end")
    assert fleet.start("--until-empty").wait(PATIENCE) == 0, fleet.said()
    is_whole(fleet, 4, 0.4)


@pytest.mark.exhaustive
def test_a_job_of_a_newer_program_ends_no_worker_and_is_left_to_others(make_fleet: MakeFleet, newskeep: Run) -> None:
    fleet = make_fleet(2, 1, 0.1)
    newskeep("submit", "due")
    with fleet.queue() as queue:
        newer, older = (job.id for job in queue.jobs())
        queue.database.run("UPDATE procrastinate_jobs SET task_name = 'newskeep.newer' WHERE id = %(job)s", job=newer)
        worker = fleet.start("--at-once=1")
        wait_until(lambda: queue.job(older).status == "done", "the other job to be done")
        wait_until(lambda: len([*queue.attempts(newer)]) >= 2, "the newer one to be tried again")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0, fleet.said()
        assert next(queue.attempts(newer))["state"] == "elsewhere"
    assert fleet.said().count("does not know: newskeep.newer; left to other machines") == 1


def test_ctrl_c_ends_a_worker_whose_bucket_says_nothing_from_the_beginning(
    make_fleet: MakeFleet, moto_server: S3Server, bucket: Mapping[str, str]
) -> None:
    fleet = make_fleet(1, 1, 0.1, archive=f"s3://{BUCKET}/never")
    with FaultProxy(moto_server.port) as line:
        line.inject(Fault(Kind.BLACK_HOLE))
        reached = {**bucket, "NEWSKEEP_S3_READ_TIMEOUT": "600", "AWS_ENDPOINT_URL_S3": line.endpoint}
        worker = fleet.start(**reached)
        wait_until(lambda: line.seen, "the first request to the bucket")
        worker.send_signal(signal.SIGINT)
        assert worker.wait(PATIENCE) == 130, fleet.said()
        assert "Traceback" not in fleet.said(), fleet.said()


def test_a_worker_that_is_stopped_while_several_jobs_wait_for_a_trial_puts_all_of_them_back(
    make_fleet: MakeFleet, newskeep: Run, moto_server: S3Server, bucket: Mapping[str, str]
) -> None:
    fleet = make_fleet(2, 8, 0.4, archive=f"s3://{BUCKET}/doubted")
    with FaultProxy(moto_server.port) as line:
        reached = {**bucket, "NEWSKEEP_S3_READ_TIMEOUT": "600", "AWS_ENDPOINT_URL_S3": line.endpoint}
        newskeep("submit", "due")
        worker = fleet.start("--at-once=2", "--stop-within=600s", **reached)
        wait_until(lambda: len(story_requests(fleet.papers)) >= 2 and len(fleet.children(worker)) == 2, "both jobs")
        line.inject(Fault(Kind.BLACK_HOLE))
        one, other = fleet.children(worker)
        seen = len(line.seen)
        os.kill(int(one), signal.SIGKILL)
        # The trial, which the bucket does not answer.
        wait_until(lambda: len(line.seen) > seen and len(set(fleet.children(worker)) - {one, other}) == 1, "the trial")
        os.kill(int(other), signal.SIGKILL)
        # With those that it had started: what it says to people is read to the end first.
        wait_until(lambda: not _session(fleet.folder, int(other)), "the other job to end")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0, fleet.said()
        line.inject()
    with fleet.queue() as queue:
        assert [(job.status, job.state) for job in queue.jobs()] == [("waiting", "stopped")] * 2, fleet.said()


def _session(folder: Path, leader: int) -> list[Path]:
    """The processes of a job, those that it started included."""
    found = []
    for process in _processes_in(folder):
        with suppress(ProcessLookupError):
            if os.getsid(int(process.name)) == leader:
                found.append(process)
    return found

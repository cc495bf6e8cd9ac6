"""Workers whose machine can do no job: they take none, use no try of any, and go on when that is over."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from subprocess import Popen
from urllib.parse import urlsplit

import pytest
from breaking_line import BreakingLine
from command import Run
from fault_proxy import Fault, FaultProxy, Kind
from fleet import Fleet, MakeFleet, asked_politely, story_requests
from s3_server import BUCKET, S3Server
from waiting import until

from newskeep.queue.fleet import fleet_of

pytestmark = pytest.mark.long
pytest_plugins = ["postgres", "s3_server", "fleet"]

REFUSED = Fault(Kind.REFUSE, status=403, code="InvalidAccessKeyId")
BUSY = Fault(Kind.REFUSE)
SILENT = Fault(Kind.BLACK_HOLE)
#: A store that is away is found out at once, not after the time-outs of a real one.
IMPATIENT = {"NEWSKEEP_S3_ATTEMPTS": "1", "NEWSKEEP_S3_READ_TIMEOUT": "2"}
#: Seconds between two looks into the queue: each is a connection of its own.
LOOK = 0.3


def states(fleet: Fleet) -> list[list[str]]:
    """How the attempts at each job went."""
    with fleet.queue() as queue:
        return [[each["state"] for each in queue.attempts(job.id)] for job in queue.jobs()]


def pauses(fleet: Fleet) -> int:
    return fleet.said().count("no job is taken: ")


def ended(worker: Popen[bytes], fleet: Fleet) -> Callable[[], str | None]:
    """What a worker said that has ended, though it should not have."""
    return lambda: None if worker.poll() is None else f"exit code {worker.returncode}: {fleet.said()}"


def paused(fleet: Fleet) -> str | None:
    """Why its worker takes no job, as others see it."""
    with fleet.queue() as queue:
        return next((each.paused for each in fleet_of(queue).workers), None)


@pytest.mark.exhaustive
@pytest.mark.parametrize("fault", [BUSY, REFUSED, SILENT], ids=["busy", "refused", "silent"])
def test_while_its_bucket_is_away_a_worker_takes_no_job_and_no_job_loses_a_try(
    make_fleet: MakeFleet, newskeep: Run, moto_server: S3Server, bucket: Mapping[str, str], fault: Fault
) -> None:
    fleet = make_fleet(3, 2, 0.2, archive=f"s3://{BUCKET}/away-{fault.status}-{fault.kind.name}")
    with FaultProxy(moto_server.port) as line:
        newskeep("submit", "due")
        worker = fleet.start(
            "--at-once=1", "--until-empty", **{**bucket, **IMPATIENT, "AWS_ENDPOINT_URL_S3": line.endpoint}
        )
        until(lambda: story_requests(fleet.papers), ended(worker, fleet))
        line.inject(fault)
        why = until(lambda: paused(fleet), ended(worker, fleet), pause=LOOK)
        assert why.startswith(f"s3://{BUCKET}")
        before = story_requests(fleet.papers)
        # One job had begun; the others wait, and nobody asks their sites for anything.
        assert len({url.split("/")[2] for url in before}) == 1
        assert sorted(states(fleet)) == [[], [], ["unable"]]
        line.inject()
        assert worker.wait() == 0, fleet.said()
    assert pauses(fleet) == fleet.said().count("jobs are taken again, after ") == 1
    assert sorted(states(fleet)) == [["finished"], ["finished"], ["unable", "finished"]]
    # What it had fetched was delivered, not fetched again.
    stories = {paper.url(number): 1 for paper in fleet.papers for number in (1, 2)}
    assert fleet.captures() == story_requests(fleet.papers) == stories
    assert asked_politely(fleet.papers, 0.2) == []


def test_a_full_disk_a_broken_configuration_and_a_damaged_frontier_cost_no_job(
    make_fleet: MakeFleet, newskeep: Run
) -> None:
    fleet = make_fleet(2, 1, 0.1)
    fleet.configure(0.1, "min_free = 900_000_000_000_000")
    newskeep("submit", "due")
    worker = fleet.start("--at-once=2", "--until-empty")
    assert "min_free keeps" in until(lambda: paused(fleet), ended(worker, fleet), pause=LOOK)
    fleet.configure(0.1, "min_free = [1]")
    until(lambda: "min_free keeps" not in (paused(fleet) or "min_free keeps"), ended(worker, fleet), pause=LOOK)
    frontier = fleet.folder / "archive" / "frontier.sqlite"
    frontier.write_text("no database at all, " * 50)
    fleet.configure(0.1)
    until(lambda: "the frontier is damaged" in (paused(fleet) or ""), ended(worker, fleet), pause=LOOK)
    assert not story_requests(fleet.papers)
    frontier.unlink()
    assert worker.wait() == 0, fleet.said()
    assert fleet.captures() == {paper.url(1): 1 for paper in fleet.papers}
    assert pauses(fleet) == 1
    assert all(set(each) <= {"unable", "finished"} for each in states(fleet))


@pytest.mark.parametrize(
    "statement",
    [b"INSERT INTO runs", pytest.param(b"INSERT INTO sites", marks=pytest.mark.exhaustive)],
    ids=["its run", "its site"],
)
def test_an_index_that_goes_away_while_a_crawl_is_opened_is_no_failure_of_the_site(
    make_fleet: MakeFleet, newskeep: Run, postgres_database: str, statement: bytes
) -> None:
    fleet = make_fleet(1, 1, 0.1, shared_index=True)
    newskeep("submit", "due")
    port = urlsplit(postgres_database).port
    assert port is not None
    with BreakingLine(port, statement, times=1) as line:
        index = postgres_database.replace(f":{port}/", f":{line.netloc.partition(':')[2]}/")
        worker = fleet.start("--until-empty", NEWSKEEP_INDEX=index, NEWSKEEP_QUEUE=postgres_database)
        assert worker.wait() == 0, fleet.said()
        assert line.left == 0
    assert states(fleet) == [["away", "finished"]], fleet.said()
    assert fleet.captures() == story_requests(fleet.papers) == {fleet.papers[0].url(1): 1}


@pytest.mark.exhaustive
def test_a_worker_that_is_stopped_ends_though_its_bucket_says_nothing(
    make_fleet: MakeFleet, newskeep: Run, moto_server: S3Server, bucket: Mapping[str, str]
) -> None:
    fleet = make_fleet(1, 3, 0.3, archive=f"s3://{BUCKET}/stopped-silent")
    patient = {"NEWSKEEP_S3_READ_TIMEOUT": "600"}
    with FaultProxy(moto_server.port) as line:
        reached = {**bucket, **patient, "AWS_ENDPOINT_URL_S3": line.endpoint}
        worker = fleet.start("--stop-within=8s", **reached)
        newskeep("submit", "due")
        until(lambda: story_requests(fleet.papers), ended(worker, fleet))
        line.inject(SILENT)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait() == 0
        assert "has not ended in time" in fleet.said() and "waits in" in fleet.said(), fleet.said()
        assert not fleet.job_processes() and states(fleet) == [["stopped"]]
        # Once more: it delivers that first, in vain, and ends at the first signal, as nothing of its own is at stake.
        line.inject(Fault(Kind.BLACK_HOLE, "PUT"))
        seen = len(line.seen)
        second = fleet.start("--stop-within=600s", **reached)
        until(lambda: any(each.startswith("PUT ") for each in line.seen[seen:]), ended(second, fleet))
        second.send_signal(signal.SIGTERM)
        assert second.wait() == 0, fleet.said()
        line.inject()
        third = fleet.start("--until-empty", **reached)
        assert third.wait() == 0, fleet.said()
    assert fleet.captures() == story_requests(fleet.papers) == {fleet.papers[0].url(n): 1 for n in (1, 2, 3)}


@pytest.mark.exhaustive
def test_a_site_that_one_machine_does_not_know_is_crawled_by_one_that_does(
    make_fleet: MakeFleet, newskeep: Run
) -> None:
    fleet = make_fleet(1, 2, 0.1)
    known = (fleet.folder / "newskeep.toml").read_text()
    (fleet.folder / "other.toml").write_text(known[: known.index("[sites.")])
    newskeep("submit", "due")
    ignorant = fleet.start("--config=other.toml")
    until(lambda: "elsewhere" in states(fleet)[0], ended(ignorant, fleet), pause=LOOK)
    # Not until all is done: while the job is put off, nothing waits.
    knowing = fleet.start()
    stories = {fleet.papers[0].url(number): 1 for number in (1, 2)}
    until(lambda: fleet.captures() == stories, ended(ignorant, fleet), pause=LOOK)
    until(lambda: states(fleet)[0][-1] == "finished", ended(knowing, fleet), pause=LOOK)
    ((*before, last),) = states(fleet)
    assert set(before) == {"elsewhere"} and last == "finished"
    assert fleet.said().count("no site is named 'paper0'") == 1

"""The queue in a real PostgreSQL: what waits once, what is fenced, who may ask a host, how lists are cut."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import gethostname
from typing import Any, TypeVar
from urllib.parse import quote

import pytest
import time_machine
from postgres import GUARDED, OWNER, PASSWORD

from crawler.config import Config
from crawler.frontier.address_state import HostState
from crawler.url_list import ListedURL, read_urls
from newskeep.cli.jobs.list import _in_words, _line
from newskeep.doctor.queue import findings
from newskeep.queue.database import QueueDatabase
from newskeep.queue.fleet import fleet_of
from newskeep.queue.hosts import HostLeases
from newskeep.queue.jobs import JobQueue
from newskeep.queue.lists import BATCH_URLS, ListStore
from newskeep.queue.membership import LOST_MOST, Membership, Taken
from newskeep.queue.submitting import submit_list
from newskeep.queue.task import BatchTask, CrawlTask
from storage.errors import StoreDenied, StoreUnavailable, UsageError
from storage.model import Outcome
from storage.objects import open_store
from storage.postgres_address import PostgresAddress

pytest_plugins = ["postgres"]

T = TypeVar("T")
#: Long enough for any machine; what is to be over is made so in the database.
LEASE = 600.0


@pytest.fixture
def database(postgres_database: str) -> Iterator[QueueDatabase]:
    with QueueDatabase(PostgresAddress.parse(postgres_database)) as database:
        yield database


@pytest.fixture
def queue(database: QueueDatabase) -> JobQueue:
    return JobQueue(database, "s3://bucket/news")


def member_of(queue: JobQueue, name: str = "one") -> Membership:
    return Membership(queue.database.address, queue.name, name, 4, LEASE)


def as_member(queue: JobQueue, work: Callable[[Membership], Awaitable[T]], name: str = "one") -> T:
    """Do something as a worker that joins for it, and then says nothing more."""

    async def joined() -> T:
        member = member_of(queue, name)
        await member.open()
        await member.join()
        try:
            return await work(member)
        finally:
            await member._app.close_async()

    return asyncio.run(joined())


def take(queue: JobQueue, name: str = "one") -> Taken | None:
    return as_member(queue, lambda member: member.take(), name)


def taken_of(queue: JobQueue, site: str = "gazette", name: str = "one") -> Taken:
    queue.submit(CrawlTask(site, site), f"{site}.example")
    taken = take(queue, name)
    assert taken is not None
    return taken


def silence(database: QueueDatabase, taken: Taken) -> None:
    """Have a worker be silent for longer than its lease."""
    query = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 day' WHERE id = %(worker)s"
    database.run(query, worker=taken.worker)


def pause_over(database: QueueDatabase, taken: Taken) -> float:
    """Have a lost job be put off no longer; return for how many seconds it was, counted from its loss."""
    query = (
        "UPDATE procrastinate_jobs job SET scheduled_at = now()"
        " FROM newskeep_attempts lost, procrastinate_jobs before"
        " WHERE job.id = %(job)s AND before.id = job.id AND lost.job = job.id AND lost.attempt = %(attempt)s"
        " RETURNING extract(epoch FROM before.scheduled_at - lost.ended)::float8 AS seconds"
    )
    row = database.one(query, job=taken.job, attempt=taken.attempt)
    assert row is not None
    return float(row["seconds"])


def sweep(queue: JobQueue) -> list[int]:
    return as_member(queue, lambda member: member.sweep(), "sweeper")


# Who knows a site


def test_a_site_may_be_known_to_every_living_worker_that_has_not_said_otherwise(queue: JobQueue) -> None:
    queue.submit(CrawlTask("gazette", "gazette"), "gazette.example")

    async def say_no(member: Membership) -> tuple[Taken, int]:
        taken = await member.take()
        assert taken is not None
        others = await member.untried(taken)
        assert await member.put_back(taken, 0.0, "elsewhere", "no site is named 'gazette'")
        return taken, others

    assert as_member(queue, say_no)[1] == 0
    assert as_member(queue, lambda member: member.beat(), "two") == {}
    taken, others = as_member(queue, say_no)
    assert (taken.elsewhere, others) == (1, 1)
    theirs, others = as_member(queue, say_no, "two")
    assert (theirs.elsewhere, others) == (2, 0), "the one has said so"
    last, others = as_member(queue, say_no, "three")
    assert others == 0
    silence(queue.database, last)
    # Under another number, and not heard of under the one before.
    assert as_member(queue, say_no, "four")[1] == 0


# What waits


def test_a_site_waits_once_and_not_while_it_is_crawled(queue: JobQueue) -> None:
    task = CrawlTask("gazette", "gazette")
    assert queue.submit(task, "gazette.example") is not None
    assert queue.submit(task, "gazette.example") is None
    assert take(queue) is not None
    assert queue.submit(task, "gazette.example") is None
    # A back-fill is another thing to do.
    assert queue.submit(CrawlTask("gazette", "gazette", since="20260101000000"), "gazette.example") is not None


def test_one_submission_among_many_machines_queues_it(queue: JobQueue) -> None:
    found: list[int | None] = []
    start = threading.Barrier(8)

    def submit() -> None:
        start.wait()
        found.append(queue.submit(CrawlTask("gazette", "gazette"), None))

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([job for job in found if job is not None]) == 1


def test_tables_are_made_once_though_many_come_at_once(postgres_database: str) -> None:
    failures: list[BaseException] = []
    start = threading.Barrier(6)

    def open_queue() -> None:
        start.wait()
        try:
            QueueDatabase(PostgresAddress.parse(postgres_database)).close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=open_queue) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_user_without_rights_is_told_so(postgres_database: str) -> None:
    # PostgreSQL asks OWNER alone for no password.
    address = PostgresAddress.parse(postgres_database.replace(OWNER, f"{GUARDED}:{quote(PASSWORD, safe='')}", 1))
    with pytest.raises(StoreDenied, match="its user may not do this") as caught:
        QueueDatabase(address)
    assert "schema public" in str(caught.value) and PASSWORD not in str(caught.value)


def test_a_newer_queue_is_told(database: QueueDatabase, postgres_database: str) -> None:
    database.run("UPDATE newskeep_queue SET version = 1000")
    with pytest.raises(StoreUnavailable, match="newer newskeep"):
        QueueDatabase(PostgresAddress.parse(postgres_database))


def test_archives_have_queues_of_their_own(database: QueueDatabase, queue: JobQueue) -> None:
    other = JobQueue(database, "s3://bucket/other")
    assert queue.submit(CrawlTask("gazette", "gazette"), None) is not None
    assert other.submit(CrawlTask("gazette", "gazette"), None) is not None
    assert [job.title for job in other.jobs()] == ["crawl gazette"]
    with pytest.raises(UsageError, match="no job"):
        other.job(queue.jobs()[0].id)


@pytest.mark.parametrize("archive", ["s3://a-bucket/with/a/long/prefix/and/more", "/home/jürgen/archiv", "/\udcff"])
def test_an_archive_of_any_name_has_a_queue(database: QueueDatabase, archive: str) -> None:
    queue = JobQueue(database, archive)
    assert queue.submit(CrawlTask("gazette", "gazette"), None) is not None
    assert JobQueue(database, f"{archive}2").jobs() == []


def test_jobs_of_one_lock_do_not_run_side_by_side(queue: JobQueue) -> None:
    first = taken_of(queue, "gazette")
    queue.submit(CrawlTask("sport", "sport"), "gazette.example")
    assert take(queue, "two") is None
    as_member(queue, lambda member: member.end(first, "succeeded", "finished", None, None))
    following = take(queue, "two")
    assert following is not None and following.task == CrawlTask("sport", "sport")


# What is lost


def test_the_job_of_a_lost_worker_is_done_again_once(queue: JobQueue, database: QueueDatabase) -> None:
    taken = taken_of(queue, name="paris-1")
    assert sweep(queue) == []
    silence(database, taken)
    assert sweep(queue) == [taken.job]
    assert sweep(queue) == []
    pause_over(database, taken)
    again = take(queue, "two")
    assert again is not None and again.job == taken.job and again.attempt == taken.attempt + 1
    assert (again.lost, again.away) == (1, 0)
    # Another one that had looked at the same time finds nothing to do with it.
    assert sweep(queue) == []
    assert queue.job(taken.job).status == "running"
    history = list(queue.attempts(taken.job))
    assert [each["state"] for each in history] == ["lost", None]
    assert "paris-1" in history[0]["reason"]


def test_a_lost_job_that_several_find_at_once_is_told_by_one(queue: JobQueue, database: QueueDatabase) -> None:
    taken = taken_of(queue)
    silence(database, taken)

    async def several(member: Membership) -> list[list[int]]:
        return list(await asyncio.gather(*(member.sweep() for _ in range(3))))

    assert [job for found in as_member(queue, several) for job in found] == [taken.job]


def test_a_worker_that_was_given_up_neither_ends_its_job_nor_comes_back(
    queue: JobQueue, database: QueueDatabase
) -> None:
    async def work(member: Membership) -> None:
        taken = await member.take()
        assert taken is not None
        await asyncio.to_thread(silence, database, taken)
        assert await member.beat() == {}
        assert not member.holds and await member.take() is None
        await asyncio.to_thread(sweep, queue)
        await asyncio.to_thread(pause_over, database, taken)
        again = await asyncio.to_thread(take, queue, "two")
        assert again is not None
        assert not await member.end(taken, "succeeded", "finished", None, None)
        assert not await member.put_back(taken, 0.0, "stopped", None)
        assert await asyncio.to_thread(lambda: queue.job(taken.job).status) == "running"

    queue.submit(CrawlTask("gazette", "gazette"), None)
    as_member(queue, work)


def test_when_a_job_is_tried_again_is_by_the_servers_clock(queue: JobQueue, database: QueueDatabase) -> None:
    async def work(member: Membership) -> None:
        taken = await member.take()
        assert taken is not None
        # Of a machine that is a day ahead.
        with time_machine.travel(datetime.now(UTC) + timedelta(days=1)):
            assert await member.put_back(taken, 600.0, "failed", None)

    queue.submit(CrawlTask("gazette", "gazette"), None)
    as_member(queue, work)
    asked = "SELECT extract(epoch FROM scheduled_at - now())::float8 AS seconds FROM procrastinate_jobs"
    row = database.one(asked)
    assert row is not None and 0 < row["seconds"] <= 600


def test_the_server_notices_soon_that_a_machine_is_gone(database: QueueDatabase) -> None:
    asked = "SELECT name, setting FROM pg_settings WHERE name IN ('tcp_keepalives_idle', 'tcp_user_timeout')"
    assert {row["name"]: row["setting"] for row in database.all(asked)} == {
        "tcp_keepalives_idle": "15",
        "tcp_user_timeout": "30000",
    }


def test_a_job_that_kills_its_workers_is_given_up(queue: JobQueue, database: QueueDatabase) -> None:
    taken = taken_of(queue)
    pauses = []
    for _ in range(LOST_MOST - 1):
        silence(database, taken)
        sweep(queue)
        # Who works until nothing is left waits for it.
        assert take(queue) is None and not as_member(queue, lambda member: member.idle())
        pauses.append(pause_over(database, taken))
        again = take(queue)
        assert again is not None
        taken = again
    assert all(pause >= 2.0 * 2**losses for losses, pause in enumerate(pauses[:6])), pauses
    silence(database, taken)
    sweep(queue)
    job = queue.job(taken.job)
    assert job.status == "failed" and "worker was lost" in (job.reason or "")
    queue.retry(job.id)
    # Who asks for it again wants all its tries, not one more.
    again = take(queue)
    assert again is not None and (again.lost, again.away) == (0, 0)
    silence(database, again)
    sweep(queue)
    assert queue.job(job.id).status == "waiting"
    assert len(list(queue.attempts(job.id))) == LOST_MOST + 1


def test_tables_of_an_older_version_are_brought_up_to_date(queue: JobQueue, database: QueueDatabase) -> None:
    taken = taken_of(queue)
    database.run("ALTER TABLE newskeep_workers DROP COLUMN machine, DROP COLUMN paused")
    database.run("ALTER TABLE newskeep_attempts DROP COLUMN machine, DROP COLUMN pid, DROP COLUMN counted")
    database.run("UPDATE newskeep_queue SET version = 1")
    with QueueDatabase(database.address) as newer:
        (worker,) = fleet_of(JobQueue(newer, "s3://bucket/news")).workers
        assert worker.place == "one" and worker.paused is None
        assert as_member(queue, lambda member: member.end(taken, "failed", "failed", "no feed", None))
        assert "by one  no feed" in _line(queue.job(taken.job), datetime.now(UTC))
        assert newer.one("SELECT version FROM newskeep_queue") == {"version": 2}


def test_a_lost_job_whose_site_waits_again_is_not_in_its_way(queue: JobQueue, database: QueueDatabase) -> None:
    taken = taken_of(queue)
    # As one that was submitted in the moment in which it was taken.
    copy = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args)"
        " SELECT queue_name, task_name, lock, queueing_lock, args FROM procrastinate_jobs WHERE id = %(job)s"
    )
    database.run(copy, job=taken.job)
    silence(database, taken)
    sweep(queue)
    assert [job.status for job in queue.jobs()] == ["waiting", "failed"]


def test_a_job_whose_taking_was_never_answered_is_let_go(queue: JobQueue) -> None:
    async def work(member: Membership) -> None:
        taken = await member.take()
        assert taken is not None
        assert list(await member.beat()) == [(taken.job, taken.attempt)]
        await member.let_go(taken.job, taken.attempt)

    queue.submit(CrawlTask("gazette", "gazette"), None)
    as_member(queue, work)
    assert [job.status for job in queue.jobs()] == ["waiting"]


# What people do


def test_cancel_retry_and_purge(queue: JobQueue) -> None:
    first = queue.submit(CrawlTask("gazette", "gazette"), None)
    assert first is not None
    assert queue.cancel(first).status == "cancelled"
    with pytest.raises(UsageError, match="already"):
        queue.cancel(first)
    queue.retry(first)
    with pytest.raises(UsageError, match="waiting"):
        queue.retry(first)
    taken = take(queue)
    assert taken is not None and queue.cancel(first).stopping
    as_member(queue, lambda member: member.end(taken, "aborted", "cancelled", None, None), "nobody")
    with pytest.raises(UsageError, match="no job"):
        queue.job(9999)
    as_member(queue, lambda member: member.end(taken, "aborted", "cancelled", None, None))
    assert queue.job(first).status == "cancelled"
    assert queue.purge(1) == 0
    assert queue.purge(0) == 1
    assert queue.jobs() == []


def test_the_fleet_says_who_works_and_for_how_long_others_wait(queue: JobQueue, database: QueueDatabase) -> None:
    taken = taken_of(queue, name="paris-1")
    queue.submit(CrawlTask("herald", "herald"), None)
    database.run("UPDATE procrastinate_events SET at = at - interval '2 hours'")
    fleet = fleet_of(queue)
    assert [(each.name, each.jobs, each.lost) for each in fleet.workers] == [("paris-1", 1, False)]
    assert [job.id for job in fleet.running] == [taken.job]
    where = f"paris-1 ({gethostname()}, process {os.getpid()})"
    assert fleet.running[0].place == fleet.workers[0].place == where

    async def pause(member: Membership) -> None:
        await member.beat(paused="the disk is full")

    as_member(queue, pause, "paris-2")
    other = fleet_of(queue).workers[1]
    assert (other.state, other.paused) == ("paused", "the disk is full")
    assert _in_words(other, other.heard).endswith("takes no job: the disk is full")
    assert (fleet.counts["waiting"], fleet.counts["running"]) == (1, 1)
    assert fleet.lag >= 7200
    silence(database, taken)
    assert {each.name: each.lost for each in fleet_of(queue).workers} == {"paris-1": True, "paris-2": False}


def test_doctor_tells_of_the_queue(postgres_database: str, tmp_path: Path) -> None:
    def told(address: str | None) -> list[tuple[str, str, str | None]]:
        found = findings(Config(queue=address, archive=str(tmp_path)))
        return [(each.grade, each.said, each.cure) for each in found]

    assert told(None) == []
    ((grade, said, _),) = told(postgres_database)
    assert grade == "warn" and "none yet" in said
    with QueueDatabase(PostgresAddress.parse(postgres_database)) as database:
        queue = JobQueue(database, open_store(str(tmp_path)).uri)
        queue.submit(CrawlTask("gazette", "gazette"), None)
        ((grade, said, cure),) = told(postgres_database)
        assert (grade, cure) == ("bad", "newskeep worker") and "1 job waiting" in said
        as_member(queue, lambda member: member.beat(paused="the disk is full"), "paris-2")
        ((grade, said, cure),) = told(postgres_database)
        assert grade == "bad" and "paris-2" in said and "takes no job: the disk is full" in said
        database.run("DELETE FROM procrastinate_workers")
        assert take(queue) is not None
        assert [grade for grade, _, _ in told(postgres_database)] == ["ok"]
    ((grade, said, _),) = told("postgresql://me:secret@127.0.0.1:1/d")
    assert grade == "bad" and "Connection refused" in said and "secret" not in said


# Hosts


def leases_of(database: QueueDatabase, taken: Taken) -> HostLeases:
    return HostLeases(database, taken, LEASE)


def test_a_host_is_leased_to_one_job_at_a_time_and_its_pause_goes_on(queue: JobQueue, database: QueueDatabase) -> None:
    one, two = taken_of(queue, "gazette"), taken_of(queue, "herald")
    second = leases_of(database, two)
    with leases_of(database, one) as first:
        assert not first.enter("cdn.example", 30.0)
        assert first.take("cdn.example", 30.0) == 0.0
        assert first.enter("cdn.example", 30.0)
        first.leave("cdn.example")
        assert second.take("cdn.example", 1.0) is None and not second.enter("cdn.example", 1.0)
    wait = second.take("cdn.example", 1.0)
    assert wait is not None and wait > 20
    assert second.enter("cdn.example", 1.0)


def test_a_host_of_a_lost_job_is_free_after_its_lease_and_its_pause(queue: JobQueue, database: QueueDatabase) -> None:
    one, two = taken_of(queue, "gazette"), taken_of(queue, "herald")
    assert leases_of(database, one).take("slow.example", 120.0) == 0.0
    second = leases_of(database, two)
    assert second.take("slow.example", 1.0) is None
    database.run("UPDATE newskeep_hosts SET until = now() - interval '1 second'")
    wait = second.take("slow.example", 1.0)
    # Its last request may have been at the very end of the lease.
    assert wait is not None and 100 < wait <= 120


def test_a_longer_pause_is_told_before_the_next_request(queue: JobQueue, database: QueueDatabase) -> None:
    leases = leases_of(database, taken_of(queue))
    leases.take("a.example", 1.0)
    assert leases.enter("a.example", 1.0)
    leases.leave("a.example")
    assert not leases.enter("a.example", 60.0)
    leases.take("a.example", 60.0)
    assert database.all("SELECT pause FROM newskeep_hosts") == [{"pause": 60.0}]


def test_waits_that_a_host_asked_for_hold_for_all(queue: JobQueue, database: QueueDatabase) -> None:
    one, two = leases_of(database, taken_of(queue, "gazette")), leases_of(database, taken_of(queue, "herald"))
    assert two.host("a.example") is None
    one.put_host(HostState("a.example", datetime.now(UTC) + timedelta(seconds=900), "429 Too Many Requests"))
    known = two.host("a.example")
    assert known is not None and known.wait_until is not None and known.reason == "429 Too Many Requests"
    assert 600 < (known.wait_until - datetime.now(UTC)).total_seconds() <= 901
    assert fleet_of(queue).hosts_waiting == 1


def test_a_job_that_is_anothers_leases_nothing_and_stops(queue: JobQueue, database: QueueDatabase) -> None:
    taken = taken_of(queue)
    leases = leases_of(database, taken)
    lost = threading.Event()
    leases.on_lost = lost.set
    leases.take("a.example", 1.0)
    assert leases.enter("a.example", 1.0) and leases.holds("a.example")
    silence(database, taken)
    sweep(queue)
    leases._renew()
    assert lost.is_set() and "another worker" in str(leases.failure)
    assert not leases.enter("a.example", 1.0) and leases.take("b.example", 1.0) is None
    # Nor is sent what had begun.
    assert not leases.holds("a.example")


def test_a_job_that_is_anothers_gives_back_no_host_before_its_lease_is_over(
    queue: JobQueue, database: QueueDatabase
) -> None:
    taken = taken_of(queue)
    with leases_of(database, taken) as leases:
        leases.take("a.example", 1.0)
        silence(database, taken)
        sweep(queue)
        # As a statement that was under way when its worker was given up.
        leases._give_back({"a.example"}, 0.0)
        assert database.one("SELECT holder FROM newskeep_hosts") == {"holder": taken.holder}
    assert database.one("SELECT holder FROM newskeep_hosts") == {"holder": taken.holder}
    two = leases_of(database, taken_of(queue, "herald"))
    assert two.take("a.example", 1.0) is None


def test_a_host_that_another_job_wants_is_given_back_between_two_requests(
    queue: JobQueue, database: QueueDatabase
) -> None:
    one, two = leases_of(database, taken_of(queue, "gazette")), leases_of(database, taken_of(queue, "herald"))
    one.take("cdn.example", 0.0)
    assert one.enter("cdn.example", 0.0)
    assert two.take("cdn.example", 0.0) is None
    one._renew()
    assert two.take("cdn.example", 0.0) is None
    one.leave("cdn.example")
    one._renew()
    assert two.take("cdn.example", 0.0) is not None
    assert not one.enter("cdn.example", 0.0)


# Lists


def submitted(queue: JobQueue, urls: Iterator[str] | list[str], **options: Any) -> int:
    listed: Iterator[ListedURL] = read_urls(urls)
    return submit_list(queue, Config(), "list.txt", listed, options)


def batches_of(database: QueueDatabase, number: int) -> Mapping[int, Counter[str]]:
    found: dict[int, Counter[str]] = {}
    for row in database.all("SELECT batch, host FROM newskeep_listed WHERE list = %(list)s", list=number):
        if row["batch"] is not None:
            found.setdefault(row["batch"], Counter())[row["host"]] += 1
    return found


def test_a_list_is_cut_by_host_into_batches_of_bounded_size(queue: JobQueue, database: QueueDatabase) -> None:
    sizes = {"big.example": 3 * BATCH_URLS + 7, "even.example": BATCH_URLS, "middle.example": BATCH_URLS - 1}
    sizes |= {f"h{n}.example": n % 7 + 1 for n in range(400)}
    urls = [f"https://{host}/{number}" for host, size in sizes.items() for number in range(size)]
    number = submitted(queue, urls)
    batches = batches_of(database, number)
    assert sum(batches.values(), Counter()) == Counter(sizes)
    assert all(1 <= batch.total() < 2 * BATCH_URLS for batch in batches.values())
    assert sorted(batches) == list(range(len(batches)))
    # A host is in batches of its own, or in one that it shares.
    shared = [batch for batch in batches.values() if len(batch) > 1]
    assert "big.example" not in set().union(*shared)
    assert all(sum(host in batch for batch in shared) <= 1 for host in sizes)
    locks = Counter(job.lock for job in queue.jobs())
    assert (locks["big.example"], locks["even.example"], locks[None]) == (4, 1, len(shared))
    assert sum(locks.values()) == len(batches)


def test_a_list_that_cannot_be_read_to_its_end_is_none(queue: JobQueue) -> None:
    def urls() -> Iterator[ListedURL]:
        yield ListedURL("https://a.example/", "https://a.example/")
        raise UsageError("cannot read the list")

    with pytest.raises(UsageError):
        submit_list(queue, Config(), "list.txt", urls(), {})
    assert queue.jobs() == [] and ListStore(queue.database, queue.name).all() == []


def test_outcomes_of_all_batches_come_together_in_the_order_of_the_list(
    queue: JobQueue, database: QueueDatabase
) -> None:
    urls = ["https://b.example/2", "https://", "https://a.example/1", "https://user:secret@c.example/3"]
    number = submitted(queue, urls)
    lists = ListStore(database, queue.name)
    assert lists.state(number).counts == {"refused": 2}
    (batch,) = batches_of(database, number)
    task = BatchTask(number, batch)
    assert lists.left(task) == ("https://b.example/2", "https://a.example/1")
    lists.tell(task, [Outcome("https://a.example/1", "archived", title="A\0 title", status=200)])
    assert lists.left(task) == ("https://b.example/2",)
    told = list(lists.outcomes(number))
    assert [each["outcome"] for each in told] == ["waiting", "refused", "archived", "refused"]
    assert "secret" not in str(told) and told[2]["title"] == "A\ufffd title"
    lists.tell(task, [Outcome("https://b.example/2", "failed", "connection refused")])
    state = lists.state(number)
    assert state.waiting == 0 and state.counts == {"refused": 2, "archived": 1, "failed": 1}
    with pytest.raises(UsageError, match="no list"):
        lists.state(number + 1)

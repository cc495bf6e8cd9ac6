"""Workers as processes: they share sites and lists, are killed and stopped, and the papers are asked politely."""

from __future__ import annotations

import json
import os
import random
import re
import signal
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from command import Run
from fault_proxy import Fault, FaultProxy, Kind
from fleet import PATIENCE, MakeFleet, asked_politely, story_requests, wait_until
from origin import Origin
from s3_server import BUCKET, S3Server
from silent_line import SilentLine
from small_paper import Paper

pytestmark = pytest.mark.long
pytest_plugins = ["postgres", "s3_server", "fleet"]


def test_a_killed_worker_costs_no_article_and_no_host_is_asked_sooner(make_fleet: MakeFleet, newskeep: Run) -> None:
    fleet = make_fleet(2, 4, 0.5)
    assert newskeep("submit", "due").returncode == 0
    first = fleet.start()
    wait_until(lambda: sum(story_requests(fleet.papers).values()) >= 3, "the first articles")
    assert fleet.job_processes()
    first.kill()
    first.wait()
    second = fleet.start("--until-empty")
    assert second.wait(PATIENCE) == 0, fleet.said()
    wait_until(lambda: not fleet.job_processes(), "the killed worker's jobs to end")
    stories = {paper.url(number) for paper in fleet.papers for number in range(1, 5)}
    assert fleet.captures() == dict.fromkeys(stories, 1)
    assert set(story_requests(fleet.papers)) == stories
    assert asked_politely(fleet.papers, 0.5) == []
    with fleet.queue() as queue:
        assert {job.status for job in queue.jobs()} == {"done"}
        histories = [[each["state"] for each in queue.attempts(job.id)] for job in queue.jobs()]
    assert any("lost" in history for history in histories)


def test_a_stopped_worker_ends_in_good_order_and_another_machine_goes_on(
    make_fleet: MakeFleet, newskeep: Run, bucket: Mapping[str, str]
) -> None:
    fleet = make_fleet(1, 6, 0.4, shared_index=True, archive=f"s3://{BUCKET}/stopped")
    (paper,) = fleet.papers
    newskeep("submit", "crawl", "paper0")
    worker = fleet.start(**bucket)
    wait_until(lambda: story_requests([paper]), "the first article")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE) == 0, fleet.said()
    assert not fleet.job_processes()
    with fleet.queue() as queue:
        (job,) = queue.jobs()
        assert (job.status, job.state, job.reason) == ("waiting", "stopped", "the worker was stopped")
    # What was asked for is in the archive, before anybody goes on.
    before = story_requests([paper])
    assert before and fleet.captures() == before
    assert fleet.start("--until-empty", **bucket).wait(PATIENCE) == 0, fleet.said()
    assert fleet.captures() == story_requests([paper]) == {paper.url(number): 1 for number in range(1, 7)}
    assert asked_politely([paper], 0.4) == []
    # It knows what the other one had asked for already, and when that is to be asked again.
    asked = Counter(entry.path for entry in paper.origin.log)
    assert asked["/robots.txt"] == asked["/sitemap.xml"] == 1
    assert newskeep("submit", "due", "-v").stdout == b""


def test_a_list_and_its_report(tmp_path: Path, newskeep: Run, postgres_database: str) -> None:
    with Origin("127.0.0.2") as one, Origin("127.0.0.3") as two:
        papers = [Paper(one, 2), Paper(two, 2)]
        (tmp_path / "newskeep.toml").write_text(f'queue = "{postgres_database}"\nallow_private = true\nworkers = 1\n')
        urls = [paper.url(number) for number in (1, 2) for paper in papers] + ["https://", one.url("/private/x")]
        (tmp_path / "list.txt").write_text("# a list\n" + "\n".join([*urls, urls[0]]))
        done = newskeep("submit", "urls", "list.txt", "--tag", "town", "--json")
        assert done.returncode == 0, done.stderr
        submitted = json.loads(done.stdout)
        assert (submitted["urls"], submitted["waiting"]) == (6, 5)
        assert newskeep("jobs", "report", "1").returncode == 4
        assert newskeep("worker", "--until-empty").returncode == 0
        told = newskeep("jobs", "report", "1", "--json")
        outcomes = [json.loads(line) for line in told.stdout.splitlines()]
        assert [each["url"] for each in outcomes] == urls
        assert [each["outcome"] for each in outcomes] == ["archived"] * 4 + ["refused"] * 2
        assert outcomes[0]["tags"] == ["town"] and told.returncode == 4
        assert b"robots.txt" in newskeep("jobs", "report", "1").stdout


def test_what_is_wrong_is_one_line(tmp_path: Path, newskeep: Run, postgres_database: str) -> None:
    def said(*arguments: str) -> tuple[int, str]:
        done = newskeep(*arguments)
        assert b"Traceback" not in done.stderr
        return done.returncode, done.stderr.decode()

    code, line = said("jobs")
    assert code == 2 and "there is no queue" in line
    code, line = said("submit", "crawl", "https://a.example/", "--queue", "mysql://me:secret@h/d")
    assert code == 2 and "postgresql://" in line and "secret" not in line
    code, line = said("jobs", "--queue", "postgresql://me:secret@127.0.0.1:1/d")
    assert code == 3 and "127.0.0.1:1/d is out of reach" in line and "secret" not in line
    code, line = said("jobs", "--queue", "postgresql://me:secret@127.0.0.1:1/d?sslmode=perhaps")
    assert code == 2 and "has a wrong parameter: invalid sslmode value" in line and "secret" not in line
    code, line = said("worker", "--queue", f"{postgres_database}_absent")
    assert code == 3 and "does not exist" in line
    (tmp_path / "newskeep.toml").write_text(f'queue = "{postgres_database}"\n')
    code, line = said("submit", "crawl", "https://a.example/", "gazete")
    assert code == 2 and "no site is named 'gazete'" in line
    # None is queued where one is wrong.
    assert "no jobs" in said("jobs")[1]
    assert said("submit", "due")[0] == 2
    assert said("submit", "urls", "absent.txt") == (2, "newskeep: cannot read the list absent.txt: no such file\n")
    for command in ("show", "cancel", "retry"):
        code, line = said("jobs", command, "7")
        assert code == 2 and "there is no job 7" in line
    assert said("jobs", "report", "7")[0] == 2
    assert said("worker", "--lease", "1s")[0] == 2


def test_a_request_that_has_a_connection_only_when_its_job_is_anothers_is_not_sent(
    make_fleet: MakeFleet, newskeep: Run
) -> None:
    fleet = make_fleet(1, 1, 0.5)
    with Origin(tls=True) as origin, SilentLine(origin.port) as line:
        # The handshake waits, as for one whose machine stood still meanwhile.
        line.cut()
        (fleet.folder / "list.txt").write_text(f"https://{line.netloc}/story\n")
        assert newskeep("submit", "urls", "list.txt").returncode == 0
        worker = fleet.start(NEWSKEEP_INSECURE="true")
        wait_until(lambda: origin.connections, "the first connection")
        with fleet.queue() as queue:
            queue.database.run("UPDATE procrastinate_jobs SET attempts = attempts + 1")
        wait_until(lambda: "is another worker's by now" in fleet.said(), "the job to learn of it")
        line.mend()
        wait_until(lambda: not fleet.children(worker), "the job to end")
        assert origin.log == []


@pytest.mark.exhaustive
def test_a_machine_that_was_frozen_asks_no_host_that_another_has_by_then(make_fleet: MakeFleet, newskeep: Run) -> None:
    fleet = make_fleet(2, 12, 0.5, shared_index=True)
    newskeep("submit", "due")
    frozen = fleet.start()
    wait_until(lambda: sum(story_requests(fleet.papers).values()) >= 3, "the first articles")
    processes = [frozen.pid, *fleet.job_processes()]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    other = fleet.start("--until-empty")
    asked = sum(story_requests(fleet.papers).values())
    wait_until(lambda: sum(story_requests(fleet.papers).values()) > asked + 2, "another worker to take over")
    for process in processes:
        os.kill(process, signal.SIGCONT)
    assert other.wait(PATIENCE) == 0, fleet.said()
    frozen.send_signal(signal.SIGTERM)
    assert frozen.wait(PATIENCE) == 0, fleet.said()
    wait_until(lambda: not fleet.job_processes(), "the jobs to end")
    assert re.search(r"job \d+: stopping: (the queue has been|job \d+ is another worker's)", fleet.said())
    assert asked_politely(fleet.papers, 0.5) == []
    stories = {paper.url(number) for paper in fleet.papers for number in range(1, 13)}
    assert set(fleet.captures()) == stories


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
def test_a_worker_that_the_database_no_longer_hears_asks_no_host_and_writes_nothing_twice(
    make_fleet: MakeFleet, newskeep: Run, postgres_database: str
) -> None:
    fleet = make_fleet(2, 16, 0.5, shared_index=True)
    newskeep("submit", "due")
    port = urlsplit(postgres_database).port
    assert port is not None
    with SilentLine(port) as line:
        cut_off = fleet.start(
            NEWSKEEP_INDEX=postgres_database.replace(f":{port}/", f":{line.netloc.partition(':')[2]}/")
        )
        wait_until(lambda: sum(story_requests(fleet.papers).values()) >= 4, "the first articles")
        line.cut()
        other = fleet.start("--until-empty")
        # Where it was in the middle of a write, others wait until the server gives that up.
        assert other.wait(3 * PATIENCE) == 0, fleet.said()
        assert "the queue has been out of reach" in fleet.said()
        everything = set(story_requests(fleet.papers))
        # What it sent meanwhile comes through now, late.
        line.mend()
        wait_until(lambda: not fleet.children(cut_off), "its jobs to end")
        cut_off.send_signal(signal.SIGTERM)
        assert cut_off.wait(PATIENCE) == 0, fleet.said()
    assert everything == {paper.url(number) for paper in fleet.papers for number in range(1, 17)}
    assert asked_politely(fleet.papers, 0.5) == []
    # As often as it was asked for, at most.
    captures = fleet.captures()
    assert set(captures) == everything
    assert captures <= story_requests(fleet.papers)
    with fleet.queue() as queue:
        assert {job.status for job in queue.jobs()} == {"done"}


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
def test_a_worker_that_the_bucket_no_longer_hears_keeps_what_it_fetched_until_it_is_back(
    make_fleet: MakeFleet, newskeep: Run, moto_server: S3Server, bucket: Mapping[str, str]
) -> None:
    fleet = make_fleet(2, 8, 0.5, shared_index=True, archive=f"s3://{BUCKET}/cut-off")
    with FaultProxy(moto_server.port) as line:
        cut_off = fleet.start(**{**bucket, "AWS_ENDPOINT_URL_S3": line.endpoint})
        newskeep("submit", "due")
        wait_until(lambda: sum(story_requests(fleet.papers).values()) >= 4, "the first articles")
        line.inject(Fault(Kind.BLACK_HOLE))
        wait_until(lambda: not fleet.children(cut_off), "its jobs to end", 4 * PATIENCE)
        fleet.start(**bucket)
        line.inject()
        stories = {paper.url(number) for paper in fleet.papers for number in range(1, 9)}
        # What is kept comes into the bucket with the next job there; all else is asked for by either.
        wait_until(
            lambda: stories == set(captures := fleet.captures()) and captures == story_requests(fleet.papers),
            "all that was asked for, and the rest",
            4 * PATIENCE,
            pause=2.0,
        )
    assert asked_politely(fleet.papers, 0.5) == []


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
def test_two_hundred_sites_while_workers_are_killed(make_fleet: MakeFleet, newskeep: Run) -> None:
    fleet = make_fleet(200, 4, 0.5)
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}")
    newskeep("submit", "due")
    for _ in range(4):
        fleet.start("--until-empty")
    had_jobs = fleet.kill_some(random.Random(seed), 25, 12.0)
    for worker in fleet.workers:
        worker.wait(3600)
    wait_until(lambda: not fleet.job_processes(), "the killed workers' jobs to end")
    stories = {paper.url(number) for paper in fleet.papers for number in range(1, 5)}
    requests, captures = story_requests(fleet.papers), fleet.captures()
    twice = sum(count - 1 for count in requests.values())
    print(f"{len(stories)} articles, {had_jobs} workers killed with jobs, {twice} articles asked for again")
    with fleet.queue() as queue:
        print(queue.counts())
        assert {job.status for job in queue.jobs()} == {"done"}, fleet.said()
    assert captures == dict.fromkeys(stories, 1)
    assert asked_politely(fleet.papers, 0.5) == []


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
def test_workers_that_are_killed_and_frozen_while_bucket_and_database_come_and_go(
    make_fleet: MakeFleet, newskeep: Run, moto_server: S3Server, bucket: Mapping[str, str], postgres_database: str
) -> None:
    """Four machines, each with a state folder of its own; seen from outside, by the papers' logs and the archive."""
    fleet = make_fleet(40, 3, 0.5, shared_index=True, archive=f"s3://{BUCKET}/everything")
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}")
    chance = random.Random(seed)
    port = urlsplit(postgres_database).port
    assert port is not None
    with FaultProxy(moto_server.port) as line, SilentLine(port) as database:
        where = postgres_database.replace(f":{port}/", f":{database.netloc.partition(':')[2]}/")
        reached = {**bucket, "AWS_ENDPOINT_URL_S3": line.endpoint, "NEWSKEEP_INDEX": where}
        newskeep("submit", "due")
        workers = [fleet.start(**reached) for _ in range(4)]

        def asked() -> int:
            return sum(story_requests(fleet.papers).values())

        def asked_for(more: int) -> None:
            wanted = min(asked() + more, 120)
            wait_until(lambda: asked() >= wanted, f"{wanted} requests", 4 * PATIENCE)

        asked_for(6)
        for number in range(4):
            victim = chance.randrange(4)
            workers[victim].kill()
            workers[victim].wait()
            workers[victim] = fleet.start(f"--state=worker-{victim}", **reached)
            frozen = [workers[number].pid, *map(int, fleet.children(workers[number]))]
            for process in frozen:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGSTOP)
            asked_for(6)
            for process in frozen:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)
        line.inject(Fault(Kind.REFUSE))
        wait_until(lambda: fleet.said().count("no job is taken: ") >= 2, "workers to see it", 4 * PATIENCE)
        line.inject()
        asked_for(6)
        database.cut()
        wait_until(lambda: "jobs under way go on" in fleet.said(), "workers to see it", 4 * PATIENCE)
        database.mend()
        stories = {paper.url(number) for paper in fleet.papers for number in (1, 2, 3)}
        wait_until(lambda: stories <= set(fleet.captures()), "all articles", 10 * PATIENCE, pause=2.0)
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        for worker in workers:
            assert worker.wait(2 * PATIENCE) == 0, fleet.said()
        # What a machine keeps in its spool comes with its next worker.
        for number in range(4):
            last = fleet.start("--until-empty", f"--state=worker-{number}", **reached)
            assert last.wait(4 * PATIENCE) == 0, fleet.said()
    captures, requests = fleet.captures(), story_requests(fleet.papers)
    print(f"{sum(requests.values()) - len(stories)} articles asked for again, {sum(captures.values())} captures")
    assert set(captures) == set(requests) == stories
    assert captures <= requests
    assert asked_politely(fleet.papers, 0.5) == []
    with fleet.queue() as queue:
        assert {job.status for job in queue.jobs()} <= {"done", "waiting"}, fleet.said()

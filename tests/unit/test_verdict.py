"""What becomes of a job, by how its attempts ended."""

from __future__ import annotations

from functools import partial

import pytest

from newskeep.queue.membership import LOST_MOST
from newskeep.worker.request import JobEnd
from newskeep.worker.verdict import judge

AWAY = JobEnd(3, "away", "s3://bucket is out of reach")
judged = partial(judge, cancelled=False, draining=False)


@pytest.mark.parametrize(
    ("end", "code", "what", "state"),
    [
        (JobEnd(0, "finished"), 0, "done", "finished"),
        (JobEnd(4, "finished"), 0, "done", "finished"),
        (JobEnd(0, "time limit"), 0, "done", "time limit"),
        (JobEnd(5, "blocked", "403"), 0, "failed", "blocked"),
        (JobEnd(5, "failed", "no feed"), 0, "failed", "failed"),
        (JobEnd(2, "failed", "no site is named x"), 0, "failed", "failed"),
        (JobEnd(1, "failed", "a fault"), 0, "failed", "failed"),
        (JobEnd(3, "away", "the store was away"), 0, "again", "away"),
        (JobEnd(4, "stopped"), 0, "again", "stopped"),
        (JobEnd(75, "busy", "cron crawls it"), 0, "again", "busy"),
        (None, -9, "again", "lost"),
    ],
)
def test_what_becomes_of_a_job(end: JobEnd | None, code: int, what: str, state: str) -> None:
    verdict = judged(end, code, 0, 0)
    assert (verdict.what, verdict.state) == (what, state)


def test_a_store_that_is_away_is_waited_for_longer_each_time_and_not_for_ever() -> None:
    waits = [judged(AWAY, 0, 0, away) for away in range(15)]
    assert {(each.what, each.state) for each in waits} == {("again", "away")}
    assert [each.seconds for each in waits] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600, 600, 600]
    last = judged(AWAY, 0, 0, 15)
    assert (last.what, last.reason) == ("failed", f"{AWAY.reason}, 16 times, though the machine reaches its archive")
    # Losses say nothing of the store.
    assert judged(AWAY, 0, LOST_MOST - 1, 0).seconds == 1
    # What it had archived is delivered since: it goes on at once, and has used no try.
    went_on = judged(AWAY, 0, 0, 15, has_fetched=True)
    assert (went_on.what, went_on.state, went_on.seconds) == ("again", "unable", 0)


@pytest.mark.parametrize("end", [AWAY, JobEnd(2, "failed", "newskeep.toml: ..."), JobEnd(1, "failed", "a fault"), None])
def test_a_machine_that_can_do_no_job_costs_none_a_try(end: JobEnd | None) -> None:
    verdict = judged(end, 0, LOST_MOST, 7, unable="the disk is full")
    assert (verdict.what, verdict.state, verdict.reason, verdict.seconds) == ("again", "unable", "the disk is full", 0)


def test_how_a_site_went_is_not_the_machines_doing() -> None:
    assert judged(JobEnd(5, "blocked", "403"), 0, 0, 0, unable="the disk is full").what == "failed"
    assert judged(JobEnd(0, "finished"), 0, 0, 0, unable="the disk is full").what == "done"


def test_a_site_that_one_machine_does_not_know_is_left_to_others_and_not_for_ever() -> None:
    unknown = JobEnd(2, "elsewhere", "no site is named 'x'")
    first, last = judged(unknown, 0, 0, 7, 0), judged(unknown, 0, 0, 0, 7)
    assert (first.what, first.state, first.seconds) == ("again", "elsewhere", 6)
    assert (last.what, last.state) == ("failed", "failed") and "on any machine" in (last.reason or "")
    # One that may know it has no room yet.
    waits = [judged(unknown, 0, 0, 0, elsewhere, untried=1) for elsewhere in (0, 3, 4, 7, 500)]
    assert {each.what for each in waits} == {"again"}
    assert [each.seconds for each in waits] == [6, 41, 61, 61, 61]


def test_a_job_whose_process_dies_again_and_again_is_given_up() -> None:
    first, last = judged(None, -9, 0, 7), judged(None, -9, LOST_MOST - 1, 0)
    assert (first.what, first.state, first.seconds) == ("again", "lost", 30)
    assert "signal 9" in (first.reason or "")
    assert last.what == "failed"


def test_what_is_put_back_or_cancelled_waits_for_nothing() -> None:
    stopped = judge(JobEnd(4, "stopped"), 0, 0, 0, cancelled=False, draining=True)
    assert (stopped.what, stopped.seconds, stopped.reason) == ("again", 0, "the worker was stopped")
    assert judge(None, -9, LOST_MOST, 0, cancelled=False, draining=True).what == "again"
    assert judge(AWAY, 0, 0, 7, cancelled=False, draining=True).state == "stopped"
    slow = judge(None, -9, 0, 0, cancelled=False, draining=True, given_up=True)
    assert (slow.state, slow.reason) == ("stopped", "it did not stop in time; what it had fetched is kept")
    assert judge(None, -15, 0, 0, cancelled=True, draining=False).what == "cancelled"
    assert judge(JobEnd(4, "stopped"), 0, 0, 0, cancelled=True, draining=False).what == "cancelled"

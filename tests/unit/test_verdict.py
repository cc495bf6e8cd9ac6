"""What becomes of a job, by how its attempts ended."""

from __future__ import annotations

from functools import partial

from newskeep.queue.membership import LOST_MOST
from newskeep.worker.request import JobEnd
from newskeep.worker.verdict import judge

AWAY = JobEnd(3, "failed", "s3://bucket is out of reach")
judged = partial(judge, cancelled=False, draining=False)


def test_a_store_that_is_away_is_waited_for_longer_each_time_and_not_for_ever() -> None:
    waits = [judged(AWAY, 0, 0, failed) for failed in range(7)]
    assert {each.what for each in waits} == {"again"}
    assert [each.seconds for each in waits] == [30, 60, 120, 240, 480, 960, 1920]
    assert judged(AWAY, 0, 0, 7).what == "failed"
    # Losses say nothing of the store.
    assert judged(AWAY, 0, LOST_MOST - 1, 0).seconds == 30


def test_a_job_whose_process_dies_again_and_again_is_given_up() -> None:
    first, last = judged(None, -9, 0, 7), judged(None, -9, LOST_MOST - 1, 0)
    assert (first.what, first.state, first.seconds) == ("again", "lost", 30)
    assert "signal 9" in (first.reason or "")
    assert last.what == "failed"


def test_what_is_put_back_or_cancelled_waits_for_nothing() -> None:
    stopped = judge(JobEnd(4, "stopped"), 0, 0, 0, cancelled=False, draining=True)
    assert (stopped.what, stopped.seconds, stopped.reason) == ("again", 0, "the worker was stopped")
    assert judge(None, -9, LOST_MOST, 0, cancelled=False, draining=True).what == "again"
    assert judge(None, -15, 0, 0, cancelled=True, draining=False).what == "cancelled"
    assert judged(JobEnd(4, "blocked", "403"), 0, 0, 0).what == "failed"
    assert judged(JobEnd(0, "finished"), 0, 0, 0).what == "done"

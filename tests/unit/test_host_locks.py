"""Which jobs must not run at the same time, and what becomes of a job after an attempt."""

from __future__ import annotations

import pytest

from crawler.sites.site import Site, site_at
from newskeep.queue.locks import HostLocks
from newskeep.worker.request import JobEnd
from newskeep.worker.verdict import judge


def site(name: str, *starts: str, hosts: tuple[str, ...] = ()) -> Site:
    return Site(name, start=tuple(f"https://{each}/" for each in starts), hosts=hosts)


def locks_of(*sites: Site) -> dict[str, str]:
    locks = HostLocks(sites)
    return {each.name: locks.of_site(each) for each in sites}


def test_sites_of_other_hosts_have_other_locks() -> None:
    assert locks_of(site("a", "a.example"), site("b", "b.example")) == {"a": "a.example", "b": "b.example"}


@pytest.mark.parametrize(
    "sites",
    [
        (site("all", "www.paper.example"), site("sport", "sport.paper.example")),
        (site("one", "one.example", hosts=("shared.example",)), site("two", "two.example", hosts=("shared.example",))),
        (site("one", "a.example", "b.example"), site("two", "b.example", "c.example"), site("three", "c.example")),
        (site("first", "x.a.example"), site("last", "y.a.example"), site("middle", "a.example")),
        (site("port", "a.example:8080"), site("section", "a.example:8080/politics")),
    ],
    ids=["below", "shared", "by a third", "beside", "port"],
)
def test_sites_that_meet_one_host_share_a_lock(sites: tuple[Site, ...]) -> None:
    assert len(set(locks_of(*sites).values())) == 1
    # Wherever the file names them, every machine finds the same.
    assert locks_of(*sites) == locks_of(*reversed(sites))


def test_an_address_has_the_lock_of_the_configured_site() -> None:
    locks = HostLocks([site("one", "www.one.example", hosts=("media.example",))])
    assert locks.of_site(site_at("https://sport.one.example/")) == locks.of_host("media.example") == "media.example"
    assert locks.of_site(site_at("https://www.other.example/")) == locks.of_host("www.other.example") == "other.example"


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
        (JobEnd(3, "failed", "the store is away"), 0, "again", "failed"),
        (JobEnd(4, "stopped"), 0, "again", "stopped"),
        (JobEnd(75, "busy", "cron crawls it"), 0, "again", "busy"),
        (None, -9, "again", "lost"),
    ],
)
def test_what_becomes_of_a_job(end: JobEnd | None, code: int, what: str, state: str) -> None:
    verdict = judge(end, code, 0, cancelled=False, draining=False)
    assert (verdict.what, verdict.state) == (what, state)


def test_a_job_is_not_tried_for_ever() -> None:
    away = JobEnd(3, "failed", "the store is away")
    waits = [judge(away, 0, attempt, cancelled=False, draining=False).seconds for attempt in range(5)]
    assert waits == sorted(waits) and waits[0] > 0
    assert judge(away, 0, 50, cancelled=False, draining=False).what == "failed"
    assert judge(None, -9, 50, cancelled=False, draining=False).what == "failed"
    assert "signal 9" in (judge(None, -9, 0, cancelled=False, draining=False).reason or "")


def test_a_stopped_worker_puts_its_jobs_back_and_a_cancelled_job_is_not() -> None:
    stopped = JobEnd(4, "stopped")
    assert judge(stopped, 0, 0, cancelled=False, draining=True).seconds == 0
    assert judge(None, -15, 50, cancelled=False, draining=True).what == "again"
    assert judge(stopped, 0, 0, cancelled=True, draining=False).what == "cancelled"

"""The page of workers and its figures for Prometheus, over a real queue."""

from __future__ import annotations

import asyncio
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from web_archive import Answer, Serving

from newskeep.queue.database import QueueDatabase
from newskeep.queue.jobs import JobQueue
from newskeep.queue.membership import Membership
from newskeep.queue.task import CrawlTask
from storage.objects import open_store
from storage.postgres_address import PostgresAddress

pytest_plugins = ["postgres"]


def figures(answer: Answer) -> dict[tuple[str, ...], float]:
    """Name and values of labels -> value, of what is said of the queue."""
    found = text_string_to_metric_families(answer.body.decode())
    samples = [each for family in found for each in family.samples if each.name.startswith("newskeep_queue_")]
    return {(each.name.removeprefix("newskeep_queue_"), *each.labels.values()): each.value for each in samples}


async def begin_a_job(address: PostgresAddress, queue: JobQueue) -> None:
    """As a worker that is killed afterwards."""
    member = Membership(address, queue.name, "paris-1", 4, 600.0)
    await member.open()
    await member.join()
    assert await member.take() is not None
    await member.join()
    await member.beat(paused="the disk is full")
    await member._app.close_async()


def test_the_page_of_workers(tmp_path: Path, postgres_database: str) -> None:
    folder, address = tmp_path / "archive", PostgresAddress.parse(postgres_database)
    folder.mkdir()
    with Serving(folder, NEWSKEEP_QUEUE=postgres_database) as site:
        # Who looks makes no tables.
        assert b"Nothing has been submitted yet." in site.get("/fleet").body
        assert figures(site.get("/metrics")) == {("up",): 1}
        with QueueDatabase(address) as database:
            queue = JobQueue(database, open_store(str(folder)).uri)
            for name in ("gazette", "herald"):
                queue.submit(CrawlTask(name, name), None)
            database.run("UPDATE procrastinate_events SET at = at - interval '2 hours'")
            asyncio.run(begin_a_job(address, queue))
        shown = site.get("/fleet").body.decode()
        assert all(each in shown for each in ("paris-1", "crawl gazette", "1 job under way", "120 minutes"))
        assert "Auftrag" in site.get("/fleet", Accept_Language="de").body.decode()
        assert b'href="/fleet"' in site.get("/").body
        told = figures(site.get("/metrics"))
        assert "the disk is full" in shown and "takes no job:" in shown
        assert told["workers", "paused"] == 1
        assert told["jobs", "running"] == told["jobs", "waiting"] == told["workers", "working"] == 1
        assert told["lag_seconds",] >= 7200
    with Serving(folder, NEWSKEEP_QUEUE="postgresql://me:secret@127.0.0.1:1/d") as site:
        away = site.get("/fleet")
        assert away.status == 503 and b"secret" not in away.body
        assert figures(site.get("/metrics")) == {("up",): 0}
    with Serving(folder) as site:
        assert site.get("/fleet").status == 404
        assert b"/fleet" not in site.get("/").body
        assert figures(site.get("/metrics")) == {}

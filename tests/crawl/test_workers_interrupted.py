"""Workers that end at a bad time, whose database restarts, whose clock is wrong."""

from __future__ import annotations

import asyncio

import pytest
from fleet import LEASE, PATIENCE

from newskeep.queue.database import QueueDatabase
from newskeep.queue.membership import Membership
from newskeep.worker.request import JobRequest
from newskeep.worker.worker import Worker
from storage.postgres_address import PostgresAddress

pytestmark = pytest.mark.long
pytest_plugins = ["postgres"]


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

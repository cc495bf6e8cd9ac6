"""Months published while others write, and while whoever publishes is killed: no reader ever sees half a month."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from filled_archive import deliver, page
from published_archive import answers, let_go, over_both, sound

from storage.archive import Archive
from storage.problems import Problem
from storage.published.manifest import newest
from storage.publishing.publish import PublishOptions, publish
from storage.publishing.release import release

pytest_plugins = ["postgres", "published_archive"]

#: WARCs of one page each that come meanwhile.
LATE = 12


@over_both
def test_rows_that_are_delivered_during_a_publication_are_lost_nowhere(two_months: Archive) -> None:
    ended = threading.Event()

    def write() -> None:
        try:
            for number in range(LATE):
                deliver(two_months, 20 + number, [page(200 + number)], f"{number:012}")
        finally:
            ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    problems: list[Problem] = []
    try:
        while not ended.is_set():
            for each in publish(two_months, PublishOptions(table=False), on_problem=problems.append):
                done = release(two_months, each.manifest)
                assert done.unanswered == 0
    finally:
        writer.join()
    assert problems == []
    before = answers(two_months)
    assert len(before["all"]) == 18 + LATE
    let_go(two_months)
    assert not list(two_months.index.in_database().all_captures())
    assert answers(two_months) == before and sound(two_months) == []


@pytest.mark.exhaustive
@pytest.mark.timeout(900)
def test_a_publication_that_is_killed_at_any_moment_is_seen_by_nobody(two_months: Archive) -> None:
    let_go(two_months)
    before = answers(two_months)
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}")
    chance = random.Random(seed)
    command = ["index", "publish", "--again", "--release", "--archive", two_months.uri]
    for _ in range(12):
        publishing = subprocess.Popen([sys.executable, "-P", "-m", "newskeep", *command], stderr=subprocess.DEVNULL)
        # When it begins is by its lock; where it is then, by chance.
        began = newest(two_months.store)
        while publishing.poll() is None and not (two_months.state / "publishing").exists():
            assert answers(two_months) == before
        time.sleep(chance.uniform(0.0, 0.4))
        publishing.send_signal(signal.SIGKILL)
        publishing.wait()
        assert answers(two_months) == before
        assert all(number >= began[month] for month, number in newest(two_months.store).items())
    list(publish(two_months, PublishOptions(again=True)))
    assert answers(two_months) == before and sound(two_months) == []

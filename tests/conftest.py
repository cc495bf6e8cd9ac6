"""What several tests use: the command line as a person runs it, in a folder and a home of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from warm import WarmStart

#: Files of few but long tests: begun last, they would keep one process busy while the others have ended.
LONG = (
    "test_crawler_delivery_killed.py",
    "test_crawler_delivery.py",
    "test_crawler_delivery_spool.py",
    "test_crawler_schedule_cron.py",
    "test_world_health.py",
    "test_world_crawl.py",
    "test_world_killed.py",
    "test_world_traps.py",
    "test_browser_room.py",
    "test_browser_replay.py",
    "test_storage_web_clients.py",
    "test_crawler_crawl.py",
    "test_crawler_due.py",
    "test_crawler_save.py",
    "test_crawler_stop.py",
    "test_cli_changes.py",
)

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """The environment without anything that would configure newskeep, and a home of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NEWSKEEP_", "AWS_"))}
    return {**clean, "HOME": str(tmp_path / "home"), "XDG_STATE_HOME": str(tmp_path / "state"), "NO_COLOR": "1"}


@pytest.fixture(scope="session")
def warm_start() -> Iterator[WarmStart]:
    warm = WarmStart()
    yield warm
    warm.close()


@pytest.fixture
def newskeep(tmp_path: Path, environment: Mapping[str, str], warm_start: WarmStart) -> Run:
    """Run the command in a folder of its own; returns the completed process with bytes."""

    def run(*arguments: str, stdin: bytes = b"", timeout: float = 120) -> subprocess.CompletedProcess[bytes]:
        return warm_start.run(arguments, tmp_path, environment, stdin, timeout)

    return run

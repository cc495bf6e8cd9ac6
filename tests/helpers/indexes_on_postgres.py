"""The plugin behind `--index postgresql`: archives of tests have their indexes on a real server, a database each.

A test that is about the SQLite file itself is marked `sqlite_file("why")`, and skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import PostgresServer

pytest_plugins = ["postgres"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if (mark := item.get_closest_marker("sqlite_file")) is not None:
            item.add_marker(pytest.mark.skip(reason=f"SQLite alone: {mark.args[0]}"))


@pytest.fixture(scope="session", autouse=True)
def indexes_on_postgres(postgres_server: PostgresServer) -> None:
    import placed_indexes

    with postgres_server.connect() as connection:
        connection.execute(placed_indexes.PLACES)
    os.environ[placed_indexes.SERVER] = postgres_server.url()
    placed_indexes.begin()


@pytest.fixture(autouse=True)
def indexes_dropped(tmp_path: Path) -> Iterator[None]:
    """What a test made in its own folder; what several share stays until the server ends."""
    import placed_indexes

    yield
    placed_indexes.forget(tmp_path)

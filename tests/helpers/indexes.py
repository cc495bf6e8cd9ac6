"""The databases that an index can be in: what is tested of one is tested of all.

`pytest_plugins = ["indexes"]` in a test module gives it `index_place`, where an empty index may be made: a SQLite file,
and a database on a real server. A test that asks for `path` too, that of a file, gets the file alone.

Nothing is asserted here: PYTEST_DONT_REWRITE lets test modules import the rest as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest
from postgres import PostgresServer

from storage.index import SharedIndex, open_index, schema
from storage.postgres_address import PostgresAddress

pytest_plugins = ["postgres"]

ARCHIVE = "file:///archive"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked = set(metafunc.fixturenames)
    for name in asked & {"index_place", "module_index_place"}:
        scope: Literal["module", "function"] = "module" if name.startswith("module") else "function"
        kinds = ["sqlite"] if "path" in asked else ["sqlite", _server(metafunc)]
        metafunc.parametrize(name, kinds, indirect=True, scope=scope)


def _server(metafunc: pytest.Metafunc) -> Any:
    heavy = metafunc.definition.get_closest_marker("heavy") is not None
    return pytest.param("postgresql", marks=[pytest.mark.exhaustive] if heavy else [])


@pytest.fixture(scope="session")
def index_database(postgres_server: PostgresServer) -> Iterator[SharedIndex]:
    with shared_place(postgres_server) as place:
        open_index(place).close()
        yield place


@pytest.fixture
def index_place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | SharedIndex:
    if request.param == "sqlite":
        return tmp_path / "index.sqlite"
    place: SharedIndex = request.getfixturevalue("index_database")
    # A quarter of what a database of its own takes.
    empty(place)
    return place


@pytest.fixture(scope="module")
def module_index_place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path | SharedIndex]:
    """The same for all tests of a module."""
    if request.param == "sqlite":
        yield tmp_path_factory.mktemp("index") / "index.sqlite"
    else:
        with shared_place(request.getfixturevalue("postgres_server")) as place:
            yield place


@contextmanager
def shared_place(server: PostgresServer) -> Iterator[SharedIndex]:
    """Give a new database where an index of `ARCHIVE` may be made."""
    with server.database() as url:
        yield SharedIndex(PostgresAddress.parse(url), ARCHIVE)


def empty(place: SharedIndex) -> None:
    tables = ", ".join(f"newskeep_index.{name}" for name in (*schema.metadata.tables, "search") if name != "about")
    with psycopg.connect(place.address.uri, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY")

"""Puts every index that would be a SQLite file into a PostgreSQL database of its own: `pytest --index postgresql`.

The file is there all the same, and holds the name of the database. A test that removes it has lost its index, and one
that copies the folder of an archive, or gives it to another one, has the index there as well, as with SQLite. The
frontier lies beside the index, and has a file too.

Nothing of the product is replaced: an archive that is told no database is told one here. That is done as its module is
imported, for the tests' own process and for all that they start.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

FILE, FRONTIER = "index.sqlite", "frontier.sqlite"
#: Where the server is, as psycopg takes it; on it, a table of what was put where, for `forget`.
SERVER = "TESTS_POSTGRES"
PLACES = "CREATE TABLE IF NOT EXISTS placed (name TEXT PRIMARY KEY, folder TEXT NOT NULL)"
#: Whose archive the tables of a copy are.
_OWNED = ("newskeep_index", "newskeep_frontier")
_LOCK = 0x74657374


@dataclass(frozen=True, slots=True)
class Place:
    """The state folder of an archive, and the archive's URI."""

    folder: Path
    archive: str

    @property
    def name(self) -> str:
        place = os.fsencode(self.folder) + b"\n" + self.archive.encode()
        return f"placed_{sha256(place).hexdigest()[:32]}"

    @property
    def address(self) -> str:
        return f"{os.environ[SERVER].rpartition('/')[0]}/{self.name}"

    def make(self) -> None:
        """Make its database where it has none yet; a copy, where its folder is one."""
        file = self.folder / FILE
        if _text(file) == self.name or self.name in _unwritten:
            return
        with _server() as server:
            server.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            # Another process may have been faster.
            if (source := _text(file)) != self.name:
                server.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
                if source is None:
                    server.execute(f"CREATE DATABASE {self.name}")
                else:
                    self._copy(server, source)
                server.execute(
                    "INSERT INTO placed VALUES (%s, %s) ON CONFLICT DO NOTHING", [self.name, str(self.folder)]
                )
                self.folder.mkdir(parents=True, exist_ok=True)
                try:
                    file.write_text(self.name)
                except PermissionError:
                    # The folder is one that cannot be written. Whatever comes next makes it anew.
                    _unwritten.add(self.name)

    def make_frontier(self) -> None:
        """Where its file is gone, it was lost."""
        import psycopg

        file = self.folder / FRONTIER
        if not file.exists():
            with psycopg.connect(self.address, autocommit=True) as connection:
                connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
                if not file.exists():
                    connection.execute("DROP SCHEMA IF EXISTS newskeep_frontier CASCADE")
                    file.touch()

    def _copy(self, server: Any, source: str) -> None:
        import psycopg

        # Nobody may be connected to what is copied; whoever was connects again.
        server.execute(f"ALTER DATABASE {source} ALLOW_CONNECTIONS false")
        try:
            server.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", [source])
            server.execute(f"CREATE DATABASE {self.name} TEMPLATE {source}")
        finally:
            server.execute(f"ALTER DATABASE {source} ALLOW_CONNECTIONS true")
        with psycopg.connect(self.address, autocommit=True) as copy:
            for schema in _OWNED:
                if copy.execute("SELECT to_regclass(%s)", [f"{schema}.archive"]).fetchone() != (None,):
                    copy.execute(f"UPDATE {schema}.archive SET uri = %s", [self.archive])


def begin() -> None:
    """Put the indexes of this process there, from now on."""
    sys.meta_path.insert(0, _Importing())
    for name in _CHANGED.keys() & sys.modules.keys():
        _CHANGED[name](sys.modules[name])


def forget(below: Path) -> None:
    """Drop the databases of the archives in a folder."""
    with _server() as server:
        asked = "DELETE FROM placed WHERE starts_with(folder, %s) RETURNING name"
        for (name,) in server.execute(asked, [f"{below}{os.sep}"]).fetchall():
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


_places: dict[str, Place] = {}
#: Databases that this process made, without a file.
_unwritten: set[str] = set()


def _place_archives(module: ModuleType) -> None:
    """In `storage.archive`: every archive has a database."""
    from storage.postgres_address import PostgresAddress

    begun = module.Archive.__init__

    def begin_archive(self: Any, store: Any, state: Path, shared_index: Any = None) -> None:
        if shared_index is None:
            place = Place(Path(os.path.normpath(state.absolute())), store.uri)
            _places[place.address] = place
            shared_index = PostgresAddress.parse(place.address)
        begun(self, store, state, shared_index)

    module.Archive.__init__ = begin_archive


def _make_databases(module: ModuleType) -> None:
    """In `storage.postgres`: it is made when it is first asked for."""
    engine, ensure_schema = module._engine, module._ensure_schema

    def made(address: Any, kind: Any) -> Any:
        if place := _places.get(address.uri):
            place.make()
        return engine(address, kind)

    def ensured(connection: Any, address: Any, kind: Any, *others: Any) -> Any:
        if kind.noun == "frontier" and (place := _places.get(address.uri)):
            place.make_frontier()
        return ensure_schema(connection, address, kind, *others)

    vars(module).update(_engine=made, _ensure_schema=ensured)


_CHANGED = {"storage.archive": _place_archives, "storage.postgres": _make_databases}


class _Importing:
    """Changes a module as soon as it is there."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, _: object = None) -> ModuleSpec | None:
        found = PathFinder.find_spec(name, path) if name in _CHANGED else None
        if found is None or found.loader is None:
            return None
        execute = found.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            _CHANGED[name](module)

        found.loader.exec_module = exec_module  # type: ignore[method-assign]
        return found


@contextmanager
def _server() -> Iterator[Any]:
    import psycopg

    with psycopg.connect(os.environ[SERVER], autocommit=True) as connection:
        yield connection


def _text(file: Path) -> str | None:
    return file.read_text() if file.exists() else None

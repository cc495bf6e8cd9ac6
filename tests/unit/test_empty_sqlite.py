"""Empty databases: those that a process makes after its first are the same file, whole, and with no log beside it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage import empty_sqlite
from storage.empty_sqlite import make_empty
from storage.index import schema


@pytest.fixture(autouse=True)
def _nothing_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(empty_sqlite, "_made", {})


def made(path: Path, version: int = schema.KIND.version) -> Path:
    make_empty(path, schema.KIND.metadata, version)
    return path


def version_in(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (found,) = database.execute("SELECT value FROM about WHERE name = 'schema'").fetchone()
        return int(found)


def test_the_second_is_as_the_first(tmp_path: Path) -> None:
    first, second = made(tmp_path / "first"), made(tmp_path / "second")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second"]
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_mode == second.stat().st_mode
    # As the first one has it: what SQLite keeps in the file.
    with closing(sqlite3.connect(second)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert version_in(second) == schema.KIND.version


def test_the_second_is_made_by_the_same_rights_whatever_the_mask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        first, second = made(tmp_path / "first"), made(tmp_path / "second")
    finally:
        os.umask(before)
    assert first.stat().st_mode == second.stat().st_mode


def test_one_of_another_version_is_not_taken_for_it(tmp_path: Path) -> None:
    made(tmp_path / "first")
    later = schema.KIND.version + 1
    assert version_in(made(tmp_path / "later", later)) == later


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    first = made(tmp_path / "first")
    with closing(sqlite3.connect(first)) as database:
        database.execute("UPDATE about SET value = 1")
        database.commit()
    with pytest.raises(FileExistsError):
        made(first)
    assert version_in(first) == 1

"""A database of SQLite in an object of the store, of which SQLite reads the pages that it needs. On apsw, an extra.

Python's own module has no way to give SQLite a file that is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

import apsw

from storage.errors import Corrupt
from storage.index.rows import Row
from storage.published.ranges import BLOCK, RangedFile

_NAME = "newskeep-ranges"


class Connection:
    """A connection that can only read, and raises what the store does; threads may share it one by one.

    What SQLite finds wrong with the file is `Corrupt`.
    """

    def __init__(self, file: RangedFile) -> None:
        self._key = file.key
        with self._explained():
            self._bare = apsw.Connection(_RANGES.named(file), flags=apsw.SQLITE_OPEN_READONLY, vfs=_NAME)
            # The bytes come from elsewhere: nothing in their schema may call functions or reach for more.
            self._bare.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
            self._bare.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
            # It would ask for a file beside it.
            self._bare.pragma("temp_store", 2)

    def rows(self, sql: str, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Return all rows of a statement."""
        with self._explained():
            return list(self._bare.execute(sql, values or {}))

    def close(self) -> None:
        self._bare.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except apsw.Error as error:
            raise Corrupt(f"{self._key}: SQLite cannot read it ({error})") from error


class _Handle(apsw.VFSFile):
    """A file as apsw asks for it."""

    def __init__(self, file: RangedFile) -> None:
        # Not that of apsw, which opens a file of another VFS.
        self._file = file

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        return self._file.read(offset, amount)

    def xFileSize(self) -> int:  # noqa: N802
        return self._file.size

    def xClose(self) -> None:  # noqa: N802
        """Nothing is open between two reads."""

    def xSectorSize(self) -> int:  # noqa: N802
        return BLOCK

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        # Without locks, and without a look for a journal.
        return int(apsw.SQLITE_IOCAP_IMMUTABLE)

    def xLock(self, level: int) -> None:  # noqa: N802
        """Nobody can change it."""

    xUnlock = xLock  # noqa: N815

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xFileControl(self, operation: int, pointer: int) -> bool:  # noqa: ARG002, N802
        return False


class _Ranges(apsw.VFS):
    """Gives SQLite the files that it was told the names of, each once."""

    def __init__(self) -> None:
        super().__init__(_NAME, "")
        self._numbers = count()
        self._files: dict[str, RangedFile] = {}

    def named(self, file: RangedFile) -> str:
        name = str(next(self._numbers))
        self._files[name] = file
        return name

    def xOpen(self, name: Any, flags: list[int]) -> _Handle:  # noqa: N802
        path = name if isinstance(name, str) else name.filename() if name else ""
        flags[1] = flags[0]
        return _Handle(self._files.pop(path))

    def xAccess(self, name: str, flags: int) -> bool:  # noqa: ARG002, N802
        return False

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        return name


_RANGES = _Ranges()

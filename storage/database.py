"""A database of ours, whichever it is: what sets one kind apart from another, and what its users need of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage.errors import NewskeepError, StoreUnavailable
from storage.migrations import Migration


@dataclass(frozen=True, slots=True)
class Kind:
    """What sets one of our databases apart from the others."""

    #: As messages name it.
    noun: str
    #: What to do where there is none, and what to do about one that is not whole; each ends a sentence.
    make: str
    again: str
    metadata: MetaData
    version: int
    #: Version -> what makes it the next one.
    migrations: Mapping[int, Migration]
    #: Whether a commit must outlive a power failure; without, it outlives the process only, and is much quicker.
    durable: bool = True
    #: Seconds to wait for another process's write; a write holds its lock well below one.
    busy_timeout: float = 30


@dataclass(frozen=True, slots=True)
class Database:
    """What its users need of a database, whichever it is."""

    #: As a person knows it, and what it is.
    name: str
    noun: str
    engine: Engine
    read_only: bool
    #: Gives a connection that answers; whoever asked closes it.
    connect: Callable[[], Connection]
    #: Raises `StoreUnavailable` when what is open is no longer what everybody else sees.
    check: Callable[[], None]
    #: What the database itself finds wrong with what it holds, a line each; reads all of it.
    problems: Callable[[], list[str]]
    #: Bytes that it takes.
    size: Callable[[], int]
    #: Says what an error of the driver, bare or wrapped, means.
    explain: Callable[[Exception], NewskeepError]
    close: Callable[[], None]

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Have what goes wrong on the way to the database raised as what it means to a person."""
        try:
            yield
        except PoolTimeout as error:
            raise StoreUnavailable(f"{self.name}: too much is asked of the {self.noun} at once; try again") from error
        except (DBAPIError, self.engine.dialect.loaded_dbapi.Error) as error:
            raise self.explain(error) from error


@contextmanager
def transaction(connection: Connection, begin: str) -> Iterator[None]:
    """Begin a transaction in SQLite's words ("BEGIN IMMEDIATE" where it writes), and commit it at the end."""
    # End what reading began; it held no lock.
    connection.rollback()
    connection.execution_options(begin=begin)
    with connection.begin():
        yield


class DatabaseUser:
    """What asks and fills the tables of a database, which is closed with it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of files and locks; more than once is no error."""
        self._database.close()

    @property
    def read_only(self) -> bool:
        return self._database.read_only

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._database.check()
        with self._database.explained(), self._database.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Give a connection; transactions on it are the caller's to begin and commit."""
        if self.read_only:
            raise StoreUnavailable(f"{self._database.name}: the {self._database.noun} cannot be written here")
        with self._reading() as connection:
            yield connection
        # What was written into a file that somebody removed meanwhile is lost with it.
        self._database.check()

"""Lists of URLs in the queue: read as a stream, cut by host into batches, and what became of each URL.

A list goes into the database by COPY and is cut there, so that one of a million takes no more memory than one of ten.
A batch holds URLs of one host, or of several hosts that have few each; the URLs of a host stand in consecutive batches,
which have its lock and so follow one another.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, LiteralString
from urllib.parse import urlsplit

from crawler.session.report import outcome_json
from crawler.url_list import ListedURL
from newskeep.queue.database import QueueDatabase, Row
from newskeep.queue.task import BatchTask
from newskeep.times import iso
from storage.errors import UsageError
from storage.model import Outcome

#: URLs of a batch at most: minutes of work at a usual delay, so that the last batch of a list is not waited for long.
BATCH_URLS = 500
#: Rows written or read at a time.
_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class ListState:
    """A list and how far it is."""

    list: int
    name: str
    submitted: datetime
    options: Mapping[str, Any]
    urls: int
    batches: int
    #: URLs by outcome; the others wait.
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        return self.urls - sum(self.counts.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "list": self.list,
            "name": self.name,
            "submitted": iso(self.submitted),
            "urls": self.urls,
            "batches": self.batches,
            "waiting": self.waiting,
            "counts": dict(self.counts),
        }


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of a list, and the host that all of it is of; `None`: it is of several."""

    task: BatchTask
    host: str | None


class ListStore:
    """The lists of an archive's queue. Every method may raise `StoreUnavailable`."""

    def __init__(self, database: QueueDatabase, queue: str) -> None:
        self._database = database
        self._queue = queue

    def add(
        self,
        name: str,
        urls: Iterable[ListedURL],
        options: Mapping[str, Any],
        queue: Callable[[Iterable[Batch], object], None],
    ) -> int:
        """Enter a list, and return its number; what cannot be fetched has its outcome at once.

        `queue` is given the batches and the connection. All is one transaction: a list that cannot be read to its end,
        or not be queued, is none.
        """
        with self._database.transaction() as connection:
            fields = {"queue": self._queue, "name": _clean(name), "options": json.dumps(options)}
            row = connection.execute(_NEW, fields).fetchone()
            assert row is not None
            number = int(row[0])
            with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                for position, listed in enumerate(urls):
                    copy.write_row((number, position, _clean(listed.given), _host(listed), _refusal(listed)))
            # The planner takes a list for a handful of rows, and would cut it in the time of its square.
            connection.execute("SET LOCAL enable_nestloop = off")
            connection.execute(_CUT, {"list": number, "most": BATCH_URLS})
            connection.execute(_SUM, {"list": number})
            queue((_batch(number, *found) for found in connection.execute(_BATCHES, {"list": number})), connection)
        return number

    def left(self, task: BatchTask) -> tuple[str, ...]:
        """The URLs of a batch that have no outcome yet, in the order of the list."""
        return tuple(row["given"] for row in self._database.all(_LEFT, list=task.list, batch=task.batch))

    def options(self, number: int) -> tuple[Mapping[str, Any], datetime]:
        """What a list was submitted with, and when. Raises `UsageError` where it is gone."""
        state = self.state(number)
        return state.options, state.submitted

    def tell(self, task: BatchTask, outcomes: Iterable[Outcome]) -> None:
        """Keep what became of URLs of a batch; what is told twice is kept as it was told last."""
        told = [{"given": _clean(each.url), "outcome": _storable(each)} for each in outcomes]
        if told:
            self._database.run(_TELL, list=task.list, batch=task.batch, told=json.dumps(told))

    def state(self, number: int) -> ListState:
        """One list. Raises `UsageError` where there is none."""
        row = self._database.one(_LISTS, queue=self._queue, list=number)
        if row is None:
            raise UsageError(f"there is no list {number}; newskeep jobs report shows those that there are")
        return self._state(row)

    def all(self) -> list[ListState]:
        """The lists, the newest first."""
        return [self._state(row) for row in self._database.all(_LISTS, queue=self._queue, list=None)]

    def outcomes(self, number: int) -> Iterator[dict[str, Any]]:
        """What became of each URL, in the order of the list: the fields of an outcome, "waiting" for one to come."""
        last = -1
        while found := self._database.all(_REPORT, list=number, last=last, limit=_ROWS):
            for row in found:
                yield row["outcome"] or outcome_json(Outcome(row["given"], "failed")) | {"outcome": "waiting"}
            last = found[-1]["position"]

    def ask_again(self, number: int) -> list[int]:
        """Forget the outcomes of what failed; return the batches that they are in."""
        return sorted({row["batch"] for row in self._database.all(_FORGET, list=number)})

    def _state(self, row: Row) -> ListState:
        counted = self._database.all(_COUNTS, list=row["list"])
        counts = {each["outcome"]: each["urls"] for each in counted}
        submitted = row["submitted"].astimezone(UTC)
        return ListState(
            row["list"], row["name"], submitted, row["options"], row["urls"] or 0, row["batches"] or 0, counts
        )


def _batch(number: int, batch: int, hosts: int, host: str) -> Batch:
    alone = hosts == 1
    return Batch(BatchTask(number, batch, host if alone else f"{hosts} hosts"), host if alone else None)


def _host(listed: ListedURL) -> str:
    host = urlsplit(listed.url).netloc.rpartition("@")[2].lower() if listed.url else ""
    return _clean(host)


def _refusal(listed: ListedURL) -> str | None:
    return None if listed.error is None else json.dumps(_storable(Outcome(listed.given, "refused", listed.error)))


def _storable(outcome: Outcome) -> dict[str, Any]:
    return {name: _clean(value) if isinstance(value, str) else value for name, value in outcome_json(outcome).items()}


def _clean(text: str) -> str:
    """Text as PostgreSQL can keep it: without NUL and what is no Unicode."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


_NEW: LiteralString = """
INSERT INTO newskeep_lists (queue, name, options) VALUES (%(queue)s, %(name)s, %(options)s::jsonb) RETURNING list
"""
_COPY: LiteralString = "COPY newskeep_listed (list, position, given, host, outcome) FROM STDIN"
# Hosts with a batch of their own and more: cut each by itself. The others, by name, one behind the other, so that a
# batch is full (twice as full at most) and holds all URLs of its hosts.
_CUT: LiteralString = """
WITH hosts AS (
    SELECT host, count(*) AS urls FROM newskeep_listed WHERE list = %(list)s AND outcome IS NULL GROUP BY host
), small AS (
    SELECT host, (sum(urls) OVER (ORDER BY host) - 1)::bigint / %(most)s AS pack FROM hosts WHERE urls < %(most)s
), numbered AS (
    SELECT url.position, url.host, small.pack,
           (row_number() OVER (PARTITION BY url.host ORDER BY url.position) - 1) / %(most)s AS piece
      FROM newskeep_listed url LEFT JOIN small USING (host)
     WHERE url.list = %(list)s AND url.outcome IS NULL
), cut AS (
    -- First pieces of all hosts go before second ones: many hosts are asked side by side.
    SELECT position, dense_rank() OVER (
               ORDER BY CASE WHEN pack IS NULL THEN piece ELSE 0 END, pack, CASE WHEN pack IS NULL THEN host END
           ) - 1 AS batch
      FROM numbered
)
UPDATE newskeep_listed url SET batch = cut.batch FROM cut WHERE url.list = %(list)s AND url.position = cut.position
"""
_SUM: LiteralString = """
UPDATE newskeep_lists list SET urls = found.urls, batches = found.batches
  FROM (SELECT count(*) AS urls, count(DISTINCT batch) AS batches FROM newskeep_listed WHERE list = %(list)s) found
 WHERE list.list = %(list)s
"""
_BATCHES: LiteralString = """
SELECT batch, count(DISTINCT host) AS hosts, min(host) AS host FROM newskeep_listed
 WHERE list = %(list)s AND batch IS NOT NULL GROUP BY batch ORDER BY batch
"""
_LEFT: LiteralString = """
SELECT given FROM newskeep_listed
 WHERE list = %(list)s AND batch = %(batch)s AND outcome IS NULL ORDER BY position
"""
_TELL: LiteralString = """
UPDATE newskeep_listed url SET outcome = told.outcome
  FROM jsonb_to_recordset(%(told)s::jsonb) AS told (given text, outcome jsonb)
 WHERE url.list = %(list)s AND url.batch = %(batch)s AND url.given = told.given
"""
_LISTS: LiteralString = """
SELECT * FROM newskeep_lists
 WHERE queue = %(queue)s AND (%(list)s::bigint IS NULL OR list = %(list)s) ORDER BY list DESC LIMIT 1000
"""
_COUNTS: LiteralString = """
SELECT outcome ->> 'outcome' AS outcome, count(*) AS urls FROM newskeep_listed
 WHERE list = %(list)s AND outcome IS NOT NULL GROUP BY 1
"""
_REPORT: LiteralString = """
SELECT position, given, outcome FROM newskeep_listed
 WHERE list = %(list)s AND position > %(last)s ORDER BY position LIMIT %(limit)s
"""
_FORGET: LiteralString = """
UPDATE newskeep_listed SET outcome = NULL
 WHERE list = %(list)s AND batch IS NOT NULL AND outcome ->> 'outcome' = 'failed' RETURNING batch
"""

"""What was found and what waits to be told, in one file of the archive's state folder.

What was looked at and what waits because of it are one transaction; what was sent is taken out when the receiver has
said so. A process that is killed between the two sends the same message with the same id again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from newskeep.alerts.event import Event
from newskeep.alerts.schema import KIND, alerts, channels, seen, verdicts, waiting, warcs
from storage.archive import Archive
from storage.database import DatabaseUser
from storage.index.rows import seconds
from storage.sqlite import open_database
from storage.urls import timestamp14

FILE = "alerts.sqlite"
#: Events that wait of one channel; of more the newest stay.
WAITING_MAX = 1_000
# Looked up at a time; every SQLite takes that many parameters.
_KEYS = 500


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message: its id stays the same however often it is tried."""

    id: str
    events: tuple[Event, ...]
    #: Events that were dropped before these.
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How telling goes on one channel of an alert."""

    waiting: int = 0
    sent: datetime | None = None
    tried: datetime | None = None
    tries: int = 0
    again: datetime | None = None
    problem: str | None = None


def outbox_of(archive: Archive) -> Outbox:
    """Return the outbox beside the archive's index, made when absent; it is closed with the archive."""
    return archive.companion(FILE, open_outbox)


def has_outbox(archive: Archive) -> bool:
    """Whether there is one, without making it."""
    return (archive.state / FILE).is_file()


def open_outbox(path: Path) -> Outbox:
    """Open the outbox at `path`; make an empty one where there is no file. Raises `StoreUnavailable`."""
    return Outbox(open_database(path, KIND))


def key_of(url: str, timestamp: datetime) -> int:
    """What a capture is known by here, whichever WARC it lies in."""
    digest = blake2b(f"{timestamp14(timestamp)} {url}".encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class Outbox(DatabaseUser):
    """Every method is one transaction, and raises `StoreUnavailable` where the file cannot be reached."""

    # What was looked at

    def begin(self, names: Collection[str], held: Iterable[str], at: datetime) -> None:
        """Have alerts begin that were not there, and forget those that are not any more.

        With the first of all, what the archive holds already counts as looked at: `held`, names of WARCs.
        """
        with self._transaction() as connection:
            if connection.scalar(select(func.count()).select_from(alerts)) == 0:
                _insert(connection, warcs, [{"filename": name} for name in held])
            _insert(connection, alerts, [{"name": name, "begun": seconds(at)} for name in names])
            connection.execute(delete(alerts).where(alerts.c.name.not_in(names)))
            for table in (waiting, channels):
                connection.execute(delete(table).where(table.c.alert.not_in(names)))

    def begun(self) -> dict[str, datetime]:
        """Since when each alert is there."""
        with self._reading() as connection:
            return {name: _moment(at) for name, at in connection.execute(select(alerts.c.name, alerts.c.begun))}

    def known_warcs(self) -> set[str]:
        """The WARCs that have been looked at."""
        with self._reading() as connection:
            return set(connection.scalars(select(warcs.c.filename)))

    def unseen(self, captures: Iterable[tuple[str, datetime]]) -> set[tuple[str, datetime]]:
        """Which of these captures, by URL and time, have not been looked at in another WARC."""
        keys = {key_of(url, at): (url, at) for url, at in captures}
        with self._reading() as connection:
            for some in _batches(list(keys), _KEYS):
                for key in connection.scalars(select(seen.c.key).where(seen.c.key.in_(some))).all():
                    del keys[key]
        return set(keys.values())

    def looked_at(
        self, filename: str, captures: Iterable[tuple[str, datetime]], found: Iterable[tuple[str, str, Event]]
    ) -> None:
        """A WARC has been looked at, so many captures in it, and found is what is to be told: alert, channel, event."""
        with self._transaction() as connection:
            _insert(connection, warcs, [{"filename": filename}])
            _insert(connection, seen, [{"key": key_of(url, at), "at": seconds(at)} for url, at in captures])
            _enter(connection, found)

    def forget(self, before: str, at: datetime) -> None:
        """Forget the WARCs up to a name, and captures before a time: neither is looked at any more."""
        with self._transaction() as connection:
            connection.execute(delete(warcs).where(warcs.c.filename <= before))
            connection.execute(delete(seen).where(seen.c.at < seconds(at)))

    def verdicts(self) -> dict[str, tuple[str, datetime]]:
        """Of each site the verdict that was last seen, and when."""
        with self._reading() as connection:
            rows = connection.execute(select(verdicts.c.site, verdicts.c.verdict, verdicts.c.looked))
            return {site: (verdict, _moment(looked)) for site, verdict, looked in rows}

    def judged(self, found: Iterable[tuple[str, str]], at: datetime, told: Iterable[tuple[str, str, Event]]) -> None:
        """Sites have these verdicts now, and what is to be told of it."""
        with self._transaction() as connection:
            for site, verdict in found:
                row = {"verdict": verdict, "looked": seconds(at)}
                new = insert(verdicts).values(site=site, **row)
                connection.execute(new.on_conflict_do_update(index_elements=["site"], set_=row))
            _enter(connection, told)

    # What is to be told

    def take(self, alert: str, channel: str) -> Delivery | None:
        """Return the message that is to be sent next: the one that was tried before, or all that waits."""
        mine = (waiting.c.alert == alert) & (waiting.c.channel == channel)
        with self._transaction() as connection:
            name = connection.scalar(select(waiting.c.delivery).where(mine, waiting.c.delivery.is_not(None)).limit(1))
            if name is None:
                name = str(uuid4())
                connection.execute(update(waiting).where(mine).values(delivery=name))
            rows = connection.execute(
                select(waiting.c.event).where(mine, waiting.c.delivery == name).order_by(waiting.c.id)
            )
            events = tuple(Event.from_json(json.loads(text)) for (text,) in rows)
            dropped = connection.scalar(select(channels.c.dropped).where(_of(alert, channel))) or 0
        return Delivery(name, events, dropped) if events else None

    def delivered(self, alert: str, channel: str, delivery: Delivery, at: datetime) -> None:
        """A message has arrived."""
        with self._transaction() as connection:
            connection.execute(delete(waiting).where(waiting.c.delivery == delivery.id))
            _put(
                connection,
                alert,
                channel,
                {"sent": seconds(at), "tried": None, "tries": 0, "again": None, "problem": None},
            )
            left = channels.c.dropped - delivery.dropped
            connection.execute(update(channels).where(_of(alert, channel)).values(dropped=left))

    def failed(self, alert: str, channel: str, problem: str, at: datetime, again: datetime) -> None:
        """A message has not arrived, and is to be tried again."""
        with self._transaction() as connection:
            tried = func.coalesce(channels.c.tried, seconds(at))
            _put(connection, alert, channel, {"problem": problem, "again": seconds(again)})
            values = {"tried": tried, "tries": channels.c.tries + 1}
            connection.execute(update(channels).where(_of(alert, channel)).values(**values))

    def give_up(self, alert: str, channel: str, delivery: Delivery) -> None:
        """Drop a message; the next one says how much was dropped."""
        with self._transaction() as connection:
            connection.execute(delete(waiting).where(waiting.c.delivery == delivery.id))
            _put(connection, alert, channel, {"tried": None, "tries": 0, "again": None})
            more = channels.c.dropped + len(delivery.events)
            connection.execute(update(channels).where(_of(alert, channel)).values(dropped=more))

    def standing(self, alert: str, channel: str) -> Standing:
        """How telling goes on a channel."""
        mine = (waiting.c.alert == alert) & (waiting.c.channel == channel)
        with self._reading() as connection:
            count = connection.scalar(select(func.count()).select_from(waiting).where(mine)) or 0
            row = connection.execute(select(channels).where(_of(alert, channel))).first()
        if row is None:
            return Standing(count)
        return Standing(count, _maybe(row.sent), _maybe(row.tried), row.tries, _maybe(row.again), row.problem)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._writing() as connection:
            connection.execution_options(begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection


def _enter(connection: Connection, found: Iterable[tuple[str, str, Event]]) -> None:
    """Enter events; of a channel that has too many the oldest go, and are counted."""
    rows = [
        {"alert": alert, "channel": channel, "event": json.dumps(event.to_json(), ensure_ascii=False)}
        for alert, channel, event in found
    ]
    if not rows:
        return
    connection.execute(insert(waiting), rows)
    for alert, channel in {(row["alert"], row["channel"]) for row in rows}:
        # A message that was tried stays as it was.
        mine = (waiting.c.alert == alert) & (waiting.c.channel == channel) & waiting.c.delivery.is_(None)
        newest = select(waiting.c.id).where(mine).order_by(waiting.c.id.desc())
        gone = connection.execute(
            delete(waiting).where(waiting.c.id.in_(newest.limit(-1).offset(WAITING_MAX)))
        ).rowcount
        if gone:
            _put(connection, alert, channel, {"alert": alert})
            more = channels.c.dropped + gone
            connection.execute(update(channels).where(_of(alert, channel)).values(dropped=more))


def _put(connection: Connection, alert: str, channel: str, values: dict[str, Any]) -> None:
    new = insert(channels).values(**{"alert": alert, "channel": channel, **values})
    connection.execute(new.on_conflict_do_update(index_elements=["alert", "channel"], set_=values))


def _insert(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table).on_conflict_do_nothing(), rows)


def _of(alert: str, channel: str) -> Any:
    return (channels.c.alert == alert) & (channels.c.channel == channel)


def _batches(items: list[int], size: int) -> Iterator[list[int]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _maybe(at: int | None) -> datetime | None:
    return None if at is None else _moment(at)

"""Tables of the outbox and their version."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text

from storage.database import Kind
from storage.migrations import about_table

#: Raise by one with every change of the tables, and add the step to the migrations of `KIND`.
VERSION = 1

metadata = MetaData()
about = about_table(metadata)

# Times are seconds since 1970 throughout.

# Since when an alert is there: what was before is not told.
alerts = Table(
    "alerts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("begun", Integer, nullable=False),
    sqlite_with_rowid=False,
)
# WARCs whose captures have been looked at. Of the last weeks; older ones are not looked at.
warcs = Table("warcs", metadata, Column("filename", Text, primary_key=True), sqlite_with_rowid=False)
# 64 bits of a hash of a capture's URL and second: compaction brings the same captures in another WARC.
seen = Table(
    "seen",
    metadata,
    Column("key", Integer, primary_key=True, autoincrement=False),
    Column("at", Integer, nullable=False),
)
Index("seen_by_time", seen.c.at)
# The verdict of each site's health when it was last looked at.
verdicts = Table(
    "verdicts",
    metadata,
    Column("site", Text, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("looked", Integer, nullable=False),
    sqlite_with_rowid=False,
)
# What waits to be told, in the order in which it was found; a row for each channel of each alert.
waiting = Table(
    "waiting",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("alert", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("event", Text, nullable=False),
    # Once it was tried: the message it belongs to, which is sent again as it was.
    Column("delivery", Text),
    sqlite_autoincrement=True,
)
Index("waiting_by_alert", waiting.c.alert, waiting.c.channel, waiting.c.id)
# How telling goes.
channels = Table(
    "channels",
    metadata,
    Column("alert", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    # When it was last told something.
    Column("sent", Integer),
    # When the message that waits was first tried, how often, and when it may be tried again.
    Column("tried", Integer),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("again", Integer),
    Column("problem", Text),
    # Events that were dropped since: too many, or untold for too long.
    Column("dropped", Integer, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)

KIND = Kind(
    noun="outbox of alerts",
    make="the first run with an alert makes it",
    again="move it away: what happens from then on is told, and nothing of before",
    metadata=metadata,
    version=VERSION,
    migrations={},
)

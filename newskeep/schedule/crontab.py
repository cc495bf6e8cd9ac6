"""Our block in the user's crontab; every other line stays as it is, byte for byte."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import datetime, timedelta

from newskeep.schedule.job import Job
from storage.errors import NewskeepError, UsageError

#: Bytes of a command that Debian's cron takes (MAX_COMMAND in its cron.h, with the final zero); it cuts longer ones.
_COMMAND_MAX = 999
_BEGIN, _END = b"# BEGIN newskeep ", b"# END newskeep "


class CrontabError(NewskeepError):
    """The crontab cannot be read or written, or our block in it is damaged."""


def times(every: int, minute: int) -> str:
    """The five fields for a run each `every` minutes, one of `PERIODS`, shifted by `minute`."""
    if every < 60:
        return f"{_field(every, minute % every, 59)} * * * *"
    return f"{minute % 60} {_field(every // 60, minute // 60 % (every // 60), 23)} * * *"


def _field(step: int, shift: int, last: int) -> str:
    if step > last:
        return str(shift)
    if step == 1:
        return "*"
    return f"{shift}-{last}/{step}" if shift else f"*/{step}"


def entry(job: Job, every: int, minute: int) -> bytes:
    """The lines of a job, markers included."""
    # cron takes a bare % for the end of the line.
    command = os.fsencode(job.command).replace(b"%", b"\\%")
    if len(command) > _COMMAND_MAX:
        raise UsageError(f"cron takes commands of at most {_COMMAND_MAX} bytes, and this has {len(command)}")
    name = os.fsencode(job.archive)
    return b"\n".join(
        [
            _BEGIN + name,
            b"# Made by `newskeep schedule install`; `newskeep schedule remove` takes it away.",
            times(every, minute).encode() + b" " + command,
            _END + name,
            b"",
        ]
    )


def block(table: bytes, archive: str) -> bytes | None:
    """The block of an archive, markers included; `None` where there is none. Raises `CrontabError`."""
    start, end = _span(table, archive)
    return table[start:end] if end > start else None


def with_block(table: bytes, archive: str, lines: bytes) -> bytes:
    """The table with the block in the place of the one that is there, or at its end."""
    start, end = _span(table, archive)
    before = table[:start]
    if before and not before.endswith(b"\n"):
        before += b"\n"
    return before + lines + table[end:]


def without_block(table: bytes, archive: str) -> bytes:
    """The table without the block of an archive."""
    start, end = _span(table, archive)
    return table[:start] + table[end:]


def _span(table: bytes, archive: str) -> tuple[int, int]:
    """Where the block stands: an empty place at the end of the table when there is none."""
    name = os.fsencode(archive)
    lines = table.splitlines(keepends=True)
    begins, ends = (
        [number for number, line in enumerate(lines) if line.rstrip() == mark + name.rstrip()]
        for mark in (_BEGIN, _END)
    )
    if not begins and not ends:
        return len(table), len(table)
    if len(begins) != 1 or len(ends) != 1 or begins > ends:
        raise CrontabError(
            f"the newskeep block of {archive} in your crontab is damaged: one BEGIN and one END line belong to it;"
            " mend it with `crontab -e`"
        )
    start, end = (sum(map(len, lines[:number])) for number in (begins[0], ends[0] + 1))
    return start, end


def next_start(lines: bytes, after: datetime) -> datetime | None:
    """When cron starts the job of a block next, looked at in the zone of `after`; `None` where it cannot be told."""
    found = re.search(rb"^(\S+) (\S+) \* \* \* ", lines, re.MULTILINE)
    if found is None:
        return None
    minutes, hours = (_values(field.decode(), last) for field, last in ((found[1], 59), (found[2], 23)))
    moment = after.replace(second=0, microsecond=0)
    for _ in range(2 * 24 * 60):
        moment += timedelta(minutes=1)
        # By the clock on the wall, also where summer time begins or ends.
        wall = moment.astimezone()
        if wall.minute in minutes and wall.hour in hours:
            return moment
    return None


def _values(field: str, last: int) -> range:
    """The values of a field in one of the forms that `times` writes."""
    place, _, step = field.partition("/")
    first, _, end = place.partition("-")
    try:
        if first == "*":
            return range(0, last + 1, int(step or 1))
        return range(int(first), int(end or first) + 1, int(step or 1))
    except ValueError:
        return range(0)


def available() -> bool:
    """Whether there is a crontab program."""
    return shutil.which("crontab") is not None


def read() -> bytes:
    """The user's crontab; empty when there is none. Raises `CrontabError`."""
    done = _crontab("-l")
    if done.returncode and b"no crontab" not in done.stderr:
        raise CrontabError(f"cannot read your crontab: {_said(done)}")
    return b"" if done.returncode else done.stdout


def write(table: bytes) -> None:
    """Replace the user's crontab; one that would be empty is removed. Raises `CrontabError`."""
    done = _crontab("-", table) if table else _crontab("-r")
    if done.returncode and (table or b"no crontab" not in done.stderr):
        raise CrontabError(f"cannot write your crontab: {_said(done)}")


def _crontab(argument: str, table: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["crontab", argument],
            input=table,
            capture_output=True,
            check=False,
            # Its messages are looked into.
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError as error:
        raise CrontabError(
            "there is no crontab program here: install cron, or use `newskeep schedule install --systemd`"
        ) from error


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").split("\n")
    return lines[0].strip() or f"crontab ended with {done.returncode}"

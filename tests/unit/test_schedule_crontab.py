"""Our block in a crontab: every other byte stays, and cron reads the line as we meant it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newskeep.schedule import crontab
from newskeep.schedule.crontab import CrontabError, block, entry, next_start, times, with_block, without_block
from newskeep.schedule.job import PERIODS, Job, minute_of, period
from storage.errors import UsageError

JOB = Job("/srv/news", Path("/srv"), ("/opt/newskeep", "due", "--archive", "/srv/news"))
OTHER = Job("/srv/news/old", Path("/srv"), ("/opt/newskeep", "due", "--archive", "/srv/news/old"))


@given(st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"newskeep", b"")), max_size=5))
@example([b"MAILTO=me@example.org", b"", b"\t# \xff", b"0 5 * * 1 tar -zcf a.tgz /home\r"])
def test_other_lines_stay_byte_for_byte(lines: list[bytes]) -> None:
    table = b"".join(line + b"\n" for line in lines)
    ours, others = entry(JOB, 15, 7), entry(OTHER, 60, 3)
    installed = with_block(table, JOB.archive, ours)
    assert with_block(installed, JOB.archive, ours) == installed
    assert block(installed, JOB.archive) == ours
    assert block(installed, OTHER.archive) is None
    both = with_block(installed, OTHER.archive, others)
    assert without_block(both, JOB.archive) == table + others
    assert without_block(without_block(both, OTHER.archive), JOB.archive) == table


def test_block_is_replaced_where_it_stands_and_a_last_line_without_end_is_ended() -> None:
    table = with_block(b"0 1 * * * a", JOB.archive, entry(JOB, 15, 7)) + b"0 2 * * * b\n"
    assert table.startswith(b"0 1 * * * a\n# BEGIN newskeep /srv/news\n")
    replaced = with_block(table, JOB.archive, entry(JOB, 60, 7))
    assert replaced == b"0 1 * * * a\n" + entry(JOB, 60, 7) + b"0 2 * * * b\n"


@pytest.mark.parametrize(
    "damaged",
    [
        b"# BEGIN newskeep /srv/news\n0 1 * * * somebody's own line\n",
        b"# END newskeep /srv/news\n",
        b"# END newskeep /srv/news\n# BEGIN newskeep /srv/news\n",
        entry(JOB, 15, 7) * 2,
    ],
)
def test_a_damaged_block_is_left_alone(damaged: bytes) -> None:
    with pytest.raises(CrontabError, match="crontab -e"):
        with_block(damaged, JOB.archive, b"")
    with pytest.raises(CrontabError, match="crontab -e"):
        without_block(damaged, JOB.archive)


@pytest.mark.parametrize(
    ("every", "minute", "fields"),
    [
        (1, 700, "* * * * *"),
        (15, 0, "*/15 * * * *"),
        (15, 22, "7-59/15 * * * *"),
        (30, 31, "1-59/30 * * * *"),
        (60, 7, "7 * * * *"),
        (120, 7, "7 */2 * * *"),
        (120, 67, "7 1-23/2 * * *"),
        (1440, 187, "7 3 * * *"),
    ],
)
def test_fields(every: int, minute: int, fields: str) -> None:
    assert times(every, minute) == fields


def test_periods_that_cannot_be_kept_evenly_are_refused() -> None:
    assert [period(minutes * 60) for minutes in PERIODS] == list(PERIODS)
    for seconds in (0, 59, 7 * 60, 90 * 60, 86_400 * 2):
        with pytest.raises(UsageError, match="choose one of"):
            period(seconds)


def test_minute_is_stable_and_spread() -> None:
    assert minute_of("/srv/news", "a") == minute_of("/srv/news", "a")
    starts = {minute_of("/srv/news", f"host{number}") % 15 for number in range(200)}
    assert starts == set(range(15))


def test_what_cron_and_the_shell_make_of_the_line(tmp_path: Path) -> None:
    """cron takes the first bare % for the line's end, and drops the backslash of others; a shell reads the rest."""
    folder = tmp_path / "50% of 'it' & $HOME"
    folder.mkdir()
    made = Job(str(folder), folder, ("printf", "%s|", str(folder), 'a"b', "*"))
    line = entry(made, 15, 7).splitlines()[2].decode().split(" ", 5)[5]
    assert "%" not in line.replace("\\%", "")
    done = subprocess.run(["sh", "-c", line.replace("\\%", "%")], capture_output=True, check=True)
    assert done.stdout.decode() == f'{folder}|a"b|*|'


def test_a_command_that_cron_would_cut_is_refused() -> None:
    with pytest.raises(UsageError, match="999 bytes"):
        entry(Job("/a", Path("/"), ("x" * 1000,)), 15, 0)


@pytest.fixture
def copenhagen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Summer time there: 29 March to 25 October 2026, at 01:00 UTC."""
    monkeypatch.setenv("TZ", "Europe/Copenhagen")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("copenhagen")
@pytest.mark.parametrize(
    ("every", "after", "start"),
    [
        (15, "03-29T00:50", "03-29T00:52"),
        (1440, "01-05T12:00", "01-06T01:07"),
        (1440, "07-05T12:00", "07-06T00:07"),
        # 02:07 on the wall is not there in that night.
        (1440, "03-28T12:00", "03-30T00:07"),
        # … and twice in this one.
        (1440, "10-24T12:00", "10-25T00:07"),
    ],
)
def test_next_start_goes_by_the_clock_on_the_wall(every: int, after: str, start: str) -> None:
    lines = entry(JOB, every, 127)
    assert next_start(lines, datetime.fromisoformat(f"2026-{after}Z")) == datetime.fromisoformat(f"2026-{start}Z")


def test_no_crontab_program_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not crontab.available()
    for call in (crontab.read, lambda: crontab.write(b"x\n")):
        with pytest.raises(CrontabError, match=r"^there is no crontab program here: install cron"):
            call()


def test_read_and_write_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "crontab"
    program.write_text("#!/bin/sh\necho 'You (me) are not allowed to use this program (crontab)' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(CrontabError, match="not allowed"):
        crontab.read()
    with pytest.raises(CrontabError, match="not allowed"):
        crontab.write(b"")

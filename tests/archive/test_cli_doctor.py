"""`newskeep doctor` as a person types it: what is wrong is told in a line, with the cure, and nothing is changed."""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from command import Run
from filled_archive import fill, folder_archive
from origin import Hang, Origin
from warm_start import WarmStart

from newskeep.doctor import archive as archive_checks
from newskeep.doctor import program as program_checks
from newskeep.status.bounded import bounded
from storage.errors import StoreUnavailable
from storage.index.schema import VERSION

Found = dict[str, list[dict[str, Any]]]


@pytest.fixture
def table(tmp_path: Path, environment: Mapping[str, str]) -> Path:
    """A crontab of the test's own; an operator, so that nothing is amiss."""
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\ncat "$TABLE" 2>&- || { echo "no crontab for you" >&2; exit 1; }\n')
    program.chmod(0o755)
    assert isinstance(environment, dict)
    environment |= {
        "TABLE": str(tmp_path / "table"),
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "NEWSKEEP_OPERATOR": "https://archive.example.org/bot",
    }
    return tmp_path / "table"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An archive in ./archive."""
    for archive in folder_archive(tmp_path / "archive"):
        fill(archive)
    return tmp_path / "archive"


def examine(newskeep: Run, *arguments: str, code: int) -> Found:
    """What was found, by check; grades are those of all with the name."""
    done = newskeep("doctor", "--json", *arguments)
    assert b"Traceback" not in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == code, lines
    found: Found = {}
    for line in lines:
        found.setdefault(line["check"], []).append(line)
    return found


def one(found: Found, check: str, grade: str) -> dict[str, Any]:
    (line,) = found[check]
    assert line["grade"] == grade, line
    return line


@pytest.mark.usefixtures("table")
def test_all_in_order(newskeep: Run, folder: Path) -> None:
    found = examine(newskeep, code=0)
    wanted = (
        "python",
        "packages",
        "dependencies",
        "sqlite",
        "store",
        "clock",
        "state folder",
        "index",
        "spool",
        "disk",
    )
    assert {check: one(found, check, "ok")["grade"] for check in wanted} == dict.fromkeys(wanted, "ok")
    done = newskeep("doctor")
    assert done.stdout.count(b"\nbad ") == 0
    assert b"checks: none bad" in done.stderr
    assert not (folder / "frontier.sqlite").exists()


@pytest.mark.usefixtures("table")
def test_every_mistake_of_the_configuration_is_told(newskeep: Run, tmp_path: Path) -> None:
    lines = ['archive = "there"', 'operater = "x"', 'timeout = "soon"', 'proxy = "ftp://127.0.0.1:1"', "[sites.a]"]
    lines += ['strat = "https://a.example/"', "[sites.b]", 'start = "www.b.example/"', "[sites.c]", "every = 5"]
    (tmp_path / "newskeep.toml").write_text("\n".join(lines), encoding="utf-8")
    found = examine(newskeep, code=7)
    assert [line["cure"] for line in found["configuration"]] == ["did you mean 'operator'?", None]
    assert one(found, "site a", "bad")["cure"] == "did you mean 'start'?"
    assert one(found, "site b", "bad")["cure"] == "did you mean https://www.b.example/?"
    assert "5" in one(found, "site c", "bad")["said"]
    assert "HTTP or SOCKS" in one(found, "proxy", "bad")["said"]
    # What is right of it counts.
    assert "there is not there yet" in one(found, "store", "warn")["said"].replace(str(tmp_path) + "/", "")
    assert not (tmp_path / "there").exists()


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("text", ["archive =", "archive = 7\n"])
def test_a_file_that_hides_which_archive_is_meant(newskeep: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "newskeep.toml").write_text(text, encoding="utf-8")
    found = examine(newskeep, code=7)
    assert "not looked at" in one(found, "archive", "warn")["said"]
    assert "store" not in found
    assert "store" in examine(newskeep, "--archive", "here", code=7)


@pytest.mark.usefixtures("table")
def test_a_misspelt_variable_is_a_check(
    warm_start: WarmStart, environment: Mapping[str, str], tmp_path: Path, folder: Path
) -> None:
    mistyped = {**environment, "NEWSKEEP_ARCHVE": str(folder)}
    done = warm_start.run(("doctor",), tmp_path, mistyped, b"", 60)
    assert done.returncode == 7
    assert done.stdout.count(b"NEWSKEEP_ARCHVE") == 1
    assert "→ did you mean NEWSKEEP_ARCHIVE?" in done.stdout.decode()


@pytest.mark.sqlite_file("damage done to the file")
@pytest.mark.usefixtures("table")
def test_an_index_that_is_not_there_damaged_older_or_newer(newskeep: Run, folder: Path) -> None:
    index = folder / "index.sqlite"

    def of_version(version: int) -> None:
        connection = sqlite3.connect(index)
        with connection:
            connection.execute("UPDATE about SET value = ? WHERE name = 'schema'", (version,))
        connection.close()

    of_version(VERSION - 1)
    assert f"schema {VERSION - 1}" in one(examine(newskeep, code=0), "index", "warn")["said"]
    # It is looked at, and stays as it is.
    assert f"schema {VERSION - 1}" in one(examine(newskeep, code=0), "index", "warn")["said"]
    of_version(VERSION + 1)
    assert "update newskeep" in one(examine(newskeep, code=7), "index", "bad")["cure"]
    index.write_bytes(b"no database at all" * 999)
    assert "newskeep reindex" in one(examine(newskeep, code=7), "index", "bad")["cure"]
    for file in folder.glob("index.sqlite*"):
        file.unlink()
    assert one(examine(newskeep, code=7), "index", "bad")["cure"] == "newskeep reindex"
    assert newskeep("reindex").returncode == 0
    assert one(examine(newskeep, code=0), "index", "ok")


@pytest.mark.usefixtures("table")
def test_what_lies_in_the_spool(newskeep: Run, folder: Path) -> None:
    left = folder / "spool" / "0123456789ab"
    left.mkdir(parents=True)
    (left / "lock").touch()
    (left / "newskeep-x.warc.gz.open").write_bytes(b"bytes")
    with (left / "lock").open() as lock:
        # A crawl under way has left nothing yet.
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "of crawls under way" in one(examine(newskeep, code=0), "spool", "ok")["said"]
    assert "the next save, crawl or due" in one(examine(newskeep, code=0), "spool", "warn")["cure"]
    (folder / "spool" / "damaged").mkdir()
    (folder / "spool" / "damaged" / "newskeep-y.warc.gz").write_bytes(b"bytes")
    assert [line["grade"] for line in examine(newskeep, code=7)["spool"]] == ["bad", "warn"]
    assert (left / "newskeep-x.warc.gz.open").exists()


@pytest.mark.usefixtures("table", "folder")
def test_too_little_room(warm_start: WarmStart, environment: Mapping[str, str], tmp_path: Path) -> None:
    done = warm_start.run(("doctor",), tmp_path, {**environment, "NEWSKEEP_MIN_FREE": str(10**18)}, b"", 60)
    assert done.returncode == 7
    assert "crawls pause" in done.stdout.decode()


@pytest.mark.sqlite_file("the mode of the file")
@pytest.mark.usefixtures("table")
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_what_somebody_else_left_there(newskeep: Run, folder: Path) -> None:
    (folder / "index.sqlite").chmod(0o444)
    assert str(folder / "index.sqlite") in one(examine(newskeep, code=7), "state folder", "bad")["said"]


@pytest.mark.usefixtures("table")
def test_a_store_that_is_away(newskeep: Run, environment: Mapping[str, str]) -> None:
    assert isinstance(environment, dict)
    environment |= {
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "anybody",
        "AWS_SECRET_ACCESS_KEY": "secret-of-mine",
        "AWS_MAX_ATTEMPTS": "1",
    }
    found = examine(newskeep, "--archive", "s3://nowhere/news", code=7)
    assert "127.0.0.1:1" in one(found, "store", "bad")["said"]
    assert "AWS_ENDPOINT_URL_S3" in one(found, "store", "bad")["cure"]
    assert "secret-of-mine" not in json.dumps(found)


def test_a_server_that_never_answers_is_not_waited_for() -> None:
    with Origin() as origin:
        origin.on("/hangs", Hang())
        origin.reply("/answers", b"here")

        def ask(path: str) -> int:
            with closing(HTTPConnection(origin.netloc)) as connection:
                connection.request("GET", path)
                return connection.getresponse().status

        with pytest.raises(StoreUnavailable, match=r"the store: no answer within 0\.2 s"):
            bounded(lambda: ask("/hangs"), 0.2, "the store")
        assert bounded(lambda: ask("/answers"), 60, "the store") == 200


@pytest.mark.parametrize(("skew", "grade"), [(2, "ok"), (-90, "warn"), (3600, "bad"), (-86_400, "bad")])
def test_clocks(skew: float, grade: str) -> None:
    found = archive_checks._clock(skew)
    assert found.grade == grade
    assert ("NTP" in (found.cure or "")) == (grade != "ok")


@pytest.mark.parametrize(
    ("file", "text"), [("top_level.txt", "storage\n"), ("RECORD", "storage/__init__.py,,\nstorage/a.json,,\n")]
)
def test_another_distribution_that_has_a_package_of_our_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, text: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (before,) = program_checks._packages_of_ours()
    assert before.grade == "ok"
    (tmp_path / "other-1.dist-info").mkdir()
    (tmp_path / "other-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    (tmp_path / "other-1.dist-info" / file).write_text(text)
    importlib.invalidate_caches()
    (found,) = program_checks._packages_of_ours()
    assert (found.grade, "storage of other" in found.said) == ("bad", True), found


@pytest.mark.usefixtures("folder")
def test_what_starts_the_schedule(newskeep: Run, table: Path, tmp_path: Path) -> None:
    (tmp_path / "newskeep.toml").write_text('[sites.a]\nstart = "https://a.example/"\n', encoding="utf-8")
    assert one(examine(newskeep, code=0), "schedule", "warn")["cure"] == "newskeep schedule install"
    planned = newskeep("schedule", "install", "--cron", "--dry-run").stdout
    table.write_bytes(planned)
    assert "cron starts /" in next(iter(examine(newskeep, code=0)["schedule"]))["said"]
    for before, after in ((b"/newskeep due", b"/gone due"), (b"cd ", b"cd /gone"), (b"newskeep.toml", b"gone.toml")):
        table.write_bytes(planned.replace(before, after))
        first = next(iter(examine(newskeep, code=7)["schedule"]))
        assert (first["grade"], first["cure"]) == ("bad", "newskeep schedule install")
        assert "which is not there" in first["said"]


@pytest.mark.usefixtures("folder")
def test_a_line_that_somebody_wrote_by_hand(newskeep: Run, table: Path, tmp_path: Path) -> None:
    table.write_bytes(b"# newskeep due\n*/5 * * * * cd /srv && newskeep due --quiet\n")
    found = one(examine(newskeep, code=7), "schedule", "bad")
    assert "cron does not find (its PATH is /usr/bin:/bin)" in found["said"]
    (tmp_path / "bin" / "newskeep").symlink_to(sys.executable)
    table.write_bytes(b'PATH="%s:/bin"\n' % os.fsencode(tmp_path / "bin") + table.read_bytes())
    one(examine(newskeep, code=0), "schedule", "ok")


def test_packages_of_others_are_told_by_the_command(environment: Mapping[str, str], tmp_path: Path) -> None:
    # Before anything else: none of ours can be imported then.
    (tmp_path / "there" / "storage").mkdir(parents=True)
    (tmp_path / "there" / "storage" / "__init__.py").touch()
    foreign = {**environment, "PYTHONPATH": str(tmp_path / "there")}
    command = [sys.executable, "-P", "-m", "newskeep", "doctor"]
    done = subprocess.run(command, cwd=tmp_path, env=foreign, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 2
    assert f"{tmp_path}/there/storage/__init__.py stands before Newskeep's package 'storage'" in done.stderr

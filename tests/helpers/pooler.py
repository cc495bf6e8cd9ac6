"""PgBouncer before a PostgreSQL server, on a free port of 127.0.0.1, where it is installed.

`pytest_plugins = ["pooler"]` in a test module gives it `pooler`, which skips the test where it is not.

Nothing is asserted here: PYTEST_DONT_REWRITE lets test modules import the rest as well.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from ports import held_port
from postgres import OWNER, PostgresServer
from servers import running

pytest_plugins = ["postgres"]

#: Takes the mode of its pool, gives its port.
Pooler = Callable[[str], int]

_SETTINGS = """
[databases]
* = host=127.0.0.1 port={server} user={owner}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
{user}
"""


@pytest.fixture
def pooler(postgres_server: PostgresServer) -> Iterator[Pooler]:
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("PgBouncer is not installed")
    with ExitStack() as stack:
        yield lambda mode: stack.enter_context(_pooler(program, postgres_server, mode))


@contextmanager
def _pooler(program: str, server: PostgresServer, mode: str) -> Iterator[int]:
    # It does not run as root, and its user has to read its settings.
    user = "user = nobody" if os.geteuid() == 0 else ""
    with tempfile.TemporaryDirectory(prefix="newskeep-pooler-", dir="/tmp") as name, held_port() as port:
        folder = Path(name)
        folder.chmod(0o755)
        settings = folder / "pgbouncer.ini"
        settings.write_text(_SETTINGS.format(server=server.port, owner=OWNER, port=port, mode=mode, user=user))
        with running([program, str(settings)], port, folder / "log"):
            yield port

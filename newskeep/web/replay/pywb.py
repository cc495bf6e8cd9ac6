"""pywb as a process beside the server: found, configured, started, watched, ended.

pywb is under the GPL and needs old versions of what we need too: it is never imported, only run, from a virtual
environment of its own.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from newskeep.web.auth import replay_key
from newskeep.web.options import ServeOptions
from storage.errors import UsageError
from storage.homes import home

_log = logging.getLogger(__name__)

#: The one collection, which is the first part of a replayed page's path.
COLLECTION = "web"
#: What it was tested with; setuptools is pkg_resources, which pywb 2.10 does not name for all versions of Python.
REQUIREMENTS = ("pywb==2.10.*", "setuptools<81")
#: Seconds that it may take to listen, and to end.
START_SECONDS, END_SECONDS = 60, 5
#: Ends with the server, even when that is killed (Linux, PR_SET_PDEATHSIG is 1); the server may be gone already.
_LAUNCH = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""
#: Variables that it is given; no keys of stores, no proxies, nothing that would change its Python.
_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")


def find_pywb(where: Path | None) -> Path:
    """Return the program; `where` is its virtual environment or the program, the default one where `None`.

    Raises `UsageError` with the command that makes it.
    """
    folder = where or _data_folder() / "newskeep" / "pywb"
    program = folder / "bin" / "pywb" if folder.is_dir() or where is None else folder
    if os.access(program, os.X_OK) and program.is_file():
        return program.absolute()
    home = folder if where is None or folder.is_dir() or not folder.exists() else folder.parent
    wanted = " ".join(f"'{each}'" for each in REQUIREMENTS)
    raise UsageError(
        f"--replay needs pywb, and {program} is not there; make it with: "
        f"python3 -m venv {home} && {home}/bin/pip install {wanted}"
    )


class Pywb:
    """A running pywb, within a `with` block. Its death is logged, once; what it is asked for then fails."""

    def __init__(self, program: Path, options: ServeOptions, verbose: bool = False) -> None:
        """`options` has the real ports of a server that takes connections already. `verbose` shows its output."""
        self._program = program
        self._options = options
        self._verbose = verbose
        # Its own door has no lock. An address that cannot be guessed keeps out pages elsewhere that give their name a
        # loopback address (DNS rebinding): all of 127.0.0.0/8 is ours.
        parts = secrets.token_bytes(3)
        self.host = f"127.{parts[0]}.{parts[1]}.{parts[2] % 254 + 1}"
        self.port = _free_port(self.host)
        self._ending = False
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="newskeep-pywb-", ignore_cleanup_errors=True)
        config = Path(self._folder.name) / "config.yaml"
        # JSON is YAML. The folder is for our eyes only, and so is the key in it.
        config.write_text(json.dumps(configuration(self._options), indent=1), encoding="ascii")
        output = None if self._verbose else subprocess.DEVNULL
        command = [str(self._program), "-b", self.host, "-p", str(self.port)]
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _LAUNCH, str(os.getpid()), *command],
            cwd=self._folder.name,
            env={name: os.environ[name] for name in _VARIABLES if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=output if output is not None else sys.stderr.fileno(),
            stderr=output,
            # Ctrl-C at the terminal is for the server, which ends it.
            start_new_session=True,
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ending = True
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    @property
    def is_starting(self) -> bool:
        """Whether it makes sense to wait for it to listen."""
        return self._process.poll() is None and time.monotonic() - self._began < START_SECONDS

    def watch(self) -> None:
        """Wait for its end, and log it unless `__exit__` brought it about."""
        code = self._process.wait()
        if not self._ending:
            how = f"signal {-code}" if code < 0 else f"exit status {code}"
            more = "" if self._verbose else "; -v shows what it says"
            _log.warning("replay is off until the next start: pywb ended (%s)%s", how, more)


def configuration(options: ServeOptions) -> dict[str, object]:
    """pywb's config.yaml: index and WARCs over HTTP from the app, the same for a folder and a bucket."""
    door = f"replay:{quote(replay_key(options))}@" if options.needs_key else ""
    app = f"http://{door}{_reachable(options.host)}:{options.port}"
    index = {"type": "cdx", "api_url": f"{app}/cdx?url={{url}}&closest={{closest}}&sort=closest", "replay_url": ""}
    return {
        "collections": {COLLECTION: {"index": index, "archive_paths": f"{app}/warc/"}},
        # The page itself and not a frame around it.
        "framed_replay": False,
        "enable_auto_colls": False,
        # Ours is put on every answer.
        "csp-header": "",
        "debug": False,
    }


def _reachable(host: str) -> str:
    """The host of a URL under which this machine reaches what listens there."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    return f"[{host}]" if ":" in host else host


def _free_port(host: str) -> int:
    with socket.socket() as free:
        free.bind((host, 0))
        return int(free.getsockname()[1])


def _data_folder() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or home() / ".local" / "share")

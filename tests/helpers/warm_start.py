"""Runs the command line, or Python on our modules, in processes forked from one that has imported its libraries: most
of a short command's time is imports, and the tests run hundreds. A forked process is one of its own in all else.

As a script it is that first process. A request on its socket brings the files to use as standard input, output and
error, and one to write the status to; the rest is JSON.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, Protocol, cast

import botocore.session

from crawler.frontier import open_frontier
from crawler.spider_modules import spider_modules
from crawler.versions import version_of
from newskeep.forking.zygote import finish
from newskeep.web.templating import environment
from newskeep.worker.zygote import LOADED
from storage.index import open_index

#: Imported once: what jobs are made ready with, and what else the commands load that tests run most. Not
#: crawler.settings, which reads the environment, nor anything that installs Twisted's reactor.
_LIBRARIES = (
    *(name for name in LOADED if name != "crawler.session.worker_preload"),
    "anyio._backends._asyncio",
    "boto3",
    "crawler.extraction",
    "jinja2.ext",
    "newskeep.cli._fetching",
    "newskeep.cli.captures",
    "newskeep.cli.crawl",
    "newskeep.cli.explain",
    "newskeep.cli.get",
    "newskeep.cli.reindex",
    "newskeep.cli.save",
    "newskeep.cli.serve",
    "newskeep.cli.status",
    "newskeep.cli.verify",
    "newskeep.web.server",
    "rich.progress",
    "storage",
    "storage.maintenance.verify",
    "uvicorn.lifespan.on",
    "uvicorn.loops.asyncio",
)
_COMMAND = "from newskeep.cli import main; main()"
_SCRAPY = "from scrapy.cmdline import execute; execute()"
_ROOT = Path(__file__).parents[2]
_CLIENT = Path(__file__).with_name("warm_client.py")
_REQUEST_BYTES = 1 << 20


class WarmStart:
    """The first process, started on first use and stopped by `close`.

    `environment` is for what has to be there as a process begins, or where workers come from; the default is ours.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ""
        self._starting = threading.Lock()

    def run(
        self,
        arguments: tuple[str, ...],
        cwd: Path,
        environment: Mapping[str, str],
        stdin: bytes = b"",
        timeout: float = 240,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end, as `subprocess.run` does; raises `subprocess.TimeoutExpired`."""
        return self._run(_COMMAND, ["newskeep", *arguments], cwd, environment, stdin, timeout)

    def python(
        self,
        code: str,
        *arguments: str,
        cwd: Path = _ROOT,
        environment: Mapping[str, str] | None = None,
        timeout: float = 240,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run Python to its end, as `python -c` does, with the tests' import path, by default their environment."""
        environment = os.environ if environment is None else environment
        return self._run(code, ["-c", *arguments], cwd, environment, b"", timeout, [*filter(None, sys.path)])

    def scrapy(
        self, *arguments: str, cwd: Path, environment: Mapping[str, str], timeout: float = 240
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of Scrapy's to its end, as `python -m scrapy` does, which looks in the current folder, too."""
        done = self._run(_SCRAPY, ["scrapy", *arguments], cwd, environment, b"", timeout, [str(cwd)])
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(
        self,
        arguments: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        before: str = "",
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """Start a command; `before` is Python that its process begins with."""
        argv = ["newskeep", *arguments]
        request = self._request(f"{before}\n{_COMMAND}", argv, cwd, environment)
        return _Started(self._address, request, argv, stdin, stdout, stderr)

    def _request(
        self, code: str, argv: list[str], cwd: Path, environment: Mapping[str, str], path: Sequence[str] = ()
    ) -> bytes:
        with self._starting:
            if self._process is None:
                self._start()
        what = {"code": code, "argv": argv, "cwd": str(cwd), "environment": dict(environment), "path": path}
        return json.dumps(what).encode()

    def _run(
        self,
        code: str,
        argv: list[str],
        cwd: Path,
        environment: Mapping[str, str],
        stdin: bytes,
        timeout: float,
        path: Sequence[str] = (),
    ) -> subprocess.CompletedProcess[bytes]:
        request = self._request(code, argv, cwd, environment, path)
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(stdin)
            given.seek(0)
            read, write = os.pipe()
            with os.fdopen(read, "rb") as status:
                _ask(self._address, request, given.fileno(), out.fileno(), err.fileno(), write)
                os.close(write)
                ended = _wait(status.fileno(), timeout)
            out.seek(0)
            err.seek(0)
            if ended is None:
                raise subprocess.TimeoutExpired(argv, timeout, out.read(), err.read())
            return subprocess.CompletedProcess(argv, ended, out.read(), err.read())

    def command(self, module: str) -> tuple[str, ...]:
        """What may stand for `python -P -m module` where another program starts that; its process is a forked one."""
        with self._starting:
            if self._process is None:
                self._start()
        return (sys.executable, "-I", "-S", str(_CLIENT), self._address, module)

    def close(self) -> int | None:
        """Return the process id that it had; `None`: it was never used."""
        if self._process is None:
            return None
        self._process.kill()
        self._process.wait()
        shutil.rmtree(Path(self._address).parent)
        return self._process.pid

    def _start(self) -> None:
        self._address = str(Path(tempfile.mkdtemp(prefix="newskeep-warm-"), "socket"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
            listening.bind(self._address)
            listening.listen(16)
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(listening.fileno())],
                pass_fds=[listening.fileno()],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )


@cache
def shared() -> WarmStart:
    """The one of this process of pytest: what the fixture `warm_start` is. conftest.py closes it."""
    return WarmStart()


class _Started(subprocess.Popen[bytes]):
    """A process that the first one forked; who minds it says how it ended. What is private here is so in Python."""

    def __init__(self, address: str, request: bytes, argv: Sequence[str], *files: int) -> None:
        self._asked = address, request
        stdin, stdout, stderr = files
        super().__init__(argv, stdin=stdin, stdout=stdout, stderr=stderr, bufsize=0)

    def _execute_child(self, *given: Any) -> None:
        pipes = given[10:16]
        given_in, _, _, out, _, err = pipes
        read, write = os.pipe()
        self._status = os.fdopen(read, "rb")
        _ask(*self._asked, given_in, 1 if out == -1 else out, 2 if err == -1 else err, write)
        os.close(write)
        self.pid = int(self._status.readline())
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]

    def _internal_poll(self, _deadstate: int | None = None) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self._wait(0)
        return self.returncode

    def _wait(self, timeout: float | None) -> int:
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = os.waitstatus_to_exitcode(int(self._status.readline()))
            self._status.close()
        return self.returncode


def _ask(address: str, request: bytes, *files: int) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.connect(address)
        socket.send_fds(client, [request], files)


def _wait(status: int, timeout: float) -> int | None:
    """The return code, which comes as one line behind the line of the process id; `None` after `timeout` seconds."""
    told = b""
    end = time.monotonic() + timeout
    while told.count(b"\n") < 2:
        ready, _, _ = select.select([status], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            os.kill(int(told.partition(b"\n")[0]), signal.SIGABRT)
            time.sleep(1)  # for it to say where it hangs
            return None
        piece = os.read(status, 64)
        if not piece:
            raise RuntimeError("the process that minds a command is gone")
        told += piece
    return os.waitstatus_to_exitcode(int(told.split(b"\n")[1]))


def _serve(listening: socket.socket) -> str:
    """Fork for each request; return in the forked process only, with what it is to run."""
    # Nobody waits for the minders.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _ = listening.accept()
        request, files, _, _ = socket.recv_fds(connection, _REQUEST_BYTES, 4)
        connection.close()
        if os.fork() == 0:
            # This one minds the command, so that the first process can go on.
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            *streams, status = files
            command = os.fork()
            if command:
                for file in streams:
                    os.close(file)
                os.write(status, f"{command}\n".encode())
                _, ended = os.waitpid(command, 0)
                os.write(status, f"{ended}\n".encode())
                os._exit(0)
            listening.close()
            for number, file in enumerate(streams):
                os.dup2(file, number)
                os.close(file)
            os.close(status)
            return _become(json.loads(request))
        for file in files:
            os.close(file)


def _become(request: Mapping[str, object]) -> str:
    os.chdir(str(request["cwd"]))
    environment, argv, path = request["environment"], request["argv"], request["path"]
    assert isinstance(environment, dict)
    assert isinstance(argv, list)
    assert isinstance(path, list)
    sys.path += [folder for folder in path if folder not in sys.path]
    os.environ.clear()
    os.environ.update(environment)
    # Both are looked for once a process, where the environment says.
    time.tzset()
    tempfile.tempdir = None
    sys.argv = argv
    return str(request["code"])


def _work_out() -> None:
    """Have worked out for all what a process works out once.

    What packages declare, versions, what a new archive is, what all pages of the reading room are made with, and the
    JSON that boto3 reads for each client.
    """
    spider_modules()
    for distribution in ("newskeep", "scrapy", "trafilatura"):
        version_of(distribution)
    with tempfile.TemporaryDirectory() as folder:
        open_index(Path(folder, "index.sqlite")).close()
        open_frontier(Path(folder, "frontier.sqlite")).close()
    for template in ("base.html", "macros.html"):
        environment().get_template(template)
    vars(botocore.session)["create_loader"] = cache(botocore.session.create_loader)
    session = botocore.session.get_session()
    session.create_client("s3", "us-east-1", aws_access_key_id="none", aws_secret_access_key="none").close()


class _ForkServer(Protocol):
    """What `multiprocessing` keeps of the process, most of it under private names."""

    ensure_running: Callable[[], None]
    _lock: threading.Lock
    _forkserver_address: str | None
    _forkserver_alive_fd: int | None
    _forkserver_pid: int | None


def _share_fork_server() -> None:
    """Start the process that extraction workers come from once, for the commands of all tests."""
    forkserver.set_forkserver_preload(["crawler.session.worker_preload"])
    # Out of reach of a signal to the tests' process group, as the product has it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    forkserver.ensure_running()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    server = cast(_ForkServer, forkserver._forkserver)
    start = server.ensure_running
    shared = server._forkserver_pid

    def ensure_running() -> None:
        # It is no child of the commands, which would wait for it as for one to learn whether it lives. One that was
        # killed is followed by a command's own.
        with server._lock:
            if server._forkserver_pid == shared:
                if Path(f"/proc/{shared}").exists():
                    return
                if server._forkserver_alive_fd is not None:
                    os.close(server._forkserver_alive_fd)
                server._forkserver_address = server._forkserver_alive_fd = server._forkserver_pid = None
        start()

    forkserver.ensure_running = server.ensure_running = ensure_running


if __name__ == "__main__":
    faulthandler.enable()
    for library in _LIBRARIES:
        import_module(library)
    _work_out()
    _share_fork_server()
    # What is here now stays; the commands need not look through it. They end soon, and look for theirs less often.
    gc.freeze()
    gc.set_threshold(20_000)
    code = _serve(socket.socket(fileno=int(sys.argv[1])))
    ended = 0
    try:
        exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        ended = end.code if isinstance(end.code, int) else int(end.code is not None)
        if not isinstance(end.code, int | None):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        ended = 1
    finish()
    os._exit(ended)

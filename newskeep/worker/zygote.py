"""The process that those of jobs are forked from: `python -P -m newskeep.worker.zygote`, from `processes`.

Most of what a short job costs is to load a thousand modules, and of one that makes text the models for it. Here that is
done once. Nothing else is: there is no thread, no connection and no event loop, and no configuration is read. A job
begins as in a process of its own, and reads newskeep.toml itself.

Through the socket that is its standard input comes a number with three files, the standard input, output and error of
a job; back goes the number with a descriptor of the job's process (pidfd_open(2)), and later how it ended. Its own end
is that of the socket. Jobs under way do not end with it: they end with their own input.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from crawler.browser.processes import adopt_orphans

#: What jobs load on their way, for the greatest part. Not crawler.settings, which reads the environment, nor anything
#: that installs Twisted's reactor. The first sees to it that numpy starts no threads.
LOADED = (
    "crawler.session.worker_preload",
    "newskeep.worker.job",
    "crawler.engine.handler",
    "crawler.engine.middlewares",
    "crawler.frontier.frontier",
    "crawler.sites.subscribed",
    "newskeep.alerts.telling",
    "newskeep.schedule.due_run",
    "scrapy.core.downloader.handlers.http11",
    "scrapy.crawler",
    "spiders.urls",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "storage.objects.s3",
    "storage.objects.s3.store",
    "storage.postgres",
    "storage.sqlite",
    "twisted.internet.asyncioreactor",
    "twisted.web.client",
)
#: As `ps -o comm` shows the process of a job.
JOB_NAME = "newskeep-job"
_REQUEST_BYTES = 64


def main() -> None:
    control = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    for name in LOADED:
        # Without an extra some are not there; a job that needs one says so.
        with suppress(ImportError):
            import_module(name)
    if "twisted.internet.reactor" in sys.modules or len(list(Path("/proc/self/task").iterdir())) > 1:
        sys.exit("it would not be safe to fork")
    # What a job leaves behind is waited for here: process 1, in a container the worker, may wait for nobody.
    adopt_orphans()
    # What is here now stays; jobs need not look through it.
    gc.collect()
    gc.freeze()
    try:
        _be(_serve(control))
    except OSError as error:
        sys.exit(f"cannot fork: {error}")
    os._exit(_do())


def _serve(control: socket.socket) -> Sequence[int]:
    """Fork for each request; return in the forked process only, with its files. Ends with the socket."""
    awake, waker = socket.socketpair()
    with awake, waker:
        awake.setblocking(False)
        waker.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        numbers: dict[int, int] = {}
        while True:
            ready, _, _ = select.select([control, awake], [], [])
            if awake in ready:
                awake.recv(4096)
                _tell_ended(control, numbers)
            if control not in ready:
                continue
            request, files, _, _ = socket.recv_fds(control, _REQUEST_BYTES, 3)
            if not request:
                os._exit(0)
            job = os.fork()
            if not job:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                control.close()
                return files
            for file in files:
                os.close(file)
            numbers[job] = int(request)
            # Nobody else has waited for it: the descriptor is of this process for sure.
            described = os.pidfd_open(job)
            socket.send_fds(control, [json.dumps({"number": numbers[job], "pid": job}).encode()], [described])
            os.close(described)


def _tell_ended(control: socket.socket, numbers: dict[int, int]) -> None:
    """Say of each job whose process has ended how it did."""
    with suppress(ChildProcessError):
        while True:
            job, status = os.waitpid(-1, os.WNOHANG)
            if not job:
                return
            if (number := numbers.pop(job, None)) is not None:
                control.send(json.dumps({"number": number, "code": os.waitstatus_to_exitcode(status)}).encode())


def _be(files: Sequence[int]) -> None:
    """Make the process of a job of a forked one."""
    from crawler.session.worker_context import fork_server

    # Ctrl-C is for the worker: what is under way is then ended in good order.
    os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    Path("/proc/self/comm").write_text(JOB_NAME)
    # Before there are threads.
    fork_server()


def _do() -> int:
    """Do a job; return what to end with."""
    from newskeep.worker import job

    sys.argv = [job.__file__]
    code = 0
    try:
        job.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    # All that an interpreter does at its end but taking a thousand modules apart, which copies the pages they share.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    return code


if __name__ == "__main__":
    main()

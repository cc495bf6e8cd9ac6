"""The processes of jobs: forked from one that has loaded what they need, or started anew, and the same in all else."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from waiting import until

from newskeep.forking import owner
from newskeep.worker import processes
from newskeep.worker.processes import Forked, Processes
from newskeep.worker.request import JobRequest
from newskeep.worker.zygote import JOB_NAME

pytestmark = pytest.mark.long

#: Starts a job that waits for its request, says the numbers of both processes, and does nothing more.
WAITING = """
import asyncio
from newskeep.worker.processes import Processes

async def main():
    processes = Processes()
    job = await processes.start()
    job.stdin.write(b"{")
    print(processes.zygotes.zygote.pid, flush=True)
    await job.wait()

asyncio.run(main())
"""


def trial(folder: Path, **more: Any) -> bytes:
    """What a job is told that tries the machine."""
    queue = "postgresql://nobody@127.0.0.1:9/none"
    asked = JobRequest(None, str(folder / "archive"), None, queue, 60.0, "one", **more)
    return asked.to_json().encode() + b"\n"


async def ended(job: Forked | Process, request: bytes) -> tuple[list[Any], int | None, str]:
    """What a job answers to a request, what it ends with, and what it says to a person."""
    assert job.stdin is not None and job.stdout is not None and job.stderr is not None
    job.stdin.write(request)
    answers = [json.loads(line) async for line in job.stdout]
    job.stdin.close()
    code = await job.wait()
    return answers, code, (await job.stderr.read()).decode()


def run(work: Callable[[Processes], Awaitable[None]]) -> None:
    async def main() -> None:
        started = Processes()
        try:
            await work(started)
        finally:
            await started.close()

    asyncio.run(main())


def is_named(pid: int) -> bool:
    return Path(f"/proc/{pid}/comm").read_text().strip() == JOB_NAME


def jobs_of(zygote: int) -> list[int]:
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{zygote}/task/{zygote}/children").read_text().split()]
    return []


@pytest.mark.exhaustive
def test_a_forked_job_is_as_one_that_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("delay = 'for ever'\n")
    requests = [trial(tmp_path), trial(tmp_path, config=str(wrong)), b"no request\n"]

    async def all_of(started: Processes) -> None:
        forked = [await ended(await started.start(), request) for request in requests]
        assert started.zygotes.zygote is not None and started.zygotes.zygote.is_proven
        # A machine on which nothing can be forked.
        monkeypatch.setattr(processes, "_ZYGOTE", (sys.executable, "-c", "raise SystemExit(1)"))
        alone = Processes()
        cold = [await ended(await alone.start(), request) for request in requests]
        await alone.close()
        assert alone.zygotes.is_cold and not started.zygotes.is_cold
        for (answers, code, said), (others, other_code, other_said) in zip(forked, cold, strict=True):
            assert (answers, code) == (others, other_code)
            assert said.splitlines()[-1:] == other_said.splitlines()[-1:]
        assert [code for _, code, _ in forked] == [0, 0, 1]
        assert [answers[0]["end"]["code"] for answers, _, _ in forked[:2]] == [0, 2]

    run(all_of)


def test_a_job_has_the_folder_and_the_name_and_is_ended_alone() -> None:
    async def one_of_two(started: Processes) -> None:
        one, other = await started.start(), await started.start()
        assert started.zygotes.zygote is not None
        zygote = started.zygotes.zygote.pid
        first, second = sorted(jobs_of(zygote))
        for pid in (first, second):
            # The last that it does before it is a job.
            await asyncio.to_thread(until, partial(is_named, pid))
            assert os.getsid(pid) == pid != os.getsid(0)
            assert Path(f"/proc/{pid}/cwd").readlink() == Path.cwd()
        one.send_signal(signal.SIGKILL)
        assert await one.wait() == -signal.SIGKILL
        with pytest.raises(ProcessLookupError):
            one.send_signal(signal.SIGKILL)
        assert other.returncode is None
        # What it had started is nobody's now, and left to no process 1.
        await asyncio.to_thread(until, lambda: jobs_of(zygote) == [second])
        # Without a request.
        assert [code for _, code, _ in (await ended(one, b""), await ended(other, b"\n"))] == [-signal.SIGKILL, 1]

    run(one_of_two)


@pytest.mark.exhaustive
def test_jobs_outlive_the_process_they_are_forked_from_and_the_next_have_another(tmp_path: Path) -> None:
    async def orphaned(started: Processes) -> None:
        job = await started.start()
        assert started.zygotes.zygote is not None
        killed = started.zygotes.zygote.pid
        os.kill(killed, signal.SIGKILL)
        answers, code, _ = await ended(job, trial(tmp_path))
        assert (answers[0]["end"]["code"], code) == (0, None), "nobody can tell any more what it ended with"
        await asyncio.to_thread(until, lambda: not Path(f"/proc/{killed}").exists())
        answers, code, _ = await ended(await started.start(), trial(tmp_path))
        assert (answers[0]["end"]["code"], code) == (0, 0)
        assert started.zygotes.zygote.pid != killed

    run(orphaned)


def test_a_killed_worker_leaves_no_process() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITING], stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        zygote = int(worker.stdout.readline())
        [job] = jobs_of(zygote)
        worker.kill()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in (zygote, job)))


@pytest.mark.exhaustive
def test_a_process_that_stands_still_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def frozen(started: Processes) -> None:
        await ended(await started.start(), trial(tmp_path))
        assert started.zygotes.zygote is not None
        os.kill(still := started.zygotes.zygote.pid, signal.SIGSTOP)
        monkeypatch.setattr(owner, "PATIENCE", 0.5)
        job = await started.start()
        assert not isinstance(job, Forked), "nor did the next one answer in so short a time"
        answers, code, _ = await ended(job, trial(tmp_path))
        assert (answers[0]["end"]["code"], code) == (0, 0)
        assert not Path(f"/proc/{still}").exists()

    run(frozen)

"""Processes forked from a zygote are as those that are started; it ends with its owner, however that ends."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from live_processes import is_alive, told_of
from waiting import until

from newskeep.forking.owner import Forked, Zygotes

pytestmark = pytest.mark.long

#: Says what it is like, reads to the end of its input, and ends with 7.
TASK = """
import json, os, resource, signal, sys, time

def main():
    umask = os.umask(0)
    told = {
        "word": "one",
        "session": os.getsid(0) == os.getpid(),
        "folder": os.getcwd(),
        "variables": dict(os.environ),
        "umask": umask,
        "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "zone": time.strftime("%Z"),
        "open": sorted(os.listdir("/proc/self/fd")),
        "path": sys.path,
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "interrupted": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    }
    print(json.dumps(told), flush=True)
    sys.stdin.read()
    sys.exit(7)
"""
ZYGOTE = """
import sys
from newskeep.forking.zygote import Kind, main

idle = float(sys.argv[1]) if len(sys.argv) > 1 else None
main(Kind(("forked_task",), "forked_task", "forked-task", is_detached=True), idle)
"""
#: Has a process forked, says the numbers of both, and goes on as it is told.
OWNER = """
import multiprocessing, os, sys, time
from newskeep.forking.owner import Zygotes

zygotes = Zygotes((sys.executable, "-P", "-m", "forked_zygote"))
read, write = os.pipe()
forked = zygotes.fork([read, 1, 2])
print(zygotes.zygote.pid, forked.pid, flush=True)
"""
IDLE = 1.0


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "forked_task.py").write_text(TASK)
    (folder / "forked_zygote.py").write_text(ZYGOTE)
    entries = [str(folder), str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, entries)))
    return folder


@pytest.fixture
def zygotes(modules: Path) -> Iterator[Zygotes]:
    assert modules.is_dir()
    zygotes = Zygotes((sys.executable, "-P", "-m", "forked_zygote"))
    yield zygotes
    zygotes.close()


class Task:
    """A task that was forked, from its answer on."""

    def __init__(self, zygotes: Zygotes) -> None:
        its_input, self._input = os.pipe()
        output, its_output = os.pipe()
        with os.fdopen(output, "rb") as answer:
            forked = zygotes.fork([its_input, its_output, 2])
            assert isinstance(forked, Forked)
            os.close(its_input)
            os.close(its_output)
            self.forked = forked
            self.told: dict[str, Any] = json.loads(answer.readline())

    def end(self) -> int | None:
        os.close(self._input)
        return self.forked.wait()


def started() -> dict[str, Any]:
    """What the task says where it is started anew."""
    command = [sys.executable, "-P", "-c", "from forked_task import main; main()"]
    # Python's own variables: a library may have put others beside them.
    done = subprocess.run(
        command,
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
        check=False,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def zygote_of(zygotes: Zygotes) -> int:
    assert zygotes.zygote is not None
    return zygotes.zygote.pid


def test_it_has_what_a_process_has_that_is_started_then(
    zygotes: Zygotes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Task(zygotes)
    assert first.told["folder"] == str(Path.cwd()) and first.end() == 7
    zygote = zygote_of(zygotes)
    (tmp_path / "elsewhere").mkdir()
    # In its folder it must not find what it is to import, as `forked_task` is looked for anew nowhere.
    (tmp_path / "elsewhere" / "json.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("NEWSKEEP_OF_LATE", "a\udc80b")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.delenv("HOME")
    before, limits = os.umask(0o027), resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits[0] - 7, limits[1]))
        task = Task(zygotes)
        anew = started()
    finally:
        os.umask(before)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert zygote_of(zygotes) == zygote
    assert (task.told["umask"], task.told["zone"]) == (0o027, "JST") and task.told["session"]
    # The process that workers come from, and the folder that is listed.
    assert {*task.told.pop("open")} - {*anew.pop("open")} <= {"4", "5"}
    # `-c` has it where `-m` has the folder it began in; -P leaves both out.
    ours, its = task.told.pop("variables"), anew.pop("variables")
    assert {name: (ours.get(name), its.get(name)) for name in {*ours, *its} if ours.get(name) != its.get(name)} == {}
    assert task.told == anew
    assert told_of(task.forked.pid, "comm") == b"forked-task\n"
    assert told_of(zygote, "comm") == b"newskeep-zygote\n"
    assert task.end() == 7
    until(lambda: not told_of(zygote, f"task/{zygote}/children"))


def test_a_signal_is_told_and_no_child_is_left(zygotes: Zygotes) -> None:
    # What the thread blocks that asks first is nothing to those after it.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
    try:
        task, other = Task(zygotes), Task(zygotes)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT, signal.SIGTERM])
    assert task.told["blocked"] == [] and task.told["interrupted"]
    os.kill(task.forked.pid, signal.SIGKILL)
    assert task.end() == -signal.SIGKILL
    # A program that waits for all of its children waits for none of ours.
    with pytest.raises(ChildProcessError):
        os.waitid(os.P_PGID, os.getsid(zygote_of(zygotes)), os.WEXITED | os.WNOHANG)
    assert f"\nPPid:\t{os.getpid()}\n".encode() not in told_of(zygote_of(zygotes), "status")
    assert other.end() == 7


def test_threads_that_begin_at_once_share_one(zygotes: Zygotes) -> None:
    with ThreadPoolExecutor(4) as pool:
        tasks = list(pool.map(lambda _: Task(zygotes), range(12)))
        parent = f"\nPPid:\t{zygote_of(zygotes)}\n".encode()
        assert all(parent in told_of(task.forked.pid, "status") for task in tasks)
        assert set(pool.map(Task.end, tasks)) == {7}


@pytest.mark.parametrize(
    "then",
    [
        "os.kill(os.getpid(), 9)",
        "os.execv('/bin/sleep', ['sleep', '600'])",
        # What multiprocessing starts lives on.
        "multiprocessing.get_context('fork').Process(target=time.sleep, args=(600,)).start(); os.kill(os.getpid(), 9)",
        # As a library does that is not Python's.
        "import ctypes; ctypes.PyDLL(None).fork() or time.sleep(600); os.kill(os.getpid(), 9)",
    ],
    ids=["killed", "exec", "multiprocessing", "fork"],
)
@pytest.mark.usefixtures("modules")
def test_it_ends_with_its_owner(then: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", f"{OWNER}\n{then}"], stdout=subprocess.PIPE, start_new_session=True
    ) as owner:
        assert owner.stdout is not None
        zygote, forked = map(int, owner.stdout.readline().split())
        try:
            if "execv" in then:
                until(lambda: not is_alive(forked))
            else:
                # Its input is open in what its owner forked, as it would be of a process that was started.
                until(lambda: not is_alive(owner.pid))
                with suppress(ProcessLookupError):
                    os.kill(forked, signal.SIGKILL)
            until(lambda: not is_alive(zygote))
        finally:
            os.killpg(owner.pid, signal.SIGKILL)


def test_in_a_forked_process_it_is_another_one(zygotes: Zygotes) -> None:
    assert Task(zygotes).end() == 7
    ours, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        with suppress(BaseException):
            task = Task(zygotes)
            theirs.send(f"{zygote_of(zygotes)} {task.end()}".encode())
            zygotes.close()
        os._exit(0)
    theirs.close()
    with ours:
        other, code = ours.recv(100).split()
    os.waitpid(child, 0)
    assert (int(other) != zygote_of(zygotes), int(code)) == (True, 7)
    until(lambda: not is_alive(int(other)))
    assert is_alive(zygote_of(zygotes)) and Task(zygotes).end() == 7


def test_one_whose_modules_have_changed_is_followed_by_another(zygotes: Zygotes, modules: Path) -> None:
    task = Task(zygotes)
    before = zygote_of(zygotes)
    # A package is replaced as a whole, its modules by files of another name or in place.
    (modules / "newer").write_text(TASK.replace('"one"', '"another"'))
    (modules / "newer").replace(modules / "forked_task.py")
    second = Task(zygotes)
    assert (task.told["word"], second.told["word"]) == ("one", "another")
    assert is_alive(before), "it has yet to say how the one under way ends"
    assert (task.end(), second.end()) == (7, 7)
    until(lambda: not is_alive(before))


def test_another_environment_for_good_has_another_one(zygotes: Zygotes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Task(zygotes).end() == 7
    before = zygote_of(zygotes)
    monkeypatch.setenv("PYTHONPATH", f"{os.environ['PYTHONPATH']}{os.pathsep}/elsewhere")
    task = Task(zygotes)
    assert "/elsewhere" in task.told["path"] and task.end() == 7
    until(lambda: not is_alive(before))


def test_an_idle_one_ends_and_the_next_begins_another(modules: Path) -> None:
    zygotes = Zygotes((sys.executable, "-P", "-m", "forked_zygote", f"{IDLE:g}"))
    task = Task(zygotes)
    before = zygote_of(zygotes)
    time.sleep(2 * IDLE)
    assert is_alive(before), "a task is under way"
    assert task.end() == 7
    until(lambda: not is_alive(before))
    assert modules.is_dir() and Task(zygotes).end() == 7
    assert zygote_of(zygotes) != before and not zygotes.is_cold
    zygotes.close()


def test_one_that_is_killed_is_followed_by_another_and_where_none_can_be_nothing_is_forked(
    zygotes: Zygotes, modules: Path
) -> None:
    task = Task(zygotes)
    os.kill(zygote_of(zygotes), signal.SIGKILL)
    assert task.end() is None, "nobody can tell any more"
    assert Task(zygotes).end() == 7
    # Two threads: numpy's, a debugger's.
    (modules / "forked_task.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(9,)).start()"
    )
    alone = Zygotes((sys.executable, "-P", "-m", "forked_zygote"))
    assert alone.fork([0, 1, 2]) is None and alone.is_cold
    assert threading.active_count() < 3

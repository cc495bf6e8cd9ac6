"""Ray as the ways of bulk work meet it: what its tasks raise, what is killed under it, and where a user stops it."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from command import Run
from filled_archive import fill
from ports import held_port
from waiting import until

from crawler.session.ray_cluster import cluster, each
from storage import open_archive
from storage.errors import Corrupt, NewskeepError, StoreUnavailable

pytestmark = [pytest.mark.exhaustive, pytest.mark.timeout(900)]

WARCS = 8


def test_what_a_task_raises_is_what_it_was_and_a_lost_one_is_told() -> None:
    def half(number: int) -> int:
        if number % 2:
            raise Corrupt(f"{number} is odd")
        return number // 2

    def dying() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with cluster():
        assert sorted(each(half, [(2,), (4,)])) == [1, 2]
        with pytest.raises(Corrupt) as caught:
            list(each(half, [(3,)]))
        assert str(caught.value) == "3 is odd"
        with pytest.raises(NewskeepError, match=r"^Ray gave a task up \(.*the same command goes on there$") as lost:
            list(each(dying, [()]))
        assert "\n" not in str(lost.value)


def test_a_cluster_that_does_not_answer_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with held_port() as port:
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
        with pytest.raises(StoreUnavailable, match=rf"^Ray: nobody answers at 127.0.0.1:{port}"), cluster():
            pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with open_archive(tmp_path / "archive") as archive:
        fill(archive, WARCS, 25)
    return tmp_path / "archive"


def done(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("bulk/*/done/*.json"))


def tasks(session: int) -> list[int]:
    """Ray's processes of a session that are at a shard."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                command, belongs = (entry / "cmdline").read_bytes(), session in ancestors(int(entry.name))
            except OSError:
                continue
            if belongs and command.startswith(b"ray::_shard"):
                found.append(int(entry.name))
    return found


def ancestors(pid: int) -> list[int]:
    found = []
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        found.append(pid)
    return found


@pytest.fixture
def begun(folder: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A re-extraction that has done a WARC, in a process group of its own as a shell gives it."""
    command = [sys.executable, "-P", "-m", "newskeep", "reextract", "--executor", "ray", "--archive", str(folder)]
    # Tests that a shell has in the background are deaf to Ctrl-C, and so would be what they start.
    command = ["env", "--default-signal=INT", *command]
    process = subprocess.Popen(command, env=dict(environment), stderr=subprocess.PIPE, process_group=0)
    try:
        until(lambda: done(folder), lambda: process.poll() is not None and "it has ended")
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_worker_that_is_killed_costs_the_warc_under_way(folder: Path, begun: subprocess.Popen[bytes]) -> None:
    for task in until(lambda: tasks(begun.pid), lambda: begun.poll() is not None and "it has ended"):
        os.kill(task, signal.SIGKILL)
    _, told = begun.communicate()
    assert begun.returncode == 0 and told.count(b"\n") == 1, told.decode()
    assert len(done(folder)) == WARCS
    with open_archive(folder) as archive:
        assert sum(1 for _ in archive.articles()) == WARCS * 25


def test_ctrl_c_ends_all_and_the_same_command_goes_on(
    folder: Path, begun: subprocess.Popen[bytes], newskeep: Run
) -> None:
    os.killpg(begun.pid, signal.SIGINT)
    _, told = begun.communicate()
    assert begun.returncode == 130 and b"Traceback" not in told, told.decode()
    until(lambda: not tasks(begun.pid))
    before = {path.name: path.read_bytes() for path in folder.glob("bulk/*/done/*.json")}
    assert before
    again = newskeep("reextract", "--executor", "ray", "--archive", str(folder), timeout=600)
    assert again.returncode == 0 and f"{len(before)} done before".encode() in again.stderr, again.stderr
    assert len(done(folder)) == WARCS
    assert all((next(folder.glob(f"bulk/*/done/{name}"))).read_bytes() == data for name, data in before.items())


def test_an_export_makes_the_folder_that_it_goes_to(folder: Path, newskeep: Run, tmp_path: Path) -> None:
    made = newskeep(
        "export", "--format", "jsonl", "--to", "new/out", "--executor", "ray", "--archive", str(folder), timeout=600
    )
    assert made.returncode == 0, made.stderr.decode()
    lines = [gzip.decompress(path.read_bytes()).count(b"\n") for path in (tmp_path / "new" / "out").rglob("*.gz")]
    assert sum(lines) == WARCS * 25 and len(lines) > 1

"""What a job costs a worker beside its waiting: python benchmarks/jobs.py [--jobs 12] [--pages 10].

Small papers on loopback, PostgreSQL of the tests. Each is crawled for the first time, which brings `--pages` articles
with their text, then once more, which brings nothing. One worker does one job of each kind, another one all others, one
at a time; the difference, shared among the jobs, is what one more costs: seconds of CPU of the worker and all processes
below it. Then a worker that has done a job and waits for the next: its memory, with all processes below it.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from processes import MIB, family, pss, watch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "helpers")]

from origin import Origin  # noqa: E402
from postgres import postgres  # noqa: E402
from small_paper import Paper  # noqa: E402

NEWSKEEP = [sys.executable, "-P", "-m", "newskeep"]
#: Seconds without CPU after which a worker counts as idle.
IDLE_SECONDS = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=12, help="of each kind, beside the first (default 12)")
    parser.add_argument("--pages", type=int, default=10, help="articles of a paper (default 10)")
    options = parser.parse_args()
    with ExitStack() as stack:
        hosts = [f"127.30.0.{number + 2}" for number in range(options.jobs + 1)]
        papers = [Paper(stack.enter_context(Origin(host)), options.pages) for host in hosts]
        database = stack.enter_context(stack.enter_context(postgres()).database())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.chdir(folder)
        _configure(papers, database)
        for what in (f"{options.pages} articles", "nothing new"):
            first, others = (_cpu(names) for names in (["paper0"], [f"paper{n + 1}" for n in range(options.jobs)]))
            each = (others - first) / (options.jobs - 1)
            print(f"a job that finds {what}: {each:.2f} s of CPU; the first of a worker, with it: {first:.2f} s")
        print(f"a worker that waits: {_idle_memory(folder) / MIB:.0f} MiB")


def _configure(papers: list[Paper], database: str) -> None:
    tables = (
        f'[sites.paper{number}]\nstart = "{paper.origin.url("/")}"\nfeeds = "{paper.origin.url("/news.rss")}"\n'
        for number, paper in enumerate(papers)
    )
    head = f'queue = "{database}"\nallow_private = true\ndelay = 0.02\nworkers = 1\n'
    Path("newskeep.toml").write_text(head + "".join(tables))


def _submit(names: list[str]) -> None:
    subprocess.run([*NEWSKEEP, "submit", "crawl", *names], env=_environment(), check=True, stdout=subprocess.DEVNULL)


def _cpu(names: list[str]) -> float:
    _submit(names)
    run = watch([*NEWSKEEP, "worker", "--until-empty", "--at-once=1"], _environment())
    if run.code:
        raise SystemExit(f"the worker ended with {run.code}")
    return run.cpu


def _idle_memory(folder: Path) -> int:
    _submit(["paper0"])
    with _working(folder) as worker:
        while "finished" not in (folder / "log").read_text():
            time.sleep(0.2)
        time.sleep(IDLE_SECONDS)
        return sum(pss(each) for each in family(worker.pid))


@contextmanager
def _working(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "log").open("wb") as log:
        worker = subprocess.Popen([*NEWSKEEP, "-v", "worker"], env=_environment(), stderr=log)
    try:
        yield worker
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait()


def _environment() -> dict[str, str]:
    # PYTHONDONTWRITEBYTECODE would have each job compile our modules again.
    unwanted = ("NEWSKEEP_", "AWS_", "PYTHON")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return {**clean, "HOME": str(Path.cwd()), "XDG_STATE_HOME": str(Path("state").absolute())}


if __name__ == "__main__":
    main()

"""What a save costs a program, and `newskeep serve`: python benchmarks/saves.py [--saves 10] [--rounds 3] [TREE…].

A small page of loopback at a time, with its text. For each tree of this program (default: this one), by turns: how long
after it was asked for the first and the last save of a process began, which is when robots.txt was asked for, and were
done; and seconds of CPU of all processes: with one save, and what each more costs. Medians of the rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from processes import watch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "helpers")]

from origin import Origin, response  # noqa: E402

#: Saves addresses one after the other; says when each was asked for and done.
PROGRAM = """
import sys, time
from newskeep import open_archive
with open_archive("archive") as archive:
    for url in sys.argv[1:]:
        asked = time.time()
        (outcome,) = archive.save(url)
        assert outcome.outcome == "archived", outcome
        print(asked, time.time(), flush=True)
"""
PAGE = b"<!doctype html><title>A bridge opens</title><article><p>The town has waited for it since spring.</p></article>"
#: Also the server, by way of HTTP: started, asked for one job after the other, ended.
SERVER = """
import json, signal, subprocess, sys, time, urllib.request
command = [sys.executable, "-P", "-m", "newskeep", "serve", "--port=0", "--originals-port=0"]
server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
root = server.stdout.readline().strip().rstrip("/")
# As long as somebody takes who opens it in a browser.
time.sleep(float(sys.argv[1]))
for url in sys.argv[2:]:
    asked = time.time()
    sent = json.dumps({"url": url}).encode()
    request = urllib.request.Request(f"{root}/api/save", sent, {"Content-Type": "application/json"})
    job = json.load(urllib.request.urlopen(request))
    while job["finished"] is None:
        time.sleep(0.02)
        job = json.load(urllib.request.urlopen(job["links"]["job"]))
    assert job["outcomes"][0]["outcome"] == "archived", job
    print(asked, time.time(), flush=True)
server.send_signal(signal.SIGINT)
server.wait()
"""
#: Seconds that a server has before the first save.
PAUSE = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs="*", type=Path, default=[ROOT])
    parser.add_argument("--saves", type=int, default=10, help="of a process (default 10)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    figures: defaultdict[tuple[str, Path], list[tuple[float, ...]]] = defaultdict(list)
    for _ in range(options.rounds):
        for tree in options.trees:
            figures["program", tree].append(_measure(tree, options.saves, "program"))
            figures["serve", tree].append(_measure(tree, options.saves, "serve"))
    for (way, tree), found in sorted(figures.items()):
        begun, done, last_begun, last_done, cpu, more = map(statistics.median, zip(*found, strict=True))
        print(
            f"{way} of {tree}: the first begins after {begun:.2f} s and is done after {done:.2f}, "
            f"the last {last_begun:.2f} and {last_done:.2f}; CPU with one save {cpu:.2f} s, each more {more:.2f}"
        )


def _measure(tree: Path, saves: int, way: str) -> tuple[float, ...]:
    one, _ = _run(tree, 1, way)
    many, times = _run(tree, saves, way)
    return (*times[0], *times[-1], one, (many - one) / (saves - 1))


def _run(tree: Path, saves: int, way: str) -> tuple[float, list[tuple[float, float]]]:
    """Seconds of CPU, and of each save how long after it was asked for it began and was done."""
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        page = response(PAGE, headers=[("Content-Type", "text/html")])
        origin.on_any(lambda path: page if path.startswith("/page") else None)
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        os.chdir(folder)
        Path("archive").mkdir()
        urls = [origin.url(f"/page{number}") for number in range(saves)]
        code, given = (PROGRAM, urls) if way == "program" else (SERVER, [f"{PAUSE:g}", *urls])
        run = watch([sys.executable, "-P", "-c", code, *given], _environment(tree), every=60)
        os.chdir(ROOT)
        if run.code:
            raise SystemExit(f"{way} ended with {run.code}")
        told = [tuple(map(float, line.split())) for line in run.stdout.splitlines()]
        begun = [entry.at for entry in origin.log if entry.path == "/robots.txt"]
    return run.cpu, [(at - asked, done - asked) for at, (asked, done) in zip(begun, told, strict=True)]


def _environment(tree: Path) -> dict[str, str]:
    unwanted = ("NEWSKEEP_", "AWS_", "PYTHON")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    ours = {"NEWSKEEP_ALLOW_PRIVATE": "1", "NEWSKEEP_OPERATOR": "benchmarks@example.org"}
    return {**clean, **ours, "HOME": str(Path.cwd()), "PYTHONPATH": str(tree.absolute())}


if __name__ == "__main__":
    main()

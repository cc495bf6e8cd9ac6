"""Files of the current folder are the user's: no process of ours runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from article_page import PAGE
from origin import Origin, response

from newskeep.schedule.job import program

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
NAMES = ("crawler", "storage", "spiders", "trafilatura", "lxml", "json", "pebble", "multiprocessing")
MODULE = (sys.executable, "-m", "newskeep")
SAFE_MODULE = (sys.executable, "-P", "-m", "newskeep")


def lay_traps(folder: Path, *names: str) -> Path:
    """Files that leave their name in the file that is returned, when they are executed."""
    executed = folder / "executed"
    for name in names:
        (folder / f"{name}.py").write_text(f"print({name!r}, file=open({str(executed)!r}, 'a'))\n")
    return executed


def save(start: tuple[str, ...], cwd: Path, environment: Mapping[str, str]) -> None:
    """Archive pages and see that each has its text."""
    with Origin() as origin:
        urls = [origin.url(f"/{n}") for n in range(3)]
        for n in range(3):
            origin.on(f"/{n}", response(PAGE.encode(), headers=[("Content-Type", "text/html")]))
        command = [*start, "save", "--json", "--allow-private", "--ignore-robots", *urls]
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=240
        )
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == 3
    assert all(line["words"] > 20 for line in told), done.stdout


@pytest.mark.parametrize(
    ("start", "more"),
    [
        # What `-m` takes for newskeep is not for us to say; with -P, and for the command, it is ours. Nor are these two
        # tried alone: test_demo begins by `-m`, the one with PYTHONPATH by `-P -m`.
        pytest.param(MODULE, ("typing",), marks=pytest.mark.exhaustive),
        pytest.param(SAFE_MODULE, ("newskeep", "typing"), marks=pytest.mark.exhaustive),
        ((str(Path(sys.executable).parent / "newskeep"),), ("newskeep", "typing")),
    ],
    ids=["-m", "-P -m", "command"],
)
def test_no_process_runs_what_lies_in_the_current_folder(
    start: tuple[str, ...], more: tuple[str, ...], tmp_path: Path, environment: Mapping[str, str]
) -> None:
    executed = lay_traps(tmp_path, *NAMES, *more)
    save(start, tmp_path, environment)
    assert not executed.exists(), executed.read_text()


def test_entries_of_pythonpath_that_mean_the_current_folder(tmp_path: Path, environment: Mapping[str, str]) -> None:
    executed = lay_traps(tmp_path, *NAMES)
    save(SAFE_MODULE, tmp_path, {**environment, "PYTHONPATH": os.pathsep.join((str(ROOT), "", "."))})
    assert not executed.exists(), executed.read_text()


def test_a_checkout_runs_in_its_own_folder_only(tmp_path: Path, environment: Mapping[str, str]) -> None:
    checkout = tmp_path / "checkout"
    for package in ("newskeep", "spiders", "crawler", "storage"):
        shutil.copytree(ROOT / package, checkout / package)
    # In the copy only: who imports it. Others would take that of an installed one.
    used = tmp_path / "used"
    with (checkout / "crawler" / "extraction" / "__init__.py").open("a") as extraction:
        extraction.write(f"\nimport sys\nprint(sys.argv[0], file=open({str(used)!r}, 'a'))\n")
    plain = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    save(MODULE, checkout, plain)
    # The fork server, once for all workers.
    assert used.read_text().split().count("-c") == 1

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    executed = lay_traps(elsewhere, *NAMES)
    save(MODULE, elsewhere, {**plain, "PYTHONPATH": str(checkout)})
    assert not executed.exists(), executed.read_text()


# What the other one starts is tried with PYTHONPATH, above, and saves pages there.
@pytest.mark.parametrize(
    "start", [program(), pytest.param(SAFE_MODULE, marks=pytest.mark.exhaustive)], ids=["script", "module"]
)
def test_job_of_a_scheduler(start: tuple[str, ...], tmp_path: Path, environment: Mapping[str, str]) -> None:
    executed = lay_traps(tmp_path, *NAMES, "newskeep")
    (tmp_path / "newskeep.toml").touch()
    done = subprocess.run(
        [*start, "due", "--quiet"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert not executed.exists(), executed.read_text()


def test_demo(tmp_path: Path, environment: Mapping[str, str]) -> None:
    executed = lay_traps(tmp_path, *NAMES, "typing")
    done = subprocess.run(
        [*MODULE, "demo"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert "24 articles" in done.stdout
    assert not executed.exists(), executed.read_text()

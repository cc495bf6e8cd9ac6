"""Files of the current folder are the user's: no process of ours runs them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from article_page import PAGE
from origin import Origin, response

NAMES = ("crawler", "storage", "spiders", "trafilatura", "lxml", "json", "pebble")


@pytest.mark.parametrize(
    "start", [(sys.executable, "-m", "newskeep"), (str(Path(sys.executable).parent / "newskeep"),)]
)
def test_no_process_runs_what_lies_in_the_current_folder(
    start: tuple[str, ...], tmp_path: Path, environment: Mapping[str, str]
) -> None:
    executed = tmp_path / "executed"
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(f"print({name!r}, file=open({str(executed)!r}, 'a'))\n")
    with Origin() as origin:
        origin.on("/a", response(PAGE.encode(), headers=[("Content-Type", "text/html")]))
        command = [*start, "save", origin.url("/a"), "--allow-private", "--ignore-robots"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        text = subprocess.run(
            [*start, "get", origin.url("/a"), "--as", "text"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert not executed.exists(), executed.read_text()
    assert done.returncode == 0, done.stderr
    assert "moves into the station" in text.stdout or "old library" in text.stdout, text.stderr

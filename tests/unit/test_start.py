"""What a command that only reads waits for before it does its work: no libraries of those that fetch, sign or print."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from filled_archive import fill, page

from storage.archive import Archive
from storage.objects.local import LocalStore

URL = page(0).url
#: What takes long to load, and reads nothing of an archive in a folder.
HEAVY = {"boto3", "cryptography", "http_sf", "lxml", "numpy", "rich", "scrapy", "surt", "trafilatura", "twisted"}
CODE = """
import sys
from newskeep.cli import main
try:
    main()
finally:
    print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


@pytest.mark.parametrize("command", [["get", URL], ["get", URL, "--as", "http"], ["get", URL, "--as", "text"]])
def test_a_look_up_loads_what_it_needs_alone(tmp_path: Path, command: list[str]) -> None:
    with Archive(LocalStore(str(tmp_path)), tmp_path) as archive:
        fill(archive, warcs=1, pages=1)
    run = [sys.executable, "-c", CODE, *command, "--archive", str(tmp_path)]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stderr.split())

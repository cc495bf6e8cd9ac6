"""What a command waits for before it does its work: no libraries that only others need."""

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


def test_a_crawl_loads_nothing_that_it_has_no_use_for(tmp_path: Path) -> None:
    # An address that nobody is asked for.
    run = [sys.executable, "-c", CODE, "save", "ftp://127.0.0.1/", "--archive", str(tmp_path)]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 5, done.stderr
    loaded = set(done.stderr.split())
    assert "scrapy" in loaded
    # The models of texts are the workers'; Scrapy's cookies bring a client of their own.
    assert not {"numpy", "trafilatura", "requests", "tldextract", "urllib3", "rfc3161_client"} & loaded

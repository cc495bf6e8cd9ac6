"""Hosts of a list are not asked by a page, and what was left out is said in the records of what it showed."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from origin import Origin
from warm_start import WarmStart

from storage.warc import read_records

CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.long, pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")]

STORY = "<p>The council voted for the new bridge on Monday evening after a long debate about its cost.</p>" * 6


def test_hosts_of_a_list_are_left_out_and_it_is_said(tmp_path: Path, warm_start: WarmStart) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://ads.localhost:%d/moved\r\nContent-Length: 0\r\n\r\n"
    with Origin() as origin:
        ads = f"http://ads.localhost:{origin.port}"
        pictures = f"<img src={ads}/a.png><img src=/m><img src=/kept>"
        page = f"<!doctype html><article><h1>A bridge</h1>{STORY}</article>{pictures}"
        origin.reply("/a", page.encode(), headers=[("Content-Type", "text/html")])
        origin.on("/m", moved % origin.port)
        (tmp_path / "hosts.txt").write_text("||ads.localhost^\n127.0.0.1 127.0.0.1\n")
        (tmp_path / "newskeep.toml").write_text('blocklist = "hosts.txt"\nallow_private = true\nrender = "always"\n')
        command = ("save", origin.url("/a"), "--json", "--archive", str(tmp_path / "a"))
        run = warm_start.run(command, tmp_path, os.environ, timeout=300)
        assert run.returncode == 0, run.stderr
        asked = [logged.path for logged in origin.log if "favicon" not in logged.path]
        assert sorted(set(asked)) == ["/a", "/kept", "/m", "/robots.txt"]
    # Chromium asks again for what failed, as often as it likes; on a busy machine a bound is reached as well.
    left_out = re.compile(r"ads\.localhost \(on the blocklist\), \d+ times")
    assert any(left_out.fullmatch(told) for told in json.loads(run.stdout)["left_out"])
    found = []
    for warc in tmp_path.glob("a/warc/*/*/*/*.warc.gz"):
        with warc.open("rb") as file:
            found += [record for record in read_records(file) if record.type == "resource"]
    [dom] = found
    assert left_out.search(dom.field("Newskeep-Left-Out") or "")

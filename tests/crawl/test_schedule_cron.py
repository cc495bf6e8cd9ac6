"""cron itself runs the installed line, once: Debian's, with root's crontab, which is put back as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from command import Run
from origin import Origin

CRON = shutil.which("cron") or "/usr/sbin/cron"
PID_FILE = Path("/var/run/crond.pid")

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path(CRON).exists() or not shutil.which("crontab"), reason="cron is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="cron reads crontabs of other users as root only"),
]
#: The next minute, a start under load, and room.
LONG = 240.0

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Gazette</title><item><title>Bridge opened</title>
<link>{link}</link></item></channel></rss>"""
PAGE = "<html><title>Bridge opened</title><article><h1>Bridge opened</h1>{}</article></html>".format(
    "".join(f"<p>Paragraph {number}: the council spoke for hours about the new bridge.</p>" for number in range(9))
)


@pytest.fixture
def cron() -> Iterator[None]:
    """cron in the foreground, unless the machine has one running; root's crontab as it was at the end."""
    before = subprocess.run(["crontab", "-l"], capture_output=True, check=False)
    daemon = subprocess.Popen([CRON, "-f"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        end = time.monotonic() + LONG
        while daemon.poll() is None and not _holds_the_lock(daemon.pid):
            assert time.monotonic() < end, "cron neither runs nor ends"
            time.sleep(0.02)
        if daemon.returncode is not None:
            said = daemon.stderr.read() if daemon.stderr else b""
            assert b"already running" in said or b"can't lock" in said, said
        yield
    finally:
        daemon.kill()
        daemon.communicate()
        if before.returncode:
            subprocess.run(["crontab", "-r"], check=False, capture_output=True)
        else:
            subprocess.run(["crontab", "-"], input=before.stdout, check=True)


def _holds_the_lock(process: int) -> bool:
    # cron writes it when it has the lock.
    return PID_FILE.exists() and PID_FILE.read_text().strip() == str(process)


@pytest.mark.sqlite_file("cron gives its commands nothing of our environment")
@pytest.mark.usefixtures("cron")
def test_cron_runs_the_line(
    newskeep: Run, tmp_path: Path, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A folder as people have them.
    folder = tmp_path / "50% of 'it'"
    folder.mkdir()
    with Origin() as origin:
        origin.reply("/feed.xml", FEED.format(link=origin.url("/bridge")).encode())
        origin.reply("/bridge", PAGE.encode(), headers=[("Content-Type", "text/html; charset=utf-8")])
        (folder / "newskeep.toml").write_text(
            'allow_private = true\narchive = "held"\n[sites.gazette]\n'
            f'feeds = "{origin.url("/feed.xml")}"\ndelay = 0\nevery = "1d"\n'
        )
        monkeypatch.chdir(folder)
        program = [sys.executable, "-m", "newskeep", "schedule"]
        subprocess.run([*program, "install", "--cron", "--every", "1m"], env=environment, check=True)
        end = time.monotonic() + LONG
        while not list((folder / "held").glob("crawls/*/*/*/*.json")) and time.monotonic() < end:
            time.sleep(0.5)
        subprocess.run([*program, "remove"], env=environment, check=True)
        text = newskeep("get", origin.url("/bridge"), "--as", "text", "--archive", str(folder / "held"))
    assert b"the council spoke for hours" in text.stdout, text.stderr.decode()
    assert [logged.path for logged in origin.log if logged.path == "/bridge"] == ["/bridge"]

"""Every command on an archive that an enemy filled: no byte that a terminal obeys is in lines for people."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command import Run
from origin import Origin, response
from room_archive import ENEMY, Fetched, answer, plain, write
from warm_start import WarmStart

from crawler.frontier import frontier_of
from crawler.frontier.address_state import Announcement, SiteRun, SiteState, Visit
from crawler.frontier.run_counts import RunCounts
from storage.archive import Archive
from storage.model import Block, Reason
from storage.objects.local import LocalStore

OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\x7f\u202edetrevni\u2066\u2028\u2029\U000e0068\x00"
URL = f"{ENEMY}/a"
GOOD = "می‌خواهم 👨‍👩‍👧‍👦 रक्‍षा"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """An archive of two versions of a page, a twin of it, damage, and a site with reasons, in ./archive."""
    folder, now = tmp_path / "archive", datetime(2026, 3, 1, 6, tzinfo=UTC)
    folder.mkdir()
    words = " ".join(f"word{number}" for number in range(60))
    article = replace(
        plain(URL, f"Title {EVIL}\nnewskeep: forged {GOOD}", "en", f"{words} {EVIL} {GOOD}"),
        authors=(f"Author {EVIL}",), published=f"2026{EVIL}", section=EVIL, confidence=0.1,
    )  # fmt: skip
    removed = Block(f"Removed {EVIL}", "li", False, Reason("repeated", EVIL))
    article = replace(article, blocks=(*article.blocks, removed))
    later = replace(
        article, title=f"Other {EVIL}", blocks=(*article.blocks, Block(f"new {EVIL}", "p", True, Reason("model")))
    )
    fields = [("Content-Type", f"text/html{chr(0x9B)}31m"), ("X-Evil", "\x1b[31m")]
    pages = [
        Fetched(URL, now, answer("one", "200 \x1b[31m", fields), article),
        Fetched(URL, now.replace(hour=7), answer("two", "200 OK", fields), later),
        Fetched(f"{ENEMY}/twin", now.replace(hour=8), answer("three"), replace(article, url=f"{ENEMY}/twin")),
    ]
    with Archive(LocalStore(str(folder)), folder) as archive:
        archive.deliver(write(folder / "made", 0, pages))
        archive.store.put("crawls/2026/03/01/bad.json", b"[" * 9_000)
        frontier = frontier_of(archive)
        frontier.announce("enemy", [Announcement(URL, "article", f"{ENEMY}/feed")], datetime.now(UTC))
        frontier.visited([Visit("enemy", URL, "article", datetime.now(UTC), "refused", None, reason=EVIL)])
        frontier.put_site(SiteState("enemy", datetime.now(UTC), blocked_reason=EVIL))
        run = SiteRun("enemy", "a" * 12, datetime.now(UTC), None, "failed", RunCounts(), {f"h{EVIL}": EVIL}, (EVIL,))
        frontier.start_run(run)
    for path in (folder / "text").rglob("*.gz"):
        # Read by the commands before, found by verify.
        assert path.stat().st_size
    (tmp_path / "newskeep.toml").write_text(f'[sites.enemy]\nstart = "{ENEMY}/"\n')
    return folder


COMMANDS = [
    ("captures", URL),
    ("captures", "enemy.example"),
    ("search", "word1"),
    ("explain", URL),
    ("changes", URL),
    ("duplicates", URL),
    ("doubts",),
    ("doubts", EVIL),
    ("doubts", "--below", EVIL),
    ("get", URL, "--as", "markdown"),
    ("get", URL, "--as", "text"),
    ("health", "enemy"),
    ("health",),
    ("schedule", "list"),
    ("sites",),
    ("sites", "memory", "enemy.example"),
    ("correct", URL, "--remove", "1", "--note", EVIL, "--by", EVIL),
    ("correct", URL, "--keep", EVIL),
    ("corrections",),
    ("explain", URL, "--removed"),
    ("correct", URL, "--undo", "all"),
    ("verify", "--deep"),
    ("reindex", "--fresh"),
    ("reextract", "--diff"),
    ("copy", "archive", "copied"),
    ("compact", "--min-age", "0"),
    ("export", "--format", "cdxj", "exported"),
    ("get", f"http://a.example/{EVIL}"),
    ("get", EVIL),
    ("captures", EVIL, "--since", EVIL),
    (EVIL,),
]


@pytest.mark.usefixtures("hostile")
def test_no_command_prints_what_a_terminal_obeys(newskeep: Run) -> None:
    for command in COMMANDS:
        done = newskeep(*(word.replace("\x00", "") for word in command))
        for name, data in (("stdout", done.stdout), ("stderr", done.stderr)):
            text = data.decode()
            found = OBEYED.search(text)
            assert found is None, (command, name, text[max(0, found.start() - 60) : found.end() + 60])
            assert "\nnewskeep: forged" not in text, command
        assert b"Traceback" not in done.stderr, command
    seen = (("search", "word1"), ("doubts",), ("explain", URL, "--at", "2026-03-01T06"), ("get", URL, "--as", "text"))
    for command in seen:
        assert GOOD in newskeep(*command).stdout.decode(), command


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("coding", ["iso-8859-1", "ascii"])
def test_a_locale_that_has_no_sign_for_what_titles_hold(
    tmp_path: Path, environment: Mapping[str, str], coding: str, warm_start: WarmStart
) -> None:
    # What PYTHONIOENCODING makes of it as a process begins.
    as_there = f"import sys; sys.stdout.reconfigure(encoding='{coding}', errors='strict')\n"

    def told(*command: str) -> str:
        code = f"{as_there}from newskeep.cli import main; main()"
        done = warm_start.python(code, *command, cwd=tmp_path, environment=environment)
        assert (done.returncode, done.stderr) == (0, b"")
        # Where there is ASCII alone, click writes UTF-8.
        return done.stdout.decode("utf-8" if coding == "ascii" else coding)

    assert "\\u06cc" in told("search", "word1")
    title = json.loads(told("search", "word1", "--json").strip("\n").split("\n")[-1])["title"]
    assert EVIL in title.replace("\ufffd", "\0")


def test_files_and_json_keep_the_bytes(newskeep: Run, hostile: Path, tmp_path: Path) -> None:
    told = json.loads(newskeep("search", "word1", "--json").stdout.splitlines()[-1])
    # The one character that PostgreSQL does not keep.
    assert EVIL in told["title"].replace("\ufffd", "\0")
    newskeep("get", URL, "--at", "2026-03-01T06", "--as", "text", "-o", "text")
    assert EVIL in (tmp_path / "text").read_text()
    assert b"\x1b[31m" in newskeep("get", URL, "--at", "2026-03-01T06", "--as", "http").stdout
    assert hostile.is_dir()


def test_what_comes_from_a_server(newskeep: Run) -> None:
    """save and crawl: titles, reason phrases, redirects, robots.txt."""
    title = "Title \x1b[31m&#x202e;&#x9b;\u2066 x"
    page = f"<html><title>{title}</title><article><h1>{title}</h1>" + "<p>Words of the town and its news.</p>" * 9
    with Origin() as origin:
        origin.on("/robots.txt", b"HTTP/1.1 404 \x1b[31mNo\r\nContent-Length: 0\r\n\r\n")
        origin.on("/a", response(page.encode(), "200 OK", [("Content-Type", "text/html; charset=utf-8")]))
        origin.on("/b", b"HTTP/1.1 500 \x1b[31mBoom\xc2\x9b\r\nContent-Length: 0\r\n\r\n")
        origin.on("/c", b"HTTP/1.1 302 Found\r\nLocation: foo\x1b[31m://x\r\nContent-Length: 0\r\n\r\n")
        origin.on("/d", b"\x1b[31mHTTP\r\n\r\n")
        urls = [origin.url(f"/{name}") for name in "abcd"]
        for command in (("save", *urls), ("save", "-v", *urls), ("crawl", urls[0]), ("sites", "check", urls[0])):
            done = newskeep(*command, "--allow-private")
            for data in (done.stdout, done.stderr):
                text = data.decode()
                found = OBEYED.search(text)
                assert found is None, (command, text[max(0, found.start() - 60) : found.end() + 60])

"""Lists that go on: what is held is not asked for again, what failed is; as a person types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from command import Run
from origin import Close, Origin, response
from warm_start import WarmStart

from crawler.session.past_reports import LAST, failed_urls
from crawler.session.report import write_report
from storage import open_archive

pytestmark = pytest.mark.long

PAGE = b"<html><title>A bridge</title><article>" + b"<p>The town has waited for it since spring.</p>" * 9
HTML = [("Content-Type", "text/html; charset=utf-8")]
SAVE = ("save", "--json", "--allow-private", "--ignore-robots")


class Town(Origin):
    """Has a page at every address without a script, and knows what it was asked for since the last time."""

    def __init__(self) -> None:
        super().__init__()
        self._told = 0
        self._late: str | None = None
        self._go = threading.Event()
        self.on_any(self._page)

    def __exit__(self, *error: object) -> None:
        self.go()
        super().__exit__(*error)

    def _page(self, path: str) -> bytes:
        if path == self._late:
            self._go.wait(240)
        return response(PAGE + path.encode(), headers=HTML)

    def hold(self, path: str) -> None:
        """Let this answer wait until `go`."""
        self._late = path

    def go(self) -> None:
        self._go.set()

    def asked(self) -> list[str]:
        paths = [logged.path for logged in self.log]
        new, self._told = paths[self._told :], len(paths)
        return sorted(new)


@pytest.fixture
def origin() -> Iterator[Town]:
    with Town() as origin:
        yield origin


def outcomes(done: subprocess.CompletedProcess[bytes]) -> dict[str, dict[str, Any]]:
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return {line["url"]: line for line in map(json.loads, done.stdout.splitlines())}


def cut_off(
    origin: Town, tmp_path: Path, environment: Mapping[str, str], warm_start: WarmStart, number: int
) -> tuple[int, bytes, set[str]]:
    """Save the list, and stop it while the third page waits; return exit code, standard error, and what was told."""
    process = warm_start.start((*SAVE, "-i", "list.txt"), tmp_path, environment)
    assert process.stdout is not None
    told = {json.loads(process.stdout.readline())["url"] for _ in range(2)}
    process.send_signal(number)
    origin.go()
    out, err = process.communicate()
    return process.returncode, err, told | {json.loads(line)["url"] for line in out.splitlines()}


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.exhaustive), signal.SIGKILL])
def test_a_list_that_was_cut_off_goes_on(
    origin: Town,
    newskeep: Run,
    tmp_path: Path,
    environment: Mapping[str, str],
    warm_start: WarmStart,
    number: int,
) -> None:
    origin.hold("/2")
    urls = [origin.url(f"/{each}") for each in range(6)]
    (tmp_path / "list.txt").write_text("\n".join(urls))
    code, err, told = cut_off(origin, tmp_path, environment, warm_start, number)
    assert 2 <= len(told) < 6
    if number == signal.SIGINT:
        assert code == 4
        assert err.decode().endswith("what was told is kept; the same command goes on from here\n")
    origin.asked()

    again = newskeep(*SAVE, "-i", "list.txt")
    assert again.returncode == 0
    assert b"going on with this list, begun 20" in again.stderr
    found = outcomes(again)
    held = {url for url, line in found.items() if line["outcome"] == "held"}
    # What was on its way when it was killed may be held too, though nobody was told.
    assert told <= held
    assert {url for url, line in found.items() if line["outcome"] == "archived"} == {*urls} - held
    assert origin.asked() == sorted(f"/{url.rpartition('/')[2]}" for url in {*urls} - held)
    line = found[urls[0]]
    assert (line["title"], line["status"]) == ("A bridge", 200)
    assert line["reason"].startswith("archived at 20")

    # It has come to its end: a new run asks for all of it.
    anew = outcomes(newskeep(*SAVE, "-i", "list.txt"))
    assert {line["outcome"] for line in anew.values()} <= {"archived", "unchanged"}
    assert len(origin.asked()) == 6


def test_what_is_asked_for_again_on_request(
    origin: Town, newskeep: Run, tmp_path: Path, environment: Mapping[str, str], warm_start: WarmStart
) -> None:
    origin.hold("/2")
    (tmp_path / "list.txt").write_text("\n".join(origin.url(f"/{each}") for each in range(6)))
    cut_off(origin, tmp_path, environment, warm_start, signal.SIGINT)
    origin.asked()
    # Another list is another list.
    (tmp_path / "other.txt").write_text(origin.url("/0"))
    assert {line["outcome"] for line in outcomes(newskeep(*SAVE, "-i", "other.txt")).values()} == {"unchanged"}
    # A day later it is a new one, and how to go on is told.
    (mark,) = (tmp_path / "archive" / "lists").iterdir()
    then = time.time() - 86_400
    os.utime(mark, (then, then))
    late = newskeep(*SAVE, "-i", "list.txt")
    assert b"this list was cut off before; --newer-than 20" in late.stderr
    assert "held" not in {line["outcome"] for line in outcomes(late).values()}
    assert list((tmp_path / "archive" / "lists").iterdir()) == []
    origin.asked()
    assert {line["outcome"] for line in outcomes(newskeep(*SAVE, "-i", "list.txt", "--newer-than", "1h")).values()} == {
        "held"
    }
    assert origin.asked() == []
    newskeep(*SAVE, "-i", "list.txt", "--newer-than", "0s")
    assert len(origin.asked()) == 6


def test_what_counts_as_held(origin: Town, newskeep: Run) -> None:
    origin.reply("/missing", b"gone", status="404 Not Found")
    origin.on("/half", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 999\r\n\r\n<p>half", Close())
    origin.reply("/picture", b"\x89PNG", headers=[("Content-Type", "image/png")])
    origin.reply("/moved", status="302 Found", headers=[("Location", "/0")])
    origin.reply("/lost", status="302 Found", headers=[("Location", "/missing")])
    origin.reply("/wall", status="302 Found", headers=[("Location", "/consent/collect?back=1")])
    paths = ["/0", "/missing", "/half", "/picture", "/moved", "/lost", "/wall"]
    urls = [origin.url(path) for path in paths]
    first = outcomes(newskeep(*SAVE, *urls))
    assert "a cookie wall" in first[origin.url("/wall")]["reason"]
    origin.asked()
    done = newskeep(*SAVE, "--newer-than", "1d", *urls)
    held = {path for path in paths if outcomes(done)[origin.url(path)]["outcome"] == "held"}
    assert held == {"/0", "/picture", "/moved"}
    assert outcomes(done)[origin.url("/moved")]["final_url"] == origin.url("/0")
    # A second time, as a revisit, it is held as well; and all held is all well.
    newskeep(*SAVE, origin.url("/0"))
    origin.asked()
    done = newskeep(*SAVE, "--newer-than", "1d", origin.url("/0"), origin.url("/0#part"))
    assert (done.returncode, origin.asked()) == (0, [])
    (told,) = outcomes(done).values()
    assert told["outcome"] == "held"
    table = newskeep("save", "--newer-than", "1d", "--allow-private", origin.url("/0"))
    assert table.stdout.startswith(b"held ")
    assert b"1 held; in " in table.stderr
    future = newskeep(*SAVE, "--newer-than", "2999", origin.url("/0"))
    assert next(iter(outcomes(future).values()))["outcome"] == "unchanged"


def test_what_failed_is_asked_for_again(origin: Town, newskeep: Run) -> None:
    origin.reply("/bad", b"later", status="410 Gone")
    origin.reply("/bad", PAGE, headers=HTML)
    origin.reply("/gone", b"gone", status="404 Not Found")
    first = newskeep(*SAVE, origin.url("/0"), origin.url("/bad"), origin.url("/gone"), "ftp://a.example/")
    crawl = first.stderr.decode().rpartition("(crawl ")[2].partition(")")[0]
    origin.asked()
    done = newskeep(*SAVE, "--retry-failed", "last")
    assert f"crawl {crawl}: 2 URLs of it failed" in done.stderr.decode()
    assert {line["outcome"] for line in outcomes(done).values()} == {"archived", "failed"}
    assert origin.asked() == ["/bad", "/gone"]
    # The last one is this one by now.
    assert list(outcomes(newskeep(*SAVE, "--retry-failed", "last"))) == [origin.url("/gone")]
    assert len(outcomes(newskeep(*SAVE, "--retry-failed", crawl))) == 2
    newskeep(*SAVE, origin.url("/0"))
    nothing = newskeep(*SAVE, "--retry-failed", "last")
    assert (nothing.returncode, nothing.stdout) == (0, b"")
    assert b"nothing of it failed" in nothing.stderr
    unknown = newskeep("save", "--retry-failed", "0123456789ab")
    assert unknown.returncode == 6
    assert b"no crawl '0123456789ab' is known to" in unknown.stderr


def test_the_last_of_crawls_that_end_in_one_second(tmp_path: Path) -> None:
    with open_archive(tmp_path / "archive") as archive:
        for number in range(9):
            folder = archive.spool.start()
            url = f"https://a.example/{number}"
            folder.outcomes.write_text(json.dumps({"url": url, "outcome": "failed"}) + "\n")
            write_report(folder, None, "finished", "newskeep")
            archive.deliver_report(folder)
            folder.release()
            assert failed_urls(archive, LAST) == (folder.crawl, [url])


def test_what_failed_in_a_crawl_that_was_killed(
    origin: Town, newskeep: Run, tmp_path: Path, environment: Mapping[str, str], warm_start: WarmStart
) -> None:
    origin.reply("/0", b"later", status="404 Not Found")
    origin.reply("/0", PAGE, headers=HTML)
    origin.hold("/2")
    (tmp_path / "list.txt").write_text("\n".join(origin.url(f"/{each}") for each in (1, 0, 3, 2)))
    with warm_start.start((*SAVE, "-i", "list.txt"), tmp_path, environment, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        watchdog = threading.Timer(400, process.kill)
        watchdog.start()
        told: dict[str, str] = {}
        while "failed" not in told.values():
            line = json.loads(process.stdout.readline())
            told[line["url"]] = line["outcome"]
        process.kill()
        watchdog.cancel()
    origin.go()
    origin.asked()
    done = newskeep(*SAVE, "--retry-failed", "last")
    assert {url: line["outcome"] for url, line in outcomes(done).items()} == {origin.url("/0"): "archived"}


def test_lists_in_the_forms_that_programs_export(origin: Town, newskeep: Run, tmp_path: Path) -> None:
    urls = [origin.url("/0"), origin.url("/1")]
    lists = {
        "list.csv": "title,url\n" + "".join(f'"One, two",{url}\n' for url in urls),
        "list.jsonl": "".join(json.dumps({"url": url}) + "\n" for url in urls),
        "marks.html": "<!DOCTYPE NETSCAPE-Bookmark-file-1>" + "".join(f'<DT><A HREF="{url}">x</A>' for url in urls),
    }
    for name, content in lists.items():
        (tmp_path / name).write_text(content)
        assert sorted(outcomes(newskeep(*SAVE, "-i", name))) == urls, name
        assert sorted(outcomes(newskeep(*SAVE, "-i", "-", stdin=content.encode()))) == urls, name
    mail = f"See {urls[0]}, or ({urls[1]}).\n"
    (tmp_path / "mail.txt").write_text(mail)
    assert sorted(outcomes(newskeep(*SAVE, "-i", "mail.txt", "--extract-urls"))) == urls
    assert sorted(outcomes(newskeep(*SAVE, "-i", "-", "--extract-urls", stdin=mail.encode()))) == urls
    # What save itself says is a list.
    said = newskeep(*SAVE, *urls).stdout
    assert sorted(outcomes(newskeep(*SAVE, "-i", "-", stdin=said))) == urls


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--extract-urls", "https://a.example/"), "--extract-urls goes with -i FILE"),
        (("--retry-failed", "last", "-i", "list.csv"), "--retry-failed has its URLs from the crawl"),
        (("-i", "list.csv"), "the list has no column with addresses; name one url, link or address"),
        (("https://a.example/", "list.csv"), "list.csv is a file; a list of URLs is given by -i"),
        (("--newer-than", "soon", "https://a.example/"), "soon"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_line(
    newskeep: Run, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "list.csv").write_text("title,author\nOne,Two\n")
    done = newskeep("save", *arguments)
    assert done.returncode == 2, done.stderr.decode()
    assert said in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_a_list_from_a_pipe_says_how_it_goes_on(
    origin: Town, tmp_path: Path, environment: Mapping[str, str], warm_start: WarmStart
) -> None:
    origin.hold("/2")
    process = warm_start.start((*SAVE, "-i", "-"), tmp_path, environment, stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n".join(origin.url(f"/{each}") for each in range(6)).encode())
    process.stdin.close()
    process.stdin = None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    origin.go()
    _, err = process.communicate()
    assert b"the same command goes on from here with --newer-than 20" in err

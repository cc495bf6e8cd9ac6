"""A browser that is kept for its host's next page: pages know nothing of each other, and no process stays."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from browsing import rendered
from live_processes import is_alive
from origin import Hang, Origin
from waiting import until
from warm_start import shared

from crawler.browser.job import BrowserBounds, Rendered, RenderJob
from crawler.browser.pool import Browsers
from crawler.browser.processes import descendants

CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.long, pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")]

HTML = [("Content-Type", "text/html; charset=utf-8")]
#: Says what it finds of an earlier page, and leaves all that a page can.
TRACES = b"""<!doctype html><title>0</title><script src="/cached.js"></script><script>
(async () => {
  const found = [document.cookie, localStorage.a, sessionStorage.a, (await caches.keys()).length,
                 (await indexedDB.databases()).length, window.name];
  document.body.append("found:" + JSON.stringify(found));
  document.cookie = "a=1;max-age=1000"; localStorage.a = sessionStorage.a = window.name = 1;
  await caches.open("a"); indexedDB.open("a");
})();
</script><body>"""


def job(url: str, **given: object) -> RenderJob:
    return RenderJob(url, str(CHROMIUM), "newskeep/test", **{"allow_private": True, **given})  # type: ignore[arg-type]


def mains() -> set[int]:
    """The browsers' own first processes below us."""
    return {
        pid for pid in descendants(os.getpid()) if b"--log-net-log=" in cmdline(pid) and b"--type=" not in cmdline(pid)
    }


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def paths(shown: Rendered) -> list[str]:
    return sorted(exchange.url.rpartition("/")[2] for exchange in shown.exchanges if "favicon" not in exchange.url)


def test_pages_of_one_browser_know_nothing_of_each_other() -> None:
    seen = set[int]()
    with Origin() as origin:
        origin.reply("/a", TRACES, headers=[("Content-Type", "text/html"), ("Set-Cookie", "b=2")])
        origin.reply("/cached.js", b"1", headers=[("Content-Type", "text/javascript"), ("Cache-Control", "max-age=99")])
        pages = rendered(*[job(origin.url("/a"))] * 2, after=lambda: seen.update(mains()))
        assert all(b"Cookie" not in logged.request for logged in origin.logged("/a"))
    for page in pages:
        assert page.error is None
        assert b'found:["b=2",null,null,0,0,""]' in page.resources[0].data
        assert set(paths(page)) == {"a", "cached.js"}
    assert len(seen) == 1
    assert not mains()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("bounds", "kept"),
    [
        pytest.param(BrowserBounds(pages=2), [1, 0, 1, 0], id="pages"),
        pytest.param(BrowserBounds(age=0), [0, 0], id="age"),
        pytest.param(BrowserBounds(memory=1), [0, 0], id="memory"),
    ],
)
def test_a_browser_is_ended_after_its_time(bounds: BrowserBounds, kept: list[int]) -> None:
    found = list[int]()
    with Origin() as origin:
        origin.reply("/a", b"<!doctype html><p>Hello", headers=HTML)
        pages = rendered(*[job(origin.url("/a"))] * len(kept), bounds=bounds, after=lambda: found.append(len(mains())))
        assert [page.error for page in pages] == [None] * len(kept)
    assert found == kept


@pytest.mark.exhaustive
def test_a_browser_that_nobody_wants_for_a_while_ends_and_is_replaced() -> None:
    with Origin() as origin:
        origin.reply("/a", b"<!doctype html><p>Hello", headers=HTML)
        pages = rendered(*[job(origin.url("/a"))] * 2, bounds=BrowserBounds(idle=0), after=wait_for_none)
    assert [page.error for page in pages] == [None, None]


def wait_for_none() -> None:
    while mains():
        time.sleep(0.1)


def kill_all() -> None:
    pids = mains()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait_for_none()


def test_one_that_is_killed_while_it_waits_is_replaced() -> None:
    with Origin() as origin:
        origin.reply("/a", b"<!doctype html><p>Hello", headers=HTML)
        found = rendered(*[job(origin.url("/a"))] * 2, after=kill_all)
        assert [page.error for page in found] == [None, None]
    assert not mains()


def test_a_renderer_that_is_killed_costs_its_page_alone() -> None:
    with Origin() as origin, ThreadPoolExecutor(1) as thread:
        origin.reply("/a", b"<!doctype html><p>Hello", headers=HTML)
        origin.reply("/b", b"<!doctype html><script src=/never></script>", headers=HTML)
        origin.on("/never", b"HTTP/1.1 200 OK\r\n", Hang())
        work = thread.submit(rendered, *(job(origin.url(path)) for path in ("/b", "/a")))
        until(lambda: bool(origin.logged("/never")) or work.done())
        for pid in descendants(os.getpid()):
            if b"--type=renderer" in cmdline(pid):
                os.kill(pid, signal.SIGKILL)
        errors = [page.error for page in work.result()]
    assert errors == ["the page crashed the browser", None]
    assert not mains()


@pytest.mark.parametrize(
    "signals",
    [
        pytest.param([signal.SIGTERM], id="SIGTERM", marks=pytest.mark.exhaustive),
        pytest.param([signal.SIGINT], id="Ctrl-C", marks=pytest.mark.exhaustive),
        pytest.param([signal.SIGINT, signal.SIGINT], id="Ctrl-C twice"),
    ],
)
def test_a_crawl_that_is_stopped_leaves_no_browser_that_waits(tmp_path: Path, signals: list[signal.Signals]) -> None:
    with Origin() as origin, ExitStack() as until_stopped:
        slow = until_stopped.enter_context(Origin())
        origin.reply("/a", b"<!doctype html><p>Hello", headers=HTML)
        slow.on("/b", b"HTTP/1.1 200 OK\r\n", Hang())
        asked = ("--render", "always", "--timeout", "600", "--allow-private", "--archive", str(tmp_path / "archive"))
        crawl = shared().start(("save", origin.url("/a"), slow.url("/b"), *asked), tmp_path, os.environ)
        assert crawl.stdout is not None and crawl.stderr is not None
        try:
            # The outcome of the page: its browser has ended it, and waits.
            assert b"/a" in crawl.stdout.readline()
            until(lambda: bool(slow.logged("/b")) or crawl.poll() is not None)
            below = descendants(crawl.pid)
            assert any(b"--log-net-log=" in cmdline(pid) for pid in below)
            crawl.send_signal(signals[0])
            for again in signals[1:]:
                # It has heard the first one.
                assert any(b"stopping" in line for line in iter(crawl.stderr.readline, b""))
                crawl.send_signal(again)
            # What is under way may end.
            until_stopped.close()
            crawl.communicate(timeout=300)
        finally:
            crawl.kill()
            crawl.wait()
        until(lambda: not [pid for pid in below if is_alive(pid)])


@pytest.mark.exhaustive
def test_no_more_browsers_than_there_may_be() -> None:
    async def three_hosts(url: str) -> list[set[int]]:
        browsers, found = Browsers(2), []
        try:
            for host in ("a", "b", "a", "c", "a", "b"):
                assert (await browsers.show(job(url), host)).error is None
                found.append(mains())
        finally:
            await asyncio.to_thread(browsers.close)
        return found

    with Origin() as origin:
        origin.reply("/a", b"<!doctype html><p>Hello", headers=HTML)
        found = asyncio.run(three_hosts(origin.url("/a")))
    assert [len(each) for each in found] == [1, 2, 2, 2, 2, 2]
    # c takes the place of b, which has waited longer; b that of c.
    assert found[1] == found[2] and found[3] == found[4]
    assert found[0] < found[5]
    assert not mains()

"""A net log that is read while it is written: cut where a page ends."""

from __future__ import annotations

from pathlib import Path

import net_logs
import pytest
from net_logs import LOCAL, PEER, Event, event, received, sent, way

from crawler.browser.log_pipe import LogPipe
from crawler.browser.net_log import UnknownNetLog

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def page(path: bytes, source: int) -> list[Event]:
    request = b"GET " + path + b" HTTP/1.1\r\nHost: news.example\r\n\r\n"
    used = event("SOCKET_IN_USE", "PHASE_BEGIN", source)
    return [*way(source), used, sent(request, source=source), received(ANSWER, source=source)]


def mark(url: str) -> Event:
    return event("URL_REQUEST_START_JOB", "PHASE_BEGIN", 9, url=url)


def test_pages_are_kept_apart_by_marks(tmp_path: Path) -> None:
    log = LogPipe(tmp_path / "log", 1 << 20)
    found = []
    with (tmp_path / "log").open("wb", buffering=0) as browser:
        browser.writelines(net_logs.lines([])[:2])
        # The second socket has the port of the first one; a mark that was left twice counts once.
        for source, path in enumerate((b"/a", b"/b"), 1):
            left = mark(log.mark)
            browser.writelines(net_logs.lines([*page(path, source), left, left])[2:-1])
            found += [each.url for each in log.page(60).exchanges({LOCAL: PEER}, "disconnect")]
        browser.writelines(net_logs.lines(page(b"/c", 3))[2:])
    log.end()
    found += [each.url for each in log.page(60).exchanges({LOCAL: PEER}, "disconnect")]
    assert found == [f"http://news.example/{name}" for name in "abc"]


def test_a_log_that_is_not_understood_is_told_and_read_on(tmp_path: Path) -> None:
    log = LogPipe(tmp_path / "log", 1 << 20)
    with (tmp_path / "log").open("wb", buffering=0) as browser:
        browser.writelines(net_logs.lines([], logFormatVersion=2))
        browser.write(b" " * (1 << 20))
    log.end()
    with pytest.raises(UnknownNetLog, match="writes a net log of version 2"):
        log.page(60)


def test_a_page_that_is_not_ended_is_not_waited_for_without_end(tmp_path: Path) -> None:
    log = LogPipe(tmp_path / "log", 1 << 20)
    with pytest.raises(TimeoutError):
        log.page(0.01)
    log.end()

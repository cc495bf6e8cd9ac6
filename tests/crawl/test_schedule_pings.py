"""Pings arrive where a watcher waits for them, in bounded time, and never hurt."""

from __future__ import annotations

import logging

import pytest
from origin import Hang, Origin

from newskeep.schedule import pings
from newskeep.schedule.pings import address, ping
from storage.errors import ConfigError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


def test_addresses() -> None:
    assert address("https://hc.example/uuid", "success") == "https://hc.example/uuid"
    assert address("https://hc.example/uuid/", "start") == "https://hc.example/uuid/start"
    assert address("https://hc.example/key/slug?create=1", "fail") == "https://hc.example/key/slug/fail?create=1"


def test_signals_arrive_with_their_report() -> None:
    with Origin() as origin:
        for path in ("/uuid/start", "/uuid", "/uuid/fail"):
            origin.on(path, OK)
        assert ping(origin.url("/uuid"), "start")
        assert ping(origin.url("/uuid"), "fail", "3 sites: 1 failed\nGazette: name not found \ud800")
        assert ping(origin.url("/uuid"), "success")
        assert [logged.path for logged in origin.log] == ["/uuid/start", "/uuid/fail", "/uuid"]
        assert origin.log[1].request.endswith(b"\r\n\r\n3 sites: 1 failed\nGazette: name not found ?")


def test_a_watcher_that_is_away_is_only_a_word_with_verbose(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pings, "PING_SECONDS", 0.5)
    with Origin() as origin, caplog.at_level(logging.INFO, "newskeep"):
        origin.on("/secret/hang", Hang())
        origin.on("/secret/gone", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        url = origin.url("")
        for base in (f"{url}/secret/hang", f"{url}/secret/gone", "http://127.0.0.1:9/secret"):
            assert not ping(base, "success")
    assert not ping(None, "start")
    assert "did not arrive" in caplog.text
    assert "secret" not in caplog.text
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


@pytest.mark.parametrize("wrong", ["hc.example/uuid", "ftp://hc.example/", "http://[", "https://"])
def test_what_is_no_address_is_said_at_once(wrong: str) -> None:
    with pytest.raises(ConfigError, match="ping must be"):
        pings.check(wrong)

"""Whom a browser believes, and through which proxies it goes: as the configuration says, like any other request."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from browsing import rendered
from certificates import Authority
from forward_proxy import ForwardProxy
from origin import Origin
from socks_proxy import SocksProxy

from crawler.browser.job import Rendered, RenderJob

CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.long, pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")]

HTML = [("Content-Type", "text/html; charset=utf-8")]
PAGE = b"<!doctype html><title>0</title><p>Hello<script src=/s.js></script>"
SCRIPT = b"document.title = 'from it'"


def job(url: str, **given: object) -> RenderJob:
    return RenderJob(url, str(CHROMIUM), "newskeep/test", **given)  # type: ignore[arg-type]


def show(url: str, **given: object) -> Rendered:
    [shown] = rendered(job(url, **given))
    return shown


def filled(origin: Origin) -> Origin:
    origin.reply("/", PAGE, headers=HTML)
    origin.reply("/s.js", SCRIPT, headers=[("Content-Type", "text/javascript")])
    return origin


def test_an_authority_of_ones_own_is_believed_for_its_hosts_alone(tmp_path: Path) -> None:
    ours, other = Authority(), Authority("Another Root")
    roots = str(ours.written(tmp_path))
    with (
        Origin(tls=ours.server("localhost")) as good,
        Origin(tls=other.server("localhost")) as foreign,
        Origin(tls=ours.server("news.example")) as misnamed,
    ):
        urls = [filled(each).url("/").replace("127.0.0.1", "localhost") for each in (good, foreign, misnamed)]
        shown, *refused = rendered(*[job(url, allow_private=True, ca_file=roots) for url in urls])
        assert not foreign.log and not misnamed.log
    assert shown.error is None
    assert b"<title>from it</title>" in shown.resources[0].data
    assert shown.exchanges[0].insecure is None and shown.exchanges[0].certificates
    assert [str(each.error).rpartition(" ")[2] for each in refused] == [
        "net::ERR_CERT_AUTHORITY_INVALID",
        "net::ERR_CERT_COMMON_NAME_INVALID",
    ]
    assert [(each.exchanges, each.resources) for each in refused] == [((), ())] * 2


@pytest.mark.parametrize("kind", ["http", pytest.param("socks5", marks=pytest.mark.exhaustive), "socks5h"])
def test_everything_goes_through_the_proxy(kind: str) -> None:
    with filled(Origin()) as origin:
        # Nothing is at that address: only the proxy leads anywhere.
        proxy = ForwardProxy(0, origin.port) if kind == "http" else SocksProxy(origin.port)
        with proxy:
            shown = show("http://198.51.100.7/", proxy=proxy.url.replace("socks5", kind), allow_private=True)
        assert {logged.path for logged in origin.log} >= {"/", "/s.js"}
    assert shown.error is None
    assert b"<title>from it</title>" in shown.resources[0].data
    assert shown.exchanges[0].request.startswith(b"GET / HTTP/1.1\r\nHost: 198.51.100.7\r\n")
    assert {exchange.peer for exchange in shown.exchanges} == {None}
    assert {asked.removeprefix("CONNECT ") for asked in proxy.asked} == {"198.51.100.7:80"}


@pytest.mark.exhaustive
def test_the_proxy_of_the_environment_and_what_fails_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with filled(Origin()) as origin, SocksProxy(origin.port, user="u", password="p%a") as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//u:p%25a@"))
        assert show("http://198.51.100.7/", allow_private=True).error is None
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        asked = len(proxy.asked)
        assert show(origin.url("/"), allow_private=True).error is None
        assert len(proxy.asked) == asked
    with SocksProxy(0, refusal=2) as proxy:
        shown = show("http://198.51.100.7/", proxy=proxy.url, allow_private=True)
        assert shown.error is not None and "198.51.100.7 (the proxy made no connection: " in shown.error


@pytest.mark.exhaustive
def test_addresses_are_judged_before_a_proxy_is_asked() -> None:
    with filled(Origin()) as origin, ForwardProxy(0, origin.port) as proxy:
        shown = show("http://localhost/", proxy=proxy.url)
        assert shown.error is not None and "not a public address" in shown.error
        assert show("http://nowhere.invalid/", proxy=proxy.url).error is not None
        assert proxy.asked == [] and origin.log == []
        assert show("http://nowhere.invalid/", proxy=proxy.url, trust_proxy=True).error is None

"""Behind a proxy: hosts are judged before it is asked, unless it is trusted.

The proxy leads to loopback, whatever is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from command import Run
from forward_proxy import ForwardProxy
from origin import Origin
from ports import held_port

from storage.warc import CERTIFICATE, INSECURE, Record, read_records

pytestmark = pytest.mark.long
PAGE = b"<!doctype html><title>A bridge opens</title><article><p>" + b"The town has waited for its bridge. " * 40
HTML = [("Content-Type", "text/html")]
#: Addresses that are public; nothing ever goes there.
PUBLIC, OTHER = "http://93.184.215.14", "93.184.215.15"
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that every command trusts, and no proxy from outside."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    trusted = Authority()
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.written(tmp_path)))
    return trusted


@pytest.fixture
def plain() -> Iterator[Origin]:
    with Origin() as origin:
        origin.on_any(lambda _: answer())
        yield origin


def answer() -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE


@pytest.fixture
def proxy(plain: Origin, authority: Authority) -> Iterator[ForwardProxy]:
    with (
        Origin(tls=authority.server(OTHER, "192.0.0.192", "localhost")) as secure,
        ForwardProxy(plain.port, secure.port) as running,
    ):
        secure.on_any(lambda _: answer())
        yield running


def save(newskeep: Run, *arguments: str, code: int = 0) -> list[tuple[str, str | None]]:
    done = newskeep("save", "--json", "--ignore-robots", *arguments)
    assert done.returncode == code, done.stderr.decode()
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    return [(line["outcome"], line["reason"]) for line in lines]


def refusal(address: str) -> str:
    return f"not a public address: {address}; --allow-private allows it"


#: URLs, and the addresses in them or behind their names.
NOT_PUBLIC = {
    "http://127.0.0.1:9/a": "127.0.0.1",
    "http://127.1/a": "127.0.0.1",
    "http://10.0.0.1/a": "10.0.0.1",
    "http://169.254.169.254/latest/meta-data/": "169.254.169.254",
    "https://192.0.0.192/a": "192.0.0.192",
    "http://[::1]/a": "::1",
    "http://[::ffff:10.0.0.1]/a": "::ffff:a00:1",
    "http://localhost/a": "127.0.0.1",
    "https://localhost/a": "127.0.0.1",
}


def test_what_is_not_public_is_not_asked_for(newskeep: Run, proxy: ForwardProxy, environment: dict[str, str]) -> None:
    environment["all_proxy"] = proxy.url
    for options in (("--proxy", proxy.url), ()):
        done = newskeep("save", "--json", "--ignore-robots", *NOT_PUBLIC, *options)
        assert done.returncode == 5, done.stderr.decode()
        told = {line["url"]: line for line in map(json.loads, done.stdout.splitlines())}
        assert told.keys() == NOT_PUBLIC.keys()
        for url, address in NOT_PUBLIC.items():
            assert told[url]["outcome"] == "refused", url
            assert told[url]["reason"] in {refusal(address), refusal("::1")}
    for url in NOT_PUBLIC:
        assert newskeep("sites", "check", url).returncode == 5
    assert proxy.asked == []
    assert save(newskeep, *NOT_PUBLIC, "--trust-proxy") == [("archived", None)] * len(NOT_PUBLIC)
    assert len(proxy.asked) == len(NOT_PUBLIC)


def test_what_is_public_is(newskeep: Run, proxy: ForwardProxy, plain: Origin) -> None:
    urls = [f"{PUBLIC}/a", f"https://{OTHER}/b"]
    assert save(newskeep, *urls, "--proxy", proxy.url) == [("archived", None)] * 2
    assert sorted(proxy.asked) == [f"CONNECT {OTHER}:443", f"GET {PUBLIC}/a"]
    assert [entry.path for entry in plain.log] == ["/a"]


def test_tls_through_a_tunnel_is_the_servers_own(newskeep: Run, proxy: ForwardProxy, tmp_path: Path) -> None:
    # Two requests to one host: the second goes over the tunnel that is there.
    good, bad = [f"https://{OTHER}/b", f"https://{OTHER}/c"], f"{PUBLIC}/d".replace("http:", "https:")
    assert sorted(save(newskeep, *good, bad, "--proxy", proxy.url, code=4), key=str) == [
        ("archived", None),
        ("archived", None),
        ("failed", "the TLS certificate is for localhost, 93.184.215.15, 192.0.0.192, not for 93.184.215.14"),
    ]
    assert sorted(proxy.asked) == [f"CONNECT {bad[8:-2]}:443", f"CONNECT {OTHER}:443"]
    ((outcome, reason),) = save(newskeep, bad, "--proxy", proxy.url, "--insecure")
    assert outcome == "archived" and (reason or "").startswith("not proven: the TLS certificate is for localhost, ")
    held = [record for path in (tmp_path / "archive" / "warc").rglob("*.gz") for record in read(path)]
    exchanges = [record for record in held if record.type in ("request", "response")]
    assert len(exchanges) == 6
    for record in exchanges:
        assert (record.field(CERTIFICATE) or "").startswith("sha256:")
        assert record.field("WARC-IP-Address") is None, "that would be the proxy's"
        assert (record.field(INSECURE) is None) == (record.url in good)
    assert len([record for record in held if record.type == "metadata"]) == 2, "once a file"


def read(path: Path) -> list[Record]:
    with path.open("rb") as file:
        return list(read_records(file))


def test_redirects_are_judged_too(newskeep: Run, proxy: ForwardProxy, plain: Origin) -> None:
    plain.reply("/in", status="302 Found", headers=[("Location", "http://169.254.169.254/latest/")])
    plain.reply("/on", status="302 Found", headers=[("Location", f"https://{OTHER}/b")])
    told = save(newskeep, f"{PUBLIC}/in", f"{PUBLIC}/on", "--proxy", proxy.url, code=4)
    assert sorted(told, key=str) == [("archived", None), ("refused", refusal("169.254.169.254"))]
    assert sorted(proxy.asked) == [f"CONNECT {OTHER}:443", f"GET {PUBLIC}/in", f"GET {PUBLIC}/on"]


def test_a_name_that_only_the_proxy_knows(newskeep: Run, proxy: ForwardProxy, tmp_path: Path) -> None:
    url = "http://news.invalid/a"
    reason = "name not found here, before the proxy is asked; --trust-proxy leaves names to the proxy"
    assert save(newskeep, url, "--proxy", proxy.url, code=5) == [("failed", reason)]
    told = newskeep("save", url, "--proxy", proxy.url)
    assert reason in told.stdout.decode(), "also where robots.txt is asked for first"
    assert proxy.asked == []
    (tmp_path / "newskeep.toml").write_text(f'proxy = "{proxy.url}"\ntrust_proxy = true\n')
    assert save(newskeep, url) == [("archived", None)]


def test_proxies_of_the_environment(newskeep: Run, proxy: ForwardProxy, environment: dict[str, str]) -> None:
    urls = [f"{PUBLIC}/a", f"https://{OTHER}/b"]
    # One without a scheme is spoken to over HTTP as any other.
    for variables in ({"HTTP_PROXY": proxy.url, "https_proxy": proxy.netloc}, {"ALL_PROXY": proxy.url}):
        for name in VARIABLES:
            environment.pop(name, None)
            environment.pop(name.upper(), None)
        environment.update(variables)
        proxy.asked.clear()
        assert {kind for kind, _ in save(newskeep, *urls)} <= {"archived", "unchanged"}
        assert sorted(proxy.asked) == [f"CONNECT {OTHER}:443", f"GET {PUBLIC}/a"]


def test_a_redirect_to_a_host_without_proxy(
    newskeep: Run, proxy: ForwardProxy, plain: Origin, environment: dict[str, str]
) -> None:
    with Origin() as inside:
        inside.reply("/page", PAGE, headers=HTML)
        plain.reply("/on", status="302 Found", headers=[("Location", inside.url("/page"))])
        environment.update(http_proxy=proxy.url, no_proxy="127.0.0.1")
        ((outcome, reason),) = save(newskeep, f"{PUBLIC}/on", code=5)
        assert (outcome, reason) == ("refused", refusal("127.0.0.1"))
        assert inside.connections == 0
        assert save(newskeep, f"{PUBLIC}/on", "--allow-private") == [("archived", None)]
        assert [entry.path for entry in inside.log] == ["/page"]
    assert proxy.asked == [f"GET {PUBLIC}/on"] * 2


def test_what_the_proxy_itself_fails_in(newskeep: Run, plain: Origin) -> None:
    with ForwardProxy(plain.port, refusal="407 Proxy Authentication Required") as proxy:
        told = save(newskeep, f"https://{OTHER}/b", "--proxy", proxy.url, code=5)
        assert told == [("failed", "the proxy made no connection: 407 Proxy Authentication Required")]
    with held_port() as port:
        told = save(newskeep, f"https://{OTHER}/b", f"{PUBLIC}/a", "--proxy", f"http://127.0.0.1:{port}", code=5)
    assert told == [("failed", "the proxy: connection refused")] * 2

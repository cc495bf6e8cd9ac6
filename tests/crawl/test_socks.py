"""Through a SOCKS proxy: exact as ever, judged as behind any proxy, its failures and passwords kept apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from command import Run
from leaks import leaks
from origin import Origin, response
from small_paper import Paper
from socks_proxy import SocksProxy
from warcs import by_url

pytestmark = [pytest.mark.long]
pytest.importorskip("python_socks")
#: Addresses that are public; nothing ever goes there.
PUBLIC, SECURE = "http://93.184.215.14/a", "https://93.184.215.15/b"
PASSWORD = "sesame-open-2026"


@pytest.fixture
def servers(tmp_path: Path, environment: dict[str, str]) -> Iterator[tuple[Origin, Origin]]:
    authority = Authority()
    environment["SSL_CERT_FILE"] = str(authority.written(tmp_path))
    with Origin() as plain, Origin(tls=authority.server("93.184.215.15")) as secure:
        for origin in (plain, secure):
            origin.on_any(lambda path: response(b"hello " + path.encode(), headers=[("Content-Type", "text/html")]))
        yield plain, secure


def save(newskeep: Run, *arguments: str, code: int = 0) -> list[tuple[str, str | None]]:
    done = newskeep("save", "--json", "--ignore-robots", *arguments)
    assert done.returncode == code, done.stderr.decode()
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    return [(line["outcome"], line["reason"] if code else None) for line in lines]


def test_bytes_are_exact_with_and_without_tls(newskeep: Run, servers: tuple[Origin, Origin], tmp_path: Path) -> None:
    plain, secure = servers
    with SocksProxy(plain.port, secure.port, user="anna", password=PASSWORD) as proxy:
        address = f"socks5://anna:{PASSWORD}@{proxy.netloc}"
        told = save(newskeep, PUBLIC, SECURE, f"{SECURE}2", "--proxy", address)
        assert {outcome for outcome, _ in told} == {"archived"}
        # Two requests to one host: the second goes over the connection that is there.
        assert sorted(proxy.asked) == ["93.184.215.14:80", "93.184.215.15:443"]
    for kind, of_log in (("request", "request"), ("response", "sent")):
        kept = by_url(tmp_path / "archive", kind)
        for url, logged in ((PUBLIC, plain.log[0]), (SECURE, secure.logged("/b")[0])):
            assert [record.block for record in kept[url]] == [getattr(logged, of_log)]
            assert kept[url][0]["WARC-IP-Address"] is None, "that would be the proxy's"
    assert leaks(tmp_path, PASSWORD) == []


def test_names_and_addresses_are_judged(newskeep: Run, servers: tuple[Origin, Origin]) -> None:
    with SocksProxy(servers[0].port) as proxy:
        for scheme in ("socks5", "socks5h"):
            address = proxy.url.replace("socks5", scheme)
            ((outcome, reason),) = save(newskeep, "http://10.0.0.1/a", "--proxy", address, code=5)
            assert (outcome, reason) == ("refused", "not a public address: 10.0.0.1; --allow-private allows it")
        assert proxy.asked == []
        far = proxy.url.replace("socks5", "socks5h")
        assert save(newskeep, "http://news.invalid/a", "--proxy", far, "--trust-proxy") == [("archived", None)]
        assert proxy.asked == ["news.invalid:80"]


def test_its_failures_are_its_own(newskeep: Run, servers: tuple[Origin, Origin]) -> None:
    with SocksProxy(servers[0].port, refusal=2) as proxy:
        ((outcome, reason),) = save(newskeep, PUBLIC, "--proxy", proxy.url, code=5)
        assert outcome == "failed" and (reason or "").startswith("the proxy made no connection: "), reason
    assert save(newskeep, PUBLIC, "--proxy", proxy.url, code=5) == [("failed", "the proxy: no connection")]
    with SocksProxy(servers[0].port, user="anna", password="other") as proxy:
        address = f"socks5://anna:{PASSWORD}@{proxy.netloc}"
        ((outcome, reason),) = save(newskeep, PUBLIC, "--proxy", address, code=5)
        assert outcome == "failed" and PASSWORD not in (reason or "")


def test_from_the_environment(newskeep: Run, servers: tuple[Origin, Origin], environment: dict[str, str]) -> None:
    with SocksProxy(servers[0].port) as proxy:
        environment["all_proxy"] = proxy.url
        assert save(newskeep, PUBLIC) == [("archived", None)]
        assert proxy.asked == ["93.184.215.14:80"]


def test_a_proxy_of_one_site(newskeep: Run, tmp_path: Path, environment: dict[str, str]) -> None:
    environment["PROXY_PASSWORD"] = PASSWORD
    with Origin() as far, Origin() as near, SocksProxy(far.port, user="anna", password=PASSWORD) as proxy:
        Paper(far, stories=1).front(["/2026/11/22/story-1-of-the-long-bridge"], head="")
        Paper(near, stories=1)
        (tmp_path / "newskeep.toml").write_text(
            "allow_private = true\nworkers = 1\n"
            f'[sites.far]\nstart = "http://93.184.215.14:{far.port}/"\ndelay = 0\n'
            f'proxy = "socks5://anna:${{PROXY_PASSWORD}}@{proxy.netloc}"\n'
            f'[sites.near]\nstart = "{near.url()}"\ndelay = 0\n'
        )
        done = newskeep("crawl", "far", "near", "--json", "-vv")
        assert [json.loads(line)["outcome"] for line in done.stdout.splitlines()] == ["archived"] * 2
        assert set(proxy.asked) == {f"93.184.215.14:{far.port}"}
        (tmp_path / "told").write_bytes(done.stdout + done.stderr)
    assert leaks(tmp_path, PASSWORD) == []

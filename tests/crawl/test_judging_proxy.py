"""The only way out of a browser: where it connects to, and where it does not, whatever it is asked."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from origin import Origin

from crawler.browser import proxy as module
from crawler.browser.proxy import JudgingProxy, Rules

T = TypeVar("T")
GREETING = b"\x05\x01\x00"
REQUEST = b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
DONE, NOT_ALLOWED, UNREACHABLE = 0, 2, 4


def by_name(host: str, port: int) -> bytes:
    return b"\x05\x01\x00\x03" + bytes([len(host)]) + host.encode() + port.to_bytes(2, "big")


def by_address(host: str, port: int) -> bytes:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = b"\x04" if ":" in host else b"\x01"
    return b"\x05\x01\x00" + kind + socket.inet_pton(family, host) + port.to_bytes(2, "big")


def through(
    proxy: JudgingProxy, act: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[T]]
) -> Awaitable[T]:
    async def run() -> T:
        reader, writer = await asyncio.open_connection(*proxy.address.split(":"))
        try:
            return await act(reader, writer)
        finally:
            writer.close()

    return run()


async def reply(proxy: JudgingProxy, asked: bytes) -> int:
    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        writer.write(GREETING + asked)
        assert await reader.readexactly(2) == b"\x05\x00"
        return (await reader.readexactly(10))[1]

    return await through(proxy, act)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1", "0.0.0.0", "10.0.0.1", "169.254.169.254", "fd00:ec2::254"],
)
@pytest.mark.parametrize("asks", [by_name, by_address])
def test_no_address_that_is_not_public(host: str, asks: Callable[[str, int], bytes]) -> None:
    if asks is by_address and host == "localhost":
        pytest.skip("a name")

    async def run() -> None:
        with Origin() as origin:
            port = int(origin.netloc.rpartition(":")[2])
            async with JudgingProxy(Rules(allow_private=False), limit=1 << 20) as proxy:
                await proxy.name("http", host, port)
                assert await reply(proxy, asks(host, port)) in (NOT_ALLOWED, UNREACHABLE)
                assert proxy.peers == {}
            assert origin.log == []

    asyncio.run(run())


def test_only_hosts_that_the_page_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not the five seconds that a page's word may be late.
    monkeypatch.setattr(module, "_NAMED_SECONDS", 0.2)

    async def run() -> None:
        with Origin() as origin:
            port = int(origin.netloc.rpartition(":")[2])
            async with JudgingProxy(Rules(allow_private=True), limit=1 << 20) as proxy:
                await proxy.name("http", "127.0.0.1", port + 1)
                assert await reply(proxy, by_name("127.0.0.1", port)) == NOT_ALLOWED
                await proxy.name("http", "127.0.0.1", port)
                assert await reply(proxy, by_name("127.0.0.1", port)) == DONE
                assert list(proxy.peers.values()) == ["127.0.0.1"]

    asyncio.run(run())


def test_the_pages_word_may_come_behind_the_connection() -> None:
    async def run() -> None:
        with Origin() as origin:
            port = int(origin.netloc.rpartition(":")[2])
            async with JudgingProxy(Rules(allow_private=True), limit=1 << 20) as proxy:
                asking = asyncio.ensure_future(reply(proxy, by_name("LOCALHOST", port)))
                await asyncio.sleep(0.1)
                await proxy.name("http", "localhost", port)
                assert await asking == DONE

    asyncio.run(run())


def test_bytes_pass_as_they_are_up_to_the_bound() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000

    async def got(limit: int) -> tuple[bytes, bool]:
        with Origin() as origin:
            origin.on("/a", answer)
            port = int(origin.netloc.rpartition(":")[2])
            async with JudgingProxy(Rules(allow_private=True), limit=limit) as proxy:
                await proxy.name("http", "127.0.0.1", port)

                async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
                    writer.write(GREETING + by_name("127.0.0.1", port) + REQUEST)
                    received = b""
                    try:
                        while data := await reader.read(65_536):
                            received += data
                    except ConnectionResetError:
                        pass
                    return received[12:]

                return await through(proxy, act), proxy.is_full

    assert asyncio.run(got(1 << 20)) == (answer, False)
    received, is_full = asyncio.run(got(50_000))
    assert is_full and answer.startswith(received) and len(received) <= 50_000


@pytest.mark.parametrize(
    "asked", [b"\x04\x01\x00\x50", b"\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x50", b"GET / HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_connection_by_socks_ends(asked: bytes) -> None:
    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write((GREETING if asked[0] == 5 else b"") + asked)
        writer.write_eof()
        return await reader.read()

    async def run() -> None:
        async with JudgingProxy(Rules(allow_private=True), limit=1 << 20) as proxy:
            assert await through(proxy, act) in (b"", b"\x05\x00")

    asyncio.run(run())

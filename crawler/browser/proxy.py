"""The only way out of a browser: a SOCKS 5 server on loopback that judges where each connection leads (RFC 1928).

It looks names up itself and connects to the very address that it judged, so that a name cannot lead elsewhere a second
later; and it connects only to hosts that the page has asked for, so that the browser's own errands come to nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from crawler.politeness.addresses import is_public
from crawler.politeness.proxies import environment_proxy

#: Seconds in which a connection has to come about, and in which a host has to be named that is asked for.
_CONNECT_SECONDS, _NAMED_SECONDS = 10.0, 5.0
_READ = 64 << 10
_VERSION, _CONNECT, _NO_PASSWORD = 5, 1, 0
_IPV4, _NAME = 1, 3
#: A connection, and its server's address.
Way = tuple[asyncio.StreamReader, asyncio.StreamWriter, str | None]
#: Replies (RFC 1928, 6).
_DONE, _NOT_ALLOWED, _UNREACHABLE = 0, 2, 4


@dataclass(frozen=True, slots=True)
class Rules:
    """Where connections may lead, and by which way."""

    allow_private: bool = False
    #: Address of the proxy that all go through; `None`: as the environment says.
    proxy: str | None = None
    #: Whether a proxy may be given names that cannot be judged here.
    trust_proxy: bool = False


class JudgingProxy:
    """Serves one page. `peers`: the server's address, by the browser's end of each connection that was made; `None`
    where another proxy has it.
    """

    def __init__(self, rules: Rules, limit: int) -> None:
        """`limit`: bytes, both ways together, after which every connection is closed."""
        self._rules = rules
        self._left = limit
        self._server: asyncio.Server | None = None
        #: Hosts and ports that the page has asked for, and by which scheme.
        self._named: dict[tuple[str, int], str] = {}
        self._new_name = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self.peers: dict[str, str | None] = {}
        #: What was refused, in words, and how often.
        self.refused: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def address(self) -> str:
        assert self._server is not None
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def is_full(self) -> bool:
        return self._left < 0

    async def name(self, scheme: str, host: str, port: int) -> None:
        """The page asks for something of this host."""
        async with self._new_name:
            self._named[host.lower(), port] = scheme
            self._new_name.notify_all()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                await self._serve(reader, writer)
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = await _asked(reader, writer)
        if not await self._is_named(host, port):
            writer.write(_reply(_NOT_ALLOWED))
            return
        way = await self._connect(host, port)
        if way is None:
            writer.write(_reply(_NOT_ALLOWED if self.refused else _UNREACHABLE))
            return
        far_reader, far_writer, peer = way
        ours = writer.get_extra_info("peername")
        self.peers[f"{ours[0]}:{ours[1]}"] = peer
        writer.write(_reply(_DONE))
        try:
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        finally:
            far_writer.close()

    async def _is_named(self, host: str, port: int) -> bool:
        """Whether the page has asked for this host; its word may come a moment behind the connection."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_NAMED_SECONDS), self._new_name:
                await self._new_name.wait_for(lambda: (host, port) in self._named)
                return True
        return False

    async def _connect(self, host: str, port: int) -> Way | None:
        proxy = self._rules.proxy or environment_proxy(f"{self._named[host, port]}://{host}:{port}")
        if proxy is not None:
            return await self._through(proxy, host, port)
        for address in await self._judged(host, port):
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT_SECONDS):
                    reader, writer = await asyncio.open_connection(address, port)
                return reader, writer, writer.get_extra_info("peername")[0].partition("%")[0]
        return None

    async def _through(self, proxy: str, host: str, port: int) -> Way | None:
        """A way through another proxy: which of a name's addresses that takes is not ours to say; all have to pass."""
        # It brings Scrapy, which a page without a proxy need not wait for.
        from crawler.politeness.errors import ProxyFailure
        from crawler.politeness.tunnels import is_named_there, tunnel

        is_judged = not (self._rules.allow_private or self._rules.trust_proxy)
        target = host
        if is_judged or not is_named_there(proxy):
            addresses = await self._judged(host, port, every=is_judged)
            if not addresses:
                return None
            target = host if is_named_there(proxy) else addresses[0]
        try:
            reader, writer = await asyncio.open_connection(sock=await tunnel(proxy, target, port, _CONNECT_SECONDS))
        except (ProxyFailure, OSError) as error:
            self.refused[f"{host} ({error})"] += 1
            return None
        return reader, writer, None

    async def _judged(self, host: str, port: int, every: bool = False) -> list[str]:
        """The addresses of a host that may be connected to; with `every` none where one of them may not."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            return []
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        refused = [address for address in addresses if not (self._rules.allow_private or is_public(address))]
        if refused and (every or refused == addresses):
            self.refused[f"{host} (not a public address: {refused[0]})"] += 1
            return []
        return [address for address in addresses if address not in refused]

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(_READ):
                self._left -= len(data)
                if self._left < 0:
                    sink.transport.abort()
                    return
                sink.write(data)
                await sink.drain()
        # The other way may go on.
        with suppress(OSError):
            sink.write_eof()


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int]:
    """Shake hands, and return the host and port that are wanted."""
    version, methods = await reader.readexactly(2)
    await reader.readexactly(methods)
    writer.write(bytes((_VERSION, _NO_PASSWORD)))
    _, command, _, kind = await reader.readexactly(4)
    if version != _VERSION or command != _CONNECT:
        raise OSError("not a connection by SOCKS 5")
    if kind == _NAME:
        host = (await reader.readexactly((await reader.readexactly(1))[0])).decode("ascii", "replace").lower()
    else:
        host = str(ipaddress.ip_address(await reader.readexactly(4 if kind == _IPV4 else 16)))
    return host, int.from_bytes(await reader.readexactly(2), "big")


def _reply(code: int) -> bytes:
    return bytes((_VERSION, code, 0, _IPV4)) + bytes(6)

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
from typing import Self

from crawler.politeness.addresses import is_public

#: Seconds in which a connection has to come about, and in which a host has to be named that is asked for.
_CONNECT_SECONDS, _NAMED_SECONDS = 10.0, 5.0
_READ = 64 << 10
_VERSION, _CONNECT, _NO_PASSWORD = 5, 1, 0
_IPV4, _NAME = 1, 3
#: Replies (RFC 1928, 6).
_DONE, _NOT_ALLOWED, _UNREACHABLE = 0, 2, 4


class JudgingProxy:
    """Serves one browser. `peers`: the server's address, by the browser's end of each connection that was made."""

    def __init__(self, allow_private: bool, limit: int) -> None:
        """`limit`: bytes, both ways together, after which every connection is closed."""
        self._allow_private = allow_private
        self._left = limit
        self._server: asyncio.Server | None = None
        self._named: set[tuple[str, int]] = set()
        self._new_name = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self.peers: dict[str, str] = {}
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

    async def name(self, host: str, port: int) -> None:
        """The page asks for something of this host."""
        async with self._new_name:
            self._named.add((host.lower(), port))
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
        far_reader, far_writer = way
        ours, theirs = writer.get_extra_info("peername"), far_writer.get_extra_info("peername")
        self.peers[f"{ours[0]}:{ours[1]}"] = theirs[0].partition("%")[0]
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

    async def _connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for address in await self._judged(host, port):
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection(address, port)
        return None

    async def _judged(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be connected to."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            return []
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        allowed = [address for address in addresses if self._allow_private or is_public(address)]
        if addresses and not allowed:
            self.refused[f"{host} (not a public address: {addresses[0]})"] += 1
        return allowed

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

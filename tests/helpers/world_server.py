"""Serves a simulated news world from loopback addresses in a process of its own, by a clock of its own.

    python world_server.py '{"kinds": ["daily"], "seed": 1, "start": "2026-11-02T06:00:00+00:00", "history": 14,
                             "log": "log.jsonl"}'

Prints one JSON line when it listens: {"control": URL, "port": N, "sites": [...]}. Ends when its standard input ends.

Control, on an address of its own: POST /clock {"now": ISO 8601, "runs": true} sets the time, which then stands still or
runs on with the monotonic clock; GET /clock; GET /count is the number of requests so far; GET /wait?requests=N answers
when that many have come; GET /truth?since=…&until=… all articles published between, as JSON lines.
The log has a JSON line for each request when it is answered; its fields are those of `Line` in world.py.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import parse_qs, urlsplit

from world_answers import answer
from world_manners import Answer, Asked, Memory
from world_sites import Article, Site, make_sites

#: Bytes of a request's head.
LIMIT = 64 * 1024


@dataclass
class Clock:
    """Simulated time: stands still, or runs with the monotonic clock from where it was set."""

    at: datetime
    runs: bool = True
    _set: float = field(default_factory=time.monotonic)

    def set(self, at: datetime, runs: bool) -> None:
        self.at, self.runs, self._set = at, runs, time.monotonic()

    @property
    def now(self) -> datetime:
        return self.at + timedelta(seconds=time.monotonic() - self._set) if self.runs else self.at


class WorldServer:
    def __init__(self, sites: list[Site], clock: Clock, log: TextIO) -> None:
        self.clock = clock
        self.sites = {site.address: site for site in sites}
        self._memories = {site.address: Memory() for site in sites}
        self._log = log
        self._count = 0
        self._came = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        site = self.sites[writer.get_extra_info("sockname")[0]]
        try:
            while head := await _head(reader):
                if not await self._one(site, head, reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client went away
        finally:
            writer.close()

    async def _one(
        self, site: Site, head: list[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one request; false when the connection is at its end."""
        start = time.monotonic()
        async with self._came:
            self._count += 1
            number = self._count
            self._came.notify_all()
        method, target, headers = _parsed(head)
        asked = Asked(site, target, self.clock.now, self._memories[site.address], headers)
        found = answer(asked)
        line = _log_line(number, asked, found, start)
        try:
            if found.fails:
                if found.fails == "mute":
                    await reader.read()  # until the client goes
                writer.transport.abort()
                return False
            if found.pause:
                await asyncio.sleep(found.pause)
            sent = _wire(asked, found, method)
            line["bytes"] = len(sent)
            writer.write(sent)
            await writer.drain()
            return True
        finally:
            line["end"] = time.monotonic()
            self._log.write(json.dumps(line) + "\n")
            self._log.flush()

    async def control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one question of a test."""
        method, target, headers = _parsed(await _head(reader))
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        sent = (await self._control(method, parts.path, query, body)).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(sent), sent))
        await writer.drain()
        writer.close()

    async def _control(self, method: str, path: str, query: dict[str, str], body: bytes) -> str:
        match method, path:
            case "POST", "/clock":
                given = json.loads(body)
                self.clock.set(datetime.fromisoformat(given["now"]), given.get("runs", True))
            case _, "/wait":
                async with self._came:
                    await self._came.wait_for(lambda: self._count >= int(query["requests"]))
            case _, "/truth":
                since, until = (datetime.fromisoformat(query[name]) for name in ("since", "until"))
                return "".join(json.dumps(line) + "\n" for line in self._truth(since, until))
        return json.dumps({"now": self.clock.now.isoformat(), "count": self._count})

    def _truth(self, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
        for site in self.sites.values():
            for article in site.articles(until, since):
                yield _true(site, article)


def _true(site: Site, article: Article) -> dict[str, Any]:
    return {
        "site": site.name,
        "article": article.number,
        "url": site.base + article.path,
        "published": article.published.isoformat(),
        "title": article.title,
        "edits": [[edit.at.isoformat(), edit.silent, edit.headline] for edit in article.edits],
        "removed": article.removed and article.removed.isoformat(),
        "gone": article.gone,
        "noarchive": article.noarchive,
    }


def _log_line(number: int, asked: Asked, found: Answer, start: float) -> dict[str, Any]:
    return {
        "number": number,
        "at": asked.at.isoformat(),
        "start": start,
        "end": None,
        "site": asked.site.name,
        "host": f"{asked.site.address}:{asked.site.port}",
        "path": asked.target,
        "kind": found.kind,
        "article": found.article,
        "version": found.version,
        "form": found.form,
        "note": found.note or found.fails,
        "status": None if found.fails else found.status,
        "bytes": 0,
        "if_none_match": asked.headers.get("if-none-match"),
        "if_modified_since": asked.headers.get("if-modified-since"),
        "agent": asked.headers.get("user-agent", ""),
    }


def _wire(asked: Asked, found: Answer, method: str) -> bytes:
    body = found.body
    headers = [("Date", format_datetime(asked.at.replace(microsecond=0), usegmt=True)), *found.headers]
    # Some sites send gzip, some do not.
    if len(asked.site.name) % 2 and body and "gzip" in asked.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 1, mtime=0)
        headers.append(("Content-Encoding", "gzip"))
    if found.status != 304:
        headers.append(("Content-Length", str(len(body))))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    first = f"HTTP/1.1 {found.status} {HTTPStatus(found.status).phrase}\r\n"
    return (first + lines + "\r\n").encode() + (b"" if method == "HEAD" else body)


async def _head(reader: asyncio.StreamReader) -> list[str]:
    """Return the lines of a request's head; empty when the client has gone."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return []
    return head.decode("latin-1").split("\r\n")[:-2]


def _parsed(head: list[str]) -> tuple[str, str, dict[str, str]]:
    method, target, _ = head[0].split(" ", 2)
    headers = (line.split(":", 1) for line in head[1:])
    parts = urlsplit(target)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return method, path, {name.lower(): value.strip() for name, value in headers}


def _listeners(kinds: list[str], seed: int, start: datetime, history: int) -> tuple[list[Site], list[socket.socket]]:
    """Bind one port on the address of each site, but for those that are dead."""
    while True:
        bound = [_bound("127.44.255.1", 0)]
        sites = make_sites(kinds, seed, start, history, bound[0].getsockname()[1])
        try:
            bound += [_bound(site.address, site.port) for site in sites if site.character.manner != "dead"]
        except OSError:  # somebody has this port on another of the addresses
            for each in bound:
                each.close()
            continue
        bound[0].close()
        return sites, bound[1:]


def _bound(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
    except OSError:
        listener.close()
        raise
    return listener


async def main() -> None:
    given = json.loads(sys.argv[1])
    start = datetime.fromisoformat(given["start"])
    sites, listeners = _listeners(given["kinds"], given["seed"], start, given["history"])
    with Path(given["log"]).open("a") as log:
        world = WorldServer(sites, Clock(start), log)
        servers = [await asyncio.start_server(world.serve, sock=each, limit=LIMIT, backlog=128) for each in listeners]
        control = await asyncio.start_server(world.control, "127.0.0.1", 0)
        told = {
            "control": "http://{}:{}".format(*control.sockets[0].getsockname()),
            "sites": [{"name": site.name, "kind": site.kind, "base": site.base} for site in sites],
        }
        print(json.dumps(told), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        for server in (*servers, control):
            server.close()


if __name__ == "__main__":
    asyncio.run(main())

"""A table of HTTP responses that are hard to capture exactly, each with what a client should conclude from it."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from origin import Close, Hang, Origin, Pause, Reset, Script, Step, response

Verdict = Literal["complete", "length", "time", "disconnect", "unspecified"]

#: What a client of these cases is to be set to; the timeout, in seconds, where "time" is a verdict.
MAX_BODY = 1_000_000
TIMEOUT = 4.0

TEXT = "<!doctype html><title>Case</title><p>Rødgrød med fløde, and a line that is long enough.</p>\n".encode()
#: TEXT packed by the brotli tool; the tests need no package for it.
BROTLI = base64.b64decode(
    "G14AAKyOdxRrVj1lq3RwE3xJBofbYWZpbWpIqn3C5oY1SNkZmwZxKZPjlA"
    "OXkrYksvB6uuDdxoY4lvi8EtUmaD/W5MCIr9ksHMeDUgPrRVXfiBjsg3U="
)
PIXELS = bytes(range(256)) * 8


@dataclass(frozen=True, slots=True)
class Case:
    """Scripts for `/case/<name>` (and other paths), and the verdict.

    `verdicts`: what the record may say, the best first: "complete" (no WARC-Truncated) or a WARC-Truncated value.
    `interim`: 1xx responses that come before the final one; they are part of what the origin logs as sent.
    `excess`: bytes after the declared end; not part of the response. With verdict "complete" the recorded response
    is what was sent less `interim` and `excess`; for `partial` cases the client stops reading by itself and what it
    recorded is a prefix of that.
    """

    description: str
    scripts: tuple[Script, ...]
    verdicts: tuple[Verdict, ...] = ("complete",)
    interim: tuple[bytes, ...] = ()
    excess: bytes = b""
    partial: bool = False
    #: What is right as well over TLS, where many libraries cannot tell a RST from a missing close_notify.
    over_tls: tuple[Verdict, ...] = ()
    #: Other paths the client comes to from here, with their scripts.
    also: Mapping[str, tuple[Script, ...]] = field(default_factory=dict)
    #: A path to fetch first on the same connection.
    before: str | None = None

    def install(self, origin: Origin, name: str) -> str:
        """Put the scripts on `origin`; return the URL to fetch."""
        path = f"/case/{name}"
        for place, scripts in {path: self.scripts, **self.also}.items():
            for script in scripts:
                origin.on(place, *script)
        return origin.url(path)


def hostile_cases() -> dict[str, Case]:
    """Return all cases by name."""
    return {**_heads(), **_codings(), **_statuses(), **_cut(), **_broken(), **_connections()}


def _answer(head: bytes, body: bytes = TEXT) -> tuple[Script, ...]:
    """One script: a head without its last empty line, a right Content-Length and the body."""
    return ((head + b"Content-Length: %d\r\n\r\n" % len(body) + body,),)


def _ok(headers: bytes = b"", body: bytes = TEXT) -> tuple[Script, ...]:
    return _answer(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n" + headers, body)


def _heads() -> dict[str, Case]:
    return {
        "duplicate-headers": Case(
            "the same names several times, in an order that matters",
            _ok(b"Set-Cookie: a=1\r\nX-Between: 1\r\nSet-Cookie: b=2\r\nset-cookie: a=1\r\n"),
        ),
        "odd-case": Case(
            "header names in odd case", _answer(b"HTTP/1.1 200 OK\r\ncOnTeNt-TYPE: text/html\r\neTAG: x\r\n")
        ),
        "odd-spaces": Case(
            "spaces and tabs around values", _ok(b"X-A:no space\r\nX-B:   many \t \r\nX-C:\r\nX-D: \r\n")
        ),
        "folded-header": Case("a header folded over three lines", _ok(b"X-Folded: one\r\n two\r\n\tthree\r\n")),
        "header-bytes": Case(
            "header values that are not UTF-8", _ok(b"X-Latin: bl\xe5b\xe6r\r\nX-Any: \x80\xff\xfe\r\n")
        ),
        "header-utf8": Case("a header value in UTF-8", _ok("X-Sted: Ærø\r\n".encode())),
        "empty-reason": Case("a reason of no characters", _answer(b"HTTP/1.1 200 \r\nContent-Type: text/html\r\n")),
        "no-reason": Case("no space after the status", _answer(b"HTTP/1.1 200\r\nContent-Type: text/html\r\n")),
        "long-reason": Case("a reason of 300 words", _answer(b"HTTP/1.1 200 " + b"fine " * 300 + b"\r\n")),
        "reason-bytes": Case("a reason that is not ASCII", _answer(b"HTTP/1.1 200 Tilf\xf8jet\r\n")),
        "lf-only": Case(
            "lines that end with LF alone",
            ((b"HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: %d\n\n" % len(TEXT) + TEXT,),),
        ),
        "many-headers": Case("400 headers", _ok(b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(400)))),
        "large-header": Case(
            "a header line of 64 KB",
            _ok(b"X-Large: " + b"x" * 65_536 + b"\r\n"),
            ("complete", "length"),
            partial=True,
        ),
        "line-without-colon": Case(
            "a header line without a colon",
            _ok(b"this is no header\r\n"),
            ("complete", "unspecified"),
            partial=True,
        ),
        "head-in-pieces": Case(
            "a head that comes in pieces, cut inside a line end",
            (
                (
                    b"HTTP/1.1 200 OK\r",
                    Pause(0.05),
                    b"\nContent-Le",
                    Pause(0.05),
                    b"ngth: %d\r\n\r" % len(TEXT),
                    Pause(0.05),
                    b"\n" + TEXT[:7],
                    Pause(0.05),
                    TEXT[7:],
                ),
            ),
        ),
    }


def _chunks(body: bytes, size: int = 40) -> bytes:
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def _coded(coding: bytes, body: bytes) -> tuple[Script, ...]:
    return _ok(b"Content-Encoding: " + coding + b"\r\n", body)


def _codings() -> dict[str, Case]:
    chunked = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n"
    packed = gzip.compress(TEXT * 50, mtime=0)
    raw_deflate = zlib.compressobj(wbits=-15)
    framed = (
        b'5;name=value;quoted="a;b"\r\n<p>fi\r\n00F \r\nve and fifteen!\r\n0;last\r\n'
        b"X-Trailer: after\r\nX-Trailer: twice\r\n\r\n"
    )
    return {
        "chunked": Case("plain chunks", ((chunked + b"\r\n" + _chunks(TEXT),),)),
        "chunked-extensions": Case(
            "chunk extensions, zeros and upper case in a size, trailers",
            ((chunked + b"Trailer: X-Trailer\r\n\r\n" + framed,),),
        ),
        "chunked-pieces": Case(
            "chunk framing that comes byte by byte",
            ((chunked + b"\r\n", *(bytes([byte]) for byte in _chunks(TEXT[:60], 25))),),
        ),
        "chunked-empty": Case("chunked, with no chunk but the last", ((chunked + b"\r\n0\r\n\r\n",),)),
        "chunked-gzip": Case(
            "gzip inside chunks", ((chunked + b"Content-Encoding: gzip\r\n\r\n" + _chunks(packed, 33),),)
        ),
        "gzip": Case("gzip", _coded(b"gzip", packed)),
        "gzip-members": Case("gzip in two members", _coded(b"gzip", packed + gzip.compress(TEXT, mtime=0))),
        "gzip-twice": Case("gzip in gzip", _coded(b"gzip, gzip", gzip.compress(packed, mtime=0))),
        "gzip-broken": Case("gzip with a wrong check sum", _coded(b"gzip", packed[:-8] + b"\0" * 8)),
        "gzip-not": Case("called gzip, and is not", _coded(b"gzip", TEXT)),
        "gzip-short": Case("gzip that ends early, length right", _coded(b"gzip", packed[: len(packed) // 2])),
        "deflate": Case("deflate with zlib's head", _coded(b"deflate", zlib.compress(TEXT))),
        "deflate-raw": Case(
            "deflate without zlib's head", _coded(b"deflate", raw_deflate.compress(TEXT) + raw_deflate.flush())
        ),
        "brotli": Case("brotli", _coded(b"br", BROTLI)),
        "unknown-coding": Case("a content coding nobody knows", _coded(b"x-rot13", TEXT)),
        "binary": Case("a body of every byte", _answer(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n", PIXELS)),
        "empty": Case("a body of no bytes", _ok(body=b"")),
        "bomb": Case("20 KB of gzip that unpack to 20 MB", _coded(b"gzip", gzip.compress(b"\0" * 20_000_000, mtime=0))),
    }


def _statuses() -> dict[str, Case]:
    plain = _ok()[0][0]
    assert isinstance(plain, bytes)
    carry_on, hints = (
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n",
    )
    ten = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n"
    hops = {
        "/hop/2": ((response(b"two", "302 Found", [("Location", "/hop/3?a=1&b=%C3%A6")]),),),
        "/hop/3": ((response(b"", "307 Temporary Redirect", [("Location", "../hop/4")]),),),
        "/hop/4": ((response(b"four", "308 Permanent Redirect", [("Location", "/hop/end#part")]),),),
        "/hop/end": _ok(),
    }
    return {
        "http10-close": Case("HTTP/1.0, the end is the connection's end", ((ten + b"\r\n" + TEXT, Close()),)),
        "http10-length": Case("HTTP/1.0 with Content-Length", _answer(ten)),
        "http11-close": Case("HTTP/1.1 without any length", ((b"HTTP/1.1 200 OK\r\n\r\n" + TEXT, Close()),)),
        "no-content": Case("204", ((b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",),)),
        "not-modified": Case("304 to a plain request", ((b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',),)),
        "not-modified-length": Case(
            "304 with the length of the body it does not send",
            ((b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\n\r\n",),),
        ),
        "continue": Case("100 before the response", ((carry_on + plain,),), interim=(carry_on,)),
        "early-hints": Case("103 with headers", ((hints, Pause(0.05), plain),), interim=(hints,)),
        "interim-twice": Case(
            "100 and 103, in pieces",
            ((carry_on + hints[:30], Pause(0.05), hints[30:] + plain),),
            interim=(carry_on, hints),
        ),
        "not-found": Case("404 with a body", _answer(b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n")),
        "gone": Case("410 without a body", _answer(b"HTTP/1.1 410 Gone\r\n", b"")),
        "server-error": Case("500 with a body, each time", _answer(b"HTTP/1.1 500 Internal Server Error\r\n")),
        "unavailable-once": Case(
            "503 once, then well", (*_answer(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\n"), *_ok())
        ),
        "unknown-status": Case("a status nobody knows", _answer(b"HTTP/1.1 299 Odd\r\nContent-Type: text/html\r\n")),
        "redirects": Case(
            "301, 302, 307, 308, relative",
            ((response(b"one", "301 Moved Permanently", [("Location", "/hop/2")]),),),
            also=hops,
        ),
        "redirect-loop": Case(
            "a redirect to itself", ((response(b"", "302 Found", [("Location", "redirect-loop")]),),)
        ),
    }


def _cut() -> dict[str, Case]:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    promised = head + b"Content-Length: 5000\r\n\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
    flood = b"0123456789abcdef" * (MAX_BODY // 8)
    return {
        "too-short": Case("less than Content-Length, then the end", ((promised + TEXT, Close()),), ("disconnect",)),
        "chunked-cut": Case("chunks without the last", ((chunked + _chunks(TEXT)[:-5], Close()),), ("disconnect",)),
        "chunked-cut-inside": Case("cut inside a chunk", ((chunked + b"ff\r\nshort", Close()),), ("disconnect",)),
        "head-cut": Case("the end inside the head", ((head[:25], Close()),), ("disconnect",)),
        "reset-in-body": Case("RST in the body", ((promised + TEXT, Pause(0.3), Reset()),), ("disconnect",)),
        "reset-in-head": Case("RST in the head", ((head[:25], Pause(0.3), Reset()),), ("disconnect",)),
        "reset-in-close-delimited": Case(
            "RST where only the connection's end is the end",
            ((head + b"\r\n" + TEXT, Pause(0.3), Reset()),),
            ("disconnect",),
            over_tls=("complete",),
        ),
        "stall-in-body": Case("silence in the body", ((promised + TEXT, Hang()),), ("time",)),
        "stall-in-head": Case("silence in the head", ((head[:25], Hang()),), ("time",)),
        "stall-at-once": Case("no byte at all", ((Hang(),),), ("time",)),
        "nothing": Case("the end instead of a response", ((Close(),),), ("disconnect",)),
        "too-large": Case(
            "a declared length over the limit",
            ((head + b"Content-Length: %d\r\n\r\n" % len(flood) + flood,),),
            ("length",),
            partial=True,
        ),
        "too-large-chunked": Case(
            "over the limit, in chunks", ((chunked + _chunks(flood, 60_000),),), ("length",), partial=True
        ),
        "too-large-close": Case(
            "over the limit, no length", ((head + b"\r\n" + flood, Close()),), ("length",), partial=True
        ),
    }


def _broken() -> dict[str, Case]:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
    extra = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhey"
    whole = head + b"Content-Length: %d\r\n\r\n" % len(TEXT) + TEXT
    return {
        "bad-chunk-size": Case(
            "a chunk size that is no number",
            ((chunked + b"5\r\nhello\r\nxyz\r\nworld\r\n0\r\n\r\n", Close()),),
            ("unspecified", "disconnect"),
            partial=True,
        ),
        "bytes-after-end": Case(
            "more bytes than Content-Length", ((whole + b"and more", Close()),), excess=b"and more"
        ),
        "response-after-end": Case("a second response nobody asked for", ((whole + extra, Close()),), excess=extra),
        "bytes-after-chunks": Case(
            "bytes after the last chunk", ((chunked + _chunks(TEXT) + extra, Close()),), excess=extra
        ),
        "bytes-after-no-content": Case(
            "a body after 204", ((b"HTTP/1.1 204 No Content\r\n\r\n" + TEXT, Close()),), excess=TEXT
        ),
        "two-lengths": Case(
            "two Content-Length headers that differ",
            ((head + b"Content-Length: 5\r\nContent-Length: %d\r\n\r\n" % len(TEXT) + TEXT, Close()),),
            ("unspecified", "complete"),
            partial=True,
        ),
        "bad-length": Case(
            "a Content-Length that is no number",
            ((head + b"Content-Length: many\r\n\r\n" + TEXT, Close()),),
            ("unspecified", "complete"),
            partial=True,
        ),
        "length-and-chunked": Case(
            "both Content-Length and chunked: chunked wins",
            ((head + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + _chunks(TEXT),),),
            ("complete", "unspecified"),
            partial=True,
        ),
        "not-http": Case(
            "no HTTP at all", ((b"220 mail.example.org ready\r\n", Close()),), ("unspecified", "disconnect")
        ),
        "http09": Case("a body and no head", ((TEXT, Close()),), ("unspecified", "disconnect")),
        "http2-line": Case(
            "a status line of HTTP/2",
            ((b"HTTP/2 200\r\nContent-Length: 2\r\n\r\nhi", Close()),),
            ("complete", "unspecified"),
            partial=True,
        ),
    }


def _slowly(data: bytes, pieces: int) -> Iterator[Step]:
    size = -(-len(data) // pieces)
    for start in range(0, len(data), size):
        yield data[start : start + size]
        yield Pause(0.05)


def _connections() -> dict[str, Case]:
    plain = _ok()[0][0]
    assert isinstance(plain, bytes)
    return {
        "kept-connection-dies": Case(
            "the server ends a kept connection when the second request is there; sent again, it goes well",
            ((Close(),), (plain,)),
            before="/first",
            also={"/first": _ok()},
        ),
        "kept-connection-resets": Case(
            "the same with RST", ((Reset(),), (plain,)), before="/first", also={"/first": _ok()}
        ),
        "says-close": Case("Connection: close with a length", _ok(b"Connection: close\r\n")),
        "slow": Case("a response in slow pieces", (tuple(_slowly(plain, 9)),)),
    }

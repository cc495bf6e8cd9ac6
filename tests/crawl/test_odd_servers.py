"""Servers that do what no standard says and every browser reads: `newskeep save` against each of them."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from typing import Any

import brotli
import pytest
from command import Run
from origin import Close, Origin, Reset, response

pytestmark = pytest.mark.long

PAGE = (
    "<!doctype html><html lang=en><head><title>A bridge opens</title></head><body><article><h1>A bridge opens</h1>"
    + "".join(f"<p>Paragraph {n} tells of the bridge that the town has waited for since spring.</p>" for n in range(9))
    + "</article></body></html>"
).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
HTML = [("Content-Type", "text/html; charset=utf-8")]


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


def save(newskeep: Run, *arguments: str) -> list[dict[str, Any]]:
    done = newskeep("save", "--json", "--allow-private", "--timeout", "2", "--ignore-robots", *arguments)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def coded(coding: str, body: bytes) -> bytes:
    return response(body, headers=[*HTML, ("Content-Encoding", coding)])


# What is said of the body


def test_codings_that_are_not_true(newskeep: Run, origin: Origin) -> None:
    bodies = {
        "/charset": coded("utf-8", PAGE),
        "/plain-gzip": coded("gzip", PAGE),
        "/plain-br": coded("br", PAGE),
        "/plain-deflate": coded("deflate", PAGE),
        "/twice": coded("gzip", gzip.compress(gzip.compress(PAGE))),
        "/once": coded("gzip, gzip", gzip.compress(PAGE)),
        "/other": coded("deflate", gzip.compress(PAGE)),
        "/raw": coded("deflate", zlib.compress(PAGE)[2:-4]),
        "/true": coded("br", brotli.compress(PAGE)),
        "/unsaid": response(gzip.compress(PAGE), headers=HTML),
    }
    for path, answer in bodies.items():
        origin.on(path, answer)
    told = save(newskeep, *(origin.url(path) for path in bodies))
    assert {(line["outcome"], line["reason"], line["title"]) for line in told} == {("archived", None, "A bridge opens")}
    for path, answer in bodies.items():
        assert newskeep("get", origin.url(path)).stdout == PAGE, path
        assert newskeep("get", origin.url(path), "--as", "http").stdout == answer, path


@pytest.mark.parametrize(
    "status", ["201 Created", "203 Non-Authoritative Information", "206 Partial Content", "299 Fine"]
)
def test_every_success_with_a_page_has_text(newskeep: Run, origin: Origin, status: str) -> None:
    origin.reply("/page", PAGE, status, HTML)
    (told,) = save(newskeep, origin.url("/page"))
    assert (told["outcome"], told["status"], told["title"]) == ("archived", int(status[:3]), "A bridge opens")
    assert b"/page" in newskeep("search", "bridge").stdout


# Heads


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type : text/html\r\nContent-Length\t: LENGTH",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: utf-8\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: LENGTH, LENGTH\r\nContent-Length: LENGTH",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: about 9",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: -1",
        b"HTTP/1.1 200 OK\r\nX Y: 1\r\n<br>\r\n: none\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
        b"HTTP/1.1 200 OK\r\n  X-First: folded\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
        b"HTTP/1.1  200  OK\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
        b"http/1.1 200\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
        b"HTTP/2 200 OK\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
        b"\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
    ],
)
def test_heads_that_browsers_read(newskeep: Run, origin: Origin, head: bytes) -> None:
    origin.on("/page", head.replace(b"LENGTH", b"%d" % len(PAGE)) + b"\r\n\r\n" + PAGE, *ends(head))
    (told,) = save(newskeep, origin.url("/page"))
    assert (told["outcome"], told["reason"], told["title"]) == ("archived", None, "A bridge opens")
    assert newskeep("get", origin.url("/page")).stdout == PAGE
    assert newskeep("get", origin.url("/page"), "--as", "http").stdout == origin.logged("/page")[0].sent


def ends(head: bytes) -> tuple[Close, ...]:
    return (Close(),) if b"Connection: close" in head else ()


def test_chunks_under_another_coding(newskeep: Run, origin: Origin) -> None:
    chunked = b"%x\r\n%b\r\n0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: %b\r\n\r\n"
    packed = gzip.compress(PAGE)
    origin.on("/identity", head % b"identity, Chunked" + chunked % (len(PAGE), PAGE))
    origin.on("/gzip", head % b"gzip, chunked" + chunked % (len(packed), packed))
    origin.on("/twice", head % b"chunked\r\nTransfer-Encoding: chunked" + chunked % (len(PAGE), PAGE))
    for told in save(newskeep, *map(origin.url, ("/identity", "/gzip", "/twice"))):
        assert (told["outcome"], told["title"]) == ("archived", "A bridge opens"), told


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"220 mail.example.org ready\r\n", "not a valid HTTP answer: its first line is not one of HTTP"),
        (b"HTTP/1.1 OK\r\n\r\n", "not a valid HTTP answer: its first line is not one of HTTP"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
            "not a valid HTTP answer: two lengths that differ",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\nworld\r\n0\r\n\r\n",
            "not a valid HTTP answer: the length of a chunk is no number",
        ),
    ],
)
def test_what_nobody_reads_has_a_reason_in_words(newskeep: Run, origin: Origin, answer: bytes, reason: str) -> None:
    origin.on("/page", answer, Close())
    (told,) = save(newskeep, origin.url("/page"))
    assert (told["outcome"], told["reason"]) == ("failed", reason)


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"Content-Length: %d\r\n\r\n" % (len(PAGE) + 9) + PAGE,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(PAGE), PAGE),
        HEAD + b"Content-Length: 9999\r\n\r\n" + PAGE + b"\n<!-- 0.2 s -->\n",
    ],
)
def test_a_page_that_is_whole_by_its_markup(newskeep: Run, origin: Origin, head: bytes) -> None:
    origin.on("/page", head, Close())
    (told,) = save(newskeep, origin.url("/page"))
    assert (told["outcome"], told["title"]) == ("archived", "A bridge opens")
    assert told["reason"] == "whole, though the connection was closed before the end that was announced"
    assert len(origin.logged("/page")) == 1
    assert newskeep("get", origin.url("/page")).stdout.startswith(PAGE)
    assert b"Paragraph 3" in newskeep("get", origin.url("/page"), "--as", "text").stdout
    assert newskeep("reextract").returncode == 0
    assert b"Paragraph 3" in newskeep("get", origin.url("/page"), "--as", "text").stdout


def test_a_page_that_is_cut_is_none(newskeep: Run, origin: Origin) -> None:
    origin.on(
        "/page", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9999\r\n\r\n" + PAGE[:-30], Close()
    )
    (told,) = save(newskeep, origin.url("/page"))
    assert (told["outcome"], told["words"]) == ("failed", None)
    assert told["reason"] == "the connection was closed in the middle of the answer"


@pytest.mark.parametrize("end", [Close(), Reset()])
def test_a_dead_kept_connection_is_tried_again_in_the_hosts_turn(
    newskeep: Run, origin: Origin, end: Close | Reset
) -> None:
    origin.reply("/first", PAGE, headers=HTML)
    origin.on("/page", end)
    origin.reply("/page", PAGE, headers=HTML)
    told = save(newskeep, origin.url("/first"), origin.url("/page"), "--delay", "1")
    assert [line["outcome"] for line in told] == ["archived", "archived"]
    dead, again = origin.logged("/page")
    assert again.at - dead.at >= 1

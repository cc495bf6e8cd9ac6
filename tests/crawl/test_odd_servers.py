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
from origin import Origin, response

pytestmark = pytest.mark.long

PAGE = (
    "<!doctype html><html lang=en><head><title>A bridge opens</title></head><body><article><h1>A bridge opens</h1>"
    + "".join(f"<p>Paragraph {n} tells of the bridge that the town has waited for since spring.</p>" for n in range(9))
    + "</article></body></html>"
).encode()
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

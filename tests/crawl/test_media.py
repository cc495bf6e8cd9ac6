"""What is archived and is no page: its outcome says what it is, how large, and that there is no text."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import pytest
from article_page import PAGE
from command import Run
from origin import Origin

from crawler.session.media import described
from crawler.sizes import size

PDF = b"%PDF-1.7\n" + b"0" * 1_234_500


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        origin.reply("/a.pdf", PDF, headers=[("Content-Type", "Application/PDF; charset=binary")])
        origin.reply("/film", b"f" * 2_000, headers=[("Content-Type", "video/mp4")])
        origin.reply("/picture", b"p", headers=[("Content-Type", "image/jpeg")])
        origin.reply("/page", PAGE.encode(), headers=[("Content-Type", "text/html")])
        pressed = gzip.compress(b"{}", mtime=0)
        origin.reply("/data", pressed, headers=[("Content-Type", "application/json"), ("Content-Encoding", "gzip")])
        origin.reply("/nothing", b"", headers=[("Content-Type", "text/html")])
        yield origin


def test_outcomes_say_type_and_size(newskeep: Run, origin: Origin) -> None:
    paths = ("/a.pdf", "/film", "/picture", "/page", "/data", "/nothing")
    done = newskeep("save", "--allow-private", "--json", *map(origin.url, paths))
    lines = {line["url"]: line for line in map(json.loads, done.stdout.splitlines())}
    told = [tuple(lines[origin.url(path)][name] for name in ("outcome", "reason", "mime", "size")) for path in paths]
    assert told == [
        ("archived", "PDF, 1.2 MB, no text: broken (it cannot be read as a PDF)", "application/pdf", len(PDF)),
        ("archived", "film (MP4), 2.0 kB, no text", "video/mp4", 2_000),
        ("archived", "picture (JPEG), 1 byte, no text", "image/jpeg", 1),
        ("archived", None, "text/html", len(PAGE.encode())),
        # Bytes as they were sent.
        ("archived", "JSON, 22 bytes, no text", "application/json", 22),
        ("archived", "HTML, 0 bytes, no text", "text/html", 0),
    ]


def test_the_table_says_it(newskeep: Run, origin: Origin) -> None:
    done = newskeep("save", "--allow-private", origin.url("/a.pdf"))
    assert "PDF, 1.2 MB, no text" in done.stdout.decode()


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("image/webp", "picture (WEBP)"),
        ("audio/x-wav", "sound (WAV)"),
        ("font/woff2", "font (WOFF2)"),
        ("application/x-unheard-of", "application/x-unheard-of"),
        ("odd", "odd"),
        ("image/", "image/"),
        (None, "unknown type"),
    ],
)
def test_names_of_types(media_type: str | None, name: str) -> None:
    assert described(media_type, 1_000_000) == f"{name}, 1.0 MB, no text"


def test_sizes() -> None:
    assert [size(value) for value in (0, 1, 999, 1_000, 999_600, 2_340_000_000)] == [
        *("0 bytes", "1 byte", "999 bytes", "1.0 kB", "1.0 MB", "2.3 GB")
    ]

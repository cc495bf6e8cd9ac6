"""A WARC is read back in parts as it is in one piece, by workers too."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.session.extraction_pool import ExtractionLimits, ExtractionPool
from crawler.session.read_back import PART_BYTES, WarcPart, parts_of, read_all, read_back
from storage.errors import Corrupt
from storage.model import Exchange
from storage.warc_writer import WarcWriter

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>%d</title><p>The ferry was late again.</p><!--%b-->"


def write(path: Path) -> list[int]:
    """Write exchanges that do not get smaller, enough for three parts; return the offsets of their pages."""
    noise = random.Random(12)
    writer = WarcWriter(path, path.name, {})
    pages = []
    for number in range(7):
        body = noise.randbytes(PART_BYTES // 2).replace(b">", b"")
        exchange = Exchange(f"http://news.example/{number}", NOW, b"GET / HTTP/1.1\r\n\r\n", PAGE % (number, body))
        capture = writer.append(exchange)
        assert capture is not None
        pages.append(capture.offset)
    writer.close()
    return pages


@pytest.fixture(scope="module")
def pages(warc: Path) -> list[int]:
    return write(warc)


@pytest.fixture(scope="module")
def warc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("read-back") / "newskeep-20261122000000000-0123456789ab-00000.warc.gz"


def test_parts_hold_what_the_whole_holds(warc: Path, pages: list[int]) -> None:
    whole = read_back(WarcPart(warc))
    assert [capture.offset for capture in whole.captures] == list(whole.sources) == pages
    parts = parts_of(warc, reversed(pages))
    assert len(parts) == 3
    read = list(read_all(parts))
    assert all(part.captures for part in read)
    assert tuple(capture for part in read for capture in part.captures) == whole.captures
    assert {page: source for part in read for page, source in part.sources.items()} == whole.sources
    assert sum(part.records for part in read) == whole.records == 15
    # Nothing is known of where its exchanges begin.
    assert parts_of(warc, []) == [WarcPart(warc)]


def test_workers_read_back_what_is_whole(warc: Path, pages: list[int], tmp_path: Path) -> None:
    *_, last = parts_of(warc, pages)
    damaged = tmp_path / warc.name
    content = bytearray(warc.read_bytes())
    content[last.start + 50_000] ^= 1
    damaged.write_bytes(content)
    broken = WarcPart(damaged, last.start, last.end)
    pool = ExtractionPool(1, ExtractionLimits())
    try:
        # None is started for this alone.
        assert pool.call_now(read_back, last) is None
        pool.extract_now(PAGE % (1, b""), "http://news.example/1", NOW)
        assert pool.call_now(read_back, last) == read_back(last)
        assert pool.call_now(read_back, broken) is None
    finally:
        pool.close()
    with pytest.raises(Corrupt, match=f"offset {last.start}|not a readable WARC"):
        read_back(broken)

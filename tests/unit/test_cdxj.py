"""CDXJ lines: ours come back the same, and are the ones that cdxj-indexer writes and pywb reads."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cdxj_indexer.main import CDXJIndexer
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.cdxj import line, lines, parse, read
from storage.errors import Corrupt
from storage.model import Capture

CAPTURE = Capture(
    url="https://www.example.com/A?b=1",
    timestamp=datetime(2026, 11, 21, 22, 1, 12, 345_678, UTC),
    status=200,
    mime="text/html",
    digest="sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
    filename="newskeep-20261121220112345-abc-00000.warc.gz",
    offset=987,
    length=4321,
)

OPTIONAL_TEXT = st.none() | st.text(min_size=1).filter(lambda text: text != "-")
CAPTURES = st.builds(
    Capture,
    url=st.text(max_size=30).map(lambda text: f"https://example.com/{text}") | st.text(),
    timestamp=st.datetimes(timezones=st.just(UTC)),
    status=st.none() | st.integers(100, 999),
    mime=OPTIONAL_TEXT,
    digest=OPTIONAL_TEXT,
    filename=st.text(),
    offset=st.integers(0, 1 << 60),
    length=st.integers(0, 1 << 60),
    framed_digest=OPTIONAL_TEXT,
    wall=OPTIONAL_TEXT,
)


def test_the_line() -> None:
    assert line(CAPTURE) == (
        b'com,example)/a?b=1 20261121220112 {"url": "https://www.example.com/A?b=1", "mime": "text/html", '
        b'"status": "200", "digest": "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ", "length": "4321", "offset": "987", '
        b'"filename": "newskeep-20261121220112345-abc-00000.warc.gz", "microseconds": "345678"}\n'
    )


def test_missing_fields_are_left_out_and_the_framed_digest_is_added() -> None:
    bare = replace(CAPTURE, status=None, mime=None, digest=None, framed_digest="sha1:X")
    fields = json.loads(line(bare).split(b" ", 2)[2])
    assert list(fields) == ["url", "length", "offset", "filename", "microseconds", "framed_digest"]
    assert parse(line(bare)) == bare


@settings(deadline=None)
@given(CAPTURES)
def test_round_trip(capture: Capture) -> None:
    text = line(capture)
    assert text.count(b"\n") == 1 and text.isascii()
    assert parse(text) == capture


@settings(deadline=None)
@given(st.lists(CAPTURES, max_size=8))
def test_sorted_as_bytes(captures: list[Capture]) -> None:
    found = list(lines(iter(captures)))
    assert found == sorted(found)
    assert sorted(found) == sorted(map(line, captures))


def record(url: str) -> bytes:
    """A minimal response record."""
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\nbody"
    head = (
        f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-11-21T22:01:12Z\r\n"
        "WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000000>\r\nWARC-Payload-Digest: sha1:X\r\n"
        f"Content-Type: application/http;msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def test_is_what_cdxj_indexer_writes(tmp_path: Path) -> None:
    warc = tmp_path / "a.warc.gz"
    urls = ("https://www.example.com/A?b=2&a=1", "http://xn--mnchen-3ya.example:8000/%C3%B8", "http://[::1]:8000/")
    warc.write_bytes(b"".join(gzip.compress(record(url)) for url in urls))
    theirs = tmp_path / "a.cdxj"
    CDXJIndexer(str(theirs), [str(warc)], sort=True).process_all()
    with theirs.open("rb") as source:
        captures = list(read(source, theirs.name))
    assert [capture.mime for capture in captures] == ["text/html"] * 3
    # Their "digest" comes before "length" as ours does: the lines are equal to the byte.
    assert b"".join(lines(captures)) == theirs.read_bytes()


def test_reads_other_peoples_lines() -> None:
    source = [
        b"!meta {}\n",
        b" CDX N b a m s k r M S V g\n",
        b"\n",
        'com,example)/ 20261121220112 {"url": "http://example.com/é", "mime": "-", "status": "-", "offset": 7, '
        '"length": 9, "filename": "ø.warc", "languages": ["da"], "digest": "X"}\r\n'.encode(),
    ]
    assert list(read(source, "x")) == [
        Capture("http://example.com/é", datetime(2026, 11, 21, 22, 1, 12, tzinfo=UTC), None, None, "X", "ø.warc", 7, 9)
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "not enough values"),
        (b"com,example)/ 20261121220112", "not enough values"),
        (b"com,example)/ 20261121220112 {", "Expecting property name"),
        (b"com,example)/ 20261121220112 []", "'list' object"),
        (b"com,example)/ 20261121220112 " + b"[" * 100_000, "recursion"),
        (b"com,example)/ 20261121220112 {}", "no field 'url'"),
        (b"\xff 20261121220112 {}", "utf-8"),
        (b'a 2026112122011 {"url": "u"}', "timestamp of 14 digits"),
        (b'a 20261321220112 {"url": "u"}', "month must be in 1..12"),
        (b"a 20261121220112 x", "Expecting value"),
        (b'a 20261121220112 {"url": "u", "filename": "f", "length": "1", "offset": "-2"}', "'-2' is not a number"),
        (b'a 20261121220112 {"url": "u", "filename": "f", "length": "1", "offset": "1_0"}', "'1_0' is not a number"),
        (b'a 20261121220112 {"url": "u", "filename": "f", "length": true, "offset": "1"}', "True is not a number"),
        (b'a 20261121220112 {"url": "u", "filename": "f", "length": "1"}', "no field 'offset'"),
        (b'a 20261121220112 {"url": 1, "filename": "f", "length": "1", "offset": "1"}', "int where text should stand"),
        (
            b'a 20261121220112 {"url": "u", "filename": null, "length": "1", "offset": "1"}',
            "NoneType where text should stand",
        ),
        (b'a 20261121220112 {"url": "u", "status": [], "filename": "f"}', "[] is not a number"),
    ],
)
def test_names_file_and_line_of_what_is_wrong(text: bytes, why: str) -> None:
    with pytest.raises(Corrupt) as caught:
        list(read([line(CAPTURE), text or b"x"], "cdxj/2026/11/21/a.cdxj"))
    assert str(caught.value).startswith("cdxj/2026/11/21/a.cdxj, line 2: not a CDXJ line (")
    assert why in str(caught.value)


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_a_line_or_an_error(text: bytes) -> None:
    with pytest.raises(Corrupt):
        parse(b"a 20261121220112 " + text)

"""Records of other writers, each as its writer makes it, are read for what they mean."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

import pytest

from storage.digests import canonical, digest, matches, sha1
from storage.errors import Corrupt
from storage.http import HttpMessage
from storage.warc import Record, capture_of, read_date

BODY = b"<!doctype html><p>News"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + BODY


def record(block: bytes = RESPONSE, **fields: str) -> Record:
    given = {
        "WARC-Type": "response",
        "WARC-Target-URI": "http://paper.example/a",
        "WARC-Date": "2014-08-02T09:52:13Z",
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    return Record(tuple(given.items()), block, 0, 100)


@pytest.mark.parametrize(
    "written",
    [
        "sha1:" + base64.b32encode(hashlib.sha1(BODY).digest()).decode(),
        "sha1:" + base64.b32encode(hashlib.sha1(BODY).digest()).decode().lower(),
        "SHA-1:" + hashlib.sha1(BODY).hexdigest(),
        "sha256:" + hashlib.sha256(BODY).hexdigest(),
        "sha-256:" + base64.b32encode(hashlib.sha256(BODY).digest()).decode(),
        "sha256:" + base64.b64encode(hashlib.sha256(BODY).digest()).decode(),
        "md5:" + hashlib.md5(BODY).hexdigest(),
        "sha512:" + hashlib.sha512(BODY).hexdigest().upper(),
    ],
)
def test_digests_of_every_kind_are_checked(written: str) -> None:
    assert matches(written, BODY)
    assert not matches(written, BODY + b"!")
    ours = {"sha1": sha1, "sha256": digest}.get(written.lower().replace("-", "").partition(":")[0])
    assert canonical(written) == (ours(BODY) if ours else None)
    record(BODY, WARC_Block_Digest=written).check()
    with pytest.raises(Corrupt, match="does not match its digest"):
        record(BODY + b"!", WARC_Block_Digest=written).check()


@pytest.mark.parametrize("written", ["crc32:12345678", "sha1", "sha1:short", "", "sha1:" + "é" * 32])
def test_a_digest_that_nobody_can_read_accuses_nobody(written: str) -> None:
    assert matches(written, BODY)
    assert canonical(written) is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2014-08-02T09:52:13Z", datetime(2014, 8, 2, 9, 52, 13, tzinfo=UTC)),
        ("2016-01-11T23:24:25.412030987Z", datetime(2016, 1, 11, 23, 24, 25, 412030, tzinfo=UTC)),
        ("2016-01-11T23:24Z", datetime(2016, 1, 11, 23, 24, tzinfo=UTC)),
        ("2016-01-11", datetime(2016, 1, 11, tzinfo=UTC)),
        ("2016-01", datetime(2016, 1, 1, tzinfo=UTC)),
        ("2016", datetime(2016, 1, 1, tzinfo=UTC)),
        ("2014-08-02T09:52:13", datetime(2014, 8, 2, 9, 52, 13, tzinfo=UTC)),
    ],
)
def test_dates_of_both_versions(written: str, read: datetime) -> None:
    assert read_date(written) == read


def test_an_address_stands_in_brackets_or_not_and_in_one_form() -> None:
    for written in ("<http://Paper.example>", "http://paper.example/#top", "http://paper.example:80/"):
        capture = capture_of(record(WARC_Target_URI=written), "x")
        assert capture is not None
        assert capture.url == "http://paper.example/"


@pytest.mark.parametrize("address", ["dns:paper.example", "urn:pageinfo:http://paper.example/", "", "ftp://a/b"])
def test_what_is_not_of_the_web_is_no_capture(address: str) -> None:
    assert capture_of(record(WARC_Target_URI=address), "x") is None


@pytest.mark.parametrize("kind", ["metadata", "conversion", "request", "warcinfo", "continuation"])
def test_other_types_are_no_captures(kind: str) -> None:
    assert capture_of(record(WARC_Type=kind), "x") is None


def test_a_resource_is_a_page_that_was_read_without_http() -> None:
    capture = capture_of(record(BODY, WARC_Type="resource", Content_Type="text/html; charset=utf-8"), "x")
    assert capture is not None
    assert (capture.status, capture.mime, capture.digest) == (200, "text/html", sha1(BODY))
    bare = record(BODY, WARC_Type="resource").response
    assert HttpMessage.parse(bare).payload == BODY


def test_the_digest_in_the_index_is_of_the_payload_whatever_its_writer_digested() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
    dechunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY
    for block in (chunked, dechunked, RESPONSE):
        capture = capture_of(record(block, WARC_Payload_Digest=digest(block)), "x")
        assert capture is not None
        assert capture.digest == digest(BODY)


def test_pseudo_headers_of_http2_are_no_headers() -> None:
    message = HttpMessage.parse(b"HTTP/2 200\r\n:status: 200\r\ncontent-type: text/html\r\n\r\n" + BODY)
    assert message.status == 200
    assert message.headers == [("content-type", "text/html")]


def test_a_status_that_is_none() -> None:
    capture = capture_of(record(b"HTTP/1.1 0 \r\n\r\n"), "x")
    assert capture is not None
    assert capture.status is None

from __future__ import annotations

import ast
import gzip
import re
import sys
import tomllib
import zlib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.http import ContentError, HttpMessage

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = "Rødgrød med fløde. ".encode() * 200


def response(body: bytes, *headers: bytes) -> HttpMessage:
    return HttpMessage.parse(b"\r\n".join([b"HTTP/1.1 200 OK", *headers, b"", body]))


@given(st.binary(max_size=300), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 404\nA: b\n\n"]))
def test_parse_changes_nothing(data: bytes, head: bytes) -> None:
    message = HttpMessage.parse(head + data)
    assert message.head + message.body == message.whole == head + data
    assert message.has_body == bool(message.body)
    assert isinstance(message.payload, bytes)
    assert isinstance(message.headers, list)


@given(st.binary(max_size=300), st.sampled_from([b"HTTP/1.1 200 OK\r\n", b"A: b\n\n"]), st.binary(max_size=300))
def test_another_body_leaves_the_head(data: bytes, head: bytes, body: bytes) -> None:
    message = HttpMessage.parse(head + data)
    other = message.with_body(body)
    assert (other.head, other.body, other.complete_head) == (message.head, body, message.complete_head)


def test_status_line() -> None:
    message = HttpMessage.parse(b"HTTP/1.1 404 Not  Here\r\n\r\n")
    assert (message.status, message.reason) == (404, "Not  Here")
    assert HttpMessage.parse(b"HTTP/1.1 200\r\n\r\n").reason == ""
    assert HttpMessage.parse(b"SSH-2.0-OpenSSH\r\n").status is None


def test_headers_keep_order_and_duplicates_and_unfold() -> None:
    message = response(b"", b"B: 1", b"a: 2", b"B: 3", b" more", b"no colon", b"L: \xe6")
    assert message.headers == [("B", "1"), ("a", "2"), ("B", "3 more"), ("L", "æ")]
    assert message.header("b") == "1"
    assert message.all("b") == ["1", "3 more"]


@pytest.mark.parametrize(
    ("value", "media_type"),
    [
        (b"Text/HTML; charset=x", "text/html"),
        (b"", None),
        (b"nonsense", None),
        (b"application/rss+xml", "application/rss+xml"),
    ],
)
def test_media_type(value: bytes, media_type: str | None) -> None:
    assert response(b"", b"Content-Type: " + value).media_type == media_type


@pytest.mark.parametrize(
    ("framed", "payload"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: x\r\n\r\n", b"hello!"),
        (b"5\nhello\n0\n\n", b"hello"),
        (b"00A \r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"5\r\nhel", b"hel"),
        # What other crawlers write: the chunks taken out, the coding still named.
        (b"zz\r\nhello", b"zz\r\nhello"),
        (b"beef\n", b""),
        (b"5\r\nhello world", b"5\r\nhello world"),
        (b"", b""),
    ],
)
def test_chunked_payload(framed: bytes, payload: bytes) -> None:
    assert response(framed, b"Transfer-Encoding: chunked").payload == payload


CODINGS = {
    b"gzip": gzip.compress(TEXT),
    b"x-gzip": gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:]),
    b"deflate": zlib.compress(TEXT),
    b"br": brotli.compress(TEXT),
    b"zstd": zstd.compress(TEXT),
    b"identity": TEXT,
    b"gzip, br": brotli.compress(gzip.compress(TEXT)),
}


@pytest.mark.parametrize("coding", CODINGS)
def test_content_is_decoded_within_bounds(coding: bytes) -> None:
    message = response(CODINGS[coding], b"Content-Encoding: " + coding)
    assert message.content(len(TEXT)) == TEXT
    with pytest.raises(ContentError, match="larger than"):
        message.content(len(TEXT) - 1)


def test_raw_deflate() -> None:
    assert response(zlib.compress(TEXT)[2:-4], b"Content-Encoding: deflate").content(10_000) == TEXT


def test_bytes_behind_a_gzip_stream_are_padding() -> None:
    assert response(gzip.compress(TEXT) + b"\0\0\0", b"Content-Encoding: gzip").content(10_000) == TEXT


def test_content_that_was_cut_gives_what_came() -> None:
    noise = bytes(i * 7919 % 251 for i in range(5000))
    cut = gzip.compress(noise)[:2000]
    content = response(cut, b"Content-Encoding: gzip").content(10_000)
    assert content
    assert noise.startswith(content)


@pytest.mark.parametrize(
    ("coding", "body", "message"),
    [
        (b"gzip", gzip.compress(b"", mtime=0)[:8] + b"\xff" * 20, "broken gzip"),
        (b"br", b"\xff\xff\xff\0", "broken br"),
    ],
)
def test_broken_content(coding: bytes, body: bytes, message: str) -> None:
    with pytest.raises(ContentError, match=message):
        response(body, b"Content-Encoding: " + coding).content(1000)


PLAIN = "<!doctype html><p>Æblegrød \N{EM DASH} and more of it</p>".encode()
#: mtime: the workers of a test run must give one test one name.
PACKED = gzip.compress(PLAIN, mtime=0)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        # What is no coding.
        *((coding, PLAIN) for coding in (b"utf-8", b"UTF8", b"none", b"text/html", b"8bit", b"exi", b"aws-chunked")),
        # One that was not applied.
        *((coding, PLAIN) for coding in (b"gzip", b"deflate", b"br", b"zstd", b"x-gzip", b"gzip, br", b"gzip;q=1")),
        (b"deflate", b'{"a": "\xc3\xa6", "list": [1, 2, 3]}'),
        (b"gzip", "Æ".encode("utf-16")),
        # Applied more often than said, less often, under another name, or without a word.
        (b"gzip", gzip.compress(PACKED, mtime=0)),
        (b"gzip, gzip", PACKED),
        (b"gzip\r\nContent-Encoding: gzip", PACKED),
        (b"utf-8", PACKED),
        (b"br", PACKED),
        (b"deflate", PACKED),
        (b"gzip", zstd.compress(PLAIN)),
        (b"", PACKED),
        (b"", zstd.compress(PLAIN)),
    ],
)
@pytest.mark.parametrize("kind", [b"text/html; charset=utf-8", b"application/json", b"application/rss+xml", b"odd"])
def test_a_coding_that_is_not_true(coding: bytes, body: bytes, kind: bytes) -> None:
    message = response(body, b"Content-Type: " + kind + b"\r\nContent-Encoding: " + coding)
    plain = next((text for text in (body, PLAIN) if text == PLAIN or not text.startswith((b"\x1f", b"\x28"))), b"")
    assert message.content(10_000) == plain
    assert message.beginning(20) == plain[:20]


def test_what_is_packed_by_itself_stays_so() -> None:
    packed = PACKED
    for kind in (b"application/gzip", b"application/octet-stream", b"application/x-tar"):
        assert response(packed, b"Content-Type: " + kind).content(10_000) == packed
        # Its own packing is not the one that was named.
        assert (
            response(gzip.compress(packed), b"Content-Type: " + kind + b"\r\nContent-Encoding: gzip").content(10_000)
            == packed
        )


def test_packing_without_a_word_has_bounds() -> None:
    bomb = gzip.compress(gzip.compress(bytes(10_000_000)))
    with pytest.raises(ContentError, match="larger than"):
        response(bomb, b"Content-Type: text/html").content(1_000_000)


@pytest.mark.parametrize(
    ("coding", "module"),
    [(b"br", "brotli"), (b"zstd", "compression" if sys.version_info >= (3, 14) else "backports")],
)
def test_missing_decoder_is_not_a_broken_body(monkeypatch: pytest.MonkeyPatch, coding: bytes, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    message = response(b"whatever it is", b"Content-Encoding: " + coding)
    with pytest.raises(ImportError):
        message.content(1_000)
    with pytest.raises(ImportError):
        message.beginning(1_000)


def test_what_is_imported_is_declared() -> None:
    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    # The other halves of boto3, Twisted and mcp.
    declared = {_plain(each) for each in named} | {"botocore", "zope-interface", "mcp-types"}
    ours = {"newskeep", "crawler", "spiders", "storage"}
    known = ours | sys.stdlib_module_names | {"_typeshed", "compression"}
    providers = packages_distributions()
    missing = {
        f"{path.relative_to(root)}: {top}"
        for package in ours
        for path in (root / package).rglob("*.py")
        for top in _imported(path) - known
        if declared.isdisjoint(map(_plain, providers.get(top, ())))
    }
    assert missing == set()


def _imported(path: Path) -> set[str]:
    """The packages that a file imports anywhere."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def _plain(requirement: str) -> str:
    """The name in a requirement, as registries compare them."""
    name = re.match(r"[\w.-]+", requirement)
    assert name
    return re.sub(r"[-_.]+", "-", name[0]).lower()

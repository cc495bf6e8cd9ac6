"""What a browser made of a page: beside its answer in the WARC, and the text is that of the DOM."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.session.page_extraction import extract_response
from crawler.session.read_back import with_sources
from storage.model import Exchange, Resource
from storage.renditions import DOM_TYPE, is_rendition, page_of, uri_of
from storage.warc import Record, capture_of, make_stem, read_records, resource_head
from storage.warc_writer import WarcWriter

URL = "https://news.example/a"
STARTED = datetime(2026, 11, 21, 22, 1, 20, tzinfo=UTC)
SHELL = Exchange(
    url=URL,
    started=STARTED,
    request=b"GET /a HTTP/1.1\r\nHost: news.example\r\n\r\n",
    response=b"HTTP/1.1 200 \r\ncontent-type: text/html\r\n\r\n<div id=root></div><script src=/s.js></script>",
    protocols=("h2", "tls/1.3"),
    request_frames=b"\x00\x00\x01\x01\x05\x00\x00\x00\x01a",
    response_frames=b"\x00\x00\x01\x01\x04\x00\x00\x00\x01b",
)
SENTENCE = "The council voted for the new bridge on Monday evening after a long debate about its cost and its colour."
DOM = f"<html><body><article><h1>A bridge opens</h1>{f'<p>{SENTENCE}</p>' * 6}</article></body></html>".encode()
RESOURCES = (
    Resource(uri_of("dom", URL), DOM_TYPE, DOM),
    Resource(uri_of("screenshot", URL), "image/png", b"\x89PNG" * 500_000),
)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[list[Record]]:
    path = tmp_path / "open"
    writer = WarcWriter(path, make_stem(STARTED, "c0ffee", 0) + ".warc.gz", {"software": "test"})
    writer.append(replace(SHELL, url="https://news.example/before"))
    writer.append(SHELL, resources=RESOURCES)
    writer.append(replace(SHELL, url="https://news.example/s.js", response=b"HTTP/1.1 200 \r\n\r\nvar a"))
    writer.append(SHELL, left_out="noarchive", resources=RESOURCES)
    writer.append(replace(SHELL, request_redacted=("cookie",)))
    writer.close()
    with path.open("rb") as file:
        yield list(read_records(file))


def test_they_follow_the_answer_and_are_no_captures(records: list[Record]) -> None:
    page = next(record for record in records if record.type == "response" and record.url == URL)
    beside = [record for record in records if record.field("WARC-Concurrent-To") == page.field("WARC-Record-ID")]
    assert [record.type for record in beside] == ["request", "metadata", "metadata", "resource", "resource"]
    assert [record.block for record in beside[1:3]] == [SHELL.request_frames, SHELL.response_frames]
    assert [(each.url, each.field("Content-Type"), each.block) for each in beside[3:]] == [
        (resource.uri, resource.kind, resource.data) for resource in RESOURCES
    ]
    for record in beside:
        record.check()
        assert record.date == STARTED
    # Once: of an answer that is not kept nothing is.
    assert sum(record.type == "resource" for record in records) == 2
    assert {capture.url for record in records if (capture := capture_of(record, "x"))} == {
        URL,
        "https://news.example/before",
        "https://news.example/s.js",
    }


def test_frames_of_what_was_changed_are_not_kept(records: list[Record]) -> None:
    last = [record for record in records if record.type == "response"][-1]
    beside = [record for record in records if record.field("WARC-Concurrent-To") == last.field("WARC-Record-ID")]
    assert [record.block for record in beside if record.type == "metadata"] == [SHELL.response_frames]


def test_a_pages_text_is_made_of_its_dom(records: list[Record]) -> None:
    pairs = list(with_sources(records))
    assert sorted(record.offset for record, _ in pairs) == [record.offset for record in records]
    made = {record.offset: source for record, source in pairs if source is not None}
    shells = [record for record in records if record.type == "response" and record.block == SHELL.response]
    assert [made.pop(shell.offset).url for shell in shells] == [
        "https://news.example/before",
        uri_of("dom", URL),
        URL,
    ]
    assert not made
    # Whatever it stops at, each record comes once.
    for end in range(len(records)):
        assert len(list(with_sources(itertools.islice(records, end)))) == end


def test_the_article_is_the_pages_and_says_so() -> None:
    extraction = extract_response(resource_head(DOM_TYPE) + DOM, uri_of("dom", URL), STARTED, 1 << 20)
    assert extraction.article is not None
    article = extraction.article.read()
    assert (article.url, article.title) == (URL, "A bridge opens")
    assert article.extractor is not None and article.extractor.method.startswith("rendered, ")
    plain = extract_response(resource_head(DOM_TYPE) + DOM, URL, STARTED, 1 << 20)
    assert plain.article is not None and plain.article.words == extraction.article.words


def test_addresses() -> None:
    assert page_of(uri_of("dom", URL)) == URL
    assert page_of(uri_of("pdf", URL)) is None and page_of(URL) is None
    assert is_rendition("urn:fullPage:https://news.example/") and not is_rendition("urn:text:https://news.example/")

"""Every exchange in the WARC, byte for byte as the origin sent and received it."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

import pytest
from certificates import Authority
from command import Run
from hostile_responses import MAX_BODY, TIMEOUT, Case, hostile_cases
from origin import Logged, Origin
from warcs import RawRecord, by_url
from warm_start import shared

CASES = hostile_cases()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Captured]]:
    """All hostile cases over plain TCP and over TLS, at once: most of the time goes to answers that do not come."""
    authority = Authority()
    roots = authority.written(tmp_path_factory.mktemp("roots"))
    with Origin() as plain, Origin(tls=authority.server("127.0.0.1")) as secure, ThreadPoolExecutor(2) as threads:
        origins = {"http": plain, "https": secure}
        folders = map(tmp_path_factory.mktemp, origins)
        found = threads.map(_captured, origins, folders, origins.values(), repeat(roots))
        yield dict(zip(origins, found, strict=True))


@pytest.fixture(params=["http", "https"])
def captured(request: pytest.FixtureRequest, both: dict[str, Captured]) -> Captured:
    return both[request.param]


def _captured(scheme: str, folder: Path, origin: Origin, roots: Path) -> Captured:
    urls = {name: case.install(origin, name) for name, case in CASES.items()}
    before = [origin.url(case.before) for case in CASES.values() if case.before]
    stalled = [url for name, url in urls.items() if "time" in CASES[name].verdicts]
    # Of the others none may run out of time, however busy the machine is.
    run = _save(folder, [*before, *(url for url in urls.values() if url not in stalled)], roots, 120)
    run |= _save(folder, stalled, roots, TIMEOUT)
    return Captured(scheme, folder / "archive", origin, urls, run)


class Captured:
    """What one run left: the outcomes by URL, the records by path, the origin's log."""

    def __init__(
        self, scheme: str, archive: Path, origin: Origin, urls: dict[str, str], outcomes: dict[str, str]
    ) -> None:
        self.scheme = scheme
        self.archive = archive
        self.origin = origin
        self.urls = urls
        self.outcomes = outcomes
        self.responses = by_url(archive, "response", "revisit")
        self.requests = by_url(archive, "request")
        # They have no URL, so that nothing replays them; the record they came before knows them.
        self.interim = defaultdict[str | None, list[bytes]](list)
        for record in by_url(archive, "metadata")[""]:
            if record["Content-Type"] == "application/http;msgtype=response":
                self.interim[record["WARC-Concurrent-To"]].append(record.block)


def _save(folder: Path, urls: list[str], roots: Path, timeout: float) -> dict[str, str]:
    command = ("save", "-i", "-", "--archive", str(folder / "archive"))
    options = ["--allow-private", "--json", "--timeout", str(timeout), "--max-size", str(MAX_BODY)]
    trusting = {**os.environ, "SSL_CERT_FILE": str(roots)}
    done = shared().run((*command, *options), folder, trusting, "\n".join(urls).encode(), 400)
    assert done.returncode in (4, 5), done.stderr.decode()
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["url"]: line["outcome"] for line in lines}


def _final(case: Case, logged: Logged) -> bytes:
    """What the origin sent as the final response: without the 1xx ones and what came after the declared end."""
    sent = logged.sent
    for interim in case.interim:
        sent = sent.removeprefix(interim)
    return sent.removesuffix(case.excess) if case.excess else sent


@pytest.mark.parametrize("name", CASES)
def test_response_is_identical(captured: Captured, name: str) -> None:
    case, url = CASES[name], captured.urls[name]
    sent = [final for logged in captured.origin.logged(f"/case/{name}") if (final := _final(case, logged))]
    kept = [_whole(captured, record) for record in captured.responses[url]]
    if case.partial:
        assert len(kept) == len(sent)
        assert all(wire.startswith(block) and block for wire, block in zip(sent, kept, strict=True))
    else:
        assert kept == sent


def _whole(captured: Captured, record: RawRecord) -> bytes:
    """The response of a record; a revisit gets its body from the record it refers to."""
    if record.type == "response":
        return record.block
    (original,) = (
        other
        for other in captured.responses[record["WARC-Refers-To-Target-URI"] or ""]
        if other.type == "response" and other["WARC-Date"] == record["WARC-Refers-To-Date"]
    )
    _, _, body = original.block.partition(b"\r\n\r\n")
    return record.block + body


@pytest.mark.parametrize("name", CASES)
def test_request_is_identical(captured: Captured, name: str) -> None:
    received = [logged.request for logged in captured.origin.logged(f"/case/{name}")]
    records = captured.requests[captured.urls[name]]
    assert received and {record.block for record in records} == set(received)
    # What is written to a connection that ends before the origin has read it, one that it closes just then or one that
    # is given up on a busy machine, was sent and is read by nobody: nor is it answered.
    unanswered = sum(record["WARC-Concurrent-To"] is None for record in records)
    assert len(received) <= len(records) <= len(received) + unanswered


@pytest.mark.parametrize("name", CASES)
def test_truncation_is_named(captured: Captured, name: str) -> None:
    verdicts = CASES[name].verdicts
    if captured.scheme == "https" and name == "reset-in-close-delimited":
        # Inside TLS a reset looks like the missing close_notify of servers that end a good body so.
        verdicts = ("complete",)
    for record in captured.responses[captured.urls[name]]:
        assert (record["WARC-Truncated"] or "complete") in verdicts


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.interim])
def test_interim_responses_are_kept(captured: Captured, name: str) -> None:
    responses = captured.responses[captured.urls[name]]
    kept = [block for record in responses for block in captured.interim[record["WARC-Record-ID"]]]
    assert kept == list(CASES[name].interim) * (len(kept) // len(CASES[name].interim))
    assert kept


def test_every_url_has_one_outcome(captured: Captured) -> None:
    assert set(captured.urls.values()) <= captured.outcomes.keys()
    whole = [name for name, case in CASES.items() if case.verdicts == ("complete",)]
    kinds = {name: captured.outcomes[captured.urls[name]] for name in whole}
    assert {kinds["chunked"], kinds["duplicate-headers"], kinds["lf-only"]} == {"archived"}


def test_connection_is_described(captured: Captured) -> None:
    (record,) = captured.responses[captured.urls["duplicate-headers"]]
    assert record["WARC-IP-Address"] == "127.0.0.1"
    protocols = record.all("WARC-Protocol")
    if captured.scheme == "https":
        assert protocols == ["http/1.1", "tls/1.3"]
        assert (record["WARC-Cipher-Suite"] or "").startswith("TLS_")
    else:
        assert protocols == ["http/1.1"]
        assert record["WARC-Cipher-Suite"] is None


def test_request_and_response_are_tied(captured: Captured) -> None:
    for url, responses in captured.responses.items():
        ids = {record["WARC-Record-ID"] for record in responses}
        assert ids == {record["WARC-Concurrent-To"] for record in captured.requests[url]} - {None}


def test_command_fails_clearly_without_urls(newskeep: Run) -> None:
    done = newskeep("save")
    assert done.returncode == 2
    assert b"nothing to save" in done.stderr

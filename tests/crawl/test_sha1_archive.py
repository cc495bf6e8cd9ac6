"""An archive whose digests are SHA-1 goes on: read, checked, and revisited by what is captured with SHA-256."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Run
from origin import Origin
from sha1_archive import turn_back
from warcs import by_url, warc_files

from storage.archive import open_archive
from storage.errors import Corrupt
from storage.warc import PAYLOAD_DIGEST

pytestmark = pytest.mark.long

PAGE = b"<html><title>A quay</title><p>The quay is as it was, and so is what is told of it here.</p></html>"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        origin.reply("/page", PAGE, headers=[("Content-Type", "text/html")])
        origin.on("/chunked", CHUNKED % (len(PAGE), PAGE))
        yield origin


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_old_captures_are_read_checked_and_revisited(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    urls = [origin.url("/page"), origin.url("/chunked")]
    assert newskeep("save", "--allow-private", *urls).returncode == 0
    turn_back(tmp_path / "archive")
    assert newskeep("reextract").returncode == 0
    assert newskeep("save", "--allow-private", *urls).returncode == 0

    for url in urls:
        old, new = by_url(tmp_path / "archive", "response", "revisit")[url]
        assert (old.type, new.type) == ("response", "revisit")
        # The digest that the original has, by which replay finds it, and beside it the one to trust.
        assert new["WARC-Payload-Digest"] == old["WARC-Payload-Digest"]
        assert str(old["WARC-Payload-Digest"]).startswith("sha1:")
        assert new[PAYLOAD_DIGEST] == digest(PAGE)
        assert new["WARC-Block-Digest"] == digest(new.block)
        assert newskeep("get", url).stdout == PAGE
        assert newskeep("get", url, "--as", "http").stdout == origin.logged(url[len(origin.url("")) :] or "/")[-1].sent
    assert newskeep("verify", "--deep").returncode == 0
    told = newskeep("captures", "127.0.0.1", "--json").stdout
    assert newskeep("reindex", "--from-warcs", "--mend").returncode == 0
    assert newskeep("captures", "127.0.0.1", "--json").stdout == told
    assert newskeep("verify", "--deep").returncode == 0
    held = [json.loads(line) for line in told.splitlines()]
    assert {each["digest"].partition(":")[0] for each in held if "robots" not in each["url"]} == {"sha1"}


def test_a_body_with_the_sha1_alone_is_not_shown_for_what_was_sent(
    newskeep: Run, origin: Origin, tmp_path: Path
) -> None:
    """As two files with one SHA-1 can be made, the SHA-256 of what was left out decides."""
    url = origin.url("/page")
    assert newskeep("save", "--allow-private", url).returncode == 0
    turn_back(tmp_path / "archive")
    assert newskeep("save", "--allow-private", url).returncode == 0
    with open_archive(tmp_path / "archive") as archive:
        revisit = next(each for each in archive.captures(url) if each.is_revisit)
        path = next(each for each in warc_files(tmp_path / "archive") if each.name == revisit.filename)
        forge(path, digest(PAGE).encode(), digest(PAGE + b"!").encode())
    # Found: the text of the first is not made again.
    assert newskeep("reindex", "--from-warcs").returncode == 7
    with open_archive(tmp_path / "archive") as archive, pytest.raises(Corrupt, match="has not the SHA-256"):
        archive.read(next(each for each in archive.captures(url) if each.is_revisit))


def forge(path: Path, old: bytes, new: bytes) -> None:
    """Write a WARC anew with other bytes in the heads of its records."""
    data = gzip.decompress(path.read_bytes())
    assert old in data
    marked = data.replace(old, new).replace(b"WARC/1.1\r\n", b"\0WARC/1.1\r\n").split(b"\0")
    path.write_bytes(b"".join(gzip.compress(record) for record in marked if record))

"""What was imported is shown like what was crawled, large bodies piece by piece too."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import foreign_warcs as foreign
import pytest

from crawler.ingest.importing import FileResult, ImportOptions, ImportResult, import_files
from crawler.ingest.sources import MissingSource, SourceFile
from crawler.session.stop_flag import StopFlag
from newskeep.web.payload import SMALL, payload_of
from storage import open_archive
from storage.archive import Archive
from storage.errors import NotArchived
from storage.ingest.note import Origin
from storage.ingest.parts import PartBounds

HOST = "http://paper.example"
HTTP = "application/http;msgtype=response"
#: More than is read into memory at once, also as it lies in its file.
LARGE = random.Random(1).randbytes(3 * SMALL)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with open_archive(tmp_path / "archive") as opened:
        yield opened


def record(kind: str, path: str, block: bytes, media_type: str = HTTP, **fields: str) -> bytes:
    given = {
        "WARC-Type": kind,
        "WARC-Record-ID": foreign.new_id(),
        "WARC-Target-URI": f"{HOST}{path}",
        "WARC-Date": "2020-01-02T03:04:05Z",
        "WARC-Block-Digest": foreign.sha256(block),
        "Content-Type": media_type,
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    return foreign.record("1.0", given.items(), block)


def bring(archive: Archive, folder: Path, *records: bytes, bounds: PartBounds | None = None) -> FileResult:
    path = folder / "file.warc.gz"
    path.write_bytes(foreign.gzipped(records))
    return run(archive, SourceFile("file.warc.gz", path, Origin("file.warc.gz")), bounds=bounds)[1][0]


def run(
    archive: Archive, *sources: SourceFile | MissingSource, bounds: PartBounds | None = None
) -> tuple[ImportResult, list[FileResult]]:
    told: list[FileResult] = []
    archive.store.check(write=True)
    options = ImportOptions("newskeep/test", workers=1, bounds=bounds or PartBounds())
    return import_files(archive, sources, options, StopFlag(), told.append), told


@pytest.mark.parametrize("body", [b"%PDF-1.4 small", LARGE], ids=["small", "large"])
@pytest.mark.parametrize(
    "block",
    [
        lambda body: ("resource", body, "application/pdf"),
        # Chunks taken out, the coding still named.
        lambda body: ("response", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body, HTTP),
        lambda body: (
            "response",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
            HTTP,
        ),
    ],
    ids=["resource", "dechunked", "chunked"],
)
def test_bodies_are_whole_however_they_were_written(
    archive: Archive, tmp_path: Path, body: bytes, block: object
) -> None:
    kind, written, media_type = block(body)  # type: ignore[operator]
    assert bring(archive, tmp_path, record(kind, "/a", written, media_type)).faults == ()
    payload = payload_of(archive, archive.find(f"{HOST}/a"))
    assert payload.size == len(body)
    assert b"".join(payload.pieces()) == body
    assert archive.get(f"{HOST}/a").message.payload == body
    if kind == "resource":
        assert payload.head.media_type == "application/pdf"


@pytest.mark.parametrize("head", [foreign.answer(b""), b""], ids=["a head", "no head"])
def test_a_revisit_of_another_file_has_its_body_once_that_is_here(
    archive: Archive, tmp_path: Path, head: bytes
) -> None:
    page, page_2 = foreign.page("The page"), foreign.page("Another")
    revisit = record(
        "revisit",
        "/again",
        head,
        WARC_Date="2020-02-03T04:05:06Z",
        WARC_Profile="http://netpreserve.org/warc/1.1/revisit/identical-payload-digest",
        WARC_Refers_To_Target_URI=f"<{HOST}>",
        WARC_Refers_To_Date="2020-01-02T03:04:05Z",
        WARC_Payload_Digest=foreign.sha256(page),
        WARC_Truncated="length",
    )
    bring(archive, tmp_path, revisit)
    with pytest.raises(NotArchived, match="is not in the archive"):
        archive.get(f"{HOST}/again")
    # Two captures of that second: its digest, which is none of ours, tells which.
    bring(archive, tmp_path, *(record("response", "", foreign.answer(body)) for body in (page_2, page)))
    memento = archive.get(f"{HOST}/again")
    assert memento.message.payload == page
    assert memento.truncated is None
    assert b"".join(payload_of(archive, memento.capture).pieces()) == page


def test_articles_that_were_held_are_versions(archive: Archive, tmp_path: Path) -> None:
    for day, words in enumerate(("harbour", "lighthouse"), 1):
        block = foreign.answer(foreign.page("Story", words))
        bring(archive, tmp_path, record("response", "/story", block, WARC_Date=f"2020-01-0{day}T00:00:00Z"))
    first, second = archive.versions(f"{HOST}/story")
    assert "harbour" in archive.read_article(first.entry).text
    assert "lighthouse" in archive.read_article(second.entry).text


def test_a_long_file_goes_in_in_parts_and_a_second_run_finds_them(archive: Archive, tmp_path: Path) -> None:
    records = [record("response", f"/{number}", foreign.answer(foreign.page(f"Story {number}"))) for number in range(7)]
    done = bring(archive, tmp_path, *records, bounds=PartBounds(records=3))
    assert (done.outcome, len(done.parts), done.captures, done.articles) == ("imported", 3, 7, 7)
    stored = sorted((tmp_path / "archive" / "warc").rglob("*.warc.gz"))
    assert [path.name for path in stored] == list(done.parts)
    assert b"".join(path.read_bytes() for path in stored) == (tmp_path / "file.warc.gz").read_bytes()
    # As after a crash between the last part and the note.
    archive.store.delete(f"imported/{done.sha256}.json")
    again = bring(archive, tmp_path, *records, bounds=PartBounds(records=3))
    assert again.outcome in ("imported", "held")
    assert len(list(archive.index.warcs())) == 3


def test_a_file_that_is_gone_is_not_in_the_way_of_the_next(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / "here.warc.gz"
    path.write_bytes(foreign.gzipped(foreign.heritrix("paper.example")))
    gone = SourceFile("gone.warc", tmp_path / "gone.warc", Origin("gone.warc"))
    result, told = run(archive, gone, MissingSource("x", "why"), SourceFile("here", path, Origin("here")))
    assert [each.outcome for each in told] == ["failed", "failed", "imported"]
    assert result.exit_code == 4

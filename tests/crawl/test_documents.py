"""PDF and office files, from the server to search and export; why some have no text; and those of an older archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Run
from documents import TEXT, bomb_pdf, docx, pdf, scanned_pdf
from origin import Origin

from storage import open_archive

_PDF = [("Content-Type", "application/pdf")]
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        origin.reply("/report.pdf", pdf(), headers=_PDF)
        origin.reply("/download?id=7", docx(), headers=[("Content-Type", _WORD)])
        origin.reply("/scan.pdf", scanned_pdf(), headers=_PDF)
        origin.reply("/bomb.pdf", bomb_pdf(), headers=_PDF)
        origin.reply("/private.pdf", pdf(), headers=[*_PDF, ("X-Robots-Tag", "noarchive")])
        yield origin


def lines(printed: bytes) -> dict[str, dict[str, object]]:
    return {line["url"]: line for line in map(json.loads, printed.splitlines())}


def test_documents_are_found_shown_and_exported(newskeep: Run, origin: Origin) -> None:
    urls = [origin.url(path) for path in ("/report.pdf", "/download?id=7", "/scan.pdf", "/bomb.pdf")]
    done = newskeep("save", "--allow-private", "--json", *urls)
    told = lines(done.stdout)
    assert [told[url]["outcome"] for url in urls] == ["archived"] * 4, done.stderr.decode()
    assert [told[url]["title"] for url in urls[:2]] == ["The bridge in figures"] * 2
    assert str(told[urls[2]]["reason"]).endswith(", no text: scanned (no text layer)")
    assert ", no text: too large (" in str(told[urls[3]]["reason"]) and "PDF" in str(told[urls[3]]["reason"])
    found = lines(newskeep("search", "foundation", "author:quay", "--json").stdout)
    assert found.keys() == set(urls[:2])
    article = json.loads(newskeep("get", urls[0], "--as", "json").stdout)
    assert article["text"] == "\n\n".join(TEXT) and article["extractor"]["method"] == "pdf"
    exported = lines(newskeep("export", "--format", "jsonl", "--to", "-").stdout)
    assert exported.keys() == set(urls[:2]) and TEXT[1] in str(exported[urls[1]]["text"])
    shown = newskeep("get", urls[0])
    assert shown.stdout == pdf()


def test_reextract_makes_the_text_that_an_older_archive_lacks(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    url = origin.url("/report.pdf")
    told = lines(newskeep("save", "--allow-private", "--no-text", "--json", url).stdout)
    assert told[url]["reason"] == "its text is left out"
    assert newskeep("search", "foundation").returncode == 6
    done = newskeep("reextract")
    assert done.returncode == 0, done.stderr.decode()
    assert newskeep("search", "foundation").returncode == 0
    assert newskeep("reextract").returncode == 0 and newskeep("verify", "--deep").returncode == 0
    with open_archive(tmp_path / "archive") as archive:
        assert archive.article(url).text == "\n\n".join(TEXT)


def test_what_says_noarchive_says_so_in_its_article(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    url = origin.url("/private.pdf")
    newskeep("save", "--allow-private", url)
    with open_archive(tmp_path / "archive") as archive:
        assert archive.article(url).noarchive

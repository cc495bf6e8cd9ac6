"""Documents that are no HTML: text, title, authors and dates of PDF and office files; and why some have no text."""

from __future__ import annotations

import io
import random
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import documents
import pytest
from documents import LINES, TEXT, bomb_pdf, docx, odt, package, pdf, pptx, scanned_pdf
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from crawler.documents.document import NoText
from crawler.documents.kinds import Kind, document_kind
from crawler.documents.paragraphs import paragraphs
from crawler.documents.reader import read
from crawler.session.page_extraction import extract_response, is_readable
from storage.http import HttpMessage
from storage.model import Article

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
URL = "https://harbour.example/report"
_OPEN = "application/vnd.openxmlformats-officedocument."
TYPES = {
    "pdf": "application/pdf",
    "docx": f"{_OPEN}wordprocessingml.document",
    "pptx": f"{_OPEN}presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
}


def article(content: bytes, kind: Kind = "pdf", unpacked_max: int = 10_000_000) -> Article:
    return read(content, kind, URL, now=NOW, unpacked_max=unpacked_max)


def answer(content: bytes, media_type: str | None) -> bytes:
    kind = f"Content-Type: {media_type}\r\n" if media_type else ""
    return f"HTTP/1.1 200 OK\r\n{kind}Content-Length: {len(content)}\r\n\r\n".encode() + content


def locked(password: str, owner: str = "owner", algorithm: str = "AES-256") -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf())))
    writer.encrypt(password, owner, algorithm=algorithm)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_pdf_has_its_paragraphs_and_what_it_says_of_itself() -> None:
    found = article(pdf([LINES, ["Page two stands alone."]]))
    assert [block.text for block in found.blocks] == [*TEXT, "Page two stands alone."]
    assert (found.title, found.authors) == ("The bridge in figures", ("Ada Quay", "Bo Li"))
    assert (found.published, found.modified) == ("2026-10-01T10:00:00+02:00", "2026-10-02T00:00:00")
    assert found.language == "en" and found.sources["title"] == "document metadata"
    assert found.extractor is not None and (found.extractor.method, found.extractor.model) == ("pdf", None)
    assert all(block.kept and block.reason == ("document", "", None) for block in found.blocks)


@pytest.mark.parametrize(("method", "content"), [("docx", docx()), ("pptx", pptx()), ("odt", odt())])
def test_office_documents(method: str, content: bytes) -> None:
    found = article(content, "office")
    texts = [(block.kind, block.text) for block in found.blocks]
    assert texts == [("h1", "Swing bridge")] * (method != "pptx") + [("p", TEXT[0]), ("p", TEXT[1])]
    assert (found.title, found.authors) == ("The bridge in figures", ("Ada Quay", "Bo Li"))
    assert found.published in ("2026-10-01T08:00:00+00:00", "2026-10-01T10:00:00.123456")
    assert found.extractor is not None and found.extractor.method == method


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Microsoft Word - yearly report", "yearly report"),
        ("Microsoft Word - report.doc", "A first line"),
        ("Untitled", "A first line"),
        ("", "A first line"),
        ("  The\tbridge ", "The bridge"),
    ],
)
def test_a_title_that_nobody_gave_is_none(title: str, expected: str) -> None:
    assert article(pdf([["A first line", "", *LINES]], {"Title": title})).title == expected


@pytest.mark.parametrize("date", ["D:2027", "D:20261301", "yesterday", "", "D:20261001100000+99'00'x", "D:00000000"])
def test_a_date_that_cannot_be_is_none(date: str) -> None:
    found = article(pdf(info={"CreationDate": date}))
    assert found.published is None or found.published == "2026-10-01T10:00:00"


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (scanned_pdf, "pdf", "scanned (no text layer)"),
        (lambda: pdf([[""]]), "pdf", "empty"),
        (lambda: locked("secret"), "pdf", "encrypted (it asks for a password)"),
        (lambda: b"%PDF-1.7\n" + b"0" * 5_000, "pdf", "broken"),
        (lambda: b"", "pdf", "broken"),
        (lambda: pdf([]), "pdf", "broken (it has no pages)"),
        (bomb_pdf, "pdf", "too large|broken"),
        (lambda: b"no zip", "office", "broken (no zip file)"),
        (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "office", "encrypted"),
        (lambda: odt('<m xmlns:m="m"><m:encryption-data/></m>'), "office", "encrypted (it asks for a password)"),
        (lambda: docx("<w:p>"), "office", "broken (its part word/document.xml)"),
        (lambda: docx("<w:p/>"), "office", "empty"),
        (lambda: package({"xl/workbook.xml": "<w/>"}), "office", "neither text nor slides"),
        (lambda: package({"word/document.xml": b" " * 20_000_000}), "office", "too large (what is packed in it)"),
        (lambda: package({f"{number}": "" for number in range(20_001)}), "office", "too large (20,001 parts)"),
    ],
)
def test_why_there_is_no_text(content: Callable[[], bytes], kind: Kind, said: str) -> None:
    with pytest.raises(NoText) as raised:
        article(content(), kind)
    told = str(raised.value)
    assert any(told.startswith(each) for each in said.split("|")), told
    assert "\n" not in told


def test_a_document_that_only_its_owner_may_change_is_read() -> None:
    for algorithm in ("AES-256", "RC4-128"):
        assert [block.text for block in article(locked("", algorithm=algorithm)).blocks] == [*TEXT]


def test_a_broken_page_costs_that_page_alone() -> None:
    pages = [LINES, ["Broken."], LINES]
    content = pdf(pages).replace(b"/Contents 8 0 R", b"/Contents 1 0 R")
    found = article(content)
    assert found.extractor is not None and found.extractor.method.startswith("pdf")
    assert [block.text for block in found.blocks] == [*TEXT, *TEXT]


@pytest.mark.parametrize("entity", ['<!ENTITY a SYSTEM "file:///etc/passwd">', '<!ENTITY a "aaaaaaaaaa">'])
def test_entities_bring_nothing_in(entity: str) -> None:
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = f'<w:document xmlns:w="{space}"><w:p><w:t>seen &a;</w:t></w:p></w:document>'
    found = article(package({"word/document.xml": f"<!DOCTYPE w [{entity}]>{body}"}), "office")
    assert found.text == "seen"


def test_documents_are_known_by_type_and_by_their_first_bytes() -> None:
    contents = {"pdf": pdf(), "docx": docx(), "pptx": pptx(), "odt": odt()}
    for name, content in contents.items():
        kind = "pdf" if name == "pdf" else "office"
        for media_type in (TYPES[name], f"{TYPES[name].upper()}; charset=binary", "application/octet-stream", None):
            assert document_kind(HttpMessage.parse(answer(content, media_type))) == kind
            assert is_readable(answer(content, media_type))
    for other in (b"PK\x03\x04" + b"\0" * 40, b"\x89PNG", b""):
        assert not is_readable(answer(other, "application/octet-stream"))
    assert not is_readable(answer(pdf(), "image/png"))
    assert not is_readable(answer(pdf(), TYPES["pdf"]).replace(b"200 OK", b"404 Not Found"))


def test_a_pdf_that_is_sent_as_a_page_is_a_pdf() -> None:
    found = extract_response(answer(pdf(), "text/html"), "https://a.example/report", NOW, 10**6).article
    assert found is not None
    assert TEXT[0].encode() in found.line


def test_a_reason_says_what_it_is() -> None:
    response = answer(scanned_pdf(), TYPES["pdf"])
    found = extract_response(response, URL, NOW, 10_000_000)
    assert found.article is None and not found.again
    assert re.fullmatch(r"PDF, \d+ bytes, no text: scanned \(no text layer\)", found.reason or "")


def test_where_pypdf_is_missing_the_reason_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['pypdf'] = None\n"
        "from datetime import UTC, datetime\nfrom crawler.documents.reader import read\n"
        "try: read(b'%PDF-', 'pdf', '', now=datetime.now(UTC), unpacked_max=1)\n"
        "except Exception as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "needs the extra documents (pip install 'newskeep[documents]')\n"


@given(st.sampled_from(["pdf", "docx", "pptx", "odt"]), st.integers(0, 2**32), st.integers(1, 40))
def test_whatever_is_damaged_raises_nothing_else(name: str, seed: int, faults: int) -> None:
    chosen = random.Random(seed)
    content = bytearray(getattr(documents, name)())
    for _ in range(faults):
        content[chosen.randrange(len(content))] = chosen.randrange(256)
    if chosen.random() < 0.3:
        del content[chosen.randrange(len(content)) :]
    try:
        article(bytes(content), "pdf" if name == "pdf" else "office")
    except NoText as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("A line of text\ngoes on and on.\n\nNext.", ["A line of text goes on and on.", "Next."]),
        ("one two three four-\nfive six seven eight", ["one two three fourfive six seven eight"]),
        ("the North-\nSouth line goes on", ["the North- South line goes on"]),
        ("• first point of these\n• second point of these", ["• first point of these", "• second point of these"]),
        ("東京の橋が新しく\nなりました", ["東京の橋が新しくなりました"]),
        ("eﬃcient ﬂow", ["efficient flow"]),
        ("", []),
    ],
)
def test_paragraphs(page: str, expected: list[str]) -> None:
    assert list(paragraphs(page)) == expected

"""Documents that are no HTML, written here byte by byte: PDF, docx, pptx, odt; and broken, packed and locked ones."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence

LINES = (
    "The harbour authority publishes its yearly report on the new swing bridge, which",
    "carried forty thousand vehicles a day in its first winter and was closed for re-",
    "pair only twice, in March.",
    "",
    "The authority asks the council for a second span, to be built before the end of",
    "the decade, and for a toll on lorries that would pay for most of its foundation.",
)
TEXT = " ".join(LINES[:3]).replace("re- pair", "repair"), " ".join(LINES[4:])
CORE = """<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">
<dc:title>The bridge in figures</dc:title><dc:creator>Ada Quay; Bo Li</dc:creator>
<dcterms:created>2026-10-01T08:00:00Z</dcterms:created><dcterms:modified>2026-10-02T08:00:00Z</dcterms:modified>
</cp:coreProperties>"""
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_P = "http://schemas.openxmlformats.org/presentationml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_ODF = "urn:oasis:names:tc:opendocument:xmlns"
PDF_INFO = {
    "Title": "The bridge in figures",
    "Author": "Ada Quay; Bo Li",
    "CreationDate": "D:20261001100000+02'00'",
    "ModDate": "D:20261002",
}


def pdf(pages: Sequence[Sequence[str]] = (LINES,), info: Mapping[str, str] = PDF_INFO) -> bytes:
    """A PDF of lines of text in Helvetica, a page each."""
    contents = []
    for lines in pages:
        shown = "".join(f"({line}) Tj T*\n" if line else "T*\n" for line in lines)
        contents.append(f"BT /F1 11 Tf 14 TL 50 780 Td\n{shown}ET".encode("latin-1"))
    return _pdf(contents, b"/Font << /F1 3 0 R >>", info)


def scanned_pdf() -> bytes:
    """A page that is a picture of one."""
    picture = _stream(
        b"/Type /XObject /Subtype /Image /Width 8 /Height 8 /ColorSpace /DeviceGray /BitsPerComponent 8", b"x" * 64
    )
    return _pdf([b"q 500 0 0 700 50 50 cm /I1 Do Q"], b"/XObject << /I1 3 0 R >>", {}, third=picture)


def bomb_pdf(unpacked: int = 1 << 30) -> bytes:
    """A PDF whose page unpacks to so many bytes."""
    packer = zlib.compressobj(9)
    piece = b"(bomb) Tj\n" * 100_000
    packed = b"".join(packer.compress(piece) for _ in range(unpacked // len(piece))) + packer.flush()
    return _pdf([], b"/Font << /F1 3 0 R >>", {}, ready=[_stream(b"/Filter /FlateDecode", packed)])


def _pdf(
    contents: Sequence[bytes],
    resources: bytes,
    info: Mapping[str, str],
    third: bytes = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ready: Sequence[bytes] = (),
) -> bytes:
    streams = [*(_stream(b"", each) for each in contents), *ready]
    first = 5
    kids = b" ".join(b"%d 0 R" % (first + 2 * number) for number in range(len(streams)))
    told = b" ".join(f"/{name} ({value})".encode("latin-1") for name, value in info.items())
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Lang (en-GB) >>",
        b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, len(streams)),
        third,
        b"<< %b >>" % told,
    ]
    for number, stream in enumerate(streams):
        place = first + 2 * number
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 840] /Resources << %b >> /Contents %d 0 R >>"
            % (resources, place + 1)
        )
        objects.append(stream)
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    begin = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table)
    out += b"trailer << /Size %d /Root 1 0 R /Info 4 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, begin)
    return bytes(out)


def _stream(fields: bytes, data: bytes) -> bytes:
    return b"<< %b /Length %d >>\nstream\n%b\nendstream" % (fields, len(data), data)


def package(members: Mapping[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            kind = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            made.writestr(name, data, kind)
    return out.getvalue()


def docx(body: str | None = None) -> bytes:
    written = body or (
        '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Swing bridge</w:t></w:r></w:p>'
        f"<w:p><w:r><w:t>{TEXT[0][:40]}</w:t></w:r><w:r><w:t>{TEXT[0][40:]}</w:t></w:r></w:p>"
        f"<w:tbl><w:tr><w:tc><w:p><w:r><w:t>{TEXT[1]}</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
        "<w:p><w:del><w:r><w:delText>deleted</w:delText></w:r></w:del></w:p>"
    )
    document = f'<w:document xmlns:w="{_W}"><w:body>{written}</w:body></w:document>'
    return package({"[Content_Types].xml": "<Types/>", "word/document.xml": document, "docProps/core.xml": CORE})


def pptx() -> bytes:
    slide = '<p:sld xmlns:p="{p}" xmlns:a="{a}"><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>'
    order = f'<p:presentation xmlns:p="{_P}" xmlns:r="{_R}"><p:sldId r:id="r2"/><p:sldId r:id="r1"/></p:presentation>'
    relation = '<Relationship Id="{id}" Target="slides/{name}.xml"/>'
    relations = relation.format(id="r1", name="slide1") + relation.format(id="r2", name="../slides/slide2")
    return package(
        {
            "[Content_Types].xml": "<Types/>",
            "ppt/presentation.xml": order,
            "ppt/_rels/presentation.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
            f'relationships">{relations}</Relationships>',
            "ppt/slides/slide1.xml": slide.format(p=_P, a=_A, text=TEXT[1]),
            "ppt/slides/slide2.xml": slide.format(p=_P, a=_A, text=TEXT[0]),
            "docProps/core.xml": CORE,
        }
    )


def odt(manifest: str = "<manifest/>") -> bytes:
    meta = (
        f'<office:document-meta xmlns:office="{_ODF}:office:1.0" xmlns:meta="{_ODF}:meta:1.0"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><office:meta><dc:title>The bridge in figures</dc:title>'
        "<meta:initial-creator>Ada Quay; Bo Li</meta:initial-creator>"
        "<meta:creation-date>2026-10-01T10:00:00.123456789</meta:creation-date></office:meta></office:document-meta>"
    )
    content = (
        f'<office:document-content xmlns:office="{_ODF}:office:1.0" xmlns:text="{_ODF}:text:1.0"><office:body>'
        "<office:text><text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>"
        '<text:h text:outline-level="1">Swing bridge</text:h>'
        f"<text:p>{TEXT[0][:40]}<text:span>{TEXT[0][40:]}</text:span></text:p>"
        f"<text:p>{TEXT[1].replace(' ', '<text:s/>', 1)}</text:p></office:text></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.text"
    return package({"mimetype": kind, "content.xml": content, "meta.xml": meta, "META-INF/manifest.xml": manifest})

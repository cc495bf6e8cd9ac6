"""The text of office documents: Office Open XML (docx, pptx) and OpenDocument (odt, odp). Zip files with XML in them.

Nothing in them is carried out: no macro, link, entity or formula.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime

from lxml import etree

from crawler.documents.document import Document, NoText

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"
_DC, _TERMS = "{http://purl.org/dc/elements/1.1/}", "{http://purl.org/dc/terms/}"

#: Members of a package; the largest have a few thousand.
_MEMBERS_MAX = 20_000
#: What an old file has, and one that is encrypted by a program of Microsoft's: both are no zip.
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_HEADING = re.compile(r"heading\s?([1-6])|(title)", re.I)
#: Changes that were taken back, what is written at the margin, and what stands there for older readers once more.
_LEFT_OUT = {
    f"{_W}del",
    f"{_W}moveFrom",
    _FALLBACK,
    f"{_TEXT}tracked-changes",
    f"{_OFFICE}annotation",
    f"{_OFFICE}forms",
}
_SPACES = {f"{_W}tab", f"{_W}br", f"{_W}cr", f"{_A}br", f"{_TEXT}s", f"{_TEXT}tab", f"{_TEXT}line-break"}
_WRITTEN = {f"{_W}t", f"{_A}t"}

Paragraphs = Iterator[tuple[str, str]]


class _Package:
    """The members of a zip file, read within a bound for all of them."""

    def __init__(self, content: bytes, unpacked_max: int) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            is_encrypted = content.startswith(_COMPOUND) and _ENCRYPTED in content
            raise NoText("encrypted (it asks for a password)" if is_encrypted else "broken (no zip file)") from None
        self.names = self._zip.namelist()
        if len(self.names) > _MEMBERS_MAX:
            raise NoText(f"too large ({len(self.names):,} parts)")
        self._left = unpacked_max

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def read(self, name: str) -> bytes:
        try:
            with self._zip.open(name) as member:
                data = member.read(self._left + 1)
        except RuntimeError:
            raise NoText("encrypted (it asks for a password)") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError):
            raise NoText(f"broken (its part {name})") from None
        self._left -= len(data)
        if self._left < 0:
            raise NoText("too large (what is packed in it)")
        return data

    def tree(self, name: str) -> etree._Element:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
        try:
            return etree.fromstring(self.read(name), parser)
        except etree.XMLSyntaxError:
            raise NoText(f"broken (its part {name})") from None

    def tree_or_none(self, name: str) -> etree._Element | None:
        """A part that a document need not have; what is wrong with it costs no text."""
        try:
            return self.tree(name) if name in self else None
        except NoText:
            return None


def read(content: bytes, unpacked_max: int) -> Document:
    """Raises `NoText`."""
    package = _Package(content, unpacked_max)
    for needed, method, find in _FORMATS:
        if needed in package:
            found = tuple(find(package))
            return _with_metadata(package, _method(package, method), found)
    raise NoText("neither text nor slides")


def _method(package: _Package, method: str) -> str:
    if method == "odt" and "mimetype" in package and b"presentation" in package.read("mimetype"):
        return "odp"
    return method


def _docx(package: _Package) -> Paragraphs:
    yield from _word(package.tree("word/document.xml"))
    for notes in ("word/footnotes.xml", "word/endnotes.xml"):
        if (tree := package.tree_or_none(notes)) is not None:
            yield from _word(tree)


def _word(tree: etree._Element) -> Paragraphs:
    for paragraph in _outside(tree, f"{_W}p"):
        style = paragraph.find(f"{_W}pPr/{_W}pStyle")
        match = _HEADING.fullmatch((style.get(f"{_W}val") or "") if style is not None else "")
        listed = paragraph.find(f"{_W}pPr/{_W}numPr") is not None
        kind = f"h{match[1] or 1}" if match else "li" if listed else "p"
        yield kind, _written(paragraph, f"{_W}p")


def _pptx(package: _Package) -> Paragraphs:
    for name in _slides(package):
        if (tree := package.tree_or_none(name)) is not None:
            for paragraph in _outside(tree, f"{_A}p"):
                yield "p", _written(paragraph, f"{_A}p")


def _slides(package: _Package) -> Iterator[str]:
    """The names of the slides, as they are shown."""
    tree = package.tree("ppt/presentation.xml")
    relations = package.tree_or_none("ppt/_rels/presentation.xml.rels")
    targets = {each.get("Id"): each.get("Target") or "" for each in ([] if relations is None else relations)}
    for each in tree.iter(f"{_P}sldId"):
        target = targets.get(each.get(f"{_R}id"), "")
        # Relative to the part that names it, or to the package (ISO/IEC 29500-2, 9.3).
        yield posixpath.normpath(posixpath.join("/ppt", target)).lstrip("/")


def _odf(package: _Package) -> Paragraphs:
    manifest = package.tree_or_none("META-INF/manifest.xml")
    if manifest is not None and any(str(each.tag).endswith("}encryption-data") for each in manifest.iter("{*}*")):
        raise NoText("encrypted (it asks for a password)")
    body = package.tree("content.xml").find(f"{_OFFICE}body")
    if body is None:
        raise NoText("broken (it has no body)")
    for paragraph in _outside(body, f"{_TEXT}p", f"{_TEXT}h"):
        level = paragraph.get(f"{_TEXT}outline-level", "1")
        is_heading = paragraph.tag == f"{_TEXT}h"
        kind = f"h{level if level in '123456' else 6}" if is_heading else "p"
        yield kind, _written(paragraph, f"{_TEXT}p", all_text=True)


_FORMATS: tuple[tuple[str, str, Callable[[_Package], Paragraphs]], ...] = (
    ("word/document.xml", "docx", _docx),
    ("ppt/presentation.xml", "pptx", _pptx),
    ("content.xml", "odt", _odf),
)


def _outside(tree: etree._Element, *tags: str) -> Iterator[etree._Element]:
    """Yield the elements of some tags, in order, also those within one another, but nothing of what is left out."""
    for event, element in (walk := etree.iterwalk(tree, events=("start",))):
        del event
        if element.tag in _LEFT_OUT:
            walk.skip_subtree()
        elif element.tag in tags:
            yield element


def _written(paragraph: etree._Element, nested: str, *, all_text: bool = False) -> str:
    """The text of a paragraph, without that of paragraphs in it, such as those of a text box."""
    pieces: list[str] = [paragraph.text or ""] if all_text else []
    walk = etree.iterwalk(paragraph, events=("start", "end"))
    for event, element in walk:
        if element is paragraph:
            continue
        if event == "start":
            if element.tag in _LEFT_OUT or element.tag == nested:
                walk.skip_subtree()
            elif element.tag in _SPACES:
                pieces.append(" ")
            elif element.tag in _WRITTEN or (all_text and isinstance(element.tag, str)):
                pieces.append(element.text or "")
        elif all_text:
            pieces.append(element.tail or "")
    return "".join(pieces)


def _with_metadata(package: _Package, method: str, found: tuple[tuple[str, str], ...]) -> Document:
    tree = package.tree_or_none("meta.xml" if method.startswith("od") else "docProps/core.xml")

    def said(*tags: str) -> str | None:
        for tag in tags if tree is not None else ():
            element = tree.find(f".//{tag}") if tree is not None else None
            if element is not None and element.text and element.text.strip():
                return element.text.strip()
        return None

    author = said(f"{_META}initial-creator", f"{_DC}creator")
    return Document(
        method=method,
        paragraphs=found,
        title=said(f"{_DC}title"),
        authors=tuple(each.strip() for each in (author or "").split(";")),
        created=_date(said(f"{_META}creation-date", f"{_TERMS}created")),
        modified=_date(said(f"{_TERMS}modified", f"{_DC}date")),
        language=said(f"{_DC}language"),
        has_pictures=any(name.startswith(("word/media/", "ppt/media/", "Pictures/")) for name in package.names),
    )


def _date(given: str | None) -> datetime | None:
    try:
        # LibreOffice writes nine digits of a second.
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", given)) if given else None
    except ValueError:
        return None

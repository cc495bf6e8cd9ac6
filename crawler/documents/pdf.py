"""The text of a PDF's pages and what the document says of itself. The only user of pypdf."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from crawler.documents.document import Document, NoText
from crawler.documents.paragraphs import paragraphs

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

#: More is a book, or made to keep us busy.
_PAGES_MAX = 3_000
#: Characters of all pages.
_TEXT_MAX = 10_000_000
#: Pages that are looked at for pictures where there is no text.
_LOOKED_AT = 5
# D:YYYYMMDDHHmmSSOHH'mm', of which all but the year may be missing (ISO 32000-1, 7.9.4).
_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:([+-])(\d\d)'?(\d\d)?|(Z))?")
#: What programs put where nobody gave a title.
_NO_TITLE = re.compile(r"untitled.*|.*\.(?:docx?|indd|qx[dp]|pdf|tex|dvi|rtf|odt|pptx?|xlsx?)|document\d*", re.I)
_PROGRAM = re.compile(r"^Microsoft (?:Word|PowerPoint|Excel) - ")


def read(content: bytes, _: int) -> Document:
    """Raises `NoText`. What streams unpack to is bounded by pypdf, which has bounds for each of its filters."""
    try:
        from pypdf import PdfReader
        from pypdf.errors import DependencyError, LimitReachedError, PyPdfError
    except ModuleNotFoundError:
        raise NoText("needs the extra documents (pip install 'newskeep[documents]')") from None
    # It tells of all that it mends.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise NoText("encrypted (it asks for a password)")
        return _read(reader)
    except LimitReachedError:
        raise NoText("too large (what is packed in it)") from None
    except DependencyError:
        raise NoText("encrypted (in a way that is not known)") from None
    except PyPdfError:
        raise NoText("broken (it cannot be read as a PDF)") from None


def _read(reader: PdfReader) -> Document:
    pages = len(reader.pages)
    if not pages:
        raise NoText("broken (it has no pages)")
    if pages > _PAGES_MAX:
        raise NoText(f"too large ({pages:,} pages)")
    texts = [_text(reader, number) for number in range(pages)]
    if sum(map(len, filter(None, texts))) > _TEXT_MAX:
        raise NoText(f"too large (more than {_TEXT_MAX:,} characters)")
    broken = texts.count(None)
    if broken == pages:
        raise NoText("broken (none of its pages can be read)")
    found = tuple(("p", each) for text in texts if text for each in paragraphs(text))
    info = _info(reader)
    return Document(
        method="pdf" if not broken else f"pdf, without {broken} of {pages} pages that are broken",
        paragraphs=found,
        title=_title(info.get("/Title")),
        authors=tuple(each.strip() for each in (info.get("/Author") or "").split(";")),
        created=_date(info.get("/CreationDate")),
        modified=_date(info.get("/ModDate")),
        language=_language(reader),
        has_pictures=not found and any(_has_pictures(reader, number) for number in range(min(pages, _LOOKED_AT))),
    )


def _text(reader: PdfReader, number: int) -> str | None:
    """The text of a page; `None` where it is broken, which costs that page alone."""
    from pypdf.errors import LimitReachedError

    try:
        return reader.pages[number].extract_text()
    except (LimitReachedError, MemoryError):
        raise
    except Exception:
        return None


def _info(reader: PdfReader) -> dict[str, str]:
    """The document information dictionary, as far as it is text."""
    try:
        found: dict[str, Any] = {name: value.get_object() for name, value in (reader.metadata or {}).items()}
    except MemoryError:
        raise
    except Exception:
        return {}
    return {name: str(value) for name, value in found.items() if isinstance(value, str)}


def _title(given: str | None) -> str | None:
    bare = _PROGRAM.sub("", given or "").strip()
    return None if not bare or _NO_TITLE.fullmatch(bare) else bare


def _date(given: str | None) -> datetime | None:
    match = _DATE.match((given or "").strip())
    if match is None:
        return None
    *digits, sign, hours, minutes, zulu = match.groups()
    year, month, day, hour, minute, second = (
        int(each) if each else least for each, least in zip(digits, (0, 1, 1, 0, 0, 0), strict=True)
    )
    zone = UTC if zulu else None
    if sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        zone = timezone(offset if sign == "+" else -offset) if offset < timedelta(days=1) else None
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None


def _language(reader: PdfReader) -> str | None:
    try:
        found = reader.root_object.get("/Lang")
    except Exception:
        return None
    return found if isinstance(found, str) else None


def _has_pictures(reader: PdfReader, number: int) -> bool:
    try:
        return any(_is_picture(each) for each in _objects(reader.pages[number]))
    except MemoryError:
        raise
    except Exception:
        return False


def _objects(page: PageObject) -> Iterator[Any]:
    resources: Any = page.get("/Resources", {})
    for each in resources.get_object().get("/XObject", {}).get_object().values():
        yield each.get_object()


def _is_picture(found: Any) -> bool:
    # A form may hold one.
    return found.get("/Subtype") in ("/Image", "/Form")

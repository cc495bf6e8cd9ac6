"""Which answers are documents: by their media type, and by their first bytes where the type says nothing."""

from __future__ import annotations

from typing import Literal

from storage.http import HttpMessage

Kind = Literal["pdf", "office"]

_PDF_TYPES = {"application/pdf", "application/x-pdf"}
_OFFICE_TYPES = {
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.presentation",
}
#: Types that a server gives to what it does not know.
_UNKNOWN = {
    None,
    "application/octet-stream",
    "binary/octet-stream",
    "application/force-download",
    "application/download",
}
#: How far into a file viewers look for its first line (ISO 32000-1, Annex H.3.4.1).
_LOOK = 1024
# The first entry of an OpenDocument package, stored, so that it can be told by its bytes (ODF 1.2, part 3, 3.3).
_ODF = tuple(f"mimetype{each}".encode() for each in sorted(_OFFICE_TYPES) if "oasis" in each)


def document_kind(message: HttpMessage) -> Kind | None:
    """Return which reader an answer is for, `None` if it is no document that we read."""
    if message.media_type in _PDF_TYPES:
        return "pdf"
    if message.media_type in _OFFICE_TYPES:
        return "office"
    if message.media_type not in _UNKNOWN:
        return None
    begins = message.beginning(_LOOK)
    if b"%PDF-" in begins:
        return "pdf"
    is_package = begins.startswith(b"PK\x03\x04") and (
        begins[30:].startswith(_ODF) or begins[30:].startswith(b"[Content_Types].xml")
    )
    return "office" if is_package else None

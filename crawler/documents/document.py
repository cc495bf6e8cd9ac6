"""What a document says, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


class NoText(Exception):
    """A document that has no text to be had; the message is the cause, as docs/formats.md lists them."""


@dataclass(frozen=True, slots=True)
class Document:
    """Missing is `None` or empty."""

    #: Of the extractor: "pdf", "docx", …
    method: str
    #: Kind of block and text, in the order of the document.
    paragraphs: tuple[tuple[str, str], ...]
    title: str | None = None
    authors: tuple[str, ...] = ()
    #: Aware where the document names a zone.
    created: datetime | None = None
    modified: datetime | None = None
    #: As the document has it.
    language: str | None = None
    #: Whether there is something to be seen where there is no text.
    has_pictures: bool = False

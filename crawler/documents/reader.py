"""A document as an article."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from crawler.documents.document import Document, NoText
from crawler.documents.kinds import Kind
from crawler.extraction.metadata import language
from crawler.extraction.template.story import DOCUMENT
from crawler.extraction.version import our_version
from crawler.html.encoding import clean
from storage.model import Article, Block, Extractor, Reason

#: A first line that is longer is no title.
_TITLE_MAX = 200
_CLOCKS = timedelta(days=1)


def read(content: bytes, kind: Kind, url: str, *, now: datetime, unpacked_max: int) -> Article:
    """Return the article of a document captured at `now`; the same input gives the same article.

    `unpacked_max`: bytes of what is packed in it, of office documents as a whole. Raises `NoText` with the cause, and
    whatever the machine does: `OSError`, `MemoryError`.
    """
    try:
        found = _reader(kind)(content, unpacked_max)
    except (NoText, OSError, MemoryError):
        raise
    except RecursionError:
        raise NoText("broken (it is nested too deeply)") from None
    except Exception as error:
        raise NoText(f"failed ({type(error).__name__})") from error
    blocks = tuple(
        Block(text, each, True, Reason(DOCUMENT))
        for each, written in found.paragraphs
        if (text := " ".join(clean(written).split()))
    )
    if not blocks:
        raise NoText("scanned (no text layer)" if found.has_pictures else "empty")
    return _article(found, blocks, url, now)


def _reader(kind: Kind) -> Callable[[bytes, int], Document]:
    if kind == "pdf":
        from crawler.documents import pdf

        return pdf.read
    from crawler.documents import office

    return office.read


def _article(found: Document, blocks: tuple[Block, ...], url: str, now: datetime) -> Article:
    sources = {}
    title = _line(found.title)
    if title:
        sources["title"] = "document metadata"
    elif len(blocks[0].text) <= _TITLE_MAX:
        title, sources["title"] = blocks[0].text, "first line"
    authors = tuple(filter(None, map(_line, found.authors)))
    dates = {
        name: at.isoformat()
        for name, at in (("published", found.created), ("modified", found.modified))
        # No document is younger than its capture; one without a zone may seem so.
        if at is not None and (at if at.tzinfo else at.replace(tzinfo=now.tzinfo)) <= now + _CLOCKS
    }
    sources |= dict.fromkeys([*dates, *(["authors"] if authors else [])], "document metadata")
    text = "\n".join(block.text for block in blocks)
    return Article(
        url=url,
        title=title,
        authors=authors,
        published=dates.get("published"),
        modified=dates.get("modified"),
        language=language.detect(text) or language.tag(found.language),
        blocks=blocks,
        sources=sources,
        extractor=Extractor("newskeep", our_version(), method=found.method),
    )


def _line(text: str | None) -> str | None:
    return " ".join(clean(text).split()) or None if text else None

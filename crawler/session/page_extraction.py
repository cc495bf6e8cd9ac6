"""A response's way to an article, pure: what is a page, whether it is whole, and what of it goes on from a worker."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from crawler.documents.document import NoText
from crawler.documents.kinds import Kind, document_kind
from crawler.politeness.block_detection import recognise
from crawler.session.media import described
from crawler.session.twins import as_page, twin_of
from storage.articles import json_line, parse_line, to_json
from storage.bounds import ARTICLE_LINE_MAX, fits
from storage.fingerprints import Fingerprint
from storage.http import ContentError, HttpMessage
from storage.model import Article
from storage.renditions import page_of

_HTML_TYPES = {"text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"}
# The end of a page, feed or sitemap, and what may stand behind it.
_END = re.compile(rb"</(?:html|rss|feed|urlset|sitemapindex|rdf:RDF)\s*>\s*(?:<!--[^<]*-->\s*)*\Z", re.IGNORECASE)
#: Bytes of a cut document that are unpacked to look at its last.
_CUT_BYTES, _TAIL = 8 * 1024 * 1024, 2_000

#: How the method of an article begins whose text is that of a page as a browser showed it.
RENDERED = "rendered, "
#: Why a page has no text that a browser, or another form of the page, may give it; its scripts' data has been tried.
NEEDS_SCRIPTS = "no text: needs scripts"


@dataclass(frozen=True, slots=True)
class ExtractedArticle:
    """An article as it leaves a worker: its line, and what a crawl wants to know of it without reading that.

    Written once: it goes through a pipe, into the spool and, where nothing of it changes at sealing, into the archive.
    """

    #: Without the record that it was made from; with the fingerprint of its text.
    line: bytes
    #: What the site memory learns of it, packed.
    lesson: bytes
    title: str | None
    words: int
    published: str | None
    canonical_url: str | None
    sources: Mapping[str, str]
    fingerprint: Fingerprint | None

    @classmethod
    def of(cls, article: Article) -> Self:
        from crawler.extraction.duplicates import fingerprinted
        from crawler.extraction.template.lesson import Lesson

        article = fingerprinted(article)
        fields = to_json(article)
        return cls(
            json_line(fields),
            Lesson.of(article).pack(),
            article.title,
            fields["words"],
            article.published,
            article.canonical_url,
            article.sources,
            article.fingerprint,
        )

    def read(self) -> Article:
        """The whole article."""
        return parse_line(self.line)


@dataclass(frozen=True, slots=True)
class Extraction:
    """An article, or the reason why there is none; both `None` for what is not a page."""

    article: ExtractedArticle | None = None
    reason: str | None = None
    #: The machine failed, not the page: extracting again may well succeed, and nothing of this is to be kept.
    again: bool = False
    #: So many pages in a row failed over the machine that trying this one once more at once is no use.
    hopeless: bool = False


def is_page(response: bytes) -> bool:
    """Whether a response, as on the wire, is an HTML page with a status of success (RFC 9110, 15.3)."""
    message = HttpMessage.parse(response)
    if message.status is None or not 200 <= message.status < 300 or not message.has_body:
        return False
    if message.media_type is None:
        # Browsers look at the first bytes when no type is given (WHATWG MIME Sniffing, 7.1); so few servers do this.
        return message.beginning(512).lstrip().lower().startswith((b"<!doctype html", b"<html"))
    return message.media_type in _HTML_TYPES


def is_readable(response: bytes) -> bool:
    """Whether a response, as on the wire, is something that text is made of: a page, or a document such as a PDF."""
    return is_page(response) or _document_kind(response) is not None


def _document_kind(response: bytes) -> Kind | None:
    message = HttpMessage.parse(response)
    if message.status is None or not 200 <= message.status < 300 or not message.has_body:
        return None
    return document_kind(message)


def _ends_whole(response: bytes) -> bool:
    """Whether a document ends as it should, though its connection was closed before the end that was announced."""
    message = HttpMessage.parse(response)
    if not is_page(response) and (message.media_type or "").rpartition("+")[2].rpartition("/")[2] != "xml":
        return False
    try:
        return bool(_END.search(message.content(_CUT_BYTES)[-_TAIL:]))
    except ContentError:
        return False


def is_whole(response: bytes, truncated: str | None) -> bool:
    """Whether a response can be read as if it had come whole; `truncated` as WARC-Truncated has it."""
    return truncated is None or (truncated in ("disconnect", "unspecified") and _ends_whole(response))


def _as_rendered(article: Article) -> Article:
    """The article with a word that its text is that of a page as a browser showed it."""
    made = article.extractor
    return article if made is None else replace(article, extractor=replace(made, method=f"{RENDERED}{made.method}"))


def text_left_out(response: bytes) -> Extraction:
    """What there is of a page whose text nobody wants now."""
    return Extraction(reason="its text is left out") if is_readable(response) else Extraction()


def extract_response(
    response: bytes, url: str, captured: datetime, content_bytes: int, is_known_page: bool = False
) -> Extraction:
    """Extract the article of a response as on the wire; runs in a worker.

    `is_known_page`: nothing came in its place, as `recognise` has said of it. Of a DOM `url` is the DOM's own
    (`storage.renditions`), and of a twin (`crawler.session.twins`); the article is the page's.
    """
    from crawler.extraction import extract
    from crawler.extraction.textless import cause_of

    page = page_of(url)
    is_rendered, url = page is not None, page or url
    twin = twin_of(url)
    url, page = twin or (url, None)
    if not is_known_page and (wall := recognise(response, url)) is not None:
        # Of a WARC that was written before walls were marked.
        return Extraction(reason=wall.reason)
    message = HttpMessage.parse(response)
    try:
        content = message.content(content_bytes)
    except ContentError as error:
        return Extraction(reason=f"no text: {'too large' if 'larger than' in str(error) else 'failed'} ({error})")
    # Of what a server calls a page, so begins none.
    document = "pdf" if content.startswith(b"%PDF-") else None if is_page(response) else _document_kind(response)
    if document is not None:
        found = _of_document(content, document, url, captured, content_bytes)
        # Unlike a page's, its cause says nothing of the site: what it is stands before it.
        what = described(message.media_type, len(message.payload))
        return found if found.reason is None else Extraction(reason=f"{what}: {found.reason}")
    kind = message.header("content-type")
    try:
        article = extract(content, url, content_type=kind, now=captured)
    except MemoryError:
        return Extraction(reason="no text: too large (the page needs too much memory)", again=True)
    cause = cause_of(article, content, kind)
    if cause is not None:
        return Extraction(reason=f"no text: {cause}")
    if is_rendered:
        article = _as_rendered(article)
    article = replace(article, url=url, timestamp=captured)
    if page is not None:
        of_page = as_page(article, page)
        if of_page is None:
            return Extraction(reason="no text: the form of another page")
        article = of_page
    extracted = ExtractedArticle.of(article)
    if not fits(extracted.line, ARTICLE_LINE_MAX):
        return Extraction(reason="no text: too large (the article has more blocks than any reader would take)")
    return Extraction(extracted)


def _of_document(content: bytes, kind: Kind, url: str, captured: datetime, content_bytes: int) -> Extraction:
    from crawler.documents.reader import read

    try:
        article = read(content, kind, url, now=captured, unpacked_max=content_bytes)
    except NoText as error:
        return Extraction(reason=str(error))
    except MemoryError:
        # Unlike a page, a document may be made to need any amount.
        return Extraction(reason="too large (it needs too much memory)")
    extracted = ExtractedArticle.of(replace(article, timestamp=captured))
    fit = fits(extracted.line, ARTICLE_LINE_MAX)
    return Extraction(extracted) if fit else Extraction(reason="too large (it has too many paragraphs)")

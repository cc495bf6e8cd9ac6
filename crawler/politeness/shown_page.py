"""What a response shows to a person, as far as it takes to tell a page from what stands in its place: pure and bounded.

Only the beginning of the content is looked at, patterns are possessive or bounded, and whatever is in it, nothing is
raised.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from itertools import islice

from crawler.html.encoding import decode
from storage.http import HttpMessage

#: Bytes of a page that are looked at. Pages have 256 KB of data in their head before the first word; walls are smaller.
CONTENT_BYTES = 1024 * 1024
#: Characters of text up to which a page may be nothing but a challenge or a form.
LITTLE = 1_200
#: More links than any wall has.
MANY_LINKS = 50
#: Bytes of a page in which its text is counted at a time: most have enough of it near their beginning.
_PIECE_BYTES = 8 * 1024
#: Statuses that say "not you" or "not so much".
REFUSALS = (401, 403, 429)

#: Of content in lower case, as the pattern of a link.
_HIDDEN = re.compile(rb"<!--|<(script|style|noscript|template|svg|title)\b")
_TAG = re.compile(rb"<[a-zA-Z/!][^<>]{0,4000}+>?")
#: Of a closing tag, behind its name.
_REST_OF_TAG = re.compile(rb"\b[^<>]{0,300}>?")
#: Tags inside of a sentence; all others end a run of text.
_INLINE = re.compile(rb"</?(?:a|abbr|b|bdi|em|font|i|mark|s|small|span|strong|sub|sup|u|wbr)\b", re.I)
_TITLE = re.compile(rb"<title[^<>]{0,200}+>([^<]{0,300}+)", re.I)
_ARTICLE = re.compile(rb"[\"']og:type[\"'][^<>]{0,100}article|\"@type\"\s*:\s*\[?\s*\"[A-Za-z]*Article\"", re.I)
_ARTICLE_ELEMENT = re.compile(rb"<article\b|<time\b|itemprop\s*=\s*[\"']?(?:articleBody|datePublished)", re.I)
_MEDIA = re.compile(rb"<(?:video|audio|figure|picture)\b", re.I)
_PASSWORD = re.compile(rb"<input\b[^<>]{0,500}\btype\s*=\s*[\"']?password", re.I)
#: What a reader writes into; a field that a captcha fills by itself is none.
_FIELD = re.compile(
    rb"<textarea\b(?![^<>]{0,300}captcha)|<input\b(?![^<>]{0,500}\btype\s*=\s*[\"']?(?:hidden|submit|button|image|checkbox))",
    re.I,
)
_ASKS_READER = re.compile(
    rb"<textarea\b(?![^<>]{0,300}captcha)|<input\b[^<>]{0,500}\btype\s*=\s*[\"']?(?:email|password|tel|search)", re.I
)
_NOSCRIPT = re.compile(rb"<noscript\b[^<>]{0,300}>", re.I)
_LINK = re.compile(rb"<a\b[^<>]{0,300}?\bhref")
_ANCHOR = re.compile(rb"<a\b[^<>]{0,4000}+>(?:[^<]++|<(?!/a\b))*+", re.I)
_HEADING = re.compile(rb"<h[12]\b[^<>]{0,1000}+>(.{0,600}?)</h[12]", re.I | re.S)
_CONCEALED = re.compile(rb"display:\s?none|\shidden\b|\bng-(?:if|show|hide)=|\bv-(?:if|show)=")
#: How many headings of a rank are looked at, and how many characters of one.
_HEADINGS, _LONGEST_HEADING = 2, 300
_WHITE_SPACE = b" \t\n\r\v\f"


@dataclass(frozen=True)
class ShownPage:
    """A response with the beginning of its content, decoded."""

    message: HttpMessage
    content: bytes

    @classmethod
    def of(cls, message: HttpMessage) -> ShownPage:
        return cls(message, message.beginning(CONTENT_BYTES))

    @property
    def status(self) -> int:
        return self.message.status or 0

    @property
    def refuses(self) -> bool:
        return self.status in (*REFUSALS, 405, 503)

    def header(self, name: str) -> str:
        return (self.message.header(name) or "").lower()

    def has(self, *marks: bytes) -> bool:
        return any(mark in self.content for mark in marks)

    @cached_property
    def title(self) -> str:
        found = _TITLE.search(self.content)
        return self._text(found[1]).lower() if found else ""

    @cached_property
    def says_article(self) -> bool:
        """Whether its markup says that it is an article; walls keep such marks in their head."""
        return self.has_article_element or self.states_article

    @cached_property
    def states_article(self) -> bool:
        """Whether its head says so: to those who share it, or to searchers."""
        return self._has(_ARTICLE, b"og:type", b"@type")

    @cached_property
    def has_article_element(self) -> bool:
        """Whether it has the elements of an article in its body."""
        return self._has(_ARTICLE_ELEMENT, b"<article", b"<time", b"itemprop")

    @property
    def is_large(self) -> bool:
        """Whether there is more than was looked at: the text of some pages comes behind their scripts."""
        return len(self.content) >= CONTENT_BYTES

    @cached_property
    def is_little(self) -> bool:
        """Whether there is hardly any text."""
        return not self.is_large and _text_length(self._lower, LITTLE) < LITTLE

    @property
    def is_bare(self) -> bool:
        """Whether there is no article here, and hardly any text; asked before all marks, most pages are known by it.

        An article is soon told by its marks; to count text takes all tags out of the beginning of a page.
        """
        return not self.says_article and self.is_little

    @cached_property
    def has_media(self) -> bool:
        return self._has(_MEDIA, b"<video", b"<audio", b"<figure", b"<picture")

    @cached_property
    def asks_password(self) -> bool:
        return self._has(_PASSWORD, b"<input")

    @cached_property
    def has_fields(self) -> bool:
        """Whether there is something to write into."""
        return self._has(_FIELD, b"<textarea", b"<input")

    @cached_property
    def asks_reader(self) -> bool:
        """Whether it has a form of the site: to write, to log in, to search."""
        return self._has(_ASKS_READER, b"<textarea", b"<input")

    @cached_property
    def links(self) -> int:
        """How many links there are, counted up to `MANY_LINKS`."""
        return sum(1 for _ in islice(_LINK.finditer(self._lower), MANY_LINKS))

    @cached_property
    def runs(self) -> tuple[str, ...]:
        """The pieces of text that stand by themselves, in lower case, in page order; without those of `noscript`."""
        return tuple(filter(None, map(self._text, _runs(self.content, self._lower))))

    @cached_property
    def plain_runs(self) -> tuple[str, ...]:
        """The pieces of text that stand by themselves outside of links, in lower case, in page order."""
        content = _ANCHOR.sub(b"<a>", self.content)
        return tuple(filter(None, map(self._text, _runs(content, content.lower()))))

    @cached_property
    def headings(self) -> tuple[str, ...]:
        """Title and first headings, in lower case, maybe of what is not shown; without these what it begins with.

        Bounded: a run of text may be a megabyte without a space.
        """
        found = [self.title, *self._headings(b"<h1"), *self._headings(b"<h2")]
        return tuple(head[:_LONGEST_HEADING] for head in found if head) or tuple(
            run[:_LONGEST_HEADING] for run in self.runs[:1]
        )

    def _headings(self, begin: bytes) -> Iterator[str]:
        for at in islice(_places(begin, self._lower), _HEADINGS):
            # Scripts show what went wrong where something did: it is in the page, hidden.
            found = (
                None
                if _CONCEALED.search(self._lower[max(0, at - 200) : at + 200])
                else _HEADING.match(self.content, at)
            )
            if found:
                yield self._text(_TAG.sub(b" ", found[1]))

    @cached_property
    def noscript(self) -> str:
        """What readers without scripts see, in lower case."""
        found = [part[:2_000].lower().partition(b"</noscript")[0] for part in _NOSCRIPT.split(self.content, 5)[1:]]
        return " ".join(self._text(_TAG.sub(b" ", each)) for each in found)

    def _has(self, pattern: re.Pattern[bytes], *begins: bytes) -> bool:
        """Whether a pattern is there whose matches begin as one of these, in lower case, or with a quote before it.

        Plain bytes are found many times as fast as what is sought without regard to case.
        """
        places = (at for begin in begins for at in _places(begin, self._lower))
        return any(pattern.match(self.content, at) or pattern.match(self.content, max(0, at - 1)) for at in places)

    @cached_property
    def _lower(self) -> bytes:
        return self.content.lower()

    def _text(self, content: bytes) -> str:
        text = decode(content, self._charset) if self._charset else content.decode("utf-8", "replace")
        return " ".join(unescape(text).split()).lower()

    @cached_property
    def _charset(self) -> str | None:
        """The Content-Type to read pieces by, where the page is not UTF-8."""
        try:
            self.content.decode()
        except UnicodeDecodeError as error:
            if error.start < len(self.content) - 4:
                found = re.search(
                    rb"<meta[^<>]{0,200}charset\s*=\s*[\"']?([a-z0-9_-]{1,40})", self.content[:4096], re.I
                )
                stated = self.message.header("content-type") or ""
                if "charset" not in stated.lower() and found:
                    return f"text/html; charset={found[1].decode()}"
                return stated or "text/html; charset=windows-1252"
        return None


def _places(sought: bytes, content: bytes) -> Iterator[int]:
    at = -1
    while (at := content.find(sought, at + 1)) >= 0:
        yield at


def _shown(content: bytes, lower: bytes) -> Iterator[bytes]:
    """The parts of a page outside of what is hidden; one that is not closed hides all the rest, as in a browser.

    `lower` is the content in lower case, in which plain bytes are found many times as fast as by pattern.
    """
    at = 0
    while hidden := _HIDDEN.search(lower, at):
        yield content[at : hidden.start()]
        if (end := _end_of(hidden, lower)) is None:
            return
        at = end
    yield content[at:]


def _end_of(hidden: re.Match[bytes], lower: bytes) -> int | None:
    """Where a comment or element ends, if it does."""
    if hidden[1] is None:
        end = lower.find(b"-->", hidden.end())
        return None if end < 0 else end + len(b"-->")
    closing, at = b"</" + hidden[1], hidden.end()
    while (at := lower.find(closing, at)) >= 0:
        at += len(closing)
        if rest := _REST_OF_TAG.match(lower, at):
            return rest.end()
    return None


def _runs(content: bytes, lower: bytes) -> list[bytes]:
    runs, current = [], bytearray()
    for part in _shown(content, lower):
        at = 0
        for tag in _TAG.finditer(part):
            current += part[at : tag.start()]
            at = tag.end()
            if not _INLINE.match(part, tag.start()):
                runs.append(bytes(current))
                current.clear()
        current += part[at:]
    return [*runs, bytes(current)]


def _text_length(lower: bytes, enough: int) -> int:
    """Characters of text outside of tags and scripts, white space left out; counted up to about `enough`."""
    total = 0
    for piece in (piece for part in _shown(lower, lower) for piece in _pieces(part)):
        total += len(_TAG.sub(b"", piece).translate(None, _WHITE_SPACE))
        if total >= enough:
            break
    return total


def _pieces(markup: bytes) -> Iterator[bytes]:
    """Markup in pieces that end before a `<`, which no tag has inside."""
    at = 0
    while at < len(markup):
        end = markup.find(b"<", at + _PIECE_BYTES)
        end = len(markup) if end < 0 else end
        yield markup[at:end]
        at = end

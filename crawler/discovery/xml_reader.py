"""What feeds and sitemaps have in common: bytes to text to closed XML elements, tolerant and within bounds.

XML is read with lxml rather than feedparser, which takes two minutes for a feed of 50 MB that this reads in seconds,
and holds all of it; feedparser reads neither JSON feeds nor sitemaps. What it is loved for, patience with broken
feeds, is here: the prolog is never given to the parser (nor with it a DTD), stray ampersands and HTML's entities are
mended, and what is not well-formed is read entry by entry.
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from html import unescape
from html.entities import html5
from itertools import islice
from typing import cast
from xml.sax.saxutils import escape

from lxml import etree

from crawler.discovery.dates import Stated, stated
from crawler.discovery.identity import identity
from crawler.html.encoding import clean, codec, decode
from storage.errors import InvalidURL
from storage.urls import join

#: Bounds of sitemaps.org: bytes once unpacked, and links. Feeds have the same.
MAX_BYTES = 52_428_800
MAX_LINKS = 50_000
_MAX_TITLE = 300
_MAX_PROBLEMS = 20
#: Text goes to the parser in parts of this size; what is smaller is decoded as a whole, with all we know of encodings.
_PART = 1_000_000
#: One entry may not be longer, in characters: libxml2 stops at text of 10 MB.
_MAX_ENTRY = 4_000_000

#: Ampersands mended in one part; a document of nothing else is not worth more.
_MAX_MENDED = 50_000

_GZIP = b"\x1f\x8b"
_ROOT = re.compile(
    r"<(?:!doctype\s+html\b|(?:[\w-]+:)?(rss|feed|rdf|urlset|sitemapindex|html)(?=[\s>/]))", re.IGNORECASE
)
# A root of another name around what is a sitemap's.
_OTHER_ROOT = re.compile(r"<(?:[\w-]+:)?([a-z][\w.-]*)(?=[\s>/])", re.IGNORECASE)
_LOCATION = re.compile(r"<(?:[\w-]+:)?loc[\s>]", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_PROLOG = re.compile(r"\s*(?:<[?!]|\Z)")
# CDATA is left as it is; everywhere else an ampersand begins one of the five entities or a number.
_AMPERSAND = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#[xX][\da-fA-F]{1,6});)([A-Za-z]\w{1,30};)?",
    re.DOTALL,
)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# What opens no tag.
_STRAY = re.compile(r"<+(?=[<\s\d&=])")
_TAG = re.compile(r"<[^<>]*>")


class Problems:
    """What was wrong with one document: single findings, and findings that are counted. Bounded."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._found: dict[str, tuple[int, str]] = {}

    def add(self, finding: str) -> None:
        if len(self._found) < _MAX_PROBLEMS:
            self._found.setdefault(finding, (0, ""))

    def count(self, finding: str, example: str = "") -> None:
        """Note one more of its kind; `finding` is a plural such as "entries without a link"."""
        times, first = self._found.get(finding, (0, example))
        if times or len(self._found) < _MAX_PROBLEMS:
            self._found[finding] = times + 1, first

    def recount(self) -> None:
        """Begin to count anew, for a second reading."""
        self._found = {finding: found for finding, found in self._found.items() if not found[0]}

    def lines(self) -> tuple[str, ...]:
        return tuple(f"{self._url}: {self._line(finding)}" for finding in self._found)

    def _line(self, finding: str) -> str:
        times, example = self._found[finding]
        such = example if len(example) <= 80 else f"{example[:80]}…"
        return f"{finding}: {times:,}{f', such as {such!r}' if such else ''}" if times else finding


def parts(content: bytes, content_type: str | None, problems: Problems) -> Iterator[str]:
    """Yield the text of a document, unpacked of gzip, decoded, without control characters; at most 50 MB of bytes.

    Every part but the last ends where a tag or CDATA section begins (unless one is longer than 4 million characters),
    and ampersands are mended, so each may go to an XML parser.
    """
    rest = ""
    for text in _decoded(_unpacked(content, problems), content_type):
        rest += text
        cut = _cut(rest)
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
    yield rest


def _cut(text: str) -> int:
    """Where the text may be cut."""
    cdata = text.rfind("<![CDATA[")
    cut = cdata if cdata > text.rfind("]]>") else text.rfind("<")
    return len(text) if cut <= 0 and len(text) > _MAX_ENTRY else max(cut, 0)


def _unpacked(content: bytes, problems: Problems) -> Iterator[bytes]:
    if not content.startswith(_GZIP):
        if len(content) > MAX_BYTES:
            problems.add("larger than 50 MB; the rest was left unread")
        for start in range(0, min(len(content), MAX_BYTES), _PART):
            yield content[start : min(start + _PART, MAX_BYTES)]
        return
    size, unpacker, data = 0, zlib.decompressobj(wbits=31), content
    while data:
        try:
            part = unpacker.decompress(data, min(_PART, MAX_BYTES - size))
        except zlib.error:
            problems.add("damaged gzip; what could be unpacked was read")
            return
        yield part
        size += len(part)
        if size >= MAX_BYTES:
            problems.add("larger than 50 MB once unpacked; the rest was left unread")
            return
        data = unpacker.unconsumed_tail
        if unpacker.eof:
            # Another member, or what a careless server left behind.
            data = unpacker.unused_data
            if not data.startswith(_GZIP):
                return
            unpacker = zlib.decompressobj(wbits=31)
    problems.add("gzip that is cut off; what could be unpacked was read")


def _decoded(data: Iterator[bytes], content_type: str | None) -> Iterator[str]:
    if content_type and "=" not in content_type and "/" not in content_type:
        content_type = f"charset={content_type}"
    head = b""
    for part in data:
        head += part
        if len(head) >= _PART:
            break
    else:
        yield decode(head, content_type)
        return
    decoder = codecs.getincrementaldecoder(_encoding(head, content_type))("replace")
    yield clean(decoder.decode(head).removeprefix("\ufeff"))
    for part in data:
        yield clean(decoder.decode(part))
    yield clean(decoder.decode(b"", final=True))


def _encoding(head: bytes, content_type: str | None) -> str:
    """The encoding of a large document, from its beginning."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        declared = re.search(r"charset=[\"']?([\w.:-]+)", content_type or "", re.IGNORECASE)
        label = declared or re.search(r"<\?xml[^>]*encoding=[\"']([\w.:-]+)", head[:1000].decode("latin-1"))
        return (codec(label[1]) if label else None) or "cp1252"
    return "utf-8"


class XmlDocument:
    """One document of XML, or what came instead of it."""

    def __init__(self, content: bytes, url: str, content_type: str | None) -> None:
        self.problems = Problems(url)
        self._source = (content, content_type)
        self._parts = parts(content, content_type, self.problems)
        first = next(self._parts, "")
        first += next(self._parts, "") if len(first) < _PART else ""
        #: The beginning of the text, from the root element on where there is one.
        self.head = _COMMENT.sub("", first).lstrip("\ufeff \t\r\n")
        #: Whether the beginning names places as sitemaps do, whatever the root is.
        self.has_locations = bool(_LOCATION.search(self.head))
        #: Local name of the root element in lower case, "html" for any HTML; `None` if it is none we know and nothing
        #: in it is a sitemap's.
        self.root: str | None = None
        match = _ROOT.search(self.head)
        if match is None and self.has_locations:
            match = _OTHER_ROOT.search(self.head)
        if match:
            self.root = (match[1] or "html").lower()
            self._prolog(self.head[: match.start()])
            self.head = self.head[match.start() :]

    def _prolog(self, prolog: str) -> None:
        if not _PROLOG.match(prolog):
            self.problems.add("text before the XML")
        if "<!ENTITY" in prolog:
            self.problems.add("declares entities, which are never resolved")

    def text(self) -> str:
        """The whole text; the document cannot be read twice."""
        return "".join([self.head, *self._parts])

    def elements(self, *names: str, outside: tuple[str, ...] = ()) -> Iterator[etree._Element]:
        """Yield each closed element of these local names, in any namespace; what was yielded is emptied afterwards.

        `outside` are names of elements that are wanted too, but not from within the others. Where the document is not
        well-formed or cut off, elements come a second time.
        """
        wanted = [f"{{*}}{written}" for name in (*names, *outside) for written in (name, name.upper(), name.title())]
        parser = etree.XMLPullParser(
            events=("end",), tag=wanted, recover=True, resolve_entities=False, no_network=True, encoding="utf-8"
        )
        root = self.head[1:200].split(">", 1)[0].split()[:1]
        tail, nested = "", False
        for part in self._texts():
            parser.feed(mended(part).encode("utf-8", "replace"))
            tail = (tail + part)[-1000:]
            for _, found in parser.read_events():
                element = cast("etree._Element", found)
                within = any(local(above) in names for above in element.iterancestors())
                if local(element) not in names:
                    if not within:
                        yield element
                    continue
                # What is not closed swallows its neighbours.
                nested = nested or within
                yield element
                _forget(element)
        closed = bool(root) and f"</{root[0]}" in tail
        if not closed:
            self.problems.add("is cut off; what is there was read")
        if nested or not _ended(parser):
            if closed:
                self.problems.add("is not well-formed XML; it was read entry by entry")
            self.problems.recount()
            yield from self._singly(names)

    def _texts(self) -> Iterator[str]:
        yield self.head
        yield from self._parts

    def _singly(self, names: tuple[str, ...]) -> Iterator[etree._Element]:
        """Each element parsed by itself, so that a fault in one leaves the others whole."""
        problems = Problems("")
        text = "".join(parts(*self._source, problems))
        name = "|".join(names)
        opening = re.compile(rf"<(?:[\w-]+:)?({name})(?=[\s>])", re.IGNORECASE)
        closing = re.compile(rf"</(?:[\w-]+:)?({name})\s*>", re.IGNORECASE)
        for match in islice(opening.finditer(text), 2 * MAX_LINKS):
            following = opening.search(text, match.end())
            limit = min(following.start() if following else len(text), match.start() + _MAX_ENTRY)
            end = closing.search(text, match.end(), limit)
            if end is None:
                continue
            parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, encoding="utf-8")
            try:
                element = etree.fromstring(mended(text[match.start() : end.end()]).encode("utf-8", "replace"), parser)
            except etree.LxmlError:
                continue
            if element is not None:
                yield element


def _ended(parser: etree.XMLPullParser) -> bool:
    try:
        parser.close()
    except etree.LxmlError:
        return False
    return True


def _forget(element: etree._Element) -> None:
    """Empty an element and drop what stands before it, so that memory stays flat."""
    element.clear()
    above = element.getparent()
    while above is not None and element.getprevious() is not None:
        del above[0]


def mended(text: str) -> str:
    """Return XML in which every ampersand outside CDATA begins an entity that needs no declaration."""
    # libxml2 takes minutes over millions of its own complaints.
    text = _STRAY.sub("", _CONTROLS.sub("", text))
    if "&" not in text:
        return text
    found, times = _AMPERSAND.subn(_mend, text, count=_MAX_MENDED)
    return found if times < _MAX_MENDED else text.replace("&", " ")


def _mend(match: re.Match[str]) -> str:
    if match[0][0] == "<":
        return match[0]
    known = html5.get(match[1] or "")
    return escape(known) if known else f"&amp;{match[1] or ''}"


def local(element: etree._Element) -> str:
    """An element's name in lower case without namespace or prefix; empty for comments."""
    tag = element.tag
    return _local(tag) if isinstance(tag, str) else ""


@lru_cache(maxsize=1024)
def _local(tag: str) -> str:
    return re.split("[}:]", tag)[-1].lower()


def text_of(element: etree._Element) -> str:
    """All text of an element but that of its comments; empty where it names half a character ("&#xd800;")."""
    try:
        return "".join(map(str, element.itertext("*"))).strip()
    except UnicodeDecodeError:
        return ""


def title_of(text: str) -> str | None:
    """A title on one line, without the markup that feeds put into it; `None` if nothing is left."""
    text = text[: 20 * _MAX_TITLE]
    text = unescape(_TAG.sub("", unescape(text))) if "<" in text or "&" in text else text
    return " ".join(text.split())[:_MAX_TITLE] or None


def resolve(base: str, text: str) -> str | None:
    """Return the identity of the address that a document at `base` writes as `text`; `None` if it is no web address."""
    text = text.strip()
    if not text:
        return None
    if text.lower().startswith("www."):
        text = f"https://{text}"
    try:
        return identity(join(base, text))
    except (InvalidURL, ValueError):
        return None


def time_of(texts: Iterable[str], problems: Problems, now: datetime) -> Stated | None:
    """Return the first of the dates that can be read; what cannot is a problem."""
    for text in texts:
        if time := stated(text, now):
            return time
        if text.strip():
            problems.count("dates that cannot be right", text.strip())
    return None

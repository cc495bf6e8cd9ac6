"""The forms in which people keep addresses: lines, CSV, JSON lines, bookmarks, sitemaps, feeds, any text with some."""

from __future__ import annotations

import codecs
import csv
import html
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from itertools import chain, islice
from typing import Literal, NamedTuple, TextIO

from crawler.list_lines import addresses
from crawler.list_sources import BEGINNING, is_opml, linked
from storage.bounds import JSON_MAX, parse_json
from storage.errors import Corrupt, UsageError

Form = Literal["lines", "csv", "json", "bookmarks", "sitemap", "text"]

#: Names of a column or field that holds addresses, the likeliest first.
_NAMES = (
    "url",
    "link",
    "href",
    "uri",
    "address",
    "urls",
    "links",
    "permalink",
    "loc",
    "location",
    "web address",
    "page",
)
_SEPARATORS = ",;\t|"
_HTTP = re.compile(r"https?://", re.IGNORECASE)
#: Rows of a CSV that are looked at to tell which column has the addresses.
_SAMPLE = 20
#: Bytes at the beginning by which the form is told.
_HEAD = 4096
#: Bytes of a sitemap (sitemaps.org).
_SITEMAP_MAX = 50_000_000
#: What may stand in an address as people paste it; not the signs around one, in Western and in CJK texts.
_IN_TEXT = re.compile(r"https?://[^\s<>\"`{}|\\^“”„«»‹›「」『』《》【】、。，；！？（）]{1,8000}", re.IGNORECASE)
_TWO = re.compile(r"[,;](?=https?://)", re.IGNORECASE)
_AFTER = ".,;:!?'*_~…’"


#: Files of other programs, by their first bytes, and what to do with one. A list of ours has no such bytes.
_NO_LISTS = {
    b"PK\x03\x04": "is a ZIP file, such as Excel's and LibreOffice's are; save it as CSV",
    b"\xd0\xcf\x11\xe0": "is a file of Excel or Word; save it as CSV or text",
    b"%PDF-": "is a PDF; copy the addresses out of it",
    b"\x1f\x8b": "is compressed; zcat FILE | newskeep save -i - reads it",
    b"\x28\xb5\x2f\xfd": "is compressed; zstdcat FILE | newskeep save -i - reads it",
    b"BZh": "is compressed; bzcat FILE | newskeep save -i - reads it",
    b"\xfd7zXZ\0": "is compressed; xzcat FILE | newskeep save -i - reads it",
}


class Entry(NamedTuple):
    """One entry of a list, as given; with an error where no address can be told from it."""

    given: str
    error: str | None = None


def entries(stream: io.BufferedReader, name: str = "", form: Form | None = None) -> Iterator[Entry]:
    """Yield the entries of a list, read as a stream; without a `form`, in the one that name and beginning show.

    It is UTF-8, or UTF-16 where a byte order mark says so; bytes that are neither are read as Windows-1252. Raises
    `UsageError` where a CSV has no column with addresses, and for files that are no lists.
    """
    head = stream.peek(_HEAD)[:_HEAD]
    for magic, advice in _NO_LISTS.items():
        if head.startswith(magic):
            raise UsageError(f"the list {advice}")
    if is_opml(head):
        raise UsageError("the list is OPML, which names feeds, not pages; newskeep sites check -i FILE takes its sites")
    is_utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if is_utf16 else "utf-8-sig"
    begin = head.decode(encoding, "replace").lstrip()
    form = form or form_of(name, begin)
    if form == "sitemap":
        yield from (Entry(*each) for each in linked(stream.read(_SITEMAP_MAX)))
        return
    text = io.TextIOWrapper(stream, encoding, errors="replace" if is_utf16 else _AS_WINDOWS, newline=None)
    try:
        yield from _READERS[form](text)
    finally:
        # The stream is not ours to close.
        text.detach()


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """Read what is no UTF-8 as programs of Windows in Western Europe write it."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


_AS_WINDOWS = "newskeep-as-windows"
codecs.register_error(_AS_WINDOWS, _as_windows)


def form_of(name: str, begin: str) -> Form:
    """Tell the form of a list by the name of its file and its first characters."""
    suffix = name.lower().rpartition(".")[2] if "." in name else ""
    first = re.split(r"[\r\n]", begin, maxsplit=1)[0]
    if suffix in ("html", "htm") or re.match(r"<!doctype\s|<html\b", begin, re.IGNORECASE):
        return "bookmarks"
    if BEGINNING.match(begin):
        return "sitemap"
    if suffix in ("json", "jsonl", "ndjson") or re.match(r"\{|\[\s*[\[{\"]", begin):
        return "json"
    if suffix in ("csv", "tsv") or _has_header(first):
        return "csv"
    return "lines"


def _has_header(line: str) -> bool:
    cells = next(csv.reader([line], delimiter=_separator(line)), [])
    return len(cells) > 1 and any(_name(cell) in _NAMES for cell in cells)


def _lines(text: Iterable[str]) -> Iterator[Entry]:
    for line in text:
        yield from map(Entry, addresses(line))


def _csv(text: TextIO) -> Iterator[Entry]:
    first = text.readline()
    rows = csv.reader(chain([first], text), delimiter=_separator(first))
    try:
        sample = [row for row in islice(rows, _SAMPLE) if row]
        column = _column(sample)
        for row in chain(sample, rows):
            cell = row[column].strip() if len(row) > column else ""
            if cell and not (row is sample[0] and not _HTTP.search(cell)):
                yield Entry(cell)
    except csv.Error as error:
        raise UsageError(f"line {rows.line_num} of the list is no CSV: {error}") from error


def _column(sample: list[list[str]]) -> int:
    """Which column has the addresses: one that is named so, if it has any; else the first that has."""
    width = max(map(len, sample), default=0)
    names = [_name(cell) for cell in sample[0]] if sample else []
    named = [names.index(name) for name in _NAMES if name in names]
    having = [
        place for place in range(width) if any(_HTTP.match(row[place].strip()) for row in sample if len(row) > place)
    ]
    found = [place for place in named if place in having] or having or named
    if not found and sample:
        raise UsageError("the list has no column with addresses; name one url, link or address")
    return found[0] if found else 0


def _name(cell: str) -> str:
    return cell.strip().lower().replace("_", " ")


def _separator(line: str) -> str:
    counts = Counter(char for char in re.sub(r'"[^"]*"', "", line) if char in _SEPARATORS)
    return max(_SEPARATORS, key=lambda char: counts[char])


def _json(text: TextIO) -> Iterator[Entry]:
    """A value a line, or one array or object over lines: a text is an address, an object has one, or lists of them."""
    first = text.readline()
    while first and not first.strip():
        first = text.readline()
    rest: Iterable[str] = chain([first], text)
    if not _is_json(first):
        if first.lstrip().startswith("["):
            rest = _items(first + text.read(JSON_MAX + 1))
        elif first.strip() == "{":
            # No line of JSON lines is this one.
            rest = _items(f"[{first}{text.read(JSON_MAX + 1)}]")
    for line in rest:
        if line.strip():
            yield from _values(line)


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _items(document: str) -> Iterator[str]:
    try:
        found = parse_json(document.encode("utf-8", "surrogatepass"))
    except Corrupt as error:
        raise UsageError(f"the list is no JSON: {error}") from error
    yield from (json.dumps(each) for each in found)


def _values(line: str) -> Iterator[Entry]:
    shown = line.strip()[:200]
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        yield Entry(shown, "is no JSON")
        return
    for value in found if isinstance(found, list) else [found]:
        if isinstance(value, dict) and (listed := _listed_in(value)) is not None:
            for each in listed:
                yield from _values(json.dumps(each))
            continue
        if isinstance(value, dict):
            fields = {_name(str(name)): each for name, each in value.items()}
            given = next((fields[name] for name in _NAMES if isinstance(fields.get(name), str)), "").strip()
        else:
            given = value.strip() if isinstance(value, str) else ""
        yield Entry(given) if given else Entry(shown, "has no field url")


def _listed_in(value: dict[str, object]) -> list[object] | None:
    """What an object without an address holds, such as {"urls": [...]}; `None` where it holds none either."""
    if any(isinstance(each, str) for name, each in value.items() if _name(name) in _NAMES):
        return None
    # What browsers keep bookmarks in: folders with children, below a few roots; Firefox draws lines between them.
    if isinstance(roots := value.get("roots"), dict):
        return [each for each in roots.values() if isinstance(each, dict)]
    if "children" in value or str(value.get("type")).startswith("text/x-moz-place-"):
        return _list(value.get("children"))
    lists = [_list(each) for name, each in value.items() if _name(name) in (*_NAMES, "items")]
    return list(chain.from_iterable(lists)) or None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _bookmarks(text: TextIO) -> Iterator[Entry]:
    """The web addresses that an HTML page links to; others (scripts, folders of the browser) are no pages."""
    links = _Links()
    while piece := text.read(1 << 16):
        links.feed(piece)
        yield from links.take()
    links.close()
    yield from links.take()


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self._found: list[Entry] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") if tag == "a" else None
        if href and _HTTP.match(href.strip()):
            self._found.append(Entry(href.strip()))

    def take(self) -> list[Entry]:
        found, self._found = self._found, []
        return found


def _text(text: Iterable[str]) -> Iterator[Entry]:
    for line in text:
        # As JSON and HTML write them.
        plain = html.unescape(line.replace("\\/", "/"))
        place = 0
        while found := _IN_TEXT.search(plain, place):
            whole = _TWO.split(found[0], 1)[0]
            quoted = plain[found.start() - 1 : found.start()] == "'"
            url = _unclosed(whole.partition("'")[0] if quoted else whole)
            # What was cut off may begin another one.
            place = found.start() + len(url)
            if (url := url.rstrip(_AFTER)).partition("://")[2]:
                yield Entry(url)


def _unclosed(url: str) -> str:
    """An address up to the bracket that was opened before it: "(see https://example.org/a_(b))" ends behind "(b)"."""
    for opening, closing in ("()", "[]"):
        depth = 0
        for place, char in enumerate(url):
            depth += (char == opening) - (char == closing)
            if depth < 0:
                url = url[:place]
                break
    return url


_READERS: dict[str, Callable[[TextIO], Iterator[Entry]]] = {
    "lines": _lines,
    "csv": _csv,
    "json": _json,
    "bookmarks": _bookmarks,
    "text": _text,
}

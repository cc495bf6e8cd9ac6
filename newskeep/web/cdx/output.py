"""Lines of a CDX answer as bytes: pywb's CDXJ and JSON lines, the Internet Archive's text and JSON table."""

from __future__ import annotations

import json
from collections.abc import Iterator

from newskeep.web.cdx.fields import ORIGINAL, PUBLIC, CdxLine, value
from newskeep.web.cdx.query import CdxQuery, resume_key
from newskeep.web.cdx.search import Search
from storage import cdxj

TYPES = {
    ("pywb", "cdxj"): "text/x-cdxj",
    ("pywb", "json"): "application/x-ndjson",
    ("pywb", "text"): "text/plain",
    ("ia", "text"): "text/plain",
    ("ia", "json"): "application/json",
    ("ia", "cdxj"): "text/x-cdxj",
}
#: Bytes that are handed on at once.
_CHUNK = 64 * 1024


def chunks(query: CdxQuery, search: Search) -> Iterator[bytes]:
    """Yield the answer in pieces of some 64 KB; nothing for an empty one of lines."""
    held: list[bytes] = []
    size = 0
    table = query.dialect == "ia" and query.output == "json"
    for part in _table(query, search) if table else _lines(query, search):
        held.append(part)
        size += len(part)
        if size >= _CHUNK:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _lines(query: CdxQuery, search: Search) -> Iterator[bytes]:
    one = _text if query.output == "text" else _json if query.output == "json" else _cdxj
    for line in search.lines():
        yield one(query, line)
    if query.show_resume_key and search.resume is not None:
        yield f"\n{resume_key(search.resume)}\n".encode()


def _table(query: CdxQuery, search: Search) -> Iterator[bytes]:
    names = _public(query)
    empty = True
    for line in search.lines():
        yield b"[" + json.dumps(names).encode() if empty else b""
        yield b",\n" + json.dumps(_values(query, line, names)).encode()
        empty = False
    if empty and search.resume is None:
        # As the Internet Archive does: no captures, no names.
        yield b"[]\n"
        return
    if empty:
        yield b"[" + json.dumps(names).encode()
    if query.show_resume_key and search.resume is not None:
        yield b",\n[],\n" + json.dumps([resume_key(search.resume)]).encode()
    yield b"]\n"


def _text(query: CdxQuery, line: CdxLine) -> bytes:
    if query.dialect == "pywb" and query.fields is None:
        return _cdxj(query, line)
    # A space would make two fields of one; a URL has none, and a type of two words is not a type.
    return " ".join(each.replace(" ", "%20") for each in _values(query, line, _public(query))).encode() + b"\n"


def _json(query: CdxQuery, line: CdxLine) -> bytes:
    return json.dumps(_object(query, line)).encode() + b"\n"


def _cdxj(query: CdxQuery, line: CdxLine) -> bytes:
    if query.fields is None and not query.resolve_revisits:
        # The same line as in the CDXJ beside the WARC.
        return cdxj.line(line.capture)
    held = {name: text for name, text in _object(query, line).items() if name not in ("urlkey", "timestamp")}
    return f"{value(line, 'urlkey')} {value(line, 'timestamp')} {json.dumps(held)}\n".encode()


def _object(query: CdxQuery, line: CdxLine) -> dict[str, str]:
    if query.fields is not None:
        return {name: text for name in query.fields if (text := value(line, name)) is not None}
    _, _, held = cdxj.line(line.capture).decode().partition(" ")[2].partition(" ")
    found: dict[str, str] = {
        "urlkey": value(line, "urlkey") or "",
        "timestamp": value(line, "timestamp") or "",
        **json.loads(held),
    }
    if query.resolve_revisits:
        for name in ("mime", "status", *ORIGINAL):
            text = value(line, name)
            if text is not None or name in ORIGINAL:
                found[name] = text or "-"
    return found


def _public(query: CdxQuery) -> tuple[str, ...]:
    return query.fields or (PUBLIC + ORIGINAL if query.resolve_revisits else PUBLIC)


def _values(query: CdxQuery, line: CdxLine, names: tuple[str, ...]) -> list[str]:
    found = []
    for name in names:
        text = value(line, name)
        if query.dialect == "ia" and name == "digest" and text:
            text = text.removeprefix("sha1:")
        found.append(text or ("unk" if name == "mimetype" else "-"))
    return found

"""What an answer says of its own use: in its head, and in the meta and link elements of an HTML page.

A page is looked at up to `CONTENT_BYTES`, once, and whatever is in it, nothing is raised.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from storage.http import HttpMessage
from storage.rights import directives
from storage.rights.signal import Signal, kept
from storage.rights.tdmrep import POLICY, RESERVATION, reservation_of
from storage.rights.usage import content_usage

#: Bytes of a page that are looked at; what is looked for belongs into its head.
CONTENT_BYTES = 256 * 1024
_HTML_TYPES = {"text/html", "application/xhtml+xml", None}
# What an element may hide in, and the element itself, in lower case. Quantifiers are possessive or bounded: no input
# takes more than one pass.
_PLACE = re.compile(
    rb"<!--|<(script|style|textarea|title|template)\b"
    rb"|<(meta|link)(?=[\s/])((?:[^<>\"']++|\"[^\"]{0,2000}+\"|'[^']{0,2000}+')*+)"
)
_ATTRIBUTE = re.compile(rb"([a-z:-]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'>]++))", re.I)
_LINK = re.compile(
    r"<([^<>]{1,2000})>((?:\s*;\s*[a-z*-]+(?:\s*=\s*(?:\"[^\"]{0,500}\"|[^\s\",;]{0,500}))?){0,20})", re.I
)
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s\",;]+))", re.I)
_LICENCE = "license"
#: One of these is in every element that is read, or the name of who asks.
_TELLING = (directives.EVERYBODY.encode(), RESERVATION.encode(), POLICY.encode(), _LICENCE.encode())


def signals(response: bytes, robot: str = "newskeep") -> tuple[Signal, ...]:
    """Return what a response, as on the wire, says to `robot` (in lower case) or to all, in its order."""
    message = HttpMessage.parse(response)
    found = [*_head(message, robot)]
    if message.media_type in _HTML_TYPES and message.has_body:
        found += _elements(message.beginning(CONTENT_BYTES), robot)
    return kept(found)


def noarchive(said: tuple[Signal, ...]) -> str | None:
    """Where signals say `noarchive`: "X-Robots-Tag", "meta robots"; `None` where they do not."""
    return next((signal.source for signal in said if signal.name == "noarchive"), None)


def _head(message: HttpMessage, robot: str) -> Iterator[Signal]:
    fields = [(name.lower(), value) for name, value in message.headers]
    for name, value in fields:
        if name == "x-robots-tag":
            for directive, detail in directives.of_header(value, robot):
                yield Signal(directive, detail, "X-Robots-Tag")
    # Several lines are one dictionary (RFC 9651, 4.2).
    usage = ", ".join(value for name, value in fields if name == "content-usage")
    for label, word in content_usage(usage):
        yield Signal(label, word, "Content-Usage")
    for name, value in fields:
        if name in (RESERVATION, POLICY):
            yield from _reservation(name, value, name)
        elif name == "link":
            yield from (Signal(_LICENCE, address, "Link") for address in _licences(value))


def _reservation(name: str, value: str, source: str) -> Iterator[Signal]:
    said = reservation_of(value) if name == RESERVATION else value.strip() or None
    if said is not None:
        yield Signal(name, said, source)


def _licences(value: str) -> Iterator[str]:
    """The targets of a Link field that are licences (RFC 8288, 3)."""
    for target, parameters in _LINK.findall(value[:20_000]):
        rel = _REL.search(parameters)
        if rel and _LICENCE in (rel[1] or rel[2] or "").lower().split():
            yield target.strip()


def _elements(content: bytes, robot: str) -> Iterator[Signal]:
    if b"\0" in content[:200]:
        content = content.replace(b"\0", b"")  # UTF-16: what matters here is ASCII
    telling = (*_TELLING, robot.encode())
    # In lower case plain bytes are found many times as fast as what is sought without regard to case; and nine tenths
    # of a page stand behind the last of these elements.
    lower, at = content.lower(), 0
    last = max(lower.rfind(b"<meta"), lower.rfind(b"<link"))
    while at <= last and (found := _PLACE.search(lower, at)):
        at = found.end()
        if found[2] is not None:
            # Most elements say other things; to read them all would take the longest here.
            if any(name in found[3] for name in telling):
                attributes = _attributes(content[found.start(3) : at])
                yield from _meta(attributes, robot) if found[2] == b"meta" else _link(attributes)
            continue
        # A comment or script that does not end hides all the rest, as it does in a browser.
        closing = b"-->" if found[1] is None else b"</" + found[1]
        end = lower.find(closing, at)
        if end < 0:
            return
        at = end + len(closing)


def _attributes(written: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall(written):
        value = next((value for value in values if value), b"")
        found.setdefault(name.lower().decode("ascii"), unescape(value.decode("latin-1")))
    return found


def _meta(attributes: dict[str, str], robot: str) -> Iterator[Signal]:
    name, content = attributes.get("name", "").strip().lower(), attributes.get("content", "")
    if name in (directives.EVERYBODY, robot):
        for directive, detail in directives.of_meta(content):
            yield Signal(directive, detail, f"meta {name}")
    elif name in (RESERVATION, POLICY):
        yield from _reservation(name, content, f"meta {name}")


def _link(attributes: dict[str, str]) -> Iterator[Signal]:
    if _LICENCE in attributes.get("rel", "").lower().split() and attributes.get("href", "").strip():
        yield Signal(_LICENCE, attributes["href"].strip(), "link license")

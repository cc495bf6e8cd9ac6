"""Whether a page asks not to be shown from an archive: `noarchive` in X-Robots-Tag, or in a meta tag for robots.

Pure and bounded: a page is looked at up to `CONTENT_BYTES`, once, and whatever is in it, nothing is raised.
"""

from __future__ import annotations

import re
from html import unescape

from storage.http import HttpMessage

#: Bytes of a page that are looked at; the tag belongs into its head.
CONTENT_BYTES = 256 * 1024
#: The names that a directive may be addressed to, beside ours.
_EVERYBODY = "robots"
#: What stands between directives: commas, and what pages write for them.
_BETWEEN = re.compile(r"[\s,;]+")
_HTML_TYPES = {"text/html", "application/xhtml+xml", None}
# Directives with a value: what stands before their colon is no robot's name.
_VALUED = {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
_ROBOT = re.compile(r"\*|[a-z][a-z0-9_-]*")
# What a tag may hide in, and the tag itself. Quantifiers are possessive or bounded: no input takes more than one pass.
_PLACE = re.compile(
    rb"<!--|<(script|style|textarea|title|template)\b|<meta(?=[\s/])((?:[^<>\"']|\"[^\"]{0,2000}+\"|'[^']{0,2000}+')*+)",
    re.I,
)
_ATTRIBUTE = re.compile(rb"([a-z:-]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'>]++))", re.I)


def noarchive(response: bytes, robot: str = "newskeep") -> str | None:
    """Return where a response, as on the wire, says `noarchive` to `robot` or to all: "X-Robots-Tag", "meta robots".

    `robot` is in lower case.
    """
    message = HttpMessage.parse(response)
    if any(name.lower() == "x-robots-tag" and _header_says(value, robot) for name, value in message.headers):
        return "X-Robots-Tag"
    if message.media_type in _HTML_TYPES and message.body:
        return _meta(message.beginning(CONTENT_BYTES), robot)
    return None


def _header_says(value: str, robot: str) -> bool:
    """Read a line of X-Robots-Tag: directives, for all or, behind a name and a colon, for one robot."""
    addressed = _EVERYBODY
    for item in re.split("[,;]", value.lower()):
        name, colon, directive = (part.strip() for part in item.partition(":"))
        if colon and name not in _VALUED and _ROBOT.fullmatch(name):
            addressed = _EVERYBODY if name == "*" else name
        else:
            directive = name
        if "noarchive" in directive.split() and addressed in (_EVERYBODY, robot):
            return True
    return False


def _meta(content: bytes, robot: str) -> str | None:
    if b"\0" in content[:200]:
        content = content.replace(b"\0", b"")  # UTF-16: what matters here is ASCII
    # In lower case plain bytes are found many times as fast as what is sought without regard to case.
    lower, at = content.lower(), 0
    while found := _PLACE.search(content, at):
        at = found.end()
        if found[2] is not None:
            if name := _says(found[2], robot):
                return f"meta {name}"
            continue
        # A comment or script that does not end hides all the rest, as it does in a browser.
        closing = b"-->" if found[1] is None else b"</" + found[1].lower()
        end = lower.find(closing, at)
        if end < 0:
            return None
        at = end + len(closing)
    return None


def _says(attributes: bytes, robot: str) -> str | None:
    if not any(name.encode() in attributes.lower() for name in (_EVERYBODY, robot)):
        return None  # most tags are for others; to read them all would take the longest here
    found: dict[bytes, bytes] = {}
    for name, *values in _ATTRIBUTE.findall(attributes):
        found.setdefault(name.lower(), next((value for value in values if value), b""))
    name = found.get(b"name", b"").strip().lower().decode("latin-1")
    if name not in (_EVERYBODY, robot):
        return None
    directives = _BETWEEN.split(unescape(found.get(b"content", b"").decode("latin-1")).lower())
    return name if "noarchive" in directives else None

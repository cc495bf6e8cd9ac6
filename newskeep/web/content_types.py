"""Which content types of strangers a browser may be shown, and under which name the others are saved."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

OCTETS = "application/octet-stream"

#: Shown in the sandbox, where none of them can run a script, load anything or act on another page.
_SHOWN = frozenset(
    {
        "text/html",
        "application/xhtml+xml",
        "text/plain",
        "text/css",
        "text/csv",
        "text/vtt",
        "text/markdown",
        "text/javascript",
        "application/javascript",
        "application/x-javascript",
        "application/json",
        "application/ld+json",
        "application/manifest+json",
        "text/xml",
        "application/xml",
        "application/rss+xml",
        "application/atom+xml",
        "application/rdf+xml",
        "application/vnd.apple.mpegurl",
        "application/dash+xml",
        "application/font-woff",
        "application/vnd.ms-fontobject",
        "application/x-font-ttf",
    }
)
_SHOWN_KINDS = ("image/", "audio/", "video/", "font/")
#: Saved under their own type: programs that open them ask first or cannot act.
_SAVED = frozenset({"application/pdf", "application/epub+zip", "application/zip", "application/gzip"})
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9][A-Za-z0-9._:+-]{0,39})""", re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


def safe_type(media_type: str | None, field: str | None) -> tuple[str, bool]:
    """Return the Content-Type to answer with, and whether the browser must save it instead of showing it.

    `media_type` is that of the archived Content-Type `field`, whose charset is kept. What is not known to be harmless
    is saved as mere bytes.
    """
    if media_type in _SAVED:
        return media_type, True
    if media_type is None or not (media_type in _SHOWN or media_type.startswith(_SHOWN_KINDS)):
        return OCTETS, True
    charset = _CHARSET.search(field or "")
    return (f"{media_type}; charset={charset[1]}" if charset else media_type), False


def attachment(url: str) -> str:
    """A Content-Disposition that saves a URL's content under the end of its path."""
    name = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]
    name = _NOT_IN_NAMES.sub("-", name).strip("-.")[-80:]
    return f'attachment; filename="{name or "original"}"'

"""Pages that only send on: a meta refresh or Refresh field, and next to nothing to read."""

from __future__ import annotations

import re

from lxml.etree import _Element

from crawler.html.document import TooLarge, parse
from crawler.html.encoding import decode

#: Seconds after which a browser would go on; what waits longer is a page that renews itself.
_MOST_SECONDS = 100
#: Words that such a page may have: "This page has moved. Click here if your browser does not send you on."
_MOST_WORDS = 60
#: In lower case: a pattern without regard to case looks at each byte, and takes longer than all else here.
_MENTION = re.compile(rb"http-equiv\s*=\s*[\"']?\s*refresh")
# HTML standard, 4.2.5.3: "0; url='/here'", "0,/here"; without an address the page renews itself.
_REFRESH = re.compile(
    r"\s*(\d*)(?:\.[\d.]*)?(?:\s*[;,]\s*|\s+)(?:url\s*=\s*)?(?:(['\"])(.*?)(?:\2.*)?|(.*?))\s*",
    re.IGNORECASE | re.DOTALL,
)
_SILENT = frozenset({"script", "style", "noscript", "template", "head", "title"})


def refresh_target(content: bytes, content_type: str | None, field: str | None = None) -> str | None:
    """The address, as written, to which a page that is nothing else sends its readers within 100 s; `None` for others.

    `content` is the page without codings, `content_type` and `field` the Content-Type and Refresh fields of its answer.
    A refresh for those without script (in a `noscript`) does not count.
    """
    if field is None and not _MENTION.search(content.lower()):
        return None
    try:
        tree = parse(decode(content, content_type))
    except TooLarge:
        return None
    if tree is None:
        return _target(field or "")
    said = [field or "", *(_content(meta) for meta in tree.iter("meta") if not _is_aside(meta))]
    target = next(filter(None, map(_target, said)), None)
    return target if target is not None and _words(tree) <= _MOST_WORDS else None


def _content(meta: _Element) -> str:
    return (meta.get("content") or "") if (meta.get("http-equiv") or "").strip().lower() == "refresh" else ""


def _target(said: str) -> str | None:
    match = _REFRESH.fullmatch(said)
    if match is None or int(match[1][:6] or "0") > _MOST_SECONDS:
        return None
    return (match[3] if match[2] else match[4]).strip() or None


def _is_aside(meta: _Element) -> bool:
    return any(above.tag in ("noscript", "template", "script") for above in meta.iterancestors())


def _words(tree: _Element) -> int:
    """Words that a reader would see, counted no further than it matters."""
    words, stack = 0, [tree]
    while stack and words <= _MOST_WORDS:
        element = stack.pop()
        if isinstance(element.tag, str) and element.tag not in _SILENT:
            words += len((element.text or "").split())
            stack += list(element)
        words += len((element.tail or "").split())
    return words

"""Preferences in one line: `Content-Usage` (RFC 9651), `Content-Signal`; the only user of http_sf."""

from __future__ import annotations

import re

from http_sf import parse
from http_sf.errors import StructuredFieldError

_LINE_MOST = 4_000
_SIGNAL = re.compile(r"([a-z][a-z_-]{1,30})\s*=\s*(yes|no|y|n)(?![\w-])", re.IGNORECASE)
_WORDS = {"y": "yes", "n": "no"}


def content_usage(value: str) -> tuple[tuple[str, str], ...]:
    """Labels and "y" or "n" of a Content-Usage (draft-ietf-aipref-attach, 3).

    A field that is no dictionary counts as not there (RFC 9651, 4.2), and a preference that is neither is unknown.
    """
    if len(value) > _LINE_MOST:
        return ()
    try:
        found = parse(value.strip().encode("latin-1", "replace"), tltype="dictionary")
    except (StructuredFieldError, ValueError, RecursionError):
        return ()
    if not isinstance(found, dict):
        return ()
    said = ((label, str(item[0]).lower()) for label, item in found.items() if isinstance(item, tuple))
    return tuple((label, word) for label, word in said if word in ("y", "n"))


def content_signal(value: str) -> tuple[tuple[str, str], ...]:
    """Names and "yes" or "no" of a Content-Signal (contentsignals.org); what is neither is passed over.

    Names that are written with "_" are taken for what they mean.
    """
    found = _SIGNAL.findall(value[:_LINE_MOST])
    return tuple((name.lower().replace("_", "-"), _WORDS.get(word.lower(), word.lower())) for name, word in found)

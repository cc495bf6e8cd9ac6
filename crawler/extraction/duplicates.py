"""The same text under another address, and nearly the same: agency copy on several sites, an edited version.

A text's fingerprint has an exact digest and a sketch (`sketches`) of its words; in scripts without spaces, of its
characters. Both are the same on every machine and are stored.
"""

from __future__ import annotations

from base64 import b32encode
from dataclasses import replace
from hashlib import sha1

from crawler.html.words import tokens
from storage.fingerprints import Fingerprint
from storage.model import Article
from storage.text import plain

#: Fewer words make no sketch: what is short is the same or it is not.
_LEAST_WORDS = 20


def fingerprinted(article: Article) -> Article:
    """Return the article with the fingerprint of its text as it is now, none where it has no text."""
    return replace(article, fingerprint=fingerprint(article.text) if article.text else None)


def fingerprint(text: str) -> Fingerprint:
    """Return a text's fingerprint.

    Layout and typography make no other text (`storage.text.plain`). Case and signs do, for "-5 %" is not "5 %", but
    leave the two as near as can be.
    """
    digest = "sha1:" + b32encode(sha1(plain(text).encode("utf-8", "replace")).digest()).decode()
    words = tokens(text)
    if len(words) < _LEAST_WORDS:
        return Fingerprint(digest, "")
    # numpy takes a tenth of a second to load, and many a crawl needs no sketch outside of its workers.
    from crawler.extraction.sketches import sketch

    return Fingerprint(digest, sketch(words))

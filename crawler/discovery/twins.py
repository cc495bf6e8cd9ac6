"""The forms of a page that it names beside itself and that need no scripts: its AMP page, its print page."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from lxml.etree import _Element

from crawler.discovery.identity import registered
from crawler.discovery.page_requisites import base_of
from crawler.html.document import TooLarge, parse
from crawler.html.encoding import decode
from storage.errors import InvalidURL
from storage.urls import normalize


def twins_of(content: bytes, url: str, content_type: str | None = None) -> tuple[str, ...]:
    """Return the normalised addresses of the AMP and the print form that the HTML page fetched from `url` names.

    At most one of each, AMP first. Only on hosts of the page's own registered domain, and never without TLS where the
    page came with it: what others serve, an AMP cache among them, is not the page's word. Never raises.
    """
    try:
        tree = parse(decode(content, content_type))
    except TooLarge:
        return ()
    if tree is None:
        return ()
    base, found = base_of(tree, url), dict[str, str]()
    for form, href in _named(tree):
        if form not in found and (address := _own(href, base, url)):
            found[form] = address
    return tuple(dict.fromkeys(found[form] for form in sorted(found)))


def _named(tree: _Element) -> Iterator[tuple[str, str]]:
    for link in tree.iter("link"):
        rel, href = (link.get("rel") or "").lower().split(), link.get("href") or ""
        if "amphtml" in rel:
            yield "amp", href
        elif "alternate" in rel and (link.get("media") or "").strip().lower() == "print":
            yield "print", href


def _own(href: str, base: str, url: str) -> str | None:
    try:
        address = normalize(urljoin(base, href.strip()))
        page, named = urlsplit(url), urlsplit(address)
    except (InvalidURL, ValueError):
        return None
    is_own = registered(named.hostname or "") == registered(page.hostname or "")
    is_safe = (page.scheme, named.scheme) != ("https", "http")
    return address if is_own and is_safe and address != normalize(url) else None

"""Whether a link of a page stays on its site."""

from __future__ import annotations

from urllib.parse import urlsplit


def host_of(url: str) -> str:
    """Return the host of an address without "www."; "" for a relative one, and for one that cannot be read."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def leads_on(href: str, host: str) -> bool:
    """Return whether a link of a page at `host` leads to another page of its site; what lies elsewhere is a source."""
    there = host_of(href)
    return not href.startswith("#") and (not there or not host or there == host or there.endswith(f".{host}"))

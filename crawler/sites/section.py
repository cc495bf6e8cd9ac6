"""A section of a site: what lies below the address of a page that is not the front page. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b
from urllib.parse import SplitResult, urlsplit

_FRONT = re.compile(r"/?(?:(?:index|home|default|start)(?:\.\w{2,5})?)?", re.IGNORECASE)
_PAGE = re.compile(r"(?:/(?:index|home|default)(?:\.\w{2,5})?|\.(?:[sp]?html?|php|aspx?|jsp))$", re.IGNORECASE)
#: Characters of a name; it becomes a part of a file's.
_LONGEST = 100
#: From this share of a page's articles on that lie below it, the others on it are those of other sections.
_OWN = 0.2


def is_front(url: str) -> bool:
    """Whether a normalised URL is that of a site's front page."""
    parts = urlsplit(url)
    return not parts.query and bool(_FRONT.fullmatch(parts.path))


def section_name(host: str, url: str) -> str:
    """Return the name of a section of the site `host`, which is its address without the scheme; long ones are cut."""
    parts = urlsplit(url)
    name = f"{host}{parts.path.rstrip('/')}" + (f"?{parts.query}" if parts.query else "")
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 17]}-{blake2b(name.encode(), digest_size=8).hexdigest()}"


def lies_below(url: str, pages: Iterable[str]) -> bool:
    """Whether a normalised URL lies below one of the pages, or is one; "www." makes no difference.

    Nothing but itself lies below a page whose address has a query.
    """
    return any(_lies_below(urlsplit(url), urlsplit(page)) for page in pages)


def _lies_below(parts: SplitResult, page: SplitResult) -> bool:
    if parts.netloc.removeprefix("www.") != page.netloc.removeprefix("www."):
        return False
    path, above = parts.path.rstrip("/"), page.path.rstrip("/")
    if (path, parts.query) == (above, page.query):
        return True
    return not page.query and f"{path}/".startswith(_PAGE.sub("", above) + "/")


def has_own_addresses(articles: Iterable[str], pages: Iterable[str]) -> bool:
    """Whether the articles that a section's page names have addresses below it, so that others are not its own."""
    below = [lies_below(url, pages) for url in articles]
    return bool(below) and sum(below) >= _OWN * len(below)

"""What a browser made of a page, kept beside its answer as `resource` records: the DOM, a picture, a PDF.

Their addresses are those of Browsertrix's crawler (`urn:fullPage:https://…`), and of its kind where it has none.
"""

from __future__ import annotations

from typing import Literal

Rendition = Literal["dom", "screenshot", "pdf"]
PREFIXES: dict[Rendition, str] = {"dom": "urn:dom:", "screenshot": "urn:fullPage:", "pdf": "urn:pdf:"}
#: Media type of the DOM: HTML, as a browser writes it down.
DOM_TYPE = "text/html; charset=utf-8"


def uri_of(rendition: Rendition, url: str) -> str:
    """The address of what was made of the page `url`."""
    return PREFIXES[rendition] + url


def page_of(uri: str) -> str | None:
    """The page whose DOM an address stands for; `None` for every other one."""
    return uri.removeprefix(PREFIXES["dom"]) if uri.startswith(PREFIXES["dom"]) else None


def is_rendition(uri: str) -> bool:
    return uri.startswith(tuple(PREFIXES.values()))

"""What a page or style sheet needs to be shown as it was: pictures, styles, scripts, fonts, icons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin

from crawler.html.document import TooLarge, Tree, parse
from crawler.html.encoding import decode
from storage.errors import InvalidURL
from storage.urls import normalize

#: Of one page or style sheet.
_MOST = 2_000
_MAX_CSS = 4_000_000
# url("a"), url('a'), url(a), @import "a". A string that is not closed on its line is none.
_CSS_URL = re.compile(
    r"url\(\s{0,20}(?:\"([^\"\n]{1,4000})\"|'([^'\n]{1,4000})'|([^\s\"'()]{1,4000}))"
    r"|@import\s{1,20}(?:\"([^\"\n]{1,4000})\"|'([^'\n]{1,4000})')",
    re.IGNORECASE,
)
_CSS_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_CSS_ESCAPE = re.compile(r"\\([()'\" ,\\])")
# A candidate of srcset and its descriptor; an address may hold commas, so it ends at white space or a final comma.
_SRCSET = re.compile(r"[\s,]*([^\s,]\S*?)(,+(?=\s|$)|\s+[^,]{0,40}(?:,|$)|$)")
_STYLES_AND_ICONS = {"stylesheet", "icon", "apple-touch-icon", "apple-touch-icon-precomposed", "mask-icon"}
_PRELOADED = {"style", "script", "font", "image"}
# What scripts put in place of `src` when the picture scrolls into view.
_LAZY = ("data-src", "data-lazy-src", "data-original", "data-lazy")
_LAZY_SETS = ("data-srcset", "data-lazy-srcset")


def requisites_of(content: bytes, url: str, content_type: str | None = None) -> tuple[str, ...]:
    """Return the normalised addresses that the HTML page fetched from `url` needs, in page order, each once.

    At most 2,000; neither frames nor sound and film, of which only the posters are named. Never raises.
    """
    try:
        tree = parse(decode(content, content_type))
    except TooLarge:
        return ()
    return () if tree is None else _unique(_of_tree(tree), base_of(tree, url))


def requisites_of_css(content: bytes, url: str, content_type: str | None = None) -> tuple[str, ...]:
    """Return the same for the style sheet fetched from `url`: its imports, pictures and fonts."""
    return _unique(_of_css(decode(content[:_MAX_CSS], content_type)), url)


def base_of(tree: Tree, url: str) -> str:
    """Return what the page's relative links are resolved against."""
    for base in tree.iter("base"):
        if href := base.get("href"):
            try:
                found = urljoin(url, href.strip())
            except ValueError:
                return url
            return found if found.startswith(("http://", "https://")) else url
    return url


def _unique(texts: Iterator[str], base: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for text in texts:
        try:
            found[normalize(urljoin(base, text.strip()))] = None
        except (InvalidURL, ValueError):
            continue
        if len(found) >= _MOST:
            break
    return tuple(found)


def _of_tree(tree: Tree) -> Iterator[str]:
    for element in tree.iter("*"):
        attributes, name = element.attrib, element.tag
        if name in ("img", "source", "input", "image", "use"):
            yield from _of_picture(element, str(name))
        elif name == "script":
            yield from filter(None, [attributes.get("src")])
        elif name == "video":
            yield from filter(None, [attributes.get("poster")])
        elif name == "link":
            yield from _of_link(element)
        elif name == "style":
            yield from _of_css(element.text or "")
        if "style" in attributes:
            yield from _of_css(attributes["style"])
        if "background" in attributes:
            yield attributes["background"]


def _of_picture(element: Tree, name: str) -> Iterator[str]:
    get = element.attrib.get
    parent = element.getparent()
    if name in ("image", "use"):
        address = get("href") or get("xlink:href") or ""
        if not address.startswith("#"):
            yield address
    elif name == "img" or (name == "input" and (get("type") or "").lower() == "image"):
        yield from filter(None, [get("src"), *map(get, _LAZY)])
    if name == "img" or (name == "source" and parent is not None and parent.tag == "picture"):
        for candidates in filter(None, [get("srcset"), *map(get, _LAZY_SETS)]):
            yield from (match[1] for match in _SRCSET.finditer(candidates[:20_000]))


def _of_link(element: Tree) -> Iterator[str]:
    relations = set((element.get("rel") or "").lower().split())
    address = element.get("href")
    preloaded = "preload" in relations and (element.get("as") or "").lower() in _PRELOADED
    if address and (relations & _STYLES_AND_ICONS or preloaded or "modulepreload" in relations):
        yield address


def _of_css(text: str) -> Iterator[str]:
    for match in _CSS_URL.finditer(_CSS_COMMENT.sub(" ", text)):
        address = next(filter(None, match.groups()), "")
        if address and not address.lower().startswith(("data:", "#")):
            yield _CSS_ESCAPE.sub(r"\1", address)

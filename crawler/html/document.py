"""A page as one lxml tree, parsed once, whatever was sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import copy
from typing import Any, TypeAlias, cast

from lxml import etree, html

# Longest page that is read, in characters; the largest real news page seen has 5 million.
MAX_CHARS = 8_000_000
#: What makes pages longer: pictures and fonts in the page itself, and the data of scripts.
_INLINED = re.compile(r"\bdata:[\w.+/;=-]{0,100},[\w+/=%.~-]{1000,}")
_SCRIPT = re.compile(r"(<(script|style)\b[^<>]*>)[^<]*(?:<(?!/\2)[^<]*)*", re.IGNORECASE)
# Largest tree that is worked on; real news pages have up to 20,000 elements, and the time trafilatura takes
# grows faster than the tree.
MAX_ELEMENTS = 60_000

# What no parser wants to see in text: NUL ends a C string.
_CONTROLS = bytes([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F])
_XML_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\?>")
_MARKUP = re.compile(rb"<\s*[a-zA-Z!/]")
_SHADOW = b"shadowrootmode"
_STREAMED = b"$RC("
_STREAMED_ID = re.compile(r"[\w:-]*S:[\da-f]+")
_NOT_ARTICLE = (
    *("nav", "menu", "aside", "footer", "noscript", "dialog", "button", "select", "option", "datalist", "textarea"),
    *("input", "fieldset", "label", "legend", "img", "picture", "source", "track", "embed", "area", "param", "time"),
    *("link", "meta", "applet"),
)
# What is left open a thousand times in broken markup.
_WRAPPERS = (
    *(
        "a",
        "b",
        "big",
        "center",
        "div",
        "em",
        "font",
        "i",
        "section",
        "small",
        "span",
        "strong",
        "table",
        "tbody",
        "td",
    ),
    *("tr", "u"),
)
#: Whether a tree is deeper than 250 elements: broken markup, on which some algorithms take minutes.
too_deep = etree.XPath("boolean(" + "/*" * 250 + ")")
_OTHER_FORMAT = re.compile(rb"\s*(?:%PDF-|[{\[])")
_PAGE = re.compile(rb"<(?:!doctype html|html|body)\b", re.IGNORECASE)
# Their content is never text of the page.
_NOT_TEXT = (
    "script",
    "style",
    "svg",
    "template",
    "head",
    "iframe",
    "object",
    "canvas",
    "math",
    "map",
    "audio",
    "video",
)

Tree: TypeAlias = html.HtmlElement


class TooLarge(ValueError):
    """The tree has more than `MAX_ELEMENTS` elements."""


def parse(text: str) -> Tree | None:
    """Return the page's <html> element, or `None` for what has no markup at all (empty, JSON, a PDF's bytes).

    Comments and processing instructions are left out. Raises `TooLarge` and `MemoryError`.
    """
    # Lone surrogates are left out. Bytes lose their controls several times as fast as text does.
    page = _XML_DECLARATION.sub(b"", _bounded(text).encode("utf-8", "ignore").translate(None, _CONTROLS), count=1)
    if not _MARKUP.search(page) or (_OTHER_FORMAT.match(page) and not _PAGE.search(page)):
        return None
    try:
        tree = html.document_fromstring(page, parser=_parser())
    except etree.LxmlError as error:
        said = cast(Iterable[Any], error.error_log)
        if any(each.type == etree.ErrorTypes.ERR_NO_MEMORY for each in said):
            # It is no matter of the page, which has its text where there is more.
            raise MemoryError from error
        return None
    except (ValueError, AssertionError):
        return None
    count = int(cast(float, tree.xpath("count(//*)")))
    if count > MAX_ELEMENTS:
        raise TooLarge(f"{count:,} elements")
    if _SHADOW in page or _STREAMED in page:
        _show(tree)
    return cast(Tree, tree)


def _bounded(text: str) -> str:
    """A page of at most `MAX_CHARS`: of one that is longer, what is no markup goes first, then what stands last."""
    if len(text) > MAX_CHARS:
        text = _INLINED.sub("data:,", text)
    if len(text) > MAX_CHARS:
        text = _SCRIPT.sub(r"\1", text)
    return text[:MAX_CHARS]


def _show(tree: Tree) -> None:
    """Make visible what a browser shows though its markup says otherwise, before any script is fetched.

    The content of a declarative shadow root (HTML, 4.12.3 The template element), and what React sends late and hidden
    for a line of script to move to its place (`$RC("B:0","S:0")`).
    """
    for template in tree.iter("template"):
        if template.get("shadowrootmode") in ("open", "closed"):
            template.tag = "div"
    for late in tree.iter("div"):
        if "hidden" in late.attrib and _STREAMED_ID.fullmatch(late.get("id") or ""):
            del late.attrib["hidden"]


def _parser() -> etree.HTMLParser:
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    # Every element is an HtmlElement, which trafilatura expects; lxml.html's own look-up by tag is slow Python.
    parser.set_element_class_lookup(etree.ElementDefaultClassLookup(element=html.HtmlElement))
    return parser


def lean(element: Tree) -> Tree:
    """Return a copy of <body>, or of an element in it, as a page with nothing but what can be article text.

    It is a document of its own: trafilatura looks for text in all of a document. Scripts, menus, controls and pictures
    it drops as well, but only after it has walked over them many times. Of a page that is too deep, the tags that
    broken markup leaves open are left out; it is empty where that does not help.
    """
    copied = copy(element)
    etree.strip_elements(copied, *_NOT_TEXT, *_NOT_ARTICLE, with_tail=False)
    if too_deep(copied):
        etree.strip_tags(copied, *_WRAPPERS)
        if too_deep(copied):
            return _new_page()
    return _new_page(copied)


def _new_page(content: Tree | None = None) -> Tree:
    """Return a page with this element, which is moved, as its <body> or in it; an empty page without one."""
    page = _parser().makeelement("html")
    if content is not None:
        (page if content.tag == "body" else etree.SubElement(page, "body")).append(content)
    return cast(Tree, page)


def body(tree: Tree) -> Tree:
    """Return <body>, or the whole tree where there is none (frames, fragments)."""
    found = tree.find("body")
    return tree if found is None else found

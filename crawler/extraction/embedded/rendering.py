"""An article's body in data, whatever the editor's format, as HTML.

Bodies are HTML in a string, paragraphs in a list, or trees of nodes (ProseMirror, Slate, Portable Text, Contentful,
Editor.js, Draft.js, Arc, Gutenberg). All of them name the kind of a node and keep its text in few ways; so no format is
told from the others.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

#: Where a node says what it is.
_KINDS = (
    "type",
    "nodeType",
    "_type",
    "blockName",
    "tag",
    "tagName",
    "kind",
    "component",
    "__typename",
    "name",
    "style",
)
#: Where text is, of what is shown.
_TEXTS = (
    *("text", "value", "content", "html", "innerHTML", "innerHtml", "contentHtml", "bodyHtml", "body", "rendered"),
    *("copy", "markup", "paragraph", "data", "children", "string", "plainText", "t", "c"),
)
_PARAGRAPH = re.compile(
    r"^(?:p|para|paragraph|text_?block|unstyled|block|normal|li|list_?item|h[1-6]|heading[-_]?[1-6]?|sub_?head\w*|"
    r"header(?:[-_]\w+)?|quote|block_?quote|core/(?:paragraph|heading|quote|list-item)|text_?paragraph|"
    r"paragraph_?block|heading_?block|intro|lead|standfirst)$",
    re.I,
)
_HEADING = re.compile(r"^(?:h[1-6]|heading|header|sub_?head|core/heading)", re.I)
_ITEM = re.compile(r"^(?:li|list_?item|core/list-item)$", re.I)
_QUOTE = re.compile(r"quote", re.I)
#: What is no text of the article, though it stands in the middle of it.
_OTHER = re.compile(
    r"image|picture|photo|figure|gallery|slide|video|audio|podcast|player|embed|iframe|script|(?<![a-z])ad(?:s|vert\w*|_?slot)?"
    r"(?![a-z])|promo|newsletter|related|recommend|read_?(?:more|also)|teaser|card|carousel|banner|subscri|paywall|"
    r"share|social|comment|poll|quiz|widget|tweet|instagram|caption|credit|divider|separator|interstitial|inline_?link",
    re.I,
)
#: Keys under which other things than the article lie.
_ELSEWHERE = re.compile(
    r"comment|related|recommend|popular|latest|trending|teaser|sidebar|newsletter|promo|advert|(?:^|_)ads?(?:$|_)|"
    r"footer|header(?!s?_?text)|navig|menu|cookie|consent|translation|i18n|locale|messages|config|setting|author|"
    r"contributor|bio$|tags?$|keyword|topics?$|seo|meta|schema|summary|excerpt|description|caption|credit|copyright|"
    r"disclaimer|legal|paywall|subscri|breadcrumb|image|photo|picture|media|gallery|video|audio|embed|alt$|style|css|"
    r"class|query|fragment|feature_?flag|next_?article|previous|prev_?article|most_?read|more_?(?:news|stories|from)",
    re.I,
)
#: Words in the name of such a key: what readers say, and what a page asks of them before it shows more.
_ELSEWHERE_WORD = re.compile(
    r"(?:^|_)(?:discussions?|repl(?:y|ies)|responses|reactions?|feedback|threads?|forum|reviews|ratings?|guestbook|"
    r"log_?in|sign_?(?:in|up)|regist(?:er|ration)|reg_?wall|gate|meter|barrier|upsell|upgrade|offers?|membership|account|"
    r"terms|conditions|privacy|polic(?:y|ies)|gdpr|ccpa|imprint|faqs?|help|modal|pop_?up|dialog|overlay|toast|tooltip|"
    r"notification|onboarding|welcome|errors?)(?:$|_)"
)
_WORD_BEGINS = re.compile(r"(?<=[a-z\d])(?=[A-Z])|[-.:/\s]+")
#: Who wrote a comment, as no paragraph has it.
_READER = re.compile(
    r"^(?:user(?:_?name|_?id)?|commenter|member|nick(?:_?name)?|screen_?name|handle|avatar(?:_?url)?|poster)$", re.I
)
_BLOCK_MARKUP = re.compile(r"<(?:p|div|h[1-6]|ul|ol|li|blockquote|br|section|article|figure|table)\b", re.I)
_MARKUP = re.compile(r"</?[a-z][^<>]{0,2000}>", re.I)
_WIDE = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_LINES = re.compile(r"\s*\n\s*")
#: Characters of the shortest text that stands for itself.
_SENTENCE = 40
_DEPTH = 50


@lru_cache(maxsize=10_000)
def is_elsewhere(key: str) -> bool:
    """Whether what lies under a key is not the article's body: its teasers, its author, comments, a login."""
    # Apollo writes the arguments behind the name: `content({"config": "full"})`.
    name = key.partition("(")[0]
    return any((_ELSEWHERE.search(name), _ELSEWHERE_WORD.search(_WORD_BEGINS.sub("_", name).lower())))


def kind_of(node: dict[str, Any]) -> str:
    """Return what a node says it is, "" where it says nothing."""
    named = (node.get(key) for key in _KINDS)
    return next((name for name in named if isinstance(name, str) and len(name) <= 60), "")


def is_other(node: dict[str, Any]) -> bool:
    """Whether a node is a picture, an advert, a link to another article, or what a reader wrote."""
    return _OTHER.search(kind_of(node)) is not None or any(map(_READER.match, node))


def shown(text: str) -> str:
    """Return the text of a string that may hold markup, escaped or not."""
    if "<" not in text and "&lt;" in text:
        text = html.unescape(text)
    return " ".join(html.unescape(_MARKUP.sub(" ", text)).split()) if "<" in text or "&" in text else text


def prose(text: str) -> int:
    """Return how many characters of running text a string is, 0 for what is code, an address, a label."""
    if len(text) < _SENTENCE // 2:
        return 0
    read = shown(text)
    wide = len(_WIDE.findall(read[:2_000]))
    if wide >= _SENTENCE // 2:
        return 3 * len(read)
    if len(read) < _SENTENCE or read.count(" ") < len(read) / 16:
        return 0
    marks = sum(read.count(mark) for mark in "{};=|$<>_\\")
    return len(read) if marks <= len(read) / 40 else 0


def as_html(body: Any) -> str:
    """Return a body as HTML: its paragraphs, headings, items and quotes in order."""
    return "\n".join(_blocks(body, 0))


def _blocks(value: Any, depth: int) -> Iterator[str]:
    if depth > _DEPTH:
        return
    if isinstance(value, str):
        yield from _of_string(value)
    elif isinstance(value, list):
        if _is_inline(value) and not _has_blocks(value):
            yield from _of_string(_inline(value, depth))
            return
        for item in value:
            yield from _blocks(item, depth + 1)
    elif isinstance(value, dict) and not is_other(value):
        yield from _of_node(value, depth)


def _of_node(node: dict[str, Any], depth: int) -> Iterator[str]:
    kind = kind_of(node)
    own = next((node[key] for key in _TEXTS if isinstance(node.get(key), str) and node[key].strip()), None)
    if _PARAGRAPH.match(kind) and not _holds_paragraphs(node, kind):
        text = own if own is not None and prose(own) else _inline(node, depth)
        yield from _of_string(text, _tag(node, kind))
        return
    if own is not None and (prose(own) or _BLOCK_MARKUP.search(own)):
        yield from _of_string(own, _tag(node, kind))
        return
    for key, inner in node.items():
        if isinstance(inner, (dict, list)) and not is_elsewhere(key):
            yield from _blocks(inner, depth + 1)
        elif isinstance(inner, str) and key not in _KINDS and not is_elsewhere(key) and prose(inner):
            yield from _of_string(inner)


def _holds_paragraphs(node: dict[str, Any], kind: str) -> bool:
    """Whether a node named like a paragraph ("block") is one around others; an item of a list is its paragraph."""
    if _ITEM.match(kind) or _QUOTE.search(kind):
        return False
    return any(_has_blocks(inner) for inner in node.values() if isinstance(inner, (dict, list)))


def _has_blocks(value: Any, depth: int = 0) -> bool:
    if depth > _DEPTH:
        return False
    if isinstance(value, dict):
        if _PARAGRAPH.match(kind_of(value)):
            return True
        value = list(value.values())
    return isinstance(value, list) and any(_has_blocks(inner, depth + 1) for inner in value)


def _is_inline(items: list[Any]) -> bool:
    """Whether a list holds the runs of one paragraph: nodes of text, of which some do not end a sentence."""
    if all(isinstance(item, str) for item in items):
        return False
    runs = [_own(item) for item in items]
    if any(run is None for run in runs) or len(runs) < 2:
        return False
    return any(not run.rstrip().endswith((".", "!", "?", "。", ":", "”", '"', "…", ">")) for run in runs[:-1] if run)


def _own(item: Any) -> str | None:
    if isinstance(item, str):
        return item
    if not isinstance(item, dict):
        return None
    return next((item[key] for key in _TEXTS if isinstance(item.get(key), str)), None)


def _inline(value: Any, depth: int) -> str:
    """The text of a paragraph whose runs are nodes, in order; markup stays markup."""
    if depth > _DEPTH:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_inline(item, depth + 1) for item in value)
    if not isinstance(value, dict) or is_other(value):
        return ""
    for key in _TEXTS:
        inner = value.get(key)
        if isinstance(inner, str) and inner:
            return inner
        if isinstance(inner, (list, dict)) and (text := _inline(inner, depth + 1)):
            return text
    if any(isinstance(value.get(key), str) for key in _TEXTS):
        return ""
    nested = (inner for key, inner in value.items() if isinstance(inner, (list, dict)) and not is_elsewhere(key))
    return "".join(_inline(inner, depth + 1) for inner in nested)


def _of_string(text: str, tag: str = "p") -> Iterator[str]:
    if "<" not in text and "&lt;" in text:
        text = html.unescape(text)
    if not text.strip():
        return
    if _BLOCK_MARKUP.search(text):
        yield text
        return
    for line in _LINES.split(text.strip()):
        if line:
            yield f"<{tag}>{line if _MARKUP.search(line) else html.escape(html.unescape(line), quote=False)}</{tag}>"


def _tag(node: dict[str, Any], kind: str) -> str:
    style = node.get("style")
    for name in (kind, style if isinstance(style, str) else ""):
        if _HEADING.match(name):
            return "h2"
        if _ITEM.match(name) or (name == style and node.get("listItem")):
            return "li"
        if _QUOTE.search(name):
            return "blockquote"
    return "p"

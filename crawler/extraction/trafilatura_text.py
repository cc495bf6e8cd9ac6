"""What trafilatura takes for the article's text: the first opinion, and the fallback. Its only user."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Literal

import trafilatura
from trafilatura import external, xpaths
from trafilatura.htmlprocessing import convert_tags, prune_unwanted_nodes, tree_cleaning
from trafilatura.main_extractor import extract_content
from trafilatura.settings import Extractor
from trafilatura.xpaths import RAW_TREE_PRUNE_XPATH, REMOVE_COMMENTS_AND_LISTS_XPATH

from crawler.extraction.remembered_xpaths import remembered
from crawler.html.document import Tree, lean, too_deep

#: Its own, and its default with what it takes for comments: a forum's thread is made of them.
Mode = Literal["fast", "default", "precision", "recall", "comments"]

# It warns of each page it gives up on; our account of the page says so already.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

#: Its lists of what is text and what is none.
_OF_TEXT = (
    *("BODY_XPATH", "COMMENTS_XPATH", "COMMENTS_DISCARD_XPATH", "DISCARD_IMAGE_ELEMENTS", "OVERALL_DISCARD_XPATH"),
    *("PRECISION_DISCARD_XPATH", "RAW_TREE_PRUNE_XPATH", "REMOVE_COMMENTS_AND_LISTS_XPATH", "REMOVE_COMMENTS_XPATH"),
    "TEASER_DISCARD_XPATH",
)
# In the lists themselves, which its modules share: it takes whatever finds elements of a tree. One that another version
# has under another name, or in another form, is asked as it is.
for _name in _OF_TEXT:
    if isinstance(_expressions := getattr(xpaths, _name, None), list):
        _expressions[:] = map(remembered, _expressions)


class _StopWords:
    """jusText's stop words of a hundred languages, read where it first asks for them.

    It makes a set of the 154,000; trafilatura would keep each once more, and take twice as long to read them.
    """

    def __iter__(self) -> Iterator[str]:
        for path in (files("justext") / "stoplists").iterdir():
            if path.name.endswith(".txt"):
                yield from filter(None, path.read_bytes().decode().lower().split("\n"))


external.JT_STOPLIST = _StopWords()  # type: ignore[assignment]


def load_stop_words() -> None:
    """Load the stop words now, for the processes that are forked from this one: each would have them once more."""
    # jusText keeps the set that it makes.
    external.classify_paragraphs((), external.JT_STOPLIST)  # type: ignore[attr-defined]


def first_opinion(page: Tree) -> str:
    """Return the text of <body>, or of an element in it, as trafilatura's main extractor sees it, a run of text a line.

    It is trafilatura's fast mode without most of its copies of the tree, and without its second tries (the page's
    JSON-LD, a looser search) for pages of little text, which are asked for by `opinion` when needed. "" for none.
    """
    options = _options("fast")
    try:
        kept = prune_unwanted_nodes(lean(page), [*RAW_TREE_PRUNE_XPATH, *REMOVE_COMMENTS_AND_LISTS_XPATH])
        found, _ = extract_content(convert_tags(tree_cleaning(kept, options), options), options)
    except Exception:
        # Its cleaning reaches into every corner of a broken page; what fails there must not cost the page its text.
        return ""
    return "\n".join(line for text in found.itertext() if (line := str(text).strip()))


def opinion(tree: Tree, mode: Mode = "default") -> str:
    """Return the text as trafilatura sees it, a block a line, comments only in their mode; "" when it finds none.

    The tree stays as it is: trafilatura works on a copy. A tree too deep for it, and whatever it raises on strange
    pages, count as no text.
    """
    if too_deep(tree):
        return ""
    try:
        document = trafilatura.bare_extraction(tree, options=_options(mode))
    except Exception:
        return ""
    if document is None or isinstance(document, dict):
        return ""
    return "\n".join(filter(None, (document.text, document.comments)))


@cache
def _options(mode: Mode) -> Extractor:
    """The options of a mode, which trafilatura leaves as they are; made for each page they cost as much as an XPath."""
    return Extractor(
        output_format="python",
        fast=mode in {"fast", "precision"},
        comments=mode == "comments",
        precision=mode == "precision",
        recall=mode == "recall",
    )

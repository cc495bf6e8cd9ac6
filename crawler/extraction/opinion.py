"""What trafilatura takes for the article's text: the first opinion, and the fallback. Its only user."""

from __future__ import annotations

import logging
from functools import cache
from typing import Literal

import trafilatura
from trafilatura.settings import Extractor

from crawler.extraction.document import Tree, too_deep

Mode = Literal["fast", "default", "precision", "recall"]

# It warns of each page it gives up on; our account of the page says so already.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


def opinion(tree: Tree, mode: Mode = "fast") -> str:
    """Return the text as trafilatura sees it, a block a line, without comments; "" when it finds none.

    The tree stays as it is: trafilatura works on a copy. A tree too deep for it, and whatever it raises on strange
    pages, count as no text.
    """
    if too_deep(tree):
        return ""
    try:
        document = trafilatura.bare_extraction(tree, options=_options(mode))
    except Exception:
        # Its cleaning reaches into every corner of a broken page; what fails there must not cost the page its text.
        return ""
    return (document.text or "") if document is not None and not isinstance(document, dict) else ""


@cache
def _options(mode: Mode) -> Extractor:
    """The options of a mode, which trafilatura leaves as they are; made for each page they cost as much as an XPath."""
    return Extractor(
        output_format="python",
        fast=mode in {"fast", "precision"},
        comments=False,
        precision=mode == "precision",
        recall=mode == "recall",
    )

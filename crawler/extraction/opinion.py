"""What trafilatura takes for the article's text: the first opinion, and the fallback. Its only user."""

from __future__ import annotations

import logging
from typing import Literal

import trafilatura

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
        document = trafilatura.bare_extraction(
            tree,
            fast=mode in {"fast", "precision"},
            include_comments=False,
            favor_precision=mode == "precision",
            favor_recall=mode == "recall",
        )
    except Exception:
        # Its cleaning reaches into every corner of a broken page; what fails there must not cost the page its text.
        return ""
    return (document.text or "") if document is not None and not isinstance(document, dict) else ""

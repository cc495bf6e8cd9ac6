"""An opinion piece that is named so: <article class="comment">, in which trafilatura sees what readers wrote."""

from __future__ import annotations

from collections.abc import Sequence

from crawler.extraction.running_text import around
from crawler.html.elements import Cut


def is_commentary(cuts: Sequence[Cut]) -> bool:
    """Return whether the page's first top heading stands in an element that is named after comments.

    What readers write stands below it, in an element of its own.
    """
    heading = next((cut for cut in cuts if cut.kind == "h1" and cut.excluded is None and not cut.hidden), None)
    return heading is not None and any("comment" in element.names.lower() for element in around(heading.within))

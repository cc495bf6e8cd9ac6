"""Whether the model may have lost an article: little of the page is kept, or little of what trafilatura finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crawler.extraction.running_text import around, own_element
from crawler.html.elements import Cut
from crawler.html.words import Shingles, tokens
from storage.model import Block

#: A block is another's when this part of it stands in the other's text.
STANDS = 0.6
#: Of a page's running text this part is kept, or trafilatura's default is asked.
_LEAST_PROSE = 0.4
#: Running text: blocks of so many words, most of them in no link.
_PROSE_WORDS, _PROSE_LINKED = 10, 0.3
#: Of trafilatura's text this part is kept, or an article may have been lost …
_LEAST_SHARE = 0.4
#: … unless so many words are kept and the model is as good as sure that the rest is none of the text: then that is what
#: trafilatura adds to short articles, teasers and comments.
_TEXT, _RULED_OUT = 100, 0.06
#: From this probability on the model has kept a block, or next to.
_LIKELY = 0.4
#: How many times as much is hidden as is kept of an article that is.
_TIMES = 2


def is_behind(cuts: Sequence[Cut], blocks: Sequence[Block], title: str) -> bool:
    """Whether next to nothing is kept and far more running text is hidden under the same headline: an article that a
    script is to show. `title` is the page's."""
    kept = sum(len(cut.words) for cut, block in zip(cuts, blocks, strict=True) if block.kept)
    if kept >= _TEXT:
        return False
    hidden = sum(len(cut.words) for cut in cuts if cut.hidden and cut.excluded is None and cut.linked < _PROSE_LINKED)
    if hidden < max(_TEXT, _TIMES * kept):
        return False
    own = own_element(cuts, title)
    inside = (cut for cut in cuts if cut.hidden and cut.linked < _PROSE_LINKED)
    size = sum(len(cut.words) for cut in inside if any(element is own for element in around(cut.within)))
    return own is not None and size >= max(_TEXT, _TIMES * kept)


def is_little(cuts: Sequence[Cut], blocks: Sequence[Block]) -> bool:
    """Whether most of what reads like text on the page was left out."""
    kept = total = 0
    for cut, block in zip(cuts, blocks, strict=True):
        # The words last: menus have not been cut into theirs.
        shown = cut.linked < _PROSE_LINKED and cut.excluded is None and not cut.hidden
        if shown and (words := len(cut.words)) >= _PROSE_WORDS:
            total += words
            kept += words if block.kept else 0
    return kept <= _LEAST_PROSE * total


def is_lost(text: str, cuts: Sequence[Cut], blocks: Sequence[Block]) -> bool:
    """Whether a text that trafilatura found is an article, for all that is known, that these decisions leave out."""
    if not text:
        return False
    if _leaves_out(text, cuts, blocks):
        return True
    # Of an article that the model does not see, rules may have kept a part.
    likely = [replace(block, kept=block.kept and (block.reason.probability or 0.0) >= _LIKELY) for block in blocks]
    words = [word for cut, block in zip(cuts, blocks, strict=True) if block.kept for word in cut.words]
    return _leaves_out(text, cuts, likely) and Shingles(text).share(words) >= STANDS


def _leaves_out(text: str, cuts: Sequence[Cut], blocks: Sequence[Block]) -> bool:
    if kept_share(text, blocks) >= _LEAST_SHARE:
        return False
    size = sum(len(cut.words) for cut, block in zip(cuts, blocks, strict=True) if block.kept)
    return size < _TEXT or not _is_ruled_out(text, cuts, blocks)


def _is_ruled_out(text: str, cuts: Sequence[Cut], blocks: Sequence[Block]) -> bool:
    passage = Shingles(text)
    total = expected = 0.0
    for cut, block in zip(cuts, blocks, strict=True):
        answer = block.reason.probability
        if not block.kept and answer is not None and passage.share(cut.words) >= STANDS:
            total += len(cut.words)
            expected += answer * len(cut.words)
    return expected < _RULED_OUT * total


def kept_share(text: str, blocks: Sequence[Block]) -> float:
    """Which part (0 to 1) of a text's runs of words is kept."""
    return Shingles("\n".join(block.text for block in blocks if block.kept)).share(tokens(text))

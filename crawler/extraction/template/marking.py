"""A verdict written into an article's blocks: what goes, what came back, what repeats and stays, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from crawler.extraction.template.story import REASON, is_read
from crawler.extraction.template.template_detector import Verdict
from storage.counts import counted
from storage.model import Block, Reason

#: Why a line is kept that repeats: what the memory would take is more of the article than it may.
SPARED = "repeated, but most of the article"


def marked(blocks: Iterable[Block], verdict: Verdict, host: str) -> Iterator[Block]:
    """Yield the blocks of an article of a host with its verdict, and without what readers said of them.

    Marked once more, they stay as they are.
    """
    position = 0
    for block in (each.as_extracted for each in blocks):
        if not is_read(block):
            yield block
            continue
        if stories := verdict.removed.get(position):
            yield replace(block, kept=False, reason=Reason(REASON, f"on {counted(stories, 'article')} of {host}"))
        else:
            reason = block.reason if block.kept else Reason("not repeated any more")
            yield replace(block, kept=True, reason=_told(reason, position in verdict.spared))
        position += 1


def _told(reason: Reason, spared: bool) -> Reason:
    """Why a block is kept, with a word on that it repeats."""
    if spared:
        return reason if reason.detail else reason._replace(detail=SPARED)
    return reason._replace(detail="") if reason.detail == SPARED else reason

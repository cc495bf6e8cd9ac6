"""Which blocks are the article's text, and why: by the model, or by trafilatura where the model is out of place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from crawler.extraction.classify.boosted_trees import Model
from crawler.extraction.classify.captions import is_credited
from crawler.extraction.classify.feature_names import NAMES
from crawler.extraction.classify.features import Hints, matrix
from crawler.extraction.trafilatura_text import Mode
from crawler.html.elements import Cut
from crawler.html.words import Shingles, tokens
from storage.model import Block, Reason

# The model knows news articles. Where it keeps less than this part of the words trafilatura keeps, the page is
# something else (a forum, a shop, a list), and trafilatura has the last word.
_LEAST_SHARE = 0.35
# A block is trafilatura's when this part of it stands in trafilatura's text.
_STANDS = 0.6

_STANDS_THERE, _STANDS_NOT = Reason("trafilatura"), Reason("not in trafilatura's text")
_WORDS = NAMES.index("words")

Ask = Callable[[Mode], str]


@dataclass(frozen=True, slots=True)
class Classification:
    """The blocks in page order, each with its reason, and what decided ("model", or a fallback and why)."""

    blocks: tuple[Block, ...]
    method: str


def judge(cuts: Sequence[Cut], hints: Hints, model: Model, ask: Ask) -> Classification:
    """Return what is to be kept; `ask` gives trafilatura's text in another mode, and is called for odd pages only."""
    candidates = [cut for cut in cuts if cut.excluded is None]
    answers, kept = [], 0
    if candidates:
        rows = matrix(candidates, hints)
        probabilities = model.probabilities(rows)
        answers, kept = probabilities.tolist(), int(rows[probabilities >= model.threshold, _WORDS].sum(dtype=float))
    first = hints.first.length
    if kept and kept >= _LEAST_SHARE * first:
        by_cut = dict(zip(candidates, answers, strict=True))
        return Classification(tuple(_by_model(cut, by_cut.get(cut), model.threshold) for cut in cuts), "model")
    if (text := ask("default")) or (text := hints.trafilatura):
        why = f"model kept {round(100 * kept / first)} % of it" if first else "model kept nothing"
        return Classification(_by_text(cuts, text), f"trafilatura: {why}")
    return Classification(tuple(_by_model(cut, None, model.threshold) for cut in cuts), "nothing found")


def _by_model(cut: Cut, answer: float | None, threshold: float) -> Block:
    if answer is None:
        return _block(cut, False, Reason(cut.excluded or "not in the text"))
    reason = Reason("model", probability=round(min(0.99, max(0.01, answer)), 2))
    kept = answer >= threshold
    if kept and cut.pictured and is_credited(cut.text):
        # Pages with captions in plain paragraphs are too few for the model to learn them.
        return _block(cut, False, reason._replace(word="caption with a credit"))
    if not kept and (cut.hidden or cut.kind == "caption"):
        reason = reason._replace(word="hidden" if cut.hidden else "caption")
    return _block(cut, kept, reason)


def _by_text(cuts: Sequence[Cut], text: str) -> tuple[Block, ...]:
    """Keep what stands in `text`; where its blocks are not on the page (the page's scripts hold it), its own lines."""
    passage = Shingles(text)
    judged: list[Block] = []
    found = 0
    for cut in cuts:
        words = tokens(cut.text)
        kept = cut.excluded is None and passage.share(words) >= _STANDS
        found += len(words) if kept else 0
        left_out = Reason(cut.excluded) if cut.excluded else _STANDS_NOT
        judged.append(_block(cut, kept, _STANDS_THERE if kept else left_out))
    if found >= 0.5 * passage.length:
        return tuple(judged)
    lines = (" ".join(line.split()) for line in text.splitlines())
    own = tuple(Block(line, "p", True, _STANDS_THERE) for line in lines if line)
    return own + tuple(replace(block, kept=False, reason=_STANDS_NOT) for block in judged)


def _block(cut: Cut, kept: bool, reason: Reason) -> Block:
    return Block(cut.text, cut.kind, kept, reason, cut.within.place, round(cut.linked, 2))

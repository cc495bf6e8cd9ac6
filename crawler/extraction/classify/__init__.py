"""Which blocks are the article's text, and why.

The model judges each block; rules give back what belongs together (`structure`) and take away what is no text of this
article wherever it stands (`prompts`, `next_article`, `copies`). Where little of a page is kept, trafilatura's default
mode is asked: an article that it finds and the model has lost (`lost`) is judged again by its account, and is as
trafilatura has it where the model still does not see it; labels of menus are no text (`labels`). How sure all this is,
`confidence` says. The model knows articles: a page that says it is none, or is in doubt and does not say that it is
one, is as trafilatura has it. A body that was found in the data of a page's scripts is kept, but for what rules know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from crawler.extraction.classify import structure
from crawler.extraction.classify.boosted_trees import Model
from crawler.extraction.classify.captions import is_credited
from crawler.extraction.classify.commentary import is_commentary
from crawler.extraction.classify.confidence import Signs, signs
from crawler.extraction.classify.copies import copies
from crawler.extraction.classify.features import Hints, matrix
from crawler.extraction.classify.labels import without_labels
from crawler.extraction.classify.lost import STANDS, is_behind, is_little, is_lost, kept_share
from crawler.extraction.classify.next_article import next_articles
from crawler.extraction.classify.prompts import prompts
from crawler.extraction.classify.structure import Judged
from crawler.extraction.opinions import likeness
from crawler.extraction.trafilatura_text import Mode
from crawler.html.elements import Cut
from crawler.html.words import Shingles, tokens
from storage.model import DOUBTFUL, Block, Reason

#: Where less of trafilatura's text is kept even by its account, the page is none that the model knows.
_LEAST_SHARE = 0.1

#: Two texts that have less of each other are of different things.
_MOST = 0.75
#: The most that is believed of the text of a list of other pages.
_LIST = 0.3
#: From this likeness on (0 to 1) trafilatura's modes are of one mind: on old news pages without a date they are not.
_ONE_MIND = 0.92

_STANDS_THERE, _STANDS_NOT = Reason("trafilatura"), Reason("not in trafilatura's text")

Ask = Callable[[Mode], str]


@dataclass(frozen=True, slots=True)
class Classification:
    """The blocks in page order, each with its reason, and what decided ("model", or a fallback and why)."""

    blocks: tuple[Block, ...]
    method: str
    #: What speaks against the text, and how likely it is right as a whole, 0.01 to 0.99; `None` where there is none.
    signs: Signs | None = None
    confidence: float | None = None

    def doubted(self) -> Classification:
        """The same, of a page that lists others: of its text nobody can say what it should be."""
        return self if self.confidence is None else replace(self, confidence=min(self.confidence, _LIST))


@dataclass(frozen=True, slots=True)
class _Rule:
    """Blocks that a rule finds are kept, or left out, for this reason."""

    word: str
    keeps: bool
    find: Callable[[Judged, Hints], Iterable[int]]


_RULES = (
    _Rule("link to another article", False, lambda page, hints: prompts(page.cuts, page.kept, hints.url)),
    _Rule("row of the table", True, lambda page, _: structure.tables(page)),
    _Rule("item of the list", True, lambda page, _: structure.lists(page)),
    _Rule("key point", True, lambda page, _: structure.key_points(page)),
    _Rule("beginning", True, lambda page, hints: structure.beginning(page, hints.description)),
    _Rule("heading of the text", True, lambda page, _: structure.headings(page)),
    _Rule("another article", False, lambda page, hints: next_articles(page.cuts, page.kept, hints.title)),
    _Rule("said before", False, lambda page, _: copies(page.cuts, page.kept)),
)


def judge(cuts: Sequence[Cut], hints: Hints, model: Model, ask: Ask) -> Classification:
    """Return what is to be kept; `ask` gives trafilatura's text in another mode, and is called for odd pages only."""
    if (found := _no_article(cuts, hints, model, ask)) is not None:
        return found
    found = _sure(cuts, hints, model, *_decided(cuts, hints, model, ask))
    is_doubtful = found.confidence is not None and found.confidence < DOUBTFUL
    if hints.kind is None and is_doubtful and found.method.startswith("model"):
        return _in_doubt(cuts, hints, model, ask, found)
    return found


def judge_body(cuts: Sequence[Cut], hints: Hints, model: Model, source: str) -> Classification:
    """Return what is to be kept of a body that stands by itself in a page's data (`source`): all but what a rule knows.

    The model judges blocks by what is around them on a page; here nothing is.
    """
    blocks = tuple(
        replace(block, kept=True, reason=block.reason._replace(word="script data"))
        if block.reason.word == "model" and not block.kept
        else block
        for block in _by_model(cuts, hints, model)
    )
    return _sure(cuts, hints, model, blocks, f"script data: {source}")


def _sure(cuts: Sequence[Cut], hints: Hints, model: Model, blocks: tuple[Block, ...], method: str) -> Classification:
    """A decision with how sure it is."""
    found = signs(cuts, blocks, hints.opinions.passage)
    if found is None or model.confidence is None:
        return Classification(blocks, method, found)
    return Classification(blocks, method, found, _rounded(model.confidence.probability(found)))


def _no_article(cuts: Sequence[Cut], hints: Hints, model: Model, ask: Ask) -> Classification | None:
    """A page that says it is something else than an article; `None` for others, and where trafilatura finds no text."""
    if hints.kind in (None, "article"):
        return None
    text = without_labels(ask("comments" if hints.kind == "forum thread" else "default"), cuts)
    if not text:
        return None
    found = _sure(cuts, hints, model, _by_text(cuts, text), f"trafilatura: a {hints.kind}")
    return found.doubted() if hints.kind == "collection page" else found


def _in_doubt(cuts: Sequence[Cut], hints: Hints, model: Model, ask: Ask, found: Classification) -> Classification:
    """A doubtful page that does not say what it is: trafilatura's text, where its modes are of one mind about it.

    Each text must have most of the other's.
    """
    default = hints.opinions.default
    text = ask("default") if default is None else default
    if likeness(hints.opinions.first, text) < _ONE_MIND:
        return found
    precision = hints.opinions.precision
    text, other = without_labels(text, cuts), ask("precision") if precision is None else precision
    kept = tokens("\n".join(block.text for block in found.blocks if block.kept))
    shares = Shingles(text).share(kept), kept_share(text, found.blocks)
    if min(shares) < _MOST or likeness(text, other) < _ONE_MIND:
        return found
    return _sure(cuts, hints, model, _by_text(cuts, text), "trafilatura: in doubt, and nothing says it is an article")


def _decided(cuts: Sequence[Cut], hints: Hints, model: Model, ask: Ask) -> tuple[tuple[Block, ...], str]:
    blocks = _by_model(cuts, hints, model)
    default = hints.opinions.default
    if default is None and not (is_little(cuts, blocks) or is_behind(cuts, blocks, hints.title)):
        return blocks, "model"
    if default is None:
        default = ask("default")
    default = without_labels(default, cuts)
    if not default and not any(block.kept for block in blocks) and is_commentary(cuts):
        default = without_labels(ask("comments"), cuts)
    if not is_lost(default, cuts, blocks):
        return blocks, "model" if any(block.kept for block in blocks) else "nothing found"
    again = _by_model(cuts, hints.by(default), model)
    why = f"the model kept {kept_share(default, blocks):.0%} of trafilatura's default"
    if kept_share(default, again) >= _LEAST_SHARE:
        return again, f"model, again: {why}"
    return _by_text(cuts, default), f"trafilatura: {why}"


def _by_model(cuts: Sequence[Cut], hints: Hints, model: Model) -> tuple[Block, ...]:
    answers = _answers(cuts, hints, model)
    blocks = [_judged(cut, answer, model.threshold) for cut, answer in zip(cuts, answers, strict=True)]
    for rule in _RULES:
        page = Judged(cuts, answers, [block.kept for block in blocks])
        for at in list(rule.find(page, hints)):
            blocks[at] = replace(blocks[at], kept=rule.keeps, reason=blocks[at].reason._replace(word=rule.word))
    return tuple(blocks)


def _answers(cuts: Sequence[Cut], hints: Hints, model: Model) -> list[float | None]:
    """The model's answer for each block, `None` for those that can be no text."""
    candidates = [cut for cut in cuts if cut.excluded is None]
    if not candidates:
        return [None] * len(cuts)
    found: Iterator[float] = iter(model.probabilities(matrix(candidates, hints)).tolist())
    return [next(found) if cut.excluded is None else None for cut in cuts]


def _judged(cut: Cut, answer: float | None, threshold: float) -> Block:
    if answer is None:
        return _block(cut, False, Reason(cut.excluded or "not in the text"))
    reason = Reason("model", probability=_rounded(answer))
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
        words = cut.words
        kept = cut.excluded is None and passage.share(words) >= STANDS
        found += len(words) if kept else 0
        left_out = Reason(cut.excluded) if cut.excluded else _STANDS_NOT
        judged.append(_block(cut, kept, _STANDS_THERE if kept else left_out))
    if found >= 0.5 * passage.length:
        return tuple(judged)
    lines = (" ".join(line.split()) for line in text.splitlines())
    own = tuple(Block(line, "p", True, _STANDS_THERE) for line in lines if line)
    return own + tuple(replace(block, kept=False, reason=_STANDS_NOT) for block in judged)


def _rounded(probability: float) -> float:
    """To two digits, and never quite sure."""
    return round(min(0.99, max(0.01, probability)), 2)


def _block(cut: Cut, kept: bool, reason: Reason) -> Block:
    return Block(cut.text, cut.kind, kept, reason, cut.within.place, round(cut.linked, 2))

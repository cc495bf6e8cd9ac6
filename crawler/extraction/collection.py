"""Pages that are lists of other pages, and do not say so: headlines that are links, with a few words under each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from crawler.extraction.running_text import is_text
from crawler.extraction.teasers import is_headline
from crawler.html.elements import Cut
from crawler.html.links import host_of

#: So many headlines alike, with so much of the page's running text under them, are what a page is about. Of 2,150 news
#: articles that were looked at, those above say themselves that they are one.
_HEADLINES, _SHARE = 5, 0.8
#: In characters: a line that says something; a paragraph; the text of a teaser, of which a section of an article has
#: more.
_LINE, _PARAGRAPH, _LONGEST = 25, 60, 600
#: In bytes, whatever the script: a headline. The names of those who comment are shorter.
_HEADLINE = 20
#: How many steps of its place tell that a headline is like another: its own element, and the one around it.
_STEPS = 2


@dataclass(frozen=True, slots=True)
class Collection:
    """What leads to other pages on one that does little else; with a paragraph of its own it may be a short article."""

    teasers: frozenset[Cut]
    has_paragraph: bool

    def is_all_of(self, kept: Sequence[Cut]) -> bool:
        """Whether what is kept of the page is for the greater part what leads to others."""
        return 2 * sum(len(cut.text) for cut in kept if cut in self.teasers) > sum(len(cut.text) for cut in kept)


def collection(cuts: Sequence[Cut], url: str) -> Collection | None:
    """Return what a page, which was cut into these blocks, leads to others of its site with; `None` for most pages."""
    has_paragraph = False
    total = 0
    by_place: dict[str, list[list[Cut]]] = defaultdict(list)
    for headline, texts in _texts(cuts, host_of(url)):
        size = _size(texts)
        total += size
        if headline is None:
            has_paragraph = has_paragraph or any(is_text(text, _PARAGRAPH) for text in texts)
        elif 0 < size <= _LONGEST:
            by_place[">".join(headline.within.place.split(">")[-_STEPS:])].append(texts)
    for teasers in by_place.values():
        texts = list(chain.from_iterable(teasers))
        if len(teasers) >= _HEADLINES and _size(texts) >= _SHARE * total:
            return Collection(frozenset(texts), has_paragraph)
    return None


def _texts(cuts: Sequence[Cut], host: str) -> Iterator[tuple[Cut | None, list[Cut]]]:
    """Headlines that lead on, each with the running text behind it; `None` at the beginning and for the page's own."""
    headline: Cut | None = None
    texts: list[Cut] = []
    for cut in cuts:
        if cut.excluded is not None or cut.hidden or cut.within.tag == "footer":
            continue
        leads_on = is_headline(cut, host) and len(cut.text.encode()) >= _HEADLINE
        if leads_on or cut.kind == "h1":
            yield headline, texts
            headline, texts = (cut if leads_on else None), []
        elif is_text(cut, _LINE):
            texts.append(cut)
    yield headline, texts


def _size(texts: Sequence[Cut]) -> int:
    return sum(len(text.text) for text in texts)

"""The next article, which pages for endless scrolling send along under the one that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crawler.extraction.classify.class_tokens import GROUPS, groups_of
from crawler.html.elements import Cut, Element
from crawler.html.words import tokens

_BODY = 1 << list(GROUPS).index("body")
#: In words; a first article of fewer may be a teaser of the second.
_LEAST = 40


def next_articles(cuts: Sequence[Cut], kept: Sequence[bool], title: str) -> Iterator[int]:
    """Yield the kept blocks of articles that stand beside the page's own.

    An article is an element with a top heading (h1) of its own; the page's own is the one whose heading is most like
    its title, of several the first. Sections with an h1 each within one <article> are one article.
    """
    articles = _articles(cuts)
    if len(articles) < 2:
        return
    within = {article: list(_inside(cuts, kept, article)) for article in articles}
    own = max(articles, key=lambda article: _likeness(articles[article], title))
    if sum(len(cuts[at].words) for at in within[own]) < _LEAST:
        return
    for article, blocks in within.items():
        if article is not own:
            yield from blocks


def _articles(cuts: Sequence[Cut]) -> dict[Element, str]:
    """The elements that are articles, each with its heading."""
    headings = [cut for cut in cuts if cut.kind == "h1" and cut.excluded is None and not cut.hidden]
    around: dict[Element, int] = {}
    for cut in headings:
        for element in _up(cut.within):
            around[element] = around.get(element, 0) + 1
    found: dict[Element, str] = {}
    for cut in headings:
        alone = [element for element in _up(cut.within) if around[element] == 1]
        outside = [element for element in _up(cut.within) if around[element] > 1]
        if not alone or any(element.tag == "article" for element in outside):
            continue
        if any(map(_is_named, alone)) or next(alone[-1].node.iterdescendants("article"), None) is not None:
            found[alone[-1]] = cut.text
    return found


def _is_named(element: Element) -> bool:
    """Whether tag or class say that it is an article."""
    return element.tag == "article" or (element.tag != "h1" and groups_of(element.names) & _BODY > 0)


def _up(element: Element | None) -> Iterator[Element]:
    while element is not None:
        yield element
        element = element.parent


def _inside(cuts: Sequence[Cut], kept: Sequence[bool], article: Element) -> Iterator[int]:
    for at, cut in enumerate(cuts):
        if kept[at] and any(element is article for element in _up(cut.within)):
            yield at


def _likeness(heading: str, title: str) -> float:
    one, other = set(tokens(heading)), set(tokens(title))
    return len(one & other) / max(1, len(one | other))

"""Teasers: the headline of another article as a link, and its first sentences, again and again in elements alike.

Under a short article there are more words of them than of it, and whoever looks for the part of a page that most text
stands in finds these.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

from crawler.extraction.running_text import around, is_text, own_element
from crawler.html.elements import HEADINGS, Cut, Element
from crawler.html.links import host_of, leads_on

#: In characters: a headline, as a script without spaces has it; a line that says something.
_HEADLINE, _LINE = 6, 25
#: So many elements alike are a row of teasers.
_ROW = 3
#: Lines above the text of a teaser, its headline among them; and characters of all that is in it.
_ABOVE, _LONGEST = 3, 900
# Of a <p> in a <p> a parser makes one around half the article; a list has items of its own.
_NO_ITEM = frozenset({"p", "ul", "ol", "dl", "table", "tbody"})
#: "1. Carbonara": of an article that counts something up.
_NUMBERED = re.compile(r"#?\d{1,3}\s*[.):\]–-]\s*\D")
#: The share of a headline that is in links.
_LINKED = 0.9


def teasers(cuts: Sequence[Cut], url: str, title: str) -> set[Element]:
    """Return the elements that are teasers, of which a row has three or more alike, beside the article's own element.

    `title` is the page's. What stands under one headline with the article may be what it lists.
    """
    host = host_of(url)
    items = set(chain.from_iterable(_rows(cuts, host)))
    if items:
        own = own_element(cuts, title, items)
        items = {item for item in items if own not in around(item)} if own is not None else set()
    return items | _cards(cuts, host)


def _cards(cuts: Sequence[Cut], host: str) -> set[Element]:
    """Headlines and the texts below them that are one link together."""
    cards: dict[str, list[Element]] = {}
    for one, two in pairwise(cuts):
        # Links that stand next to each other in a line of a text have one element.
        if one.kind in HEADINGS and one.kind != "h1" and one.linked >= _LINKED <= two.linked and one.href == two.href:
            shown = one.excluded is None is two.excluded and len(two.text) >= _LINE
            if shown and one.within is not two.within and _leads_on(one.href, host):
                cards[one.href] = [one.within, two.within]
    return set(chain.from_iterable(cards.values())) if len(cards) >= _ROW else set()


def _rows(cuts: Sequence[Cut], host: str) -> list[list[Element]]:
    """The elements that are teasers, row by row."""
    pairs = list(_pairs(cuts, host))
    if len(pairs) < _ROW:
        return []
    beside: dict[Element, dict[Element, int]] = {}
    for headline, text in pairs:
        of_text = set(around(text.within))
        for element in around(headline.within):
            if element in of_text and element.parent is not None and element.tag not in _NO_ITEM:
                inside = beside.setdefault(element.parent, {})
                inside[element] = inside.get(element, 0) + 1
    rows = [_alike([item for item, headlines in inside.items() if headlines == 1]) for inside in beside.values()]
    rows = [row for row in rows if len(row) >= _ROW]
    if not rows:
        return []
    sizes = _sizes(cuts, set(chain.from_iterable(rows)))
    rows = [[item for item in row if 0 < sizes[item] <= _LONGEST] for row in rows]
    return [row for row in rows if len(row) >= _ROW]


def _pairs(cuts: Sequence[Cut], host: str) -> Iterator[tuple[Cut, Cut]]:
    """Links to other pages of the site, each with the text that comes soon after it, before any other link."""
    headline, lines = None, 0
    for cut in cuts:
        if cut.excluded is not None or cut.hidden:
            continue
        if cut.linked >= _LINKED:
            headline, lines = (cut if is_headline(cut, host) else None), 0
        elif headline is not None:
            lines += 1
            if is_text(cut, _LINE):
                if cut.within is not headline.within:
                    yield headline, cut
                headline = None
            elif lines == _ABOVE:
                headline = None


def is_headline(cut: Cut, host: str) -> bool:
    """Return whether a block may be another article's headline: a link to a page of its site, and not numbered."""
    is_link = cut.linked >= _LINKED and len(cut.text) >= _HEADLINE and cut.kind != "h1"
    return is_link and not _NUMBERED.match(cut.text) and _leads_on(cut.href, host)


def _alike(items: Sequence[Element]) -> list[Element]:
    """Those of the most common tag and names."""
    looks = Counter((item.tag, _first_name(item)) for item in items)
    most = max(looks, key=looks.__getitem__, default=None)
    return [item for item in items if (item.tag, _first_name(item)) == most]


def _first_name(item: Element) -> str:
    """The first of its class names, which the others may count or colour."""
    return next((name for key, value in item.attributes if key == "class" for name in value.split()), "")


def _sizes(cuts: Sequence[Cut], items: set[Element]) -> Counter[Element]:
    """The characters in each of these elements; none for one with a top heading, which is an article's."""
    sizes: Counter[Element] = Counter()
    for cut in cuts:
        for element in around(cut.within):
            if element in items:
                sizes[element] += _LONGEST + 1 if cut.kind == "h1" else len(cut.text)
    return sizes


def _leads_on(href: str, host: str) -> bool:
    """Whether it does, and is no script or mail, as which cards may be made."""
    return bool(href) and not href.startswith(("javascript:", "mailto:")) and leads_on(href, host)

"""What is known of each block, as numbers: its shape, its markup, its place, its neighbours, other opinions of it.

The columns are named, in the order of `NAMES`; the model file holds the names it was trained with. Nothing here knows
a language or a site: words are only counted and compared, class names are sorted into a few groups.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from crawler.extraction.blocks import HEADINGS, Cut, Element
from crawler.extraction.words import Gram, Passage, grams, tokens

Matrix = NDArray[np.float32]
Column = NDArray[np.float32]

#: What class names, ids and roles tell, whatever the site: a group and what such names contain.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "share": ("share", "sharing", "social", "follow", "facebook", "twitter", "whatsapp"),
    "related": (
        *("relat", "recommend", "read-more", "readmore", "read-also", "read-next", "more-on", "more-from", "more-stor"),
        *(
            "more-news",
            "also",
            "trending",
            "popular",
            "most-read",
            "mostread",
            "outbrain",
            "taboola",
            "teaser",
            "next-",
        ),
        *("suggest", "linkbox", "inline-link", "inline-article", "inline-promo", "carousel", "latest", "recirc"),
    ),
    "newsletter": (
        *("newsletter", "subscri", "signup", "sign-up", "optin", "mailing", "paywall", "regwall", "piano", "register"),
        *("login", "premium"),
    ),
    "advert": (
        *("advert", "sponsor", "promo", "banner", "commercial", "affiliate", "dfp", "gpt", "donat", "supportus"),
        *("support-us", "contribut"),
    ),
    "comment": ("comment", "disqus", "respond", "discussion"),
    "author": ("author", "byline", "contributor", "writer", "profile"),
    "caption": (
        *("caption", "credit", "figure", "photo", "image", "gallery", "media", "video", "slide", "player", "copyright"),
        *("legend", "thumb", "lightbox"),
    ),
    "tag": ("topic", "categor", "keyword", "kicker", "label", "breadcrumb", "section-name", "rubric"),
    "navigation": (
        *("nav", "menu", "footer", "header", "toolbar", "sidebar", "side-", "skip", "pager", "paginat", "widget"),
        *("rail", "masthead"),
    ),
    "date": ("meta", "date", "time", "publish", "info", "stamp"),
    "title": (
        *("title", "headline", "heading", "dek", "standfirst", "stand-first", "lead", "lede", "summary", "intro"),
        *("excerpt", "abstract", "chapo", "descri"),
    ),
    "body": ("body", "content", "article", "story", "post", "entry", "text", "paragraph", "rich", "prose", "copy"),
    "consent": ("cookie", "consent", "gdpr", "privacy", "modal", "popup", "overlay", "toast", "alert", "disclaimer"),
    "embed": (
        *("embed", "tweet", "instagram", "quote", "pull", "aside", "factbox", "infobox", "box", "module", "component"),
    ),
    "hidden": ("hidden", "hide", "sr-only", "visually", "screen-reader", "print", "invisible", "offscreen"),
}
# Too short to be looked for inside of words.
_WHOLE_PARTS = {"ad": "advert", "ads": "advert", "tag": "tag", "tags": "tag", "bio": "author"}
_SENTENCE_END = re.compile(r"[.!?…。！？।؟][\"”»’')\]]*$")
_OPENING = tuple("([|*-–—•·▶►›»")
_SYMBOLS = re.compile(r"[©®|→›»•▶►]|https?://|@\w|\bwww\.")
_NUMERIC_DATE = re.compile(r"\b(19|20)\d\d\b|\d{1,2}[:.h]\d\d\b")
_PUNCTUATION = tuple(".,;!?，。、؛،")


def _names(names: str) -> list[str]:
    return names.split()


_OWN = _names(
    "chars words chars_per_word linked links starts_linked ends_linked bold italic ends_sentence ends_colon"
    " punctuation upper digits symbols date starts_lower colon_early opens broken hidden slug"
)
_KINDS = _names("p h1 heading li row caption quote division")
_INSIDE = _names("article main aside footer header figure form li table blockquote section")
_BELOW = _names("aside header footer figure section li a blockquote")
_RELATION = _names("in_main below_main depth in_parent parent_is_main same_place")
_VIEWS = _names("trafilatura json_ld json_ld_length title description repeated")
_POSITION = _names(
    "position after_first before_last is_before is_after after_h1 has_h1 words_before text_words page_blocks"
)
_AROUND = [f"{name}_{level}" for level in (0, 1, 2) for name in ("words_in", "blocks_in", "linked_in", "kept_in")]
_NEIGHBOURS = [
    f"{name}_{distance:+d}"
    for distance in (-2, -1, 1, 2)
    for name in ("trafilatura", "linked", "words", "ends_sentence", "sibling", "is_heading")
]
_SECTION = _names("since_heading under_heading section_kept section_linked gap_before gap_after density")
_GROUPS = [f"{where}:{group}" for where in ("near", "own", "inline") for group in GROUPS]

#: Names of the columns, in order.
NAMES: tuple[str, ...] = tuple(
    [*_OWN]
    + [f"is_{kind}" for kind in _KINDS]
    + [f"inside_{tag}" for tag in _INSIDE]
    + [f"below_{tag}" for tag in _BELOW]
    + _RELATION
    + _VIEWS
    + _POSITION
    + _AROUND
    + _NEIGHBOURS
    + _SECTION
    + _GROUPS
)


@dataclass(frozen=True, slots=True)
class Hints:
    """What else is known of the page: trafilatura's text, and what the page says of itself."""

    trafilatura: str
    title: str = ""
    description: str = ""
    #: JSON-LD articleBody.
    body: str = ""


@lru_cache(maxsize=16384)
def groups_of(names: str) -> int:
    """Return the groups of some names, parted by spaces, as a bit set in the order of `GROUPS`."""
    found = 0
    for name in names.split():
        found |= _groups_of_name(name.lower())
    return found


@lru_cache(maxsize=65536)
def _groups_of_name(name: str) -> int:
    found = {_WHOLE_PARTS.get(part) for part in name.replace("_", "-").split("-")}
    return sum(
        1 << bit
        for bit, (group, fragments) in enumerate(GROUPS.items())
        if group in found or any(map(name.__contains__, fragments))
    )


class _Page:
    """The blocks with their words, and where the text stands by trafilatura's account."""

    def __init__(self, cuts: Sequence[Cut], hints: Hints) -> None:
        self.cuts = cuts
        self.words = [tokens(cut.text) for cut in cuts]
        self.grams: list[list[Gram]] = [grams(words) for words in self.words]
        self.chains = [cut.within.chain() for cut in cuts]
        self.lengths = np.array([len(words) for words in self.words], dtype=np.float32)
        self.first_opinion = self.share_of(hints.trafilatura)
        self.linked = np.array([cut.linked for cut in cuts], dtype=np.float32)
        self.ends = [_SENTENCE_END.search(cut.text[-4:]) is not None for cut in cuts]
        self.headings = [cut.kind in HEADINGS for cut in cuts]
        self.core = [
            index
            for index, share in enumerate(self.first_opinion.tolist())
            if share > 0.7 and len(self.words[index]) >= 8
        ]
        self.core_words = sum(len(self.words[index]) for index in self.core)
        self.places: Counter[str] = Counter()
        for index in self.core:
            self.places[cuts[index].within.place] += len(self.words[index])
        self.main = self._main()
        self.parent = self._parent()

    def share_of(self, text: str) -> Column:
        """Return for each block which part of it stands in `text`."""
        passage = Passage(text)
        return np.array(
            [passage.share(words, runs) for words, runs in zip(self.words, self.grams, strict=True)], dtype=np.float32
        )

    def _main(self) -> Element | None:
        """The smallest element around four fifths of the words of the text."""
        inside: Counter[Element] = Counter()
        for index in self.core:
            for element in self.chains[index]:
                inside[element] += len(self.words[index])
        best = [element for element, words in inside.items() if words >= 0.8 * self.core_words]
        return max(best, key=lambda element: element.depth, default=None)

    def _parent(self) -> Element | None:
        """The element that is the parent of most words of the text."""
        words: Counter[Element] = Counter()
        for index in self.core:
            if len(self.chains[index]) > 1:
                words[self.chains[index][1]] += len(self.words[index])
        return max(words, key=lambda element: words[element], default=None)


def matrix(cuts: Sequence[Cut], hints: Hints) -> Matrix:
    """Return the features, a row a block, columns as in `NAMES`. `cuts` must not be empty."""
    page = _Page(cuts, hints)
    parts: list[NDArray[np.float32]] = [
        np.array([_own(page, index) for index in range(len(cuts))], dtype=np.float32),
        np.array([_markup(page, index) for index in range(len(cuts))], dtype=np.float32),
        _views(page, hints),
        _position(page),
        _around(page),
        _neighbours(page),
        _section(page),
        _groups(page),
    ]
    return np.hstack(parts)


def _own(page: _Page, index: int) -> list[float]:
    cut, words = page.cuts[index], page.words[index]
    count, chars = max(1, len(words)), len(cut.text)
    # The beginning tells the kind of a block.
    text = cut.text[:80]
    return [
        chars,
        len(words),
        chars / count,
        cut.linked,
        cut.links,
        cut.starts_linked,
        cut.ends_linked,
        cut.bold,
        cut.italic,
        page.ends[index],
        cut.text.endswith((":", "：")),
        sum(map(cut.text.count, _PUNCTUATION)) / count,
        sum(map(str.isupper, text)) / len(text),
        sum(map(str.isdigit, text)) / len(text),
        _SYMBOLS.search(text) is not None,
        _NUMERIC_DATE.search(text) is not None,
        text[:1].islower(),
        ":" in text[:25] or "：" in text[:25],
        text.startswith(_OPENING),
        cut.broken,
        cut.hidden,
        _slug_overlap(cut.href, words) if cut.linked > 0.3 else 0.0,
    ]


def _slug_overlap(href: str, words: Sequence[str]) -> float:
    """Which part of a link's words stands in its address: high for links to other articles by their headline."""
    distinct = {word for word in words if len(word) > 3}
    if len(distinct) < 3:
        return 0.0
    path = href.partition("#")[0].partition("?")[0].rstrip("/")
    slug = set(tokens(unquote(path).rpartition("/")[2].replace("_", " ")))
    return len(slug & distinct) / len(distinct)


def _markup(page: _Page, index: int) -> list[float]:
    cut, chain = page.cuts[index], page.chains[index]
    tag, kind = cut.within.tag, cut.kind
    inside = {element.tag for element in chain}
    in_main = page.main is not None and page.main in chain
    depth = chain.index(page.main) if page.main is not None and in_main else 15
    below = {element.tag for element in (chain[:depth] if in_main else chain)}
    return [
        *(
            tag == "p",
            kind == "h1",
            kind in HEADINGS and kind != "h1",
            tag == "li",
            kind == "row" or tag in {"td", "th"},
            kind == "caption",
            kind == "quote",
            tag in {"div", "section", "article", "body"},
        ),
        *(name in inside for name in _INSIDE),
        *(name in below for name in _BELOW),
        in_main,
        depth,
        len(chain),
        page.parent is not None and page.parent in chain[:3],
        len(chain) > 1 and chain[1] is page.parent,
        page.places[cut.within.place] / max(1, page.core_words),
    ]


def _views(page: _Page, hints: Hints) -> Matrix:
    title, description = set(tokens(hints.title)), " ".join(tokens(hints.description))
    times = Counter(map(tuple, page.words))
    kept_words = float(page.first_opinion @ page.lengths)
    json_ld = page.share_of(hints.body) if hints.body else np.full(len(page.cuts), -1, np.float32)
    ratio = min(3.0, len(tokens(hints.body)) / max(1.0, kept_words)) if hints.body else -1.0
    rest = [
        [
            ratio,
            len(title & set(words)) / max(1, len(title | set(words))),
            len(words) >= 4 and " ".join(words) in description,
            times[tuple(words)] > 1,
        ]
        for words in page.words
    ]
    return np.column_stack([page.first_opinion, json_ld, np.array(rest, dtype=np.float32)])


def _position(page: _Page) -> Matrix:
    count = len(page.cuts)
    index = np.arange(count, dtype=np.float32)
    first, last = (page.core[0], page.core[-1]) if page.core else (0, count - 1)
    h1 = next((i for i, cut in enumerate(page.cuts) if cut.kind == "h1"), None)
    total = max(1.0, float(page.lengths.sum()))
    return np.column_stack(
        [
            (index - first) / max(1, last - first + 1),
            index - first,
            last - index,
            index < first,
            index > last,
            index - h1 if h1 is not None else np.full(count, -1),
            np.full(count, h1 is not None),
            (np.cumsum(page.lengths) - page.lengths) / total,
            np.full(count, page.core_words),
            np.full(count, count),
        ]
    ).astype(np.float32)


def _around(page: _Page) -> Matrix:
    """Sums over the blocks of the element itself, of its parent and of that one's parent."""
    sums: dict[Element, list[float]] = {}
    first_opinion, lengths, linked = page.first_opinion.tolist(), page.lengths.tolist(), page.linked.tolist()
    for index, chain in enumerate(page.chains):
        words = lengths[index]
        for element in chain[:4]:
            entry = sums.setdefault(element, [0.0, 0.0, 0.0, 0.0])
            entry[0] += words
            entry[1] += 1
            entry[2] += linked[index] * words
            entry[3] += first_opinion[index] * words
    nothing = [0.0, 0.0, 0.0, 0.0]
    for entry in sums.values():
        entry[2:] = entry[2] / max(1.0, entry[0]), entry[3] / max(1.0, entry[0])
    return np.array(
        [
            [value for level in range(3) for value in (sums[chain[level]] if len(chain) > level else nothing)]
            for chain in page.chains
        ],
        dtype=np.float32,
    )


def _neighbours(page: _Page) -> Matrix:
    parents = [chain[1] if len(chain) > 1 else None for chain in page.chains]
    values = np.column_stack([page.first_opinion, page.linked, page.lengths, page.ends]).astype(np.float32)
    headings = np.array(page.headings, dtype=np.float32)
    count = len(page.cuts)
    parts = []
    for distance in (-2, -1, 1, 2):
        part = np.full((count, 6), -1, dtype=np.float32)
        here = slice(max(0, -distance), max(0, count - max(0, distance)))
        there = slice(max(0, distance), max(0, count + min(0, distance)))
        part[here, :4] = values[there]
        part[here, 4] = [
            mine is not None and mine is other for mine, other in zip(parents[here], parents[there], strict=True)
        ]
        part[here, 5] = headings[there]
        parts.append(part)
    return np.hstack(parts)


def _section(page: _Page) -> Matrix:
    """The stretch from a heading to the next, the words out of the text around a block, and the text nearby."""
    count = len(page.cuts)
    kept = page.first_opinion * page.lengths
    starts = np.cumsum(page.headings)
    words_in = np.bincount(starts, page.lengths)[starts]
    kept_in, linked_in = np.bincount(starts, kept)[starts], np.bincount(starts, page.linked * page.lengths)[starts]
    index = np.arange(count)
    heading = np.maximum.accumulate(np.where(page.headings, index, -1))
    since = np.where(heading >= 0, index - heading, 99)
    under = np.where(heading >= 0, page.first_opinion[np.maximum(heading, 0)], -1)
    window = np.ones(11)
    near = np.convolve(page.lengths, window)[5 : count + 5] - page.lengths
    near_kept = np.convolve(kept, window)[5 : count + 5] - kept
    return np.column_stack(
        [
            since,
            under,
            kept_in / np.maximum(1, words_in),
            linked_in / np.maximum(1, words_in),
            _gap(page),
            _gap(page, backwards=True),
            near_kept / np.maximum(1, near),
        ]
    ).astype(np.float32)


def _gap(page: _Page, *, backwards: bool = False) -> Column:
    """How many words outside of the text stand between a block and the text before (or, backwards, after) it."""
    order = range(len(page.cuts) - 1, -1, -1) if backwards else range(len(page.cuts))
    shares, lengths = page.first_opinion.tolist(), page.lengths.tolist()
    gaps = np.zeros(len(page.cuts), dtype=np.float32)
    gap = 500.0
    for index in order:
        gaps[index] = gap
        gap = 0.0 if shares[index] > 0.7 else min(500.0, gap + lengths[index])
    return gaps


def _groups(page: _Page) -> Matrix:
    """Groups of the names of the ancestors below the main element, of the element, and of its inline wrapper."""
    bits = []
    for cut, chain in zip(page.cuts, page.chains, strict=True):
        near = 0
        for element in chain:
            if element is page.main:
                break
            near |= groups_of(element.names)
        bits.append((near, groups_of(cut.within.names), groups_of(cut.inline_names)))
    shifts = np.arange(len(GROUPS))
    sets = np.array(bits, dtype=np.int64)
    return np.hstack([(sets[:, column : column + 1] >> shifts) & 1 for column in range(3)]).astype(np.float32)

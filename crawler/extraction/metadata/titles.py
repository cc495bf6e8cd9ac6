"""The headline, without the name of the site that pages hang on it, and not a section or a badge in its place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from crawler.extraction.metadata.html_metadata import letters_of
from crawler.html.elements import names as words
from crawler.html.words import tokens

#: The sources a page's title can come from, the most trusted first.
SOURCES = ("json-ld headline", "meta og:title", "h1", "meta twitter:title", "meta title", "meta dc.title", "title")

_SEPARATOR = re.compile(r"\s+[|\-–—·•:»«/~*]{1,2}\s+|\s*(?:[|｜：»〉》]|::|--|—|\s-|_)\s*(?=\S)")
_PREFIX = re.compile(r"(.{2,40}?)\s*[:：|｜–—-]\s+(?=\S)")
# What parts a headline from what is hung on it, where a heading says how far it goes.
_HUNG_BEHIND = re.compile(r"\s*[|\-–—·•»«/~*_｜〉》>]|\s::?\s")
_HUNG_BEFORE = re.compile(r"[|\-–—·•:»«/~*_｜：〉》>]\s*$")
_CUT_OFF = re.compile(r"\s*(?:…|\.\.\.)$")
#: A label ("Opinion", "Latest news") has so many words, or so many characters of a script without spaces.
_LABEL_WORDS, _LABEL_CHARACTERS = 2, 5
# Labels that stand before headlines, and are none.
_BADGES = words(
    "live liveblog liveticker video videos watch breaking breakingnews exclusive opinion analysis news nachrichten"
    " eilmeldung exklusiv endirect endirecto envivo exclusif exclusivo exclusiva esclusiva diretta aovivo últimahora"
    " urgente urgent nyheder nyheter новости видео срочно эксклюзив новини відео 速報 独占 独家 视频 動画 新闻"
    " 新聞 ニュース 속보 단독 영상 뉴스 عاجل حصري فيديو sondakika canlı pilne wideo aktualności"
)
#: A headline that is longer, in characters, is a lead in its place.
_LONGEST = 250
#: Of a longer title, or what stands in its place, the beginning is looked at, in characters.
_MOST = 1_000


def choose(
    candidates: Mapping[str, str], site: Iterable[str], headings: Iterable[str] = (), sections: Iterable[str] = ()
) -> tuple[str, str] | None:
    """Return the page's title and its source; `None` if there is none.

    `candidates` are texts by source (`SOURCES`), `site` the names the site goes by, `headings` all headings of the
    page, `sections` the parts of the site the page is said to be in. The `<title>` is written for search engines: of a
    headline and an og:title that differ, the editors' own is the one it does not repeat. Where they differ in
    punctuation only, the og:title is what they let others see.
    """
    names = {letters_of(name) for name in site if name}
    foreign = names | _BADGES | {letters_of(section) for section in sections if is_label(section)}
    flat = {source: _flat(candidates[source]) for source in SOURCES if candidates.get(source)}
    ends = {letters_of(text) for text in flat.values()} - foreign
    bare = {source: _without_site(text, ends, names) for source, text in flat.items()}
    bare = _no_labels({source: text for source, text in bare.items() if text and letters_of(text) not in foreign})
    # A page may call its site by the headline.
    chosen = _chosen(bare) or next(iter(flat), None)
    if chosen is None:
        return None
    shown = [text for heading in headings if not is_label(text := _flat(heading))]
    return chosen, _as_shown(_whole(bare.get(chosen, flat[chosen]), bare), shown)


def _chosen(bare: Mapping[str, str]) -> str | None:
    headline, shared = bare.get(SOURCES[0]), bare.get(SOURCES[1])
    if headline and shared and (_same(headline, shared) or _is_searched(headline, bare)):
        return SOURCES[1]
    return next(iter(bare), None)


def heading_of(headings: Sequence[tuple[str, str]], titles: Iterable[str], site: Iterable[str]) -> str:
    """Return the text of the heading that is the headline; empty if there is none.

    `headings` are (tag, text) in the page's order, "logo" the tag of one that links to the front page; `titles` what
    the page is called elsewhere. It is the first `<h1>` that a title begins or ends with, else such a lower heading,
    else the first `<h1>` of the page, unless that is the site's.
    """
    foreign = {letters_of(name) for name in site if name} | _BADGES
    whole = [_flat(title) for title in titles if title]
    usable = [(tag, text) for tag, text in headings if tag != "logo" and letters_of(text) not in foreign]
    agreed = [(tag, text) for tag, text in usable if any(_is_within(text, title) for title in whole)]
    first = [each for each in headings if each[0] in ("h1", "logo")][:1]
    found = (
        *(text for tag, text in agreed if tag == "h1"),
        *(text for _, text in agreed if not is_label(text)),
        *(text for tag, text in first if (tag, text) in usable),
    )
    return next(iter(found), "")


def _is_within(heading: str, title: str) -> bool:
    """Whether a title begins or ends with a heading; a label at its end is the site's or the section's."""
    if is_label(heading):
        return bool(_begun(heading, title))
    one, other = letters_of(heading), letters_of(title)
    return other.startswith(one) or other.endswith(one)


def is_label(text: str) -> bool:
    """Return whether a text is so short that it may name a section, a badge or a site: no headline by itself."""
    found = tokens(text)
    is_unspaced = all(len(word) == 1 for word in found)
    return len(found) <= (_LABEL_CHARACTERS if is_unspaced else _LABEL_WORDS)


def _no_labels(bare: Mapping[str, str]) -> dict[str, str]:
    """The candidates without leads, and without labels that no other one begins with; all if there are no others."""
    kept = {
        source: text
        for source, text in bare.items()
        if len(text) <= _LONGEST and (source == SOURCES[0] or not is_label(text) or _is_repeated(source, bare))
    }
    return kept or dict(bare)


def _is_repeated(source: str, bare: Mapping[str, str]) -> bool:
    """Whether another candidate is the same as the one of this source, or hangs something on it."""
    text = bare[source]
    return any(_same(text, other) or _begun(text, other) for name, other in bare.items() if name != source)


def _whole(text: str, bare: Mapping[str, str]) -> str:
    """The candidate; if it was cut off ("Biden: “America and…"), the longer one that goes on."""
    cut = _CUT_OFF.search(text)
    begun = letters_of(text)
    if cut is None or not begun:
        return text
    longer = (other for other in bare.values() if len(other) > len(text) and letters_of(other).startswith(begun))
    return next(longer, text)


def _as_shown(text: str, headings: Sequence[str]) -> str:
    """The title without what is hung on a heading of the page, or before one."""
    parts = (part for heading in headings if (part := hung(heading, text)))
    return max(parts, key=len, default=text)


def hung(heading: str, title: str) -> str:
    """Return the part of a title that is this heading, if it begins or ends with it, with a separator; else ""."""
    if part := _begun(heading, title):
        return part
    folded, whole = heading.casefold(), title.casefold()
    ends = len(whole) == len(title) and whole.endswith(folded) and _HUNG_BEFORE.search(whole[: -len(folded)])
    return title[-len(folded) :] if ends else ""


def _begun(heading: str, title: str) -> str:
    """The part of a title that is this heading, if it is all of it or a separator follows."""
    folded, whole = heading.casefold(), title.casefold()
    if not folded or len(whole) != len(title) or not whole.startswith(folded):
        return ""
    return title[: len(folded)] if whole == folded or _HUNG_BEHIND.match(whole, len(folded)) else ""


def _is_searched(headline: str, bare: Mapping[str, str]) -> bool:
    """Whether the JSON-LD headline is the one made for search engines."""
    searched = bare.get("title")
    # Without a <title> that takes sides, what the reader sees decides.
    if searched is None or not (_same(searched, headline) or _same(searched, bare[SOURCES[1]])):
        return _same(bare.get("h1", headline), bare[SOURCES[1]])
    return _same(searched, headline)


def _without_site(text: str, ends: Collection[str], names: Collection[str]) -> str:
    """The title up to a separator, if what follows is the site's name, or another candidate ends there too."""
    cuts = [match.span() for match in _SEPARATOR.finditer(text)]
    for start, end in cuts:
        head = text[:start].strip()
        if head and (letters_of(head) in ends or _is_site(text[end:], names)):
            return head
    # "Title: Site".
    head, _, tail = text.rpartition(": ")
    if head and letters_of(tail) in names:
        return head.strip()
    # "Site: Title", "Site | Title".
    prefix = _PREFIX.match(text)
    return text[prefix.end() :] if prefix and letters_of(prefix[1]) in names else text


def _is_site(text: str, names: Collection[str]) -> bool:
    """Whether a title's tail is the site's name, alone or among sections: "Europa | DW | 28.04.2023"."""
    parts = [letters_of(part) for part in _SEPARATOR.split(text)]
    return len(parts) <= 3 and any(part and part in names for part in parts)


def _flat(text: str) -> str:
    return " ".join(text[:_MOST].split())


def _same(one: str, other: str) -> bool:
    return letters_of(one) == letters_of(other)

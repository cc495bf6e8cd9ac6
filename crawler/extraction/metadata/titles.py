"""The headline, without the name of the site that pages hang on it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from crawler.extraction.metadata.html_metadata import letters_of

#: The sources a page's title can come from, the most trusted first.
SOURCES = ("json-ld headline", "meta og:title", "h1", "meta twitter:title", "meta title", "meta dc.title", "title")

_SEPARATOR = re.compile(r"\s+[|\-–—·•:»«/~*]{1,2}\s+|\s*(?:[|｜：»]|::|--|—|\s-|_)\s*(?=\S)")
_PREFIX = re.compile(r"(.{2,40}?)\s*[:：|｜–—-]\s+(?=\S)")


def choose(candidates: Mapping[str, str], site: Iterable[str]) -> tuple[str, str] | None:
    """Return the page's title and its source; `None` if there is none.

    `candidates` are texts by source (`SOURCES`), `site` the names the site goes by. The `<title>` is written for
    search engines: of a headline and an og:title that differ, the editors' own is the one it does not repeat. Where
    they differ in punctuation only, the og:title is what they let others see.
    """
    names = {letters_of(name) for name in site if name}
    flat = {source: " ".join(candidates[source].split()) for source in SOURCES if candidates.get(source)}
    ends = {letters_of(text) for text in flat.values()}
    bare = {source: _without_site(text, ends, names) for source, text in flat.items()}
    bare = {source: text for source, text in bare.items() if text and letters_of(text) not in names}
    headline, shared = bare.get(SOURCES[0]), bare.get(SOURCES[1])
    if headline and shared and (_same(headline, shared) or _is_searched(headline, bare)):
        return SOURCES[1], shared
    # A page may call its site by the headline.
    return next(iter(bare.items()), None) or next(iter(flat.items()), None)


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
        if start and (letters_of(text[:start]) in ends or _is_site(text[end:], names)):
            return text[:start].strip()
    # "Site: Title", "Site | Title".
    prefix = _PREFIX.match(text)
    return text[prefix.end() :] if prefix and letters_of(prefix[1]) in names else text


def _is_site(text: str, names: Collection[str]) -> bool:
    """Whether a title's tail is the site's name, alone or among sections: "Europa | DW | 28.04.2023"."""
    parts = [letters_of(part) for part in _SEPARATOR.split(text)]
    return len(parts) <= 3 and any(part and part in names for part in parts)


def _same(one: str, other: str) -> bool:
    return letters_of(one) == letters_of(other)

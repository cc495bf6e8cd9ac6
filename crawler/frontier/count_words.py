"""The numbers of a run over a site, in words."""

from __future__ import annotations

from collections.abc import Container, Iterator

from crawler.frontier.run_counts import RunCounts

#: Name of a number -> its words, for one and for more where that differs.
_WORDS = {
    "outside": ("outside of the time wanted", "outside of the time wanted"),
    "walled": ("of them a wall", "of them walls"),
    "no_text": ("without text", "without text"),
    "not_article": ("not an article", "not an article"),
    "noarchive": ("says noarchive", "say noarchive"),
    "words": ("word", "words"),
    "undated": ("without a date", "without a date"),
    "sources": ("source read", "sources read"),
    "not_section": ("not a section", "not a section"),
    "not_modified": ("answer that nothing is new", "answers that nothing is new"),
    "requests": ("request", "requests"),
    "dropped": ("link left out", "links left out"),
}
_REQUISITES = "requisites_"


def in_words(counts: RunCounts, names: Container[str] | None = None) -> Iterator[str]:
    """Yield the numbers that are not 0 ("12 announced", "1 request"), of some `names` or of all."""
    for name, number in counts.named():
        if number and (names is None or name in names):
            yield f"{number:,} {_words(name, number)}"


def _words(name: str, number: int) -> str:
    if name.startswith(_REQUISITES):
        noun = "requisite" if number == 1 else "requisites"
        return f"{noun} {name.removeprefix(_REQUISITES).replace('_', ' ')}"
    # Those of outcomes are words already: "announced", "archived".
    one, more = _WORDS.get(name, (name, name))
    return one if number == 1 else more

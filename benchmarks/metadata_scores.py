"""How well a page's metadata was read, field by field, against gold.

A score is 1.0 or 0.0, or `None` where the gold says nothing about the field. `benchmarks/extraction.py` and
`benchmarks/metadata.py` average them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from crawler.extraction.metadata import Metadata
from storage.model import Article


def _flat(text: str | None) -> str:
    return " ".join((text or "").split())


def title(gold: Mapping[str, Any], got: Article | Metadata) -> float | None:
    """Exactly the same title, runs of white space apart."""
    wanted = _flat(gold.get("title"))
    return float(_flat(got.title) == wanted) if wanted else None


def authors(gold: Mapping[str, Any], got: Article | Metadata) -> float | None:
    """The same set of names, in any order."""
    wanted: Collection[str] = gold.get("authors") or ()
    return float({_flat(name) for name in wanted} == set(got.authors)) if wanted else None


def published(gold: Mapping[str, Any], got: Article | Metadata) -> float | None:
    """The same second; where either side has no zone, the same wall clock; a gold of midnight is the same day.

    A gold that is no time says nothing: a year alone, or a month.
    """
    try:
        wanted = datetime.fromisoformat(str(gold.get("published") or "")).replace(microsecond=0)
    except ValueError:
        return None
    try:
        found = datetime.fromisoformat(got.published or "").replace(microsecond=0)
    except ValueError:
        return 0.0
    if wanted.tzinfo and found.tzinfo:
        return float(wanted == found)
    wanted, found = wanted.replace(tzinfo=None), found.replace(tzinfo=None)
    return float(wanted == found or (wanted.hour == wanted.minute == 0 and wanted.date() == found.date()))


def language(gold: Mapping[str, Any], got: Article | Metadata) -> float | None:
    """The same primary language as the gold's `language`, such as "pt" for "pt-BR"."""
    wanted = gold.get("language")
    return float((got.language or "").split("-")[0] == str(wanted).split("-")[0]) if wanted else None


def topics(gold: Mapping[str, Any], got: Article | Metadata) -> float | None:
    """F1 of the topic sets, case apart."""
    wanted = {_flat(topic).casefold() for topic in gold.get("topics") or ()}
    found = {topic.casefold() for topic in got.topics}
    return 2 * len(wanted & found) / (len(wanted) + len(found)) if wanted else None


#: Field -> score of one page.
SCORES: dict[str, Callable[[Mapping[str, Any], Article | Metadata], float | None]] = {
    "title": title,
    "authors": authors,
    "published": published,
    "language": language,
    "topics": topics,
}

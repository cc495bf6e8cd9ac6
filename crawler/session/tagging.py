"""The tags that a run gives to what it captures, and to what it found unchanged or held."""

from __future__ import annotations

from dataclasses import replace

from storage.errors import NewskeepError
from storage.index.index import Index
from storage.model import Outcome
from storage.urls import normalize


def with_tags(index: Index, outcome: Outcome, tags: tuple[str, ...]) -> Outcome:
    """Return the outcome with tags, where something of it is held.

    What has the content of an earlier capture is tagged from that on: the article was made of it.
    """
    moment = outcome.timestamp
    if moment is None or outcome.outcome not in ("archived", "unchanged", "held"):
        return outcome
    tagged = replace(outcome, tags=tags)
    if outcome.outcome == "archived":
        return tagged
    try:
        url = normalize(outcome.final_url or outcome.url)
        original = index.closest(url, moment, accept=lambda each: not each.is_revisit and each.timestamp <= moment)
    except NewskeepError:
        # Without the index there are still the captures of this run.
        return tagged
    return tagged if original is None else replace(tagged, tags_since=original.timestamp)

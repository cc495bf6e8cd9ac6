"""What site memories spared: what repeats, but is so much of an article that they distrust themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.session.site_memory_store import SiteMemoryStore


@dataclass(frozen=True, slots=True)
class Spared:
    """Of one host: in how many of the articles that it is judged by today something was spared, and what."""

    host: str
    articles: int
    of: int
    #: (number of articles, line), the most frequent first.
    lines: Sequence[tuple[int, str]]


def spared_by(memories: SiteMemoryStore, hosts: Iterable[str]) -> Iterator[Spared]:
    """Yield the hosts whose memory spared something, in their order; one without a memory spared nothing."""
    for host in hosts:
        known = memories.load(host)
        articles, total = known.distrusted()
        if articles:
            yield Spared(host, articles, total, list(known.spared()))

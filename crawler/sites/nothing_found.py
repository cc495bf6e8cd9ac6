"""Why a run over a site brought nothing, where that is not because all is held already. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

#: What such a line begins with, among the problems of a run.
NOTHING = "nothing found"
#: Why links are left out that are not of the time that is asked for.
OUTSIDE = "outside of the time wanted"
#: Reasons that are named.
_REASONS = 3


@dataclass(frozen=True, slots=True)
class Findings:
    """What a run came upon that got no article."""

    site: str
    #: Articles that its sources named.
    announced: int = 0
    #: Sources that were read, and those that had not changed.
    sources: int = 0
    not_modified: int = 0
    #: Links of the sources that were read, and why links were left out.
    links: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    #: Why articles were not got: "robots.txt", "404 Not Found".
    missed: Mapping[str, int] = field(default_factory=dict)
    #: The start page, where it is an article itself.
    start_article: str | None = None
    #: Whether articles of the site are held, from this run or others.
    holds: bool = False
    #: Whether all that names articles was asked, and not only what was due.
    asked_all: bool = True


def why_nothing(found: Findings) -> str | None:
    """Say why a run brought nothing and what to do, in a line; `None` for one that brought something or need not have.

    A site that was read well and has nothing new, or nothing of the time that was asked for, need not have.
    """
    if found.not_modified:
        return None
    if found.announced:
        # Of a site that is held, those few that are asked for in a run may all be gone.
        return None if found.holds or not found.missed else f"{NOTHING}: {_missed(found)}"
    if not found.sources or OUTSIDE in found.dropped:
        return None
    if found.holds and not found.asked_all:
        return None
    return f"{NOTHING}: {_unnamed(found)}"


def _missed(found: Findings) -> str:
    number = sum(found.missed.values())
    what = "its only article" if number == 1 else f"none of the {number:,} articles that were asked for"
    return f"{what} could {'not be had' if number == 1 else 'be had'}: {_counted(found.missed)}"


def _unnamed(found: Findings) -> str:
    if found.start_article is not None:
        return (
            f"{found.start_article} is an article and names no others: `newskeep save` archives it; "
            "to crawl its site, give the front page"
        )
    check = f"`newskeep sites check {found.site}` shows them"
    if found.links:
        whole = "the only link" if found.links == 1 else f"none of the {found.links:,} links"
        verb = "is not" if found.links == 1 else "is"
        grouped: Counter[str] = Counter()
        for reason, number in found.dropped.items():
            grouped[reason.partition(":")[0]] += number
        return f"{whole} of its sources {verb} taken for an article: {_counted(grouped)}; {check}, `include` takes them"
    one = "its source names" if found.sources == 1 else f"its {found.sources:,} sources name"
    return f"{one} no links: a page that needs scripts has none; give feeds or sitemaps, or another start page"


def _counted(reasons: Mapping[str, int]) -> str:
    most = Counter(reasons).most_common(_REASONS)
    return ", ".join(f"{number:,} {reason}" for reason, number in most)

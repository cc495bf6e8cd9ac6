"""What a world's log tells of a crawler: politeness, coverage, freshness, waste. Pure functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from world import Line, Story

Key = tuple[str, int | None]


def by(lines: Iterable[Line], field: str) -> dict[str, list[Line]]:
    """Group by a field, in order of arrival."""
    groups: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        groups[getattr(line, field)].append(line)
    return groups


def articles(lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if line.kind == "article" and line.article is not None]


def got(lines: Iterable[Line]) -> dict[Key, Line]:
    """The first request of each article that was answered with it, in whatever form."""
    found: dict[Key, Line] = {}
    for line in articles(lines):
        if line.status == 200:
            found.setdefault(line.story, line)
    return found


def missed(stories: Iterable[Story], lines: Sequence[Line]) -> list[Story]:
    """The articles that were never got."""
    held = got(lines)
    return [story for story in stories if story.story not in held]


def gaps(lines: Iterable[Line]) -> dict[str, list[float]]:
    """Host -> seconds from the end of each answer to the next request; negative where two were under way at once."""
    found: dict[str, list[float]] = {}
    for host, asked in by(lines, "host").items():
        ordered = sorted(asked, key=lambda line: line.start)
        found[host] = [after.start - (before.end or after.start) for before, after in pairwise(ordered)]
    return found


def delays(stories: Iterable[Story], lines: Sequence[Line]) -> list[float]:
    """Simulated seconds from publication to capture, of those that were got."""
    held = got(lines)
    return [(held[story.story].at - story.published).total_seconds() for story in stories if story.story in held]


def wasted(lines: Iterable[Line]) -> list[Line]:
    """Articles that were sent whole though the crawler had this version already."""
    seen: dict[Key, int | None] = {}
    found = []
    for line in articles(lines):
        if line.status != 200:
            continue
        if line.story in seen and seen[line.story] == line.version:
            found.append(line)
        seen[line.story] = line.version
    return found


def edits_seen(
    stories: Iterable[Story], lines: Sequence[Line], until: datetime
) -> Iterator[tuple[Story, datetime, float | None]]:
    """Each edit before `until` and simulated seconds until that version, or a later one, was got; `None`: never."""
    fetched: dict[Key, list[Line]] = defaultdict(list)
    for line in articles(lines):
        if line.status == 200:
            fetched[line.story].append(line)
    for story in stories:
        for number, (at, _silent, _headline) in enumerate(story.edits, 1):
            if at <= until and story.there(at):
                seen = (line.at for line in fetched[story.story] if line.at >= at and (line.version or 0) >= number)
                first = next(seen, None)
                yield story, at, None if first is None else (first - at).total_seconds()


def at_share(values: Iterable[float], share: float) -> float:
    """The value below which that share of them lies; not a number where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")

"""Site memory: what a single page cannot tell, the crawl can. What stands in three different articles is template text.

Remembered of a site are lines, lead-ins to links ("Read also: …") and places in the template, each with the stories it
was seen in. Everything is a value: learning and merging return a new memory. Merging is a union, so two machines may
learn at once, and what was seen twice counts once.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from heapq import nlargest
from typing import Any, NamedTuple, TypeVar

from crawler.extraction.template.article_lines import (
    SIGHTINGS,
    UNDATED,
    ArticleLines,
    Sighting,
    Sightings,
    link_lead,
    newest,
)
from crawler.extraction.template.lines import LONGEST, line, short_hash
from crawler.extraction.template.template_detector import TemplateDetector
from storage.bounds import parse_json
from storage.errors import Corrupt
from storage.model import Article

VERSION = 1
_STORIES = 64
_LINES, _LEADS, _PLACES = 2_000, 100, 300
#: Lines seen in one story only are kept of so many of the newest stories: the next one may bring them again.
_SINGLE_STORIES = 24
#: What was not seen for so long is no longer in the template.
_FORGET = timedelta(days=180)


@dataclass(frozen=True)
class LineHistory:
    """A line and the stories it was seen in.

    Flags of a sighting: "i" amid the article's own text, "c" closing it (what follows is repeated too), "l" before a
    link; "x" where it was left out already, for another reason.
    """

    text: str
    on: Sightings


class Story(NamedTuple):
    """A story by its newest edition."""

    day: str
    #: The title's hash.
    title: str


@dataclass(frozen=True)
class SiteMemory:
    """What repeats on a site."""

    #: The newest stories, by the hash of an address.
    stories: Mapping[str, Story] = field(default_factory=dict)
    #: Line key -> the line.
    texts: Mapping[str, LineHistory] = field(default_factory=dict)
    #: Lead-in -> the stories where it led in to a link.
    leads: Mapping[str, Sightings] = field(default_factory=dict)
    #: Place in the markup, or after a repeated line -> the stories, flagged "o" where text of their own stood there
    #: within the article's body, "r" where repeated text did, "s" where only other text did.
    places: Mapping[str, Sightings] = field(default_factory=dict)
    #: Line key -> text that a person declared to be article text.
    article_text: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: bytes) -> SiteMemory:
        """Return the memory of a file; raises `Corrupt` if it is none, or one of a later version."""
        try:
            found = parse_json(data)
            if found["version"] != VERSION:
                raise ValueError(f"version {found['version']}")
            stories = {key: Story(*Sighting.unpack(each)) for key, each in found["stories"].items()}
            lines = {
                str(key): LineHistory(str(each["text"]), _unpacked(each["on"])) for key, each in found["lines"].items()
            }
            leads, places = ({key: _unpacked(on) for key, on in found[name].items()} for name in ("leads", "places"))
            return cls(stories, lines, leads, places, dict(found["article_text"]))
        except (ValueError, KeyError, TypeError, AttributeError, Corrupt) as error:
            raise Corrupt(f"site memory: {error}") from error

    def to_json(self) -> bytes:
        """Return the memory as a file, the same bytes for the same memory."""
        tables: dict[str, Mapping[str, Any]] = {
            "stories": {key: f"{each.day} {each.title}" for key, each in self.stories.items()},
            "lines": {key: {"text": each.text, "on": _packed(each.on)} for key, each in self.texts.items()},
            "leads": {key: _packed(on) for key, on in self.leads.items()},
            "places": {key: _packed(on) for key, on in self.places.items()},
            "article_text": self.article_text,
        }
        parts = [f'"version": {VERSION}', *(f"{json.dumps(name)}: {_table(table)}" for name, table in tables.items())]
        return ("{\n" + ",\n".join(parts) + "\n}\n").encode("utf-8", "replace")

    def learn(self, articles: Iterable[Article]) -> SiteMemory:
        """Return the memory with these articles of the site learned, before or after they were cleaned."""
        readings = sorted(map(ArticleLines, articles), key=lambda each: (each.day, each.article.url))
        told = _Stories(self)
        stories = {told.story(reading): Story(reading.day, reading.title) for reading in readings}
        # First what was where, then what that makes of each line's surroundings.
        seen = _seen(readings, told)
        judge = TemplateDetector(self._union(SiteMemory(stories, _remembered(seen))))
        for reading in readings:
            for each, flags in judge.surroundings(reading):
                seen[each.key][1][told.of[reading.article.url]] = Sighting(reading.day, flags)
        judge = TemplateDetector(self._union(SiteMemory(stories, _remembered(seen))))
        leads: dict[str, dict[str, Sighting]] = {}
        places: dict[str, dict[str, Sighting]] = {}
        for reading in readings:
            story = told.of[reading.article.url]
            for name, flag in judge.places(reading):
                places.setdefault(name, {})[story] = Sighting(reading.day, flag)
            for name in filter(None, map(link_lead, reading.article.blocks)):
                leads.setdefault(name, {})[story] = Sighting(reading.day)
        return self.merge(SiteMemory(stories, _remembered(seen), leads, places))

    def merge(self, other: SiteMemory) -> SiteMemory:
        """Return what either knows; the same whichever merges the other, and however often."""
        return self._union(other)._bounded()

    def clean(self, article: Article) -> Article:
        """Return the article with its template text no longer kept, for the reason "repeated on …".

        The article should have been learned. Its own sentences stay, whatever repeats around them.
        """
        return self.judge.clean(article)

    def unlearn(self, text: str) -> SiteMemory:
        """Return a memory for which these lines are article text for good."""
        declared = {line(each).key: each.strip() for each in text.splitlines() if each.strip()}
        return replace(self, article_text={**self.article_text, **declared})

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield (number of stories, line) for what is template text, the most frequent first, to be printed."""
        return self.judge.repeated()

    @cached_property
    def judge(self) -> TemplateDetector:
        """Decides by this memory; made once."""
        return TemplateDetector(self)

    def _union(self, other: SiteMemory) -> SiteMemory:
        lines = {
            key: LineHistory(max(one.text, two.text), _joined(one.on, two.on))
            if (one := self.texts.get(key, _NOTHING)) and (two := other.texts.get(key, _NOTHING))
            else _NOTHING
            for key in self.texts.keys() | other.texts.keys()
        }
        return SiteMemory(
            _joined(self.stories, other.stories),
            lines,
            _joined_all(self.leads, other.leads),
            _joined_all(self.places, other.places),
            {**other.article_text, **self.article_text, **_smaller(self.article_text, other.article_text)},
        )

    def _bounded(self) -> SiteMemory:
        """The newest and most frequent of everything, and nothing that has not been seen for long."""
        stories = newest(self.stories, _STORIES)
        oldest = _days_before(max((each.day for each in stories.values()), default=""), _FORGET)
        fresh = set(newest(stories, _SINGLE_STORIES))
        lines = {
            key: LineHistory(each.text, on)
            for key, each in self.texts.items()
            if (on := _since(newest(each.on, SIGHTINGS), oldest)) and (len(on) > 1 or not fresh.isdisjoint(on))
        }
        leads = {key: kept for key, on in self.leads.items() if (kept := _since(newest(on, SIGHTINGS), oldest))}
        places = {key: kept for key, on in self.places.items() if (kept := _since(newest(on, SIGHTINGS), oldest))}
        return SiteMemory(
            stories,
            {key: lines[key] for key in _weightiest({key: each.on for key, each in lines.items()}, _LINES)},
            {key: leads[key] for key in _weightiest(leads, _LEADS)},
            {key: places[key] for key in _weightiest(places, _PLACES)},
            self.article_text,
        )


_NOTHING = LineHistory("", {})
Seen = TypeVar("Seen", Sighting, Story)


class _Stories:
    """Tells stories apart: the same story under another address is one story, in whatever edition."""

    def __init__(self, memory: SiteMemory) -> None:
        self.of: dict[str, str] = {}
        self._titles = {key: each.title for key, each in memory.stories.items()}
        self._on: dict[str, set[str]] = {key: set(each.on) for key, each in memory.texts.items()}

    def story(self, reading: ArticleLines) -> str:
        """Return the story an article tells; a new one, named after its address, or one already known."""
        story = self._same(reading) or short_hash(reading.article.url)
        self.of[reading.article.url] = story
        self._titles.setdefault(story, reading.title)
        for _, each in reading.blocks:
            self._on.setdefault(each.key, set()).add(story)
        return story

    def _same(self, reading: ArticleLines) -> str | None:
        """The known story these words were told in: half of them under the same title, else all but a sentence."""
        total = 0
        told: Counter[str] = Counter()
        for key, size in {each.key: len(each.words) for _, each in reading.blocks}.items():
            on = self._on.get(key, ())
            # Template text is in every story, and tells none.
            if size >= 4 and len(on) < 3:
                total += size
                told.update(dict.fromkeys(on, size))
        for story, size in sorted(told.items(), key=lambda item: (-item[1], item[0]))[:3]:
            new = total - size
            same_title = self._titles.get(story) == reading.title
            if total >= 20 and (new <= 0.5 * total if same_title else new < max(12, 0.05 * total)):
                return story
        return None


def _seen(readings: Sequence[ArticleLines], told: _Stories) -> dict[str, tuple[str, dict[str, Sighting]]]:
    """Each line's key with a text of it and its sightings."""
    found: dict[str, tuple[str, dict[str, Sighting]]] = {}
    for reading in readings:
        for block, each in reading.blocks:
            text, on = found.get(each.key) or ("", {})
            on[told.of[reading.article.url]] = Sighting(reading.day)
            found[each.key] = (max(text, block.text[:LONGEST]), on)
    # What was left out in most articles and kept in one counts by all of them.
    for reading in readings:
        for each in reading.left_out:
            if each.key in found:
                found[each.key][1].setdefault(told.of[reading.article.url], Sighting(reading.day, "x"))
    return found


def _remembered(seen: Mapping[str, tuple[str, dict[str, Sighting]]]) -> dict[str, LineHistory]:
    return {key: LineHistory(text, dict(on)) for key, (text, on) in seen.items()}


def _table(table: Mapping[str, Any]) -> str:
    """A JSON object with a line for each of its members, for people and for diff."""
    members = (json.dumps({key: table[key]}, ensure_ascii=False, sort_keys=True)[1:-1] for key in sorted(table))
    return "{" + ",".join(f"\n {member}" for member in members) + "}"


def _packed(on: Sightings) -> dict[str, str]:
    return {story: seen.pack() for story, seen in on.items()}


def _unpacked(on: Mapping[str, str]) -> dict[str, Sighting]:
    return {story: Sighting.unpack(packed) for story, packed in on.items()}


def _joined(one: Mapping[str, Seen], other: Mapping[str, Seen]) -> dict[str, Seen]:
    """All sightings; of one story the latest."""
    joined = dict(one)
    for story, seen in other.items():
        joined[story] = max(seen, joined.get(story, seen))
    return joined


def _joined_all(one: Mapping[str, Sightings], other: Mapping[str, Sightings]) -> dict[str, Sightings]:
    return {key: _joined(one.get(key, {}), other.get(key, {})) for key in one.keys() | other.keys()}


def _smaller(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    return {key: min(one[key], other[key]) for key in one.keys() & other.keys()}


def _since(on: Sightings, oldest: str) -> dict[str, Sighting]:
    """The sightings, if the newest is not too old; one without a date never is."""
    return dict(on) if any(seen.day == UNDATED or seen.day >= oldest for seen in on.values()) else {}


def _weightiest(all_: Mapping[str, Sightings], most: int) -> list[str]:
    """The keys worth keeping: seen most often, then latest."""
    return nlargest(most, all_, key=lambda key: (len(all_[key]), max(seen.day for seen in all_[key].values()), key))


def _days_before(day: str, span: timedelta) -> str:
    try:
        return (date.fromisoformat(day) - span).isoformat()
    except (ValueError, OverflowError):
        return ""

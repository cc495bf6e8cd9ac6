"""Site memory: what a single page cannot tell, the crawl can. What repeats by design is no part of an article.

Remembered are stories, as the lines they had and where these stood; what is template follows from them alone
(`template_detector`). Of each month as many stories are kept as tell enough, drawn by their names: whichever came
first, whoever learned them and however often, the memory is the same, and so is its judgement. An article is judged by
the stories of its own time, so that after a redesign the text of older pages stays as it is.

Everything is a value: learning and merging return a new memory. Merging is a union, so two machines may learn at once.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from heapq import nlargest, nsmallest
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from crawler.extraction.template.evidence import LEAST, MANY, Evidence
from crawler.extraction.template.lesson import Lesson
from crawler.extraction.template.lines import line, short_hash
from crawler.extraction.template.marking import marked
from crawler.extraction.template.story import UNDATED, Story
from crawler.extraction.template.template_detector import TemplateDetector, Verdict
from storage.bounds import parse_json
from storage.errors import Corrupt
from storage.model import Article

VERSION = 2
#: Stories kept of a month; of a year, once it is a year ago. They tell one line in thirty from one in three.
_STORIES = 48
#: Stories that are enough to judge by; where a month has fewer, those next to it help,
_ENOUGH = 24
#: up to so many months away: templates change.
_NEXT_TO = 6
#: Verdicts kept of a line, and lines they are kept of, the latest: an advert that is gone needs none.
_VERDICTS, _TOLD = 6, 500


class LineVerdict(NamedTuple):
    """What was decided of a line at a time, and why."""

    #: The newest story that was known: 14 digits.
    at: str
    #: Stories it was removed from, that had it, and all.
    removed: int
    seen: int
    stories: int

    @classmethod
    def unpack(cls, packed: str) -> LineVerdict:
        """Return the verdict of a file; raises `ValueError`."""
        at, removed, seen, stories = packed.split(" ")
        return cls(at, int(removed), int(seen), int(stories))

    def pack(self) -> str:
        return f"{self.at} {self.removed} {self.seen} {self.stories}"

    @property
    def template(self) -> bool:
        return self.removed > 0.5 * self.seen


@dataclass(frozen=True)
class SiteMemory:
    """What repeats on a site."""

    #: Hash of an address -> the story there.
    stories: Mapping[str, Story] = field(default_factory=dict)
    #: Line key -> its text, of lines that more than one story has: for people to read, it decides nothing.
    texts: Mapping[str, str] = field(default_factory=dict, compare=False)
    #: Line key -> what was decided of it, the latest last; of lines that were template once.
    verdicts: Mapping[str, Sequence[LineVerdict]] = field(default_factory=dict)
    #: Loose line key -> text that a person declared to be article text.
    article_text: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: bytes) -> SiteMemory:
        """Return the memory of a file; raises `Corrupt` if it is none, or one of a later version.

        Of version 1 what people declared is kept; what it had learned does not say where lines stood.
        """
        try:
            found = parse_json(data)
            declared = {line(str(text)).loose: str(text) for text in dict(found["article_text"]).values()}
            if found["version"] == 1:
                return cls(article_text=declared)
            if found["version"] != VERSION:
                raise ValueError(f"version {found['version']}")
            stories = {str(name): Story.unpack(each) for name, each in found["stories"].items()}
            texts = {str(key): str(text) for key, text in found["lines"].items()}
            verdicts = {str(key): tuple(map(LineVerdict.unpack, each)) for key, each in found["verdicts"].items()}
            return cls(stories, texts, verdicts, declared)
        except (ValueError, KeyError, TypeError, AttributeError, Corrupt) as error:
            raise Corrupt(f"site memory: {error}") from error

    def to_json(self) -> bytes:
        """Return the memory as a file, the same bytes for the same memory."""
        tables: dict[str, Mapping[str, Any]] = {
            "stories": {name: each.pack() for name, each in self.stories.items()},
            "lines": self.texts,
            "verdicts": {key: [each.pack() for each in told] for key, told in self.verdicts.items()},
            "article_text": self.article_text,
        }
        parts = [f'"version": {VERSION}', *(f"{json.dumps(name)}: {_table(table)}" for name, table in tables.items())]
        return ("{\n" + ",\n".join(parts) + "\n}\n").encode("utf-8", "replace")

    def learn(self, articles: Iterable[Article]) -> SiteMemory:
        """Return the memory with these articles of the site learned, before or after they were cleaned.

        Of an address the latest capture counts; of one capture what was learned last, by a newer extractor.
        """
        return self.learn_lessons(map(Lesson.of, articles))

    def learn_lessons(self, lessons: Iterable[Lesson]) -> SiteMemory:
        """The same from what their workers have made of the articles."""
        stories, texts = dict(self.stories), dict(self.texts)
        for url, story, read in lessons:
            if not story.lines:
                # A document, such as a PDF, is no page of the site's: it would make what repeats seem rarer.
                continue
            name = short_hash(url)
            known = stories.get(name)
            if known is None or known.at <= story.at:
                stories[name] = story.ends()
            for seen, text in zip(story.lines, read, strict=True):
                texts[seen.key] = max(texts.get(seen.key, ""), text)
        learned = SiteMemory(stories, texts, self.verdicts, self.article_text)._bounded()
        return learned if learned.stories == self.stories else learned._decided()

    def forget(self, urls: Iterable[str]) -> SiteMemory:
        """Return the memory without the stories of these addresses, and without the lines that no other story has."""
        gone = {short_hash(url) for url in urls} & self.stories.keys()
        stories = {name: story for name, story in self.stories.items() if name not in gone}
        left = frozenset[str]().union(*(story.keys for story in stories.values()))
        lost = frozenset[str]().union(*(self.stories[name].keys for name in gone)) - left
        texts = {key: text for key, text in self.texts.items() if key not in lost}
        verdicts = {key: told for key, told in self.verdicts.items() if key not in lost}
        return SiteMemory(stories, texts, verdicts, self.article_text)._bounded()

    def merge(self, other: SiteMemory) -> SiteMemory:
        """Return what either knows; the same whichever merges the other, and however often."""
        stories = {
            name: max((each for each in (self.stories.get(name), other.stories.get(name)) if each), key=_edition)
            for name in self.stories.keys() | other.stories.keys()
        }
        return SiteMemory(
            stories,
            _larger(self.texts, other.texts),
            {
                key: _latest({*self.verdicts.get(key, ()), *other.verdicts.get(key, ())})
                for key in self.verdicts.keys() | other.verdicts.keys()
            },
            _larger(self.article_text, other.article_text),
        )._bounded()

    def clean(self, article: Article) -> Article:
        """Return the article with its template text no longer kept, for the reason "repeated on …"."""
        verdict = self.judge(article.url, Story.of(article))
        host = (urlsplit(article.url).hostname or article.url).removeprefix("www.")
        return replace(article, blocks=tuple(marked(article.blocks, verdict, host)))

    def judge(self, url: str, story: Story) -> Verdict:
        """Say what of an article is template; where that is nothing, `clean` changes nothing of a fresh one."""
        return self._detector(story).judge(short_hash(url), story)

    def unlearn(self, text: str) -> SiteMemory:
        """Return a memory for which these lines are article text for good."""
        declared = {line(each).loose: each.strip() for each in text.splitlines() if each.strip()}
        return replace(self, article_text={**self.article_text, **declared})

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield (number of stories, line) for what is template text today, the most frequent first, to be printed."""
        found = [(each.removed, self._text(key)) for key, each in self._today.items() if each.removed]
        yield from sorted(found, key=lambda item: (-item[0], item[1]))

    def changes(self) -> Iterator[tuple[str, Sequence[LineVerdict]]]:
        """Yield (line, what was decided of it) for lines whose verdict changed, the latest change first."""
        changed = [(self._text(key), told) for key, told in self.verdicts.items() if len(told) > 1]
        # What a person declared, the numbers did not change.
        changed = [(text, told) for text, told in changed if line(text).loose not in self.article_text]
        yield from sorted(changed, key=lambda item: (item[1][-1], item[0]), reverse=True)

    def distrusted(self) -> tuple[int, int]:
        """Return in how many of today's stories what repeats is too much of the article and stays; and of how many."""
        today = self._around(self._period(self._newest))
        return sum(bool(self._verdict(name).spared) for name in today), len(today)

    def spared(self) -> Iterator[tuple[int, str]]:
        """Yield (number of stories, line) for what repeats and stays today, since it is too much of the article."""
        found: Counter[str] = Counter()
        for name in self._around(self._period(self._newest)):
            lines = self.stories[name].lines
            found.update({lines[at].key for at in self._verdict(name).spared})
        yield from sorted(
            ((count, self._text(key)) for key, count in found.items()), key=lambda each: (-each[0], each[1])
        )

    def _text(self, key: str) -> str:
        """A line's text; two machines that each saw it once have none until it is met again."""
        return self.texts.get(key, f"({key})")

    def _verdict(self, name: str) -> Verdict:
        return self._detector(self.stories[name]).judge(name, self.stories[name])

    @cached_property
    def _today(self) -> Mapping[str, LineVerdict]:
        """What is decided of the lines that today's stories share."""
        removed: Counter[str] = Counter()
        seen: Counter[str] = Counter()
        today = self._around(self._period(self._newest))
        for name in today:
            lines = self.stories[name].lines
            seen.update({each.key for each in lines})
            removed.update({lines[at].key for at in self._verdict(name).removed})
        return {
            key: LineVerdict(self._newest, removed[key], number, len(today))
            for key, number in seen.items()
            if number > 1
        }

    def _decided(self) -> SiteMemory:
        """The memory with what is decided today of each line, where that is news."""
        verdicts = dict(self.verdicts)
        for key, today in self._today.items():
            told = verdicts.get(key, ())
            if today.template != (told[-1].template if told else False):
                verdicts[key] = _latest({*told, today})
        decided = replace(self, verdicts=verdicts)
        # They judge by stories, which are the same: what they have found out is not found out again.
        vars(decided)["_detectors"] = self._detectors
        return decided

    def _detector(self, story: Story) -> TemplateDetector:
        """What judges a story: the stories of its time, of its own design where there are enough."""
        around = self._around(self._period(story.at))
        alike = {name for name in around if self.stories[name].design == story.design}
        chosen = frozenset(alike if len(alike) >= LEAST else around)
        detector = self._detectors.get(chosen)
        if detector is None:
            evidence = Evidence({name: self.stories[name] for name in chosen})
            detector = self._detectors[chosen] = TemplateDetector(evidence, self.article_text)
        return detector

    @cached_property
    def _detectors(self) -> dict[frozenset[str], TemplateDetector]:
        return {}

    @cached_property
    def _periods(self) -> Mapping[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(self.stories):
            found[self._period(self.stories[name].at)].append(name)
        return found

    @cached_property
    def _newest(self) -> str:
        return max((each.at for each in self.stories.values()), default=UNDATED)

    def _period(self, at: str) -> str:
        """The month of a time, or its year once that is a year ago."""
        return at[:6] if _months(self._newest) - _months(at) < 12 else at[:4]

    def _around(self, period: str) -> frozenset[str]:
        """The stories of a period, and of those next to it as long as they are few."""
        found: set[str] = set()
        distances = {other: abs(_months(other) - _months(period)) for other in self._periods}
        for other in sorted(distances, key=lambda other: (distances[other], other)):
            if len(found) >= (_ENOUGH if distances[other] <= _NEXT_TO else MANY):
                break
            found |= set(self._periods[other])
        return frozenset(found)

    def _bounded(self) -> SiteMemory:
        """As many stories of each period as tell enough, and the texts of lines that repeat in them."""
        drawn = {name for names in self._periods.values() for name in nsmallest(_STORIES, names)}
        stories = {name: self.stories[name] for name in sorted(drawn)}
        seen = Counter(key for each in stories.values() for key in each.keys)
        latest = nlargest(_TOLD, self.verdicts, key=lambda key: (self.verdicts[key][-1], key))
        verdicts = {key: self.verdicts[key] for key in sorted(latest)}
        texts = {key: text for key, text in self.texts.items() if seen[key] > 1 or key in verdicts}
        return SiteMemory(stories, texts, verdicts, self.article_text)


def _edition(story: Story) -> tuple[str, str]:
    """What makes one of two editions the later, whoever asks."""
    return story.at, json.dumps(story.pack(), sort_keys=True)


def _table(table: Mapping[str, Any]) -> str:
    """A JSON object with a line for each of its members, for people and for diff."""
    members = (json.dumps({key: table[key]}, ensure_ascii=False, sort_keys=True)[1:-1] for key in sorted(table))
    return "{" + ",".join(f"\n {member}" for member in members) + "}"


def _larger(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    return {key: max(one.get(key, ""), other.get(key, "")) for key in one.keys() | other.keys()}


def _latest(told: Iterable[LineVerdict]) -> tuple[LineVerdict, ...]:
    return tuple(sorted(told)[-_VERDICTS:])


def _months(time: str) -> int:
    """The number of a month, or of the middle of a year, counted from the year 0."""
    return int(time[:4] or 0) * 12 + int(time[4:6] or 6)

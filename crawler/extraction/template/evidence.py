"""What the stories of a site tell of a line: in how many it stands, and whether that is a site's template or a tale."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise

from crawler.extraction.template.patterns import woven
from crawler.extraction.template.story import Seen, Story

#: Fewer stories tell nothing: a tale has two parts, and is told twice.
LEAST = 3
#: So many tell what turns from page to page, and what stands amid the text.
MANY = 6
#: What stands on so large a share of the pages, beside the text, is there by design: corrections, the credit of an
#: agency and the background of an affair come nowhere near it.
FRAME = 0.75
#: Lines on so large a share of the pages are the frame of every page, and may be more than a short article's own text.
EVERYWHERE = 0.9
#: The same amid the text, where a paragraph that goes is missed the most.
AMID = 0.8
#: Where so large a share of the pages has something repeated, whatever stands there is template: two tales that are
#: each told in a third of the articles do not come to it.
SLOT = 0.7
#: A place in the markup, with so little own prose and so much that repeats, is none for articles.
_PLACE_OWN, _PLACE_REPEATED = 0.05, 0.65
#: What leads in to links on so many pages is a habit of the site; on fewer it may be the sources of one article.
_LEAD = 0.1
#: Part by which editions under one title may differ.
_EDITED = 0.25
#: Words by which two short texts may differ and be one story.
_SENTENCE = 12


class Evidence:
    """The different stories of one design of a site."""

    def __init__(self, stories: Mapping[str, Story]) -> None:
        self.stories = distinct(stories)
        self._on: defaultdict[str, set[str]] = defaultdict(set)
        self._loosely: defaultdict[str, set[str]] = defaultdict(set)
        for name, story in self.stories.items():
            for key in story.keys | story.left_out:
                self._on[key].add(name)
            for each in story.lines:
                self._loosely[each.loose].add(name)

    def __len__(self) -> int:
        return len(self.stories)

    def count(self, each: Seen) -> int:
        """Return the number of stories with exactly this line."""
        return len(self._on.get(each.key, ()))

    def share(self, each: Seen) -> float:
        """Return the share of the stories with exactly this line; of few stories nothing counts but all.

        A notice about the article is in the same words wherever a site corrects itself: it counts where all have it.
        """
        count = self.count(each)
        if len(self) < MANY:
            return float(len(self) >= LEAST and count == len(self))
        share = count / len(self)
        return share if share >= EVERYWHERE or not each.notice else 0.0

    @cached_property
    def frame(self) -> frozenset[str]:
        """Keys of the lines that are on most pages by the site's design."""
        return self._on_most - self.woven

    @cached_property
    def woven(self) -> frozenset[str]:
        """Keys of the lines that are on most pages because the reports are written to a pattern."""
        return woven(self.stories, self._on_most)

    @cached_property
    def _on_most(self) -> frozenset[str]:
        lines = {each.key: each for story in self.stories.values() for each in story.lines}
        return frozenset(key for key, each in lines.items() if self.share(each) >= FRAME and "q" not in each.flags)

    def elsewhere(self, each: Seen, told: frozenset[str]) -> bool:
        """Whether a line stands in another story than those `told`, exactly as it is."""
        return not self._on.get(each.key, _NONE) <= told

    def loosely_elsewhere(self, each: Seen, told: frozenset[str]) -> bool:
        """Whether a label, a name or a row stands in another story with other numbers.

        Of prose and sentences that means nothing: reports are written to a pattern. Nor of lists and tables in the
        text: results have the same rows, and recipes the same flour.
        """
        return not (each.prose or each.sentence or each.row) and not self._loosely.get(each.loose, _NONE) <= told

    def told_by(self, name: str, story: Story) -> frozenset[str]:
        """Return the names of the stories that are this one, in this or another edition."""
        near = {other for key in story.keys for other in self._on.get(key, ()) if len(self._on[key]) < LEAST}
        alike = {other for other in near if _same(story, self.stories[other], self._on)}
        return frozenset(alike | ({name} & self.stories.keys()))

    @cached_property
    def bodies(self) -> frozenset[str]:
        """The places that articles stand in."""
        return frozenset(story.body for story in self.stories.values())

    @cached_property
    def _rows(self) -> frozenset[str]:
        """The places of lists and tables in the articles' text."""
        return frozenset(each.place for story in self.stories.values() for each in story.lines if each.row)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The places in the markup that hold template only, whatever it says: place -> number of stories."""
        own: Counter[str] = Counter()
        repeated: Counter[str] = Counter()
        seen: Counter[str] = Counter()
        for name, story in self.stories.items():
            told = frozenset({name})
            again = {each.place for each in story.lines if self._again(each, told)}
            own.update({each.place for each in story.lines if each.prose and not self._again(each, told)})
            repeated.update(again)
            seen.update({each.place for each in story.lines})
        return {
            place: number
            for place, number in seen.items()
            if number >= max(LEAST, FRAME * len(self))
            and place not in self.bodies | self._rows
            and own[place] <= _PLACE_OWN * number
            and repeated[place] >= _PLACE_REPEATED * number
        }

    def _again(self, each: Seen, told: frozenset[str]) -> bool:
        return self.elsewhere(each, told) or self.loosely_elsewhere(each, told)

    @cached_property
    def link_places(self) -> Mapping[str, int]:
        """Places where nearly all pages have a line that is nothing but a link -> number of stories."""
        seen = Counter(
            place for story in self.stories.values() for place in {each.place for each in story.lines if each.only_link}
        )
        return {place: number for place, number in seen.items() if number >= max(MANY, FRAME * len(self))}

    @cached_property
    def leads(self) -> Mapping[str, int]:
        """What leads in to a link in the same line -> number of stories."""
        seen = Counter(lead for story in self.stories.values() for lead in {each.lead for each in story.lines} if lead)
        return {lead: number for lead, number in seen.items() if number >= max(LEAST, _LEAD * len(self))}

    @cached_property
    def leading(self) -> Mapping[str, int]:
        """Lines by key that a link mostly follows -> number of stories."""
        seen: Counter[str] = Counter()
        followed: Counter[str] = Counter()
        for story in self.stories.values():
            seen.update({each.key for each in story.lines if not each.prose and not each.linked})
            followed.update({each.key for each, after in pairwise(story.lines) if after.linked})
        return {
            key: number
            for key, number in seen.items()
            if number >= max(LEAST, _LEAD * len(self)) and followed[key] >= FRAME * number
        }

    @cached_property
    def parts(self) -> frozenset[str]:
        """Places of headings that nearly all articles have in common, two or more, each above text of their own."""
        found: Counter[tuple[str, str]] = Counter()
        for name, story in self.stories.items():
            told = frozenset({name})
            found.update(
                {
                    (each.place, each.key)
                    for each, below in pairwise(story.lines)
                    if "h" in each.flags and each.key in self.frame and below.prose and not self.elsewhere(below, told)
                }
            )
        seen = Counter(place for (place, _), number in found.items() if number >= AMID * len(self))
        return frozenset(place for place, number in seen.items() if number > 1)

    @cached_property
    def lists(self) -> frozenset[str]:
        """Keys of lines of the frame with a list below that turns from page to page: "Coming events".

        No article goes on below: in nearly all stories what follows is repeated, and not all of it is on every page.
        Neither a sentence is such a line nor the heading of a part of the articles: what an editor adds stands below.
        """
        seen: Counter[str] = Counter()
        closing: Counter[str] = Counter()
        for name, story in self.stories.items():
            told = frozenset({name})
            rest: list[Seen] = []
            for each in reversed(story.lines):
                if each.key in self.frame and not each.sentence and each.place not in self.parts:
                    seen[each.key] += 1
                    turning = sum(other.key not in self.frame for other in rest)
                    own = any((other.prose or other.row) and not self.elsewhere(other, told) for other in rest)
                    closing[each.key] += turning >= 0.5 * len(rest) > 0 and not own
                rest.append(each)
        return frozenset(key for key, number in seen.items() if closing[key] >= max(LEAST, AMID * number))


_NONE: frozenset[str] = frozenset()


def distinct(stories: Mapping[str, Story]) -> dict[str, Story]:
    """Return the stories, each once however many addresses and editions it has; in the order of their names."""
    on: dict[str, set[str]] = {}
    titles: dict[str, set[str]] = {}
    for story in stories.values():
        for key in story.keys:
            titles.setdefault(key, set()).add(story.title)
    found: dict[str, Story] = {}
    for name in sorted(stories):
        story = stories[name]
        near = {other for each in story.lines if len(titles[each.key]) < LEAST for other in on.get(each.key, ())}
        if not any(_same(story, found[other], titles) for other in sorted(near)):
            found[name] = story
            for key in story.keys:
                on.setdefault(key, set()).add(name)
    return found


def _same(one: Story, other: Story, on: Mapping[str, Iterable[str]]) -> bool:
    """Whether two tell the same: most of it under one title, all but a sentence under two.

    Template tells nothing, where it stands under several titles; under "The weather today" it may be half the page.
    """

    def told(story: Story) -> dict[str, int]:
        return {each.key: each.words for each in story.lines if len(set(on.get(each.key, ()))) < LEAST}

    mine, its = told(one), told(other)
    total = max(sum(mine.values()), sum(its.values()))
    new = total - sum(mine[key] for key in mine.keys() & its.keys())
    if total < 20:
        return False
    return new <= _EDITED * total if one.title == other.title else new < max(_SENTENCE, 0.05 * total)


def frame_gaps(evidence: Evidence) -> Mapping[tuple[str, str], int]:
    """Return the gaps in the frame that hold something else on every page: (line above, line below) -> blocks.

    Above must be two lines of the frame (one alone may be a heading of the article). On nearly all pages the gap is as
    large, while the articles before it are not: after a prompt amid the text it is the other way round. Where more is
    told in the gap than before it, it is the article: how a dish is made.
    """
    sizes: defaultdict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    before: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for story in evidence.stories.values():
        for above, below, start, size in gaps(story.lines, evidence.frame):
            sizes[above, below][size] += _is_beside(story.lines, start, size, evidence.frame)
            before[above, below].add(start)
    return {
        pair: size
        for pair, found in sizes.items()
        for size, number in found.most_common(1)
        if number >= max(MANY, AMID * len(evidence)) and len(before[pair]) > 1
    }


def _is_beside(lines: Sequence[Seen], start: int, size: int, frame: frozenset[str]) -> bool:
    """Whether the prose in a gap is less than that of the article before it."""

    def told(part: Sequence[Seen]) -> int:
        return sum(each.words for each in part if each.prose and each.key not in frame)

    return told(lines[start : start + size]) < told(lines[:start])


def gaps(lines: Sequence[Seen], frame: frozenset[str]) -> Iterable[tuple[str, str, int, int]]:
    """Yield the gaps below two lines of the frame: keys of the lines above and below, first position, blocks."""
    at = [position for position, each in enumerate(lines) if each.key in frame]
    for run, above, below in zip(at, at[1:], at[2:], strict=False):
        if run + 1 == above and below - above > 1:
            yield lines[above].key, lines[below].key, above + 1, below - above - 1

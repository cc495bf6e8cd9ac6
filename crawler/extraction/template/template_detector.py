"""Which lines of an article are the site's template: what repeats by design, and nothing that is merely said again.

The rules, the surest first:

1. A line on most pages, beside the article's own text; amid it, on nearly all.
2. What turns in a place where nearly all pages have something repeated (`peeling`), below a line of the frame under
   which no article goes on, and in a gap of the frame that is always as large (`evidence`).
3. Links behind what leads in to links on several pages, or alone in their line on most; places in the markup that hold
   nothing but template.

Only lines that are on every page are taken however much they are. Were the rest most of the article, and far more than
elsewhere, it stays, and that is said. An article never loses its last sentence. What reports share because they are
written to a pattern stays (`patterns`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise

from crawler.extraction.template.evidence import AMID, EVERYWHERE, FRAME, LEAST, MANY, Evidence, frame_gaps, gaps
from crawler.extraction.template.peeling import Peeling
from crawler.extraction.template.story import Seen, Story

#: What the memory takes on less than the strongest evidence may be so large a part of the words of an article.
_MOST = 0.5
#: or so many times what goes of nearly every page: a template is about as large on all, but its texts turn.
_USUAL = 3.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The positions of an article's lines that are template, each with the number of stories that show it."""

    removed: Mapping[int, int]
    #: Those that would be, were they not too much of the article.
    spared: Mapping[int, int]


class TemplateDetector:
    """Decides by the stories of one time and one design of a site.

    `declared`: loose keys of lines that a person declared to be article text.
    """

    def __init__(self, evidence: Evidence, declared: Iterable[str] = ()) -> None:
        self._evidence = evidence
        self._declared = frozenset(declared)
        #: What was found in stories, by name: each is asked for when it is learned, for what is usual, and when judged.
        self._known: dict[str, tuple[Story, list[bool], dict[int, int]]] = {}

    @cached_property
    def _gaps(self) -> Mapping[tuple[str, str], int]:
        return frame_gaps(self._evidence)

    @cached_property
    def _ends(self) -> tuple[Peeling, Peeling]:
        pages = {name: story.lines for name, story in self._evidence.stories.items()}
        return (
            Peeling(self._evidence, pages),
            Peeling(self._evidence, {name: lines[::-1] for name, lines in pages.items()}),
        )

    @cached_property
    def _below(self) -> Mapping[str, Peeling]:
        """Key of a line of the frame -> what turns below it: an advert below the word, amid the text."""
        pages: defaultdict[str, dict[str, Sequence[Seen]]] = defaultdict(dict)
        for name, story in self._evidence.stories.items():
            for at, each in enumerate(story.lines):
                if each.key in self._evidence.frame:
                    pages[each.key][name] = story.lines[at + 1 :]
        return {key: Peeling(self._evidence, below, labelled=True) for key, below in pages.items()}

    @cached_property
    def _usual(self) -> float:
        """The words that go of nearly every page on less than the strongest evidence."""
        sizes = sorted(self._doubtful(name, story) for name, story in self._evidence.stories.items())
        return sizes[len(sizes) // 10] if len(sizes) >= MANY else 0

    def judge(self, name: str, story: Story) -> Verdict:
        """Return what is template in a story; `name` is its name in the memory, whether it is there or not."""
        if len(self._evidence) < LEAST:
            return Verdict({}, {})
        own, found = self._told(name, story)
        sure = {at: number for at, number in found.items() if self._is_sure(story.lines[at])}
        doubtful = {at: number for at, number in found.items() if at not in sure}
        words = sum(story.lines[at].words for at in doubtful)
        if any(mine and at not in found for at, mine in enumerate(own)):
            too_much = words > max(_MOST * sum(each.words for each in story.lines), _USUAL * self._usual)
            return Verdict(sure, doubtful) if too_much else Verdict(found, {})
        # Copies of one text under many titles have no line of their own, and pages without an article.
        if any(each.prose and at not in sure for at, each in enumerate(story.lines)):
            return Verdict(sure, doubtful)
        return Verdict({}, found)

    def _doubtful(self, name: str, story: Story) -> int:
        _, found = self._told(name, story)
        return sum(story.lines[at].words for at in found if not self._is_sure(story.lines[at]))

    def _is_sure(self, each: Seen) -> bool:
        return len(self._evidence) >= MANY and self._evidence.share(each) >= EVERYWHERE

    def _told(self, name: str, story: Story) -> tuple[list[bool], dict[int, int]]:
        """What `_found` says, worked out once for a story."""
        known, own, found = self._known.get(name, (None, [], {}))
        if known != story:
            own, found = self._found(name, story)
            self._known[name] = story, own, found
        return own, found

    def _found(self, name: str, story: Story) -> tuple[list[bool], dict[int, int]]:
        """For each line whether it is plainly the article's own; and what looks like template."""
        lines, told = story.lines, self._evidence.told_by(name, story)
        found = self._turning(lines, told)
        woven = [each.key in self._evidence.woven for each in lines]
        own = [
            woven[at] or (at not in found and each.prose and not self._evidence.elsewhere(each, told))
            for at, each in enumerate(lines)
        ]
        below = range(self._list(lines, own) + 1, len(lines))
        for at in below:
            own[at] = False
            found.setdefault(at, self._evidence.count(lines[below.start - 1]))
        for at, number in (*self._framed(lines, own, told), *self._linked(lines)):
            found[at] = max(number, found.get(at, 0))
        kept = self._evidence.woven
        found = {
            at: n for at, n in found.items() if lines[at].loose not in self._declared and lines[at].key not in kept
        }
        _give_back_rows(lines, own, found)
        self._give_back_parts(lines, found)
        _give_back_headings(lines, own, found)
        return own, found

    def _give_back_parts(self, lines: Sequence[Seen], found: dict[int, int]) -> None:
        """Take back the last part of articles that are written in the same parts: "The verdict", one of three."""
        for at, (each, below) in enumerate(pairwise(lines)):
            heads = "h" in each.flags and each.key in self._evidence.frame and each.place in self._evidence.parts
            if heads and below.sentence and below.key not in self._evidence.frame:
                found.pop(at, None)
                found.pop(at + 1, None)

    def _is_kept(self, each: Seen) -> bool:
        """Whether a line stays whatever repeats: a person declared it, or it is a notice about the article."""
        return each.loose in self._declared or (each.notice and not self._is_sure(each))

    def _turning(self, lines: Sequence[Seen], told: frozenset[str]) -> dict[int, int]:
        """What turns from page to page: at the ends, below lines of the frame and in gaps between them."""
        head, tail = self._ends
        found = dict(head.run(lines, told))
        found |= {len(lines) - 1 - at: number for at, number in tail.run(lines[::-1], told)}
        for start, each in enumerate(lines, 1):
            if each.key in self._below:
                found |= {start + at: number for at, number in self._below[each.key].run(lines[start:], told)}
        for above, below, start, size in gaps(lines, self._evidence.frame):
            if self._gaps.get((above, below)) == size and start > len(lines) - start - size - 1:
                found |= dict.fromkeys(range(start, start + size), len(self._evidence))
        return found

    def _list(self, lines: Sequence[Seen], own: Sequence[bool]) -> int:
        """The position of the line with the site's list below it; the last one where there is no such list.

        An article that tells more after it than before says that it is none.
        """
        sizes = [each.words * mine for each, mine in zip(lines, own, strict=True)]
        for at, each in enumerate(lines):
            if each.key in self._evidence.lists and sum(sizes[at:]) < sum(sizes[:at]):
                return at
        return len(lines) - 1

    def _framed(self, lines: Sequence[Seen], own: Sequence[bool], told: frozenset[str]) -> Iterator[tuple[int, int]]:
        """Yield the lines that are on most pages as they are."""
        first, last = _span(own)
        for at, each in enumerate(lines):
            amid = first < at < last
            needed = AMID if amid or "q" in each.flags else FRAME
            tells = len(self._evidence) >= MANY or not (amid and each.prose)
            if tells and self._evidence.share(each) >= needed and self._evidence.elsewhere(each, told):
                yield at, self._evidence.count(each)

    def _linked(self, lines: Sequence[Seen]) -> Iterator[tuple[int, int]]:
        """Yield links with what leads in to them, and what stands in places of the template."""
        evidence, led = self._evidence, 0
        for at, each in enumerate(lines):
            leads = evidence.leading.get(each.key, 0) if lines[at + 1 : at + 2] and lines[at + 1].linked else 0
            led = leads or (led if each.linked else 0)
            alone = evidence.link_places.get(each.place, 0) * each.only_link
            if number := max(evidence.leads.get(each.lead, 0), led, alone, evidence.places.get(each.place, 0)):
                yield at, number


def _give_back_headings(lines: Sequence[Seen], own: Sequence[bool], found: dict[int, int]) -> None:
    """Take back headings above text that stays: "Conclusion" may be above the last part of every article."""
    for at in reversed(range(len(lines) - 1)):
        below = lines[at + 1]
        if "h" in lines[at].flags and at + 1 not in found and (own[at + 1] or below.row or "h" in below.flags):
            found.pop(at, None)


def _give_back_rows(lines: Sequence[Seen], own: Sequence[bool], found: dict[int, int]) -> None:
    """Take back the rows of a list of which half stays, or one with the text going on below it.

    Salt is in nearly every recipe.
    """
    _, last = _span(own)
    rows = [at for at, each in enumerate(lines) if each.row]
    for _, run in groupby(enumerate(rows), lambda each: (each[1] - each[0], lines[each[1]].place)):
        positions = [at for _, at in run]
        stay = sum(at not in found for at in positions)
        if 2 * stay >= len(positions) or (stay and positions[-1] < last):
            for at in positions:
                found.pop(at, None)


def _span(own: Sequence[bool]) -> tuple[int, int]:
    """The positions of the first and the last line of the article's own; (length, -1) if there is none."""
    at = [position for position, mine in enumerate(own) if mine]
    return (at[0], at[-1]) if at else (len(own), -1)

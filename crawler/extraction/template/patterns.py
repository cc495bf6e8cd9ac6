"""Sentences that stand in every report because reports are written to a pattern: "Nobody was hurt."

Such a sentence is on as many pages as a prompt amid the text of a site, and in the same markup. But the paragraphs
around it are written to a form too: they share runs of words, whatever they tell. Around a prompt each article has its
own words. The questions of a series of interviews are told from prompts by their number and their answers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from crawler.extraction.template.story import Seen, Story

#: On so large a share of the pages a paragraph has the form of the others in its place.
_FORMED = 0.7
#: Fewer pages show no form.
_LEAST = 3
#: So many questions, each with an answer, on so large a share of the pages that have one of them, make an interview.
_QUESTIONS = 3


def woven(stories: Mapping[str, Story], frame: frozenset[str]) -> frozenset[str]:
    """Return the keys of a frame's lines that belong to a pattern of reports; `stories` are those it is of.

    They are sentences, and headings above what follows, between two paragraphs that have a form. At an end of the
    reports such a sentence is not to be told from a site's foot; only a short one alone is taken for the report's.
    """
    found: defaultdict[str, list[tuple[Seen | None, Seen | None]]] = defaultdict(list)
    for story in stories.values():
        for run, above, below in _runs(story.lines, frame):
            if _reads_on(run, above, below):
                for each in run:
                    found[each.key].append((above, below))
    seen = Counter(key for story in stories.values() for key in story.keys & found.keys())
    between = {key for key, pairs in found.items() if _is_formed(pairs, seen[key])}
    asked = _asked(stories, frame)
    return frozenset(between) | asked | _alone(stories, frame - between - asked, found, seen)


def _asked(stories: Mapping[str, Story], frame: frozenset[str]) -> frozenset[str]:
    """Return the questions that a series puts to everybody: several on a page, each with what it alone tells below."""
    answered: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for story in stories.values():
        asked = {each.key for each in story.lines if each.asks and each.key in frame}
        seen.update(asked)
        found = {
            each.key
            for each, below in pairwise(story.lines)
            if each.key in asked and below.key not in frame and (below.prose or below.sentence)
        }
        if len(found) >= _QUESTIONS:
            answered.update(found)
    return frozenset(key for key, number in answered.items() if number >= _FORMED * seen[key])


def _runs(lines: Sequence[Seen], frame: frozenset[str]) -> Iterator[tuple[Sequence[Seen], Seen | None, Seen | None]]:
    """Yield each run of lines of the frame, with the paragraphs above and below it; headings are passed over."""
    start = 0
    while start < len(lines):
        if lines[start].key not in frame:
            start += 1
            continue
        end = next((at for at in range(start, len(lines)) if lines[at].key not in frame), len(lines))
        yield lines[start:end], _paragraph(reversed(lines[:start]), frame), _paragraph(lines[end:], frame)
        start = end


def _paragraph(lines: Iterable[Seen], frame: frozenset[str]) -> Seen | None:
    """The first paragraph or sentence, before another line of the frame, and in no link."""
    for each in lines:
        if each.key in frame or each.linked:
            return None
        if each.prose or each.sentence:
            return each
    return None


def _reads_on(run: Sequence[Seen], above: Seen | None, below: Seen | None) -> bool:
    """Whether a run may be of the text: sentences in the place of the paragraphs; a heading last, above what follows.

    A prompt has its label or its heading before it.
    """
    places = {each.place for each in (above, below) if each is not None}
    *sentences, last = run
    is_headed = "h" in last.flags and below is not None
    return all(each.sentence and each.place in places for each in (*sentences, *([] if is_headed else [last])))


def _is_formed(pairs: Sequence[tuple[Seen | None, Seen | None]], stories: int) -> bool:
    """Whether the paragraphs above have a form, and those below, on most of the pages that have the line."""
    return all(_share([pair[side] for pair in pairs], stories) >= _FORMED for side in (0, 1))


def _share(paragraphs: Sequence[Seen | None], stories: int) -> float:
    """On which share of the pages the paragraphs in a place, each another, have a run of words in common."""
    forms = Counter(part for each in {each.key: each for each in paragraphs if each}.values() for part in each.form)
    return max(forms.values(), default=0) / stories if stories >= _LEAST else 0.0


def _alone(
    stories: Mapping[str, Story],
    frame: frozenset[str],
    found: Mapping[str, Sequence[tuple[Seen | None, Seen | None]]],
    seen: Mapping[str, int],
) -> frozenset[str]:
    """The one line of the frame, where it is a short sentence at an end of reports that have a form."""
    lines = {each.key: each for story in stories.values() for each in story.lines if each.key in frame}
    if len(lines) != 1:
        return frozenset()
    key, line = next(iter(lines.items()))
    formed = max((_share([pair[side] for pair in found.get(key, ())], seen.get(key, 0)) for side in (0, 1)), default=0)
    return frozenset({key} if line.sentence and not line.prose and formed >= _FORMED else ())

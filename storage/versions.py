"""The versions of an article, and what changed between two of them.

The index knows which captures of a URL have another text or title. Whether that is an edit is seen in the articles: a
line that one of them keeps and the other one left out stands on both pages, and only the extraction differs, because
the site's memory has learned or the extractor is a newer one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import SequenceMatcher
from typing import Literal

from storage.index import ArticleEntry
from storage.index.article_lookup import is_same_version
from storage.index.index import Index
from storage.model import Article, Capture
from storage.text import is_same_title, pieces, plain

#: Statuses that say a page is no longer there.
GONE = (404, 410)
#: Status of an answer without a body: the page is as it was.
_NOT_MODIFIED = 304
# From this share of words in common a paragraph is the other one, changed.
_ALIKE = 0.4
# Paragraphs further on that may be it.
_AHEAD = 20
# Pairs of equal pieces up to which two texts are compared piece by piece; what repeats one word takes minutes.
_MOST_PAIRS = 20_000


@dataclass(slots=True)
class Removal:
    """The page was not there; `until` when it was back with the text of before, `None` if it never was."""

    timestamp: datetime
    status: int
    until: datetime | None = None


@dataclass(slots=True)
class Version:
    """One state of an article."""

    #: The first capture of it.
    entry: ArticleEntry
    article: Article
    #: The last capture of it, as it is or as a revisit, and how many there are.
    last: datetime
    captures: int = 0
    #: When the page was gone, since it had this text and before it had another.
    removals: list[Removal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text of one version or both."""

    of: Literal["both", "before", "after"]
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph that changed, came or went; `skipped` unchanged ones stand before it."""

    pieces: tuple[Piece, ...]
    skipped: int = 0


def versions(index: Index, url: str, read: Callable[[ArticleEntry], Article]) -> list[Version]:
    """Return the versions of a URL's article in order of time; `read` brings the article of an entry."""
    found: list[Version] = []
    #: Captures with text, by URL and second -> number of their version.
    numbers: dict[tuple[str, datetime], int] = {}
    before: ArticleEntry | None = None
    for entry in index.history(url):
        if entry.fingerprint is None:
            continue
        if before is None or not is_same_version(before, entry):
            article = read(entry)
            if not found or is_edited(found[-1].article, article):
                found.append(Version(entry, article, entry.timestamp))
            before = entry
        numbers[entry.url, entry.timestamp] = len(found) - 1
    if found:
        _see(found, numbers, index.captures(url))
    return found


def _see(found: list[Version], numbers: dict[tuple[str, datetime], int], captures: Iterator[Capture]) -> None:
    """Enter into the versions when they were seen and when the page was gone."""
    urls = {url for url, _ in numbers}
    seen: Version | None = None
    # The version that the next "nothing new" is of; none after an answer of another kind.
    current: Version | None = None
    for capture in captures:
        if capture.url not in urls:
            continue
        number = numbers.get((capture.url, capture.timestamp.replace(microsecond=0)))
        if capture.status in GONE:
            if seen and (not seen.removals or seen.removals[-1].until):
                seen.removals.append(Removal(capture.timestamp, capture.status or 0))
            current = None
        elif number is not None:
            seen = current = found[number]
        elif not (capture.is_revisit or capture.status == _NOT_MODIFIED):
            current = None
        if current is None:
            continue
        current.captures += 1
        current.last = capture.timestamp
        if current.removals and current.removals[-1].until is None:
            current.removals[-1].until = capture.timestamp


def is_edited(before: Article, after: Article) -> bool:
    """Whether a reader of the two pages would find another title or text."""
    if not is_same_title(before.title, after.title):
        return True
    old, new = _lines(before, after)
    return [*map(plain, old)] != [*map(plain, new)]


def changed_title(before: Article, after: Article) -> tuple[Piece, ...]:
    """Return the title in pieces, none if it is the same."""
    if is_same_title(before.title, after.title):
        return ()
    return tuple(_compared(before.title or "", after.title or ""))


def changed_text(before: Article, after: Article) -> Iterator[Passage]:
    """Yield the paragraphs that changed, word by word, in the order of the text."""
    old, new = _lines(before, after)
    skipped = 0
    for kind, start, end, new_start, new_end in _opcodes([*map(plain, old)], [*map(plain, new)]):
        if kind == "equal":
            skipped = end - start
            continue
        for one, other in _paired(old[start:end], new[new_start:new_end]):
            yield Passage(tuple(_compared(one, other)), skipped)
            skipped = 0


def _lines(before: Article, after: Article) -> tuple[list[str], list[str]]:
    """The lines of both texts, but for those that the other page has too and only its extraction left out."""
    return _own(before, after), _own(after, before)


def _own(article: Article, other: Article) -> list[str]:
    kept = {plain(block.text) for block in other.blocks if block.kept}
    left_out = {plain(block.text) for block in other.removed} - kept
    return [block.text for block in article.blocks if block.kept and plain(block.text) not in left_out]


def _paired(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Put changed paragraphs side by side, in order; "" stands for one that came or went."""
    counted = [Counter(pieces(line)) for line in new]
    at = 0
    for line in old:
        words = Counter(pieces(line))
        match = next((n for n in range(at, min(at + _AHEAD, len(new))) if _share(words, counted[n]) >= _ALIKE), None)
        if match is None:
            yield line, ""
            continue
        yield from (("", added) for added in new[at:match])
        yield line, new[match]
        at = match + 1
    yield from (("", added) for added in new[at:])


def _share(one: Counter[str], other: Counter[str]) -> float:
    """Which share of their words two paragraphs have in common; signs and spaces are no words."""
    words, others = ({word: n for word, n in each.items() if word[0].isalnum()} for each in (one, other))
    total = sum(words.values()) + sum(others.values())
    common = sum(min(n, others.get(word, 0)) for word, n in words.items())
    return 2 * common / total if total else 0.0


def _compared(before: str, after: str) -> Iterator[Piece]:
    old, new = pieces(before), pieces(after)
    opcodes = _opcodes(old, new)
    gone = come = ""
    for number, (kind, start, end, new_start, new_end) in enumerate(opcodes, 1):
        one, other = "".join(old[start:end]), "".join(new[new_start:new_end])
        if kind != "equal" or ((gone or come) and number < len(opcodes) and not any(map(str.isalnum, one))):
            # A mere space or sign between two changes belongs to them.
            gone, come = gone + one, come + other
            continue
        yield from _changed(gone, come)
        yield Piece("both", one)
        gone = come = ""
    yield from _changed(gone, come)


def _opcodes(old: Sequence[str], new: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    """How `new` is made of `old`, as difflib has it: equal, and everything else."""
    counted, others = Counter(old), Counter(new)
    if sum(n * others[piece] for piece, n in counted.items() if not piece.isspace()) > _MOST_PAIRS:
        return [("replace", 0, len(old), 0, len(new))]
    # Spaces go with their words.
    return SequenceMatcher(str.isspace, old, new, autojunk=False).get_opcodes()


def _changed(gone: str, come: str) -> Iterator[Piece]:
    if gone:
        yield Piece("before", gone)
    if come:
        yield Piece("after", come)

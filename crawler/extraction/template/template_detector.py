"""By what a site memory holds: which blocks of an article are template text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.extraction.template.article_lines import (
    LINKED,
    REASON,
    SIGHTINGS,
    ArticleLines,
    Sighting,
    Sightings,
    is_read,
    link_lead,
    newest,
    place,
)
from crawler.extraction.template.lines import Line, Nearby, line
from storage.model import Article, Block, Reason

if TYPE_CHECKING:
    from crawler.extraction.template.site_memory import SiteMemory

#: In so many different stories, text is the site's and not an article's.
REPEATED = 3
#: Amid an article's own text a line must be on this share of the newest stories: a paragraph of background, told
#: again with every turn of an affair, is not template text.
_SHARE_AMID = 0.1
#: The same for what people say, and for the short lines that happen in any text ("Yes.", "Background").
_SHARE_SHORT = 0.6
_SHARE_SAID = 0.8
#: A line on this share of them may tell what stands after it,
_SHARE_ANCHOR = 0.5
#: and one on this share is the frame every article stands in.
_SHARE_FRAME = 0.8
#: So many blocks after a line that repeats still stand in its company.
_CLOSE = 3
#: In words.
_SHORT = 8
#: In the names of places that are so many blocks after a line.
_AFTER = " +"
_GAP_OF = " /"
#: The largest gap in the frame, in blocks.
_GAP = 4
_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6"})


class TemplateDetector:
    """Decides by one memory."""

    def __init__(self, memory: SiteMemory) -> None:
        self._memory = memory
        known = [(line(each.text), each.on) for each in memory.texts.values()]
        self._nearby = Nearby(each for each, _ in known)
        self._on: dict[str, set[str]] = {}
        for each, on in known:
            self._on.setdefault(self._nearby.group(each), set()).update(on)
        self._recent = set(newest(memory.stories, SIGHTINGS))
        self._counts: dict[str, int] = {}
        self._anchors = {each.key for each, on in known if self._share(each) >= _SHARE_ANCHOR and _around(each, on)}
        self._closing = {key for key in self._anchors if _mostly(memory.texts[key].on.values(), "c", 0.9)}
        self._leading = {key for key, each in memory.texts.items() if _mostly(each.on.values(), "l", 0.6)}
        self._frame = {each.key for each, _ in known if not each.quoted and self._share(each) >= _SHARE_FRAME}
        self._template_places = {name for name, on in memory.places.items() if self._is_template(name, on)}
        self._own_places = {
            name for name, on in memory.places.items() if any(seen.flags == "o" for seen in on.values())
        }

    # -- what learning asks -----------------------------------------------------------------------------------------

    def count(self, each: Line) -> int:
        """Return the number of stories a line, or one nearly the same, was seen in."""
        found = self._counts.get(each.key)
        if found is None:
            found = self._counts[each.key] = len(self._on.get(self._nearby.group(each), ()))
        return found

    def _share(self, each: Line) -> float:
        """The share of the newest stories that have a line; 0 for one that is not repeated."""
        if self.count(each) < REPEATED:
            return 0.0
        return len(self._on[self._nearby.group(each)] & self._recent) / max(1, len(self._recent))

    def is_repeated(self, each: Line) -> bool:
        """Whether a line is in too many stories to be one story's own."""
        return self.count(each) >= REPEATED and each.key not in self._memory.article_text

    def places(self, reading: ArticleLines) -> Iterator[tuple[str, str]]:
        """Yield the article's places, each with a flag for what stood in it (see `SiteMemory.places`)."""
        own = self._own(reading)
        first, last = self._body(reading, own)
        flags: dict[str, set[str]] = {}
        for at, (block, each) in enumerate(reading.blocks):
            repeated = self.is_repeated(each)
            within = first <= at <= last
            flags.setdefault(place(block), set()).add("r" if repeated else "o" if within else "s")
            for name in self._after(reading, at):
                flags.setdefault(name, set()).add("r" if repeated else "o")
        for name in self._slots(reading).values():
            flags.setdefault(name, set()).add("r")
        for name, seen in flags.items():
            yield name, "o" if "o" in seen else "r" if "r" in seen else "s"

    def _body(self, reading: ArticleLines, own: Sequence[bool]) -> tuple[int, int]:
        """The first and the last of the article's own sentences in the place where most of them stand."""
        sizes: Counter[str] = Counter()
        for mine, (block, each) in zip(own, reading.blocks, strict=True):
            sizes[place(block)] += len(each.words) * mine
        main = max(sizes, key=lambda name: (sizes[name], name), default="")
        return _ends([mine and place(block) == main for mine, (block, _) in zip(own, reading.blocks, strict=True)])

    def surroundings(self, reading: ArticleLines) -> Iterator[tuple[Line, str]]:
        """Yield the flags of each line of an article that may be template text (see `site_memory.Remembered`)."""
        blocks = reading.blocks
        first, last = _ends(self._own(reading))
        after = 0
        found: list[tuple[Line, str]] = []
        for at in reversed(range(len(blocks))):
            _, each = blocks[at]
            repeated = self.is_repeated(each)
            if repeated:
                amid = "i" if first < at < last else ""
                closing = "c" if at > last >= 0 and after else ""
                leading = "l" if at + 1 < len(blocks) and blocks[at + 1][0].link_share >= LINKED else ""
                found.append((each, amid + closing + leading))
            after += len(each.words)
        return iter(reversed(found))

    def _after(self, reading: ArticleLines, at: int) -> Iterator[str]:
        """Yield the places that a block has for standing close after lines that repeat."""
        for back in range(1, min(_CLOSE, at) + 1):
            _, before = reading.blocks[at - back]
            if before.key in self._anchors:
                yield f"{self._nearby.group(before)}{_AFTER}{back}"

    def _slots(self, reading: ArticleLines) -> dict[int, str]:
        """The positions of blocks in a small gap in the site's frame below the article, each with the gap's name.

        An advert that is new every day stands between lines that are in every article, always as many blocks; the
        article's own text has no such size, and much of it stands before.
        """
        blocks = reading.blocks
        often = Counter(each.key for _, each in blocks)
        frame = [at for at, (_, each) in enumerate(blocks) if each.key in self._frame]
        sizes = [len(each.words) * mine for mine, (_, each) in zip(reading.own(self.is_repeated), blocks, strict=True)]
        found: dict[int, str] = {}
        for run, above, below in zip(frame, frame[1:], frame[2:], strict=False):
            gap = below - above - 1
            # Two lines of the frame, one after the other: a heading alone may be the article's.
            alone = run + 1 != above or max(often[blocks[run][1].key], often[blocks[above][1].key]) > 1
            if alone or not 0 < gap <= _GAP or 2 * sum(sizes[:above]) <= sum(sizes[above:]):
                continue
            for at in range(above + 1, below):
                found[at] = f"{blocks[above][1].key}{_GAP_OF}{gap}"
        return found

    def _is_template(self, name: str, on: Sightings) -> bool:
        """Whether a place holds template text, whatever it says.

        It must have been repeated in three stories. After a repeated line, it must have been so more often than not;
        in a gap of the frame, nearly wherever the frame is; in the markup, own text must hardly ever stand there.
        """
        flags = Counter(seen.flags for seen in on.values())
        if flags["r"] < REPEATED:
            return False
        if _AFTER in name:
            return flags["r"] > 0.6 * len(on)
        if _GAP_OF in name:
            above = self._memory.texts.get(name.split(_GAP_OF, 1)[0])
            return above is not None and len(on) >= _SHARE_FRAME * len(above.on)
        return flags["o"] <= 0.05 * len(on) and flags["r"] >= 0.65 * len(on)

    # -- what cleaning asks -----------------------------------------------------------------------------------------

    def clean(self, article: Article) -> Article:
        """Return the article with its template text removed."""
        reading = ArticleLines(article)
        removed = self._removed(reading)
        host = (urlsplit(article.url).hostname or article.url).removeprefix("www.")
        positions = count()
        cleaned = [
            _marked(block, removed.get(next(positions), 0), host) if is_read(block) else block
            for block in article.blocks
        ]
        return replace(article, blocks=tuple(cleaned))

    def repeated(self) -> Iterator[tuple[int, str]]:
        """Yield (number of stories, line) of the template's lines, the most frequent first."""
        known = (line(each.text) for each in self._memory.texts.values())
        found = [(self.count(each), self._memory.texts[each.key].text) for each in known if self.is_repeated(each)]
        found += [(len(on), f"{text}: …") for text, on in self._memory.leads.items()]
        yield from sorted((item for item in found if item[0] >= REPEATED), key=lambda item: (-item[0], item[1]))

    def _removed(self, reading: ArticleLines) -> dict[int, int]:
        """The positions of the template's blocks, each with the number of stories that show it."""
        removed: dict[int, int] = {}
        own = self._own(reading)
        end, stories = self._end(reading, own)
        own[end:] = [False] * (len(own) - end)
        first, last = _ends(own)
        # "Conclusion" may be above the last part of every article.
        heads = [block.kind in _HEADINGS and mine for (block, _), mine in zip(reading.blocks, own[1:], strict=False)]
        led, slots = 0, self._slots(reading)
        for at, (block, each) in enumerate(reading.blocks):
            if each.key in self._memory.article_text:
                led = 0
                continue
            # Below the article's last sentence it goes on until the template begins: "Background" may be its own.
            amid = first < at < last or not any(position > last for position in removed)
            stories_with = max(
                0 if amid and heads[at : at + 1] == [True] else self._by_text(block, each, amid, last < 0),
                self._by_lead(block),
                self._by_place(reading, at, slots) if not own[at] else 0,
                led if block.link_share >= LINKED else 0,
                stories if at > end else 0,
            )
            led = (
                stories_with
                if stories_with and (each.key in self._leading or (led and block.link_share >= LINKED))
                else 0
            )
            if stories_with:
                removed[at] = stories_with
        return removed

    def _own(self, reading: ArticleLines) -> list[bool]:
        """For each block whether it is plainly the article's own."""
        own, slots = reading.own(self.is_repeated), self._slots(reading)
        return [mine and not self._in_template(reading, at, slots) for at, mine in enumerate(own)]

    def _in_template(self, reading: ArticleLines, at: int, slots: Mapping[int, str]) -> str | None:
        """The place that makes a block template text, whatever it says: another event every day."""
        names = (place(reading.blocks[at][0]), *self._after(reading, at), slots.get(at, ""))
        return next((name for name in names if name in self._template_places), None)

    def _end(self, reading: ArticleLines, own: Sequence[bool]) -> tuple[int, int]:
        """The first line after which, on this site, no article goes on; and the number of stories that show it."""
        sizes = [len(each.words) * mine for mine, (_, each) in zip(own, reading.blocks, strict=True)]
        for at, (_, each) in enumerate(reading.blocks):
            # An article that tells more after the line than before it says that the line closes nothing.
            if each.key in self._closing and self.is_repeated(each) and sum(sizes[at:]) < sum(sizes[:at]):
                return at, self.count(each)
        return len(own), 0

    def _by_text(self, block: Block, each: Line, amid: bool, alone: bool) -> int:
        """The number of stories with this line, if that makes it template text.

        `amid`: it stands amid the article's own sentences; `alone`: there are none, as in a story told once more.
        """
        count = self.count(each)
        if count < REPEATED:
            return 0
        if place(block) not in self._own_places or each.key in self._leading:
            return count
        needed = 0.0
        if each.quoted or alone:
            needed = _SHARE_SAID
        elif amid and len(each.words) < _SHORT:
            needed = _SHARE_SHORT
        elif amid or any(word.isdigit() for word in each.words):
            needed = _SHARE_AMID
        return count if self._share(each) >= needed else 0

    def _by_lead(self, block: Block) -> int:
        """The number of stories where what leads in to this link led in to one."""
        text = link_lead(block)
        count = len(self._memory.leads.get(text, ())) if text else 0
        return count if count >= REPEATED else 0

    def _by_place(self, reading: ArticleLines, at: int, slots: Mapping[int, str]) -> int:
        """The number of stories seen in the block's place, if only template text stands in it."""
        name = self._in_template(reading, at, slots)
        return len(self._memory.places[name]) if name else 0


def _marked(block: Block, stories: int, host: str) -> Block:
    if stories:
        return replace(block, kept=False, reason=Reason(REASON, f"on {stories} articles of {host}"))
    return block if block.kept else replace(block, kept=True, reason=Reason("not repeated any more"))


def _ends(own: Sequence[bool]) -> tuple[int, int]:
    """The positions of the first and the last block of the article's own; (length, -1) if there is none."""
    at = [position for position, mine in enumerate(own) if mine]
    return (at[0], at[-1]) if at else (len(own), -1)


def _mostly(seen: Iterable[Sighting], flag: str, share: float) -> bool:
    flags = [each.flags for each in seen if "x" not in each.flags]
    return len(flags) >= REPEATED and sum(flag in each for each in flags) >= share * len(flags)


def _around(each: Line, on: Sightings) -> bool:
    """Whether a line stands around articles rather than amid them."""
    return not each.quoted and 2 * sum("i" in seen.flags for seen in on.values()) <= len(on)

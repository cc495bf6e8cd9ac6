"""The dates that a page shows: microdata, microformats, `<time>`, lines at the headline; what each is a date of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from lxml.etree import XPath, _Element

from crawler.extraction.metadata.html_metadata import path_of, text_of
from crawler.extraction.metadata.surroundings import is_foreign, is_masthead, is_own_foot, is_teaser
from crawler.html.dates import CHANGED, detail, iso, printed
from crawler.html.elements import HEADINGS
from crawler.html.printed_dates import Printed

#: Attributes that hold a date for scripts, which write "3 hours ago" over it.
_DATA = (
    *("data-datetime", "data-timestamp", "data-date", "data-time", "data-published", "data-publish-date", "data-utc"),
)
# By the attribute and not by the element: three times as fast. Each kind has a bound, since to unite sets of nodes
# takes libxml2 the product of their sizes.
_MARKS = (
    "//@itemprop[contains(.,'date')]/..",
    "//@property[contains(.,'date') or contains(.,'Date') or contains(.,'ublished')]/..",
    (
        "//@class[contains(.,'ublish') or contains(.,'Date') or contains(.,'time') or contains(.,'posted')"
        " or contains(.,'dat') or contains(.,'fecha') or contains(.,'yline')]/.."
    ),
    "//@id[contains(.,'date') or contains(.,'ublish')]/..",
    *("//time", "//address", "//abbr[@title]", "//h1", "//h2", "//h3"),
    *(f"//@{name}/.." for name in _DATA),
)
_MARKED = XPath(" | ".join(f"({mark})[position() <= 1000]" for mark in _MARKS))
_NEXT = XPath(
    "following::*[self::p or self::div or self::span or self::small or self::em or self::li or self::dd or self::b"
    " or self::strong][position() <= 8]"
)
# Where the page's headline is in no heading, its date may be in no paragraph; elements of a site's own making.
_NEXT_OTHERS = XPath("following::*[self::td or self::font or self::center or contains(name(),'-')][position() <= 6]")
_PREVIOUS = XPath("preceding::*[self::p or self::div or self::span or self::small or self::em][position() <= 3]")
#: Words before a date, and behind the last, of a line that no name marks: "Published", a name, an agency.
_MOST_BESIDE = 6
#: Words before a date that ends with a point.
_MOST_BEFORE_END = 3
_WORD = re.compile(r"[^\W\d_]{2,}")
_MOST_MARKED, _MOST_PRINTED = 60, 10
#: Words of a line with a date in it, a byline with names included.
_LONGEST = 24
#: Words beside a date that make it one of a sentence.
_SENTENCE = 12
_BLOCKS = frozenset({"p", "li", "td", "dd", "blockquote", "figcaption", "pre", "h2", "h3", "h4"})
_TEXT_ELSEWHERE = frozenset({"figure", "aside", "footer", "nav", "form", "table"})
_PUBLISHED = re.compile(
    r"publi[sckq]|pubdate|date-?created|posted|issued|entry-date|veröffentlich|erschienen|udgivet|julkaistu|geplaatst"
    r"|pubblicat|postad|опублик|发布|發布|发表|公開|掲載|입력|등록|yayın|δημοσ|نشر|đăng|प्रकाशित",
    re.IGNORECASE,
)
#: Names of what has a date of something else: an event, the copyright, the day of the visit; and words before one.
_OTHER_NAME = re.compile(
    r"copyright|\bevents?\b|event-?date|start-?date|end-?date|birth|expire|valid|deadline|upload-?date|current-?date|today",
    re.IGNORECASE,
)
_OTHER_WORD = re.compile(
    r"©|\(c\)|copyright|\bevents?\b|\btermin\b|veranstalt|expire|\bvalid\b|deadline|retrieved|accessed|abgerufen"
    r"|consulté|\bborn\b|geboren|\bsince\b|\bseit\b|\bdepuis\b|\bdesde\b|\bjoined\b|\bmember\b",
    re.IGNORECASE,
)
_RANGE = re.compile(r"^\s*(?:[-–—]|to|until|till|bis|til|au|al|до)\s*$", re.IGNORECASE)
_IN_PATH = re.compile(r"(?<!\d)((?:19|20)\d\d)([/-]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")

Kind = Literal["published", "modified", "other", ""]


class PageDates(NamedTuple):
    """Each (where it was found, what is written there), the best first."""

    published: list[tuple[str, str]]
    modified: list[tuple[str, str]]


class _Shown(NamedTuple):
    """A date that an element shows, and of what."""

    kind: Kind
    value: str


def page_dates(tree: _Element, heading: _Element | None, now: datetime, locale: str = "") -> PageDates:
    """Return the dates of the article itself: not those of other articles on the page, nor of what it tells of.

    `heading` is the article's headline: what follows it comes before what precedes it. What is marked as a change is
    never among the dates of publication. `locale` as in `crawler.html.dates.iso`.
    """
    marked: list[tuple[str, str]] = []
    timed: list[tuple[str, str]] = []
    lines: list[tuple[str, str]] = []
    modified: list[tuple[str, str]] = []
    for element in _marked(tree, heading):
        is_time = element.tag == "time"
        source = "microdata" if element.get("itemprop") else "time" if is_time else "printed"
        for kind, value in _shown(element, heading, now, locale):
            if kind == "modified":
                modified.append((source, value))
            elif kind == "published" and source != "printed":
                marked.append((source, value))
            elif is_time:
                timed.append((source, value))
            elif len(lines) < _MOST_PRINTED:
                lines.append((source, value))
    if not (marked or timed or lines) and heading is not None:
        for others in (False, True):
            for kind, value in _beside(heading, now, locale, others=others) if not lines else ():
                (modified if kind == "modified" else lines).append(("printed", value))
    return PageDates([*marked, *timed, *lines], modified)


def dated_address(url: str) -> Iterator[tuple[str, str]]:
    """The day that an address has in its path: "/2026/11/18/crane-falls"."""
    if match := _IN_PATH.search(path_of(url)):
        yield "address", "-".join((match[1], match[3], match[4]))


def _marked(tree: _Element, heading: _Element | None) -> Iterator[_Element]:
    """The elements that are marked as dates and may be the article's: below the headline, then above it."""
    found = _elements(_MARKED(tree))
    below = found.index(heading) if heading in found else 0
    dated = [each for each in (*found[below:], *found[:below][::-1]) if each.tag not in ("meta", *HEADINGS)]
    yield from (each for each in dated[:_MOST_MARKED] if not is_foreign(each, heading))


def _shown(element: _Element, heading: _Element | None, now: datetime, locale: str) -> list[_Shown]:
    """The dates that a marked element shows, unless they are of something else or stand in the text."""
    named = _named(element)
    if named == "other":
        return []
    found = [each for each in _values(element, named, now, locale) if each.kind != "other"]
    if not found or (named != "published" and _in_a_sentence(element, heading)):
        return []
    if heading is not None and named != "published":
        # Dates that are not said to be the publication's.
        found = [] if is_teaser(element, heading) or is_masthead(element, heading) else found
    return found


def _beside(heading: _Element, now: datetime, locale: str, *, others: bool) -> Iterator[_Shown]:
    """The date in a line below the headline, or just above it, that says little else; and changes beside it.

    `others`: in a cell of a table, or in an element that HTML does not have.
    """
    around = set(heading.iterancestors())
    is_dated = False
    near = (_NEXT_OTHERS(heading),) if others else (_NEXT(heading), _PREVIOUS(heading))
    for element in (each for found in near for each in _elements(found)):
        if element in around or is_foreign(element, heading) or _named(element) == "other":
            continue
        line = _line(element)
        if not _says_little(printed(line, now, locale) if len(line.split()) <= _LONGEST else []):
            continue
        for each in _in_line(line, _before(element), "", now, locale):
            if each.kind == "modified" or (each.kind != "other" and not is_dated and not is_teaser(element, heading)):
                is_dated = is_dated or each.kind != "modified"
                yield each


def _says_little(found: Sequence[Printed]) -> bool:
    """Whether a line is one of dates, "Ann Berg, 18 November 2026 | Reuters", and no sentence, "On 1 May it began."."""
    if not found:
        return False
    before = sum(len(_WORD.findall(each.before)) for each in found)
    after, end = len(_WORD.findall(found[-1].after)), found[-1].after.rstrip()
    if end.endswith((".", "!", "?", "。")) and (after or before > _MOST_BEFORE_END):
        return False
    return before <= _MOST_BESIDE * len(found) and after <= _MOST_BESIDE


def _elements(found: object) -> Sequence[_Element]:
    return [element for element in found if isinstance(element, _Element)] if isinstance(found, list) else []


def _named(element: _Element) -> Kind:
    """What an element is a date of by its own names."""
    names = " ".join(filter(None, map(element.get, ("itemprop", "property", "class", "id"))))
    is_changed = CHANGED.search(names) is not None
    is_published = _PUBLISHED.search(names.replace("datePublished", "published")) is not None
    if is_changed != is_published:
        return "modified" if is_changed else "published"
    if element.get("pubdate") is not None:
        return "published"
    above = element.getparent()
    if element.tag == "time" and above is not None and CHANGED.search(above.get("class") or ""):
        return "modified"
    return "other" if _OTHER_NAME.search(names) else ""


def _values(element: _Element, named: Kind, now: datetime, locale: str) -> Iterator[_Shown]:
    """What is written in an element: for machines, and its own text (HTML standard, 4.5.14)."""
    before = _before(element)
    stated = [
        value
        for name in ("content", "datetime", "title", *_DATA)
        if (text := element.get(name)) is not None and (value := iso(text, now, locale))
    ]
    line = _line(element)
    # Pieces of a date, and the words before it, may each have an element.
    kind = _said(f"{before} {line[:25]}", named)
    yield from (_Shown(kind, value) for value in stated)
    if 0 < len(line.split()) <= _LONGEST:
        found = [each for each in _in_line(line, before, named, now, locale) if not stated or _agrees(each, stated)]
        yield from found
        if found and all(detail(each.value) == 0 for each in found):
            yield from _with_time(element, found[0], now, locale)


def _agrees(shown: _Shown, stated: Sequence[str]) -> bool:
    return any(shown.value[:10] == value[:10] for value in stated)


def _with_time(element: _Element, day: _Shown, now: datetime, locale: str) -> Iterator[_Shown]:
    """The same day with its time, if that stands beside the element."""
    above = element.getparent()
    line = _line(above) if above is not None else ""
    if 0 < len(line.split()) <= _LONGEST:
        for each in printed(line, now, locale):
            if each.value[:10] == day.value[:10] and detail(each.value):
                yield _Shown(day.kind, each.value)


def _in_line(line: str, before: str, named: Kind, now: datetime, locale: str) -> Iterator[_Shown]:
    """The dates of a line, each said by the words before it; none of a span of time."""
    found = printed(line, now, locale)
    if any(_RANGE.match(each.before) for each in found[1:]):
        return
    for number, each in enumerate(found):
        kind = _said(each.before if number else f"{before} {each.before}", named if number == 0 else "")
        # "20.11.2026 (updated)", "2026.11.20 수정"; not "20.11.2026, updated at 15:10".
        after = each.after.strip(" ()|,.-")
        if number == len(found) - 1 and not kind and CHANGED.match(after) and after.isalpha():
            kind = "modified"
        if number == 0 or kind:
            yield _Shown(kind, each.value)


def _said(words: str, named: Kind) -> Kind:
    """What the words before a date make it; what its names do, where the words say nothing."""
    changed, published = (list(form.finditer(words)) for form in (CHANGED, _PUBLISHED))
    if changed or published:
        # The word that is nearest.
        return "modified" if changed and (not published or changed[-1].end() > published[-1].end()) else "published"
    return "other" if _OTHER_WORD.search(words) else named


def _before(element: _Element) -> str:
    """The last words before an element in its own line."""
    previous, above = element.getprevious(), element.getparent()
    if previous is None:
        return (above.text or "")[-40:] if above is not None else ""
    # A comment has no text of its own.
    ends = previous.tag in ("time", *_BLOCKS) or not isinstance(previous.tag, str)
    return ((previous.tail or "").strip() or ("" if ends else _line(previous)))[-40:]


def _line(element: _Element) -> str:
    """The text of an element, where pieces of markup are words: "<b>18</b><b>Nov</b>"; of a long one the beginning."""
    words: list[str] = []
    for piece in element.itertext("*"):
        words += str(piece).split()
        if len(words) > _LONGEST:
            break
    return " ".join(words[: _LONGEST + 1])


def _in_a_sentence(element: _Element, heading: _Element | None) -> bool:
    """Whether a date stands inside the text of a page, as that of a battle does."""
    around = () if heading is None else tuple(heading.iterancestors())
    for above in (element, *element.iterancestors()):
        if above.tag in _TEXT_ELSEWHERE and not is_own_foot(above, around):
            return True
        if above.tag in _BLOCKS:
            return len(text_of(above).split()) - len(text_of(element).split()) >= _SENTENCE
    return False

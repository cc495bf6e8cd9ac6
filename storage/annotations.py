"""What people say of what is held: tags, notes, collections. `annotations/<yyyy>/<mm>/<id>.json`, written once each.

None is ever changed or removed: a later one takes back what an earlier one said. What holds follows from all of them
together, so that any machine comes to the same from the store alone. The tags of a crawl stand in its report; its
annotation names that.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self, get_args

from storage.errors import Corrupt, UsageError
from storage.json_fields import as_text_or_none
from storage.removals import new_id
from storage.urls import Match, parse_moment, parse_timestamp, surt, surt_ranges, timestamp14

FOLDER = "annotations/"
KEY = re.compile(r"annotations/\d{4}/\d\d/(\d{20}-[0-9a-f]{8})\.json")

#: Characters of a tag, of a collection's title, and of a note or description.
TAG_MAX, TITLE_MAX, TEXT_MAX = 64, 200, 10_000

Kind = Literal["tag", "crawl", "note", "unnote", "collection"]

_REPORT = re.compile(r"crawls/\d{4}/\d\d/\d\d/[0-9a-z]+\.json")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Annotation:
    """One thing that was said; which fields it has follows from its kind."""

    #: When it was said, to the microsecond, and eight hexadecimal digits: later ones sort behind.
    id: str
    kind: Kind
    by: str
    moment: datetime
    #: "tag", "note": of what, as it was given, in the form of `storage.urls.normalize`; a host has no scheme.
    url: str | None = None
    match: Match = "exact"
    #: Only the captures of these seconds; without, all of the address, those that come later too.
    times: tuple[datetime, ...] = ()
    #: "tag": what it has from now on, and no longer has.
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    #: "crawl": key of the report whose outcomes have tags.
    report: str | None = None
    #: "note": what it says. "unnote": id of the note that is taken back.
    text: str | None = None
    of: str | None = None
    #: "collection": the tag, and what it is called and about.
    tag: str | None = None
    title: str | None = None
    description: str | None = None

    @property
    def key(self) -> str:
        return f"{FOLDER}{self.id[:4]}/{self.id[4:6]}/{self.id}.json"

    @property
    def subject(self) -> str:
        """What it is looked up by: a note's SURT, the id of the note taken back, the tag of a collection."""
        match self.kind:
            case "note":
                return surt(self.url or "")
            case "unnote":
                return self.of or ""
            case "collection":
                return self.tag or ""
            case _:
                return ""

    def to_json(self) -> bytes:
        fields = {
            **asdict(self),
            "match": self.match if self.url is not None else None,
            "moment": self.moment.isoformat(timespec="microseconds"),
            "times": [timestamp14(time) for time in self.times],
        }
        said = {name: value for name, value in fields.items() if value not in (None, (), [])}
        return json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], key: str) -> Self:
        """Raises `Corrupt`."""
        try:
            made = cls(
                id=str(fields["id"]),
                kind=fields["kind"],
                by=str(fields["by"]),
                moment=parse_moment(fields["moment"]),
                match=fields.get("match", "exact"),
                times=tuple(parse_timestamp(str(time)) for time in fields.get("times", ())),
                add=tuple(parse_tag(tag) for tag in fields.get("add", ())),
                remove=tuple(parse_tag(tag) for tag in fields.get("remove", ())),
                **{name: as_text_or_none(fields.get(name)) for name in _TEXTS},
            )
            if made.kind not in get_args(Kind) or made.match not in get_args(Match) or made.key != key:
                raise ValueError("it is of no kind that is known, or belongs under another key")
            _check(made)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, UsageError) as error:
            raise Corrupt(f"{key}: not an annotation as this version writes it ({error})") from error
        return made


_TEXTS = ("url", "report", "text", "of", "tag", "title", "description")


@dataclass(frozen=True, slots=True)
class Place:
    """A tag given to a range of captures, or taken from it; of two for one capture the larger `mark` holds."""

    tag: str
    #: A SURT; or the half-open range of them that begins there.
    first: str
    end: str | None
    #: Of the captures, both included; `None` for no bound.
    low: datetime | None
    high: datetime | None
    #: Microseconds since 1970, doubled; odd where the tag is given.
    mark: int


@dataclass(frozen=True, slots=True)
class TaggedOutcome:
    """An outcome of a crawl with tags: the addresses that led to a capture, and its time."""

    urls: tuple[str, ...]
    timestamp: datetime
    tags: tuple[str, ...]
    #: Time of the first capture that they are given to, where an earlier one has the same content.
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """A tag that has a title, a description or both."""

    tag: str
    title: str | None = None
    description: str | None = None


def parse_tag(text: object) -> str:
    """Return a tag in its form: NFC, small letters. Raises `UsageError`, with one that would do where there is one."""
    if not isinstance(text, str):
        raise UsageError(f"{text!r:.80} is no tag: a tag is text")
    tag = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).strip().lower())
    if not tag:
        raise UsageError("a tag is empty")
    if len(tag) > TAG_MAX:
        raise UsageError(f"{tag[:20]!r}… is no tag: it has {len(tag):,} characters, and {TAG_MAX} are the most")
    if _is_tag(tag):
        return tag
    near = re.sub(r"[^\w.-]+", "-", tag).strip("-._")
    meant = f"; did you mean {near}?" if near and _is_tag(near) else ""
    raise UsageError(f"{text!r:.80} is no tag: letters, digits and . _ - within them{meant}")


def parse_tags(texts: Iterable[object]) -> tuple[str, ...]:
    """Return several tags, each once, in their order. Raises `UsageError`."""
    return tuple(dict.fromkeys(map(parse_tag, texts)))


def _is_tag(tag: str) -> bool:
    # Marks are part of letters in Indic scripts; `\w` lacks them.
    whole = all(char in "._-" or unicodedata.category(char)[0] in "LMN" for char in tag)
    return whole and unicodedata.category(tag[0])[0] in "LN" and tag[-1] not in "._-"


def tagged(
    url: str,
    match: Match,
    by: str,
    *,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    times: Iterable[datetime] = (),
) -> Annotation:
    """Return what gives tags to a URL, prefix, host or domain, and takes some from it. Raises `UsageError`."""
    made = _new("tag", by)
    return _checked(
        replace(made, url=url, match=match, add=parse_tags(add), remove=parse_tags(remove), times=_whole_seconds(times))
    )


def noted(url: str, text: str, by: str, *, times: Iterable[datetime] = ()) -> Annotation:
    """Return a note on an address, or on some of its captures. Raises `UsageError`."""
    return _checked(replace(_new("note", by), url=url, text=text.strip(), times=_whole_seconds(times)))


def unnoted(note: Annotation, by: str) -> Annotation:
    """Return what takes a note back."""
    return replace(_new("unnote", by), of=note.id)


def described(tag: str, by: str, *, title: str | None = None, description: str | None = None) -> Annotation:
    """Return what a collection is called and about. Raises `UsageError`."""
    return _checked(replace(_new("collection", by), tag=parse_tag(tag), title=title, description=description))


def of_crawl(report: str, crawl: str, moment: datetime) -> Annotation:
    """Return what says that a crawl report has tags; the same again for the same crawl."""
    digits = f"{timestamp14(moment)}{moment.microsecond:06}"
    return Annotation(f"{digits}-{crawl[:8]}", "crawl", "crawl", moment, report=report)


def places(annotation: Annotation, outcomes: Iterable[TaggedOutcome] = ()) -> Iterator[Place]:
    """Yield what follows for captures; `outcomes` are those of the report that it names."""
    mark = (annotation.moment - _EPOCH) // timedelta(microseconds=1) * 2
    if annotation.kind == "crawl":
        for outcome in outcomes:
            for key in dict.fromkeys(map(surt, outcome.urls)):
                # The hops of a redirect were captured before what it led to.
                low = min(outcome.since or outcome.timestamp, outcome.timestamp - _HOPS)
                for tag in outcome.tags:
                    yield Place(tag, key, None, low, outcome.timestamp, mark + 1)
    if annotation.kind != "tag" or annotation.url is None:
        return
    given = [*((tag, mark + 1) for tag in annotation.add), *((tag, mark) for tag in annotation.remove)]
    for first, end in surt_ranges(annotation.url, annotation.match):
        last = None if annotation.match == "exact" else end
        for time in annotation.times or (None,):
            for tag, each in given:
                yield Place(tag, first, last, time, time, each)


#: How long before a page the redirects to it may have been captured.
_HOPS = timedelta(minutes=10)


def _new(kind: Kind, by: str) -> Annotation:
    moment = datetime.now(UTC)
    return Annotation(new_id(moment), kind, by, moment)


def _whole_seconds(times: Iterable[datetime]) -> tuple[datetime, ...]:
    return tuple(sorted({time.replace(microsecond=0) for time in times}))


def _checked(annotation: Annotation) -> Annotation:
    _check(annotation)
    return annotation


def _check(annotation: Annotation) -> None:
    """Raise `UsageError` where it does not say what its kind says."""
    if annotation.kind in ("tag", "note") and not annotation.url:
        raise UsageError("it is about no address")
    match annotation.kind:
        case "tag":
            assert surt_ranges(annotation.url or "", annotation.match)
            if not annotation.add and not annotation.remove:
                raise UsageError("no tag is given: --add NAME, --remove NAME")
            if both := set(annotation.add) & set(annotation.remove):
                raise UsageError(f"{min(both)} cannot be both added and removed")
        case "note":
            surt(annotation.url or "")
            _check_text("a note", annotation.text or "", TEXT_MAX)
        case "collection":
            parse_tag(annotation.tag)
            if annotation.title is not None:
                _check_text("a title", annotation.title, TITLE_MAX, may_be_empty=True)
            if annotation.description is not None:
                _check_text("a description", annotation.description, TEXT_MAX, may_be_empty=True)
        case "unnote" if not annotation.of:
            raise UsageError("it takes nothing back")
        case "crawl" if not _REPORT.fullmatch(annotation.report or ""):
            raise UsageError("it names no crawl report")


def _check_text(what: str, text: str, most: int, *, may_be_empty: bool = False) -> None:
    if not may_be_empty and not text.strip():
        raise UsageError(f"{what} is empty")
    if len(text) > most:
        raise UsageError(f"{what} has {len(text):,} characters; {most:,} are the most")

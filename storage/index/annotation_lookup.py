"""What people said, out of the index: tags with their counts, of a capture or an article; notes; collections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, and_, bindparam, exists, func, or_, select

from storage.annotations import Annotation, Collection
from storage.index import tagging
from storage.index.hiding import is_visible
from storage.index.queries import CompiledQuery, Lookup
from storage.index.rows import seconds
from storage.index.schema import articles as _articles
from storage.index.schema import captures as _captures
from storage.index.schema import said as _said
from storage.index.schema import tagged as _tagged
from storage.urls import surt

_n, _t = _said.c, _tagged.c


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag or collection, and how much of what is held has it."""

    tag: str
    captures: int
    #: Addresses (SURTs) of the captures.
    addresses: int
    articles: int
    title: str | None = None
    description: str | None = None


_surt: BindParameter[str] = bindparam("surt", unique=False)
_time: BindParameter[int] = bindparam("timestamp", unique=False)
_MARKS = CompiledQuery(
    select(_t.tag, _t.mark).where(
        or_(and_(_t.first == _surt, _t.end.is_(None)), tagging.is_range_with(_surt)),
        _t.low <= _time,
        _t.high >= _time,
    )
)
#: The first tag behind another: the index is asked once a tag.
_NEXT = CompiledQuery(select(func.min(_t.tag)).where(_t.tag > bindparam("last", unique=False)))
_chosen = (
    _captures.c.surt.in_(tagging.candidates(_captures, "surt")),
    tagging.has_tag(_captures),
    is_visible(_captures),
)
_CAPTURES = CompiledQuery(
    select(func.count(), func.count(_captures.c.surt.distinct())).select_from(_captures).where(*_chosen)
)
_ARTICLES = CompiledQuery(
    select(func.count())
    .select_from(_articles)
    .where(_articles.c.id.in_(tagging.candidates(_articles, "id")), tagging.has_tag(_articles), is_visible(_articles))
)
_SAID = CompiledQuery(
    select(_n.key, _n.fields)
    .where(_n.kind == bindparam("kind", unique=False), _n.subject == bindparam("subject", unique=False))
    .order_by(_n.key)
)
_COLLECTIONS = CompiledQuery(select(_n.key, _n.fields).where(_n.kind == "collection").order_by(_n.key))
_COUNT = CompiledQuery(select(func.count()).select_from(_said))
_other = _said.alias("other")
_taken_back = exists().where(_other.c.kind == "unnote", _n.key.endswith(_other.c.subject.concat(".json")))
_NOTES = CompiledQuery(
    select(_n.key, _n.fields).where(_n.kind == "note", _n.subject == _surt, ~_taken_back).order_by(_n.key)
)


class AnnotationLookup(Lookup):
    """See `storage.index.index.Index`, which is one."""

    def tags_of(self, url: str, timestamp: datetime) -> tuple[str, ...]:
        """Return the tags, by name, of what was captured of a URL at a second."""
        rows = self._fetch(_MARKS, surt=surt(url), timestamp=seconds(timestamp))
        return tuple(tagging.last_words((tag, mark) for tag, mark in rows))

    def annotation_count(self) -> int:
        """Return what is another number whenever something was said."""
        return int(self._fetch(_COUNT)[0][0])

    def tags(self) -> list[TagCount]:
        """Return the tags that something has, and all collections, by name. Reads all that is tagged."""
        about = {each.tag: each for each in self.collections()}
        given, last = set(about), ""
        while (found := self._fetch(_NEXT, last=last)[0][0]) is not None:
            last = found
            given.add(found)
        counted = (self.tag(tag, about.get(tag)) for tag in sorted(given))
        return [each for each in counted if each.captures or each.tag in about]

    def tag(self, tag: str, about: Collection | None = None) -> TagCount:
        """Return what has a tag, counted; `about`: what is known of its collection, which is looked up without."""
        about = about or self.collection(tag)
        captures, addresses = self._fetch(_CAPTURES, tag=tag)[0]
        articles = int(self._fetch(_ARTICLES, tag=tag)[0][0])
        return TagCount(tag, int(captures), int(addresses), articles, about.title, about.description)

    def collection(self, tag: str) -> Collection:
        """Return what a tag is called and about; fields are `None` where nobody said."""
        said = Collection(tag)
        for key, fields in self._fetch(_SAID, kind="collection", subject=tag):
            said = _with(said, tagging.read(key, fields))
        return said

    def collections(self) -> list[Collection]:
        """Return the tags that have a title or description, by name."""
        found: dict[str, Collection] = {}
        for key, fields in self._fetch(_COLLECTIONS):
            said = tagging.read(key, fields)
            tag = said.tag or ""
            found[tag] = _with(found.get(tag, Collection(tag)), said)
        return [found[tag] for tag in sorted(found) if found[tag].title or found[tag].description]

    def notes(self, url: str, timestamp: datetime | None = None) -> list[Annotation]:
        """Return the notes on a URL that were not taken back, in order of time.

        With a time those on all of the address, and those on what was captured in that second.
        """
        found = [tagging.read(key, fields) for key, fields in self._fetch(_NOTES, surt=surt(url))]
        if timestamp is None:
            return found
        return [each for each in found if not each.times or seconds(timestamp) in map(seconds, each.times)]


def _with(before: Collection, said: Annotation) -> Collection:
    """What is said later counts; an empty text takes back."""
    title = before.title if said.title is None else said.title or None
    description = before.description if said.description is None else said.description or None
    return Collection(before.tag, title, description)

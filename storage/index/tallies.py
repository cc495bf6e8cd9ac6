"""What the index holds, counted by host, day and media type: a read through all of it, host by host.

About 1.5 s of processor time for a million captures, so that who asks often keeps the answer until `stamp` changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import bindparam, case, func, select, text

from storage.errors import InvalidURL
from storage.index.hiding import is_visible
from storage.index.queries import HIDDEN, CompiledQuery, Lookup
from storage.index.rows import unpack_url
from storage.index.schema import VERSION
from storage.index.schema import articles as _articles
from storage.index.schema import captures as _captures
from storage.index.schema import warcs as _warcs
from storage.urls import site_of

_c, _w, _a = _captures.c, _warcs.c, _articles.c
_REVISIT = "warc/revisit"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date()


@dataclass(frozen=True, slots=True)
class CaptureTally:
    """Captures of one day in UTC and one media type; `bytes` of their WARC records."""

    day: date
    mime: str | None
    captures: int
    bytes: int


@dataclass(frozen=True, slots=True)
class HostTally:
    """What is held of one host."""

    #: As `storage.urls.site_of` has it; several ports of a host are told one after the other.
    site: str
    captures: tuple[CaptureTally, ...]
    #: Day of its first capture -> addresses (SURTs).
    addresses: tuple[tuple[date, int], ...]
    #: Bytes that its revisits would take as further copies of what they repeat.
    saved: int


@dataclass(frozen=True, slots=True)
class ArticleTally:
    """Articles of a site, captured on one day in UTC."""

    site: str
    day: date
    articles: int


_day = (_c.timestamp // 86_400).label("day")
_of_host = (_c.surt >= bindparam("first"), _c.surt < bindparam("end"), is_visible(_captures))
#: The first capture of the host behind a SURT.
_NEXT = CompiledQuery(
    select(_c.surt, _c.url).where(_c.surt > bindparam("last"), is_visible(_captures)).order_by(_c.surt).limit(1)
)
_CAPTURES = CompiledQuery(
    select(_day, _c.mime, func.count(), func.sum(_c.length)).where(*_of_host).group_by(text("day"), _c.mime)
)
_first = select((func.min(_c.timestamp) // 86_400).label("day")).where(*_of_host).group_by(_c.surt).subquery()
_ADDRESSES = CompiledQuery(select(_first.c.day, func.count()).group_by(_first.c.day))
_is_revisit = _c.mime == _REVISIT
_repeated = (
    select(
        func.sum(case((_is_revisit, 1), else_=0)).label("times"),
        func.sum(case((_is_revisit, _c.length), else_=0)).label("taken"),
        func.max(case((_is_revisit, None), else_=_c.length)).label("original"),
    )
    .where(*_of_host)
    .group_by(_c.surt, _c.digest)
    .subquery()
)
_SAVED = CompiledQuery(
    select(func.sum(_repeated.c.times * _repeated.c.original - _repeated.c.taken)).where(
        _repeated.c.times > 0, _repeated.c.original.is_not(None)
    )
)
_ARTICLES = CompiledQuery(
    select(_a.site, (_a.timestamp // 86_400).label("day"), func.count())
    .where(is_visible(_articles))
    .group_by(_a.site, text("day"))
)
_STAMP = CompiledQuery(
    select(func.count(), func.max(_w.id), func.sum(_w.size), func.sum(_w.captures), func.sum(_w.articles))
)
_TEXT_BYTES = CompiledQuery(select(func.sum(_a.part_length)))


class TallyLookup(Lookup):
    """See `storage.index.index.Index`, which is one."""

    def stamp(self) -> str:
        """Return what stays the same as long as no WARC is entered, replaced or removed, nor one hidden or shown."""
        return "-".join(str(each or 0) for each in (VERSION, *self._fetch(_STAMP)[0], *self._fetch(HIDDEN)[0]))

    def host_tallies(self) -> Iterator[HostTally]:
        """Yield every host with captures, in the order of the SURTs."""
        last = ""
        while rows := self._fetch(_NEXT, last=last):
            key, url = rows[0]
            host, bracket, _ = key.partition(")")
            # "*" follows ")"; a key without one is that of an address that SURT cannot express.
            first, end = (f"{host})", f"{host}*") if bracket else (key, f"{key}\0")
            captures = self._fetch(_CAPTURES, first=first, end=end)
            yield HostTally(
                _site(unpack_url(url, key)),
                tuple(CaptureTally(_date(day), mime, count, int(size)) for day, mime, count, size in captures),
                tuple((_date(day), count) for day, count in self._fetch(_ADDRESSES, first=first, end=end)),
                max(0, int(self._fetch(_SAVED, first=first, end=end)[0][0] or 0)),
            )
            # Keys are ASCII.
            last = f"{host})\x7f" if bracket else key

    def article_tallies(self) -> Iterator[ArticleTally]:
        """Yield the articles of each site and day."""
        for site, day, count in self._fetch(_ARTICLES):
            yield ArticleTally(site, _date(day), count)

    def text_bytes(self) -> int:
        """Return the bytes of all articles' lines in the text parts."""
        return int(self._fetch(_TEXT_BYTES)[0][0] or 0)


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def _site(url: str) -> str:
    try:
        return site_of(url)
    except InvalidURL:
        return url

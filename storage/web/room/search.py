"""Search, and the list of all articles: by words where there is full-text search, by site, dates and the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from storage.archive import Archive
from storage.errors import InvalidURL, NewskeepError
from storage.index import ArticleEntry
from storage.urls import timestamp14
from storage.web.addresses import archived_url
from storage.web.api.cursor import article_cursor, parse_article_cursor
from storage.web.params import Params
from storage.web.room.links import Links
from storage.web.room.pages import archive_of, show

#: Results on a page, and articles that are read to find those of an author: the index does not know authors.
SIZE, READ = 25, 200


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for; empty is everything."""

    words: str | None
    site: str | None
    since: datetime | None
    until: datetime | None
    language: str | None
    author: str | None
    after: str | None

    @classmethod
    def of(cls, request: Request) -> Question:
        """Read the parameters. Raises `UsageError`."""
        params = Params(request)
        return cls(
            words=_clean(params.text("q", most=1_000)),
            site=_clean(params.text("site", most=300)),
            since=params.time("from", pad="start"),
            until=params.time("to", pad="end"),
            language=_clean(params.text("language", most=35)),
            author=_clean(params.text("author", most=200)),
            after=params.text("after", most=100),
        )

    @property
    def asked(self) -> dict[str, str]:
        """The same as parameters, for a form and the next page."""
        given = {
            "q": self.words,
            "site": self.site,
            "from": _day(self.since),
            "to": _day(self.until),
            "language": self.language,
            "author": self.author,
        }
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text, and whether it is what was searched for."""

    text: str
    hit: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that was found; its title and a passage of its text in pieces, where there are any to show."""

    entry: ArticleEntry
    title: tuple[Piece, ...] = ()
    passage: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """One page of results; `after` leads to the next one."""

    hits: list[Hit]
    after: str | None
    #: Articles that were read and were by somebody else, so that a page may be short.
    passed: int = 0


def page(request: Request) -> Response:
    question = Question.of(request)
    if address := _address(question.words):
        return RedirectResponse(Links(request).captures(address), 303)
    archive = archive_of(request)
    found = find(archive, question)
    following = Links(request).search(**question.asked, after=found.after) if found.after else None
    return show(
        request,
        "search.html",
        question=question,
        searchable=hasattr(archive, "search"),
        found=found,
        following=following,
        read=READ,
    )


def find(archive: Archive, question: Question) -> Found:
    """Return one page of articles, the newest first."""
    search: Callable[..., Iterable[Any]] | None = getattr(archive, "search", None)
    if question.words is None:
        return _listed(archive, question)
    if search is None:
        return Found([], None)
    last = parse_article_cursor(question.after) if question.after else None
    found = search(
        question.words,
        site=question.site,
        since=question.since,
        until=question.until,
        language=question.language,
        author=question.author,
        before=last,
    )
    hits = [_hit(each) for each in islice(found, SIZE + 1)]
    return Found(hits[:SIZE], article_cursor(hits[SIZE - 1].entry) if len(hits) > SIZE else None)


def _hit(found: Any) -> Hit:
    """What a search gave: an entry, or one with its title and a passage in pieces of (text, whether it was found)."""
    entry = found if isinstance(found, ArticleEntry) else found.entry
    title, passage = (getattr(found, name, None) or () for name in ("title_pieces", "passage"))
    return Hit(entry, _pieces(title), _pieces(passage))


def _pieces(given: Sequence[Any]) -> tuple[Piece, ...]:
    return tuple(Piece(*each) if isinstance(each, tuple) else Piece(each.text, each.hit) for each in given)


def _listed(archive: Archive, question: Question) -> Found:
    entries = archive.index.articles(
        site=question.site,
        language=question.language,
        since=question.since,
        until=question.until,
        after=parse_article_cursor(question.after) if question.after else None,
        limit=SIZE + 1 if question.author is None else READ,
    )
    if question.author is None:
        listed = list(entries)
        return Found([Hit(each) for each in listed[:SIZE]], article_cursor(listed[SIZE - 1]) if listed[SIZE:] else None)
    return _by(archive, question.author, entries)


def _by(archive: Archive, author: str, entries: Iterator[ArticleEntry]) -> Found:
    hits: list[Hit] = []
    passed, last = 0, None
    for entry in entries:
        last = entry
        if is_by(archive, entry, author):
            hits.append(Hit(entry))
            if len(hits) == SIZE:
                break
        else:
            passed += 1
    more = last is not None and (len(hits) == SIZE or len(hits) + passed == READ)
    return Found(hits, article_cursor(last) if more and last else None, passed)


def is_by(archive: Archive, entry: ArticleEntry, author: str) -> bool:
    """Whether a part of an author's name is in the article's authors."""
    try:
        article = archive.read_article(entry)
    except NewskeepError:
        # One that cannot be read must not hide the others.
        return False
    return any(author.casefold() in name.casefold() for name in article.authors)


def _address(words: str | None) -> str | None:
    """The URL that somebody put where words go."""
    if words is None or not words.lower().startswith(("http://", "https://")) or " " in words:
        return None
    try:
        return archived_url(words)
    except InvalidURL:
        return None


def _clean(text: str | None) -> str | None:
    return (text.strip() or None) if text else None


def _day(moment: datetime | None) -> str | None:
    """A day as form fields take it; a moment inside a day keeps its digits."""
    if moment is None:
        return None
    is_whole = (moment.hour, moment.minute, moment.second) in ((0, 0, 0), (23, 59, 59))
    return f"{moment:%Y-%m-%d}" if is_whole else timestamp14(moment)

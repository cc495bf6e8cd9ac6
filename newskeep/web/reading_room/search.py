"""Search, and the list of all articles: by words, site, dates, language, author and tag."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from newskeep.site_hosts import parse_words
from newskeep.web.addresses import archived_url
from newskeep.web.api.cursor import article_cursor, parse_article_cursor
from newskeep.web.options import ServeOptions
from newskeep.web.params import Params
from newskeep.web.reading_room.common import archive_of, show
from newskeep.web.reading_room.links import Links
from newskeep.web.withheld import is_withheld
from storage.archive import Archive
from storage.errors import InvalidURL, UsageError
from storage.index import ORDERS, ArticleEntry, Filters, Hit, SearchOrder, Total
from storage.index.query_parser import SearchQuery
from storage.urls import timestamp14

#: Results on a page, and articles that are read to find those of an author where no words are searched for.
SIZE, READ = 25, 200


@dataclass(frozen=True, slots=True)
class SearchForm:
    """What is asked for; empty is everything."""

    words: str | None
    site: str | None
    since: datetime | None
    until: datetime | None
    language: str | None
    author: str | None
    tag: str | None
    order: SearchOrder
    after: str | None
    #: What the words mean; `None` without words, and where they are no query, with the reason.
    wanted: SearchQuery | None = None
    problem: str | None = None
    #: The host that `site` stands for, which may be a name.
    host: str | None = None

    @classmethod
    def of(cls, request: Request) -> SearchForm:
        """Read the parameters. Raises `UsageError`, but not for words that are no query."""
        params = Params(request)
        words = _clean(params.text("q", most=1_000))
        wanted, problem = _parsed(request, words)
        return cls(
            words=words,
            site=_clean(params.text("site", most=300)),
            since=params.time("from", pad="start"),
            until=params.time("to", pad="end"),
            language=_clean(params.text("language", most=35)),
            author=_clean(params.text("author", most=200)),
            tag=params.tag(),
            order=params.choice("order", ORDERS) or "date",
            after=params.text("after", most=100),
            wanted=wanted,
            problem=problem,
            host=params.site(),
        )

    @property
    def filters(self) -> Filters:
        return Filters(self.host, self.language, self.author, self.tag, self.since, self.until)

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
            "tag": self.tag,
            "order": "" if self.order == "date" else self.order,
        }
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class Highlight:
    """A run of text, and whether it is what was searched for."""

    text: str
    hit: bool


@dataclass(frozen=True, slots=True)
class ResultLine:
    """An article in the list; of one that was found by words, its title and a passage of its text, in pieces."""

    entry: ArticleEntry
    title: tuple[Highlight, ...] = ()
    passage: tuple[Highlight, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """One page of results; `after` leads to the next one."""

    lines: list[ResultLine]
    after: str | None
    #: Articles that were read and were by somebody else, so that a page may be short.
    passed: int = 0
    #: Of a search for words.
    total: Total | None = None


def page(request: Request) -> Response:
    question = SearchForm.of(request)
    if address := _address(question.words):
        return RedirectResponse(Links(request).captures(address), 303)
    archive = archive_of(request)
    found = Found([], None)
    if question.problem is None:
        found = find(archive, question, lambda entry: is_withheld(request, entry))
        if question.wanted:
            found = replace(found, total=archive.index.total(question.wanted, question.filters))
    following = Links(request).search(**question.asked, after=found.after) if found.after else None
    return show(
        request,
        "search.html",
        400 if question.problem else 200,
        question=question,
        collection=None if question.tag is None else archive.index.collection(question.tag),
        found=found,
        following=following,
        feed=Links(request).search_feed(**question.asked),
    )


def find(archive: Archive, question: SearchForm, withheld: Callable[[ArticleEntry], bool]) -> Found:
    """Return one page of articles, in the order asked for; no passage of what is `withheld`.

    Raises `UsageError` for words that are no query.
    """
    if question.problem is not None:
        raise UsageError(question.problem)
    if question.wanted is None:
        return _listed(archive, question)
    found = archive.search(
        question.wanted,
        **asdict(question.filters),
        order=question.order,
        before=_key(question.after),
        limit=SIZE + 1,
    )
    hits = list(found)
    lines = [_line(hit, withheld(hit.article)) for hit in hits[:SIZE]]
    return Found(lines, str(hits[SIZE - 1].key) if hits[SIZE:] else None)


def _parsed(request: Request, words: str | None) -> tuple[SearchQuery | None, str | None]:
    """What words mean, or why they mean nothing; an address among them is none of these."""
    if words is None or _address(words):
        return None, None
    options: ServeOptions = request.app.state.options
    try:
        return parse_words(options.config, words), None
    except UsageError as error:
        return None, str(error)


def _key(after: str | None) -> int | None:
    if after is None:
        return None
    if not (after.isascii() and after.isdigit() and len(after) < 18):
        raise UsageError("after is not one that was given out here")
    return int(after)


def _line(hit: Hit, withheld: bool) -> ResultLine:
    title = pieces(hit.article.title, hit.title_marks) if hit.article.title else ()
    return ResultLine(hit.article, title, () if withheld else pieces(hit.snippet, hit.marks))


def pieces(text: str, marks: Iterable[tuple[int, int]]) -> tuple[Highlight, ...]:
    """Cut a text at its marks, which are (start, end) in order and do not overlap."""
    found, at = [], 0
    for start, end in marks:
        found += [Highlight(text[at:start], False), Highlight(text[start:end], True)]
        at = end
    return tuple(piece for piece in [*found, Highlight(text[at:], False)] if piece.text)


def _listed(archive: Archive, question: SearchForm) -> Found:
    entries = archive.index.articles(
        site=question.host,
        language=question.language,
        since=question.since,
        until=question.until,
        tag=question.tag,
        after=parse_article_cursor(question.after) if question.after else None,
        limit=SIZE + 1 if question.author is None else READ,
    )
    if question.author is None:
        listed = list(entries)
        return Found(
            [ResultLine(each) for each in listed[:SIZE]], article_cursor(listed[SIZE - 1]) if listed[SIZE:] else None
        )
    return _by(archive, question.author, entries)


def _by(archive: Archive, author: str, entries: Iterator[ArticleEntry]) -> Found:
    lines: list[ResultLine] = []
    passed, last = 0, None
    for entry in entries:
        last = entry
        if archive.is_by(entry, author):
            lines.append(ResultLine(entry))
            if len(lines) == SIZE:
                break
        else:
            passed += 1
    more = last is not None and (len(lines) == SIZE or len(lines) + passed == READ)
    return Found(lines, article_cursor(last) if more and last else None, passed)


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

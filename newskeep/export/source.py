"""Articles out of the store in large pieces: neighbours in a text part are read with one request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, groupby, islice
from typing import Any

from newskeep.export import Selection, Tools, resuming
from newskeep.export.choice import Choice
from storage.archive import Archive
from storage.articles import read_member
from storage.errors import Corrupt, NewskeepError, ObjectMissing, StoreUnavailable
from storage.index import ArticleEntry
from storage.model import Article
from storage.problems import Problem
from storage.urls import parse_timestamp, timestamp14

#: Articles that are read at once; each takes up to some hundred KB of memory.
_AHEAD = 200
#: Bytes between two articles that are read rather than asked for anew, and bytes of one request.
_GAP, _MOST = 64 * 1024, 8 * 1024 * 1024
_SECOND = timedelta(seconds=1)

Read = tuple[ArticleEntry, Article]


def read_articles(archive: Archive, selection: Selection, after: Any, tools: Tools) -> Iterator[Read]:
    """Yield the chosen articles, newest first, from before the second `after` (14 digits) on.

    Each has what its site said of its use behind what the page does. What cannot be read is told as a problem and
    passed over.
    """
    until = selection.until
    if after is not None:
        with resuming():
            until = parse_timestamp(after) - _SECOND
    found = archive.index.articles(
        site=selection.site, language=selection.language, since=selection.since, until=until, tag=selection.tag
    )
    choice = Choice(archive, selection)
    entries = (entry for entry in found if not choice.leaves_out(entry))
    while some := list(islice(entries, _AHEAD)):
        held = _read_together(archive, some)
        for entry in some:
            article = held.get((entry.filename, entry.offset)) or _read_alone(archive, entry, tools)
            if article is not None:
                rights = (*article.rights, *choice.of_site(entry))
                yield entry, replace(article, rights=rights) if rights else article


def by_day(articles: Iterator[Read], most: int) -> Iterator[tuple[str, Iterator[Read]]]:
    """Yield names of files, "<day>-<time of its newest>", each with its articles: one day's, about `most` at most.

    A file ends between two seconds, so that the next begins before its last one. Each must be used up before the next
    is asked for.
    """
    count, file = 0, 0
    last: datetime | None = None

    def file_of(read: Read) -> int:
        nonlocal count, file, last
        moment = read[0].timestamp
        if last is not None and (moment.date() != last.date() or (count >= most and moment != last)):
            count, file = 0, file + 1
        count, last = count + 1, moment
        return file

    for _, of_file in groupby(articles, key=file_of):
        files = iter(of_file)
        first = next(files)
        yield f"{first[0].timestamp:%Y-%m-%d-%H%M%S}", chain([first], files)


def second_of(moment: datetime) -> str:
    return timestamp14(moment)


def _read_together(archive: Archive, entries: list[ArticleEntry]) -> dict[tuple[str, int], Article]:
    """The articles that stand where the index says, by the records that they were made from."""
    found: dict[tuple[str, int], Article] = {}
    for run in _runs(sorted(entries, key=lambda entry: (entry.part, entry.part_offset))):
        start = run[0].part_offset
        length = run[-1].part_offset + run[-1].part_length - start
        try:
            with archive.store.open(run[0].part, start, length) as stream:
                data = stream.read()
        except (ObjectMissing, Corrupt):
            # Moved or made again; each is looked for by itself.
            continue
        for entry in run:
            at = entry.part_offset - start
            try:
                article = read_member(data[at : at + entry.part_length])
            except Corrupt:
                continue
            if article.warc and (article.warc.filename, article.warc.offset) == (entry.filename, entry.offset):
                found[entry.filename, entry.offset] = article
    return found


def _runs(entries: list[ArticleEntry]) -> Iterator[list[ArticleEntry]]:
    run: list[ArticleEntry] = []
    for entry in entries:
        end = run[-1].part_offset + run[-1].part_length if run else 0
        if run and not (
            entry.part == run[0].part
            and entry.part_offset - end <= _GAP
            and entry.part_offset + entry.part_length - run[0].part_offset <= _MOST
        ):
            yield run
            run = []
        run.append(entry)
    if run:
        yield run


def _read_alone(archive: Archive, entry: ArticleEntry, tools: Tools) -> Article | None:
    try:
        return archive.read_article(entry)
    except StoreUnavailable:
        raise
    except NewskeepError as error:
        tools.on_problem(Problem(entry.part, f"the article of {entry.url} is left out: {error}"))
        return None

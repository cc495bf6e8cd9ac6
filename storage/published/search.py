"""Search as one: the words in the database, and those of published months that it has let go.

What is published says where a document stands: URL, second and digest. The database still has its article, and says
whether it is hidden and which tags it has. One whose text the database has is told by that alone; texts may leave it
while it is asked, which it counts: who sees another number asks again.

All is gone through from the newest on. Within a second what the database has comes first, and then what is published,
in the order of its files backwards: so a page goes on behind a document, whoever has its words by then.
"""

from __future__ import annotations

import heapq
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple, TypeVar

from storage.errors import StoreUnavailable
from storage.index import Filters, Hit, Total, releasing
from storage.index.fulltext import FulltextQuery
from storage.index.queries import BATCH
from storage.index.query_nodes import Term
from storage.index.query_parser import SearchQuery
from storage.index.search_statements import PLACE_BITS, Match
from storage.index.text_search import COUNTED, RANKED, TextSearch
from storage.published.month import Month
from storage.published.months import PublishedMonths
from storage.published.released import Released, ReleasedMonths
from storage.published.streams import DATABASE, PUBLISHED, Place, Placed, at_once, merged
from storage.published.texts import Document, Gone, TextsFile

T = TypeVar("T")
#: Articles of a tag that are looked for one by one; where there are more, what has the words is asked for the tag.
_TAGGED = 2_000


_ABOVE = Place(1 << 62, DATABASE)
#: Second -> SURT and digest of documents.
_Tagged = Mapping[int, set[tuple[str, str]]]


class _State(NamedTuple):
    """What of the texts is where; another one whenever some have left the database, or were published again."""

    released: list[Released]
    left: int


class _Changed(Exception):
    """Texts have left the database since it was asked which have."""


class WholeSearch(ReleasedMonths, TextSearch):
    """See `storage.published.whole.WholeIndex`, which is one. Where no texts were let go, it is the database alone."""

    _months: PublishedMonths

    def total(self, wanted: SearchQuery, filters: Filters | None = None) -> Total:
        question = self._question(wanted, filters)
        if question is None or not self.released_texts():
            return super().total(wanted, filters)
        urls, documents = set[str](), set[int]()
        for match in self._matches(question, None, BATCH):
            documents.add(match.number)
            if match.is_visible:
                urls.add(match.surt)
            if len(documents) == COUNTED:
                return Total(len(urls), exact=False)
        return Total(len(urls))

    def _matches(self, question: FulltextQuery, before: int | None, size: int) -> Iterator[Match]:
        place = _ABOVE if before is None else self._place_of(before)
        while True:
            try:
                for at, match in self._behind(question, place, size):
                    yield match
                    place = at
                return
            except Gone as gone:
                self._months.renew(gone)
            except _Changed:
                pass

    def _behind(self, question: FulltextQuery, place: Place, size: int) -> Iterator[Placed]:
        """Yield the documents behind a place, the newest first."""
        state = self._state()
        streams = [(_ABOVE, partial(self._of_database, question, place, size, state))]
        if files := _in_time(self._files(state), question, place):
            tagged = self._ever_tagged(question)
            for file in files:
                bound = Place(file.about.last, PUBLISHED, "\x7f")
                streams.append((bound, partial(self._of_file, question, file, place, size, tagged)))
        yield from merged(streams)

    def _of_database(self, question: FulltextQuery, place: Place, size: int, state: _State) -> Iterator[Placed]:
        cursor = place.number if place.side == DATABASE else place.second << PLACE_BITS
        cursor = question.high if place == _ABOVE else max(0, min(cursor, question.high))
        while True:
            rows = question.words.newest(self._fetch, question.question, question.low, cursor, size)
            # A month is entered before its first text leaves: of one that is not there now, no text had left before.
            if self._state() != state:
                raise _Changed
            yield from ((_in_database(row[0]), Match.of(row)) for row in rows)
            if len(rows) < size:
                return
            cursor = rows[-1][0]

    def _of_file(
        self, question: FulltextQuery, file: TextsFile, place: Place, size: int, tagged: _Tagged | None
    ) -> Iterator[Placed]:
        first, last = file.up_to((question.low >> PLACE_BITS) - 1) + 1, _last(file, question, place)
        if tagged is not None:
            yield from self._placed(question, file, _of_tag(file, question, tagged, first, last))
            return
        while last >= first:
            some = file.newest(question.match, first, last, size)
            yield from self._placed(question, file, some)
            if len(some) < size:
                return
            last = some[-1].id - 1

    def _placed(self, question: FulltextQuery, file: TextsFile, documents: Iterable[Document]) -> Iterator[Placed]:
        """Yield those of the documents of a file that the database knows, in their order, with their articles."""
        found = list(documents)
        for start in range(0, len(found), BATCH):
            some = found[start : start + BATCH]
            places = json.dumps([(each.surt, each.second, each.digest) for each in some])
            rows = self._fetch(question.question.statements.placed, places=places, **question.tags)
            for at, is_held, number, key, is_visible, *article in rows:
                if not is_held:
                    each = some[at]
                    read = partial(self._text, number, file, each)
                    place = Place(each.second, PUBLISHED, each.surt, each.digest)
                    yield place, Match(number, key, bool(is_visible), tuple(article), read)

    def _text(self, number: int, file: TextsFile, document: Document) -> bytes:
        """Return the packed text of a document of the database that is in a file, or by now in another one."""

        def ask(files: list[TextsFile]) -> bytes:
            for other, each in self._published_as(number, files):
                return other.text(each.id)
            raise StoreUnavailable(f"an article of {file.about.key} was moved while it was searched; try again")

        try:
            return file.text(document.id)
        except Gone as gone:
            self._months.renew(gone)
            return self._asked_of_files(ask)

    def _ever_tagged(self, question: FulltextQuery) -> _Tagged | None:
        """The documents that a tag of the question was ever given to; `None` where there is no tag, or are too many."""
        tag = question.tags.get("tag0")
        if tag is None:
            return None
        low, high = question.low >> PLACE_BITS, question.high >> PLACE_BITS
        rows = self._fetch(releasing.TAGGED_DOCUMENTS, tag=tag, low=low, high=high, n=_TAGGED + 1)
        if len(rows) > _TAGGED:
            return None
        found = defaultdict[int, set[tuple[str, str]]](set)
        for key, second, digest in rows:
            found[second].add((key, bytes(digest).hex()))
        return found

    # One document

    def _place_of(self, key: int) -> Place:
        """Where the document stands that is the last of another page."""

        def ask(files: list[TextsFile]) -> Place:
            for _, each in self._published_as(key, files):
                return Place(each.second, PUBLISHED, each.surt, each.digest)
            return _in_database(key)

        return self._asked_of_files(ask)

    def _match(self, question: FulltextQuery, number: int) -> Match | None:
        def ask(files: list[TextsFile]) -> Match | None:
            found = super(WholeSearch, self)._match(question, number)
            published = self._published_as(number, files) if found is None else ()
            holding = ((file, each) for file, each in published if file.holds(question.match, each.id))
            placed = (item for file, each in holding for item in self._placed(question, file, [each]))
            return found or next((match for _, match in placed if match.number == number), None)

        return self._asked_of_files(ask)

    def _holds(self, question: FulltextQuery, number: int) -> bool:
        def ask(files: list[TextsFile]) -> bool:
            return super(WholeSearch, self)._holds(question, number) or any(
                file.holds(question.match, each.id) for file, each in self._published_as(number, files)
            )

        return self._asked_of_files(ask)

    def _is_older(self, question: FulltextQuery, hit: Hit, key: str) -> bool:
        if not self.released_texts():
            return super()._is_older(question, hit, key)
        # Within a second, ids tell the order in the database alone.
        place = self._place_of(hit.key)
        newer = self._newer(question, hit, key, -1)
        return any(self._place_of(number) > place and self._holds(question, number) for number in newer)

    def _published_as(self, number: int, files: list[TextsFile]) -> Iterator[tuple[TextsFile, Document]]:
        """Yield where a document of the database is published whose text it has let go."""
        if not files:
            return
        for key, second, digest, has_text in self._fetch(releasing.DOCUMENT, id=number):
            for file in files:
                if not has_text and file.about.first <= second <= file.about.last:
                    same = (key, bytes(digest).hex())
                    yield from ((file, each) for each in file.of_second(second) if (each.surt, each.digest) == same)

    # The best

    def _candidates(self, question: FulltextQuery) -> list[Match]:
        def ask(files: list[TextsFile]) -> list[Match]:
            found = super(WholeSearch, self)._candidates(question)
            found += self._best_published(question, _in_time(files, question, _ABOVE))
            return sorted(found, key=lambda match: (match.article[2], match.number), reverse=True)

        return self._asked_of_files(ask)

    def _best_published(self, question: FulltextQuery, files: list[TextsFile]) -> list[Match]:
        tagged = self._ever_tagged(question)

        def best(file: TextsFile) -> list[tuple[float, Document, TextsFile]]:
            first, last = file.up_to((question.low >> PLACE_BITS) - 1) + 1, _last(file, question, _ABOVE)
            if tagged is not None:
                return [(0.0, each, file) for each in _of_tag(file, question, tagged, first, last)]
            return [(rank, each, file) for rank, each in file.best(question.match, first, last, RANKED)]

        def read(match: Match) -> Match:
            packed = match.read()
            return match._replace(read=lambda: packed)

        found = [each for some in at_once(best, files) for each in some]
        chosen = defaultdict[TextsFile, list[Document]](list)
        for _, document, file in heapq.nsmallest(RANKED, found, key=lambda each: each[0]):
            chosen[file].append(document)
        placed = [match for file, some in chosen.items() for _, match in self._placed(question, file, some)]
        return at_once(read, placed)

    def _holding(self, question: FulltextQuery, term: Term) -> int:
        def ask(files: list[TextsFile]) -> int:
            found = super(WholeSearch, self)._holding(question, term)
            return found + sum(at_once(lambda file: file.holding(term.match, COUNTED), files))

        return self._asked_of_files(ask)

    # Files

    def published_documents(self, month: Month, generation: int) -> Iterator[Document]:
        """Yield the documents of what is published of a month, also of hidden ones, in order of time."""
        files = self._months.texts(month, generation)
        yield from heapq.merge(*(file.documents() for file in files), key=lambda each: each.second)

    def _files(self, state: _State) -> list[TextsFile]:
        return [file for each in state.released for file in self._months.texts(each.month, each.generation)]

    def _asked_of_files(self, ask: Callable[[list[TextsFile]], T]) -> T:
        """Return what `ask` answers of all files that count, when it has; the database is asked first in it."""
        while True:
            state = self._state()
            try:
                found = ask(self._files(state))
            except Gone as gone:
                self._months.renew(gone)
                continue
            if self._state() == state:
                return found

    def _state(self) -> _State:
        return _State(self.released_texts(), self.texts_left())


def _in_database(number: int) -> Place:
    return Place(number >> PLACE_BITS, DATABASE, number=number)


def _in_time(files: list[TextsFile], question: FulltextQuery, place: Place) -> list[TextsFile]:
    """The files that may have what is behind a place and in the time of a question."""
    low, high = question.low >> PLACE_BITS, min(question.high >> PLACE_BITS, place.second)
    return [file for file in files if low <= file.about.last and file.about.first <= high]


def _last(file: TextsFile, question: FulltextQuery, place: Place) -> int:
    """The id of the last document of a file that is behind a place and in the time of a question."""
    until = (question.high >> PLACE_BITS) - 1
    if place.second > until or place.side == DATABASE:
        return file.up_to(min(place.second, until))
    behind = (each.id for each in file.of_second(place.second) if (each.surt, each.digest) < (place.surt, place.digest))
    return next(behind, file.up_to(place.second - 1))


def _of_tag(file: TextsFile, question: FulltextQuery, tagged: _Tagged, first: int, last: int) -> Iterator[Document]:
    """Yield the documents of a file that may have a tag, and have the words, the last first."""
    for second in sorted(tagged, reverse=True):
        if file.about.first <= second <= file.about.last:
            for each in file.of_second(second):
                is_meant = first <= each.id <= last and (each.surt, each.digest) in tagged[second]
                if is_meant and file.holds(question.match, each.id):
                    yield each

"""Articles by their words: the newest first, or the best; how many; and whether one article is among them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from storage.index import ArticleEntry, Filters, Hit, SearchOrder, Total, fulltext
from storage.index.fulltext import FulltextQuery
from storage.index.indexed_text import IndexedText
from storage.index.queries import BATCH, Lookup
from storage.index.query_nodes import Term
from storage.index.query_parser import SearchQuery
from storage.index.ranking import Words, scores
from storage.index.rows import seconds
from storage.index.search_statements import Match
from storage.index.tokenizer import tokens

# Rows that a search fetches at least: some are older captures of what it has shown.
FEW = 50
#: Articles that are put in order of relevance: who wants the thousandth best adds a word.
RANKED = 400
#: Articles that are counted, and that say how rare a word is.
COUNTED = 10_000
# Captures of a URL that are looked at for a newer one that has the words.
_CAPTURES = 1_000


class TextSearch(Lookup):
    """See `storage.index.index.Index`, which is one."""

    def search(
        self,
        wanted: SearchQuery,
        filters: Filters | None = None,
        *,
        order: SearchOrder = "date",
        before: int | None = None,
        limit: int | None = None,
    ) -> Iterator[Hit]:
        """Yield what has what is wanted, each URL once (and those that share its SURT).

        By `date` the newest first; by `relevance` the best `RANKED` (400), of equal ones the newest. `before`, a hit's
        key, goes on behind that hit in the same order. What a compaction moves meanwhile stays where it is.
        """
        question = self._question(wanted, filters)
        if question is not None:
            yield from (self._best if order == "relevance" else self._newest)(question, before, limit)

    def total(self, wanted: SearchQuery, filters: Filters | None = None) -> Total:
        """Return how many articles a search has, each URL once; of more than 10,000 captures at least how many."""
        question = self._question(wanted, filters)
        if question is None:
            return Total(0)
        urls, captures = question.words.how_many(self._fetch, question.question, question.low, question.high, COUNTED)
        return Total(urls, captures < COUNTED)

    def match(self, article: ArticleEntry, wanted: SearchQuery, filters: Filters | None = None) -> Hit | None:
        """Return what a search would show of this one article, `None` where it does not have what is wanted.

        The article comes from this index. One that cannot be searched has nothing, see `unsearched`.
        """
        question = self._question(wanted, filters)
        if question is None:
            return None
        for (number,) in self._fetch(fulltext.DOCUMENT, article=article.id):
            match = self._match(question, number)
            if match is not None and match.is_visible:
                return question.hit(match)
        return None

    def unsearched(self, filename: str | None = None) -> int:
        """Return how many articles, of one WARC or of all, search cannot find yet: an older version entered them."""
        query = fulltext.UNSEARCHED if filename is None else fulltext.UNSEARCHED_OF
        rows = self._fetch(query, filename=filename)
        return int(rows[0][0] or 0) if rows else 0

    def _question(self, wanted: SearchQuery, filters: Filters | None) -> FulltextQuery | None:
        return FulltextQuery.of(wanted, filters or Filters(), self._database.engine.dialect.name)

    def _newest(self, question: FulltextQuery, before: int | None, limit: int | None) -> Iterator[Hit]:
        seen: set[str] = set()
        left = BATCH if limit is None else limit
        if left <= 0:
            return
        for match in self._matches(question, before, min(BATCH, max(left, FEW))):
            if match.surt in seen or not match.is_visible:
                continue
            seen.add(match.surt)
            hit = question.hit(match)
            if before is not None and self._is_older(question, hit, match.surt):
                continue
            yield hit
            if limit is not None:
                left -= 1
                if not left:
                    return

    def _matches(self, question: FulltextQuery, before: int | None, size: int) -> Iterator[Match]:
        """Yield the documents behind a key, the newest first, `size` at a time: also what is not visible."""
        cursor = question.high if before is None else max(0, min(before, question.high))
        while True:
            rows = question.words.newest(self._fetch, question.question, question.low, cursor, size)
            yield from map(Match.of, rows)
            if len(rows) < size:
                return
            cursor = rows[-1][0]

    def _match(self, question: FulltextQuery, number: int) -> Match | None:
        """Return a document, by its id, if it has the words."""
        rows = question.words.newest(self._fetch, question.question, number, number + 1, 1)
        return Match.of(rows[0]) if rows else None

    def _is_older(self, question: FulltextQuery, hit: Hit, key: str) -> bool:
        """Whether a page before this one had a newer article of the URL."""
        return any(self._holds(question, number) for number in self._newer(question, hit, key, hit.key))

    def _newer(self, question: FulltextQuery, hit: Hit, key: str, above: int) -> list[int]:
        """Return the documents of a SURT from the time of a hit on, with larger ids than one."""
        place = {"surt": key, "time": seconds(hit.article.timestamp), "id": above, "before": question.high}
        rows = self._fetch(question.question.statements.newer, **place, **question.tags, n=_CAPTURES)
        return [int(number) for (number,) in rows]

    def _holds(self, question: FulltextQuery, number: int) -> bool:
        """Whether a document, by its id, has the words."""
        return bool(self._fetch(question.question.statements.holds, **question.question.values, id=number))

    def _best(self, question: FulltextQuery, before: int | None, limit: int | None) -> Iterator[Hit]:
        """The key of a hit is its place: the same words of a page further on are put in order again."""
        start = before or 0
        ranked = islice(self._ranked(question), start, None if limit is None else start + limit)
        for place, match in enumerate(ranked, start + 1):
            yield question.hit(match, place)

    def _ranked(self, question: FulltextQuery) -> list[Match]:
        """Return the best documents, the best first, of each URL the newest of them."""
        newest: dict[str, Match] = {}
        for match in self._candidates(question):
            if match.is_visible:
                newest.setdefault(match.surt, match)
        found = list(newest.values())
        terms = question.wanted.terms
        held = {}
        if len(terms) > 1:
            held = {term: self._holding(question, term) for term in terms}
        documents = max(int(self._fetch(fulltext.DOCUMENTS)[0][0] or 0), *held.values(), 0)
        numbers = scores(terms, held, documents, [_words(match.read()) for match in found])
        ordered = sorted(zip(numbers, found, strict=True), key=lambda pair: -pair[0])
        return [match for _, match in ordered[:RANKED]]

    def _candidates(self, question: FulltextQuery) -> list[Match]:
        """Return the documents that are put in order, the newest first."""
        rows = question.words.best(self._fetch, question.question, question.low, question.high, RANKED)
        return sorted(map(Match.of, rows), key=lambda match: -match.number)

    def _holding(self, question: FulltextQuery, term: Term) -> int:
        """Return how many documents have a term, at least of more than `COUNTED`."""
        return int(question.words.holding(self._fetch, term, COUNTED))


def _words(packed: bytes) -> Words:
    document = IndexedText.unpack(packed)
    return Words(tokens(document.title or ""), tokens(document.text))

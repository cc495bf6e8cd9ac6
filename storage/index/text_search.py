"""Articles by their words: the newest first, or the best; how many; and whether one article is among them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from storage.index import ArticleEntry, Filters, Hit, SearchOrder, Total, fulltext
from storage.index.fulltext import FulltextQuery
from storage.index.indexed_text import IndexedText
from storage.index.queries import BATCH, Lookup
from storage.index.query_parser import SearchQuery
from storage.index.ranking import Words, scores
from storage.index.rows import Row, seconds
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
            for row in question.words.newest(self._fetch, question.question, number, number + 1, 1):
                if row[3]:
                    return question.hit(row)
        return None

    def unsearched(self, filename: str | None = None) -> int:
        """Return how many articles, of one WARC or of all, search cannot find yet: an older version entered them."""
        query = fulltext.UNSEARCHED if filename is None else fulltext.UNSEARCHED_OF
        rows = self._fetch(query, filename=filename)
        return int(rows[0][0] or 0) if rows else 0

    def _question(self, wanted: SearchQuery, filters: Filters | None) -> FulltextQuery | None:
        return FulltextQuery.of(wanted, filters or Filters(), self._database.engine.dialect.name)

    def _newest(self, question: FulltextQuery, before: int | None, limit: int | None) -> Iterator[Hit]:
        cursor = question.high if before is None else max(0, min(before, question.high))
        seen: set[str] = set()
        left = BATCH if limit is None else limit
        while left > 0:
            size = min(BATCH, max(left, FEW))
            rows = question.words.newest(self._fetch, question.question, question.low, cursor, size)
            for row in rows:
                number, _, key, is_visible = row[:4]
                cursor = number
                if key in seen or not is_visible:
                    continue
                seen.add(key)
                hit = question.hit(row)
                if before is not None and self._is_older(question, hit, key):
                    continue
                yield hit
                if limit is not None:
                    left -= 1
                    if not left:
                        return
            if len(rows) < size:
                return

    def _is_older(self, question: FulltextQuery, hit: Hit, key: str) -> bool:
        """Whether a page before this one had a newer article of the URL."""
        place = {"surt": key, "time": seconds(hit.article.timestamp), "id": hit.key, "before": question.high}
        newer = self._fetch(question.question.statements.newer, **place, **question.tags, n=_CAPTURES)
        holds = question.question.statements.holds
        return any(self._fetch(holds, **question.question.values, id=row[0]) for row in newer)

    def _best(self, question: FulltextQuery, before: int | None, limit: int | None) -> Iterator[Hit]:
        """The key of a hit is its place: the same words of a page further on are put in order again."""
        start = before or 0
        ranked = islice(self._ranked(question), start, None if limit is None else start + limit)
        for place, row in enumerate(ranked, start + 1):
            yield question.hit(row, place)

    def _ranked(self, question: FulltextQuery) -> list[Row]:
        """Return the best rows, the best first, of each URL the newest of them."""
        rows = question.words.best(self._fetch, question.question, question.low, question.high, RANKED)
        newest: dict[str, Row] = {}
        for row in sorted(rows, key=lambda row: -row[0]):
            if row[3]:
                newest.setdefault(row[2], row)
        found = list(newest.values())
        terms = question.wanted.terms
        held = {}
        if len(terms) > 1:
            held = {term: question.words.holding(self._fetch, term, COUNTED) for term in terms}
        documents = max(int(self._fetch(fulltext.DOCUMENTS)[0][0] or 0), *held.values(), 0)
        numbers = scores(terms, held, documents, [_words(row[1]) for row in found])
        return [row for _, row in sorted(zip(numbers, found, strict=True), key=lambda pair: -pair[0])]


def _words(packed: bytes) -> Words:
    document = IndexedText.unpack(packed)
    return Words(tokens(document.title or ""), tokens(document.text))

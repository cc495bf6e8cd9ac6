"""Articles out of the index: by URL, site, language and time, and by the texts they are like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from heapq import merge
from itertools import chain, groupby, islice

from storage.index import ArticleEntry, Duplicate, SiteDoubt, queries
from storage.index.queries import BATCH, Lookup
from storage.index.rows import article_of, seconds
from storage.model import DOUBTFUL
from storage.text import is_same_title
from storage.urls import equivalent_form, surt

# Articles looked at for each key that a text may share with others: a notice that stands for the text on thousands
# of pages shares its key with all of them.
CANDIDATES = 1_000
# Articles that tell which sites are busy.
RECENT = 5_000


class ArticleLookup(Lookup):
    """See `storage.index.index.Index`, which is one."""

    def article(self, url: str, at: datetime | None = None) -> ArticleEntry | None:
        """Return the article nearest to `at`, or the newest; one of exactly this URL before others of its SURT."""
        key = surt(url)
        time = queries.LAST if at is None else seconds(at)
        for before, after in (
            (queries.ARTICLE_BEFORE_URL, queries.ARTICLE_AFTER_URL),
            (queries.ARTICLE_BEFORE, queries.ARTICLE_AFTER),
        ):
            rows = [row for query in (before, after) for row in self._fetch(query, surt=key, timestamp=time, url=url)]
            if rows:
                return article_of(min(rows, key=lambda row: abs(row[2] - time)))
        return None

    def article_at(self, filename: str, offset: int) -> ArticleEntry | None:
        """Return the article made from a record, given by its WARC and offset."""
        rows = self._fetch(queries.ARTICLE_AT, filename=filename, offset=offset)
        return article_of(rows[0]) if rows else None

    def articles_of(self, filename: str) -> list[ArticleEntry]:
        """Return the articles of a WARC, in the order of their records."""
        return [article_of(row) for row in self._fetch(queries.ARTICLES_OF, filename=filename)]

    def text_size(self, filename: str) -> int:
        """Return how far into its text part the articles of a WARC reach, in bytes."""
        return int(self._fetch(queries.TEXT_SIZE, filename=filename)[0][0] or 0)

    def articles(
        self,
        *,
        site: str | None = None,
        language: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        tag: str | None = None,
        limit: int | None = None,
        after: ArticleEntry | None = None,
    ) -> Iterator[ArticleEntry]:
        """Yield articles, the newest capture first; `since` and `until` included, `language` with its regions.

        `after` goes on behind the last article of another page; it must come from this index.
        """
        low = queries.FIRST if since is None else seconds(since)
        high = queries.LAST if until is None else seconds(until)
        # Newest first, so the larger time is the earlier place.
        cursor = (high, -1)
        if after is not None and seconds(after.timestamp) <= high:
            cursor = _behind(after)
        if language is None or site is not None or tag is not None:
            query = queries.articles(by_site=site is not None, by_language=language is not None, by_tag=tag is not None)
            yield from self._listed(query, cursor, limit, low=low, site=site, language=language, tag=tag)
            return
        # A language and each of its regions out of an index of its own: by time, a rare one would have all others read.
        alone = queries.articles(by_site=False, by_language="alone", by_tag=False)
        ways = [self._listed(alone, cursor, limit, low=low, language=each) for each in self._with_regions(language)]
        yield from islice(merge(*ways, key=lambda entry: (-seconds(entry.timestamp), entry.id)), limit)

    def _listed(
        self, query: queries.CompiledQuery, cursor: tuple[int, int], limit: int | None, **chosen: object
    ) -> Iterator[ArticleEntry]:
        left = limit
        while left is None or left > 0:
            size = BATCH if left is None else min(BATCH, left)
            rows = self._fetch(query, timestamp=cursor[0], id=cursor[1], n=size, **chosen)
            found = [article_of(row) for row in rows]
            yield from found
            if len(found) < size:
                return
            cursor = _behind(found[-1])
            left = None if left is None else left - size

    def _with_regions(self, language: str) -> list[str]:
        """Of the languages that articles have: "pt" and "pt-BR" of "pt"; of "pt-BR" itself alone."""
        held = (each for (each,) in self._fetch(queries.LANGUAGES))
        return [each for each in held if each == language or each.startswith(f"{language}-")]

    def doubtful(
        self,
        below: float = DOUBTFUL,
        *,
        site: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        newest: bool = False,
        limit: int | None = None,
        after: ArticleEntry | None = None,
    ) -> Iterator[ArticleEntry]:
        """Yield the articles whose confidence is lower than `below`, the least sure first, of equal ones the newest.

        With `newest` in order of time alone. Articles without a confidence are none of them. `since` and `until`
        included; `after` goes on behind the last article of another page. With a higher bound than `DOUBTFUL` each
        batch reads all articles.
        """
        query = queries.doubtful(by_site=site is not None, newest=newest, few=below <= DOUBTFUL)
        low = queries.FIRST if since is None else seconds(since)
        high = queries.LAST if until is None else seconds(until)
        cursor = (-1.0, queries.LAST, -1) if after is None else (after.confidence or 0.0, *_behind(after))
        left = limit
        while left is None or left > 0:
            size = BATCH if left is None else min(BATCH, left)
            place = dict(zip(("confidence", "timestamp", "id"), cursor, strict=True))
            found = [
                article_of(row)
                for row in self._fetch(query, below=below, low=low, high=high, site=site, n=size, **place)
            ]
            yield from found
            if len(found) < size:
                return
            cursor = (found[-1].confidence or 0.0, *_behind(found[-1]))
            left = None if left is None else left - size

    def doubt(
        self,
        below: float = DOUBTFUL,
        *,
        site: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[SiteDoubt]:
        """Return, by name, the sites that have articles with a confidence, and how many are lower than `below`.

        `since` and `until` included. Reads all articles of the time.
        """
        low = queries.FIRST if since is None else seconds(since)
        high = queries.LAST if until is None else seconds(until)
        rows = self._fetch(queries.doubt(by_site=site is not None), below=below, low=low, high=high, site=site)
        return [SiteDoubt(name, int(judged), int(doubtful)) for name, judged, doubtful in rows]

    def confidences(self, site: str, since: datetime) -> list[tuple[datetime, float]]:
        """Return when a site's articles were captured since then, and their confidence, the newest first.

        Articles without a confidence are left out.
        """
        rows = self._fetch(queries.CONFIDENCES, site=site, low=seconds(since))
        return [(datetime.fromtimestamp(moment, UTC), confidence) for moment, confidence in rows]

    def sites(self, after: str = "") -> Iterator[str]:
        """Yield the sites that have articles, by name, from behind `after` on."""
        while rows := self._fetch(queries.SITES, last=after, n=queries.BATCH):
            yield from (site for (site,) in rows)
            after = rows[-1][0]

    def busiest_sites(self, since: datetime, limit: int) -> list[tuple[str, int]]:
        """Return the sites with the most of the articles captured since then, of the newest 5,000, and how many."""
        rows = self._fetch(queries.RECENT_SITES, low=seconds(since), n=RECENT)
        found = Counter(site for (site,) in rows)
        return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]

    def articles_a_day(self, since: datetime, site: str | None = None) -> dict[date, int]:
        """Return the number of articles captured on each day in UTC since then; days without any are left out."""
        asked = queries.days(by_site=site is not None)
        counted, hidden = (
            Counter({int(day): int(count) for day, count in self._fetch(query, low=seconds(since), site=site)})
            for query in asked
        )
        return {date(1970, 1, 1) + timedelta(days=day): count for day, count in (counted - hidden).items()}

    def history(self, url: str) -> Iterator[ArticleEntry]:
        """Yield every article of a URL in order of time; of others of its SURT where this one has none.

        Of those, the ones whose URL has other escapes for the same characters go before the rest. Those of one second
        come by the place of their record.
        """
        rows = self._history(queries.HISTORY_URL, url)
        first = next(rows, None)
        if first is None and "%" in url:
            form = equivalent_form(url)
            rows = (entry for entry in self._history(queries.HISTORY, url) if equivalent_form(entry.url) == form)
            first = next(rows, None)
        rows = self._history(queries.HISTORY, url) if first is None else chain([first], rows)
        for _, second in groupby(rows, key=lambda entry: entry.timestamp):
            yield from sorted(second, key=lambda entry: (entry.filename, entry.offset))

    def _history(self, query: queries.CompiledQuery, url: str) -> Iterator[ArticleEntry]:
        key, cursor = surt(url), (queries.FIRST, -1)
        while True:
            rows = self._fetch(query, surt=key, url=url, timestamp=cursor[0], id=cursor[1], n=BATCH)
            entries = [article_of(row) for row in rows]
            yield from entries
            if len(rows) < BATCH:
                return
            cursor = _behind(entries[-1])

    def versions(self, url: str) -> Iterator[ArticleEntry]:
        """Yield of each run of a URL's articles with one text and title the first, in order of time.

        The order in which WARCs were added does not matter. Articles without text are passed over.
        """
        version: ArticleEntry | None = None
        for entry in self.history(url):
            if entry.fingerprint is not None and (version is None or not is_same_version(version, entry)):
                version = entry
                yield version

    def duplicates(self, article: ArticleEntry, limit: int | None = None) -> Iterator[Duplicate]:
        """Yield the articles of other URLs with the same text as this one or nearly the same, newest first.

        One a URL (and those that share its SURT): the most similar, of these the newest. Nine in ten of the texts that
        have .6 in common are found, and all but one in a thousand of those with .8; where more than a thousand share a
        key, only the last entered of them are looked at.
        """
        best: dict[str, Duplicate] = {}
        for found in self._near(article):
            key = surt(found.article.url)
            if key not in best or _rank(found) > _rank(best[key]):
                best[key] = found
        best.pop(surt(article.url), None)
        newest = sorted(best.values(), key=lambda found: (found.article.timestamp, found.article.url), reverse=True)
        yield from newest[:limit]

    def _near(self, article: ArticleEntry) -> Iterator[Duplicate]:
        known = article.fingerprint
        keys = known.keys if known else ()
        numbers = {row[0] for key in keys for row in self._fetch(queries.KEYED, key=key, n=CANDIDATES)}
        for number in numbers:
            for row in self._fetch(queries.ARTICLE, id=number):
                entry = article_of(row)
                if known and entry.fingerprint and known.is_near(entry.fingerprint):
                    exact = known.digest == entry.fingerprint.digest
                    yield Duplicate(entry, exact, known.similarity(entry.fingerprint))


def _behind(article: ArticleEntry) -> tuple[int, int]:
    return seconds(article.timestamp), article.id or 0


def is_same_version(one: ArticleEntry, other: ArticleEntry) -> bool:
    """Whether two captures of an article have the same text, and titles that are not two."""
    assert one.fingerprint is not None and other.fingerprint is not None
    return one.fingerprint.digest == other.fingerprint.digest and is_same_title(one.title, other.title)


def _rank(found: Duplicate) -> tuple[bool, float, datetime, str, int]:
    entry = found.article
    return found.exact, found.similarity, entry.timestamp, entry.filename, entry.offset

"""Articles out of the store: of a memento, or of an index entry, wherever a compaction has moved them meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from storage.articles import read_member, read_part
from storage.errors import Corrupt, NewskeepError, NotArchived, ObjectMissing
from storage.index import ArticleEntry
from storage.index.index import Index
from storage.index.rows import seconds
from storage.index.tokenizer import is_named
from storage.model import Article, Capture
from storage.objects import ObjectStore
from storage.reader import Memento, Reader

#: A browser shows a page, and its AMP or print form is fetched, so soon after its plain answer, though others wait;
#: in seconds.
_AT_ONCE = 30 * 60


class ArticleReader:
    """Reads the articles that mementos and index entries have. `index` opens the index when one must be looked up."""

    def __init__(self, store: ObjectStore, reader: Reader, index: Callable[[], Index]) -> None:
        self._store = store
        self._reader = reader
        self._index = index

    def of(self, memento: Memento) -> Article:
        """Return the article made from a memento. Raises `NotArchived` where none was."""
        entry = self.entry_of(memento)
        if entry is None:
            raise no_text(memento.original.url, memento.capture.wall)
        return self.read(entry)

    def entry_of(self, memento: Memento) -> ArticleEntry | None:
        """Return what the index knows of the article made from a memento; `None` where none was."""
        original = memento.original
        made = self._index().article_at(original.filename, original.offset) or self._moved_article(original)
        return made or self._article_at_once(memento.capture) or self._article_at_once(original)

    def _article_at_once(self, plain: Capture) -> ArticleEntry | None:
        """The article of a page whose plain answer has no text, and that a browser or its twin gave one at once."""
        entry = self._index().article(plain.url, plain.timestamp)
        if entry is None or entry.url != plain.url:
            return None
        # The index knows whole seconds.
        passed = seconds(entry.timestamp) - seconds(plain.timestamp)
        return entry if 0 <= passed <= _AT_ONCE else None

    def read(self, entry: ArticleEntry) -> Article:
        """Return the article of an index entry, though a compaction or `reextract` may have moved it since."""
        if article := self._article_at(entry):
            return article
        now = self._index().article(entry.url, entry.timestamp) or entry
        if article := self._article_at(now):
            return article
        # The part was made again, and its rows are not in the index yet.
        try:
            with self._store.open(now.part) as stream:
                for placed in read_part(stream):
                    if _is_of(placed.article, now):
                        return placed.article
        except Corrupt as error:
            raise Corrupt(
                f"the text in {now.part} cannot be read ({error}); newskeep reextract makes it again"
            ) from error
        raise NotArchived(f"the text of {entry.url} is no longer held as it was; newskeep reindex")

    def is_by(self, entry: ArticleEntry, author: str) -> bool:
        """Whether the words of `author` follow each other in the name of one of an article's authors.

        The index does not know authors of what it lists, so that the article is read.
        """
        try:
            return is_named(author, self.read(entry).authors)
        except NewskeepError:
            # One that cannot be read must not hide the others.
            return False

    def _article_at(self, entry: ArticleEntry) -> Article | None:
        """The article at the place that an entry names, `None` when it is not there."""
        try:
            article = read_member(self._reader.range(entry.part, entry.part_offset, entry.part_length))
        except (ObjectMissing, Corrupt):
            return None
        return article if _is_of(article, entry) else None

    def _moved_article(self, original: Capture) -> ArticleEntry | None:
        now = self._reader.moved(original)
        return None if now is None else self._index().article_at(now.filename, now.offset)


def no_text(url: str, wall: str | None = None) -> NotArchived:
    """The error for a URL without an article; `wall` is what came in the page's place."""
    if wall is not None:
        return NotArchived(f"no text of {url} is held, only what came in its place: {wall}")
    return NotArchived(f"no text of {url} is held; the original is: newskeep get {url}")


def _is_of(article: Article, entry: ArticleEntry) -> bool:
    return article.warc is not None and (article.warc.filename, article.warc.offset) == (entry.filename, entry.offset)

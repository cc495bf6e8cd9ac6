"""What was extracted of a WARC so far, in the spool: `<stem>.articles`, a line a page, appended as the crawl goes on.

A line is a CRC-32 of the rest in eight hexadecimal digits, the form, the offset of the record, the lesson for the site
memory, a tab, and the article line; the last two are empty for a page without an article.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

from crawler.extraction.template.lesson import Lesson
from crawler.session.page_extraction import Extraction
from storage.articles import parse_line
from storage.bounds import ARTICLE_LINE_MAX, read_lines_past
from storage.model import Article

#: Bytes of a line: checksum and lesson are little beside the article.
_LINE_MAX = ARTICLE_LINE_MAX + (1 << 20)
#: Another one, when what stands in a line changes: one of another form is made again.
_FORM = b"3"
#: How a line without an article ends.
_NONE = b"\t\n"


class ExtractedLines:
    """The articles of a WARC on disk, by the offset of their record.

    They are not synced: a line that is not as it was written, and all behind it, count as not there.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        #: Record offset -> where its line starts, and whether it has an article.
        self._lines: dict[int, tuple[int, bool]] = {}
        self._end = 0
        for line in read_lines_past(file, _LINE_MAX):
            if (offset := _offset_of(line)) is None:
                break
            self._lines[offset] = self._end, not line.endswith(_NONE)
            self._end += len(line)

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Self]:
        path.touch()
        with path.open("r+b") as file:
            yield cls(file)

    def __contains__(self, offset: int) -> bool:
        return offset in self._lines

    @property
    def offsets(self) -> Iterable[int]:
        """Of the records that have been extracted."""
        return self._lines.keys()

    def add(self, offset: int, extraction: Extraction) -> None:
        self._file.seek(self._end)
        self._lines[offset] = self._end, extraction.article is not None
        self._end += self._file.write(line_of(offset, extraction))

    def has_article(self, offset: int) -> bool:
        """Whether the record at `offset` has been extracted, and gave an article."""
        return self._lines.get(offset, (0, False))[1]

    def lesson(self, offset: int) -> Lesson:
        """What the site memory learns of the article of the record at `offset`."""
        return Lesson.unpack(self._read(offset)[0])

    def article_line(self, offset: int) -> bytes:
        """The line of the article of the record at `offset`, as its worker wrote it."""
        return self._read(offset)[1]

    def article(self, offset: int) -> Article:
        """That article."""
        return parse_line(self.article_line(offset))

    def _read(self, offset: int) -> tuple[bytes, bytes]:
        self._file.seek(self._lines[offset][0])
        lesson, _, article = self._file.readline().split(b" ", 3)[3].partition(b"\t")
        return lesson, article


def line_of(offset: int, extraction: Extraction) -> bytes:
    """The line of an extraction from the record at `offset`."""
    article = extraction.article
    lesson, written = (article.lesson, article.line) if article else (b"", b"")
    text = b"%b %d %b\t%b" % (_FORM, offset, lesson, written or b"\n")
    return b"%08x %b" % (zlib.crc32(text), text)


def _offset_of(line: bytes) -> int | None:
    """The offset of a line; `None` for one that `line_of` did not write, or not to its end."""
    crc, _, text = line.partition(b" ")
    form, _, rest = text.partition(b" ")
    offset = rest.partition(b" ")[0]
    if not line.endswith(b"\n") or crc != b"%08x" % zlib.crc32(text) or form != _FORM or not offset.isdigit():
        return None
    return int(offset)

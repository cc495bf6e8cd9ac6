"""What is held and not shown to others: pages that say `noarchive`, or whose `unavailable_after` is past.

In a WARC that is also what was taken out of the archive.

Their text and bytes are answered with 451 (RFC 7725) wherever they would be given out, on a server that withholds them,
see `ServeOptions.withholds`. That they are held, and when, and under which title, is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

from starlette.requests import Request

from newskeep.web.options import ServeOptions
from storage.archive import Archive
from storage.errors import NewskeepError, ObjectMissing
from storage.index import ArticleEntry
from storage.model import Article, Capture
from storage.rights.page import noarchive
from storage.rights.signal import is_closed

_WHY = "it says {mark}, and is not shown to others; --noarchive show of `newskeep serve` shows it"
_Hit = TypeVar("_Hit")


class Withheld(NewskeepError):
    """It is held, and this server does not show it."""


def is_withheld(request: Request, held: Capture | ArticleEntry | Article) -> bool:
    options: ServeOptions = request.app.state.options
    return options.withholds and is_closed(held, datetime.now(UTC))


def mind(request: Request, *held: Capture | ArticleEntry | Article) -> None:
    """Raise `Withheld` where one of these must not be shown to who asks."""
    for each in held:
        if is_withheld(request, each):
            mark = "noarchive" if each.noarchive or noarchive(each.rights) else "unavailable_after a time that is past"
            raise Withheld(f"{each.url}: {_WHY.format(mark=mark)}")


def mind_bytes(request: Request, archive: Archive, filename: str, start: int, end: int) -> None:
    """Raise `Withheld` where a range of a WARC has bytes that must not be shown; `ObjectMissing` where nobody knows."""
    options: ServeOptions = request.app.state.options
    index = archive.index
    _, hidden = index.hidden_version()
    if not options.withholds and not hidden:
        return
    if not index.has_warc(filename):
        raise ObjectMissing(f"{filename} is not in the index, so what may be shown of it is not known")
    if hidden and _has_hidden(archive, filename, start, end):
        raise Withheld(f"{filename}: there are pages in these bytes that were taken out of the archive")
    if options.withholds and (
        index.says_noarchive(filename, start, end) or index.has_ended(filename, start, end, datetime.now(UTC))
    ):
        what = "say noarchive, or are past the time of their unavailable_after"
        raise Withheld(f"{filename}: there are pages in these bytes that {what}, and are not shown to others")


def _has_hidden(archive: Archive, filename: str, start: int, end: int) -> bool:
    """Whether a range of a WARC has bytes of what is hidden: of its answer, or of the request that stands behind it."""
    hidden = archive.index.hidden_in(filename, end)
    if not hidden or any(capture.offset + capture.length > start for capture in hidden):
        return bool(hidden)
    # Exchanges stand one behind the other: the range can begin in the last one alone.
    try:
        exchange = archive.reader.exchange(hidden[-1])
    except NewskeepError:
        return True
    return start < hidden[-1].offset + sum(len(member) for _, member in exchange)


def shown(request: Request, found: Iterable[tuple[ArticleEntry, _Hit]]) -> Iterator[tuple[ArticleEntry, _Hit]]:
    """Yield what may be shown, each article with what comes with it."""
    return (pair for pair in found if not is_withheld(request, pair[0]))

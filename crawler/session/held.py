"""Whether the archive holds a page since a time, so that nobody need be asked for it."""

from __future__ import annotations

from datetime import datetime

from storage.archive import Archive
from storage.errors import NewskeepError
from storage.model import Capture, Outcome
from storage.warc import NOT_MODIFIED

_REDIRECTS = (301, 302, 303, 307, 308)


def held_outcome(archive: Archive, given: str, url: str, since: datetime) -> Outcome | None:
    """The outcome of a URL, normalised, whose page was captured whole since then, or that led to one that was.

    `None` where it has to be asked for: nothing is held since, only an error, a wall or half an answer, or it cannot be
    read. Asks the store for redirects and for what has no text.
    """
    captures = [capture for capture in archive.index.captures(url, since=since) if capture.url == url]
    for capture in reversed(captures):
        if capture.wall is None and (page := _page(archive, capture, since)) is not None:
            entry = archive.index.article_at(page.filename, page.offset)
            return Outcome(
                url=given,
                outcome="held",
                reason=f"archived at {page.timestamp:%Y-%m-%d %H:%M:%S} UTC",
                status=capture.status if page is capture else page.status,
                final_url=page.url,
                timestamp=page.timestamp,
                title=entry.title if entry else None,
                words=entry.words if entry else None,
            )
    return None


def _page(archive: Archive, capture: Capture, since: datetime) -> Capture | None:
    """The capture of the page that a capture is or leads to; `None` where there is none that is whole."""
    status = capture.status or 0
    if 200 <= status < 300 or (status == NOT_MODIFIED and capture.is_revisit):
        return capture if _is_whole(archive, capture) else None
    if status not in _REDIRECTS:
        return None
    try:
        memento = archive.get(capture.url, capture.timestamp, follow=True)
    except NewskeepError:
        return None
    target = memento.capture
    is_page = 200 <= (target.status or 0) < 300 or target.status == NOT_MODIFIED
    return target if is_page and target.wall is None and target.timestamp >= since and not memento.truncated else None


def _is_whole(archive: Archive, capture: Capture) -> bool:
    # A revisit is written of whole answers, and an article made of them.
    if capture.is_revisit or archive.index.article_at(capture.filename, capture.offset) is not None:
        return True
    try:
        return archive.read(capture).truncated is None
    except NewskeepError:
        return False

"""What the frontier does not know and the archive's index does: after a lost frontier, or a run that was killed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice

from crawler.frontier import revisit_policy
from crawler.frontier.address_state import AddressState, Visit
from crawler.frontier.clock import is_ahead
from crawler.frontier.frontier import Frontier
from crawler.frontier.writes import BATCH
from storage.index import ArticleEntry
from storage.index.index import Index
from storage.model import Capture
from storage.urls import site_of

#: Of an article's publication, if known, and its capture: when to ask again, and the interval in seconds.
Again = Callable[[datetime | None, datetime], tuple[datetime | None, float | None]]


def recall(frontier: Frontier, index: Index, site: str, hosts: Iterable[str], again: Again) -> int:
    """Enter the articles of these hosts that the index holds and the frontier does not; return how many.

    Reads the index's rows of all articles of the hosts, in bounded memory: for a site of which the frontier knows
    nothing, before its first run.
    """
    count = 0
    for bare in sorted({site_of(f"http://{host}/") for host in hosts}):
        entries = index.articles(site=bare)
        while batch := list(islice(entries, BATCH)):
            # The newest comes first; what it says stays.
            newest = {entry.url: entry for entry in reversed(batch)}
            known = frontier.known_among(site, newest)
            visits = [_held(site, entry, again) for url, entry in newest.items() if url not in known]
            frontier.visited(visits)
            count += len(visits)
    return count


def reconcile(frontier: Frontier, index: Index, known: Iterable[AddressState], again: Again) -> list[AddressState]:
    """Return the articles that are really to be fetched, of those that `Frontier.due_articles` gave.

    A run that was killed may have archived some whose visit was not entered; the index knows them once what the run
    left behind was recovered. They are entered as held, walls as refused, and left out here. A redirect, an error or a
    failure in the index does not say what became of the article: that is fetched again. Needs `Visit.at` to be no
    earlier than the request was sent. One look-up an article.
    """
    now = datetime.now(UTC)
    left: list[AddressState] = []
    missed: list[Visit] = []
    for each in known:
        capture = index.latest(each.url, accept=lambda held: _has_content(held) and not is_ahead(held.timestamp, now))
        if capture is None or (each.fetched is not None and capture.timestamp < each.fetched + timedelta(seconds=1)):
            left.append(each)
        else:
            missed.append(_missed(each, capture, index, again))
    frontier.visited(missed)
    return left


def _held(site: str, entry: ArticleEntry, again: Again) -> Visit:
    published = _time(entry.published)
    # A capture of a run with a wrong clock may have any time.
    at = min(entry.timestamp, datetime.now(UTC))
    due, interval = again(published, at)
    return Visit(
        site=site,
        url=entry.url,
        role="article",
        at=at,
        state="held",
        due=due,
        interval=interval,
        digest=entry.fingerprint.digest if entry.fingerprint else None,
        published=published,
    )


def _missed(known: AddressState, capture: Capture, index: Index, again: Again) -> Visit:
    if capture.wall is not None:
        return _walled(known, capture, capture.wall)
    entry = index.article(known.url, capture.timestamp)
    if entry is None or (entry.url, entry.timestamp) != (known.url, capture.timestamp.replace(microsecond=0)):
        entry = None
    published = known.published or (_time(entry.published) if entry else None)
    due, interval = again(published, capture.timestamp)
    if known.interval is not None:
        # Whether it had changed nobody compared: its rhythm goes on as it was.
        due, interval = capture.timestamp + timedelta(seconds=known.interval), known.interval
    return Visit(
        site=known.site,
        url=known.url,
        role=known.role,
        at=capture.timestamp,
        state="held",
        due=due,
        interval=interval,
        status=capture.status,
        digest=entry.fingerprint.digest if entry and entry.fingerprint else known.digest,
        published=published,
    )


def _walled(known: AddressState, capture: Capture, wall: str) -> Visit:
    due, interval = revisit_policy.next_failure(known, capture.timestamp)
    return Visit(
        site=known.site,
        url=known.url,
        role=known.role,
        at=capture.timestamp,
        state="refused",
        due=due,
        interval=interval,
        reason=wall,
        status=capture.status,
        digest=known.digest,
    )


def _has_content(capture: Capture) -> bool:
    return capture.status is not None and (capture.status == 304 or 200 <= capture.status < 300)


def _time(text: str | None) -> datetime | None:
    """Return the time that a page's ISO 8601 text means; what has no zone is in UTC."""
    try:
        found = datetime.fromisoformat(text or "")
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None

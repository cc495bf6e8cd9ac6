"""What the fetch of an article means for what is known of it: one article, whichever of its addresses was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from crawler.discovery import canonical_candidate, identity, same_article
from crawler.frontier import revisit_policy
from crawler.frontier.address_state import AddressState, Announcement, State, Visit
from crawler.session.conditional import validators
from storage.counts import counted
from storage.errors import InvalidURL
from storage.model import Outcome
from storage.versions import GONE

if TYPE_CHECKING:
    from crawler.session.page_extraction import Extraction
    from crawler.session.recorder import RecordedExchange
    from crawler.sites.site import Site

Lookup = Callable[[str], AddressState | None]
#: Fewer words, and nothing that says "article", make no article.
_FEW_WORDS = 60
#: What robots.txt or the page itself forbids is asked for once more after this.
_RULES_HOLD = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class VisitResult:
    """What is to be kept of a fetch: visits, addresses that it named, and why the page is no article, if it is none."""

    visits: tuple[Visit, ...]
    announced: tuple[Announcement, ...] = ()
    not_article: str | None = None


def visit_of_page(
    site: Site,
    known: AddressState,
    recorded: RecordedExchange,
    extraction: Extraction,
    outcome: Outcome,
    at: datetime,
    look: Lookup,
) -> VisitResult:
    """Judge an answered request for an article; `look` tells what is known of other addresses."""
    if outcome.outcome not in ("archived", "unchanged"):
        return VisitResult(
            (_missed(site, known, outcome, at, walled=recorded.wall is not None),),
            _announced_instead(known) if outcome.status in GONE else (),
        )
    final = _identity(outcome.final_url or known.url)
    if final != known.url:
        return _redirected(site, known, final, recorded, extraction, outcome, at, look)
    if (canonical := _canonical(site, known, extraction, look)) is not None:
        return VisitResult(
            (alias(site, known, canonical, at),), (Announcement(canonical, "article", known.url, known.published),)
        )
    visit, why = _held(site, known, recorded, extraction, outcome, at)
    return VisitResult((visit,), not_article=why)


def visit_of_failure(site: Site, known: AddressState, outcome: Outcome, at: datetime) -> Visit:
    """The visit of a request that got no answer, or was not sent."""
    return _missed(site, known, outcome, at)


def _announced_instead(known: AddressState) -> tuple[Announcement, ...]:
    """The AMP or print address that a source named, where the article's own was guessed from it and is not there."""
    if known.source is None or known.captured is not None or canonical_candidate(known.source) != known.url:
        return ()
    return (Announcement(known.source, "article", known.url, known.published),)


def alias(site: Site, known: AddressState, of: str, at: datetime, status: int | None = None) -> Visit:
    """The visit of an address that turned out to be another one of the article at `of`."""
    reason = f"the same as {of}"
    return Visit(site.name, known.url, "article", at, "alias", None, reason=reason, status=status, alias_of=of)


def _redirected(
    site: Site,
    known: AddressState,
    final: str,
    recorded: RecordedExchange,
    extraction: Extraction,
    outcome: Outcome,
    at: datetime,
    look: Lookup,
) -> VisitResult:
    refused = site.refuses(final)
    if refused in ("another host", "a source"):
        # A story that is gone often leads to the front page.
        reason = "redirects to another host" if refused == "another host" else "redirects to a page that is no article"
        visit = Visit(site.name, known.url, "article", at, "refused", None, reason=reason, status=outcome.status)
        return VisitResult((visit,), _announced_instead(known))
    target = look(final) or AddressState(site.name, final, "article", "waiting", at, published=known.published)
    visit, why = _held(site, target, recorded, extraction, outcome, at)
    named = Announcement(final, "article", known.url, known.published)
    return VisitResult((alias(site, known, final, at), visit), (named,), why)


def _held(
    site: Site, known: AddressState, recorded: RecordedExchange, extraction: Extraction, outcome: Outcome, at: datetime
) -> tuple[Visit, str | None]:
    """The visit of a page that was got, and why it is no article, if it is none."""
    kept = validators(recorded.exchange.response)
    article = extraction.article
    digest: str | None = known.digest
    if outcome.status != 304:
        # Of the text: a new layout of the page is no change of the article.
        text = article.fingerprint if article else None
        digest = text.digest if text else (recorded.capture.digest if recorded.capture else None)
    changed = known.digest is not None and digest != known.digest
    published = known.published or _published(extraction)
    why = _not_article(extraction) if outcome.outcome == "archived" else None
    due, interval = revisit_policy.next_article(known, at, changed=changed, published=published)
    visit = Visit(
        site.name,
        known.url,
        "article",
        at,
        "held",
        None if why else due,
        interval,
        changed=changed,
        reason=why,
        status=outcome.status,
        # A 304 may leave out what has not changed.
        etag=kept.etag or (known.etag if outcome.status == 304 else None),
        last_modified=kept.last_modified or (known.last_modified if outcome.status == 304 else None),
        digest=digest,
        published=published,
    )
    return visit, why


def _missed(site: Site, known: AddressState, outcome: Outcome, at: datetime, walled: bool = False) -> Visit:
    state: State = "refused" if outcome.outcome == "refused" else "failed"
    due: datetime | None
    interval: float | None
    if outcome.status in GONE:
        # Asked once more: a page may be gone by mistake.
        state = "gone"
        due, interval = revisit_policy.next_gone(known, at)
    elif state == "refused" and not walled:
        # Rules change, but not often.
        due, interval = (None if known.state == "refused" else at + _RULES_HOLD), None
    else:
        # A wall may be meant for now, or for who asks.
        due, interval = revisit_policy.next_failure(known, at)
    return Visit(
        site.name,
        known.url,
        "article",
        at,
        state,
        due,
        interval,
        reason=outcome.reason,
        status=outcome.status,
        digest=known.digest,
    )


def _canonical(site: Site, known: AddressState, extraction: Extraction, look: Lookup) -> str | None:
    """The address that the page says is the article's, where that is another one and may be believed."""
    stated = extraction.article.canonical_url if extraction.article else None
    home = site.start[0] if site.start else None
    if stated is None or not same_article(known.url, stated, home):
        return None
    canonical = _identity(stated)
    if canonical == known.url or canonical_candidate(canonical) == known.url or site.refuses(canonical):
        return None
    other = look(canonical)
    if other is not None and (other.role != "article" or other.alias_of == known.url):
        # Two pages that each name the other, or the front page.
        return None
    return canonical if other is None or other.state in ("waiting", "held") else None


def _not_article(extraction: Extraction) -> str | None:
    article = extraction.article
    if article is None:
        # What could not be read may well be one.
        return None if extraction.reason else "not an article: no page"
    if article.words >= _FEW_WORDS or any("json-ld" in source for source in article.sources.values()):
        return None
    if any(source.startswith("meta article:") for source in article.sources.values()):
        return None
    return f"not an article: {counted(article.words, 'word')} of text"


def _published(extraction: Extraction) -> datetime | None:
    stated = extraction.article.published if extraction.article else None
    if stated is None:
        return None
    try:
        moment = datetime.fromisoformat(stated)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _identity(url: str) -> str:
    try:
        return identity(url)
    except InvalidURL:
        return url

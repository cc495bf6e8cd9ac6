"""What spiders yield: an answered request, or one that got no answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.model import Outcome

if TYPE_CHECKING:
    from scrapy import Request

    from crawler.frontier.address_state import AddressState
    from crawler.session.page_extraction import Extraction
    from crawler.session.recorder import RecordedExchange
    from crawler.sites.visit_outcome import VisitResult

#: The callback argument of a request for a site's article: what the frontier knows of it.
KNOWN = "known"
#: … and of a request for a URL of a list: the address as it was given.
GIVEN = "given"
#: In a request's meta: its exchange is not recorded; nothing of a subscription is sent with it.
UNRECORDED, ANONYMOUS = "dont_record", "dont_send_secrets"
#: … the capture of the page that names it as its AMP or print form.
TWIN_OF = "twin_of"


def known_of(request: Request) -> AddressState | None:
    """What the frontier knew of the article that a request asks for; `None` for requests for anything else."""
    known: AddressState | None = request.cb_kwargs.get(KNOWN)
    return known


@dataclass(frozen=True, slots=True)
class Page:
    """An answered request, as spiders yield it; `url` is the address as it was given.

    `known` is what the frontier knew of it, for an article of a site; the rest is found out on the way.
    """

    url: str
    recorded: RecordedExchange
    known: AddressState | None = None
    extraction: Extraction | None = None
    outcome: Outcome | None = None
    noted: VisitResult | None = None
    #: Whether the outcome is durable.
    told: bool = False


@dataclass(frozen=True, slots=True)
class MissedPage:
    """A request for a site's article that got no answer or was not sent; `same_as`: it led to an article held."""

    known: AddressState
    outcome: Outcome
    same_as: str | None = None
    told: bool = False


def missed(request: Request, reason: str) -> MissedPage | Outcome | None:
    """What a spider yields of a request that failed for `reason`; `None` for one that is not for a page of its own."""
    known = known_of(request)
    if known is not None:
        return MissedPage(known, Outcome(known.url, "failed", reason))
    given = request.cb_kwargs.get(GIVEN)
    return Outcome(given, "failed", reason) if isinstance(given, str) else None

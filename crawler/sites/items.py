"""What spiders yield: an answered request, or one that got no answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.frontier.address_state import Known
    from crawler.session.extraction_pool import Extraction
    from crawler.session.recorder import Recorded
    from crawler.sites.visit_outcome import Noted
    from storage.model import Outcome


@dataclass(frozen=True, slots=True)
class Page:
    """An answered request, as spiders yield it; `url` is the address as it was given.

    `known` is what the frontier knew of it, for an article of a site; the rest is found out on the way.
    """

    url: str
    recorded: Recorded
    known: Known | None = None
    #: Why what came is no page of the site's but a challenge or a wall.
    block: str | None = None
    extraction: Extraction | None = None
    outcome: Outcome | None = None
    noted: Noted | None = None
    #: Whether the outcome is durable.
    told: bool = False


@dataclass(frozen=True, slots=True)
class Missed:
    """A request for a site's article that got no answer or was not sent; `same_as`: it led to an article held."""

    known: Known
    outcome: Outcome
    same_as: str | None = None
    told: bool = False

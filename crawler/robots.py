"""What robots.txt of each host allows (RFC 9309), kept for all crawlers of a run."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.refusals import HostUnreachable, Refused

if TYPE_CHECKING:
    from protego import Protego

#: Hosts whose rules are kept; a list of a hundred thousand hosts must not fill the memory.
_RULES_KEPT = 5_000
#: Seconds for which rules hold (RFC 9309, 2.4), and for which a host that did not answer is left alone.
RULES_SECONDS, UNREACHABLE_SECONDS = 86_400.0, 300.0
#: Bytes of robots.txt that count; the RFC asks for at least 500 KiB.
ROBOTS_MAX_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class Rules:
    """What a host's robots.txt allows: its parsed rules, or why everything or nothing is allowed."""

    parser: Protego | None = None
    refusal: str | None = None
    unreachable: Exception | None = None
    #: The host asked for time; ask for its rules again after that.
    wait: bool = False
    #: On the monotonic clock, in seconds.
    until: float = math.inf

    def check(self, url: str, user_agent: str) -> None:
        """Raise `Refused` or `HostUnreachable` where a URL must not be asked for."""
        if self.refusal is not None:
            raise Refused(self.refusal)
        if self.unreachable is not None:
            # Not retried: the attempts were made for robots.txt, and the other URLs of the host need not wait for more.
            raise HostUnreachable(self.unreachable)
        if self.parser is not None and not self.parser.can_fetch(url, user_agent):
            raise Refused("robots.txt")


def parse(content: bytes) -> Protego:
    """The rules of a robots.txt, its content coding removed."""
    from protego import Protego

    return Protego.parse(content[:ROBOTS_MAX_BYTES].decode("utf-8", "replace").lstrip("\ufeff"))


class RulesKept:
    """Rules by origin; those who want the same at once share one fetch."""

    def __init__(self) -> None:
        self._rules: OrderedDict[str, asyncio.Future[Rules]] = OrderedDict()

    def known(self, origin: str) -> Rules | None:
        """The rules of an origin as far as they have been fetched."""
        known = self._rules.get(origin)
        return known.result() if known is not None and known.done() and not known.cancelled() else None

    async def of(self, origin: str, fetch: Callable[[], Awaitable[Rules]]) -> Rules:
        """The rules of an origin, fetched where they are not known or no longer hold."""
        known = self._rules.get(origin)
        if known is None or (known.done() and (known.cancelled() or known.result().until < time.monotonic())):
            self._rules[origin] = asyncio.ensure_future(fetch())
            while len(self._rules) > _RULES_KEPT:
                self._rules.popitem(last=False)
        self._rules.move_to_end(origin)
        return await asyncio.shield(self._rules[origin])

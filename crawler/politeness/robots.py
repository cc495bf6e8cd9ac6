"""What robots.txt of a host allows (RFC 9309): kept for all crawlers of a run, and in the frontier for later ones."""

from __future__ import annotations

import asyncio
import math
import re
import time
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol

from crawler.frontier.address_state import RobotsText
from crawler.politeness.errors import HostUnreachable, Refused
from storage.errors import StoreUnavailable
from storage.urls import without_dot_segments

if TYPE_CHECKING:
    from protego import Protego

    from storage.http import HttpMessage

#: Hosts whose rules are kept; a list of a hundred thousand hosts must not fill the memory.
_RULES_KEPT = 5_000
#: Seconds for which rules hold where the host says nothing, and the bounds of what it may say (RFC 9309, 2.4).
RULES_SECONDS, RULES_LEAST, RULES_MOST = 14_400.0, 600.0, 86_400.0
#: Seconds for which a host that did not answer is left alone.
UNREACHABLE_SECONDS = 300.0
#: Bytes of robots.txt that count; the RFC asks for at least 500 KiB.
ROBOTS_MAX_BYTES = 512 * 1024
#: Bytes from which it is parsed in a thread: half a megabyte takes a second.
_LONG = 32 * 1024

# As protego reads the line, which takes some misspellings too.
_USER_AGENT = re.compile(r"^[^\S\r\n]*user[- ]?agent[^\S\r\n]*[:\s][^\S\r\n]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
#: A crawl-delay as most of Europe writes numbers; protego leaves it out.
_DECIMAL_COMMA = re.compile(
    r"^([^\S\r\n]*crawl[- ]?delay[^\S\r\n]*:?[^\S\r\n]*\d+),(\d+)", re.IGNORECASE | re.MULTILINE
)
_TOKEN = re.compile(r"[A-Za-z_-]+")
#: No robot's token: such a group is for somebody else.
_NOBODY = "~"
_MAX_AGE = re.compile(r"\bmax-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_NOT_STORED = re.compile(r"\bno-(?:cache|store)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a host's robots.txt allows: its parsed rules, or why everything or nothing is allowed."""

    parser: Protego | None = None
    refusal: str | None = None
    unreachable: HostUnreachable | None = None
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
            raise HostUnreachable(self.unreachable.cause, self.unreachable.timeout)
        if self.parser is not None and not self.parser.can_fetch(without_dot_segments(url), user_agent):
            raise Refused("robots.txt")


def parse(content: bytes, product: str) -> Protego:
    """The rules of a robots.txt, its content coding removed, for the robot with this product token and for all.

    Tokens are compared as a whole and without case (RFC 9309, 2.2.1); what follows one's letters, such as a version,
    does not count. protego takes another's for ours where ours begins with it: no other's is left to it.
    """
    from protego import Protego

    content = content[:ROBOTS_MAX_BYTES]
    # UTF-8 by the RFC; an editor that wrote UTF-16 says so by its mark, and what is meant is plain.
    coding = "utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8"
    text = content.decode(coding, "replace").lstrip("\ufeff")
    text = _DECIMAL_COMMA.sub(r"\1.\2", text)
    return Protego.parse(_USER_AGENT.sub(lambda line: f"User-agent: {_agent(line[1], product)}", text))


def _agent(value: str, product: str) -> str:
    token = _TOKEN.match(value)
    if token is None:
        return "*" if value.partition("#")[0].strip() == "*" else _NOBODY
    return product if token[0].lower() == product.lower() else _NOBODY


async def parsed(content: bytes, product: str) -> Protego:
    """The same, without holding up the event loop."""
    return await asyncio.to_thread(parse, content, product) if len(content) > _LONG else parse(content, product)


def holds_for(message: HttpMessage, now: datetime) -> float:
    """Seconds for which an answer with rules may be kept, by its Cache-Control or Expires (RFC 9111, 5.2.2, 5.3)."""
    said = message.header("cache-control") or ""
    if age := _MAX_AGE.search(said):
        seconds = float(age[1])
    elif _NOT_STORED.search(said):
        seconds = 0.0
    else:
        try:
            expires = parsedate_to_datetime(message.header("expires") or "")
            seconds = (expires.replace(tzinfo=expires.tzinfo or UTC) - now).total_seconds()
        except (ValueError, TypeError, IndexError, OverflowError):
            seconds = RULES_SECONDS
    return min(max(seconds, RULES_LEAST), RULES_MOST)


class RobotsMemory(Protocol):
    """Where rules outlive a run; a Frontier is one."""

    def robots(self, origin: str, at: datetime) -> RobotsText | None: ...

    def put_robots(self, text: RobotsText, now: datetime) -> None: ...


class RulesKept:
    """Rules by origin; those who want the same at once share one fetch."""

    def __init__(self) -> None:
        self._rules: OrderedDict[str, asyncio.Future[Rules]] = OrderedDict()
        self._memory: RobotsMemory | None = None

    def remember_in(self, memory: RobotsMemory) -> None:
        """Keep what is fetched in `memory` from now on, and ask for nothing that is there."""
        self._memory = memory

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

    async def recall(self, origin: str) -> tuple[bytes, float] | None:
        """A robots.txt that an earlier run fetched and that still holds, and for how many seconds."""
        if self._memory is None:
            return None
        now = datetime.now(UTC)
        try:
            text = await asyncio.to_thread(self._memory.robots, origin, now)
        except StoreUnavailable:
            return None  # whoever needs the frontier itself will say so
        left = (text.until - now).total_seconds() if text else 0.0
        # A clock that was wrong once must not make them hold for years.
        return (text.content, left) if text is not None and left <= RULES_MOST else None

    async def remember(self, origin: str, content: bytes, seconds: float) -> None:
        """Keep a robots.txt, its content coding removed; empty where all is allowed."""
        if self._memory is None:
            return
        now = datetime.now(UTC)
        text = RobotsText(origin, now + timedelta(seconds=seconds), content[:ROBOTS_MAX_BYTES])
        try:
            await asyncio.to_thread(self._memory.put_robots, text, now)
        except StoreUnavailable:
            return

"""What of the chosen a selection leaves out, since its publisher does not want it shown, or used so."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from newskeep.export import Selection
from newskeep.rights import SiteTerms
from storage.archive import Archive
from storage.index import ArticleEntry
from storage.model import Capture
from storage.rights import Signal
from storage.rights.page import noarchive
from storage.rights.purposes import reserving
from storage.rights.signal import is_closed

_LINE = re.compile(r" line \d+$")
Held = ArticleEntry | Capture


class Choice:
    """Looks at one article or capture after the other, as of the moment at which the export was begun."""

    def __init__(self, archive: Archive, selection: Selection) -> None:
        self._selection = selection
        self._terms = SiteTerms(archive)
        self._now = selection.now or datetime.now(UTC)

    def leaves_out(self, held: Held) -> bool:
        return (
            not self.is_of_shard(held)
            or (self._selection.public and self.is_closed(held))
            or self.reserved(held) is not None
        )

    def is_of_shard(self, held: Held) -> bool:
        return self._selection.shard is None or self._selection.shard.has(held.filename)

    def says_noarchive(self, held: Held) -> bool:
        return held.noarchive or noarchive(held.rights) is not None

    def is_closed(self, held: Held) -> bool:
        """Whether it is not to be shown to others."""
        return is_closed(held, self._now)

    def reserved(self, held: Held) -> str | None:
        """What reserves it for the selection's purpose: "ai-train=no in robots.txt Content-Signal"; else `None`."""
        if self._selection.purpose is None:
            return None
        is_image = isinstance(held, Capture) and (held.mime or "").startswith("image/")
        signal = reserving(self.signals(held), self._selection.purpose, self._now, is_image=is_image)
        if signal is None:
            return None
        # Without moments and lines: the reasons are counted.
        value = "" if signal.value is None or signal.name == "unavailable_after" else f"={signal.value}"
        return f"{signal.name}{value} in {_LINE.sub('', signal.source)}"

    def is_licensed(self, held: Held) -> bool:
        return any(signal.name == "license" for signal in self.signals(held))

    def signals(self, held: Held) -> tuple[Signal, ...]:
        """What the page says, and behind it what its site does."""
        return (*held.rights, *self.of_site(held))

    def of_site(self, held: Held) -> tuple[Signal, ...]:
        return self._terms.of(held.url, held.timestamp)

"""The tags that an import gives to the captures of a file: an outcome each in its report, where tags of runs stand."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import IO

from storage.model import Capture, Outcome
from storage.urls import parse_timestamp, timestamp14


class CaptureTags:
    """Notes the captures of one file as they are read, on disk: there may be millions.

    Without `tags` it does nothing.
    """

    def __init__(self, tags: tuple[str, ...]) -> None:
        self.tags = tags
        self._seen: IO[str] | None = None

    def begin(self) -> None:
        """Forget the file before."""
        self.close()
        # Closed with the next one, or by `close`.
        self._seen = tempfile.TemporaryFile("w+", encoding="ascii") if self.tags else None  # noqa: SIM115

    def see(self, capture: Capture) -> None:
        if self._seen is not None:
            self._seen.write(json.dumps([capture.url, timestamp14(capture.timestamp)]) + "\n")

    def outcomes(self) -> Iterator[Outcome]:
        """Yield the outcomes of the captures that were seen, with the tags; once."""
        if self._seen is None:
            return
        self._seen.seek(0)
        for line in self._seen:
            url, time = json.loads(line)
            at = parse_timestamp(time)
            yield Outcome(url, "archived", "imported", final_url=url, timestamp=at, tags=self.tags)
        self.close()

    def close(self) -> None:
        if self._seen is not None:
            self._seen.close()
        self._seen = None

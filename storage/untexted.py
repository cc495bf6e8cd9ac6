"""Pages that lie in the archive without their text because the machine could not make it: `untexted/…/<stem>.json`.

One object a WARC, put with it, until `newskeep reextract` has been through. A page is known by URL and time: a
compaction may move it to another WARC meanwhile. What a page itself has no text for is not told here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from storage.bounds import JSON_MAX, read_json
from storage.errors import Corrupt, UsageError
from storage.index.index import Index
from storage.model import Capture
from storage.objects import ObjectStore
from storage.urls import parse_timestamp, timestamp14

FOLDER = "untexted/"
#: Bytes, well below what is read of a JSON object.
_MOST = JSON_MAX // 4


@dataclass(frozen=True, slots=True)
class UntextedPage:
    """`timestamp` in whole seconds; `reason` as in outcomes."""

    url: str
    timestamp: datetime
    reason: str

    def capture(self, index: Index) -> Capture | None:
        """Return the capture, wherever it lies now."""
        return index.find(self.url, self.timestamp)

    def is_lacking(self, index: Index) -> bool:
        """Whether the page is held, and its text is not."""
        capture = self.capture(index)
        return capture is not None and index.article_at(capture.filename, capture.offset) is None


def to_json(pages: Iterable[UntextedPage]) -> bytes:
    """Return the object of these pages; of very many the first ones, which is enough to have all made again."""
    lines: list[str] = []
    size = 0
    for page in pages:
        fields = {"url": page.url, "timestamp": timestamp14(page.timestamp), "reason": page.reason}
        lines.append(json.dumps(fields))
        size += len(lines[-1])
        if size > _MOST:
            break
    return ('{"pages": [\n' + ",\n".join(lines) + "\n]}\n").encode("ascii")


def read(store: ObjectStore, key: str) -> list[UntextedPage]:
    """Return the pages of an object. Raises `Corrupt`, `ObjectMissing`."""
    with store.open(key) as stream:
        fields = read_json(stream)
    try:
        return [
            UntextedPage(str(page["url"]), parse_timestamp(page["timestamp"]), str(page["reason"]))
            for page in fields["pages"]
        ]
    except (KeyError, TypeError, AttributeError, UsageError) as error:
        raise Corrupt(f"{key}: not a list of pages without text ({error})") from error

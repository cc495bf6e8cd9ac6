"""What earlier crawls could not get, out of their reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from storage.archive import Archive
from storage.bounds import OUTCOME_LINE_MAX, parse_json, read_lines_past
from storage.errors import Corrupt, NotArchived, ObjectMissing

#: The name for the crawl that ended last.
LAST = "last"
_OUTCOME = b'{"url":'


def failed_urls(archive: Archive, crawl: str) -> tuple[str, list[str]]:
    """Return a crawl's id and the URLs that failed in it, as they were given; `LAST` is the one that ended last.

    Also of one that was killed and waits in the spool. Raises `NotArchived` where there is no such crawl.
    """
    left = {path.name: path / "outcomes.jsonl" for path in archive.spool.left()}
    waiting = {name: path for name, path in left.items() if path.is_file()}
    if crawl == LAST and waiting:
        # The next run delivers it: all others ended before.
        crawl = max(waiting, key=lambda name: waiting[name].stat().st_mtime)
    if crawl in waiting:
        with waiting[crawl].open("rb") as stream:
            return crawl, list(_failed(stream))
    keys = [info.key for info in archive.store.list("crawls/")]
    key = _last(archive, keys) if crawl == LAST else next((key for key in keys if key.endswith(f"/{crawl}.json")), None)
    if key is None:
        what = "no crawl" if crawl == LAST else f"no crawl {crawl!r}"
        raise NotArchived(f"{what} is known to {archive.uri}; newskeep status tells the last ones")
    with archive.store.open(key) as stream:
        return key.rpartition("/")[2].removesuffix(".json"), list(_failed(stream))


def _last(archive: Archive, keys: list[str]) -> str | None:
    """The report of the newest day whose crawl ended last."""
    day = max((key.rpartition("/")[0] for key in keys), default=None)
    newest = [key for key in keys if key.rpartition("/")[0] == day]
    return max(newest, key=lambda key: (_finished(archive, key), key), default=None)


def _finished(archive: Archive, key: str) -> str:
    """When a crawl ended, in ISO 8601 and UTC, by the head of its report."""
    try:
        with archive.store.open(key) as stream:
            head = next(read_lines_past(stream, OUTCOME_LINE_MAX), b"")
        start, outcomes, _ = head.partition(b', "outcomes": [')
        found = parse_json(start + b"}" if outcomes else start, OUTCOME_LINE_MAX)
    except (Corrupt, ObjectMissing):
        return ""
    return str(found.get("finished") or "") if isinstance(found, dict) else ""


def _failed(stream: BinaryIO) -> Iterator[str]:
    for line in read_lines_past(stream, OUTCOME_LINE_MAX):
        text = line.strip().removesuffix(b",")
        if text.startswith(_OUTCOME) and b'"failed"' in text:
            try:
                outcome: Any = parse_json(text, OUTCOME_LINE_MAX)
            except Corrupt:
                continue  # a killed run ends in half a line
            if isinstance(outcome, dict) and outcome.get("outcome") == "failed" and isinstance(outcome.get("url"), str):
                yield outcome["url"]

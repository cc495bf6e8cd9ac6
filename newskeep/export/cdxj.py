"""CDXJ, the index of all chosen captures, sorted by bytes: `captures-<number>.cdxj`, which follow each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any

from newskeep.export import Part, Selection, Tools, resuming
from newskeep.export.choice import Choice
from storage import cdxj
from storage.archive import Archive
from storage.errors import UsageError
from storage.model import Capture
from storage.urls import Match, site_of, surt, timestamp14

#: Captures in a file.
_MOST = 1_000_000
_MATCHES: tuple[Match, ...] = ("host", "ports")


class Cdxj:
    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def parts(self, archive: Archive, selection: Selection, after: Any, folder: Path) -> Iterator[Part]:
        with resuming():
            number, last = (0, None) if after is None else (int(after["file"]), cdxj.parse(after["line"].encode()))
        lines = _lines(archive, selection, last)
        while True:
            name, records, line = f"captures-{number:05d}.cdxj", 0, b""
            path = folder / name
            with path.open("wb") as out:
                for same_key in islice(lines, _MOST):
                    for line in same_key:
                        out.write(line)
                        records += 1
            if not records:
                return
            number += 1
            yield Part({name: path}, records, {"file": number, "line": line.decode()})

    def lines(self, archive: Archive, selection: Selection) -> Iterator[bytes]:
        for same_key in _lines(archive, selection, None):
            yield from same_key


def _lines(archive: Archive, selection: Selection, after: Capture | None) -> Iterator[list[bytes]]:
    """Yield the lines in order of their bytes, those of one SURT and second together."""
    if selection.language is not None:
        raise UsageError("--language: captures have no language; choose --format jsonl, or leave it out")
    captures = chosen(archive, selection, after)
    for _, same in groupby(captures, key=_key):
        yield sorted(cdxj.line(capture) for capture in same)


def chosen(archive: Archive, selection: Selection, after: Capture | None = None) -> Iterator[Capture]:
    """Yield the captures of a selection in order of SURT and time; `after` goes on behind all of its second."""
    site, since, until, tag = selection.site, selection.since, selection.until, selection.tag
    index, choice = archive.index, Choice(archive, selection)
    if site is None:
        found = index.all_captures(since=since, until=until, tag=tag, after=after)
    else:
        # On every port; in this order the two follow each other.
        found = chain.from_iterable(
            index.captures(site, match=match, since=since, until=until, tag=tag, after=after) for match in _MATCHES
        )
    end = None if after is None else _key(after)
    for capture in found:
        if _key(capture) == end or (site is not None and site_of(capture.url) != site):
            continue
        if not choice.leaves_out(capture):
            yield capture


def _key(capture: Capture) -> tuple[str, str]:
    return surt(capture.url), timestamp14(capture.timestamp)

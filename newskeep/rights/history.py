"""How the terms of a site changed: each state of its robots.txt and tdmrep.json, with what came and what went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, groupby
from urllib.parse import urlsplit

from newskeep.rights.site_terms import ROBOTS, SiteTerms
from storage.archive import Archive
from storage.model import Capture
from storage.rights.signal import Signal
from storage.rights.tdmrep import PATH

Said = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class SiteState:
    """What a file said, from one capture of it up to the last that said the same."""

    url: str
    since: datetime
    until: datetime
    captures: int
    #: HTTP status of the first of them.
    status: int | None
    signals: tuple[Signal, ...]
    #: Beside the state before; of the first, all and nothing.
    came: tuple[Signal, ...] = ()
    went: tuple[Signal, ...] = ()


def history(archive: Archive, site: str) -> Iterator[SiteState]:
    """Yield the states of a site's files, those of one address in order of time. Raises `StoreUnavailable`.

    `site` is a host, "www." or not, with its files on every scheme and port. What a file says of use alone counts: a
    new Disallow makes no new state.
    """
    terms = SiteTerms(archive)
    captures = (capture for path in (ROBOTS, PATH) for capture in _held(archive, site, path))
    for url, of_url in groupby(
        sorted(captures, key=lambda each: (each.url, each.timestamp)), key=lambda each: each.url
    ):
        yield from _states(url, of_url, terms)


def _held(archive: Archive, site: str, path: str) -> Iterator[Capture]:
    index = archive.index
    default = index.captures(f"http://{site}{path}")
    # Those with a port have keys of their own; there are few.
    others = (capture for capture in index.captures(site, match="ports") if urlsplit(capture.url).path == path)
    return (capture for capture in chain(default, others) if capture.status is not None)


def _states(url: str, captures: Iterable[Capture], terms: SiteTerms) -> Iterator[SiteState]:
    path = urlsplit(url).path
    state: SiteState | None = None
    for capture in captures:
        signals = terms.read(capture, path).all()
        if state is not None and _said(state.signals) == _said(signals):
            state = replace(state, until=capture.timestamp, captures=state.captures + 1)
            continue
        if state is not None:
            yield state
        before = state.signals if state else ()
        moment = capture.timestamp
        came, went = _other(signals, before), _other(before, signals)
        state = SiteState(url, moment, moment, 1, capture.status, signals, came, went)
    if state is not None:
        yield state


def _said(signals: Iterable[Signal]) -> list[Said]:
    """Without the lines: what moves in a file says the same."""
    return sorted({(signal.name, signal.value) for signal in signals}, key=str)


def _other(signals: tuple[Signal, ...], others: tuple[Signal, ...]) -> tuple[Signal, ...]:
    known = set(_said(others))
    return tuple(signal for signal in signals if (signal.name, signal.value) not in known)

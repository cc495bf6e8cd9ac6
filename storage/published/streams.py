"""Documents out of several files at once, in one order: the newest first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from storage.index.search_statements import Match

S = TypeVar("S")
T = TypeVar("T")
#: Files that are asked at once: of a store that is far each waits for some requests, one behind the other.
_AT_ONCE = 8
PUBLISHED, DATABASE = 0, 1


class Place(NamedTuple):
    """Where a document stands, the newest being the largest: by id in the database, by SURT and digest in files."""

    second: int
    side: int
    surt: str = ""
    digest: str = ""
    number: int = 0


Placed = tuple[Place, Match]


def at_once(ask: Callable[[S], T], things: Collection[S]) -> list[T]:
    """Ask of several things at once; return the answers in their order."""
    if len(things) <= 1:
        return [ask(each) for each in things]
    with ThreadPoolExecutor(min(_AT_ONCE, len(things))) as threads:
        return list(threads.map(ask, things))


def merged(streams: Iterable[tuple[Place, Callable[[], Iterator[Placed]]]]) -> Iterator[Placed]:
    """Yield what streams yield, the largest place first. Each goes downwards from a bound, above all places of it.

    One is begun when its bound is above all that is there; and the more that were in vain, the more at once.
    """
    waiting = sorted(streams, key=lambda stream: stream[0])
    begun: list[tuple[Placed, Iterator[Placed]]] = []
    size = 1
    while waiting or begun:
        largest = max(begun, key=lambda item: item[0][0], default=None)
        if waiting and (largest is None or waiting[-1][0] > largest[0][0]):
            new = [waiting.pop()[1]() for _ in range(min(size, len(waiting)))]
            heads = at_once(lambda stream: next(stream, None), new)
            begun += [(head, stream) for head, stream in zip(heads, new, strict=True) if head is not None]
            size = min(size * 2, _AT_ONCE) if None in heads else 1
        elif largest is not None:
            yield largest[0]
            begun.remove(largest)
            head = next(largest[1], None)
            if head is not None:
                begun.append((head, largest[1]))

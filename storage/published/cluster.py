"""A ZipNum cluster, read by range: sorted CDXJ in gzip members, and `cluster.idx` with the first key of each.

    com,example)/a 20260521220112<TAB>cdx-00000.gz<TAB>188224<TAB>176211<TAB>2

SURT and time of the member's first line, the shard that holds it, offset and length there, and its number from 1: what
pywb and Common Crawl have. `cluster.idx` is a three-thousandth of all and is held whole.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from zlib import decompressobj

from storage.bounds import unpack
from storage.errors import Corrupt
from storage.objects import ObjectStore
from storage.published.block_cache import BlockCache

#: Lines of a block, as Common Crawl and pywb have it; one of fewer where these are long, in bytes.
BLOCK_LINES, BLOCK_BYTES = 3_000, 8 << 20
#: Bytes of a block when it is unpacked: one that is more was not written by us.
_BLOCK_MAX = 32 << 20
#: Blocks that one request asks for at most, and unpacked ones that are kept.
_AT_ONCE, LINES_KEPT = 8, 32


@dataclass(frozen=True, slots=True)
class Block:
    """Where a block lies: shard, and bytes in it."""

    shard: str
    offset: int
    length: int


#: The lines of a block, by prefix and place.
LinesCache = BlockCache[tuple[str, Block], list[bytes]]


class Cluster:
    """The lines of a cluster by their keys. `prefix` is where its objects lie, `index` the bytes of `cluster.idx`."""

    def __init__(self, store: ObjectStore, prefix: str, index: bytes, cache: LinesCache) -> None:
        """Raises `Corrupt`."""
        self._store = store
        self._prefix = prefix
        self._cache = cache
        self._keys: list[bytes] = []
        self._blocks: list[Block] = []
        for number, line in enumerate(index.splitlines(), start=1):
            try:
                key, shard, offset, length, _ = line.split(b"\t")
                self._blocks.append(Block(shard.decode("ascii"), int(offset), int(length)))
            except ValueError as error:
                raise Corrupt(f"{prefix}cluster.idx, line {number}: no line of a ZipNum index ({error})") from error
            self._keys.append(key)
        if any(one > other for one, other in zip(self._keys, self._keys[1:], strict=False)):
            raise Corrupt(f"{prefix}cluster.idx: not sorted")

    def __len__(self) -> int:
        """How many blocks it has."""
        return len(self._blocks)

    def lines(self, first: bytes = b"", end: bytes | None = None) -> Iterator[bytes]:
        """Yield the lines from `first` up to `end`, which are compared by their bytes.

        One range of one object at first, more of them at a time the further it goes. Raises `ObjectMissing`, `Corrupt`.
        """
        at = max(bisect_left(self._keys, first) - 1, 0)
        stop = len(self._keys) if end is None else bisect_left(self._keys, end)
        size = 1
        while at < stop:
            blocks = self._blocks[at : min(at + size, stop)]
            for lines in self._read(blocks):
                begin = bisect_left(lines, first) if lines and lines[0] < first else 0
                last = len(lines) if end is None else bisect_left(lines, end)
                yield from lines[begin:last]
            at += len(blocks)
            size = min(size * 2, _AT_ONCE)

    def _read(self, blocks: list[Block]) -> Iterator[list[bytes]]:
        """Yield the lines of blocks that follow each other, those that lie side by side in one request."""
        for kept, run in groupby(blocks, key=lambda block: self._cache.get((self._prefix, block)) is not None):
            some = list(run)
            if kept and all(held := [self._cache.get((self._prefix, block)) for block in some]):
                yield from (lines for lines in held if lines is not None)
                continue
            for _, same_shard in groupby(some, key=lambda block: block.shard):
                yield from self._fetch(list(same_shard))

    def _fetch(self, blocks: list[Block]) -> Iterator[list[bytes]]:
        key, start = self._prefix + blocks[0].shard, blocks[0].offset
        end = blocks[-1].offset + blocks[-1].length
        with self._store.open(key, start, end - start) as stream:
            data = stream.read()
        for block in blocks:
            at = block.offset - start
            lines = _unpacked(data[at : at + block.length], f"{key} at {block.offset}")
            self._cache.keep((self._prefix, block), lines)
            yield lines


def _unpacked(packed: bytes, where: str) -> list[bytes]:
    # 31: a gzip header, and the largest window.
    decoder = decompressobj(31)
    try:
        data, rest = unpack(decoder, packed, _BLOCK_MAX)
    except Corrupt as error:
        raise Corrupt(f"{where}: no block of a ZipNum index ({error})") from error
    if rest or not decoder.eof:
        raise Corrupt(f"{where}: no block of a ZipNum index (it does not end where it should)")
    return data.splitlines(keepends=True)

"""An object in the store, read at any place: by blocks, of which the last ones are kept."""

from __future__ import annotations

from storage.objects import ObjectStore
from storage.published.block_cache import BlockCache

#: Bytes of a block, and how many of them one request asks for at most where they follow each other.
BLOCK, _AT_ONCE = 64 << 10, 16
#: Blocks that are kept: 32 MiB.
RANGES_KEPT = 512
#: The bytes of a block, by key and number.
RangeCache = BlockCache[tuple[str, int], bytes]


class RangedFile:
    """An object of `size` bytes that never changes."""

    def __init__(self, store: ObjectStore, key: str, size: int, cache: RangeCache) -> None:
        self.key = key
        self.size = size
        self._store = store
        self._cache = cache
        #: The block behind the last that was fetched, and how many were: who goes on there is given twice as many.
        self._next, self._ahead = -1, 1

    def read(self, start: int, length: int) -> bytes:
        """Return the bytes of a range; fewer where the file ends. Raises `ObjectMissing`, `Corrupt`."""
        end = min(start + length, self.size)
        blocks = [self._block(number) for number in range(start // BLOCK, -(-end // BLOCK))]
        begin = start % BLOCK
        return b"".join(blocks)[begin : begin + max(end - start, 0)]

    def _block(self, number: int) -> bytes:
        found = self._cache.get((self.key, number))
        return self._fetch(number) if found is None else found

    def _fetch(self, number: int) -> bytes:
        self._ahead = min(self._ahead * 2, _AT_ONCE) if number == self._next else 1
        start, end = number * BLOCK, min((number + self._ahead) * BLOCK, self.size)
        with self._store.open(self.key, start, end - start) as stream:
            data = stream.read()
        for place in range(0, len(data), BLOCK):
            self._cache.keep((self.key, number + place // BLOCK), data[place : place + BLOCK])
        self._next = number + self._ahead
        return data[:BLOCK]

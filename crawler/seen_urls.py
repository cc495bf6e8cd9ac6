"""Which URLs of a list have come before, in a third of the memory that a set of their digests takes."""

from __future__ import annotations

from hashlib import blake2b

#: Bytes of a digest: of a hundred million URLs no two have the same one by chance.
_SIZE = 12
_FREE = bytes(_SIZE)
#: Tables, one for each first byte: one that grows is a small part of all, which the others do not wait for.
_TABLES = 256
#: Places of a table at first; it has twice as many once three quarters are taken.
_PLACES = 16


class SeenURLs:
    """The digests of URLs lie side by side in tables with open addressing, not as an object each."""

    def __init__(self) -> None:
        self._tables = [bytearray(_SIZE * _PLACES) for _ in range(_TABLES)]
        self._taken = [0] * _TABLES

    def add(self, url: str) -> bool:
        """Note a URL; return whether it is new."""
        digest = blake2b(url.encode("utf-8", "surrogatepass"), digest_size=_SIZE).digest()
        number = digest[0]
        table = self._tables[number]
        at = _place(table, digest)
        if table[at : at + _SIZE] == digest:
            return False
        table[at : at + _SIZE] = digest
        self._taken[number] += 1
        if self._taken[number] * 4 >= len(table) // _SIZE * 3:
            self._tables[number] = _grown(table)
        return True


def _place(table: bytearray, digest: bytes) -> int:
    """Where in a table a digest is, or would be; at least one place is free."""
    at = int.from_bytes(digest[1:8]) * _SIZE % len(table)
    while (held := table[at : at + _SIZE]) != _FREE and held != digest:
        at = (at + _SIZE) % len(table)
    return at


def _grown(table: bytearray) -> bytearray:
    grown = bytearray(2 * len(table))
    for at in range(0, len(table), _SIZE):
        digest = bytes(table[at : at + _SIZE])
        if digest != _FREE:
            place = _place(grown, digest)
            grown[place : place + _SIZE] = digest
    return grown

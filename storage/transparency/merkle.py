"""Merkle trees as RFC 9162, 2.1 has them, over SHA-256: roots, and proofs of inclusion, made and checked."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

#: The root of a tree without leaves.
EMPTY = sha256().digest()


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class GrowingTree:
    """The root of a tree that leaves are added to; it holds a hash for each bit of its size."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """`peaks` are the roots of the perfect trees that it consists of, the largest first. Raises `ValueError`."""
        if len(peaks) != size.bit_count() or any(len(each) != len(EMPTY) for each in peaks):
            raise ValueError(f"a tree of {size} leaves has not these peaks")
        self.size = size
        self.peaks = list(peaks)

    def append(self, leaf: bytes) -> None:
        joined, size = leaf_hash(leaf), self.size
        while size & 1:
            joined = node_hash(self.peaks.pop(), joined)
            size >>= 1
        self.peaks.append(joined)
        self.size += 1

    @property
    def root(self) -> bytes:
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes of leaves."""
    if len(hashes) < 2:
        return hashes[0] if hashes else EMPTY
    split = _split(len(hashes))
    return node_hash(root_of(hashes[:split]), root_of(hashes[split:]))


def inclusion_path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that the leaf `index` is in the tree over hashes of leaves (2.1.3.1). Raises `IndexError`."""
    if not 0 <= index < len(hashes):
        raise IndexError(index)
    if len(hashes) == 1:
        return []
    split = _split(len(hashes))
    if index < split:
        return [*inclusion_path(hashes[:split], index), root_of(hashes[split:])]
    return [*inclusion_path(hashes[split:], index - split), root_of(hashes[:split])]


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a leaf's hash and its path lead to (2.1.3.2); `None` where the path is of no such tree."""
    if not 0 <= index < size:
        return None
    first, last, root = index, size - 1, leaf
    for hashed in path:
        if last == 0:
            return None
        if first & 1 or first == last:
            root = node_hash(hashed, root)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            root = node_hash(root, hashed)
        first, last = first >> 1, last >> 1
    return root if last == 0 else None


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1

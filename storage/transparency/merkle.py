"""Merkle trees as RFC 9162, 2.1 has them, over SHA-256: roots, and proofs made and checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

#: The root of a tree without leaves.
EMPTY = sha256().digest()
_BYTES = len(EMPTY)


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


class Tree:
    """A tree with all of its perfect subtrees, of which each earlier state can be asked; two hashes a leaf."""

    def __init__(self, hashes: Iterable[bytes] = ()) -> None:
        """`hashes` are those of the leaves."""
        #: Of each level the roots of the perfect subtrees one behind the other, from the leaves up.
        self._levels = [bytearray()]
        for each in hashes:
            self.append(each)

    @property
    def size(self) -> int:
        return len(self._levels[0]) // _BYTES

    def append(self, hashed: bytes) -> None:
        """Append the hash of a leaf."""
        for level in self._levels:
            level.extend(hashed)
            if len(level) // _BYTES & 1:
                return
            hashed = node_hash(bytes(level[-2 * _BYTES : -_BYTES]), hashed)
        self._levels.append(bytearray(hashed))

    def root(self, size: int) -> bytes:
        """The root over the first `size` leaves. Raises `IndexError`."""
        if not 0 <= size <= self.size:
            raise IndexError(size)
        return self._over(0, size) if size else EMPTY

    def inclusion_path(self, index: int, size: int) -> list[bytes]:
        """The proof that the leaf `index` is in the tree over `size` leaves (2.1.3.1). Raises `IndexError`."""
        if not 0 <= index < size <= self.size:
            raise IndexError(index)
        start, end, path = 0, size, []
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._over(middle, end))
                end = middle
            else:
                path.append(self._over(start, middle))
                start = middle
        return path[::-1]

    def consistency_path(self, first: int, size: int) -> list[bytes]:
        """The proof that the tree over `size` leaves goes on from that over `first` (2.1.4.1). Raises `IndexError`."""
        if not 0 <= first <= size <= self.size:
            raise IndexError(first)
        if first in (0, size):
            return []
        start, end, path = 0, size, []
        while end != first:
            middle = start + _split(end - start)
            if first <= middle:
                path.append(self._over(middle, end))
                end = middle
            else:
                path.append(self._over(start, middle))
                start = middle
        # Who asks has the root over `first` already where it is a perfect tree.
        return [*([self._over(start, end)] if start else []), *reversed(path)]

    def _over(self, start: int, end: int) -> bytes:
        width = end - start
        level = width.bit_length() - 1
        if width == 1 << level and not start & (width - 1):
            at = (start >> level) * _BYTES
            return bytes(self._levels[level][at : at + _BYTES])
        middle = start + _split(width)
        return node_hash(self._over(start, middle), self._over(middle, end))


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


def are_consistent(first: int, first_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether a path proves that a tree over `size` leaves goes on from one over `first` (2.1.4.2)."""
    if first in (0, size):
        return not path and first_root == (root if first else EMPTY)
    if not 0 < first < size:
        return False
    before, last = first - 1, size - 1
    while before & 1:
        before, last = before >> 1, last >> 1
    # Where the first is a perfect tree, its root begins the path without being told.
    steps = [first_root, *path] if before == 0 else [*path]
    if not steps:
        return False
    begun = whole = steps[0]
    for hashed in steps[1:]:
        if last == 0:
            return False
        if before & 1 or before == last:
            begun, whole = node_hash(hashed, begun), node_hash(hashed, whole)
            while before and not before & 1:
                before, last = before >> 1, last >> 1
        else:
            whole = node_hash(whole, hashed)
        before, last = before >> 1, last >> 1
    return last == 0 and (begun, whole) == (first_root, root)


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1

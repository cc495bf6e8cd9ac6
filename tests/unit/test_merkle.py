"""Merkle trees against RFC 9162 as it is written, and the test vectors of Certificate Transparency."""

from __future__ import annotations

import pytest

from storage.transparency.merkle import (
    EMPTY,
    GrowingTree,
    inclusion_path,
    leaf_hash,
    root_from_path,
    root_of,
)

#: Leaves and roots of the reference implementation of Certificate Transparency (RFC 6962).
LEAVES = [
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_roots_are_those_of_certificate_transparency() -> None:
    tree = GrowingTree()
    assert tree.root == EMPTY
    for number, root in enumerate(ROOTS):
        tree.append(LEAVES[number])
        assert tree.root.hex() == root_of([leaf_hash(leaf) for leaf in LEAVES[: number + 1]]).hex() == root
        assert GrowingTree(tree.size, tree.peaks).root == tree.root


@pytest.mark.parametrize("size", range(1, 20))
def test_every_leaf_is_proven_and_nothing_else(size: int) -> None:
    hashes = [leaf_hash(bytes([number])) for number in range(size)]
    root = root_of(hashes)
    for index in range(size):
        path = inclusion_path(hashes, index)
        assert root_from_path(hashes[index], index, size, path) == root
        others = (
            root_from_path(hashes[index], (index + 1) % (size + 1), size, path),
            root_from_path(leaf_hash(b"other"), index, size, path),
            root_from_path(hashes[index], index, size, [*path, EMPTY]),
            root_from_path(hashes[index], index, size, path[:-1]) if path else None,
            root_from_path(hashes[index], index, size, [EMPTY, *path[1:]]) if path else None,
        )
        assert root not in others


@pytest.mark.parametrize(("size", "peaks"), [(1, []), (2, [EMPTY, EMPTY]), (1, [b"short"])])
def test_peaks_of_no_tree_are_refused(size: int, peaks: list[bytes]) -> None:
    with pytest.raises(ValueError, match="has not these peaks"):
        GrowingTree(size, peaks)

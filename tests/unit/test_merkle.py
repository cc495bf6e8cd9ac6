"""Merkle trees against RFC 9162 as it is written, and the test vectors of Certificate Transparency."""

from __future__ import annotations

import pytest

from storage.transparency.merkle import (
    EMPTY,
    GrowingTree,
    Tree,
    are_consistent,
    leaf_hash,
    node_hash,
    root_from_path,
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


def root_of(hashes: list[bytes]) -> bytes:
    """The root as RFC 9162, 2.1.1 defines it."""
    if len(hashes) < 2:
        return hashes[0] if hashes else EMPTY
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node_hash(root_of(hashes[:split]), root_of(hashes[split:]))


def test_roots_are_those_of_certificate_transparency() -> None:
    tree = GrowingTree()
    assert tree.root == EMPTY
    for number, root in enumerate(ROOTS):
        tree.append(LEAVES[number])
        assert tree.root.hex() == root_of([leaf_hash(leaf) for leaf in LEAVES[: number + 1]]).hex() == root
        assert GrowingTree(tree.size, tree.peaks).root == tree.root
        assert Tree(map(leaf_hash, LEAVES)).root(number + 1).hex() == root


@pytest.mark.parametrize("size", range(1, 20))
def test_every_leaf_is_proven_and_nothing_else(size: int) -> None:
    hashes = [leaf_hash(bytes([number])) for number in range(size)]
    root = root_of(hashes)
    tree = Tree([*hashes, EMPTY, EMPTY])
    assert tree.root(size) == root
    for index in range(size):
        path = tree.inclusion_path(index, size)
        assert root_from_path(hashes[index], index, size, path) == root
        others = (
            root_from_path(hashes[index], (index + 1) % (size + 1), size, path),
            root_from_path(leaf_hash(b"other"), index, size, path),
            root_from_path(hashes[index], index, size, [*path, EMPTY]),
            root_from_path(hashes[index], index, size, path[:-1]) if path else None,
            root_from_path(hashes[index], index, size, [EMPTY, *path[1:]]) if path else None,
        )
        assert root not in others


def test_the_paths_are_those_of_certificate_transparency() -> None:
    """RFC 9162, 2.1.5: the example's tree of seven leaves, with the names that it has there."""
    a, b, c, d, e, f, j = (leaf_hash(each) for each in LEAVES[:7])
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, l_ = node_hash(g, h), node_hash(i, j)
    tree = Tree([a, b, c, d, e, f, j])
    assert [tree.inclusion_path(index, 7) for index in (0, 3, 4, 6)] == [[b, h, l_], [c, g, l_], [f, j, k], [i, k]]
    assert [tree.consistency_path(first, 7) for first in (3, 4, 6)] == [[c, d, g, l_], [l_], [i, j, k]]


@pytest.mark.parametrize("size", range(20))
def test_a_tree_goes_on_from_each_earlier_one_and_from_no_other(size: int) -> None:
    tree = Tree(leaf_hash(bytes([number])) for number in range(20))
    other = Tree(leaf_hash(bytes([number, 0])) for number in range(20))
    root = tree.root(size)
    for first in range(size + 1):
        begun, path = tree.root(first), tree.consistency_path(first, size)
        assert are_consistent(first, begun, size, root, path)
        assert not are_consistent(first, leaf_hash(b"other"), size, root, path)
        assert not are_consistent(first, begun, size, root, [*path, EMPTY])
        assert not are_consistent(size + 1, begun, size, root, path)
        if first > 0:
            assert not are_consistent(first, begun, size, other.root(size), path)
            assert not are_consistent(first, other.root(first), size, root, path)
        for number in range(len(path)):
            assert not are_consistent(first, begun, size, root, [*path[:number], EMPTY, *path[number + 1 :]])
            assert not are_consistent(first, begun, size, root, [*path[:number], *path[number + 1 :]])


@pytest.mark.parametrize(("index", "size"), [(-1, 2), (2, 2), (0, 4), (0, 0)])
def test_of_what_is_not_in_it_there_is_no_path(index: int, size: int) -> None:
    with pytest.raises(IndexError):
        Tree([EMPTY] * 3).inclusion_path(index, size)


@pytest.mark.parametrize(("size", "peaks"), [(1, []), (2, [EMPTY, EMPTY]), (1, [b"short"])])
def test_peaks_of_no_tree_are_refused(size: int, peaks: list[bytes]) -> None:
    with pytest.raises(ValueError, match="has not these peaks"):
        GrowingTree(size, peaks)

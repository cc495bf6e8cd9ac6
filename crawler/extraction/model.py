"""The block model at run time: boosted trees from `model.json`, walked with numpy.

`scripts/train` writes the file. It is one JSON object: `features` (names of the columns, in order), `threshold`
(keep from this probability on), `bias` (log-odds before the first tree), `trees` (each with the lists `feature`,
`threshold`, `left`, `right` and `value`, a place a node; a leaf has feature -1 and its log-odds in `value`; a row goes
left where its feature is at most the threshold) and `training`, the record of how it was made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crawler.extraction.columns import NAMES
from crawler.extraction.features import Matrix


class ModelMismatch(ValueError):
    """The model was trained with other features than this code computes."""


@dataclass(frozen=True, slots=True)
class Model:
    """Boosted trees laid out flat: node `i` of all trees together, its children as places in the same arrays."""

    digest: str
    threshold: float
    bias: float
    roots: NDArray[np.intp]
    feature: NDArray[np.intp]
    split: NDArray[np.float64]
    #: Children of each node, right first: the place of the next node is `children[node, row <= split]`.
    children: NDArray[np.intp]
    value: NDArray[np.float64]
    depth: int

    def probabilities(self, rows: Matrix) -> NDArray[np.float64]:
        """Return for each row the probability (0 to 1) that the block belongs to the article."""
        nodes = np.repeat(self.roots[None, :], len(rows), axis=0)
        # Flat look-ups: all rows' values in one array, and each node's two children side by side.
        values, children = np.ascontiguousarray(rows).ravel(), self.children.ravel()
        starts = np.arange(len(rows))[:, None] * rows.shape[1]
        for _ in range(self.depth):
            left = values.take(starts + self.feature.take(nodes)) <= self.split.take(nodes)
            nodes = children.take(2 * nodes + left)
        odds = self.value[nodes].sum(axis=1) + self.bias
        return np.asarray(1.0 / (1.0 + np.exp(-odds)), dtype=np.float64)


def build(content: Mapping[str, Any], digest: str) -> Model:
    """Return the model a parsed model file describes. Raises `ModelMismatch`."""
    if tuple(content["features"]) != NAMES:
        raise ModelMismatch("model.json was trained with other features; run scripts/train again")
    trees: Sequence[Mapping[str, list[float]]] = content["trees"]
    sizes = [len(tree["feature"]) for tree in trees]
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
    feature = np.concatenate([tree["feature"] for tree in trees]).astype(np.intp)
    offsets = np.repeat(roots, sizes)
    children = np.stack(
        [np.concatenate([tree[side] for tree in trees]).astype(np.intp) + offsets for side in ("right", "left")], axis=1
    )
    # A leaf is its own child, so that all trees can be walked to the depth of the deepest.
    leaf = feature < 0
    children[leaf] = np.flatnonzero(leaf)[:, None]
    feature[leaf] = 0
    return Model(
        digest=digest,
        threshold=float(content["threshold"]),
        bias=float(content["bias"]),
        roots=roots,
        feature=feature,
        split=np.concatenate([tree["threshold"] for tree in trees]).astype(np.float64),
        children=children,
        value=np.concatenate([tree["value"] for tree in trees]).astype(np.float64),
        depth=_depth(children, roots),
    )


def _depth(children: NDArray[np.intp], roots: NDArray[np.intp]) -> int:
    """How many steps the longest way from a root to a leaf has."""
    depth, nodes = 0, roots
    while True:
        below = np.unique(children[nodes])
        if np.array_equal(below, nodes):
            return depth
        depth, nodes = depth + 1, below


@lru_cache(maxsize=1)
def shipped() -> Model:
    """Return the model that is part of the package; read once a process. Raises `ModelMismatch`."""
    data = files(__package__).joinpath("model.json").read_bytes()
    return build(json.loads(data), f"sha256:{hashlib.sha256(data).hexdigest()}")

"""The block model at run time: boosted trees from `model.json`, walked with numpy.

`scripts/train` writes the file. It is one JSON object: `features` (names of the columns, in order), `threshold`
(keep from this probability on), `bias` (log-odds before the first tree), `trees` (each with the lists `feature`,
`threshold`, `left`, `right` and `value`, a place a node; a leaf has feature -1 and its log-odds in `value`; a row goes
left where its feature is at most the threshold), `confidence` (see `classify.confidence`) and `training`, the record
of how it was made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crawler.extraction.classify.confidence import Confidence
from crawler.extraction.classify.feature_names import NAMES
from crawler.extraction.classify.features import Matrix

#: A tree's leaves are the bits of a byte.
MOST_LEAVES = 8
_ALL = (1 << MOST_LEAVES) - 1


class ModelMismatch(ValueError):
    """The model file is not for this code: it has other features, or larger trees."""


@dataclass(frozen=True, slots=True)
class Model:
    """Boosted trees, laid out for walking all of them at once, without a step from node to node.

    A tree's leaves are numbered from left to right. A row that goes right at a node rules out the leaves under the
    node's left; of the leaves that no node rules out, the leftmost is where the row ends (the way of QuickScorer).
    """

    digest: str
    threshold: float
    bias: float
    #: The inner nodes of all trees, in order: column, threshold, and the leaves under its right and elsewhere as bits.
    feature: NDArray[np.intp]
    split: NDArray[np.float32]
    stay: NDArray[np.uint8]
    #: The place of each tree's first node.
    starts: NDArray[np.intp]
    #: Log-odds by tree and by set of leaves left over, 256 places a tree.
    value: NDArray[np.float64]
    #: How sure it is of a page as a whole; `None` for a model whose confidence nobody has fitted yet.
    confidence: Confidence | None = None

    def probabilities(self, rows: Matrix) -> NDArray[np.float64]:
        """Return for each row the probability (0 to 1) that the block belongs to the article."""
        # A node a line, so that the trees' nodes are whole lines.
        goes_left = np.ascontiguousarray(rows.T).take(self.feature, axis=0) <= self.split[:, None]
        left = goes_left.view(np.uint8)
        # All leaves where the row goes left, without branches: 1 times what may go, and what stays in any case.
        left *= ~self.stay[:, None]
        left |= self.stay[:, None]
        leaves = np.bitwise_and.reduceat(left, self.starts, axis=0)
        found = self.value.take(leaves + 256 * np.arange(len(self.starts))[:, None])
        odds = found.sum(axis=0) + self.bias
        return np.asarray(1.0 / (1.0 + np.exp(-odds)), dtype=np.float64)


def build(content: Mapping[str, Any], digest: str) -> Model:
    """Return the model a parsed model file describes.

    Raises `ModelMismatch` for other features or signs than ours, and for trees of more than `MOST_LEAVES` leaves.
    """
    if tuple(content["features"]) != NAMES:
        raise ModelMismatch("model.json was trained with other features; run scripts/train again")
    trees = [_Tree.of(tree) for tree in content["trees"]]
    return Model(
        digest=digest,
        threshold=float(content["threshold"]),
        bias=float(content["bias"]),
        feature=np.concatenate([tree.feature for tree in trees]).astype(np.intp),
        split=_rounded_down(np.concatenate([tree.split for tree in trees])),
        stay=np.concatenate([tree.stay for tree in trees]).astype(np.uint8),
        starts=np.cumsum([0, *(len(tree.feature) for tree in trees)])[:-1].astype(np.intp),
        value=np.concatenate([tree.by_leaves() for tree in trees]),
        confidence=_confidence(content.get("confidence")),
    )


def _confidence(content: Mapping[str, Any] | None) -> Confidence | None:
    if content is None:
        return None
    try:
        return Confidence.of(content)
    except ValueError as error:
        raise ModelMismatch(f"{error}; run scripts/train again") from error


@dataclass(slots=True)
class _Tree:
    """A tree's inner nodes and its leaves' values, both from left to right."""

    feature: list[int] = field(default_factory=list)
    split: list[float] = field(default_factory=list)
    stay: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, nodes: Mapping[str, list[Any]]) -> _Tree:
        """Return the tree that the lists of the model file describe."""
        tree = cls()
        tree._add(nodes, 0)
        if len(tree.values) > MOST_LEAVES:
            raise ModelMismatch(f"a tree of model.json has more than {MOST_LEAVES} leaves")
        if not tree.feature:
            # A leaf alone: a node at which every row goes left.
            tree.feature, tree.split, tree.stay = [0], [np.inf], [_ALL]
        return tree

    def _add(self, nodes: Mapping[str, list[Any]], at: int) -> None:
        if nodes["feature"][at] < 0:
            self.values.append(nodes["value"][at])
            return
        first = len(self.values)
        self._add(nodes, nodes["left"][at])
        ruled_out = (1 << len(self.values)) - (1 << first)
        self.feature.append(nodes["feature"][at])
        self.split.append(nodes["threshold"][at])
        self.stay.append(_ALL & ~ruled_out)
        self._add(nodes, nodes["right"][at])

    def by_leaves(self) -> NDArray[np.float64]:
        """The value of the lowest of the leaves in each of the 256 sets; 0.0 where the tree has none of them."""
        found = np.zeros(_ALL + 1)
        for leaf in reversed(range(len(self.values))):
            found[np.arange(_ALL + 1) & (1 << leaf) > 0] = self.values[leaf]
        return found


def _rounded_down(splits: NDArray[np.float64]) -> NDArray[np.float32]:
    """The thresholds in the precision of the features: the same of them are at most as large."""
    near = splits.astype(np.float32)
    return np.where(near > splits, np.nextafter(near, np.float32(-np.inf)), near)


@lru_cache(maxsize=1)
def shipped() -> Model:
    """Return the model that is part of the package; read once a process. Raises `ModelMismatch`."""
    data = files(__package__).joinpath("model.json").read_bytes()
    return build(json.loads(data), f"sha256:{hashlib.sha256(data).hexdigest()}")

"""The model file: what is in the shipped one, and that the trees are walked as written."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Any

import numpy as np
import pytest

from crawler.extraction.classify.boosted_trees import ModelMismatch, build, shipped
from crawler.extraction.classify.features import NAMES

WORDS = NAMES.index("words")


def content(**changes: Any) -> dict[str, Any]:
    """Two trees: the second is a leaf alone."""
    deep = {
        "feature": [WORDS, -1, WORDS + 1, -1, -1],
        "threshold": [5.0, 0.0, 1.0, 0.0, 0.0],
        "left": [1, 0, 3, 0, 0],
        "right": [2, 0, 4, 0, 0],
        "value": [0.0, -3.0, 0.0, 1.0, 2.0],
    }
    leaf = {"feature": [-1], "threshold": [0.0], "left": [0], "right": [0], "value": [0.25]}
    return {"features": list(NAMES), "threshold": 0.5, "bias": -0.25, "trees": [deep, leaf], **changes}


def rows(*words: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    made = np.zeros((len(words), len(NAMES)), dtype=np.float32)
    made[:, WORDS] = words
    return made


def test_trees_are_walked_as_written() -> None:
    model = build(content(), "sha256:0")
    given = rows(5, 6, 6)
    given[2, WORDS + 1] = 2
    odds = np.array([-3.0, 1.0, 2.0])
    assert model.probabilities(given) == pytest.approx(1 / (1 + np.exp(-odds)))


def test_no_rows_give_no_probabilities() -> None:
    assert build(content(), "").probabilities(rows()).shape == (0,)


def test_other_features_are_refused() -> None:
    with pytest.raises(ModelMismatch):
        build(content(features=["words"]), "")


def test_row_at_a_threshold_goes_left_though_features_are_less_precise() -> None:
    above = float(np.nextafter(np.float32(0.1), np.float32(1)))
    tree = {"feature": [WORDS, -1, -1], "threshold": [0.1, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0]}
    model = build(content(bias=0.0, trees=[{**tree, "value": [0, -1, 1]}]), "")
    # The nearest float32 is above 0.1.
    answers = model.probabilities(rows(0.09, 0.1, above))
    assert answers == pytest.approx(1 / (1 + np.exp(-np.array([-1.0, 1.0, 1.0]))))


def test_tree_of_more_leaves_than_a_byte_has_bits_is_refused() -> None:
    inner = [2 * at for at in range(8)]
    chain: dict[str, list[Any]] = {
        "feature": [WORDS if at in inner else -1 for at in range(17)],
        "threshold": [float(at) for at in range(17)],
        "left": [at + 1 if at in inner else 0 for at in range(17)],
        "right": [at + 2 if at in inner else 0 for at in range(17)],
        "value": [0.0 if at in inner else float(at) for at in range(17)],
    }
    with pytest.raises(ModelMismatch):
        build(content(trees=[chain]), "")
    chain["feature"][14] = -1
    last = build(content(trees=[chain], bias=0.0), "").probabilities(rows(12.0, 12.5))
    assert last == pytest.approx(1 / (1 + np.exp(-np.array([13.0, 0.0]))))


def test_shipped_model_names_its_digest_and_how_it_was_made() -> None:
    data = files("crawler.extraction.classify").joinpath("model.json").read_bytes()
    assert shipped().digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert len(data) < 400_000
    record = json.loads(data)["training"]
    assert record["data"].startswith("sha256:")
    assert {"date", "folds", "cross-fitted F1", "versions", "pages"} <= record.keys()


def test_shipped_model_is_read_once() -> None:
    assert shipped() is shipped()

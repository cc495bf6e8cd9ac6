"""The model file: what is in the shipped one, and that the trees are walked as written."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Any

import numpy as np
import pytest

from crawler.extraction.features import NAMES
from crawler.extraction.model import ModelMismatch, build, shipped

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
    assert model.depth == 2
    given = rows(5, 6, 6)
    given[2, WORDS + 1] = 2
    odds = np.array([-3.0, 1.0, 2.0])
    assert model.probabilities(given) == pytest.approx(1 / (1 + np.exp(-odds)))


def test_no_rows_give_no_probabilities() -> None:
    assert build(content(), "").probabilities(rows()).shape == (0,)


def test_other_features_are_refused() -> None:
    with pytest.raises(ModelMismatch):
        build(content(features=["words"]), "")


def test_shipped_model_names_its_digest_and_how_it_was_made() -> None:
    data = files("crawler.extraction").joinpath("model.json").read_bytes()
    assert shipped().digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert len(data) < 400_000
    record = json.loads(data)["training"]
    assert record["data"].startswith("sha256:")
    assert {"date", "folds", "cross-fitted F1", "versions", "pages"} <= record.keys()


def test_shipped_model_is_read_once() -> None:
    assert shipped() is shipped()

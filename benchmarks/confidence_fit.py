"""Fits how sure the classification is of a page, and measures how well that holds on sites it was not fitted on.

A logistic regression of "the text is right" on the signs of `crawler.extraction.classify.confidence`. Needs
scikit-learn; `scripts/train` calls it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from crawler.extraction.classify.confidence import Confidence, Signs, columns

FOLDS = 10


@dataclass(frozen=True, slots=True)
class Case:
    """The judgement of a page by a model that has not seen its site, and whether the text is right."""

    source: str
    #: Registered domain: the pages of one are in the same fold.
    domain: str
    signs: Signs
    right: bool


def fit(cases: Sequence[Case]) -> dict[str, Any]:
    """Return what the model file says of confidence: the names of the signs, their weights and the bias, in log-odds.

    Every page counts the same.
    """
    scale = StandardScaler()
    rows = scale.fit_transform(np.array([columns(case.signs) for case in cases]))
    found = LogisticRegression(max_iter=1000).fit(rows, [case.right for case in cases])
    weights = found.coef_[0] / scale.scale_
    bias = found.intercept_[0] - weights @ scale.mean_
    return {
        "signs": list(Signs._fields),
        "bias": round(float(bias), 4),
        "weights": [round(float(weight), 4) for weight in weights],
    }


def by_domain(cases: Sequence[Case], seed: int = 0) -> list[str]:
    """Return a fold for each page, the same for all of a registered domain."""
    domains = sorted({case.domain for case in cases})
    random.Random(seed).shuffle(domains)
    place = {name: str(at % FOLDS) for at, name in enumerate(domains)}
    return [place[case.domain] for case in cases]


def by_source(cases: Sequence[Case]) -> list[str]:
    """Return a fold for each page: its source, so that each is judged by what others have marked."""
    return [case.source for case in cases]


def held_out(cases: Sequence[Case], folds: Sequence[str]) -> list[float]:
    """Return for each page the confidence by a fit on the other folds."""
    fits = {
        fold: Confidence.of(fit([case for case, other in zip(cases, folds, strict=True) if other != fold]))
        for fold in set(folds)
    }
    return [fits[fold].probability(case.signs) for case, fold in zip(cases, folds, strict=True)]

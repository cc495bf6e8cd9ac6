"""Whether probabilities hold: what was said beside what came true, in bins of as many pages each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

BINS = 10
#: A text is right as a whole from this F1 on, of runs of four words, against a person's marking.
RIGHT = 0.9


class Bin(NamedTuple):
    """Pages of which about the same was said."""

    pages: int
    #: The lowest and the highest probability said of one.
    lowest: float
    highest: float
    #: The mean of what was said, and the share of which it was true.
    said: float
    true: float


def bins(said: Sequence[float], true: Sequence[bool], count: int = BINS) -> list[Bin]:
    """Return the pages in `count` bins of the same number, the least sure first; fewer bins for fewer pages."""
    answers, outcomes = np.asarray(said, dtype=np.float64), np.asarray(true, dtype=np.float64)
    order = np.argsort(answers, kind="stable")
    parts = [part for part in np.array_split(order, count) if part.size]
    return [
        Bin(
            len(part),
            float(answers[part[0]]),
            float(answers[part[-1]]),
            float(answers[part].mean()),
            float(outcomes[part].mean()),
        )
        for part in parts
    ]


def error(found: Sequence[Bin]) -> float:
    """Return the expected calibration error, 0 to 1: how far the bins are off, each by its pages."""
    pages = sum(one.pages for one in found)
    return sum(one.pages * abs(one.said - one.true) for one in found) / pages if pages else 0.0


def chance(found: Sequence[Bin]) -> float:
    """Return the error to be expected of probabilities that hold exactly, by the luck of so few pages."""
    pages = sum(one.pages for one in found)
    # The mean distance of a normal value from its mean is sqrt(2 / pi) deviations.
    luck = sum(one.pages * np.sqrt(2 / np.pi * one.said * (1 - one.said) / one.pages) for one in found)
    return float(luck) / pages if pages else 0.0


def table(said: Sequence[float], true: Sequence[bool]) -> Iterator[str]:
    """Return a reliability table, a line a bin, and the error."""
    found = bins(said, true)
    yield f"{'said':>13}{'pages':>8}{'mean said':>11}{'true':>7}"
    for one in found:
        yield f"{one.lowest:6.2f} to {one.highest:.2f}{one.pages:7}{one.said:11.3f}{one.true:7.3f}"
    yield f"expected calibration error {error(found):.1%}; {chance(found):.1%} would be chance"


def errors(sources: Sequence[str], said: Sequence[float], true: Sequence[bool]) -> dict[str, dict[str, float]]:
    """Return the error over all pages and over each source's, with what to read it by."""
    found = {"all": _figures(said, true)}
    for source in sorted(set(sources)):
        rows = [at for at, name in enumerate(sources) if name == source]
        found[source] = _figures([said[at] for at in rows], [true[at] for at in rows])
    return found


def _figures(said: Sequence[float], true: Sequence[bool]) -> dict[str, float]:
    found = bins(said, true)
    return {
        "pages": len(said),
        "said": round(float(np.mean(said)), 3),
        "true": round(float(np.mean(true)), 3),
        "error": round(error(found), 4),
        "chance": round(chance(found), 4),
    }


def report(sources: Sequence[str], said: Sequence[float], true: Sequence[bool]) -> Iterator[str]:
    """Return the errors by source and the reliability table of all, a line each."""
    yield f"{'source':30}{'pages':>6}{'said':>8}{'true':>8}{'error':>8}{'chance':>8}"
    for source, row in errors(sources, said, true).items():
        pages, *shares = row.values()
        yield f"{source:30}{pages:6}" + "".join(f"{share:8.3f}" for share in shares)
    yield ""
    yield from table(said, true)

"""How sure an article's text is, as people read it."""

from __future__ import annotations

from math import floor

from storage.model import DOUBTFUL


def whole_percent(confidence: float) -> int:
    """A confidence in hundredths: rounded down, so that what is below a bound is shown below it."""
    # 0.29 * 100 is a little less than 29.
    return floor(confidence * 100 + 1e-9)


def percent(confidence: float) -> str:
    """A confidence as "31 %", see `whole_percent`."""
    return f"{whole_percent(confidence)} %"


def is_doubtful(confidence: float | None) -> bool:
    """Whether a text is listed as doubtful; one of which nobody said is not."""
    return confidence is not None and confidence < DOUBTFUL


def in_words(confidence: float) -> str:
    """What to say of a text: "sure", or "doubtful: 31 %"."""
    return f"doubtful: {percent(confidence)}" if is_doubtful(confidence) else "sure"

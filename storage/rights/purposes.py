"""What follows from signals for a use: whether it is reserved, and by which of them.

Signals that disagree do not cancel each other: the most restrictive one counts (draft-ietf-aipref-vocab, 6.1), whoever
said it and where. Only within one file does the longer path go before the shorter (RFC 9309, 2.2.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, get_args

from storage.rights.signal import Signal, moment_of

Purpose = Literal["search", "ai-input", "ai-train"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
_SEARCH: frozenset[Purpose] = frozenset({"search"})
_INPUT: frozenset[Purpose] = frozenset({"ai-input"})
_TRAINING: frozenset[Purpose] = frozenset({"ai-train"})
_AI = _INPUT | _TRAINING
_ALL = _AI | _SEARCH
_NONE: frozenset[Purpose] = frozenset()
_Values = Mapping[str | None, frozenset[Purpose]]

#: Signal -> value -> the purposes that it reserves; `None` for signals without a value.
_RESERVED: Mapping[str, _Values] = {
    # Content-Signal says "no", Content-Usage "n".
    "search": {"no": _SEARCH, "n": _SEARCH},
    "ai-input": {"no": _INPUT, "n": _INPUT},
    "ai-train": {"no": _TRAINING, "n": _TRAINING},
    # Labels of the aipref drafts, those of earlier ones among them.
    "train-ai": {"n": _TRAINING},
    "train-genai": {"n": _TRAINING},
    "genai": {"n": _TRAINING},
    "ai-use": {"n": _INPUT},
    "ai-output": {"n": _INPUT},
    "ai": {"n": _AI},
    "tdm": {"n": _AI},
    "bots": {"n": _ALL},
    "all": {"n": _ALL},
    # Mining of text and data is what models are made with, and fed with; a search engine's index is not meant.
    "tdm-reservation": {"1": _AI},
    "noai": {None: _AI},
    "noindex": {None: _SEARCH},
    "none": {None: _SEARCH},
    # "Not as a direct input for AI Overviews": Google, whose word it is.
    "nosnippet": {None: _INPUT},
}
#: Of pictures alone.
_OF_IMAGES: Mapping[str, _Values] = {"noimageai": {None: _AI}}


def reserving(signals: Iterable[Signal], purpose: Purpose, now: datetime, *, is_image: bool = False) -> Signal | None:
    """Return the first signal that reserves something for its publisher; `None` where none does.

    `now` decides on `unavailable_after`, which ends a page's time in search results.
    """
    for signal in signals:
        if signal.name == "unavailable_after":
            end = moment_of(signal.value)
            if purpose == "search" and end is not None and end <= now:
                return signal
            continue
        said = _RESERVED.get(signal.name) or (_OF_IMAGES.get(signal.name) if is_image else None)
        if said and purpose in said.get(signal.value, _NONE):
            return signal
    return None

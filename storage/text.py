"""Words, in every script."""

from __future__ import annotations

import re

# Scripts written without spaces: each character counts as a word, as word processors count them.
_UNSPACED = (
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f"
)
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+(?:['’-][^\W{_UNSPACED}]+)*")


def count_words(text: str) -> int:
    """Number of words of a text; each character of an unspaced script (Chinese, Japanese, Thai, …) is one."""
    return sum(1 for _ in _WORD.finditer(text))

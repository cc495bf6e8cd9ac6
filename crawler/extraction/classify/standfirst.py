"""The standfirst: the lines under a headline that sum the article up.

It is listed by itself, as the article's description, like the headline and not as part of the text. Pages often give
the same words in their metadata, cut short; the ones on the page are whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crawler.html.words import tokens
from storage.model import Block

#: What it is left out for.
STANDFIRST = "standfirst"
#: Fewer words are a kicker or a byline.
_LEAST_WORDS = 5
#: In characters; what begins with a longer one is no standfirst.
_LONGEST_WORD = 60
#: A description that was cut says more than this many of the standfirst's words.
_CUT_WORDS = 7


def listed(blocks: Sequence[Block], description: str | None) -> tuple[tuple[Block, ...], str | None]:
    """Return the blocks with the standfirst's reason told, and the description in the words of the page.

    A block is the standfirst when it was left out, stands before the text, and says what the description says.
    """
    if description is None:
        return tuple(blocks), None
    said = tokens(description.rstrip(" .…"))
    if len(said) < _LEAST_WORDS:
        return tuple(blocks), description
    told = list(blocks)
    for number, block in enumerate(blocks):
        if block.kept and block.kind == "p":
            break
        if not block.kept and _begins(block.text, said[0]) and _same(tokens(block.text), said):
            told[number] = replace(block, reason=block.reason._replace(word=STANDFIRST, detail="in the description"))
            if len(block.text) > len(description):
                description = block.text
    return tuple(told), description


def _begins(text: str, word: str) -> bool:
    """Whether this is a text's first word: most of what stands above an article does not even have it."""
    start = text[:_LONGEST_WORD]
    return word in start.lower() and tokens(start)[:1] == [word]


def _same(words: Sequence[str], said: Sequence[str]) -> bool:
    if len(words) < _LEAST_WORDS:
        return False
    if list(words) == list(said):
        return True
    # The last word of what was cut may be half a word.
    last = min(len(words), len(said)) - 1
    return last >= _CUT_WORDS and list(words[:last]) == list(said[:last]) and words[last].startswith(said[last])

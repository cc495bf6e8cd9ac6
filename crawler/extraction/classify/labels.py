"""What trafilatura gives for want of anything else, and is no text: labels of menus, buttons and the page's foot."""

from __future__ import annotations

from collections.abc import Sequence

from crawler.html.elements import BESIDE, Cut
from crawler.html.words import tokens

#: So few words make a sentence, where they end as one: "Nobody was hurt."
_SENTENCE = 3
#: So many words are text though none of them end a sentence: a poem, a table, a list.
_TEXT = 20
#: So many words of sentences are an article, wherever they stand.
_ARTICLE = 60
#: A paragraph with so much of it in links is one.
_LINKED = 0.5
_ENDS = (".", "!", "?", "。", "！", "？", "।", "؟", "۔")
_CLOSING = " \"'”’»)」』）"


def without_labels(text: str, cuts: Sequence[Cut]) -> str:
    """Return the lines of a text that stand in no menu, control or foot of the page; "" where they are but labels.

    Where these hold as many sentences as an article, a site has put its articles there, and nothing is left out.
    """
    beside = {_letters(cut.text) for cut in cuts if cut.excluded in BESIDE}
    menus = " ".join(_letters(cut.text) for cut in cuts if _is_menu(cut))
    # A heading of the text may stand in the menu as well.
    elsewhere = {_letters(cut.text) for cut in cuts if not _is_menu(cut)}
    lines = [line for line in text.splitlines() if line.strip() and _letters(line) not in beside]
    # By the letters: links beside each other need no space between them, and trafilatura may put one.
    labels = [line for line in lines if (letters := _letters(line)) in menus and letters not in elsewhere]
    if sum(len(tokens(line)) for line in labels if _is_sentence(line)) < _ARTICLE:
        lines = [line for line in lines if line not in labels]
    paragraphs = {_letters(cut.text) for cut in cuts if cut.within.tag == "p" and cut.linked < _LINKED}
    is_text = sum(len(tokens(line)) for line in lines) >= _TEXT or any(
        _is_sentence(line) or _letters(line) in paragraphs for line in lines
    )
    return "\n".join(lines) if is_text else ""


def _letters(text: str) -> str:
    return "".join(tokens(text))


def _is_sentence(line: str) -> bool:
    line = line.rstrip(_CLOSING)
    # Three points wait for something: "Loading …", "Read more...".
    return len(tokens(line)) >= _SENTENCE and line.endswith(_ENDS) and not line.endswith("..")


def _is_menu(cut: Cut) -> bool:
    """Whether a block stands in a menu or control, or in a <footer> that is the page's and no article's."""
    if cut.excluded is not None:
        return True
    tags = []
    element = cut.within
    while element.parent is not None:
        tags.append(element.tag)
        element = element.parent
    return "footer" in tags and not {"article", "main", "section"} & set(tags)

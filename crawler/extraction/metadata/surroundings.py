"""Whether a byline or a date on a page is the article's own, by what stands around it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from lxml.etree import _Element

from crawler.extraction.metadata.html_metadata import letters_of
from crawler.html.elements import HEADINGS

#: What stands here is somebody else's byline or date, or a photographer's.
_ELSEWHERE = frozenset({"aside", "nav", "footer", "figure", "figcaption", "form", "head"})
_FOREIGN = (
    *(
        "comment",
        "kommentar",
        "comentari",
        "commenti",
        "related",
        "teaser",
        "caption",
        "credit",
        "sidebar",
        "recommend",
    ),
    *("footer", "card", "most-", "promo", "widget", "biograph", "more-from", "trending", "newsletter", "copyright"),
    *("calendar", "read-next", "see-also", "outbrain", "taboola", "weather"),
)
_FOREIGN_WORD = re.compile(r"\b(?:events?|repl(?:y|ies)|latest|popular|archives?|ticker|agenda|termine)\b")
# Items of schema.org that have dates and authors of their own.
_OTHER_ITEM = re.compile(r"(?:Event|Comments?|Product|Offer|VideoObject|AudioObject|ImageObject|JobPosting|Answer)$")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_FOOT = re.compile(r"(?:^|\s)(?:(?:post|entry|article|news)-)?footer(?:\s|$)", re.IGNORECASE)
#: Names of an element that is one article of a page.
_OWN = re.compile(r"(?:^|\s)(?:hentry|article|post|entry|news-single|blog-post)(?:\s|$)", re.IGNORECASE)
#: Words of a teaser, at most, and words of a link in it that make it one.
_TEASER, _HEADLINE = 50, 5
#: Letters of a link in a heading, at least.
_LETTERS = 4
_LEVELS = 6


def is_foreign(element: _Element, heading: _Element | None) -> bool:
    """Return whether an element belongs to something else than the page's article, whose headline is `heading`."""
    around = () if heading is None else tuple(heading.iterancestors())
    for each in (element, *element.iterancestors()):
        if each in around:
            # What is around the headline is around the article.
            return False
        if is_own_foot(each, around):
            continue
        if each.tag in _ELSEWHERE or _is_other_item(each):
            return True
        if each.tag == "article" and any(other.tag == "article" for other in around):
            # A teaser within or beside the article.
            return True
        # A "vcard" is no card: themes of WordPress mark authors so.
        label = f"{each.get('class') or ''} {each.get('id') or ''}".lower().replace("vcard", "")
        is_named = _FOREIGN_WORD.search(label) is not None or any(word in label for word in _FOREIGN)
        if is_named and each.tag not in ("body", "html", "main"):
            return True
    return False


def is_own_foot(element: _Element, around: Collection[_Element]) -> bool:
    """Return whether an element is the foot of the article itself, where themes of blogs say who wrote it and when."""
    above = element.getparent()
    if above is None or above not in around or above.tag in ("body", "html", "main"):
        return False
    is_foot = element.tag == "footer" or _FOOT.search(element.get("class") or "") is not None
    return is_foot and (above.tag == "article" or _OWN.search(above.get("class") or "") is not None)


def is_masthead(element: _Element, heading: _Element) -> bool:
    """Return whether an element before the headline stands in the head of the site, as the date of today does."""
    around = tuple(heading.iterancestors())
    above = [each for each in element.iterancestors() if each not in around]
    return any(each.tag == "header" or each.get("role") == "banner" for each in above) and not any(
        each.tag == "article" for each in above
    )


def is_teaser(element: _Element, heading: _Element) -> bool:
    """Return whether an element stands in a small box with a linked headline: that of another article."""
    around = (heading, *heading.iterancestors())
    above = element.getparent()
    for _ in range(_LEVELS):
        if above is None or above in around or not _is_short(above):
            return False
        if any(_is_headline(each, heading) for each in above.iter("a", *HEADINGS)):
            return True
        above = above.getparent()
    return False


def _is_other_item(element: _Element) -> bool:
    """Whether microdata says that this is an event, a comment, a product or a film, and not the article."""
    kind = (element.get("itemtype") or "").strip().rstrip("/").rsplit("/", 1)[-1]
    return _OTHER_ITEM.search(kind) is not None and element.tag not in ("body", "html")


def _is_headline(element: _Element, heading: _Element) -> bool:
    """Whether this is another article's headline: a long link, or a heading that is a link but for little of it."""
    if element is heading:
        return False
    if element.tag == "a":
        return len(_WORD.findall(_text(element))) >= _HEADLINE
    # Buttons stand in headings too: "Size: T | T".
    size = max(_LETTERS, 0.5 * len(letters_of(_text(element))))
    links = (*element.iter("a"), *element.iterancestors("a"))
    return any(len(letters_of(_text(link))) >= size for link in links)


def _text(element: _Element) -> str:
    return " ".join(map(str, element.itertext("*")))


def _is_short(element: _Element) -> bool:
    return next(_beyond(element, _TEASER), None) is None


def _beyond(element: _Element, words: int) -> Iterator[str]:
    """The pieces of an element's text after so many words."""
    for piece in element.itertext("*"):
        words -= len(str(piece).split())
        if words < 0:
            yield str(piece)

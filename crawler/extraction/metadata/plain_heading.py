"""The headline of a page that has no heading: a bold line, a cell of a table, a <div> that says what <title> says."""

from __future__ import annotations

from lxml.etree import _Element

from crawler.extraction.metadata.html_metadata import HtmlMetadata
from crawler.extraction.metadata.titles import hung, is_label
from crawler.html.jsonld import plain

_TAGS = ("div", "p", "td", "th", "span", "font", "b", "strong", "big", "center", "h4", "h5", "h6")
_ELSEWHERE = frozenset({"a", "nav", "li", "button", "header", "footer", "aside"})
#: Characters of what is compared.
_LONGEST = 300


def plain_heading(page: HtmlMetadata) -> tuple[_Element, str] | None:
    """Return the first line that the page's title begins or ends with, where no <h1> and no lower heading is one.

    A line in a link is another page's headline, or a step of the way to this one.
    """
    named = (page.html_title, *(plain(text) for text in page.metas("og:title")[:1]))
    titles = [" ".join(title.split()) for title in named if 0 < len(title) <= _LONGEST]
    if not titles or any(each.tag == "h1" for each, _ in page.headings):
        return None
    if any(_is_one(text, titles) for _, text in page.headings):
        return None
    # As most lines neither begin nor end so, the rest is not asked of them.
    begin, end = tuple({title[:2] for title in titles}), tuple({title[-2:] for title in titles})
    for element in page.tree.iter(*_TAGS):
        text = element.text
        if not text or (not (text := text.strip()).startswith(begin) and not text.endswith(end)):
            continue
        if not _is_one(line := " ".join(text[:_LONGEST].split()), titles):
            continue
        if not any(each.tag in _ELSEWHERE for each in (element, *element.iterancestors())):
            return element, line
    return None


def _is_one(line: str, titles: list[str]) -> bool:
    return len(line) > 1 and any(hung(line, title) for title in titles) and not is_label(line)

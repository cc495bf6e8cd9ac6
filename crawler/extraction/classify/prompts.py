"""Prompts between the paragraphs: "Read also: …" and the link to another article."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from crawler.html.elements import Cut
from crawler.html.words import tokens

#: In words; a longer beginning is a sentence.
_LONGEST_PREFIX = 4
#: In words; fewer are a name or an address, not a headline.
_LEAST_HEADLINE = 4
_PREFIX = re.compile(r"^([^:：]{1,60})[:：]\s*(.*)$", re.DOTALL)
_SENTENCE_END = tuple(".!。！")


def prompts(cuts: Sequence[Cut], kept: Sequence[bool], url: str) -> Iterator[int]:
    """Yield the kept blocks that say a word or two, a colon, and link to another page of the site by its headline.

    No language is known here: the words are told from a sentence by their place and the link behind them.
    """
    host = _host(url)
    for at, cut in enumerate(cuts):
        if not kept[at] or cut.kind not in {"p", "li", "quote"}:
            continue
        if _is_prompt(cut) and _leads_on(cut.href, host):
            yield at
        elif (
            at + 1 < len(cuts) and _announces(cut) and _is_headline(cuts[at + 1]) and _leads_on(cuts[at + 1].href, host)
        ):
            yield at
            if kept[at + 1]:
                yield at + 1


def _is_prompt(cut: Cut) -> bool:
    parts = _PREFIX.match(cut.text)
    if parts is None or cut.links != 1 or not cut.ends_linked or cut.text.endswith(_SENTENCE_END):
        return False
    prefix, rest = parts.groups()
    # All that is behind the colon is the link, or the prefix is in it as well.
    linked = cut.linked * len("".join(cut.text.split()))
    behind = len("".join(rest.split()))
    return (
        len(tokens(prefix)) <= _LONGEST_PREFIX
        and not any(map(str.isdigit, prefix))
        and len(tokens(rest)) >= _LEAST_HEADLINE
        and linked >= 0.9 * behind
        and not _names_its_address(rest, cut.href)
    )


def _leads_on(href: str, host: str) -> bool:
    """Whether a link leads to another page of the same site: what lies elsewhere is a source, "#…" this page."""
    there = _host(href)
    return not href.startswith("#") and (not there or not host or there == host or there.endswith(f".{host}"))


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _announces(cut: Cut) -> bool:
    return cut.text.endswith((":", "：")) and 0 < len(cut.words) <= _LONGEST_PREFIX and cut.linked == 0.0


def _is_headline(cut: Cut) -> bool:
    return (
        cut.kind == "p"
        and cut.linked >= 0.9
        and cut.links == 1
        and len(cut.words) >= _LEAST_HEADLINE
        and not cut.text.endswith(_SENTENCE_END)
        and not _names_its_address(cut.text, cut.href)
    )


def _names_its_address(text: str, href: str) -> bool:
    """Whether a link shows where it leads ("www.example.org/help"): it is told, not recommended."""
    return "." in text and "".join(text.split()).lower().removeprefix("https://").rstrip("/") in href.lower()

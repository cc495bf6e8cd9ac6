"""Prompts between the paragraphs: "Read also: …" and the link to another article."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from crawler.html.elements import Cut
from crawler.html.links import host_of, leads_on
from crawler.html.words import tokens

#: In characters; what is longer is a paragraph.
_LONGEST_ALSO = 250
#: The share of a link's line that is in the link.
_LINKED = 0.9
#: In words; a longer beginning is a sentence.
_LONGEST_PREFIX = 4
#: In words; fewer are a name or an address, not a headline.
_LEAST_HEADLINE = 4
_PREFIX = re.compile(r"^([^:：]{1,60})[:：]\s*(.*)$", re.DOTALL)
# Where there is no colon. Words that stand at links to other articles and begin no sentence.
_ALSO = re.compile(
    r"\W*(?:read (?:also|more|next)|also read|see also|more on this|related (?:stor(?:y|ies)|articles?|news)"
    r"|lesen sie auch|lies auch|mehr zum thema|(?:à )?lire aussi|sur le même sujet|lea también|lee también"
    r"|te puede interesar|leia (?:também|mais)|saiba mais|leggi anche|lees ook|czytaj (?:także|też|również)"
    r"|zobacz (?:także|też|również)|přečtěte si také|čtěte také|läs (?:också|även)|les også|læs også|lue myös"
    r"|olvassa el ezt is|citește și|citiți și|читайте (?:также|також)|по теме|διαβάστε (?:επίσης|ακόμα|ακόμη)"
    r"|ayrıca okuyun|ilgili haberler?|اقرأ أيضا|اقرأ أيضًا|قد يهمك|קראו גם|بیشتر بخوانید|همچنین بخوانید|یہ بھی پڑھیں"
    r"|यह भी पढ़ें|ये भी पढ़ें|আরও পড়ুন|மேலும் படிக்க|อ่านเพิ่มเติม|อ่านข่าวเพิ่มเติม|xem thêm|đọc thêm"
    r"|延伸阅读|延伸閱讀|相关阅读|相关新闻|あわせて読みたい|関連記事|함께 읽기|관련 ?기사|በተጨማሪ ያንብቡ|baca juga"
    r"|pročitajte i|прочетете още)(?!\w)\W*",
    re.IGNORECASE,
)
#: Links that follow such words on lines of their own.
_MOST_LINKS = 6
_SENTENCE_END = tuple(".!。！")


def prompts(cuts: Sequence[Cut], kept: Sequence[bool], url: str) -> Iterator[int]:
    """Yield the kept blocks that say a word or two, a colon, and link to another page of the site by its headline.

    No language is known here: the words are told from a sentence by their place and the link behind them.
    """
    host = host_of(url)
    for at, cut in enumerate(cuts):
        label = _ALSO.match(cut.text) if _may_lead_on(cuts, kept, at) else None
        if label and not cut.text.endswith(_SENTENCE_END):
            yield from _also(cuts, kept, at, label.end(), host)
        if not kept[at] or cut.kind not in {"p", "li", "quote"}:
            continue
        if _is_prompt(cut) and leads_on(cut.href, host):
            yield at
        elif (
            at + 1 < len(cuts) and _announces(cut) and _is_headline(cuts[at + 1]) and leads_on(cuts[at + 1].href, host)
        ):
            yield at
            if kept[at + 1]:
                yield at + 1


def _may_lead_on(cuts: Sequence[Cut], kept: Sequence[bool], at: int) -> bool:
    """Whether a line or the next is kept and ends in a link: of all others no words need be read."""
    cut = cuts[at]
    if len(cut.text) >= _LONGEST_ALSO:
        return False
    if cut.links:
        return kept[at] and cut.ends_linked
    return at + 1 < len(cuts) and cuts[at + 1].linked >= _LINKED and (kept[at] or kept[at + 1])


def _also(cuts: Sequence[Cut], kept: Sequence[bool], at: int, begin: int, host: str) -> Iterator[int]:
    """A line that begins with such words, if the rest of it is a link; what is linked below it, if that is all."""
    cut = cuts[at]
    rest = cut.text[begin:]
    if rest:
        linked = cut.linked * len("".join(cut.text.split()))
        if kept[at] and cut.ends_linked and linked >= _LINKED * len("".join(rest.split())) and leads_on(cut.href, host):
            yield at
        return
    links = []
    for below in range(at + 1, min(at + 1 + _MOST_LINKS, len(cuts))):
        if cuts[below].linked < _LINKED or not leads_on(cuts[below].href, host):
            break
        links.append(below)
    yield from (each for each in ([at, *links] if links else []) if kept[each])


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
        and linked >= _LINKED * behind
        and not _names_its_address(rest, cut.href)
    )


def _announces(cut: Cut) -> bool:
    return cut.text.endswith((":", "：")) and 0 < len(cut.words) <= _LONGEST_PREFIX and cut.linked == 0.0


def _is_headline(cut: Cut) -> bool:
    return (
        cut.kind == "p"
        and cut.linked >= _LINKED
        and cut.links == 1
        and len(cut.words) >= _LEAST_HEADLINE
        and not cut.text.endswith(_SENTENCE_END)
        and not _names_its_address(cut.text, cut.href)
    )


def _names_its_address(text: str, href: str) -> bool:
    """Whether a link shows where it leads ("www.example.org/help"): it is told, not recommended."""
    return "." in text and "".join(text.split()).lower().removeprefix("https://").rstrip("/") in href.lower()

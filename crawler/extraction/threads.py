"""What readers wrote under an article: all that stands under the heading "Comments (24)", whatever it is marked as."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from crawler.extraction.running_text import around, is_text
from crawler.html.elements import Cut, Element

#: In characters; a longer line is no such heading.
_LONGEST = 40
#: In characters: a comment; a paragraph of an article that stands above.
_COMMENT, _PARAGRAPH = 25, 60
# The plural, or a number: "Kommentar" over an article says that it is an opinion, as "评论" does.
_WORDS = (
    "comments|reader comments|readers['’] comments|user comments|guest ?book|condolences|kommentare|leserkommentare"
    "|gästebuch|commentaires|comentarios|comentários|commenti|reacties|kommentarer|læserkommentarer|kommentit|komentarze"
    "|komentáře|komentári|hozzászólások|kommentek|comentarii|комментарии|коментарі|коментари|komentari|σχόλια|yorumlar"
    "|التعليقات|تعليقات|تعليقات القراء|תגובות|نظرات|نظرات کاربران|دیدگاه‌ها|टिप्पणियाँ|टिप्पणियां|মন্তব্যসমূহ|கருத்துகள்"
    "|ความคิดเห็น|bình luận|ý kiến bạn đọc|komentar pembaca|网友评论|最新评论|热门评论|全部评论|评论区|網友評論"
    "|コメント一覧|みんなのコメント|전체 댓글|댓글"
)
_ONE = "comment|kommentar|commentaire|comentario|comentário|commento|reactie|komentarz|комментари(?:й|я|ев)|comentariu"
_ONE += "|komentar|yorum|评论|評論|コメント|댓글|条评论|件のコメント|تعليق"
_NUMBER = r"\(?\s*\d[\d.,]*\s*\)?"
#: What may stand over a part of an article as well: comments below it have who said them, and when.
_WEAK = (
    "discussion|join the discussion|conversation|join the conversation|responses|replies|readers say"
    "|your views|have your say|diskussion|diskussionen|debatte|leserdebatte|reaktionen|meinungen"
    "|stimmen unserer leser|forum|réactions|vos réactions|discussions|débat|debate|opiniones"
    "|discusión|discussione|discussioni|opinioni|discussão|opiniões|discussie|debat|debatt|keskustelu"
    "|dyskusja|opinie|wypowiedzi|diskuse|diskusia|názory|vita|discuții|обсуждение|обсуждения"
    "|мнения читателей|обговорення|дискусия|дискусија|rasprava|συζήτηση|απόψεις|tartışma|görüşler"
    "|نقاش|النقاش|المناقشة|آراء|דיון|דיונים|گفتگو|گفت‌وگو|بحث|चर्चा|প্রতিক্রিয়া|การสนทนา|thảo luận"
    "|diskusi|讨论|討論|讨论区|討論區|ディスカッション|みんなの意見|토론|독자 의견"
)
_HEADING = re.compile(
    rf"\W*(?:(?:{_WORDS})\s*[:：]?\s*(?:{_NUMBER})?|{_NUMBER}\s*(?:{_WORDS}|{_ONE})|(?:{_ONE})\s*[:：]?\s*{_NUMBER})\W*",
    re.IGNORECASE,
)
_WEAK_HEADING = re.compile(rf"\W*(?:{_NUMBER}\s*)?(?:{_WEAK})\s*[:：]?\s*(?:{_NUMBER})?\W*", re.IGNORECASE)
#: So many are said by somebody, each with a day or time in a line of at most so many characters above it.
_SAID, _SAYS_WHO = 2, 60
#: Half a line of Chinese is a sentence.
_ENDS = (".", "!", "?", "…", "。", "！", "？", "।", "؟", "۔")
#: In characters: "Reply", "Report this".
_ANSWER = 30
_NAMED = re.compile(r"comment|komment|discuss?(?!ed)|disqus|\bforum|thread|\brepl(?:y|ies)\b|avatar", re.IGNORECASE)
#: What may stand before the word, and the first two letters of all words.
_BEFORE = "0123456789.,()[] "
_BEGINNINGS = frozenset(word[:2].lower() for word in f"{_WORDS}|{_ONE}|{_WEAK}".split("|"))


def threads(cuts: Sequence[Cut]) -> set[Element]:
    """Return the elements that begin with such a heading and hold more than it, under a text."""
    found: set[Element] = set()
    for at, cut in enumerate(cuts):
        if len(cut.text) > _LONGEST or cut.links or cut.kind == "li" or cut.excluded is not None:
            continue
        # The form takes ten times as long as this, and hardly any line begins so.
        if cut.text.lstrip(_BEFORE)[:2].lower() not in _BEGINNINGS:
            continue
        is_sure = _HEADING.fullmatch(cut.text) is not None
        if is_sure or _WEAK_HEADING.fullmatch(cut.text):
            element = _thread(cuts, at)
            if element is not None and (is_sure or _are_said(cuts[at + 1 :], element)):
                found.add(element)
    return found


def _are_said(cuts: Sequence[Cut], element: Element) -> bool:
    """Whether the texts in an element, these blocks' first, have lines above them, in places alike, that say when.

    There has to be what readers answer with, or a name that programs give to comments, too.
    """
    places: set[str] = set()
    below: Counter[str] = Counter()
    said, is_named = 0, False
    line: Cut | None = None
    for cut in cuts:
        inside = list(around(cut.within))
        if element not in inside:
            break
        if cut.links and len(cut.text) <= _ANSWER:
            below[cut.text] += 1
        is_sentence = cut.text.endswith(_ENDS)
        if len(cut.text) <= _SAYS_WHO and not is_sentence and any(map(str.isdigit, cut.text)):
            line = cut
        elif is_text(cut, _COMMENT, hidden=True):
            if line is not None:
                said += 1
                places.add(line.within.place)
                line = None
            elif not said:
                return False
            own = inside[: inside.index(element) + 1]
            is_named = is_named or any(_NAMED.search(each.names) for each in own)
    return said >= _SAID and len(places) == 1 and (is_named or max(below.values(), default=0) >= _SAID)


def _thread(cuts: Sequence[Cut], at: int) -> Element | None:
    """The innermost element around a heading that holds a comment, unless it holds the article as well."""
    own = list(around(cuts[at].within))
    shown = (cut for cut in cuts[at + 1 :] if is_text(cut, _COMMENT, hidden=cuts[at].hidden))
    comment = next(shown, None)
    if comment is None:
        return None
    of_comment = set(around(comment.within))
    element = next((each for each in own if each in of_comment), None)
    if element is None or (at and element in around(cuts[at - 1].within)):
        # One that does not begin with the heading is the page's, which has a tab for its comments.
        return None
    above = [cut for cut in cuts[:at] if is_text(cut, _PARAGRAPH)]
    if not above or any(element in around(cut.within) for cut in above):
        return None
    return None if any(cut.kind == "h1" and element in around(cut.within) for cut in cuts) else element

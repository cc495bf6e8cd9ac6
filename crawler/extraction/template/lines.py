"""A block's text as a line that may repeat on a site: folded and hashed, with its numbers and without."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from heapq import nsmallest
from zlib import crc32

from crawler.html.words import tokens

#: Lines that are the same for so many characters are the same.
LONGEST = 400
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_QUOTE = re.compile(r"^\s*(?:[\"'“„”»«‘’「『]|[-–—―]\s)")
#: How a notice about the article itself begins, in the languages of news: "Correction:", "Editor's note, 3 May:".
_NOTICE = re.compile(
    r"^\W*(?:corrections?|corrected|clarification|erratum|errata|editor[’']?s[’']? note|note from the editor"
    r"|korrektur|berichtigung|richtigstellung|(?:anmerkung|hinweis) der redaktion|rectificatif|précision"
    r"|note de la rédaction|ndlr|corrección|fe de erratas|fe de errores|rectificación|nota de la redacción|correção"
    r"|retificação|nota da redação|correzione|rettifica|errata corrige|nota della redazione|correctie|rectificatie"
    r"|rettelse|præcisering|presisering|rättelse|förtydligande|korjaus|oikaisu|sprostowanie|korekta|od redakcji|oprava"
    r"|upřesnění|helyesbítés|helyreigazítás|erată|rectificare|исправление|поправка|уточнение|примечание редакции"
    r"|от редакции|виправлення|уточнення|διόρθωση|διευκρίνιση|düzeltme|koreksi|ralat|đính chính|تصحيح|تصويب|توضيح"
    r"|اصلاحیه|תיקון|הבהרה|सुधार|स्पष्टीकरण|訂正|お詫び|정정|바로잡습니다|更正|勘误|勘誤|编者按|編按)"
    r"(?!\w)[^.!?。:：]{0,40}(?:[:：]|\s[–—-]\s)",
    re.IGNORECASE,
)
_END = re.compile(r"[.!?。\uff01\uff1f।؟۔][\s\"'”’»)」』\uff09]*$")
_QUESTION = re.compile(r"[?\uff1f؟\u037e][\s\"'”’»)」』\uff09]*$")
#: Runs of words that tell the form of a line.
_DRAWN = 5
#: What leads in to something else: "Read also: …".
_LEAD = re.compile(r"^\s*([^\s:：|»›→][^:：|»›→]{0,38}?)\s*[:：|»›→]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, folded: without case and punctuation."""

    key: str
    #: The same for other numbers: a rate of today and of tomorrow.
    loose: str
    #: Words that are no numbers; characters where a script has no spaces.
    words: int
    #: Opens with a quotation mark or a dash: somebody speaks.
    quoted: bool
    #: Ends as a sentence does.
    ended: bool
    asks: bool
    #: Says that the article was corrected, or what its editors have to say of it.
    notice: bool
    #: A few of its runs of three words, drawn so that two texts with runs in common mostly have one in common here.
    form: tuple[str, ...]


# Of some hundred pages, about 1 KB each: what has been on a page of a site is on its next one.
@lru_cache(maxsize=8_192)
def line(text: str) -> Line:
    """Return a text's line; the same for its first `LONGEST` characters."""
    text = text[:LONGEST]
    loose = tokens(_NUMBER.sub("0", text))
    return Line(
        short_hash(" ".join(tokens(text)) or text),
        short_hash(" ".join(loose) or text),
        sum(word != "0" for word in loose),
        _QUOTE.match(text) is not None,
        _END.search(text) is not None,
        _QUESTION.search(text) is not None,
        _NOTICE.match(text) is not None,
        _form(loose),
    )


def _form(words: Sequence[str]) -> tuple[str, ...]:
    runs = {crc32(" ".join(run).encode("utf-8", "replace")) for run in zip(words, words[1:], words[2:], strict=False)}
    # The smallest hashes of all: the same runs are drawn wherever they stand.
    return tuple(f"{run:08x}" for run in nsmallest(_DRAWN, runs))


def lead(text: str) -> str | None:
    """Return the hash of what leads in to the rest: "Read also" of "Read also: Ten ways …"; `None` if nothing does."""
    match = _LEAD.match(text)
    return line(match[1]).loose if match else None


def short_hash(text: str) -> str:
    """Return 8 hexadecimal digits: among the thousands of lines of a site's memory hardly two are the same."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=4).hexdigest()

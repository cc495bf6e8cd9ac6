"""A capture cited: in words, as historians, encyclopedias and LaTeX want it, and for programs that keep references.

Every style names the memento, the time of the capture and the digest of its body, so that who follows it can tell
whether they see the same. Names stay as the page has them: which part of one is the family's cannot be told.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import quote

from storage.model import Article, Capture
from storage.urls import site_of, timestamp14

#: Characters that change the direction of what stands around them.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
#: What means something to MediaWiki.
_WIKI = re.compile(r"[|\[\]{}<>]|&(?=[#\w]+;)|''+|~~~+|__|:(?=//)")
#: Characters that LaTeX takes for its own. A brace stands as a name: BibTeX counts those behind a backslash too.
_LATEX = {
    **{char: f"\\{char}" for char in "$&#%_"},
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
}
#: What a URL keeps; all else, and what any of the formats takes for its own, is escaped.
_IN_URLS = "%/:?#@!$&()*+,;=~-._"


@dataclass(frozen=True, slots=True)
class Cited:
    """What is said of a capture: a line each."""

    title: str
    authors: tuple[str, ...]
    site: str
    url: str
    #: ISO 8601, its day; `None` where the page gives no date.
    published: str | None
    language: str | None
    #: Address of the archived page.
    memento: str
    #: In UTC.
    captured: datetime
    #: Of the body, "sha1:…"; `None` where the record has none.
    digest: str | None


def cited(capture: Capture, memento: str, article: Article | None) -> Cited:
    """What there is to cite; without an article the address is the title."""
    return Cited(
        title=_line((article.title if article else None) or capture.url),
        authors=tuple(filter(None, map(_line, article.authors))) if article else (),
        site=site_of(capture.url),
        url=_url(capture.url),
        published=_day(article.published if article else None),
        language=_line(article.language) if article and article.language else None,
        memento=_url(memento),
        captured=capture.timestamp.astimezone(UTC).replace(microsecond=0),
        digest=_line(capture.digest) if capture.digest else None,
    )


def plain(what: Cited) -> str:
    by = f"{', '.join(what.authors)}: " if what.authors else ""
    place = f"{what.site}, {what.published}" if what.published else what.site
    archived = f"Archived {what.captured:%Y-%m-%d %H:%M:%S} UTC: {what.memento}"
    return f"{by}{_ended(what.title)} {place}. {what.url}. {archived}{_in_brackets(what.digest)}"


def chicago(what: Cited) -> str:
    """A note of the Chicago Manual of Style (17th edition, 14.207), with the archived copy beside the address."""
    *others, last = what.authors or ("",)
    by = f"{', '.join(others)}{',' if len(others) > 1 else ''} and {last}" if others else last
    day = _american(date.fromisoformat(what.published)) if what.published else None
    title = what.title if what.title[-1:] in "?!…" else f"{what.title},"
    parts = [*filter(None, [by and f"{by},", f"“{title}”", f"{what.site},", day and f"{day},", f"{what.url},"])]
    archived = f"archived {_american(what.captured)}, {what.captured:%H:%M:%S} UTC, at {what.memento}"
    return f"{' '.join([*parts, archived])}{_in_brackets(what.digest)}."


def wiki(what: Cited) -> str:
    """The template "cite web" of Wikipedia; the digest stands behind it, as a comment."""
    fields: list[tuple[str, str | None]] = [("url", what.url), ("title", _in_wiki(what.title))]
    names = ["author"] if len(what.authors) == 1 else [f"author{number}" for number, _ in enumerate(what.authors, 1)]
    fields += [(name, _in_wiki(author)) for name, author in zip(names, what.authors, strict=True)]
    fields += [("website", what.site), ("date", what.published), ("language", _in_wiki(what.language or ""))]
    fields += [("archive-url", what.memento), ("archive-date", f"{what.captured:%Y-%m-%d}")]
    template = " ".join(f"|{name}={value}" for name, value in fields if value)
    # Two hyphens would end it.
    digest = f", {what.digest}".replace("--", "- -") if what.digest else ""
    return f"{{{{cite web {template}}}}}<!-- {what.captured:%Y-%m-%dT%H:%M:%SZ}{digest} -->"


def bibtex(what: Cited) -> str:
    """An entry for BibTeX and biblatex, in UTF-8; `\\url` is of the package url or hyperref."""
    key = re.sub(r"[^a-z0-9]", "", what.site.lower()) + timestamp14(what.captured)
    digest = f", {_in_latex(what.digest)}" if what.digest else ""
    fields = [
        ("title", f"{{{_in_latex(what.title)}}}"),
        ("author", " and ".join(map(_bibtex_name, what.authors))),
        ("organization", _in_latex(what.site)),
        ("date", what.published),
        ("year", what.published and what.published[:4]),
        ("url", what.url),
        ("urldate", f"{what.captured:%Y-%m-%d}"),
        ("note", f"Archived {what.captured:%Y-%m-%d %H:%M:%S} UTC at \\url{{{what.memento}}}{digest}"),
    ]
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields if value)
    return f"@misc{{{key},\n{lines}\n}}"


def ris(what: Cited) -> str:
    """A reference for Zotero, EndNote and the like."""
    day = what.published.replace("-", "/") + "/" if what.published else None
    fields = [("TY", "ELEC"), ("TI", what.title), *(("AU", author) for author in what.authors), ("T2", what.site)]
    fields += [("PY", what.published[:4] if what.published else ""), ("DA", day or ""), ("LA", what.language or "")]
    fields += [("UR", what.url), ("L2", what.memento), ("Y2", f"{what.captured:%Y/%m/%d}/{what.captured:%H:%M:%S} UTC")]
    fields += [("N1", f"Archived {what.captured:%Y-%m-%dT%H:%M:%SZ}{_in_brackets(what.digest)}"), ("ER", "")]
    return "\n".join(f"{tag}  - {value}" for tag, value in fields if value or tag == "ER")


#: By the names that people know them by.
STYLES: tuple[tuple[str, Callable[[Cited], str]], ...] = (
    ("text", plain),
    ("Chicago", chicago),
    ("Wikipedia", wiki),
    ("BibTeX", bibtex),
    ("RIS", ris),
)


def _url(url: str) -> str:
    """A URL without anything that one of the formats takes for its own; brackets of a host are its own."""
    scheme, slashes, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    # A signature of MediaWiki is three of these.
    return f"{scheme}{slashes}{host}{slash}{quote(path, safe=_IN_URLS)}".replace("~~", "%7E%7E")


def _line(text: str) -> str:
    """A text of somebody else as one line: no control characters, nothing that turns the direction around."""
    spaced = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    return " ".join(_DIRECTIONS.sub("", spaced).split())


def _day(published: str | None) -> str | None:
    try:
        return datetime.fromisoformat(published or "").date().isoformat()
    except ValueError:
        return None


def _american(day: date) -> str:
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"


def _ended(title: str) -> str:
    return title if title[-1:] in (".", "?", "!", "…", "。", "？", "！") else f"{title}."


def _in_brackets(digest: str | None) -> str:
    return f" ({digest})" if digest else ""


def _in_wiki(text: str) -> str:
    """A text in which MediaWiki finds no link, template, tag, entity, italics, signature or switch."""
    return _WIKI.sub(lambda match: "".join(f"&#{ord(char)};" for char in match[0]), text)


def _in_latex(text: str) -> str:
    """A text for LaTeX."""
    return "".join(_LATEX.get(char, char) for char in text)


def _bibtex_name(name: str) -> str:
    """A name that stays whole where BibTeX would cut it."""
    clean = _in_latex(name)
    return f"{{{clean}}}" if "," in name or re.search(r"\band\b", name, re.IGNORECASE) else clean


def in_all_styles(what: Cited) -> Iterable[tuple[str, str]]:
    """Yield the name of each style with the citation in it."""
    return ((name, style(what)) for name, style in STYLES)

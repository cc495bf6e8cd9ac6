"""The column an article stands in: its text and the paper's furniture in the same markup, told apart as it is built."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from itertools import groupby

from newskeep.demo.papers import Paper, Paragraph, Source

_MONTHS = (
    *("januar", "februar", "marts", "april", "maj", "juni"),
    *("juli", "august", "september", "oktober", "november", "december"),
)


@dataclass
class Column:
    """HTML pieces in page order, and the text lines of those that are not the article's."""

    parts: list[str] = field(default_factory=list)
    furniture: list[str] = field(default_factory=list)
    neutral: list[str] = field(default_factory=list)

    @property
    def html(self) -> str:
        return "\n".join(self.parts)

    def add(self, html: str) -> None:
        self.parts.append(html)

    def add_neutral(self, line: str, html: str = "<div>{}</div>") -> None:
        self.neutral.append(line)
        self.parts.append(html.format(escape(line, quote=False)))

    def add_furniture(self, line: str, html: str = "<p>{}</p>") -> None:
        self.furniture.append(line)
        self.parts.append(html.format(escape(line, quote=False)))


def column(paper: Paper, source: Source) -> Column:
    """Return the article's column of a page."""
    return {"kabelavisen": _trade_paper, "tokenheron": _portal}[paper.key](paper, source)


def media(paper: Paper, source: Source) -> str:
    """Return the path of the article's picture, or of the paper's own."""
    return f"/media/{source.picture or paper.facts['picture']}"


def danish_date(moment: str) -> str:
    """2025-10-06T06:45:00+02:00 -> 6. oktober 2025 kl. 06.45"""
    at = datetime.fromisoformat(moment)
    return f"{at.day}. {_MONTHS[at.month - 1]} {at.year} kl. {at:%H.%M}"


def _trade_paper(paper: Paper, source: Source) -> Column:
    made = Column()
    made.add('<article class="artikel">\n<div class="top">')
    made.add(f'<img src="{media(paper, source)}" alt="" width="820" height="360">')
    if source.caption:
        made.add_furniture(source.caption, "<div>{}</div>")
    made.add("</div>")
    made.add_neutral(source.title, "<h1>{}</h1>")
    made.add_neutral(source.deck or "", '<p class="manchet">{}</p>')
    made.add('<div class="af">')
    made.add_neutral("Af " + " og ".join(source.authors), '<span class="byline">{}</span>')
    made.add_neutral(danish_date(source.published), f'<time datetime="{source.published}">{{}}</time>')
    made.add('</div>\n<div class="tekst">')
    _body(made, paper, source, heading="h3")
    _guide(made, paper, source)
    _events(made, paper, source)
    made.add("</div>\n</article>")
    return made


def _guide(made: Column, paper: Paper, source: Source) -> None:
    words = paper.facts["furniture"]
    (company,) = paper.rotated("companies", source, 1)
    made.add_furniture(words["guide"], "<h3>{}</h3>")
    made.add_furniture(words["guide_text"])
    made.add_furniture(company["name"], "<p><strong>{}</strong>")
    made.add_furniture(company["text"], "<br>{}</p>")
    made.add_furniture(words["guide_link"], '<p><a href="/guide/firma">{}</a></p>')
    made.add_furniture(words["guide_join"], '<p><a href="/guide/ny">{}</a></p>')


def _events(made: Column, paper: Paper, source: Source) -> None:
    words = paper.facts["furniture"]
    made.add_furniture(words["events"], "<h3>{}</h3>")
    for event in paper.rotated("events", source, 3):
        made.add_furniture(event["title"], "<p><strong>{}</strong></p>")
        made.add_furniture(event["text"])
        made.furniture.append(f"{event['date']} | {words['event_link']}")
        made.add(f'<p>{event["date"]} | <a href="/kalender">{words["event_link"]}</a></p>')


def _portal(paper: Paper, source: Source) -> Column:
    words = paper.facts["furniture"]
    made = Column(['<div class="news-main">'])
    made.add_furniture(paper.facts["slogan"], "<div>{}</div>")
    made.add_furniture(paper.facts["languages"][0], '<div class="switch">{}')
    made.add_furniture(words["download"], '<br><a href="/en/app">{}</a></div>')
    made.add_neutral(source.title, "<h1>{}</h1>")
    made.add(f'<div class="info"><div>{escape(source.title, quote=False)}</div>')
    made.add_furniture(paper.name, "<div>{}</div>")
    made.add_neutral(f"{words['by']} {', '.join(source.authors)}")
    made.add_neutral(f"{datetime.fromisoformat(source.published):%Y-%m-%d %H:%M}", "<div>{}</div></div>")
    made.add_neutral(source.description, '<div class="abstract">{}</div>')
    made.add_neutral(source.section)
    made.add('<div class="article-body">')
    if source.picture:
        made.add(f'<p><img src="{media(paper, source)}" alt="" width="640" height="320"></p>')
    if source.caption:
        made.add_furniture(source.caption)
    _body(made, paper, source, heading="h2")
    _tools(made, paper, source)
    made.add("</div>\n</div>")
    return made


def _tools(made: Column, paper: Paper, source: Source) -> None:
    """The end of the portal's column: a promotion, rates, the disclaimer, the tools, what is left of a calculator."""
    words = paper.facts["furniture"]
    made.add_furniture(paper.rotated("promos", source, 1)[0])
    for place, rate in enumerate(paper.rotated("rates", source, 3)):
        change = (int(source.number) * 37 + paper.day * 53 + place * 71) % 90 / 10 - 4.5
        price = f"{rate['price'] * (1 + change / 100):,.4g}"
        made.add_furniture(f"{rate['name']} ({rate['symbol']}) ${price} {change:+.1f}% in 24 hours")
    made.add_furniture(words["disclaimer"], "<p><strong>{}</strong></p>")
    made.add_furniture(words["disclaimer_text"])
    made.add("<ul>")
    for tool in words["tools"]:
        made.add_furniture(tool, "<li>{}</li>")
    made.add("</ul>")
    for label in words["calculator"]:
        made.add_furniture(label)


def _body(made: Column, paper: Paper, source: Source, heading: str) -> None:
    for kind, pieces in groupby(source.body, key=lambda piece: piece.kind):
        if kind == "li":
            made.add("<ul>")
        for piece in pieces:
            if kind == "read":
                _read_also(made, paper, paper.source(piece.markup))
            else:
                made.add("".join(_wrapped(piece, heading)))
        if kind == "li":
            made.add("</ul>")


def _read_also(made: Column, paper: Paper, other: Source) -> None:
    word = paper.facts["furniture"]["read"]
    made.furniture.append(f"{word} {other.title}")
    made.add(f'<p><strong>{word}</strong> <a href="{other.path}">{escape(other.title, quote=False)}</a></p>')


def _wrapped(piece: Paragraph, heading: str) -> Iterator[str]:
    tag = {"h2": heading, "quote": "blockquote"}.get(piece.kind, piece.kind)
    inner = escape(piece.markup, quote=False)
    inner = re.sub(r"\[(.+?)\]\((.+?)\)", r'<a href="\2">\1</a>', inner)
    inner = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", inner)
    yield f"<{tag}>{inner}</{tag}>"

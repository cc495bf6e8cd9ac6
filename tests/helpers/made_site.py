"""A site that is made up for a trial: pages whose every line is known to be the article's or the site's.

Furniture stands in the same markup as the text. What tells the two apart is nothing but what repeats, how often, where.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from html import escape

from crawler.extraction import extract
from storage.model import Article

BEGIN = datetime(2026, 10, 5, 7, tzinfo=UTC)
_SYLLABLES = {
    "ja": ("ナ", "ミ", "ソ", "ラ", "港", "町", "橋", "川", "会", "員", "新", "船", "広", "東", "計", "画"),
    "ru": ("во", "ри", "ста", "ме", "лин", "ков", "ра", "до", "ша", "пе", "гор", "ни"),
    "": ("ba", "ki", "lo", "mur", "sten", "ving", "tor", "el", "ras", "hav", "ny", "per", "dal", "ost", "rin", "ga"),
}
#: Sentences with gaps for invented words (w), names (n) and numbers (d).
_FRAMES = {
    "en": (
        "The {w} of {n} has been {w} since the {w} was {w}, and nobody at the {w} can say why.",
        "“We {w} it as we {w} everything,” says {n} of the {w}, who came to {n} in {d}.",
        "It cost {d} crowns and took {d} weeks until {w} and {w} agreed on a {w}.",
        "Against that, {n} {w} that no {w} should be {w} before the {w} is heard.",
        "Whether {w} will {w} depends on {n}, where {d} {w} still wait for their {w}.",
    ),
    "da": (
        "Da {n} for {d} år siden {w} sin {w}, var der ingen, der troede på {w} eller {w}.",
        "”Det har {w} os en del {w},” siger {n}, der selv var med, da {w} blev {w}.",
        "Nu skal {w} betales af {n}, og det bliver {d} kroner dyrere end {w}.",
        "I {n} mener de, at {w} er {w}, så længe {w} ikke {w} noget.",
    ),
    "de": (
        "Seit {n} die {w} {w} hat, stehen {d} {w} leer, und keiner weiß, was {w} wird.",
        "„Wir haben {w} nie {w}“, sagt {n}, der die {w} seit {d} Jahren {w}.",
        "Ob {w} oder {w}: In {n} wird darüber erst {w}, wenn die {w} {w} ist.",
    ),
    "es": (
        "Desde que {n} {w} la {w}, quedan {d} {w} sin {w} y nadie sabe qué será de {w}.",
        "«Nunca hemos {w} una {w} así», dice {n}, que lleva {d} años en {w}.",
        "Para {n}, la {w} depende de que {w} se {w} antes del {w}.",
    ),
    "ru": (
        "С тех пор как {n} {w} {w}, прошло {d} дней, и никто в {n} не знает, что {w}.",
        "Теперь {w} должна {w} {n}, а это на {d} {w} больше, чем {w}.",
    ),
    "ja": ("{n}では{d}年前から{w}が{w}を{w}している。", "「{w}は{w}だ」と{n}の{w}さんは{w}で話した。"),
}


class Prose:
    """Sentences that no other seed has."""

    def __init__(self, language: str, *seed: object) -> None:
        self._chance = random.Random(repr((language, *seed)))
        self._frames = _FRAMES[language]
        self._syllables = _SYLLABLES.get(language, _SYLLABLES[""])

    def word(self) -> str:
        return "".join(self._chance.choices(self._syllables, k=self._chance.randint(2, 4)))

    def name(self) -> str:
        return self.word().capitalize()

    def number(self) -> int:
        return self._chance.randint(2, 980)

    def sentence(self) -> str:
        frame = self._chance.choice(self._frames)
        for gap, fill in (("{w}", self.word), ("{n}", self.name), ("{d}", self.number)):
            while gap in frame:
                frame = frame.replace(gap, str(fill()), 1)
        return frame

    def paragraph(self) -> str:
        return " ".join(self.sentence() for _ in range(self._chance.randint(1, 3)))

    def paragraphs(self, least: int, most: int) -> list[str]:
        return [self.paragraph() for _ in range(self._chance.randint(least, most))]


@dataclass(frozen=True)
class Line:
    """A block of a page; `own`: it is the article's."""

    text: str
    own: bool = True
    tag: str = "p"
    #: The part of the text that is a link.
    link: str = ""
    #: Class of an element of its own around it.
    box: str = ""

    @property
    def html(self) -> str:
        text = escape(self.text, quote=False)
        if self.link:
            link = escape(self.link, quote=False)
            text = text.replace(link, f'<a href="/x/{len(self.link)}">{link}</a>')
        inner = f"<li>{text}</li>" if self.tag == "li" else f"<{self.tag}>{text}</{self.tag}>"
        inner = f"<ul>{inner}</ul>" if self.tag == "li" else inner
        return f'<div class="{self.box}">{inner}</div>' if self.box else inner


def site(text: str, tag: str = "p", link: str = "", box: str = "") -> Line:
    """A line of the site's furniture."""
    return Line(text, own=False, tag=tag, link=link, box=box)


@dataclass(frozen=True)
class Page:
    path: str
    title: str
    lines: Sequence[Line]
    language: str = "en"
    design: str = "story"
    #: Days after the first.
    day: int = 0


@dataclass(frozen=True)
class World:
    """A site with what its pages hold."""

    name: str
    #: How many there are.
    count: int
    made: Callable[[], Sequence[Page]]

    @cached_property
    def pages(self) -> Sequence[Page]:
        """Made when they are first asked for: who collects tests wants the name alone."""
        return self.made()

    @cached_property
    def articles(self) -> Sequence[Article]:
        """The pages' articles, before any memory looks at them."""
        return tuple(_article(self.name, page) for page in self.pages)

    def leaked(self, cleaned: Sequence[Article]) -> list[str]:
        """The lines of the site that an article kept."""
        return [
            line.text
            for page, each in zip(self.pages, cleaned, strict=True)
            for line in page.lines
            if not line.own and line.text in _kept(each)
        ]

    def lost(self, cleaned: Sequence[Article]) -> list[str]:
        """The paragraphs that the page's own extraction had kept, and the memory took."""
        return [
            line.text
            for page, before, after in zip(self.pages, self.articles, cleaned, strict=True)
            for line in page.lines
            if line.own and line.text in _kept(before) - _kept(after)
        ]


def _kept(article: Article) -> set[str]:
    return {block.text for block in article.blocks if block.kept}


_DESIGNS = {
    "story": '<main><article class="story"><h1>{title}</h1><div class="text">{body}</div></article></main>',
    "bare": '<div class="wrap"><div class="left"><h1>{title}</h1><div class="content">{body}</div></div></div>',
}


def _article(host: str, page: Page) -> Article:
    body = "\n".join(line.html for line in page.lines)
    inner = _DESIGNS[page.design].format(title=escape(page.title), body=body)
    html = (
        f'<!doctype html><html lang="{page.language}"><head><meta charset="utf-8"><title>{escape(page.title)}</title>'
        f'<meta property="og:type" content="article"></head><body><nav><ul><li><a href="/">Home</a></li>'
        f'<li><a href="/s">Sections</a></li></ul></nav>{inner}<footer><p>About us</p></footer></body></html>'
    )
    fetched = BEGIN + timedelta(days=page.day, minutes=len(page.title))
    return replace(extract(html, f"https://{host}.example{page.path}", now=fetched), timestamp=fetched)


def pages_of(
    name: str,
    count: int,
    build: Callable[[int, list[Line]], list[Line]],
    *,
    language: str = "en",
    least: int = 4,
    most: int = 8,
    section: Callable[[int], str] = lambda n: "news",
    design: Callable[[int], str] = lambda n: "story",
    title: str | None = None,
) -> World:
    """A site of `count` articles; `build` makes the lines of one of its number and its own paragraphs.

    Each has a title of its own, or all have `title`.
    """

    def made() -> list[Page]:
        pages = []
        for number in range(count):
            prose = Prose(language, name, number)
            told = prose.sentence().rstrip(".")[:60]
            body = [Line(text) for text in prose.paragraphs(least, most)]
            path = f"/{section(number)}/{number}"
            pages.append(Page(path, title or told, build(number, body), language, design(number), number // 3))
        return pages

    return World(name, count, made)

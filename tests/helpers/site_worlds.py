"""Small sites made up for one trial each: pages whose every line is known to be the article's or the site's.

A world is a site as a crawl meets it: so many articles, each with paragraphs of its own, and furniture in the same
markup. What tells the two apart is nothing but what repeats, how often, and where.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
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
            text = text.replace(link, f'<a href="/x/{abs(hash(self.link)) % 997}">{link}</a>')
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
    pages: Sequence[Page]
    articles: Sequence[Article] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "articles", tuple(_article(self.name, page) for page in self.pages))

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
    from dataclasses import replace

    return replace(extract(html, f"https://{host}.example{page.path}", now=fetched), timestamp=fetched)


Build = Callable[[int, Prose], tuple[list[Line], list[Line]]]


def _pages(
    name: str,
    count: int,
    build: Callable[[int, list[Line], Prose], list[Line]],
    *,
    language: str = "en",
    least: int = 4,
    most: int = 8,
    section: Callable[[int], str] = lambda n: "news",
    design: Callable[[int], str] = lambda n: "story",
) -> World:
    pages = []
    for number in range(count):
        prose = Prose(language, name, number)
        title = prose.sentence().rstrip(".")[:60]
        body = [Line(text) for text in prose.paragraphs(least, most)]
        lines = build(number, body, prose)
        pages.append(Page(f"/{section(number)}/{number}", title, lines, language, design(number), number // 3))
    return World(name, pages)


# -- what is the article's ----------------------------------------------------------------------------------------------


def background(count: int, share: int, *, where: str, language: str = "en", foot: bool = True) -> World:
    """The same background in every `share`th article: amid the text, at its end, or as a section with a heading."""
    name = f"background-{where}-{count // share}-of-{count}-{language}" + ("" if foot else "-no-foot")
    told = Prose(language, name, "affair")
    case = [Line("About the case", tag="h2")] if where == "section" else []
    case += [Line(told.paragraph() + " " + told.sentence()) for _ in range(2 if where == "section" else 1)]

    def build(number: int, body: list[Line], prose: Prose) -> list[Line]:
        if number % share == 0:
            at = {"amid": len(body) // 2, "end": len(body), "section": len(body), "start": 0}[where]
            body = [*body[:at], *case, *body[at:]]
        return [*body, *(_FOOT if foot else [])]

    return _pages(name, count, build, language=language)


_FOOT = [
    site("Sign up for our newsletter and get the day's five stories at seven in the morning."),
    site("© 2026 Harbour Post. All rights reserved."),
]

_TOWNS = ("Harwick", "Northby", "Elmstead", "Quarrin", "Saltmere", "Torvale", "Lindholm", "Ashby")
_NOUNS = ("bridge", "clinic", "river", "ferry", "market", "school", "harbour", "station", "mill", "tower")
_FORMS = {
    "bridges": (
        "The {noun} near the {noun} opens its {noun} after {d} days, officials of the {noun} said on day {d}.",
        "It is the {d}th {noun} that {town} has given back to its {noun} in {d} years.",
        "The {noun} cost {d} million crowns, {d} more than the {noun} of {town}.",
        "The {noun} of {town} is to follow on day {d}, if the {noun} holds.",
    ),
    "courts": (
        "The court in {town} has sentenced a man of {d} to {d} months in prison for theft from a {noun}.",
        "He had taken {d} crowns from the {noun} in {town} on the night of the {d}th.",
        "The prosecutor had asked for {d} months, the defence for acquittal.",
        "The verdict can be appealed within {d} days.",
    ),
    "markets": (
        "The {town} index closed at {d}.{d} points on day {d}, up {d} tenths of a percent.",
        "Shares of the {noun} of {town} rose {d} percent after it reported {d} million crowns in profit.",
        "The {noun} of {town} fell {d} percent, the most since day {d}.",
        "A barrel of oil cost {d} crowns in the evening, {d} less than a day before.",
    ),
    "matches": (
        "{town} beat {town} {d}-{d} in front of {d} at the {noun} on matchday {d}.",
        "The first goal came after {d} minutes, the last one {d} minutes before the end.",
        "{town} now has {d} points from {d} matches and is number {d} in the table.",
    ),
    "weather": (
        "Day {d} begins with fog over {town}; from {d} o'clock the sun comes through.",
        "It will be {d} degrees in {town} and {d} by the {noun}.",
        "The wind comes from the west with {d} metres a second.",
        "The sun sets at {d}.{d}.",
    ),
    "obituaries": (
        "{town}'s old keeper of the {noun} has died at the age of {d}.",
        "Born in {town}, the keeper came to the {noun} in 19{d} and stayed for {d} years.",
        "The keeper leaves {d} children and {d} grandchildren.",
        "The funeral is in {town} on day {d} at {d} o'clock.",
    ),
    "traffic": (
        "Two cars ran into each other by the {noun} near {town} on day {d} at {d} o'clock.",
        "A driver of {d} was taken to the {noun} of {town}.",
        "The road was closed for {d} minutes. Nobody else was hurt.",
        "The police ask those who saw it to call {d}.",
    ),
}


def formulaic(kind: str, count: int, others: int = 0, *, foot: bool = True) -> World:
    """Reports that are written to a pattern, `others` of a hundred ordinary articles beside them."""
    name = f"formulaic-{kind}-{count}" + (f"-others-{others}" if others else "") + ("" if foot else "-no-foot")

    def build(number: int, body: list[Line], prose: Prose) -> list[Line]:
        if number >= others:
            body = [Line(text) for text in _report(kind, number)]
        return [*body, *(_FOOT if foot else [])]

    return _pages(name, count + others, build)


def _report(kind: str, number: int) -> Iterator[str]:
    chance = random.Random(f"{kind} {number}")
    for form in _FORMS[kind]:
        text = form
        for gap, fill in (
            ("{noun}", lambda: chance.choice(_NOUNS)),
            ("{town}", lambda: chance.choice(_TOWNS)),
            ("{d}", lambda: str(chance.randint(2, 960))),
        ):
            while gap in text:
                text = text.replace(gap, fill(), 1)
        yield text


_NOTICES = {
    "en": "Correction: an earlier version of this article named the wrong town. The error has been corrected.",
    "da": "Rettelse: I en tidligere version af artiklen stod der et forkert navn. Det er nu rettet.",
    "de": "Anmerkung der Redaktion: In einer früheren Fassung dieses Textes war eine Zahl falsch. Wir haben sie berichtigt.",
    "es": "Fe de errores: una versión anterior de este artículo daba un nombre equivocado. Ya está corregido.",
    "ru": "Исправление: в прежней версии этой статьи было указано неверное имя. Ошибка исправлена.",
    "ja": "訂正：この記事の以前の版には誤った名前が記載されていました。お詫びして訂正します。",
}
_EDITORIAL = {
    "series": "This is a part of our series about the old harbours of the coast and those who live by them.",
    "owns": "The author owns shares in the company that this article is about and has been its adviser.",
    "translated": "This article was translated with the help of a machine and read by an editor before it went out.",
}


def notices(language: str, *, at: str, every: int = 3, count: int = 12, text: str = "", bios: bool = False) -> World:
    """A stock notice about the article, the same words each time, at its start or its end."""
    name = f"notice-{language}-{at}-{count // every}-of-{count}" + ("-bios" if bios else "") + (f"-{text}" * bool(text))
    notice = Line(_EDITORIAL[text] if text else _NOTICES[language])

    def build(number: int, body: list[Line], prose: Prose) -> list[Line]:
        told = [notice] if number % every == 0 else []
        body = [*told, *body] if at == "start" else [*body, *told]
        bio = [site(f"{('Ann Berg', 'Jo Lund', 'Kim Dahl')[number % 3]} writes about harbours, ships and rope.")]
        return [*body, *(bio if bios else []), *_FOOT]

    return _pages(name, count, build, language=language)


def short(count: int, foot: int) -> World:
    """Articles of one or two short paragraphs with a large foot."""
    prose = Prose("en", "foot")
    lines = [site(prose.paragraph()) for _ in range(foot)]
    return _pages(f"short-{count}-foot-{foot}", count, lambda n, body, p: [*body, *lines], least=2, most=3)


def release(count: int, share: int) -> World:
    """A press release that several articles print whole, each with a sentence of its own before or after it."""
    prose = Prose("en", "release")
    said = [Line(prose.paragraph()) for _ in range(4)]

    def build(number: int, body: list[Line], prose: Prose) -> list[Line]:
        if number % share:
            return [*body, *_FOOT]
        return [body[0], *said, *_FOOT] if number % 2 else [*said, body[0], *_FOOT]

    return _pages(f"release-{(count + share - 1) // share}-of-{count}", count, build)


# -- what is the site's -------------------------------------------------------------------------------------------------


def adverts(count: int, kinds: int = 6, *, label: bool = False, box: str = "", foot: bool = True) -> World:
    """One of several adverts below each article."""
    name = f"adverts-{kinds}-of-{count}" + "-label" * label + "-box" * bool(box) + ("" if foot else "-no-foot")
    texts = [Prose("en", "advert", kind).paragraph() for kind in range(kinds)]

    def build(number: int, body: list[Line], prose: Prose) -> list[Line]:
        advert = [site("Advertisement")] if label else []
        return [*body, *advert, site(texts[number * 7 % kinds], box=box), *(_FOOT if foot else [])]

    return _pages(name, count, build)


def events(count: int, known: int, *, language: str = "da") -> World:
    """Three coming events below each article: a name, a text, a date with a link; and read-also links amid the text."""
    entries = [(Prose(language, "event", n).name(), Prose(language, "event", n, "t").paragraph()) for n in range(known)]
    also = {"da": "Læs også", "en": "Read also", "de": "Lesen Sie auch", "ja": "関連記事", "ru": "Читайте также"}[language]

    def build(number: int, body: list[Line], prose: Prose) -> list[Line]:
        title = prose.sentence()
        link = site(f"{also}: {title}", link=title)
        below = [site("Kommende arrangementer", "h3")]
        for step in range(3):
            who, text = entries[(number + step) % known]
            date = f"{step + number % 20 + 1}. april"
            below += [site(f"{who} konference"), site(text), site(f"{date} | Læs mere", link="Læs mere")]
        return [*body[:2], link, *body[2:], *below]

    return _pages(f"events-{known}-on-{count}-{language}", count, build, language=language)


def guide(count: int) -> World:
    """A company guide that turns: a new company on every page between lines that are always there."""

    def build(number: int, body: list[Line], prose: Prose) -> list[Line]:
        return [
            *body,
            site("The Company Guide", "h3"),
            site("Updated every day: the largest and most complete list of the harbour's companies"),
            site(f"{prose.name()} {prose.name()} Ltd"),
            site(prose.paragraph()),
            site("Is your company missing? Write to us", link="Write to us"),
        ]

    return _pages(f"guide-{count}", count, build)


def tokens(count: int, language: str = "en") -> World:
    """A disclaimer of the platform, a widget with rates that change, and what is left of a calculator."""
    coins = [("Oatcoin", "OAT"), ("Brindle", "BRD"), ("Tarn", "TRN"), ("Quillon", "QLN")]

    def build(number: int, body: list[Line], prose: Prose) -> list[Line]:
        rates = [coins[(number + step) % 4] for step in range(3)]
        return [
            *body,
            site("Is your exchange licensed? Type its name into our search."),
            *(site(f"{who} ({key}) ${prose.number()}.{prose.number()} +{number}.3% in 24 hours") for who, key in rates),
            site("Disclaimer:"),
            site("The views in this article are those of its author and no advice of this platform to buy or sell."),
            site("Token price conversion", "li"),
            site("Exchange rate conversion", "li"),
            site("Current rate"),
            site("0.00"),
        ]

    return _pages(f"tokens-{count}-{language}", count, build, language=language)


def bios(count: int, writers: int = 5) -> World:
    """The writer's biography below each article."""
    texts = [f"{Prose('en', 'bio', n).name()} Berg has written about {Prose('en', 'bio', n).sentence()}" for n in range(writers)]
    return _pages(
        f"bios-{writers}-on-{count}", count, lambda n, body, p: [*body, site(texts[n % writers]), *_FOOT]
    )


def amid(count: int, language: str = "en") -> World:
    """A label and a prompt amid the text of every article."""
    prompt = site(Prose(language, "prompt").sentence())

    def build(number: int, body: list[Line], prose: Prose) -> list[Line]:
        return [*body[:2], site("Advertisement"), body[2], prompt, *body[3:], *_FOOT]

    return _pages(f"amid-{count}-{language}", count, build, language=language)


def sections(count: int) -> World:
    """Two sections, each with a foot of its own, of two and of three lines."""
    feet = [
        [site(Prose("en", "foot", part, line).sentence()) for line in range(2 + part)] for part in range(2)
    ]
    return _pages(
        f"sections-{count}",
        count,
        lambda n, body, p: [*body, *feet[n % 2]],
        section=lambda n: ("culture", "sport")[n % 2],
    )


def designs(count: int, *, redesign: bool) -> World:
    """Two designs at once, or the second from the middle on; each with a foot of its own."""
    feet = [[site(Prose("en", "design", part, line).sentence()) for line in range(3)] for part in range(2)]

    def which(number: int) -> int:
        return int(number >= count // 2) if redesign else number % 2

    return _pages(
        f"{'redesign' if redesign else 'designs'}-{count}",
        count,
        lambda n, body, p: [*body, *feet[which(n)]],
        design=lambda n: ("story", "bare")[which(n)],
    )


def few(count: int) -> World:
    """A site of which hardly anything is known."""
    return _pages(f"few-{count}", count, lambda n, body, p: [*body, *_FOOT])


def worlds() -> Iterator[World]:
    """Every world, made when its turn comes."""
    for where in ("amid", "end", "section", "start"):
        yield background(12, 3, where=where)
        yield background(42, 7, where=where)
    yield background(12, 3, where="section", foot=False)
    for language in ("da", "de", "ja", "ru"):
        yield background(12, 3, where="end", language=language)
    for kind in _FORMS:
        yield formulaic(kind, 17)
    yield formulaic("courts", 6, 11)
    yield formulaic("weather", 10, 10)
    yield formulaic("traffic", 17, foot=False)
    yield formulaic("markets", 4)
    for language in _NOTICES:
        yield notices(language, at="end")
    yield notices("en", at="start")
    yield notices("en", at="end", every=2)
    yield notices("en", at="end", bios=True)
    yield notices("en", at="end", count=40, every=4)
    for text in _EDITORIAL:
        yield notices("en", at="start" if text == "series" else "end", text=text)
    yield from (short(3, 3), short(6, 5), short(12, 5))
    yield from (release(5, 2), release(12, 3), release(4, 1))
    yield from (adverts(12), adverts(36), adverts(36, label=True), adverts(36, box="promo"), adverts(36, foot=False))
    yield from (events(12, 8), events(17, 6), events(40, 12), events(12, 8, language="en"), guide(12), guide(17))
    yield from (tokens(12), tokens(17), tokens(12, "de"), bios(15), bios(40, 8), amid(12), amid(17, "es"))
    yield from (sections(12), sections(40), designs(16, redesign=False), designs(16, redesign=True))
    yield from (few(2), few(3), few(4), few(5))

"""Small sites, one for each way in which what repeats is the article's, or is the site's."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from made_site import Line, Prose, World, pages_of, site
from pattern_worlds import pattern_worlds

# -- what is the article's -------------------------------------------------------------------------------------------


def background(count: int, share: int, *, where: str, language: str = "en", foot: bool = True) -> World:
    """The same background in every `share`th article: amid the text, at its end, or as a section with a heading."""
    name = f"background-{where}-{count // share}-of-{count}-{language}" + ("" if foot else "-no-foot")
    told = Prose(language, name, "affair")
    case = [Line("About the case", tag="h2")] if where == "section" else []
    case += [Line(told.paragraph() + " " + told.sentence()) for _ in range(2 if where == "section" else 1)]

    def build(number: int, body: list[Line]) -> list[Line]:
        if number % share == 0:
            at = {"amid": len(body) // 2, "end": len(body), "section": len(body), "start": 0}[where]
            body = [*body[:at], *case, *body[at:]]
        return [*body, *(_FOOT if foot else [])]

    return pages_of(name, count, build, language=language)


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

    def build(number: int, body: list[Line]) -> list[Line]:
        if number >= others:
            body = [Line(text) for text in _report(kind, number)]
        return [*body, *(_FOOT if foot else [])]

    return pages_of(name, count + others, build)


def _report(kind: str, number: int) -> Iterator[str]:
    chance = random.Random(f"{kind} {number}")
    for form in _FORMS[kind]:
        yield _filled(form, chance)


def _filled(form: str, chance: random.Random) -> str:
    for gap, words in (("{noun}", _NOUNS), ("{town}", _TOWNS), ("{d}", range(2, 960))):
        while gap in form:
            form = form.replace(gap, str(chance.choice(words)), 1)
    return form


def daily(count: int) -> World:
    """A report under the same title every day, shorter than what stands below it."""
    foot = [site(Prose("en", "daily", line).paragraph()) for line in range(4)]
    return pages_of(
        f"daily-{count}", count, lambda n, _: [*map(Line, _report("weather", n)), *foot], title="The weather today"
    )


_NOTICES = {
    "en": "Correction: an earlier version of this article named the wrong town. The error has been corrected.",
    "da": "Rettelse: I en tidligere version af artiklen stod der et forkert navn. Det er nu rettet.",
    "de": "Anmerkung der Redaktion: In einer früheren Fassung war eine Zahl falsch. Wir haben sie berichtigt.",
    "es": "Fe de errores: una versión anterior de este artículo daba un nombre equivocado. Ya está corregido.",
    "ru": "Исправление: в прежней версии этой статьи было указано неверное имя. Ошибка исправлена.",
    "ja": "訂正：この記事の以前の版には誤った名前が記載されていました。お詫びして訂正します。",
}
_EDITORIAL = {
    "series": "This is a part of our series about the old harbours of the coast and those who live by them.",
    "owns": "The author owns shares in the company that this article is about and has been its adviser.",
    "translated": "This article was translated with the help of a machine and read by an editor before it went out.",
}


def notices(
    language: str, *, at: str, every: int = 3, count: int = 12, text: str = "", bios: bool = False, most: bool = False
) -> World:
    """A stock notice about the article, the same words each time, at its start, its end or below the site's foot.

    Every third article has it; if `most`, every third has not.
    """
    share = count - count // every if most else count // every
    name = f"notice-{language}-{at}-{share}-of-{count}" + ("-bios" if bios else "") + (f"-{text}" * bool(text))
    notice = Line(_EDITORIAL[text] if text else _NOTICES[language])

    def build(number: int, body: list[Line]) -> list[Line]:
        told = [notice] if (number % every == 0) != most else []
        if at == "foot":
            return [*body, *_FOOT, *told]
        body = [*told, *body] if at == "start" else [*body, *told]
        bio = [site(f"{('Ann Berg', 'Jo Lund', 'Kim Dahl')[number % 3]} writes about harbours, ships and rope.")]
        return [*body, *(bio if bios else []), *_FOOT]

    return pages_of(name, count, build, language=language)


def short(count: int, foot: int) -> World:
    """Articles of one or two short paragraphs with a large foot."""
    prose = Prose("en", "foot")
    lines = [site(prose.paragraph()) for _ in range(foot)]
    return pages_of(f"short-{count}-foot-{foot}", count, lambda n, body: [*body, *lines], least=2, most=3)


def release(count: int, share: int) -> World:
    """A press release that several articles print whole, each with a sentence of its own before or after it."""
    prose = Prose("en", "release")
    said = [Line(prose.paragraph()) for _ in range(4)]

    def build(number: int, body: list[Line]) -> list[Line]:
        if number % share:
            return [*body, *_FOOT]
        return [body[0], *said, *_FOOT] if number % 2 else [*said, body[0], *_FOOT]

    return pages_of(f"release-{(count + share - 1) // share}-of-{count}", count, build)


# -- what is the site's ----------------------------------------------------------------------------------------------


def adverts(count: int, kinds: int = 6, *, label: bool = False, box: str = "", foot: bool = True) -> World:
    """One of several adverts below each article."""
    name = f"adverts-{kinds}-of-{count}" + "-label" * label + "-box" * bool(box) + ("" if foot else "-no-foot")
    texts = [Prose("en", "advert", kind).paragraph() for kind in range(kinds)]

    def build(number: int, body: list[Line]) -> list[Line]:
        advert = [site("Advertisement")] if label else []
        return [*body, *advert, site(texts[number * 7 % kinds], box=box), *(_FOOT if foot else [])]

    return pages_of(name, count, build)


def events(count: int, known: int, *, language: str = "da") -> World:
    """Three coming events below each article, a name, a text, a date with a link; a read-also link amid the text."""
    entries = [(Prose(language, "event", n).name(), Prose(language, "event", n, "t").paragraph()) for n in range(known)]
    also = {"da": "Læs også", "en": "Read also", "ja": "関連記事", "ru": "Читайте также"}[language]

    def build(number: int, body: list[Line]) -> list[Line]:
        title = Prose(language, "other", number).sentence()
        link = site(f"{also}: {title}", link=title)
        below = [site("Kommende arrangementer", "h3")]
        for step in range(3):
            who, text = entries[(number + step) % known]
            date = f"{step + number % 20 + 1}. april"
            below += [site(f"{who} konference"), site(text), site(f"{date} | Læs mere", link="Læs mere")]
        return [*body[:2], link, *body[2:], *below]

    return pages_of(f"events-{known}-on-{count}-{language}", count, build, language=language)


def guide(count: int) -> World:
    """A company guide that turns: a new company on every page between lines that are always there."""

    def build(number: int, body: list[Line]) -> list[Line]:
        prose = Prose("en", "company", number)
        return [
            *body,
            site("The Company Guide", "h3"),
            site("Updated every day: the largest and most complete list of the harbour's companies"),
            site(f"{prose.name()} {prose.name()} Ltd"),
            site(prose.paragraph()),
            site("Is your company missing? Write to us", link="Write to us"),
        ]

    return pages_of(f"guide-{count}", count, build)


def tokens(count: int, language: str = "en") -> World:
    """A disclaimer of the platform, a widget with rates that change, and what is left of a calculator."""
    coins = [("Oatcoin", "OAT"), ("Brindle", "BRD"), ("Tarn", "TRN"), ("Quillon", "QLN")]

    def build(number: int, body: list[Line]) -> list[Line]:
        prose = Prose("en", "rate", number)
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

    return pages_of(f"tokens-{count}-{language}", count, build, language=language)


def bios(count: int, writers: int = 5) -> World:
    """The writer's biography below each article."""
    lives = [Prose("en", "bio", writer) for writer in range(writers)]
    texts = [
        f"{life.name()} Berg has written about harbours since {life.number()}. {life.sentence()}" for life in lives
    ]
    return pages_of(f"bios-{writers}-on-{count}", count, lambda n, body: [*body, site(texts[n % writers]), *_FOOT])


def amid(count: int, language: str = "en", kinds: int = 0) -> World:
    """A label and a prompt amid the text of every article, and below the label one of several adverts."""
    prompt = site(Prose(language, "prompt").sentence())
    texts = [site(Prose(language, "advert", kind).paragraph()) for kind in range(kinds)]

    def build(number: int, body: list[Line]) -> list[Line]:
        advert = [texts[number * 5 % kinds]] if kinds else []
        return [*body[:2], site("Advertisement"), *advert, body[2], prompt, *body[3:], *_FOOT]

    return pages_of(f"amid-{count}-{language}" + f"-adverts-{kinds}" * bool(kinds), count, build, language=language)


def results(count: int, *, below: bool, language: str = "es") -> World:
    """The same rows with other figures in every article: amid its text, or under a heading at its end."""
    rows = ("Lista Verde", "Lista del Puerto", "Liga Obrera", "En blanco")

    def build(number: int, body: list[Line]) -> list[Line]:
        prose = Prose(language, "results", number)
        counted = [Line(f"{each}: {prose.number()} votos", tag="li") for each in rows]
        at = len(body) if below else 1
        return [*body[:at], *([Line("Resultados", tag="h3")] if below else []), *counted, *body[at:], *_FOOT]

    return pages_of(f"results-{'below' if below else 'amid'}-{count}", count, build, language=language)


def recipes(count: int) -> World:
    """What is needed, of which some is in nearly every dish, and more on how it is made than stands before it."""

    def build(number: int, body: list[Line]) -> list[Line]:
        prose = Prose("de", "dish", number)
        needed = [
            f"{prose.number()} g Mehl",
            *(["1 Prise Salz"] if number % 6 else []),
            f"{prose.number()} g {prose.word()}",
        ]
        made = [Line(prose.paragraph() + " " + prose.sentence()) for _ in range(2)]
        return [
            body[0],
            Line("Zutaten", tag="h2"),
            *(Line(each, tag="li") for each in needed),
            *([Line(prose.name(), tag="li")] if number % 2 else []),
            Line("Zubereitung", tag="h2"),
            *made,
            *_FOOT,
        ]

    return pages_of(f"recipes-{count}", count, build, language="de")


def interviews(count: int, *, heading: bool = False) -> World:
    """The same questions to everybody, as paragraphs or headings."""
    asked = (
        "What did you want to be when you were twelve years old?",
        "Which book has changed the way you think of your work?",
        "What is the best advice that anybody has given you?",
    )

    def build(_: int, body: list[Line]) -> list[Line]:
        pairs = zip((_question(ask, heading) for ask in asked), body[1:], strict=False)
        answered = [each for pair in pairs for each in pair]
        return [body[0], *answered, *_FOOT]

    return pages_of(f"interviews-{'headed' if heading else 'plain'}-{count}", count, build)


def _question(text: str, heading: bool) -> Line:
    return Line(text, tag="h3" if heading else "p")


def prompts(count: int) -> World:
    """Two questions to the reader amid the text of every article: no interview."""
    asked = (
        "Do you like what you read so far? A gift keeps it free.",
        "Have you seen our new app for the harbour yet?",
    )

    def build(_: int, body: list[Line]) -> list[Line]:
        return [body[0], site(asked[0]), body[1], site(asked[1]), *body[2:], *_FOOT]

    return pages_of(f"prompts-{count}", count, build)


def added(count: int) -> World:
    """Quakes told in one form, with a fixed sentence at the end, below which a text is added to some."""

    def build(number: int, body: list[Line]) -> list[Line]:
        told = [body[0], site("今後の情報に注意してください。")]
        return [*told, *(body[1:2] if number % 7 == 0 else []), *_FOOT, *_places(number)]

    return pages_of(f"added-{count}", count, build, language="ja")


def _places(number: int) -> list[Line]:
    """Two of five things to read, which turn."""
    return [site(Prose("ja", "place", (number + step) % 5).sentence()) for step in range(2)]


def verdicts(count: int) -> World:
    """Claims that are examined in three parts, the last of which is one of three sentences; to some a text is added."""

    def build(number: int, body: list[Line]) -> list[Line]:
        found = ("false", "half true", "true")[number % 3]
        claim, facts, verdict = (Line(each, tag="h2") for each in ("The claim", "The facts", "The verdict"))
        added = [Line(Prose("en", "added", number).paragraph())] if number % 7 == 0 else []
        return [claim, body[0], facts, *body[1:], verdict, Line(f"We rate this claim as {found}."), *added, *_FOOT]

    return pages_of(f"verdicts-{count}", count, build)


def sections(count: int) -> World:
    """Two sections, each with a foot of its own, of two and of three lines."""
    feet = [[site(Prose("en", "foot", part, line).sentence()) for line in range(2 + part)] for part in range(2)]
    return pages_of(
        f"sections-{count}",
        count,
        lambda n, body: [*body, *feet[n % 2]],
        section=lambda n: ("culture", "sport")[n % 2],
    )


def designs(count: int, *, redesign: bool) -> World:
    """Two designs at once, or the second from the middle on; each with a foot of its own."""
    feet = [[site(Prose("en", "design", part, line).sentence()) for line in range(3)] for part in range(2)]

    def which(number: int) -> int:
        return int(number >= count // 2) if redesign else number % 2

    return pages_of(
        f"{'redesign' if redesign else 'designs'}-{count}",
        count,
        lambda n, body: [*body, *feet[which(n)]],
        design=lambda n: ("story", "bare")[which(n)],
    )


def few(count: int) -> World:
    """A site of which hardly anything is known."""
    return pages_of(f"few-{count}", count, lambda n, body: [*body, *_FOOT])


# -- both together, in words that all articles share -------------------------------------------------------------------

_PROSE = (
    "The {noun} near the {noun} opens its {noun} after {d} days, officials of the {noun} said on day {d}.",
    "Nobody at the {noun} of {town} would say why the {noun} was late by {d} days.",
    "It cost {d} crowns to mend the {noun}, more than the {noun} of {town} had.",
    "“We did what we could for the {noun},” said a keeper of the {noun} in {town}.",
    "The {noun} will stay shut until day {d}, when the {noun} is inspected.",
)
_ADVERTS = (
    "Order the Harbour Cook Book now and get a second one free.",
    "Our weekend trips to the islands leave every Friday; book at the counter.",
    "The Post's shop has mugs, ropes and lamps for everybody who loves the sea.",
    "Learn to sail in six evenings with the Harbour School, first one free.",
    "A subscription to the Post costs less than a coffee a week.",
    "Win two tickets to the rope makers' ball by writing to us.",
)
_WRITERS = (
    "Ann Berg has written about harbours, ships and rope since 2004.",
    "Jo Lund covers the courts and lives with two cats.",
    "Kim Dahl is the Post's reporter on the islands.",
)
_PROMPT = [site("Sign up for our newsletter", "h3"), site("Get the five stories of the day in your inbox at seven.")]
_CASE = Line("The case began in the spring, when divers of the harbour found that the keeper had sold the rope twice.")
_OWNS = Line("The author holds shares in the rope works that this story is about.")


def _shared(name: str, count: int, build: Callable[[int, list[Line]], list[Line]], length: int = 5) -> World:
    def written(number: int, _: list[Line]) -> list[Line]:
        chance = random.Random(f"{name} {number}")
        return build(number, [Line(_filled(chance.choice(_PROSE), chance)) for _ in range(length)])

    return pages_of(f"shared-{name}", count, written)


def shared() -> Iterator[World]:
    """Sites whose articles are all in the same few words and as long."""
    foot = [*_PROMPT, _FOOT[1]]
    notice = Line(_NOTICES["en"])

    def advert(number: int) -> Line:
        return site(random.Random(f"advert {number}").choice(_ADVERTS))

    def link(number: int) -> Line:
        title = _filled(_PROSE[0], random.Random(f"link {number}"))
        return site(title, link=title)

    def everything(number: int, body: list[Line]) -> list[Line]:
        told = [_CASE] * (number % 4 == 0) + [_OWNS] * (number % 6 == 1)
        furniture = [site(_WRITERS[number % 3]), site(_ADVERTS[number % 6]), *foot]
        return [*[notice] * (number % 5 == 0), *body[:2], site("Advertisement"), *body[2:], *told, *furniture]

    yield _shared("case-first", 12, lambda n, body: [*[_CASE] * (n % 2 == 0), *body, *foot])
    yield _shared("case-amid", 12, lambda n, body: [*body[:2], *[_CASE] * (n % 3 == 0), *body[2:], *foot])
    yield _shared("case-last", 12, lambda n, body: [*body, *[_CASE] * (n % 2 == 0)])
    yield _shared("case-bios", 12, lambda n, body: [*body, *[_CASE] * (n % 4 == 0), site(_WRITERS[n % 3]), *foot])
    yield _shared("bios-on-most", 17, lambda n, body: [*body, *[site(_WRITERS[n % 3])] * (n % 4 > 0), *foot])
    yield _shared("bios-adverts", 18, lambda n, body: [*body, site(_WRITERS[n % 3]), site(_ADVERTS[n % 6]), *foot])
    yield _shared("adverts", 36, lambda n, body: [*body, advert(n)])
    yield _shared("adverts-amid", 12, lambda n, body: [*body[:3], site("Advertisement"), advert(n), *body[3:], *foot])
    yield _shared("prompt-amid", 12, lambda n, body: [*body[:3], *_PROMPT, *body[3:], _FOOT[1]])
    yield _shared("links-amid", 12, lambda n, body: [*body[:2], link(n), *body[2:], *foot])
    yield _shared(
        "notice-boxed", 12, lambda n, body: [*[replace(notice, box="correction")] * (n % 3 == 0), *body, *foot]
    )
    yield _shared("one-sentence", 18, lambda n, body: [*body, site(_ADVERTS[n % 6]), *foot], 1)
    yield _shared("everything", 20, everything)


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
    yield daily(12)
    for language in _NOTICES:
        yield notices(language, at="end")
    yield notices("en", at="start")
    yield notices("en", at="foot")
    yield notices("en", at="end", every=2)
    yield notices("en", at="end", bios=True)
    yield notices("en", at="end", count=40, every=4)
    # On three in four pages.
    for language in _NOTICES:
        yield notices(language, at="end", every=4, most=True)
    yield notices("en", at="start", every=4, most=True)
    yield notices("en", at="end", every=4, most=True, bios=True)
    for text in _EDITORIAL:
        yield notices("en", at="start" if text == "series" else "end", text=text)
    yield from (short(3, 3), short(6, 5), short(12, 5))
    yield from (release(5, 2), release(12, 3), release(4, 1))
    yield from (adverts(12), adverts(36), adverts(36, label=True), adverts(36, box="promo"), adverts(36, foot=False))
    yield from (events(12, 8), events(17, 6), events(40, 12), events(12, 8, language="en"), guide(12), guide(17))
    yield from (events(17, 8, language="ja"), tokens(12), tokens(17), tokens(12, "de"), bios(15), bios(40, 8))
    yield from (amid(12), amid(17, "es"), amid(36, kinds=6))
    yield from (results(14, below=False), results(14, below=True), recipes(18), verdicts(15), prompts(15), added(15))
    yield from (interviews(12), interviews(12, heading=True))
    yield from (sections(12), sections(40), designs(16, redesign=False), designs(16, redesign=True))
    yield from (few(2), few(3), few(4), few(5))
    yield from shared()
    yield from pattern_worlds()

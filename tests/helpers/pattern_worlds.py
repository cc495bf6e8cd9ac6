"""Sites whose reports are written to a pattern, with sentences that stand in all of them word for word."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from made_site import Line, Prose, World, pages_of, site


class Pattern(NamedTuple):
    """How a report is written: a line a form, with gaps; "= " before one of fixed texts, "# " before a heading."""

    language: str
    forms: Sequence[str]
    words: Mapping[str, Sequence[str]]


_EN = {"town": ("Harwick", "Northby", "Elmstead", "Quarrin", "Saltmere", "Torvale", "Lindholm", "Ashby")}
_DE = {"ort": ("Hafenau", "Nordheim", "Elmstedt", "Salzbrunn", "Torwald", "Lindholm", "Eschdorf", "Quarrin")}
_PATTERNS: Mapping[str, Pattern] = {
    "accident": Pattern(
        "en",
        (
            "A car and a {what} ran into each other by the {where} of {town} on day {d} at {d} o'clock in the morning.",
            "= Nobody was hurt.",
            "The {what} was towed away by a firm from {town}, and the road by the {where} was closed for {d} minutes.",
            "The damage comes to {d} crowns, says the police of {town}, who had {d} such cases in this year.",
        ),
        _EN | {"what": ("van", "bus", "tram", "lorry", "tractor"), "where": ("mill", "ferry", "school", "market")},
    ),
    "fire": Pattern(
        "en",
        (
            "The fire brigade of {town} was called to a {where} at {d} o'clock on day {d}, where a {what} was burning.",
            "= When the first engine came the fire was out already, and nobody had to be taken to hospital.",
            "It had begun in the {what}, the brigade of {town} found after {d} minutes of looking.",
        ),
        _EN | {"what": ("stove", "heap of straw", "van", "shed"), "where": ("farm", "school", "mill", "shop")},
    ),
    "wetter": Pattern(
        "de",
        (
            "In {ort} beginnt der {d}. Tag des Jahres mit {was}, erst gegen {d} Uhr setzt sich die Sonne durch.",
            "= Der Wind weht schwach aus westlichen Richtungen.",
            "Bis zum Abend steigt das Thermometer in {ort} auf {d} Grad, in der Nacht fällt es dort auf {d} Grad.",
            "= Die weiteren Aussichten bleiben unverändert freundlich.",
            "Am Pegel von {ort} wurden {d} Zentimeter gemessen, {d} weniger als am Tag davor bei {was}.",
        ),
        _DE | {"was": ("Nebel", "Nieselregen", "Wolken", "Schauern", "Bodenfrost")},
    ),
    "valg": Pattern(
        "da",
        (
            "I {by} er alle stemmer talt op, og {parti} fik {d} af dem, {d} flere end ved valget for fire år siden.",
            "= Valgdeltagelsen blev gjort op af kommunen.",
            "{parti} får {d} pladser i byrådet i {by}, mens {parti} må nøjes med {d} og ryger ud af flertallet.",
            "Borgmesteren i {by} siger, at hun har {d} dage til at danne et flertal med {parti}.",
        ),
        {
            "by": ("Havneby", "Nordby", "Elmested", "Saltrup", "Torvdal", "Lindholm"),
            "parti": ("Havnelisten", "Fællesnæmnet", "Landboerne", "Borgerlisten", "De Unge"),
        },
    ),
    "ticker": Pattern(
        "en",
        (
            "{town} Rope closed at {d}.{d} crowns on day {d}, up {d} percent on the day, in a trade of {d} shares.",
            "= Trading was quiet.",
            "# The day in numbers",
            "The index of {town} stood at {d}.{d} points in the evening, which is {d} points more than a week ago.",
            "A barrel of {what} cost {d} crowns on the exchange of {town}, after {d} crowns in the morning of day {d}.",
        ),
        _EN | {"what": ("oil", "herring", "tar", "rye", "salt")},
    ),
    "tribunal": Pattern(
        "es",
        (
            "El tribunal de {lugar} condenó el día {d} a un hombre de {d} años a {d} meses de cárcel por robar {que}.",
            "= El acusado reconoció los hechos.",
            "La fiscalía de {lugar} había pedido {d} meses y la defensa una multa de {d} coronas por el robo de {que}.",
            "= Durante la vista no declararon más testigos y el juicio quedó visto para sentencia.",
            "Es la condena número {d} por el robo de {que} que dicta este año la sala de {lugar}.",
        ),
        {
            "lugar": ("Puerto Alto", "Ribanorte", "Salmar", "Torreval", "Olmeda", "Quarín"),
            "que": ("una barca", "dos velas", "un ancla", "tres sacos de sal", "una campana"),
        },
    ),
    "obsèques": Pattern(
        "fr",
        (
            "{nom} {nom}, qui a tenu {lieu} pendant {d} ans, est mort à {lieu} à l'âge de {d} ans, le jour {d}.",
            "= Les obsèques auront lieu dans l'intimité.",
            "Né à {lieu}, {nom} laisse {d} enfants et {d} petits-enfants, dont {nom}, qui reprend {lieu}.",
        ),
        {
            "nom": ("Berle", "Dormal", "Vasquin", "Tolbec", "Harvin", "Quernel"),
            "lieu": ("Port-Haut", "la halle", "le moulin", "Salmer", "le bac"),
        },
    ),
    "drowning": Pattern(
        "en",
        (
            "The rescuers of {town} went out {d} times on day {d}, the last time for a {what} by the {where}.",
            "= One person was brought ashore. | Nobody had to be brought ashore. | Two people were brought in.",
            "The {what} had left {town} at {d} o'clock with {d} barrels, say the rescuers, who came back in {d} hours.",
            "= The rescuers advise everybody to wear a vest at sea.",
            "In this year the boat of {town} has been out {d} times, {d} times more than in the one before.",
            "= The coast guard looks into it.",
        ),
        _EN | {"what": ("barge", "dinghy", "trawler", "yacht"), "where": ("mole", "ferry", "reef", "pier")},
    ),
    "briefly": Pattern(
        "en",
        (
            "{town} has {d} more berths from day {d} on, the harbour master says, which makes {d} by the {where}.",
            "Each of the berths costs {d} crowns a month, or {d} crowns in a year, and {d} boats wait for one.",
            "= The berths are open to all.",
        ),
        _EN | {"where": ("mole", "ferry", "reef", "pier")},
    ),
    "tides": Pattern(
        "en",
        (
            "High water in {town} is at {d}.{d}.",
            "= The wind is from the west.",
            "The water is {d} degrees warm.",
            "= Nobody swims today.",
            "Low water in {town} is at {d}.{d}.",
        ),
        _EN,
    ),
    "live": Pattern(
        "en",
        (
            "# {d}.{d}",
            "{town} have the ball from the start, and {who} shoots from {d} metres into the arms of {who}.",
            "# {d}.{d}",
            "= No changes at half-time.",
            "# {d}.{d}",
            "{who} scores for {town} after {d} minutes, from a pass of {who} over {d} metres and three defenders.",
            "# {d}.{d}",
            "The match is over before {d} people in {town}, and {who} leaves the field with {d} goals in the season.",
        ),
        _EN | {"who": ("Berg", "Lund", "Dahl", "Holm", "Rask", "Winther")},
    ),
    "地震": Pattern(
        "ja",
        (
            "{d}日{d}時ごろ、{place}の沖を震源とする地震があり、{place}で震度{n}の揺れを観測しました。",
            "= この地震による津波の心配はありません。",
            "震源の深さは約{d}キロ、地震の規模を示すマグニチュードは{n}.{n}と推定されています。{place}では{n}回目です。",
        ),
        {"place": ("港町", "北浜", "塩見", "西川", "東谷", "橋本"), "n": ("2", "3", "4", "5")},
    ),
    "дтп": Pattern(
        "ru",
        (
            "Утром {d} числа в городе {город} столкнулись {что} и автобус, сообщили в полиции в {d} часов.",
            "= Обошлось без пострадавших.",
            "Движение на улице {d} в городе {город} было закрыто на {d} минут, пока увозили {что} с места аварии.",
        ),
        {
            "город": ("Гаванск", "Северный", "Солемор", "Торвал", "Липовск"),
            "что": ("грузовик", "трактор", "фургон", "трамвай"),
        },
    ),
}
_DISCLAIMERS = {
    "de": "Alle Angaben auf diesem Portal sind ohne Gewähr und werden ohne Prüfung von den Stellen übernommen.",
    "da": "Havneposten er ikke ansvarlig for oplysninger, der er hentet automatisk fra offentlige kilder.",
    "es": "El portal no se hace responsable de los datos que publica de forma automática desde fuentes públicas.",
    "fr": "Le portail décline toute responsabilité pour les données reprises automatiquement de sources publiques.",
    "ja": "当サイトの情報は公的機関の発表を自動的に掲載したもので、内容を保証するものではありません。",
    "ru": "Портал не несёт ответственности за сведения, которые автоматически берутся из открытых источников.",
    "en": "The information on this portal comes from public sources and is published without any warranty.",
}


def pattern(kind: str, count: int, *furniture: str) -> World:
    """Reports of a kind; `furniture`: "adverts" (one of five below each), "label" (before it), "disclaimer", "foot"."""
    told = _PATTERNS[kind]
    prose = [Prose("en", "pattern advert", number) for number in range(5)]
    adverts = [each.paragraph() for each in prose]
    below = [site(_DISCLAIMERS[told.language])] * ("disclaimer" in furniture)
    below += [
        site("© 2026 Harbour Post. All rights reserved."),
        site("Report a mistake to the editors of the Post."),
    ] * ("foot" in furniture)

    def build(number: int, _: list[Line]) -> list[Line]:
        chance = random.Random(f"{kind} {number}")
        advert = [site(adverts[number * 3 % 5])] if "adverts" in furniture else []
        label = [site("Advertisement")] if "label" in furniture else []
        return [*_report(told, chance), *label, *advert, *below]

    name = "-".join(("pattern", kind, str(count), *furniture))
    return pages_of(name, count, build, language=told.language if told.language in _LANGUAGES else "en")


#: Those that made-up titles can be in.
_LANGUAGES = ("en", "da", "de", "es", "ru", "ja")


def _report(told: Pattern, chance: random.Random) -> Iterator[Line]:
    for line in told.forms:
        form = chance.choice(line.split(" | "))
        tag = "h3" if form.startswith("# ") else "p"
        yield Line(_filled(form.removeprefix("# ").removeprefix("= "), told.words, chance), tag=tag)


def _filled(form: str, words: Mapping[str, Sequence[str]], chance: random.Random) -> str:
    gaps: Mapping[str, Sequence[object]] = {**words, "d": range(2, 960)}
    for gap, fills in gaps.items():
        while f"{{{gap}}}" in form:
            form = form.replace(f"{{{gap}}}", str(chance.choice(fills)), 1)
    return form


def pattern_worlds() -> Iterator[World]:
    """Every kind of report: alone, and with what stands below the texts of a site."""
    # The last sentence of every report is not to be told from the foot that follows it.
    yield pattern("briefly", 14)
    yield pattern("drowning", 14)
    for kind in (kind for kind in _PATTERNS if kind not in ("briefly", "drowning")):
        yield pattern(kind, 14, "foot")
        yield pattern(kind, 14, "adverts", "disclaimer", "foot")
    for kind in ("accident", "wetter", "地震"):
        yield pattern(kind, 14)
        yield pattern(kind, 40, "label", "adverts", "foot")
        yield pattern(kind, 5, "foot")
        yield pattern(kind, 24, "disclaimer")

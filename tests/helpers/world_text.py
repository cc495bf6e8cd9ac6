"""News prose out of word lists of our own: the same words for the same seed, another text for each article."""

from __future__ import annotations

from functools import lru_cache
from random import Random

PLACES = (
    *("Ålsted", "Grünhaven", "Port Marel", "Łodnica", "Wexmoor", "Santa Tirsa", "Holmby", "Quillan Bay", "Istvarn"),
    *("Nether Crale", "Tolgate", "Émery", "Korvala", "Dunmarsh", "Vestrup", "Ormsk", "Belcastre", "Harrow Fen"),
)
FIRST = (
    *("Mira", "Anton", "Selma", "Jorge", "Ylva", "Tomasz", "Priya", "Edgar", "Noor", "Camille", "Viggo", "Hanne"),
    *("Oskar", "Lucía", "Dmitri", "Aoife", "Bram", "Zeynep", "Rurik", "Florence"),
)
LAST = (
    *("Halvorsen", "Quist", "Berrow", "Nakata", "Ferreira", "Dyrhaug", "Ostrander", "Kowal", "Mbeki-Lund", "Sørby"),
    *("Trevanion", "Aldana", "Whitlock", "Brandis", "Castellan", "Iversen", "Pomeroy", "Szabó", "Thorne", "Vasko"),
)
ROLES = (
    *("mayor", "engineer", "head teacher", "harbour master", "economist", "union leader", "surgeon", "farmer"),
    *("coach", "museum director", "chief of police", "biologist", "shipowner", "councillor", "judge", "conductor"),
)
THINGS = (
    *("bridge", "harbour", "water plant", "railway line", "school", "hospital wing", "theatre", "wind farm", "budget"),
    *("tram depot", "library", "fishing quota", "housing estate", "archive", "power cable", "stadium", "ferry", "mill"),
    *("tax office", "orchard", "laboratory", "flood wall", "market hall", "quarry", "bakery", "observatory", "canal"),
)
ADJECTIVES = (
    *("long awaited", "disputed", "leaking", "half finished", "overdue", "cheap", "noisy", "listed", "crowded"),
    *("abandoned", "profitable", "rebuilt", "publicly owned", "narrow", "unusual", "costly", "popular", "modest"),
)
VERBS = (
    *("opened", "closed", "stalled", "doubled in price", "changed hands", "failed its inspection", "won a prize"),
    *("caught fire", "was sold", "ran out of money", "drew large crowds", "was flooded", "came under review"),
    *("reached the courts", "split the council", "was moved by a kilometre", "lost its licence", "went on strike"),
)
REASONS = (
    *("after a vote that lasted until midnight", "because two pumps had been fitted the wrong way round"),
    *("although nobody had asked the neighbours", "when the last supplier withdrew", "in spite of the frost"),
    *("despite a warning from the auditors", "while the minister was abroad", "for the third time this year"),
    *("as the first snow blocked the pass", "before the contract had been signed", "without a word of explanation"),
    *("once the river had fallen below the mark", "since the old roof could not bear the weight"),
)
DEMANDS = (
    *("a new hearing", "the full accounts", "an apology", "a second opinion", "more time", "a public inquiry"),
    *("lower fares", "higher walls", "a fresh tender", "the names of those involved", "a better map", "compensation"),
)
UNITS = ("weeks", "residents", "kronor", "tonnes", "metres", "jobs", "letters of complaint", "tickets", "working days")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SENTENCES = (
    "The {adjective} {thing} in {place} {verb} {reason}.",
    "{person}, {role} in {place}, asked for {demand} on {day}, {reason}.",
    "“We counted {number} {unit} and stopped,” said {person}, the {role}, beside the {thing}.",
    "According to {person}, the {thing} cost {number} {unit} more than the {adjective} {thing2} of {place}.",
    "Nobody in {place} expected that the {thing} {verb}, least of all {person}.",
    "By {day} some {number} {unit} had been set aside for the {thing2}, {reason}.",
    "A {role} from {place} remembers when the {thing} {verb} and the {thing2} {verb2}.",
    "What happened next depends on whom one asks: {person} speaks of {demand}, the {role} of the {adjective} {thing2}.",
    "The report names {number} {unit}, {number2} of them in {place}, and blames the {adjective} {thing2}.",
    "“It is a {adjective} {thing}, nothing else,” {person} replied {reason}.",
    "Until {day} the {role} of {place} will hear anyone who wants {demand}.",
    "In the same week the {thing2} {verb2}, and {number} {unit} were lost {reason}.",
)
TITLES = (
    "{Place}: {adjective} {thing} {verb} {reason}",
    "{person} wants {demand} as {thing} {verb}",
    "How the {adjective} {thing} of {Place} {verb}",
    "{number} {unit} for the {thing}: {Place} asks for {demand}",
    "The {role} who saved the {thing} in {Place}",
    "Why {Place} fears for its {adjective} {thing}",
)


def person(random: Random) -> str:
    return f"{random.choice(FIRST)} {random.choice(LAST)}"


def title(random: Random) -> str:
    filled = _filled(random, random.choice(TITLES))
    return filled[0].upper() + filled[1:]


def sentence(random: Random) -> str:
    return _filled(random, random.choice(SENTENCES))


def paragraph(random: Random) -> str:
    return " ".join(sentence(random) for _ in range(random.randint(2, 4)))


@lru_cache(5_000)
def body(seed: str) -> tuple[str, ...]:
    """Return the paragraphs of an article, 150 to 450 words."""
    random = Random(seed)
    return tuple(paragraph(random) for _ in range(random.randint(4, 7)))


def slug(text: str) -> str:
    """ "Ålsted: mill was sold" -> "lsted-mill-was-sold", as many systems make them."""
    words = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in text.lower()).split()
    return "-".join(words[:9])


def _filled(random: Random, pattern: str) -> str:
    place = random.choice(PLACES)
    return pattern.format(
        place=place,
        Place=place,
        person=person(random),
        role=random.choice(ROLES),
        thing=random.choice(THINGS),
        thing2=random.choice(THINGS),
        adjective=random.choice(ADJECTIVES),
        verb=random.choice(VERBS),
        verb2=random.choice(VERBS),
        reason=random.choice(REASONS),
        demand=random.choice(DEMANDS),
        number=random.randint(2, 980),
        number2=random.randint(2, 98),
        unit=random.choice(UNITS),
        day=random.choice(DAYS),
    )

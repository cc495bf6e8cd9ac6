"""The sites of the simulated world and what they publish: a pure function of seed, site and day.

A `Character` is all that makes one site unlike another; `KINDS` is the table of them. Times are aware, in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any, Literal

import world_text

SECTIONS = ("politics", "business", "culture", "science")


@dataclass(frozen=True, slots=True)
class Character:
    #: Articles on a working day, their share at weekends, and between which hours they appear.
    a_day: float = 8
    weekend: float = 0.5
    hours: tuple[int, int] = (5, 22)
    #: Form of the article's address.
    address: Literal["dated", "art", "slug", "query", "number", "html"] = "dated"
    feed: Literal["rss", "atom", "json", "rdf", "html", "latin", "relative", "dates", "late", "bomb", "gone"] | None = (
        "rss"
    )
    sitemap: Literal["plain", "index", "news", "huge", "bomb", "maze"] | None = None
    #: Whether the front page has links to sections, and these and day archives go back.
    sections: bool = True
    archives: bool = False
    #: What the server says of a page's version. "same" never changes its ETag, "new" always does.
    validators: Literal["both", "etag", "modified", "same", "new"] | None = "both"
    #: Whether each page has a list of others that changes hour by hour.
    sidebar: bool = True
    #: Whether the front page changes at certain hours only.
    editions: bool = False
    robots: Literal["plain", "none", "delay", "unavailable", "moved"] = "plain"
    #: How the server behaves: see world_manners.py.
    manner: str = ""
    #: Shares of articles that are changed after publication, removed, or have these other forms.
    edited: float = 0.1
    removed: float = 0.02
    twins: tuple[Literal["amp", "print", "second", "tracking", "short", "session"], ...] = ()
    noarchive: float = 0.0
    #: Days after the world's beginning on which something happens to the whole site.
    redesign: int | None = None
    silent: int | None = None
    traps: tuple[str, ...] = ()


KINDS: dict[str, Character] = {
    "daily": Character(sitemap="plain"),
    "atom": Character(address="slug", feed="atom", validators="etag"),
    "json": Character(address="art", feed="json", validators="modified"),
    "fronts": Character(address="art", feed=None, validators=None, editions=True),
    "newsmap": Character(address="html", feed=None, sitemap="news", a_day=14),
    "index": Character(address="dated", feed=None, sitemap="index", archives=True),
    "dates": Character(address="slug", feed="dates"),
    "relative": Character(address="html", feed="relative"),
    "latin": Character(address="art", feed="latin"),
    "html": Character(address="dated", feed="html", sitemap="plain"),
    "late": Character(address="slug", feed="late"),
    "rdf": Character(address="query", feed="rdf", a_day=4),
    "twins": Character(address="dated", twins=("amp", "print", "second", "tracking")),
    "short": Character(address="number", twins=("short", "tracking")),
    "sessions": Character(address="html", feed=None, twins=("session",)),
    "editor": Character(edited=0.8, a_day=6, removed=0),
    "remover": Character(removed=0.35, edited=0.0),
    "same": Character(validators="same", edited=0.6),
    "new": Character(validators="new"),
    "noarchive": Character(noarchive=0.4),
    "delay": Character(robots="delay", a_day=4),
    "moved": Character(robots="moved"),
    "unavailable": Character(robots="unavailable"),
    "busy": Character(manner="busy"),
    "busydate": Character(manner="busydate"),
    "patient": Character(manner="patient"),
    "slow": Character(manner="slow", a_day=3),
    "dead": Character(manner="dead"),
    "mute": Character(manner="mute"),
    "flapping": Character(manner="flapping"),
    "banning": Character(manner="banning"),
    "strict": Character(manner="strict"),
    "challenge": Character(manner="challenge"),
    "login": Character(manner="login"),
    "redesign": Character(redesign=3),
    "silent": Character(silent=3, sitemap="plain"),
    "gone": Character(feed="gone", sitemap="plain"),
    "trapper": Character(feed=None, traps=("calendar", "pages", "loop", "hops", "soft")),
    "bombs": Character(feed="bomb", sitemap="bomb"),
    "maze": Character(feed=None, sitemap="maze"),
    "huge": Character(feed=None, sitemap="huge", a_day=4),
    "wire": Character(a_day=60, weekend=0.8, hours=(0, 24), sitemap="news", address="html"),
    "weekly": Character(a_day=0.6, weekend=1.0, feed="atom"),
}
#: Where the table is not asked for by name: what is common comes first and more than once.
COMMON = (
    *("daily", "atom", "fronts", "newsmap", "twins", "editor", "json", "index", "wire", "dates", "busy", "html"),
    *("relative", "weekly", "late", "short", "banning", "silent", "redesign", "remover", "latin", "slow"),
    *("noarchive", "delay", "flapping", "rdf", "new", "moved", "same", "busydate", "dead", "sessions", "strict"),
)


@dataclass(frozen=True, slots=True)
class Edit:
    at: datetime
    #: Whether the page says nothing of it: no modified date, no Last-Modified, no sitemap entry.
    silent: bool
    headline: bool


@dataclass(frozen=True, slots=True)
class Article:
    site: str
    number: int
    published: datetime
    section: str
    title: str
    author: str
    path: str
    #: Further addresses by the kind of twin.
    twins: dict[str, str]
    edits: tuple[Edit, ...] = ()
    removed: datetime | None = None
    gone: int = 404
    noarchive: Literal["meta", "header"] | None = None

    def there(self, at: datetime) -> bool:
        return self.published <= at and (self.removed is None or at < self.removed)

    def version(self, at: datetime) -> int:
        return sum(edit.at <= at for edit in self.edits)

    def modified(self, at: datetime) -> datetime:
        """When it says it was changed last: silent edits say nothing."""
        return max([self.published, *(edit.at for edit in self.edits if edit.at <= at and not edit.silent)])

    def headline(self, at: datetime) -> str:
        changed = sum(edit.headline for edit in self.edits if edit.at <= at)
        return self.title if not changed else f"{self.title} – update {changed}"

    def text(self, at: datetime) -> list[str]:
        paragraphs = list(world_text.body(f"{self.site}/{self.number}"))
        for step in range(self.version(at)):
            random = Random(f"{self.site}/{self.number}/{step}")
            place = random.randrange(len(paragraphs))
            if step % 2:
                paragraphs[place] = world_text.paragraph(random)
            else:
                paragraphs.insert(place + 1, world_text.paragraph(random))
        return paragraphs


@dataclass(eq=False)
class Site:
    """One site; `start` is when the world begins."""

    name: str
    kind: str
    character: Character
    address: str
    port: int
    seed: int
    start: datetime
    #: Days of articles that are there when the world begins.
    history: int
    _days: dict[int, tuple[Article, ...]] = field(default_factory=dict, repr=False)
    #: Address -> article and form, for the days before `_read`.
    _known: dict[str, tuple[Article, str]] = field(default_factory=dict, repr=False)
    _read: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._read = -self.history

    @property
    def base(self) -> str:
        return f"http://{self.address}:{self.port}"

    @cached_property
    def title(self) -> str:
        random = Random(f"{self.seed}/{self.name}")
        paper = random.choice(("Courier", "Gazette", "Ledger", "Observer", "Beacon", "Telegraph"))
        return f"{random.choice(world_text.PLACES)} {paper}"

    def day(self, at: datetime) -> int:
        """Days since the world's beginning."""
        return (at - self.start).days

    def redesigned(self, at: datetime) -> bool:
        return self.character.redesign is not None and self.day(at) >= self.character.redesign

    def articles(self, until: datetime, since: datetime | None = None) -> list[Article]:
        """Return what was published after `since` and not after `until`, newest first, the removed ones too."""
        midnight = _midnight(self.start)
        first = -self.history if since is None else max(-self.history, (since - midnight).days)
        found = (article for day in range((until - midnight).days, first - 1, -1) for article in self._on(day))
        return [
            article for article in found if article.published <= until and (since is None or article.published > since)
        ]

    def newest(self, at: datetime, count: int, section: str | None = None) -> list[Article]:
        """Return the newest that are there."""
        there = (article for article in self._back(at) if article.there(at) and section in (None, article.section))
        return [article for article, _ in zip(there, range(count), strict=False)]

    def by_path(self, target: str, at: datetime) -> tuple[Article, str] | None:
        """Return the article with this address and which form it is: "main" or a kind of twin."""
        return self._paths(self.day(at)).get(target)

    def _back(self, at: datetime) -> Iterator[Article]:
        for day in range((at - _midnight(self.start)).days, -self.history - 1, -1):
            yield from (article for article in self._on(day) if article.published <= at)

    def _paths(self, day: int) -> dict[str, tuple[Article, str]]:
        while self._read <= day + 1:
            for article in self._on(self._read):
                self._known[article.path] = (article, "main")
                self._known |= {path: (article, form) for form, path in article.twins.items()}
            self._read += 1
        return self._known

    def _on(self, day: int) -> tuple[Article, ...]:
        """The articles of a day, newest first."""
        if day not in self._days:
            self._days[day] = tuple(self._made(day))
        return self._days[day]

    def _made(self, day: int) -> Iterator[Article]:
        character, random = self.character, Random(f"{self.seed}/{self.name}/{day}")
        midnight = _midnight(self.start) + timedelta(days=day)
        if character.silent is not None and day >= character.silent:
            return
        mean = character.a_day * (character.weekend if midnight.weekday() >= 5 else 1.0)
        count = int(mean) + (random.random() < mean % 1)
        first, last = character.hours
        seconds = sorted({random.randrange(first * 3600, last * 3600) for _ in range(count)}, reverse=True)
        for place, second in enumerate(seconds):
            number = 10_000 + (day + 50) * 200 + len(seconds) - place
            yield self._article(random, number, midnight + timedelta(seconds=second))

    def _article(self, random: Random, number: int, published: datetime) -> Article:
        character = self.character
        section, title = random.choice(SECTIONS), world_text.title(random)
        path = _PATHS[character.address].format(at=published, section=section, slug=world_text.slug(title), n=number)
        made = Article(
            self.name,
            number,
            published,
            section,
            title,
            world_text.person(random),
            path,
            {
                kind: _TWINS[kind].format(path=path, n=number, slug=world_text.slug(title))
                for kind in character.twins
                if kind in _TWINS
            },
        )
        fate: dict[str, Any] = {"edits": tuple(_edits(random, published, character.edited))}
        if random.random() < character.removed:
            fate |= {"removed": published + timedelta(hours=random.uniform(2, 40)), "gone": random.choice((404, 410))}
        if random.random() < character.noarchive:
            fate["noarchive"] = random.choice(("meta", "header"))
        return replace(made, **fate)


_PATHS = {
    "dated": "/{at:%Y/%m/%d}/{slug}-{n}",
    "art": "/art/{n}/{slug}",
    "slug": "/news/{slug}-{n}",
    "query": "/article.php?id={n}",
    "number": "/en/{at:%Y%m}{n}.html",
    "html": "/{section}/{slug}-{n}.html",
}
_TWINS = {
    "amp": "{path}/amp",
    "print": "/print/{n}",
    "second": "/dossier/{slug}-{n}",
    "short": "/s/{n}",
}


def _edits(random: Random, published: datetime, share: float) -> Iterator[Edit]:
    if random.random() >= share:
        return
    at = published
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        at += timedelta(minutes=random.uniform(10, 60 * random.choice((2, 6, 24, 48))))
        yield Edit(at.replace(microsecond=0), silent=random.random() < 0.5, headline=random.random() < 0.3)


def _midnight(at: datetime) -> datetime:
    return datetime(at.year, at.month, at.day, tzinfo=UTC)


def make_sites(kinds: Sequence[str], seed: int, start: datetime, history: int, port: int) -> list[Site]:
    """One site of each kind, in order, each on an address of its own; the same kind twice is two sites."""
    addresses = (f"127.44.{place // 200}.{place % 200 + 1}" for place in range(len(kinds)))
    return [
        Site(f"{kind}{place}", kind, KINDS[kind], address, port, seed, start, history)
        for place, (kind, address) in enumerate(zip(kinds, addresses, strict=True))
    ]


def common_kinds(count: int) -> list[str]:
    """The kinds of a world of `count` sites that nobody chose: what is common more often than what is rare."""
    return [COMMON[place] if place < len(COMMON) else COMMON[place * 7 % 20] for place in range(count)]

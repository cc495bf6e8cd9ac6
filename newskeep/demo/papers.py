"""The two papers as data, and what an extractor should make of each of their articles.

An article is a file `data/<paper>/articles/NN.toml`; its body is paragraphs with an empty line between, where "## "
starts a heading, "- " a list item, "> " a quotation and "@read NN" a read-also link to another article. Inside a
paragraph `**bold**` and `[text](address)` are markup.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal

PAPERS = ("kabelavisen", "tokenheron")

Kind = Literal["p", "h2", "li", "quote", "read"]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of a body; `markup` of a "read" piece is the number of the article it leads to."""

    kind: Kind
    markup: str

    @property
    def text(self) -> str:
        return re.sub(r"\[(.+?)\]\(.+?\)|\*\*(.+?)\*\*", lambda found: found[1] or found[2], self.markup)


@dataclass(frozen=True, slots=True)
class DemoArticle:
    """One article, and every line of its page that matters to an extractor; lines are text without markup."""

    number: str
    path: str
    title: str
    authors: tuple[str, ...]
    #: ISO 8601 with zone.
    published: str
    modified: str | None
    language: str
    section: str
    topics: tuple[str, ...]
    #: The article's text in page order, headings included: all of it must be kept.
    paragraphs: tuple[str, ...]
    #: The lines under the headline: listed by themselves, as the description.
    standfirst: str
    #: Lines of the page that are not the article: none of them may be kept.
    boilerplate: tuple[str, ...]
    #: Lines that may be kept or not: headline, standfirst, byline, date. The headline at most once.
    neutral: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """An article's file as read."""

    number: str
    path: str
    title: str
    authors: tuple[str, ...]
    published: str
    section: str
    topics: tuple[str, ...]
    body: tuple[Paragraph, ...]
    modified: str | None = None
    deck: str | None = None
    caption: str | None = None
    #: Name of a file in data/<paper>/.
    picture: str | None = None
    #: Whom JSON-LD names as author; "none": the page has no JSON-LD.
    json_ld: Literal["person", "organisation", "none"] = "person"
    charset: str = "utf-8"
    #: Content-Encoding it is served with.
    encoding: str | None = None

    @property
    def description(self) -> str:
        """The deck, or the beginning of the text cut at 150 characters, in the middle of a sentence as portals do."""
        return self.deck or next(piece.text for piece in self.body if piece.kind == "p")[:150].rsplit(" ", 1)[0]


@dataclass(frozen=True)
class Paper:
    """A paper: its masthead and furniture as read from paper.toml, and its articles.

    `day` turns the lists that change from day to day (events, promotions, rates).
    """

    key: str
    facts: dict[str, Any]
    sources: tuple[Source, ...]
    day: int = 0

    @property
    def name(self) -> str:
        return str(self.facts["name"])

    @property
    def language(self) -> str:
        return str(self.facts["language"])

    @cached_property
    def articles(self) -> tuple[DemoArticle, ...]:
        """The articles, in the order of their numbers."""
        return tuple(self._expected(source) for source in self.sources)

    def source(self, number: str) -> Source:
        return next(source for source in self.sources if source.number == number)

    def rotated(self, name: str, source: Source, count: int) -> list[Any]:
        """`count` entries of a list of furniture, others on each page and each day."""
        entries = self.facts[name]
        start = int(source.number) + self.day
        return [entries[(start + step) % len(entries)] for step in range(count)]

    def data(self, name: str) -> Traversable:
        return _folder(self.key) / name

    def _expected(self, source: Source) -> DemoArticle:
        from newskeep.demo.columns import column

        made = column(self, source)
        body = tuple(piece.text for piece in source.body if piece.kind != "read")
        return DemoArticle(
            number=source.number,
            path=source.path,
            title=source.title,
            authors=source.authors,
            published=source.published,
            modified=source.modified,
            language=self.language,
            section=source.section,
            topics=source.topics,
            paragraphs=body,
            standfirst=source.deck or source.description,
            boilerplate=(*made.furniture, *self.facts["chrome"]),
            neutral=tuple(made.neutral),
        )


def papers(day: int = 0) -> list[Paper]:
    """Read both papers; `day` turns what rotates, the articles stay."""
    return [_read(key, day) for key in PAPERS]


def _read(key: str, day: int) -> Paper:
    facts = tomllib.loads((_folder(key) / "paper.toml").read_text("utf-8"))
    names = sorted(entry.name for entry in (_folder(key) / "articles").iterdir() if entry.name.endswith(".toml"))
    return Paper(key, facts, tuple(_read_article(key, name) for name in names), day)


def _read_article(key: str, name: str) -> Source:
    entry = tomllib.loads((_folder(key) / "articles" / name).read_text("utf-8"))
    fields: dict[str, Any] = {
        field: tuple(value) if isinstance(value, list) else value for field, value in entry.items()
    }
    fields |= {"number": name.removesuffix(".toml"), "body": tuple(_pieces(entry["body"]))}
    return Source(**fields)


def _pieces(body: str) -> Iterator[Paragraph]:
    marks: dict[str, Kind] = {"##": "h2", "-": "li", ">": "quote", "@read": "read"}
    for line in filter(None, body.splitlines()):
        mark, _, rest = line.partition(" ")
        yield Paragraph(marks[mark], rest) if mark in marks else Paragraph("p", line)


def _folder(key: str) -> Traversable:
    return files("newskeep.demo") / "data" / key

"""What a person typed into a search box -> what must stand in an article, what must not, and where it stands.

    bridge minister          both, in any order (AND may stand between)
    "opens on monday"        as they follow each other
    bridge OR tunnel         one of them; binds closer than what stands beside it
    -budget   NOT budget     without it
    bridg*                   what begins so
    (a b) OR c               brackets hold together
    author:"ada lovelace"  site:example.org  language:pt  tag:election

Quotation marks of other languages, and signs as wide as a character of Chinese, mean the same. Operators are in
capitals, so that the words themselves can be searched for. Other signs mean nothing: what is no query, such as OR with
nothing behind it, raises `UsageError` and is one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Self

from storage.annotations import parse_tag
from storage.errors import InvalidURL, UsageError
from storage.index.field_words import author_words, language_words, site_word
from storage.index.query_nodes import All, Either, Node, Not, Term, wanted_terms
from storage.index.tokenizer import is_unspaced, tokens, words
from storage.urls import site_of

#: Terms of a question, words of one, and brackets in brackets; more would only take long.
MOST_TERMS, MOST_WORDS, MOST_DEEP = 32, 32, 8
#: Places of a text that are marked.
MOST_MARKS = 200
#: A beginning shorter than this is a word: what begins with one letter is half of the dictionary.
_SHORTEST_PREFIX = 2

#: The hosts that a site's name stands for; none where it is no name.
SiteHosts = Callable[[str], tuple[str, ...]]

_EXAMPLES = {
    "author": "author:smith",
    "site": "site:example.org",
    "language": "language:pt",
    "tag": "tag:election",
}
# The same signs as other languages, and keyboards of East Asia, have them; what a phone makes of a minus.
_SIGNS = str.maketrans(
    dict.fromkeys("“”„‟«»‹›「」『』｢｣《》〈〉〝〞〟＂″", '"')
    | dict.fromkeys("－−–", "-")
    | {"（": "(", "）": ") ", "：": ":", "＊": "*"}
)
# Single ones, where they are no apostrophes.
_SINGLE_QUOTED = re.compile(r"(?<!\w)[‘‚](?=\S)([^‘’‚]+(?:(?<=\w)’(?=\w)[^‘’‚]+)*)[’‘](?!\w)")
_OPERATORS = frozenset({"AND", "OR", "NOT"})
# A piece: a minus behind a space or bracket, then an opening bracket, or a term: perhaps a field's name, then a phrase
# (maybe never closed) or what stands up to the next space or quote.
_PIECE = re.compile(
    r"(?P<minus>(?<![^\s(])-(?=[^\s-]))?"
    r"(?:(?P<open>(?:(?<![^\s(-])|(?<=OR)|(?<=AND)|(?<=NOT))\()|(?P<close>\))"
    r"|(?:(?P<field>(?i:author|site|language|tag)):)?"
    r'(?:"(?P<phrase>[^"]*)"?(?P<star>\*?)|(?P<plain>(?:AND|OR|NOT)(?=\()|[^\s"]*)))'
)


class _Piece(NamedTuple):
    #: "term", "(", ")", or an operator.
    kind: str
    minus: bool = False
    field: str | None = None
    text: str = ""
    star: bool = False


def no_names(_: str) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class SearchQuery:
    #: `None`: nothing is asked of the words.
    root: Node | None
    #: Tags that an article must have, and those that it must not.
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()

    @classmethod
    def parse(cls, typed: str, site_hosts: SiteHosts = no_names) -> Self:
        """Raises `UsageError`; `site_hosts` says what the names are that may stand behind `site:`."""
        parser = _Parser(list(_pieces(typed)), site_hosts)
        root = parser.all()
        return cls(root, tuple(dict.fromkeys(parser.tags)), tuple(dict.fromkeys(parser.without_tags)))

    def __bool__(self) -> bool:
        return bool(self.root or self.tags or self.without_tags)

    @property
    def terms(self) -> tuple[Term, ...]:
        """What is to be marked in title and text."""
        return () if self.root is None else tuple(dict.fromkeys(wanted_terms(self.root)))

    def marks(self, text: str, most: int = MOST_MARKS) -> list[tuple[int, int]]:
        """Return where the wanted terms stand in a text, the first of them, in order, without overlaps."""
        terms = self.terms
        begins = tuple({term.tokens[0] for term in terms})
        marks: list[tuple[int, int]] = []
        found = list(words(text)) if begins else []
        for at, word in enumerate(found):
            if not word.token.startswith(begins):
                continue
            ends = [end for term in terms if (end := term.end(found, at, text)) is not None]
            if not ends:
                continue
            if marks and word.start <= marks[-1][1]:
                marks[-1] = (marks[-1][0], max(*ends, marks[-1][1]))
            elif len(marks) == most:
                break
            else:
                marks.append((word.start, max(ends)))
        return marks


class _Parser:
    """Pieces -> a tree: `all` that stand side by side, each `_either` of those with OR between, each one a `_part`."""

    def __init__(self, pieces: list[_Piece], site_hosts: SiteHosts) -> None:
        self._pieces = pieces
        self._at = 0
        self._site_hosts = site_hosts
        self._terms = 0
        self.tags: list[str] = []
        self.without_tags: list[str] = []

    def all(self, depth: int = 0) -> Node | None:
        if depth > MOST_DEEP:
            raise UsageError(f"more than {MOST_DEEP} brackets in brackets")
        found: list[Node | None] = []
        while (kind := self._kind) is not None:
            if kind == ")":
                self._at += 1
                if depth:
                    break
            elif kind in {"AND", "OR"}:
                raise _alone(kind)
            else:
                found.append(self._either(depth))
                if self._kind == "AND":
                    self._pass_operator()
        parts = tuple(dict.fromkeys(part for part in found if part is not None))
        return parts[0] if len(parts) == 1 and not isinstance(parts[0], Not) else All(parts) if parts else None

    def _either(self, depth: int) -> Node | None:
        parts = [self._part(depth, beside_or=False)]
        while self._kind == "OR":
            self._pass_operator()
            parts.append(self._part(depth, beside_or=True))
        known = tuple(dict.fromkeys(part for part in parts if part is not None))
        if len(parts) > 1 and None in parts:
            raise _alone("OR")
        return Either(known) if len(known) > 1 else known[0] if known else None

    def _part(self, depth: int, *, beside_or: bool) -> Node | None:
        negated = self._kind == "NOT"
        if negated:
            self._pass_operator()
        piece = self._pieces[self._at]
        self._at += 1
        negated ^= piece.minus
        if piece.kind == "(":
            found = self.all(depth + 1)
        elif piece.field == "tag":
            if depth or beside_or or self._kind == "OR":
                raise UsageError("tag: stands by itself, not in brackets or beside OR")
            (self.without_tags if negated else self.tags).append(_tag(piece.text))
            return None
        else:
            found = self._term(piece)
        return Not(found) if negated and found is not None else found

    def _term(self, piece: _Piece) -> Node | None:
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise UsageError(f"more than {MOST_TERMS} words; quotation marks make one of several in a row")
        if piece.field == "site":
            return self._site(piece.text)
        if piece.field == "language":
            return Term((_needed("language", list(language_words(piece.text)))[-1],), of_text=False)
        if piece.field == "author":
            name = _needed("author", author_words(piece.text))[:MOST_WORDS]
            return Term(tuple(name), prefix=piece.star, of_text=False)
        return _words(piece.text, piece.star)

    def _site(self, name: str) -> Node:
        hosts = self._site_hosts(name)
        try:
            hosts = hosts or (site_of(name if "://" in name else f"http://{name}"),)
        except InvalidURL as error:
            raise UsageError(f"site:{name} is no site; its address {error.reason}") from None
        terms = tuple(Term((site_word(host),), of_text=False) for host in hosts)
        return terms[0] if len(terms) == 1 else Either(terms)

    @property
    def _kind(self) -> str | None:
        return self._pieces[self._at].kind if self._at < len(self._pieces) else None

    def _pass_operator(self) -> None:
        """Pass over an operator, which has something behind it."""
        operator = self._pieces[self._at].kind
        self._at += 1
        if self._kind in {None, ")", "AND", "OR"} or (operator == "NOT" == self._kind):
            raise _alone(operator)


def _pieces(typed: str) -> Iterator[_Piece]:
    for match in _PIECE.finditer(_SINGLE_QUOTED.sub(r'"\1"', typed).translate(_SIGNS)):
        minus, field = bool(match["minus"]), match["field"] and match["field"].lower()
        if match["open"] or match["close"]:
            yield _Piece(match["open"] or match["close"], minus)
        elif match["phrase"] is not None:
            yield _checked(_Piece("term", minus, field, match["phrase"], bool(match["star"])))
        elif match["plain"] or field:
            yield from _plain(match["plain"], minus, field)


def _plain(written: str, minus: bool, field: str | None) -> Iterator[_Piece]:
    """A term, and the brackets that close behind it: not those of its own, as in f(x)."""
    bare = written.rstrip(")")
    closing = min(len(written) - len(bare), max(0, written.count(")") - written.count("(")))
    kept = written[: len(written) - closing]
    is_operator = kept in _OPERATORS and not (minus or field)
    yield _Piece(kept) if is_operator else _checked(_Piece("term", minus, field, kept, kept.endswith("*")))
    yield from (_Piece(")") for _ in range(closing))


def _checked(piece: _Piece) -> _Piece:
    """Raises `UsageError` for a field that has nothing behind it, or brackets."""
    if piece.field and (piece.text.startswith("(") or not piece.text.strip()):
        raise UsageError(
            f"{piece.field}: needs its one value right behind it, such as {_EXAMPLES[piece.field]};"
            " the word itself is written without the colon"
        )
    return piece


def _alone(operator: str) -> UsageError:
    stands = "before a word" if operator == "NOT" else "between two words"
    return UsageError(f"{operator} stands {stands}; the word itself is written small: {operator.lower()}")


def _tag(text: str) -> str:
    try:
        return parse_tag(text)
    except UsageError as error:
        raise UsageError(f"tag: {error}") from None


def _needed(field: str, found: list[str]) -> list[str]:
    if not found:
        raise UsageError(f"{field}: has no word behind it; such as {_EXAMPLES[field]}")
    return found


def _words(written: str, star: bool) -> Term | None:
    found = tokens(written)[:MOST_WORDS]
    if not found:
        return None
    if is_unspaced(found[-1]):
        # The last character of a run stands alone only where the run ends; here it may go on.
        pair = found[-2] if len(found) > 1 else ""
        if len(pair) > 1 and pair.endswith(found[-1]):
            return Term(tuple(found[:-1]))
        return Term(tuple(found), prefix=True)
    return Term(tuple(found), prefix=star and len(found[-1]) >= _SHORTEST_PREFIX)

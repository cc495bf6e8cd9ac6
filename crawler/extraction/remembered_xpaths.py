"""XPaths that pick elements by their own tag and attributes, answered out of what was said of the same ones before.

trafilatura's are most of what it costs: each calls Python back for every regular expression at every element. But names
repeat, on a page and even more on a site, and an element's answer depends on nothing else. Their words are read out of
the expressions, so that they are written down nowhere here; one that looks at more than an element's own is left as it
is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

from lxml import etree

from crawler.extraction.own_predicates import NotOwn, Predicate, Reader
from crawler.html.document import Tree

Expression: TypeAlias = "etree.XPath | Callable[[Tree], Sequence[Tree]]"
#: An element as far as an expression looks at it.
_Looks: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]

#: So many answers are kept of an expression, then it begins anew; and none to so many characters of attributes, which
#: may be a picture's.
_MOST, _LONGEST = 2_000, 400
_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")
_WHOLE = re.compile(
    r"\s*(?P<around>\()?\s*\.//\*(?P<predicates>\[.*\])\s*(?(around)\)\s*(?P<first>\[1\]))\s*", re.DOTALL
)
#: A choice of tags, which alone is asked of an element's tag.
_TAGS = re.compile(r"\[\s*self::\w+(?:\s+or\s+self::\w+)*\s*\]")


class Remembered:
    """An expression like `.//*[…]` whose answers are kept; it finds the same elements, in the same order."""

    def __init__(self, expression: etree.XPath, own: Sequence[str], *, is_all: bool, first: str) -> None:
        """`own` are its first predicates, which are about elements alone; `is_all` says that there are no others.

        `first` is "page" or "parent" where it wants no more than the first element, of all or of each parent. Raises
        `NotOwn`.
        """
        self.expression = expression
        self._is_all, self._first = is_all, first
        choice = _TAGS.fullmatch(own[0])
        self._tags = tuple(re.findall(r"self::(\w+)", own[0])) if choice else ("*",)
        readers = [Reader.of(each[1:-1]) for each in (own[1:] if choice else own)]
        self._predicates: list[Predicate] = [reader.predicate() for reader in readers]
        self._names = frozenset[str]().union(*[reader.attributes for reader in readers])
        self._by_tag = any(reader.tags for reader in readers)
        self._known: dict[_Looks, bool] = {}

    def __call__(self, tree: Tree) -> Sequence[Tree]:
        found = self._find(tree)
        if not found:
            return found
        if not self._is_all:
            return cast(Sequence[Tree], self.expression(tree))
        if self._first == "page":
            return found[:1]
        if self._first == "parent":
            firsts: dict[Tree | None, Tree] = {}
            for element in found:
                firsts.setdefault(element.getparent(), element)
            return list(firsts.values())
        return found

    @property
    def kept(self) -> int:
        """How many answers it has."""
        return len(self._known)

    def _find(self, tree: Tree) -> list[Tree]:
        names, known, by_tag = self._names, self._known, self._by_tag
        found = []
        for element in tree.iterdescendants(*self._tags):
            attributes = element.items()
            own = tuple([each for each in attributes if each[0] in names]) if attributes else ()
            looks = (element.tag if by_tag else "", own)
            answer = known.get(looks)
            if answer is None:
                answer = self._learn(looks)
            if answer:
                found.append(element)
        return found

    def _learn(self, looks: _Looks) -> bool:
        tag, own = looks
        attributes = dict(own)
        answer = all(each(tag, attributes) for each in self._predicates)
        if len(tag) + sum(len(value) for _, value in own) < _LONGEST:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[looks] = answer
        return answer


def remembered(expression: Expression) -> Expression:
    """Return an expression that finds the same for less; the one given where it looks at more than each element."""
    if not isinstance(expression, etree.XPath):
        return expression
    path = expression.path
    whole = _WHOLE.fullmatch(_LITERAL.sub(lambda literal: "'" * len(literal[0]), path))
    if whole is None:
        return expression
    start = whole.start("predicates")
    predicates = [path[start + begin : start + end] for begin, end in _cut(whole["predicates"])]
    if not predicates:
        return expression
    first = "page" if whole["first"] else ""
    if not first and predicates[-1] == "[1]":
        first = "parent"
        predicates.pop()
    own = []
    for predicate in predicates:
        try:
            Reader.of(predicate[1:-1]).predicate()
        except NotOwn:
            break
        own.append(predicate)
    return Remembered(expression, own, is_all=len(own) == len(predicates), first=first) if own else expression


def _cut(shape: str) -> list[tuple[int, int]]:
    """Where each of "[…] […]" begins and ends, by the outermost brackets; nothing where more stands between them."""
    found: list[tuple[int, int]] = []
    depth = start = 0
    for at, character in enumerate(shape):
        if character == "[":
            start = start if depth else at
            depth += 1
        elif character == "]":
            depth -= 1
            if depth == 0:
                found.append((start, at + 1))
        elif depth == 0 and not character.isspace():
            return []
    return found if depth == 0 else []

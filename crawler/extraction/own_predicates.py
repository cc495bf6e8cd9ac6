"""Predicates of XPath 1.0 that are about nothing but an element's own tag and attributes, as functions of Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

#: An element as a predicate sees it: its tag, and its attributes in the order of the page.
Predicate: TypeAlias = Callable[[str, Mapping[str, str]], bool]
_Value: TypeAlias = Callable[[Mapping[str, str]], str]

_TOKEN = re.compile(r"\s*(?:('[^']*'|\"[^\"]*\")|(@[\w-]+|self::\w+|[\w:-]+)|([\[\]()|,=]))")


class NotOwn(ValueError):
    """A predicate that looks at more than an element, or is none that is known here."""


@dataclass(slots=True)
class Reader:
    """A predicate as it is read, and the names that it asks for."""

    _tokens: Iterator[str]
    _next: str = ""
    attributes: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, text: str) -> Reader:
        """Begin with the inside of a predicate's brackets. Raises `NotOwn`."""
        reader = cls(_tokens(text))
        reader._take()
        return reader

    def predicate(self) -> Predicate:
        """Return what the whole text says. Raises `NotOwn`."""
        found = self._any()
        if self._next:
            raise NotOwn(self._next)
        return found

    def _take(self, expected: str | None = None) -> str:
        taken = self._next
        if expected is not None and taken != expected:
            raise NotOwn(taken)
        self._next = next(self._tokens, "")
        return taken

    def _any(self) -> Predicate:
        found = [self._all()]
        while self._next == "or":
            self._take()
            found.append(self._all())
        if len(found) == 1:
            return found[0]
        tags = frozenset(each.tag for each in found if isinstance(each, _IsTag))
        if len(tags) == len(found):
            return lambda tag, _: tag in tags

        def holds(tag: str, attributes: Mapping[str, str]) -> bool:
            # A generator a call would cost as much as the answer.
            for each in found:  # noqa: SIM110
                if each(tag, attributes):
                    return True
            return False

        return holds

    def _all(self) -> Predicate:
        found = [self._one()]
        while self._next == "and":
            self._take()
            found.append(self._one())
        return found[0] if len(found) == 1 else lambda tag, attributes: all(each(tag, attributes) for each in found)

    def _one(self) -> Predicate:
        if self._next.startswith("self::"):
            tag = self._take()[6:]
            self.tags.add(tag)
            return _IsTag(tag)
        if self._next.startswith("@"):
            return self._about_attribute()
        name = self._take()
        if name == "(":
            found = self._any()
            self._take(")")
            return found
        self._take("(")
        if name == "not":
            inner = self._any()
            self._take(")")
            return lambda tag, attributes: not inner(tag, attributes)
        return self._function(name)

    def _about_attribute(self) -> Predicate:
        name = self._take()[1:]
        self.attributes.add(name)
        if self._next != "=":
            return lambda _, attributes: name in attributes
        self._take("=")
        wanted = self._literal()
        return lambda _, attributes: attributes.get(name) == wanted

    def _function(self, name: str) -> Predicate:
        value = self._value()
        self._take(",")
        wanted = self._literal()
        if name == "re:test":
            flags = 0
            if self._next == ",":
                self._take()
                if self._literal() != "i":
                    raise NotOwn(name)
                flags = re.IGNORECASE
            holds = _search(wanted, flags)
            found: Predicate = lambda _, attributes: holds(value(attributes))  # noqa: E731
        elif name == "contains":
            found = lambda _, attributes: wanted in value(attributes)  # noqa: E731
        elif name == "starts-with":
            found = lambda _, attributes: value(attributes).startswith(wanted)  # noqa: E731
        else:
            raise NotOwn(name)
        self._take(")")
        return found

    def _value(self) -> _Value:
        """The text of an attribute, "" without it, or of the first of two that a page has."""
        if self._next == "translate":
            self._take()
            self._take("(")
            inner = self._value()
            self._take(",")
            old = self._literal()
            self._take(",")
            new = self._literal()
            self._take(")")
            if len(old) != len(new) or len(set(old)) != len(old):
                raise NotOwn("translate")
            table = str.maketrans(old, new)
            return lambda attributes: inner(attributes).translate(table)
        names = [self._name()]
        while self._next == "|":
            self._take()
            names.append(self._name())
        if len(names) == 1:
            name = names[0]
            return lambda attributes: attributes.get(name, "")
        among = frozenset(names)
        return lambda attributes: next((value for name, value in attributes.items() if name in among), "")

    def _name(self) -> str:
        if not self._next.startswith("@"):
            raise NotOwn(self._next)
        name = self._take()[1:]
        self.attributes.add(name)
        return name

    def _literal(self) -> str:
        if self._next[:1] not in ("'", '"'):
            raise NotOwn(self._next)
        return self._take()[1:-1]


def _search(pattern: str, flags: int) -> Callable[[str], bool]:
    """Whether the pattern stands somewhere in a text. Its plain words are looked for as such, at half the cost.

    Raises `NotOwn` for what is no pattern: lxml says so when it is asked.
    """
    try:
        re.compile(pattern, flags)
    except re.error as error:
        raise NotOwn(pattern) from error
    choices = _alternatives(pattern)
    words = tuple(each for each in choices if not flags and each == re.escape(each).replace("\\-", "-"))
    others = [each for each in choices if flags or each not in words]
    search = re.compile("|".join(others), flags).search if others else None

    def holds(text: str) -> bool:
        for word in words:
            if word in text:
                return True
        return search is not None and search(text) is not None

    return holds


def _alternatives(pattern: str) -> list[str]:
    """Cut a pattern at its outermost bars; what has escapes, marks in brackets, or flags stays whole."""
    if re.search(r"\\|\[[^\]]*[\[()|]|\(\?[^:!=<]", pattern):
        return [pattern]
    found, depth = [""], 0
    for character in pattern:
        if character == "|" and depth == 0:
            found.append("")
            continue
        depth += (character in "([") - (character in ")]")
        found[-1] += character
    return found if depth == 0 else [pattern]


@dataclass(frozen=True, slots=True)
class _IsTag:
    tag: str

    def __call__(self, tag: str, _: Mapping[str, str]) -> bool:
        return tag == self.tag


def _tokens(text: str) -> Iterator[str]:
    at, text = 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise NotOwn(text[at:])
        yield match[1] or match[2] or match[3]
        at = match.end()

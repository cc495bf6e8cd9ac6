"""Literals of JavaScript as Python values: what a page's scripts assign, read and never run.

JSON, and what is not JSON but has a value one can read off: keys without quotes, single quotes, templates, `!0`,
`void 0`, strings put together by `+`, `JSON.parse("…")`, `atob("…")`, `new Map([…])`, and a function that is called at
once with the values of its parameters (as Nuxt 2 writes its state). Any other is `None`, or ends the reading.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

#: Levels of nesting; deeper values end the reading.
MAX_DEPTH = 60
_TOKEN = re.compile(
    r"""(?:\s++|//[^\n]*+|/\*.*?\*/)*+(?:
    (?P<string>"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|`(?:[^`\\]|\\.)*+`)
    |(?P<number>-?(?:0[xX][\da-fA-F]++|\d++(?:\.\d*+)?(?:[eE][-+]?\d++)?|\.\d++)n?)
    |(?P<name>[^\W\d][\w$]*+|\$[\w$]*+)
    |(?P<mark>\S))""",
    re.DOTALL | re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:u\{([\da-fA-F]{1,6})\}|u([\da-fA-F]{4})|x([\da-fA-F]{2})|(\r\n|.))", re.DOTALL)
_SINGLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r\n": ""}
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_CONSTANTS = {"true": True, "false": False, "null": None, "undefined": None, "NaN": None, "Infinity": None}
_OPENING = {"(": ")", "[": "]", "{": "}"}
_OPEN = ('"', "'", "`", "/*")
_JSON = json.JSONDecoder(strict=False)
#: Characters that are given to the JSON decoder first; what is cut there gets eight times as many.
_WINDOW = 4096
#: Characters before the end of a cut text in which the decoder may trip over the cut: an escape, a word.
_AT_CUT = 8


class _Token(NamedTuple):
    kind: str
    text: str


class _Name(NamedTuple):
    """A variable, until it is known what it stands for."""

    name: str


class _Function(NamedTuple):
    """What a function returns, in terms of its parameters."""

    parameters: list[str]
    returned: Any


_END = _Token("end", "")


class NoLiteral(ValueError):
    """There is no value that can be read; `at` is how far the text was looked through to know it."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


def read(text: str, at: int = 0) -> tuple[Any, int]:
    """Return the value that begins at `at`, and where it ends. Raises `NoLiteral` where none can be read."""
    try:
        return _json(text, at)
    except (ValueError, RecursionError):
        pass
    reader = _Reader(text, at)
    try:
        return _known(reader.value(), {}), reader.at
    except (ValueError, RecursionError) as error:
        raise NoLiteral(str(error), reader.seen) from error


def _json(text: str, at: int) -> tuple[Any, int]:
    """As `raw_decode`, whose errors tell the line: each costs as much as all that stands before it in the text."""
    size = _WINDOW
    while True:
        window = text[at : at + size]
        try:
            value, length = _JSON.raw_decode(window)
        except json.JSONDecodeError as error:
            is_cut = error.pos > len(window) - _AT_CUT or error.msg.startswith("Unterminated string")
            if not is_cut or at + size >= len(text):
                raise
            size *= 8
        else:
            return value, at + length


class _Reader:
    """A place in a script."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self.at = at
        #: How far it was looked, which is further than what was read.
        self.seen = at

    def value(self, depth: int = 0) -> Any:
        """Read an expression that is a literal, or strings put together."""
        if depth > MAX_DEPTH:
            raise ValueError("nested too deep")
        found = self._called_at_once(depth)
        if self._peek().text != "+":
            return found
        parts = [found]
        while self._peek().text == "+":
            self._next()
            parts.append(self._called_at_once(depth))
        texts = [part for part in parts if isinstance(part, str)]
        return "".join(texts) if len(texts) == len(parts) else None

    def _called_at_once(self, depth: int) -> Any:
        """An operand; of a function that is called where it stands, what it returns."""
        found = self._operand(depth)
        if isinstance(found, _Function) and self._peek().text == "(":
            self._next()
            return _known(found.returned, dict(zip(found.parameters, self._list(")", depth + 1), strict=False)))
        return found

    def _operand(self, depth: int) -> Any:
        token = self._next()
        match token.kind, token.text:
            case "string", text:
                return unquoted(text)
            case "number", text:
                return _number(text)
            case "name", name:
                return self._named(name, depth)
            case _, "{":
                return self._object(depth)
            case _, "[":
                return self._list("]", depth)
            case _, "(":
                return self._bracketed(depth)
            case _, "!":
                return not self._operand(depth + 1)
        raise ValueError(f"no literal: {token.text!r}")

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while (token := self._next()).text != "}":
            if token.text == ",":
                continue
            if token.kind not in ("string", "name", "number") or self._next().text != ":":
                raise ValueError("no key")
            key = unquoted(token.text) if token.kind == "string" else token.text
            found[key] = self.value(depth + 1)
            if self._peek().text not in (",", "}"):
                raise ValueError("an expression")
        return found

    def _list(self, closing: str, depth: int) -> list[Any]:
        found: list[Any] = []
        while self._peek().text != closing:
            if self._peek().text == ",":
                self._next()
                continue
            found.append(self.value(depth + 1))
            if self._peek().text not in (",", closing):
                raise ValueError("an expression")
        self._next()
        return found

    def _bracketed(self, depth: int) -> Any:
        found = self.value(depth + 1)
        if self._next().text != ")":
            raise ValueError("an expression")
        return found

    def _named(self, name: str, depth: int) -> Any:
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        if name == "void":
            self._operand(depth + 1)
            return None
        if name == "function":
            return self._function(depth)
        if name == "new":
            return self._operand(depth + 1)
        while self._peek().text == ".":
            self._next()
            name = f"{name}.{self._next().text}"
        if self._peek().text != "(":
            return _Name(name)
        self._next()
        return _called(name, self._list(")", depth + 1))

    def _function(self, depth: int) -> _Function:
        """A function that returns a literal, or nothing that is known."""
        if self._peek().kind == "name":
            self._next()
        if self._next().text != "(":
            raise ValueError("no parameters")
        parameters = [name.name for name in self._list(")", depth + 1) if isinstance(name, _Name)]
        if self._next().text != "{":
            raise ValueError("no function")
        returned: Any = None
        if self._skip_to_return():
            returned = self.value(depth + 1)
            self._skip("}")
        return _Function(parameters, returned)

    def _skip_to_return(self) -> bool:
        """Go behind the function's own `return`; or behind its end, where there is none."""
        while (token := self._next()) is not _END:
            if token.text in _OPENING and token.kind == "mark":
                self._skip(_OPENING[token.text])
            elif token.text == "}":
                return False
            elif token.text == "return":
                return True
        raise ValueError("no end")

    def _skip(self, closing: str) -> None:
        """Go behind the bracket that closes the one that is open."""
        open_ = [closing]
        while open_:
            token = self._next()
            if token is _END:
                raise ValueError("no end")
            if token.kind != "mark":
                continue
            if token.text in _OPENING:
                open_.append(_OPENING[token.text])
            elif token.text == open_[-1]:
                open_.pop()

    def _peek(self) -> _Token:
        at = self.at
        token = self._next()
        self.at = at
        return token

    def _next(self) -> _Token:
        found = _TOKEN.match(self._text, self.at)
        if found is None or found.lastgroup is None:
            self.seen = len(self._text)
            return _END
        self.at = found.end()
        token = _Token(found.lastgroup, found[found.lastgroup])
        # The end of a string or comment that has none was looked for everywhere.
        is_open = token.kind == "mark" and self._text.startswith(_OPEN, self.at - 1)
        self.seen = len(self._text) if is_open else max(self.seen, self.at)
        return token


def _called(name: str, arguments: list[Any]) -> Any:
    """What a call of a well-known function gives; `None` for others."""
    first = arguments[0] if arguments else None
    if name == "decodeURIComponent" and isinstance(first, str):
        return unquote(first)
    if name in ("atob", "window.atob") and isinstance(first, str):
        return _from_base64(first)
    if name == "escape" and isinstance(first, str):
        return quote(first, encoding="latin-1", errors="replace")
    if name == "JSON.parse" and isinstance(first, str):
        try:
            return _JSON.decode(first)
        except (ValueError, RecursionError):
            return None
    return first if name in ("Object.freeze", "Object.assign", "Map", "Set", "Date", "URL") else None


def _from_base64(text: str) -> str | None:
    """The bytes of a text in base64, each as the character of its number, as browsers give them (Infra, 5)."""
    with suppress(ValueError):
        return base64.b64decode("".join(text.split()), validate=True).decode("latin-1")
    return None


def _known(value: Any, variables: Mapping[str, Any]) -> Any:
    """The value with what its variables stand for; those that nothing is known of are `None`."""
    if isinstance(value, _Name):
        return variables.get(value.name)
    if isinstance(value, _Function):
        return None
    if isinstance(value, dict):
        return {key: _known(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [_known(inner, variables) for inner in value]
    return value


def unquoted(literal: str) -> str:
    """Return the text of a string literal with its quotes."""
    text = _ESCAPE.sub(_unescaped, literal[1:-1]) if "\\" in literal else literal[1:-1]
    return _SURROGATES.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)


def _unescaped(escape: re.Match[str]) -> str:
    if escape[4] is not None:
        return _SINGLE.get(escape[4], escape[4])
    code = int(escape[1] or escape[2] or escape[3], 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"


def _number(text: str) -> float | int:
    text = text.removesuffix("n")
    if text.lower().lstrip("-").startswith("0x"):
        return int(text, 16)
    return int(text[:400]) if text.lstrip("-").isdecimal() else float(text)

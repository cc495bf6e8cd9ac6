"""Values whose parts stand elsewhere, or behind a sign of what they are: devalue, turbo-stream, React's rows, the
caches of Apollo and Relay, the islands of Astro, Qwik's objects."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

from crawler.extraction.embedded.literals import MAX_DEPTH

#: A row of React's stream: a number, a letter for what follows, and JSON, or a text of so many bytes.
_ROW = re.compile(rb"([\da-f]{0,8}):(?:T([\da-f]{1,8}),|([A-Z]{0,2})(?=[\[{\"\dtfn]))")
_NAMED_ROW = re.compile(r"\$[L@]?([\da-f]{1,8})")
_QWIK_PLACE = re.compile(r"([\da-z]{1,6})[^\da-z]?")
_PLACE_OF_KEY = re.compile(r"_(\d{1,7})")
#: Objects of one list that are put together, so that parts named many times do not become many.
_MOST = 20_000
#: The last type of Astro's props, and of those 1 is a list.
_TYPES = 11
#: Objects around a cache: `{"props": {"pageProps": {"apolloState": …}}}`.
_CACHE_DEPTH = 5
#: What an object has that is somebody or something by itself.
_TITLES = ("title", "headline", "name", "slug", "url")


def joined(value: Any) -> Any:
    """Return what a value of one of these kinds stands for; any other as it is.

    devalue (Nuxt 3, SvelteKit): `[{"title": 1}, "The bridge"]`; turbo-stream (React Router, Remix): `[{"_1": 2},
    "title", "The bridge"]`. Astro: `{"title": [0, "The bridge"]}`. Apollo, Relay: `{"Article:1": {"body": {"__ref":
    "Body:1"}}, "Body:1": {"text": "The bridge"}}`. Qwik: `{"objs": ["The bridge", {"title": "0"}], "subs": []}`.
    """
    if isinstance(value, dict) and isinstance(objects := value.get("objs"), list) and "subs" in value:
        return _Qwik(objects).all()
    if isinstance(value, dict):
        return _untagged(value) if _is_tagged(value) else _Cache(value).whole(value)
    if not isinstance(value, list) or len(value) < 2 or not _is_flat(value[0]):
        return value
    return _Flat(value).at(0)


class _Qwik:
    """A list whose objects and lists hold places in it, as numbers to base 36, with a sign behind for what they are."""

    def __init__(self, objects: list[Any]) -> None:
        self._objects = objects
        self._left = _MOST

    def all(self) -> list[Any]:
        """The objects, each whole."""
        return [self._whole(value, frozenset()) for value in self._objects if isinstance(value, dict)]

    def _whole(self, value: Any, within: frozenset[int]) -> Any:
        if isinstance(value, dict):
            return {key: self._at(place, within) for key, place in value.items()}
        if isinstance(value, list):
            return [self._at(place, within) for place in value]
        return value

    def _at(self, place: Any, within: frozenset[int]) -> Any:
        """What stands at a place; nothing of an object that is inside itself, or nested deeper than any article."""
        self._left -= 1
        if not isinstance(place, str) or (match := _QWIK_PLACE.fullmatch(place)) is None:
            return None
        number = int(match[1], 36)
        if number >= len(self._objects) or number in within or len(within) > MAX_DEPTH or self._left < 0:
            return None
        return self._whole(self._objects[number], within | {number})


def _is_flat(first: Any) -> bool:
    """Whether all that the first value holds are places in the list."""
    inner = first.values() if isinstance(first, dict) else first if isinstance(first, list) else ()
    places = [place for place in inner if not isinstance(place, str)]
    return bool(places) and all(isinstance(place, int) and not isinstance(place, bool) for place in places)


def _is_tagged(value: dict[str, Any]) -> bool:
    """Whether each value is a pair that begins with the number of its type (Astro's props)."""
    return bool(value) and all(
        isinstance(inner, list) and len(inner) == 2 and type(inner[0]) is int and 0 <= inner[0] <= _TYPES
        for inner in value.values()
    )


def _untagged(value: Any, depth: int = 0) -> Any:
    """An object whose values are pairs, without the numbers of their types."""
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {key: _untagged(inner, depth + 1) for key, inner in value.items()}
    if not isinstance(value, list) or len(value) != 2:
        return value
    kind, held = value
    return (
        [_untagged(item, depth + 1) for item in held]
        if kind == 1 and isinstance(held, list)
        else _untagged(held, depth + 1)
    )


class _Cache:
    """The objects of a cache by their names, and how much of them was put together."""

    def __init__(self, value: dict[str, Any]) -> None:
        self._objects: dict[str, dict[str, Any]] = {}
        self._open: set[str] = set()
        self._left = _MOST
        self._collect(value, 0)

    def _collect(self, value: Any, depth: int) -> None:
        """Note what can be named: the objects of any object that says of what type they are."""
        if depth > _CACHE_DEPTH or not isinstance(value, dict):
            return
        for name, inner in value.items():
            if isinstance(inner, dict):
                if "__typename" in inner:
                    self._objects.setdefault(name, inner)
                else:
                    self._collect(inner, depth + 1)

    def whole(self, value: Any, depth: int = 0) -> Any:
        """Put objects in the place of what names them, but for those with a title: other articles, authors."""
        if not self._objects or not isinstance(value, dict | list):
            return value
        if depth > MAX_DEPTH:
            return None
        if isinstance(value, list):
            return [self.whole(inner, depth + 1) for inner in value]
        if isinstance(names := value.get("__refs"), list):
            return [self._named(name, depth) for name in names]
        if isinstance(name := value.get("__ref"), str):
            return self._named(name, depth)
        return {key: self.whole(inner, depth + 1) for key, inner in value.items()}

    def _named(self, name: Any, depth: int) -> Any:
        """An object by its name, but not within itself."""
        found = self._objects.get(name) if isinstance(name, str) and name not in self._open else None
        if found is None or self._left <= 0 or any(found.get(key) for key in _TITLES):
            return None
        self._left -= 1
        self._open.add(name)
        try:
            return self.whole(found, depth + 1)
        finally:
            self._open.remove(name)


class _Flat:
    """A flat list, and how much of it was put together."""

    def __init__(self, values: list[Any]) -> None:
        self._values = values
        self._left = _MOST

    def at(self, place: Any, depth: int = 0) -> Any:
        """Put together what stands at a place."""
        if not isinstance(place, int) or not 0 <= place < len(self._values) or depth > MAX_DEPTH or self._left <= 0:
            return None
        self._left -= 1
        value = self._values[place]
        if isinstance(value, dict):
            return {self._key(key): self.at(inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, list):
            # ["Reactive", 1], ["Date", "2026-…"]: the kind of a value before it.
            if len(value) == 2 and isinstance(value[0], str):
                return self.at(value[1], depth + 1) if isinstance(value[1], int) else value[1]
            return [self.at(inner, depth + 1) for inner in value]
        return value

    def _key(self, key: str) -> str:
        found = _PLACE_OF_KEY.fullmatch(key)
        name = self._values[int(found[1])] if found and int(found[1]) < len(self._values) else key
        return name if isinstance(name, str) else key


def rows(stream: str) -> list[Any]:
    """Return the values of React's stream (Next.js: `self.__next_f.push`), with the rows that they name in their place.

    An element, `["$", "p", null, {"children": "The bridge"}]`, is an object: `{"type": "p", "children": "The bridge"}`.
    """
    found: dict[str, Any] = {}
    data = stream.encode("utf-8", "replace")
    at = 0
    while (row := _ROW.match(data, at)) is not None:
        name = row[1].decode()
        if row[2] is not None:
            at = row.end() + int(row[2], 16)
            found[name] = data[row.end() : at].decode("utf-8", "replace")
            continue
        end = data.find(b"\n", row.end())
        end = len(data) if end < 0 else end
        with suppress(ValueError, RecursionError):
            found[name] = json.loads(data[row.end() : end])
        at = end + 1
    stream_ = _Rows(found)
    return [stream_.whole(value) for value in found.values() if not isinstance(value, str)]


class _Rows:
    """The rows of a stream by their names, and how much of them was put together."""

    def __init__(self, found: dict[str, Any]) -> None:
        self._found = found
        self._left = _MOST

    def whole(self, value: Any, depth: int = 0) -> Any:
        """Put rows in the place of what names them, and objects in that of elements."""
        if isinstance(value, str):
            named = _NAMED_ROW.fullmatch(value)
            if named is None or named[1] not in self._found:
                return None if named else value
            self._left -= 1
            row = self._found[named[1]]
            return row if isinstance(row, str) else self.whole(row, depth + 1)
        if depth > MAX_DEPTH or self._left <= 0:
            return None
        if isinstance(value, dict):
            return {key: self.whole(inner, depth + 1) for key, inner in value.items()}
        if not isinstance(value, list):
            return value
        if len(value) >= 4 and value[0] == "$" and isinstance(value[1], str) and isinstance(value[3], dict):
            return {"type": value[1], **self.whole(value[3], depth + 1)} if depth < MAX_DEPTH else None
        return [self.whole(inner, depth + 1) for inner in value]

"""The part of an object of a page's data that its running text stands in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from crawler.extraction.embedded.naming import PageNames
from crawler.extraction.embedded.rendering import as_html, is_elsewhere, is_other, prose, shown
from crawler.html.words import Shingles, tokens

_DEPTH = 50
#: From this share of an object's text on, the text is in one part of it.
_MOST_OF_IT = 0.6
#: … and of a list, in one item.
_ALL_BUT_ALL = 0.9
#: A text of which so much stands in another is the same once more.
_SAME = 0.75


class _Part(NamedTuple):
    """A part of an object or a list, with its running text in characters."""

    weight: int
    key: str | int
    value: Any


class Body:
    """Where the running text of an object is; objects that name another page are none of it."""

    def __init__(self, page: PageNames) -> None:
        self._page = page

    def of(self, value: Any, depth: int = 0) -> Any:
        """Return the string, list or object that is the body, parts that repeat another left out.

        `None` where the text is scattered over an object: settings, sections, the parts of a front page.
        """
        if depth > _DEPTH or not isinstance(value, (dict, list)):
            return value
        parts = self._parts(value)
        total = sum(part.weight for part in parts)
        for part in parts:
            if part.weight >= (_MOST_OF_IT if isinstance(value, dict) else _ALL_BUT_ALL) * total:
                return self.of(part.value, depth + 1)
        if isinstance(value, list):
            return [inner for inner in value if not self._is_other(inner)]
        if sum(part.weight for part in parts if isinstance(part.value, str)) < _MOST_OF_IT * total:
            return None
        kept = {part.key for part in parts}
        return {key: inner for key, inner in value.items() if key in kept or isinstance(inner, str)}

    def _parts(self, value: dict[str, Any] | list[Any]) -> list[_Part]:
        """The parts with running text; of an object longest first, without those that say what a longer one says."""
        items = value.items() if isinstance(value, dict) else enumerate(value)
        weighed = [
            _Part(weight, key, inner)
            for key, inner in items
            if not (isinstance(key, str) and is_elsewhere(key))
            and not self._is_other(inner)
            and (weight := self._weight(inner))
        ]
        if isinstance(value, list):
            return weighed
        parts: list[_Part] = []
        said: list[Shingles] = []
        for part in sorted(weighed, key=lambda part: -part.weight):
            words = tokens(_text(part.value))
            if not any(shingles.share(words) >= _SAME for shingles in said):
                parts.append(part)
                said.append(Shingles(" ".join(words)))
        return parts

    def own(self, value: Any) -> int:
        """Return how much running text is in a value, other articles left out, whatever it lies under."""
        return sum(map(prose, self._strings(value, 0, lambda _: False)))

    def _weight(self, value: Any) -> int:
        return sum(map(prose, self._strings(value, 0, is_elsewhere)))

    def _strings(self, value: Any, depth: int, left_out: Callable[[str], bool]) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif depth <= _DEPTH and isinstance(value, list):
            for inner in value:
                yield from self._strings(inner, depth + 1, left_out)
        elif depth <= _DEPTH and isinstance(value, dict) and not self._is_other(value):
            for key, inner in value.items():
                if not left_out(key):
                    yield from self._strings(inner, depth + 1, left_out)

    def _is_other(self, value: Any) -> bool:
        return isinstance(value, dict) and (is_other(value) or self._page.names_another(value))


def _text(value: Any) -> str:
    return shown(as_html(value))

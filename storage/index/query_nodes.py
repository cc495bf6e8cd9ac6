"""What must stand in an article, as a tree, and the same in the language of FTS5.

Nothing that was typed gets into that language but the words of the tokenizer, which have neither quotation marks nor
brackets in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storage.index.field_words import BREAK
from storage.index.tokenizer import Word, is_unspaced


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand one behind the other; with `prefix` the last of them may go on."""

    tokens: tuple[str, ...]
    prefix: bool = False
    #: Of title and text, and so to be marked in them; else a site, a language or an author.
    of_text: bool = True

    @property
    def match(self) -> str:
        return f'"{" ".join(self.tokens)}"{" *" if self.prefix else ""}'

    def end(self, found: Sequence[Word], at: int, text: str) -> int | None:
        """Return where the term ends that begins with word `at` of a text; `None` if it does not begin there."""
        last = at + len(self.tokens) - 1
        if last >= len(found):
            return None
        for number, token in enumerate(self.tokens, at):
            held = found[number].token
            if not (held.startswith(token) if self.prefix and number == last else held == token):
                return None
        # Of a pair of characters only what was asked for.
        cut = self.prefix and is_unspaced(text[found[last].start])
        return found[last].start + len(self.tokens[-1]) if cut else found[last].end


@dataclass(frozen=True, slots=True)
class Not:
    part: Node

    @property
    def match(self) -> str:
        # FTS5 only takes something from something else.
        return f'("{BREAK}" NOT {self.part.match})'


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Node, ...]

    @property
    def match(self) -> str:
        wanted = [part.match for part in self.parts if not isinstance(part, Not)] or [f'"{BREAK}"']
        unwanted = [part.part.match for part in self.parts if isinstance(part, Not)]
        match = f"({' AND '.join(wanted)})"
        return f"({match} NOT ({' OR '.join(unwanted)}))" if unwanted else match


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple[Node, ...]

    @property
    def match(self) -> str:
        return f"({' OR '.join(part.match for part in self.parts)})"


Node = Term | Not | All | Either


def wanted_terms(node: Node) -> Iterator[Term]:
    """Yield the terms of the text that a tree asks for, not those that it excludes, in order."""
    if isinstance(node, Term):
        if node.of_text:
            yield node
    elif not isinstance(node, Not):
        for part in node.parts:
            yield from wanted_terms(part)

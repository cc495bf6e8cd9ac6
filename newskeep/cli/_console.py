"""rich's console, for the commands that print with colours or bars: the others do not wait for it to load."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from rich import markup
from rich.console import Console as RichConsole
from rich.text import Span, Text

from newskeep.cli._terminal import fit, pieces


def escape(text: str) -> str:
    """Foreign text on one line of rich's markup."""
    return markup.escape(fit(text))


class Console(RichConsole):
    """rich's console, which prints nothing that a terminal would obey but what rich itself makes."""

    def __init__(self, **options: Any) -> None:
        # rich would make a picture of ":smile:" in anybody's title.
        super().__init__(emoji=False, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*map(_fitted, objects), **options)

    def on_broken_pipe(self) -> None:
        """Leave it to the caller: rich would end the process, an event loop and its threads in the middle."""
        raise BrokenPipeError

    def data(self, line: str) -> None:
        """Print a line for programs as it is."""
        if self.is_terminal:
            # A bar may be shown there, which has to make room.
            super().print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            self.file.write(line + "\n")


def _fitted(shown: Any) -> Any:
    if isinstance(shown, str):
        return fit(shown, lines=True)
    if not isinstance(shown, Text):
        return shown
    fit_pieces = pieces(shown.plain, lines=True)
    places = [0, *accumulate(map(len, fit_pieces))]
    made = shown.copy()
    made.plain = "".join(fit_pieces)
    made.spans = [Span(places[span.start], places[min(span.end, len(fit_pieces))], span.style) for span in shown.spans]
    return made

"""What others wrote, fit for a terminal: nothing that it obeys, and all that people read."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from newskeep.cli._console import Console, escape
from newskeep.cli._terminal import fit

ROOT = Path(__file__).parents[2]
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [red]text[/]", "plain [red]text[/]"),
        ("\x1b[31mred\x1b]0;title\x07", "␛[31mred␛]0;title␇"),
        ("\x9b31m\x90x\x9c", "\ufffd31m\ufffdx\ufffd"),
        ("a\nb\tc\rd\x0be\x0cf\x85g\u2028h\u2029i", "a b c d e f g h i"),
        ("nul\x00 del\x7f back\x08", "nul␀ del␡ back␈"),
        ("\u202edetrevni\u202c \u2066isolated\u2069 \u200emark\u200f", "detrevni isolated mark"),
        ("Donau\xaddampf\u200bschiff\ufeff\u2060", "Donaudampfschiff"),
        # Letters, marks and joiners of scripts that need them.
        ("می‌خواهم", "می‌خواهم"),
        ("क्‍ष और क्‌ष", "क्‍ष और क्‌ष"),
        ("Åse café Ærø", "Åse café Ærø"),
        ("東京 葛\U000e0100飾", "東京 葛\U000e0100飾"),
        ("افتتاح الجسر \u0600١٢", "افتتاح الجسر \u0600١٢"),
        # Emoji: families, hearts, skins, keycaps, flags.
        ("👨‍👩‍👧‍👦 ❤️‍🔥 👋🏽 1️⃣ 🇩🇰", "👨‍👩‍👧‍👦 ❤️‍🔥 👋🏽 1️⃣ 🇩🇰"),
        (f"{ENGLAND} wins", f"{ENGLAND} wins"),
        # Messages that nobody sees.
        ("x\U000e0068\U000e0069\U000e007f", "x"),
        ("🏴\U000e0068\U000e0069\U000e007f", "🏴"),
        ("a\ufe00\ufe01\ufe02\U000e0101b", "a\ufe00b"),
        ("\u200d\u200da\u200d\u200d\u200db", "a\u200db"),
        ("half \ud83d", "half \ufffd"),
        ("", ""),
    ],
)  # fmt: skip
def test_fit(text: str, shown: str) -> None:
    assert fit(text) == shown
    assert fit(shown) == shown


@given(st.text(st.characters()))
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    assert not OBEYED.search(fit(text))
    assert not OBEYED.search(fit(text, lines=True).replace("\n", "").replace("\t", ""))
    fit(text).encode()  # also halves of surrogate pairs
    assert fit(fit(text)) == fit(text)


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_letters_and_signs_stay(text: str) -> None:
    assert fit(text) == text


def test_the_console_keeps_styles_where_they_were() -> None:
    shown = Text("a\x1b\u202ebc\nd\xade")
    shown.stylize("red", 3, 4)
    shown.stylize("blue", 6, 9)
    out = io.StringIO()
    Console(file=out, force_terminal=True, color_system="standard", width=80, legacy_windows=False).print(shown)
    assert out.getvalue() == "a␛\x1b[31mb\x1b[0mc\n\x1b[34mde\x1b[0m\n"


def test_the_console_makes_all_it_prints_fit() -> None:
    out = io.StringIO()
    console = Console(file=out, width=200)
    foreign = escape("[red]x\x1b[0m\nforged")
    console.print(f"[bold]{foreign}[/]", "\x9b", Text("\u202e"))
    console.data('{"x": "\x7f\u202e"}')
    assert out.getvalue() == '[red]x␛[0m forged \ufffd \n{"x": "\x7f\u202e"}\n'


@pytest.mark.parametrize("is_terminal", [True, False])
def test_words_between_colons_are_no_emoji(is_terminal: bool) -> None:
    told = io.StringIO()
    console = Console(file=told, force_terminal=is_terminal, color_system=None)
    console.data('{"title": ":smile: [b]"}')
    console.print("[dim]:smile:[/]")
    assert told.getvalue() == '{"title": ":smile: [b]"}\n:smile:\n'


def test_all_commands_print_by_way_of_it() -> None:
    """click.echo is for JSON, and for what goes to a crontab or a unit as it is; the console of rich is for nothing."""
    for path in sorted((ROOT / "newskeep" / "cli").rglob("*.py")):
        text = path.read_text()
        if path.name in ("_terminal.py", "_console.py", "docs.py", "completion.py"):
            continue
        assert "rich.console" not in text and "rich.markup" not in text, path
        if path.parent.name == "schedule" and path.stem in ("install", "remove"):
            continue
        for line in text.splitlines():
            if "click.echo(" in line:
                assert "json.dumps(" in line or "render(kept)" in line or "{clash}" in line, (path, line)

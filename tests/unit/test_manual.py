"""Manual pages: what --help says, in macros that groff has nothing to say against."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click
import pytest

from newskeep.cli._manual import manual

PAGES = sorted((Path(__file__).resolve().parents[2] / "man").glob("*.1"))

_EPILOG = """\b
Examples:
  odd --one | grep '\\.'
  .hidden

\b
Exit codes: 0 done."""


@click.command(epilog=_EPILOG)
@click.option("--one", help="'Quoted' \\n and .dotted.")
def odd() -> None:
    """Do odd things: all of them.

    'It begins with an apostrophe.
    """


def shown(page: str) -> str:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-P-cbou", "-Kutf8", "-ww"],
        input=page,
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_text_stays_text() -> None:
    text = shown(manual(click.Context(odd, info_name="odd"), "1.0"))
    for line in (
        "odd - Do odd things",
        "'It begins with",
        "odd --one | grep '\\.'",
        ".hidden",
        "'Quoted' \\n and .dotted.",
    ):
        assert line in text, text
    headings = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT CODES", "SEE ALSO"]
    assert [line for line in text.splitlines() if line in headings] == headings


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_clean(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.splitlines()[2].startswith(page.stem.replace("-", "\\-"))
    assert "SYNOPSIS" in shown(text)


def test_there_are_pages() -> None:
    assert len(PAGES) > 30

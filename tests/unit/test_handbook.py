"""`newskeep docs`: the pages, by any name that somebody may have seen."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from command import Run

from newskeep.handbook import FOLDER, name_of, pages, read, title_of

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_every_document_is_a_page() -> None:
    assert len(pages()) == len(list(DOCS.rglob("*.md")))
    assert title_of(pages()["formats"]) == "Formats"


def test_a_wheel_has_every_page() -> None:
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["newskeep"]
    packed = {file for pattern in patterns for file in FOLDER.parent.glob(pattern)}
    assert {*pages().values(), FOLDER.parent / "CHANGELOG.md"} <= packed


@pytest.mark.parametrize("asked", ["formats", "formats.md", "docs/formats.md", "docs/formats.md#articles", " Formats "])
def test_a_page_has_several_names(asked: str) -> None:
    assert pages()[name_of(asked)] == FOLDER / "formats.md"


def test_what_the_site_puts_in_stands_in_the_page() -> None:
    assert "### Added" in read(pages()["changelog"])
    python = read(pages()["api"])
    assert ":::" not in python
    assert "Open the archive in a folder or bucket" in python


def test_a_page_into_a_pipe_is_markdown(newskeep: Run) -> None:
    assert newskeep("docs", "lists").stdout == (DOCS / "lists.md").read_bytes()
    listed = newskeep("docs").stdout.decode().splitlines()
    assert "formats          Formats" in listed
    assert not any("0001" in line for line in listed), "decisions are listed on their own page"
    assert newskeep("docs", "lists", "--path").stdout.decode().strip().endswith("lists.md")


@pytest.mark.parametrize(
    ("asked", "said"),
    [("formatz", "did you mean formats?"), ("save", "newskeep save --help"), ("../x", "listed by newskeep docs")],
)
def test_what_is_no_page(newskeep: Run, asked: str, said: str) -> None:
    done = newskeep("docs", asked)
    assert done.returncode == 2
    assert said in done.stderr.decode()

"""What the program says names nothing that an installed program does not have."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from newskeep.cli import newskeep as program
from newskeep.handbook import pages

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("newskeep", "spiders", "crawler", "storage")
SOURCES = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
#: Files of the tree, and commands that work in it alone.
ONLY_HERE = re.compile(r"\bdocs/[\w-]+\.md|README\.md|CONTRIBUTING|\.venv/|in \w+ checkout|install '?\.\[|scripts/\w")
#: Read by who trains the model, in the tree.
DEVELOPERS = ("run scripts/train again",)


def messages(file: Path) -> Iterator[str]:
    """The texts of a module that are no docstrings; those of commands are tried as help."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    spoken = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in spoken:
            yield node.value


def helps(command: click.Command, parent: click.Context | None, name: str) -> Iterator[tuple[str, str]]:
    context = click.Context(command, parent=parent, info_name=name, terminal_width=200)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            below = command.get_command(context, each)
            assert below is not None
            yield from helps(below, context, each)


HELPS = dict(helps(program, None, "newskeep"))


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_message_names_what_is_installed(file: Path) -> None:
    said = [text for text in messages(file) if ONLY_HERE.search(text)]
    assert [text for text in said if not any(known in text for known in DEVELOPERS)] == []


@pytest.mark.parametrize(("name", "text"), HELPS.items(), ids=list(HELPS))
def test_help_names_what_is_installed(name: str, text: str) -> None:
    assert not ONLY_HERE.search(text), name


def test_pages_that_are_named_are_there() -> None:
    told = [*(text for file in SOURCES for text in messages(file)), *HELPS.values()]
    named = {page for text in told for page in re.findall(r"newskeep docs ([a-z][\w-]+)", text)}
    assert named <= pages().keys()
    assert {"http", "export", "add-a-site"} <= named

"""The documents that are installed with the program: pages of Markdown, by name."""

from __future__ import annotations

import pydoc
import re
from collections.abc import Mapping
from pathlib import Path

_PACKAGE = Path(__file__).parent
#: In a checkout a link to docs/; setuptools puts the files themselves into a wheel.
FOLDER = _PACKAGE / "documents"
#: What the site's generator puts in: a file of the root, the docstring of a name with its options.
_SNIPPET = re.compile(r'^--8<-- "([\w.-]+)"$', re.MULTILINE)
_DOCSTRING = re.compile(r"^::: ([\w.]+)\n(?:    .*\n)*", re.MULTILINE)


def pages() -> Mapping[str, Path]:
    """Return the files by name, which is their path without `.md`; a folder's README has the name of the folder."""
    found = {file.relative_to(FOLDER).with_suffix("").as_posix(): file for file in sorted(FOLDER.rglob("*.md"))}
    return {name.removesuffix("/README"): file for name, file in found.items()}


def name_of(asked: str) -> str:
    """Return the name that somebody means who has seen the page's file named: `docs/formats.md#text`."""
    return asked.strip().partition("#")[0].removeprefix("docs/").removesuffix(".md").removesuffix("/README").lower()


def title_of(file: Path) -> str:
    """Return a page's first heading; of one without any, its name."""
    heading = re.search(r"^# (.+)$", read(file), re.MULTILINE)
    return heading[1] if heading else file.stem


def read(file: Path) -> str:
    """Return a page's Markdown, with what the site's generator would put in."""
    text = file.read_text(encoding="utf-8")
    text = _SNIPPET.sub(lambda found: (_PACKAGE / found[1]).read_text(encoding="utf-8"), text)
    return _DOCSTRING.sub(lambda found: f"```text\n{_described(found[1])}\n```\n", text)


def _described(name: str) -> str:
    # Without pydoc's first lines: the name in a sentence.
    return pydoc.plain(pydoc.render_doc(name)).partition("\n\n")[2].rstrip()

"""What `from newskeep import …` gives: these names, at no cost before they are used, with their types."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import newskeep
from storage.errors import NewskeepError

NAMES = [
    "AlreadyRunning",
    "Archive",
    "Article",
    "Block",
    "Capture",
    "ConfigError",
    "Corrupt",
    "Exchange",
    "InvalidURL",
    "Memento",
    "NewskeepError",
    "NotArchived",
    "ObjectExists",
    "ObjectMissing",
    "Outcome",
    "SpoolError",
    "StoreDenied",
    "StoreUnavailable",
    "UsageError",
    "__version__",
    "extract",
    "open_archive",
]

SCRIPT = """
from newskeep import Article, Memento, NotArchived, Outcome, extract, open_archive

article: Article = extract("<p>Hello", "https://www.example.org/a")
text: str = article.text
with open_archive("archive") as archive:
    try:
        memento: Memento = archive.get("https://www.example.org/a")
    except NotArchived as error:
        code: int = error.exit_code
    saved: list[Outcome] = archive.save("https://www.example.org/a")
    wrong: int = article.text
"""


def test_public_names_are_these() -> None:
    assert sorted(newskeep.__all__) == sorted(NAMES)
    assert set(NAMES) <= set(dir(newskeep))
    for name in NAMES:
        assert getattr(newskeep, name) is not None


def test_every_error_of_the_tree_is_public() -> None:
    def tree(kind: type[NewskeepError]) -> set[type[NewskeepError]]:
        return {kind}.union(*map(tree, kind.__subclasses__()))

    ours = {each.__name__ for each in tree(NewskeepError) if each.__module__ == "storage.errors"}
    assert ours <= set(newskeep.__all__)


def test_a_name_that_is_not_there_is_named() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'open_archiv'"):
        newskeep.open_archiv  # noqa: B018


def test_import_costs_nothing() -> None:
    heavy = "sys.modules.keys() & {'scrapy', 'lxml', 'sqlalchemy', 'trafilatura', 'boto3'}"
    run("import sys, newskeep; assert not " + heavy)


def test_old_places_go_on_working() -> None:
    run(
        "from storage import open_archive as a; from crawler.extraction import extract as b; import newskeep;"
        "assert issubclass(newskeep.Archive, type(a('x'))) and b is newskeep.extract"
    )


def test_type_checkers_see_the_types(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    root = str(Path(newskeep.__file__).parents[1])
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", "script.py"]
    done = subprocess.run(
        [*command, "--follow-imports=silent", "--ignore-missing-imports"],
        cwd=tmp_path,
        env={"MYPYPATH": root, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    # The one mistake in the script, and no other.
    assert 'expression has type "str", variable has type "int"' in done.stdout, done.stdout + done.stderr
    assert "Found 1 error" in done.stdout


def run(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

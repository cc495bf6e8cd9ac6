"""The documents name what there is: commands, options, keys, metrics, outcomes, modules. Their links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote

import click
import pytest

from crawler.config import Config, load
from crawler.sites.site_keys import KEYS
from newskeep.cli import newskeep as program
from newskeep.health.prometheus import HELP
from newskeep.health.verdicts import KINDS
from newskeep.web import fleet_watch, metrics
from storage.errors import NewskeepError
from storage.model import OutcomeKind

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PACKAGES = ("newskeep", "spiders", "crawler", "storage")
#: Everything a reader may open; what was installed or made does not count.
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / ".github").rglob("*.md")])
LINK = re.compile(r"\]\(([^()\s]+)\)")
#: A path of ours, from the root.
FILE = re.compile(
    r"(?<![\w/.-])((?:tests|benchmarks|crawler|newskeep|spiders|storage|docs|scripts)/[\w/.-]*\w\.(?:py|md))\b"
)
METRIC = re.compile(r"newskeep_[a-z_]+[a-z]")


def read(*pages: str) -> str:
    return "\n".join((DOCS / page).read_text(encoding="utf-8") for page in pages)


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for each in command.list_commands(context):
            below = command.get_command(context, each)
            assert below is not None
            yield from commands(below, f"{name} {each}")


COMMANDS = dict(commands(program, "newskeep"))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_its_options_stand_in_the_reference(name: str) -> None:
    level = "##" if name.count(" ") < 2 else "###"
    _, found, rest = read("cli.md").partition(f"\n{level} {name}\n")
    assert found, f"scripts/cli-reference has not been run since {name} came"
    section = re.split(r"\n##+ ", rest)[0]
    options = [
        option
        for param in COMMANDS[name].params
        if isinstance(param, click.Option) and not param.hidden
        for option in (*param.opts, *param.secondary_opts)
    ]
    missing = [option for option in options if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", section)]
    assert not missing


def test_the_reference_is_what_help_says() -> None:
    check = [sys.executable, str(ROOT / "scripts" / "cli-reference"), "--check"]
    made = subprocess.run(check, capture_output=True, text=True, timeout=240, check=False)
    assert made.returncode == 0, made.stderr


def test_every_key_of_the_configuration_is_described(tmp_path: Path) -> None:
    # Where the tables and the file went are no keys of their own.
    keys = Config.__dataclass_fields__.keys() - {"sites", "alerts", "smtp", "file"}
    described = set(re.findall(r"^\| `(\w+)` \|", read("configuration.md"), re.MULTILINE))
    assert keys <= described
    # And none is described that is not there.
    assert not described - keys
    stated = dict(re.findall(r"^\| `(\w+)` \| `([^`<]+)` \|", read("configuration.md"), re.MULTILINE))
    assert len(stated) >= 12
    for key, default in stated.items():
        assert tomllib.loads(f"value = {default}")["value"] == _as_toml(getattr(Config(), key)), key
    for key in described:
        # A wrong value is another complaint than an unknown key.
        (tmp_path / "newskeep.toml").write_text(f"{key} = [1]\n", encoding="utf-8")
        with pytest.raises(NewskeepError, match=f"{key} must be"):
            load(tmp_path / "newskeep.toml", {})


def _as_toml(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def test_every_key_of_a_site_stands_in_the_complete_table() -> None:
    table = next(
        block for block in re.findall(r"```toml\n(.*?)```", read("add-a-site.md"), re.DOTALL) if "cap =" in block
    )
    assert set(re.findall(r"^(\w+) =", table, re.MULTILINE)) == set(KEYS)


def test_every_metric_of_health_is_described() -> None:
    assert not HELP.keys() - set(METRIC.findall(read("schedule.md")))


def test_every_metric_of_the_server_is_described() -> None:
    sources = (Path(each.__file__ or "").read_text(encoding="utf-8") for each in (metrics, fleet_watch))
    emitted = {name for source in sources for name in METRIC.findall(source)}
    assert len(emitted) >= 8
    assert emitted == set(METRIC.findall(read("http.md")))


def test_every_outcome_and_verdict_is_described() -> None:
    formats = read("formats.md")
    assert [kind for kind in get_args(OutcomeKind) if f"`{kind}`" not in formats] == []
    assert [kind for kind in KINDS if f"\n| {kind} | " not in read("schedule.md")] == []


def test_every_exit_code_is_described() -> None:
    def below(error: type[NewskeepError]) -> Iterator[type[NewskeepError]]:
        yield error
        for each in error.__subclasses__():
            yield from below(each)

    described = set(re.findall(r"^\| (\d+) \|", read("configuration.md"), re.MULTILINE))
    assert {str(error.exit_code) for error in below(NewskeepError)} <= described


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_stands_in_the_architecture(package: str) -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    modules = [file for file in (ROOT / package).rglob("*.py") if not file.name.startswith("__")]
    assert modules
    missing = [
        str(file.relative_to(ROOT))
        for file in modules
        if not re.search(rf"(?<![\w]){re.escape(file.stem)}(?:\.py)?(?![\w])", text)
    ]
    folders = {file.parent for file in modules}
    missing += [f"{folder.relative_to(ROOT)}/" for folder in sorted(folders) if f"{folder.name}/" not in text]
    assert not missing


def prose(page: Path) -> str:
    """A page without its code, where brackets mean something else."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and Python-Markdown make them of plain ones."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", each.lower()).strip()) for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_something(page: Path) -> None:
    broken = []
    for target in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = (page.parent / path) if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_is_named_is_there(page: Path) -> None:
    # What was once so may be told in the changelog.
    named = set() if page.name == "CHANGELOG.md" else set(FILE.findall(page.read_text(encoding="utf-8")))
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []

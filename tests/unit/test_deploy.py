"""What deploy/ has others run: commands and options that exist, variables that configure, files that are there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from crawler.config import load
from newskeep.cli import newskeep as program

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = documents(DEPLOY / "compose.yaml")[0]["services"]
    return found


def containers() -> Iterator[dict[str, Any]]:
    def below(node: object) -> Iterator[dict[str, Any]]:
        for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from below(value)
        if isinstance(node, dict):
            yield from node.get("containers", [])

    for path in MANIFESTS:
        yield from below(documents(path))


def of_shell(words: list[str]) -> list[list[str]]:
    """The newskeep commands in a script that `sh -c` is given, shell arithmetic as the number 1."""
    script = re.sub(r"\$\(\(.*?\)\)", "1", words[words.index("-c") + 1])
    return [shlex.split(found) for found in re.findall(r"newskeep ([^;|&]+)", script)]


def commands() -> Iterator[tuple[str, list[str]]]:
    for name, service in services().items():
        if "newskeep" in service["image"]:
            entry = service.get("entrypoint", [])
            for words in of_shell(entry) if "sh" in entry else [service.get("command", [])] if not entry else []:
                yield f"compose {name}", words
    for container in containers():
        for words in of_shell(container["command"]) if "command" in container else [container["args"]]:
            yield f"kubernetes {' '.join(words)}", words
    for path in sorted((DEPLOY / "systemd").glob("*.service")):
        [line] = re.findall(r"^ExecStart=/opt/newskeep/bin/newskeep (.*)$", path.read_text(), re.M)
        yield path.name, shlex.split(line)


COMMANDS = dict(commands())


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_every_command_and_option_exists(words: list[str]) -> None:
    parsed(program, words)


def parsed(command: click.Command, words: list[str]) -> None:
    with command.make_context(command.name, list(words)) as context:
        if isinstance(command, click.Group):
            rest = [*context._protected_args, *context.args]
            _, found, rest = command.resolve_command(context, rest)
            assert found is not None
            parsed(found, rest)


def test_they_are_those_of_a_fleet() -> None:
    assert {words[0] for words in COMMANDS.values()} == {"worker", "submit", "serve", "reextract"}
    assert sum(name.startswith("compose worker") for name in COMMANDS) == 2


def test_what_the_compose_file_sets_configures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment = dict(services()["serve"]["environment"])
    (tmp_path / "newskeep.toml").write_bytes((DEPLOY / "newskeep.toml").read_bytes())
    environment["NEWSKEEP_CONFIG"] = str(tmp_path / "newskeep.toml")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = load(None)
    assert settings.archive == environment["NEWSKEEP_ARCHIVE"]
    assert settings.job_queue == settings.shared_index is not None


def test_what_is_asked_for_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text()))
    assert asked == set(re.findall(r"^(\w+)=$", (DEPLOY / "env.example").read_text(), re.M))


def test_the_image_is_made_of_extras_that_exist() -> None:
    import tomllib

    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    [extras] = re.findall(r"^ARG EXTRAS=(.*)$", (DEPLOY / "Dockerfile").read_text(), re.M)
    assert set(extras.split(",")) <= set(known)
    assert "browser" in known
    for kept in re.findall(r"^!(.*)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.M):
        assert (ROOT / kept).exists(), kept


def test_what_the_kustomization_names_is_there() -> None:
    [made] = documents(DEPLOY / "kubernetes" / "kustomization.yaml")
    named = [*made["resources"], *made["configMapGenerator"][0]["files"]]
    assert all((DEPLOY / "kubernetes" / name).exists() for name in named)

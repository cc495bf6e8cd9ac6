"""What Tab offers, asked as the shells' scripts ask; and bash with the script itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from command import Run
from warm_start import WarmStart

PROGRAM = Path(sys.executable).with_name("newskeep")


def offered(folder: Path, environment: Mapping[str, str], warm_start: WarmStart, line: str) -> list[str]:
    """What is offered behind a line, whose last word is the one that is completed."""
    words = line.split(" ")
    asked = {
        **environment,
        "_NEWSKEEP_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = warm_start.run((), folder, asked)
    done.check_returncode()
    return [each.partition(",")[2] for each in done.stdout.decode().splitlines() if each]


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("newskeep re", ["reindex", "reextract", "remove"]),
        ("newskeep --ver", ["--version"]),
        ("newskeep sites ", ["check", "memory"]),
        ("newskeep export --format p", ["parquet"]),
        ("newskeep save --newer", ["--newer-than"]),
        ("newskeep docs conf", ["configuration"]),
        ("newskeep crawl ex", ["example"]),
        ("newskeep sites check ex", ["example"]),
        ("newskeep doubts --site ex", ["example"]),
    ],
)
def test_what_is_offered(
    tmp_path: Path, environment: Mapping[str, str], warm_start: WarmStart, line: str, some: list[str]
) -> None:
    (tmp_path / "newskeep.toml").write_text('[sites.example]\nstart = "https://www.example.org/"\n')
    assert offered(tmp_path, environment, warm_start, line) == some


def test_a_broken_configuration_offers_nothing(
    tmp_path: Path, environment: Mapping[str, str], warm_start: WarmStart
) -> None:
    (tmp_path / "newskeep.toml").write_text("[sites")
    assert offered(tmp_path, environment, warm_start, "newskeep crawl ex") == []


@pytest.mark.parametrize(
    ("shell", "file"),
    [
        ("bash", "data/bash-completion/completions/newskeep"),
        ("zsh", "data/zsh/site-functions/_newskeep"),
        ("fish", "config/fish/completions/newskeep.fish"),
    ],
)
def test_it_is_installed_for_the_user(
    tmp_path: Path, environment: Mapping[str, str], newskeep: Run, shell: str, file: str
) -> None:
    own = {**environment, "XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    command = [str(PROGRAM), "completion", shell, "--install"]
    for _ in range(2):
        done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, check=True, timeout=240)
        assert str(tmp_path / file) in done.stdout
    assert (tmp_path / file).read_bytes() == newskeep("completion", shell).stdout
    if found := shutil.which(shell):
        subprocess.run([found, "-n", str(tmp_path / file)], check=True, timeout=240)


def test_bash_completes(tmp_path: Path, environment: Mapping[str, str]) -> None:
    script = (
        "source <(newskeep completion bash); COMP_WORDS=(newskeep verif); COMP_CWORD=1; "
        '_newskeep_completion newskeep; echo "${COMPREPLY[@]}"'
    )
    own = {**environment, "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"}
    command = ["bash", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, timeout=240, check=False)
    assert done.stdout == "verify\n", done.stderr


def test_a_place_that_cannot_be_written(tmp_path: Path, environment: Mapping[str, str]) -> None:
    (tmp_path / "file").write_text("")
    own = {**environment, "XDG_DATA_HOME": str(tmp_path / "file")}
    command = [str(PROGRAM), "completion", "bash", "--install"]
    done = subprocess.run(command, env=own, capture_output=True, timeout=240, check=False)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)

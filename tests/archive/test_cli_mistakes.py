"""What is mistyped on the command line is told in a line, with what was likely meant."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from command import Run
from warm_start import WarmStart


@pytest.mark.parametrize(
    ("typed", "said"),
    [("serch", "did you mean search?"), ("helth", "did you mean health?"), ("qqq", "newskeep --help lists them")],
)
def test_a_mistyped_command(newskeep: Run, typed: str, said: str) -> None:
    done = newskeep(typed, "words")
    assert done.returncode == 2
    assert f"There is no command '{typed}'; {said}" in done.stderr.decode()


def test_a_mistyped_variable_is_told_by_every_command(
    warm_start: WarmStart, environment: Mapping[str, str], tmp_path: Path
) -> None:
    mistyped = {**environment, "NEWSKEEP_ARCHVE": "/elsewhere"}
    line = b"newskeep: the variable NEWSKEEP_ARCHVE has no effect; did you mean NEWSKEEP_ARCHIVE?\n"
    for arguments in (("search", "words"), ("schedule", "list"), ("copy", "a", "b"), ("save", "-i", "none.txt")):
        done = warm_start.run(arguments, tmp_path, mistyped, b"", 60)
        assert done.stderr.count(line) == 1, arguments
    assert line not in warm_start.run(("--version",), tmp_path, mistyped, b"", 60).stderr


def test_a_crontab_is_told_once_a_day(warm_start: WarmStart, environment: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "newskeep.toml").write_text('[sites.paper]\nstart = "http://127.0.0.1:1/"\n', encoding="utf-8")
    mistyped = {**environment, "NEWSKEEP_ARCHVE": "/elsewhere", "NEWSKEEP_ALLOW_PRIVATE": "true"}
    said = [warm_start.run(("due", "--quiet"), tmp_path, mistyped, b"", 120).stderr for _ in range(2)]
    assert [b"NEWSKEEP_ARCHVE has no effect" in each for each in said] == [True, False]


def test_an_address_without_a_scheme(newskeep: Run) -> None:
    done = newskeep("save", "www.example.org/a")
    assert done.returncode == 5
    assert "did you mean https://www.example.org/a?" in done.stdout.decode()

"""Others have packages called `storage`, `crawler` or `spiders` too: a clash is told in one line, with the way out."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("newskeep", "spiders", "crawler", "storage")
NAMES = ("spiders", "crawler", "storage")
INTRUDER = "raise SystemExit('the intruder was executed')\n"
#: What setuptools makes of an editable install: a finder that is asked after the import path.
EDITABLE = """
import sys
from importlib.machinery import PathFinder

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return PathFinder.find_spec(name, [{packages!r}]) if name in {names!r} else None

sys.meta_path.insert(sys.meta_path.index(PathFinder) + 1, Finder)
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with our packages, as site-packages is one."""
    folder = tmp_path / "site-packages"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def run(
    *command: str | Path, cwd: Path, environment: Mapping[str, str], path: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env={**environment, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def told_by_the_command(
    installed: Path, environment: Mapping[str, str], path: str | None = None, script: Path | None = None
) -> str:
    """What `newskeep` says, which is one line, and ends with 2."""
    start = [script] if script else ["-P", "-m", "newskeep"]
    done = run(*start, "captures", cwd=installed.parent, environment=environment, path=Path(path or installed))
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("newskeep: ")
    assert "`pipx install`" in line
    assert "`uv tool install`" in line
    return line


def test_no_clash(installed: Path, environment: Mapping[str, str]) -> None:
    done = run(
        "-P", "-m", "newskeep", "captures", "--help", cwd=installed.parent, environment=environment, path=installed
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_overwritten_by_another_distribution(name: str, installed: Path, environment: Mapping[str, str]) -> None:
    file = installed / name / "__init__.py"
    file.write_text(INTRUDER)
    line = told_by_the_command(installed, environment)
    assert f"{file} was overwritten by another distribution" in line


@pytest.mark.parametrize("name", NAMES)
def test_the_other_distribution_was_removed_again(name: str, installed: Path, environment: Mapping[str, str]) -> None:
    (installed / name / "__init__.py").unlink()
    line = told_by_the_command(installed, environment)
    assert f"{installed / name} has no __init__.py any more" in line


def test_a_package_is_missing(installed: Path, environment: Mapping[str, str]) -> None:
    """Where the tests' own environment has Newskeep installed, that package is found, and is no part of this one."""
    shutil.rmtree(installed / "spiders")
    done = run("-P", "-m", "newskeep", "captures", cwd=installed.parent, environment=environment, path=installed)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "Newskeep's package 'spiders'" in line


@pytest.mark.parametrize("kind", ["module", "package"])
@pytest.mark.parametrize("name", NAMES)
def test_another_place_comes_first(name: str, kind: str, installed: Path, environment: Mapping[str, str]) -> None:
    first = installed.parent / "first"
    intruder = first / f"{name}.py" if kind == "module" else first / name / "__init__.py"
    intruder.parent.mkdir(parents=True)
    intruder.write_text(INTRUDER)
    line = told_by_the_command(installed, environment, f"{first}:{installed}")
    assert f"{intruder} stands before Newskeep's package {name!r}: rename it" in line


def test_a_folder_of_data_before_an_editable_install(installed: Path, environment: Mapping[str, str]) -> None:
    """A folder without `__init__.py` is a package as well, and goes before what no folder of the path holds."""
    scripts = installed.parent / "scripts"
    (scripts / "storage").mkdir(parents=True)
    (scripts / "sitecustomize.py").write_text(EDITABLE.format(packages=str(installed), names=PACKAGES))
    line = told_by_the_command(installed, environment, str(scripts))
    assert f"{scripts / 'storage'} stands before Newskeep's package 'storage': rename it" in line


def test_the_script_of_the_command(installed: Path, environment: Mapping[str, str]) -> None:
    script = installed.parent / "bin" / "newskeep"
    script.parent.mkdir()
    script.write_text("import sys\nfrom newskeep.cli import main\nsys.exit(main())\n")
    (installed / "storage" / "__init__.py").write_text(INTRUDER)
    assert "was overwritten" in told_by_the_command(installed, environment, script=script)


@pytest.mark.parametrize("intruder", ["crawler.py", "storage.py", "spiders/__init__.py"])
def test_a_file_beside_a_script_that_imports_newskeep(
    intruder: str, installed: Path, environment: Mapping[str, str]
) -> None:
    file = installed.parent / "scripts" / intruder
    file.parent.mkdir(parents=True)
    file.write_text(INTRUDER)
    script = installed.parent / "scripts" / "look.py"
    script.write_text("import newskeep\n")
    done = run(script, cwd=installed.parent, environment=environment, path=installed)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"ImportError: {file} stands before Newskeep's package")


def test_a_folder_of_data_beside_a_script(installed: Path, environment: Mapping[str, str]) -> None:
    """It is in nobody's way where ours is on the import path, and is told where ours is an editable install."""
    folder = installed.parent / "scripts"
    (folder / "storage").mkdir(parents=True)
    script = folder / "look.py"
    script.write_text("from newskeep import open_archive\n")
    done = run(script, cwd=folder, environment=environment, path=installed)
    assert (done.returncode, done.stderr) == (0, "")

    customized = installed.parent / "customized"
    customized.mkdir()
    (customized / "sitecustomize.py").write_text(EDITABLE.format(packages=str(installed), names=PACKAGES))
    done = run(script, cwd=folder, environment=environment, path=customized)
    assert done.returncode == 1
    assert f"ImportError: {folder / 'storage'} stands before Newskeep's package 'storage'" in done.stderr


def test_overwritten_for_a_library_user(installed: Path, environment: Mapping[str, str]) -> None:
    (installed / "storage" / "__init__.py").write_text(INTRUDER)
    done = run("-P", "-c", "import newskeep", cwd=installed.parent, environment=environment, path=installed)
    assert done.returncode == 1
    assert "was overwritten by another distribution" in done.stderr.splitlines()[-1]

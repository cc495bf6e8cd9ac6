"""The program: Python, packages, SQLite, certificates, limits of the system."""

from __future__ import annotations

import os
import platform
import resource
import sqlite3
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distributions, metadata, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from crawler.browser.chromium import can_be_sandboxed, find_chromium
from crawler.politeness.trust_roots import has_roots
from newskeep import _packages
from newskeep.doctor.finding import Finding, alone, bad, good, warned
from storage.errors import ConfigError, UsageError
from storage.extras import command_for

_OURS = "newskeep"
#: Extras that a user may want -> what for.
EXTRAS = {
    "web": "newskeep serve",
    "documents": "text of PDF files",
    "parquet": "newskeep export --format parquet",
    "mcp": "newskeep mcp",
    "distributed": "newskeep submit, worker and jobs",
    "browser": "pages that need one (render)",
}
_SHARED_MEMORY = "/dev/shm"
#: Open files below which many hosts at once are too many.
_FILES = 1024


def findings() -> Iterator[Finding]:
    for name, look in (
        ("python", _python),
        ("packages", _packages_of_ours),
        ("dependencies", _dependencies),
        ("extras", _extras),
        ("browser", _browser),
        ("replay", _replay),
        ("sqlite", _sqlite),
        ("certificates", _certificates),
        ("open files", _open_files),
        ("shared memory", _shared_memory),
    ):
        yield from alone(name, look)


def _python() -> Iterator[Finding]:
    wanted = SpecifierSet(metadata(_OURS)["Requires-Python"])
    said = f"{platform.python_version()} ({sys.executable})"
    if platform.python_version() in wanted:
        yield good("python", said)
    else:
        yield bad("python", f"{said}, and newskeep needs {wanted}", "make an environment with a newer Python")
    if sys.platform != "linux":
        yield warned("system", f"{sys.platform}: newskeep is tried on Linux")


def _packages_of_ours() -> Iterator[Finding]:
    if said := _packages.clash():
        yield bad("packages", said)
        return
    others = {
        f"{name} of {distribution.name}"
        for distribution in distributions()
        for name in _top_level(distribution).intersection((_OURS, *_packages.NAMES))
        if canonicalize_name(distribution.name) != _OURS
    }
    if others:
        cure = "give newskeep an environment of its own: pip lets one overwrite the other"
        yield bad("packages", f"another distribution has a package of our name: {', '.join(sorted(others))}", cure)
    else:
        yield good("packages", f"{_OURS} {version(_OURS)}, {', '.join(_packages.NAMES)} are ours")


def _top_level(distribution: Distribution) -> set[str]:
    """Names of its packages and modules: those of `packages_distributions`, which reads all metadata for them."""
    if declared := (distribution.read_text("top_level.txt") or "").split():
        return set(declared)
    paths = (line.partition(",")[0] for line in (distribution.read_text("RECORD") or "").splitlines())
    return {path.partition("/")[0].removesuffix(".py") for path in paths if path.endswith(".py")}


def _dependencies() -> Iterator[Finding]:
    wrong = list(_wrong(None))
    if wrong:
        yield bad("dependencies", "; ".join(wrong), "install newskeep again, into an environment of its own")
    else:
        yield good("dependencies", f"{len(list(_requirements(None)))} packages, all in the range that was tested")


def _extras() -> Iterator[Finding]:
    for extra, use in EXTRAS.items():
        if wrong := list(_wrong(extra)):
            yield warned(f"extra {extra}", f"{'; '.join(wrong)}: no {use}", command_for(extra))
        else:
            yield good(f"extra {extra}", f"installed, for {use}")


def _requirements(extra: str | None) -> Iterator[Requirement]:
    """What newskeep needs here, of one extra or of none."""
    for text in requires(_OURS) or ():
        needed = Requirement(text)
        plain = needed.marker is None or needed.marker.evaluate({"extra": ""})
        if plain if extra is None else (not plain and needed.marker and needed.marker.evaluate({"extra": extra})):
            yield needed


def _wrong(extra: str | None) -> Iterator[str]:
    for needed in _requirements(extra):
        try:
            there = version(needed.name)
        except PackageNotFoundError:
            yield f"{needed.name} is not installed"
            continue
        if not needed.specifier.contains(there, prereleases=True):
            yield f"{needed.name} is {there}, {needed.specifier} is needed"


def _browser() -> Iterator[Finding]:
    try:
        program = find_chromium(None)
    except ConfigError:
        yield warned("browser", "no Chromium here: no pages that need one (render)", "apt install chromium")
        return
    how = "in its sandbox" if can_be_sandboxed() else "without its sandbox, which root cannot have"
    yield good("browser", f"{program}, {how}")


def _replay() -> Iterator[Finding]:
    where = os.environ.get("NEWSKEEP_PYWB")
    try:
        from newskeep.web.replay import find_pywb
    except ModuleNotFoundError:
        return  # the extra is missing, which is told
    try:
        yield good("replay", f"pywb, {find_pywb(Path(where) if where else None)}")
    except UsageError as error:
        said, _, cure = str(error).partition("; make it with: ")
        # Nobody needs it who does not ask for it.
        yield (
            warned("replay", f"no newskeep serve --replay: {said}", cure)
            if where
            else good("replay", "pywb is not there, and needed for newskeep serve --replay alone")
        )


def _sqlite() -> Iterator[Finding]:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE VIRTUAL TABLE words USING fts5(word)")
    except sqlite3.OperationalError:
        yield bad("sqlite", f"{sqlite3.sqlite_version} without FTS5, which search needs", "use another build of Python")
    else:
        yield good("sqlite", f"{sqlite3.sqlite_version}, with FTS5")
    finally:
        connection.close()


def _certificates() -> Iterator[Finding]:
    if has_roots():
        yield good("certificates", "the system's roots")
    else:
        yield warned(
            "certificates", "the system has no roots: those of certifi are used", "install the package ca-certificates"
        )


def _shared_memory() -> Iterator[Finding]:
    """What locks between processes lie in (shm_overview(7)); without them there are no workers."""
    if sys.platform != "linux" or os.access(_SHARED_MEMORY, os.W_OK | os.X_OK):
        return
    said = f"{_SHARED_MEMORY} is missing or cannot be written: pages are archived without their text"
    yield bad("shared memory", said, f"mount -t tmpfs tmpfs {_SHARED_MEMORY}, or let the container have one")


def _open_files() -> Iterator[Finding]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < _FILES:
        yield warned("open files", f"at most {hard}: many hosts at once may be too many", "raise ulimit -n")
    else:
        yield good("open files", "no limit" if hard == resource.RLIM_INFINITY else f"at most {hard:,}")

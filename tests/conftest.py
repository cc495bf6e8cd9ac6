"""What several tests use: the command line as a person runs it, in a folder and a home of its own."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from command import Run, python_path
from hypothesis import HealthCheck, settings
from warm_start import WarmStart, shared

# Hypothesis' own limits, 200 ms for an example among them, are of an idle machine. Each run draws other examples; many
# at once: `--hypothesis-profile thorough`.
for name, examples in (("thorough", 400), ("newskeep", 50)):
    settings.register_profile(name, deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=examples)
settings.load_profile("newskeep")


# Until the tests are collected: hardly anything of that is garbage, and to look for it takes an eighth of the time.
gc.disable()

#: Where the machine has its roots of certificates, if it says so: each command that fetches would read all of them.
_ROOTS = {name: os.environ[name] for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if name in os.environ}

# Who begins pytest in the background, by `nohup pytest &` in a script, has it ignore Ctrl-C; what the tests start would
# inherit that, and those that are ended by it would go on for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

_EVERY_PROCESS = Path(__file__).parent / "helpers" / "every_process"


def pytest_addoption(parser: pytest.Parser) -> None:
    kinds = ("sqlite", "postgresql")
    parser.addoption("--index", choices=kinds, default=kinds[0], help="the database that indexes of archives are in")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("index") == "postgresql":
        config.pluginmanager.import_plugin("indexes_on_postgres")
        sys.path.insert(0, str(_EVERY_PROCESS))
        os.environ["PYTHONPATH"] = python_path(_EVERY_PROCESS)


def pytest_collection_finish() -> None:
    # What all those modules made stays; nobody need look through it again.
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    if shared.cache_info().currsize:
        shared().close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Files of few but long tests first: begun last, they would keep one process busy while the others have ended.
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """The environment without anything that would configure newskeep, and a home of its own."""
    given = {name: value for name, value in os.environ.items() if _ROOTS.get(name) != value}
    clean = {name: value for name, value in given.items() if not name.startswith(("NEWSKEEP_", "AWS_"))}
    return {**clean, "HOME": str(tmp_path / "home"), "XDG_STATE_HOME": str(tmp_path / "state"), "NO_COLOR": "1"}


@pytest.fixture(scope="session")
def warm_start() -> WarmStart:
    return shared()


@pytest.fixture
def newskeep(tmp_path: Path, environment: Mapping[str, str], warm_start: WarmStart) -> Run:
    """Run the command in a folder of its own; returns the completed process with bytes."""

    def run(*arguments: str, stdin: bytes = b"", timeout: float = 240) -> subprocess.CompletedProcess[bytes]:
        return warm_start.run(arguments, tmp_path, environment, stdin, timeout)

    return run

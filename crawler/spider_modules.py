"""Where spider classes come from: our own package, installed packages that say so, and the modules a user names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

from storage.errors import ConfigError

#: An installed package names modules with spiders in this group of entry points: `example = "example_news.spiders"`.
GROUP = "newskeep.spiders"
OURS = "spiders"
_PACKAGES = ("newskeep", OURS, "crawler", "storage")


def spider_modules(named: Sequence[str] = (), file: Path | None = None) -> list[str]:
    """Return the modules that hold spiders: ours, those of installed packages, and those `named` in the configuration.

    Modules that are named may lie beside the configuration `file`: its folder is then the last on the import path, so
    that nothing in it goes before a module of anybody's. Raises `ConfigError` for a module that cannot be imported, and
    for a name that would mean one of ours.
    """
    # An editable install finds ours after all that lies on the path, and so after a spiders.py in that folder.
    import_module(OURS)
    key = f"{file or 'NEWSKEEP_SPIDER_MODULES'}: spider_modules"
    for module in named:
        if (package := module.partition(".")[0]) in _PACKAGES:
            raise ConfigError(f"{key}: {module!r} means Newskeep's own package {package!r}; give yours another name")
    if named and file is not None and (folder := str(file.resolve().parent)) not in sys.path:
        sys.path.append(folder)
    origins = {**_declared(tuple(sys.path)), **dict.fromkeys(named, key)}
    for module, origin in origins.items():
        try:
            import_module(module)
        except Exception as error:
            raise ConfigError(f"{origin}: cannot import {module!r}: {type(error).__name__}: {error}") from error
    return [OURS, *origins]


@cache
def _declared(_path: tuple[str, ...]) -> dict[str, str]:
    """Return the modules that packages on this import path declare, and where each is said: they are asked once."""
    from importlib.metadata import entry_points

    return {each.value: f"entry point {each.name!r} of {_package(each.dist)}" for each in entry_points(group=GROUP)}


def _package(distribution: object) -> str:
    return str(getattr(distribution, "name", "a package"))

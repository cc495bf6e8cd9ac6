"""Whose modules are imported: our packages have common names, and Python takes the first of a name that it finds.

Imported first of all, so it imports nothing that a file in the current folder could stand in for.
"""

import os
import sys

#: Our packages besides this one. Others call theirs so too, and pip says nothing when one overwrites another.
NAMES = ("crawler", "spiders", "storage")
#: A line in the `__init__.py` of each: where it is missing, the file is somebody else's.
MARK = "# Newskeep's; newskeep/_packages.py looks for this line."

_OURS = os.path.realpath(os.path.dirname(os.path.dirname(__file__)))
_OWN_ENVIRONMENT = "give Newskeep an environment of its own: `pipx install` and `uv tool install` make one"


def check() -> None:
    """Raise `ImportError` when a module of somebody else's stands in for one of ours.

    To the command, which calls `clash` itself and tells it without a traceback, it gives only a clean import path.
    """
    if _is_command():
        leave_current_folder()
    elif said := clash():
        raise ImportError(said)


def clash() -> str | None:
    """Say in one line which module is not ours, where it lies and what to do; `None` when all are ours."""
    for name in NAMES:
        where = _location(name)
        ours = os.path.join(_OURS, name)
        if where is None:
            return f"Newskeep's package {name!r} is missing from {_OURS}: install Newskeep again"
        if where == ours:
            return (
                f"{ours} has no __init__.py any more: another distribution with a package {name!r} was there; "
                f"{_OWN_ENVIRONMENT}"
            )
        if where != os.path.join(ours, "__init__.py"):
            return f"{where} stands before Newskeep's package {name!r}: rename it, or {_OWN_ENVIRONMENT}"
        if not _has_mark(where):
            return f"{where} was overwritten by another distribution with a package {name!r}; {_OWN_ENVIRONMENT}"
    return None


def leave_current_folder() -> None:
    """Take the current folder off the import path, for this process and its children: what lies there is the user's.

    It stays where our packages lie in it, which is a checkout, and where PYTHONPATH names it by its whole path. An
    empty entry of PYTHONPATH is nobody's wish: `PYTHONPATH=$PYTHONPATH:/more` makes one.
    """
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:
        here = ""
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = [entry for entry in named if entry and (os.path.isabs(entry) or os.path.realpath(entry) != here)]
    # What comes before the standard library was added for this start.
    library = (os.path.dirname(os.__file__), f"python{sys.version_info.major}{sys.version_info.minor}.zip")
    added = next((n for n, entry in enumerate(sys.path) if entry.endswith(library)), 0)
    checkout = here == _OURS and any(_is_here(entry, here) for entry in sys.path[:added])
    path = [entry for entry in sys.path[:added] if not _is_here(entry, here) or entry in kept]
    if checkout and here not in path:
        path.insert(0, here)
        kept.insert(0, here)
    sys.path[:added] = path
    # The fork server of multiprocessing, and its tracker, are started by `python -c` and read these.
    os.environ["PYTHONSAFEPATH"] = "1"
    if kept:
        os.environ["PYTHONPATH"] = os.pathsep.join(kept)
    else:
        os.environ.pop("PYTHONPATH", None)


def _is_here(entry: str, here: str) -> bool:
    return not entry or os.path.realpath(entry) == here


def _is_command() -> bool:
    # While `-m` looks for its module it is sys.argv[0]; then that is the path of __main__.py.
    if sys.argv[:1] == ["-m"]:
        return "newskeep" in sys.orig_argv
    program = os.path.realpath(sys.argv[0]) if sys.argv else ""
    name = os.path.basename(program).removesuffix(".exe")
    return name == "newskeep" or program == os.path.join(_OURS, "newskeep", "__main__.py")


def _location(name: str) -> str | None:
    """The file that is imported by a name, or has been; the folder where it is one without `__init__.py`."""
    from importlib.util import find_spec

    module = sys.modules.get(name)
    spec = find_spec(name) if module is None else module.__spec__
    if spec is None:
        return getattr(module, "__file__", None)
    if spec.origin is not None:
        folder, file = os.path.split(spec.origin)
        # Not the file itself: installers may link each to where they keep it.
        return os.path.join(os.path.realpath(folder), file)
    return next((os.path.realpath(folder) for folder in spec.submodule_search_locations or ()), None)


def _has_mark(file: str) -> bool:
    try:
        with open(file, encoding="utf-8", errors="replace") as lines:
            return any(line.rstrip() == MARK for line in lines)
    except OSError:
        # Packages in an archive cannot be overwritten.
        return True

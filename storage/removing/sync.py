"""Decisions in the store, and how the index learns of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from storage.bounds import read_json
from storage.errors import Corrupt, ObjectMissing
from storage.index.index import Index
from storage.objects import ObjectStore
from storage.problems import Problem
from storage.removals import FOLDER, KEY, Removal


def learn(store: ObjectStore, index: Index, on_problem: Callable[[Problem], None] = lambda problem: None) -> None:
    """Enter the decisions that the index does not know. One that cannot be read is told.

    None is forgotten: a store whose listings lag behind must not show again what is hidden.
    """
    known = {each.key: each for each in index.removals()}
    found: dict[str, Removal] = {}
    for key in keys(store):
        if key in known:
            continue
        try:
            found[key] = read(store, key)
        except ObjectMissing:
            continue
        except Corrupt as error:
            what = f"{str(error).removeprefix(key + ': ')}; what it hides is not hidden here"
            on_problem(Problem(key, f"{what}; bring a whole one from another archive"))
    if found:
        index.hide([*known.values(), *found.values()])


def keys(store: ObjectStore) -> Iterator[str]:
    """Yield the keys of all decisions, in order of time."""
    yield from (info.key for info in store.list(FOLDER) if KEY.fullmatch(info.key))


def read(store: ObjectStore, key: str) -> Removal:
    """Return one decision. Raises `Corrupt`, `ObjectMissing`."""
    try:
        with store.open(key) as stream:
            fields = read_json(stream)
    except Corrupt as error:
        raise Corrupt(f"{key}: {error}") from error
    return Removal.from_fields(fields, key)

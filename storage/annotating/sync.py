"""Annotations in the store, and how the index learns of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from storage.annotations import FOLDER, KEY, Annotation, Place, TaggedOutcome, parse_tags, places
from storage.bounds import OUTCOME_LINE_MAX, parse_json, read_json, read_lines_past
from storage.errors import Corrupt, InvalidURL, ObjectMissing, UsageError
from storage.index.index import Index
from storage.objects import ObjectStore
from storage.problems import Problem
from storage.urls import normalize, parse_timestamp

#: What only lines of outcomes with tags have in them.
_TAGS = b'"tags": ["'


def learn(store: ObjectStore, index: Index, on_problem: Callable[[Problem], None] = lambda problem: None) -> None:
    """Enter the annotations that the index does not know. One that cannot be read is told.

    None is forgotten, as none is ever removed.
    """
    known = index.annotation_keys()
    for key in keys(store):
        if key in known:
            continue
        try:
            annotation = read(store, key)
            index.annotate([(annotation, _places(store, annotation))])
        except ObjectMissing as error:
            on_problem(Problem(key, f"the tags of a crawl lie in {error}, which is not there; copy the archive again"))
        except Corrupt as error:
            on_problem(Problem(key, f"passed over ({str(error).removeprefix(key + ': ')}); remove it"))


def keys(store: ObjectStore) -> Iterator[str]:
    """Yield the keys of all annotations, in order of time."""
    yield from (info.key for info in store.list(FOLDER) if KEY.fullmatch(info.key))


def read(store: ObjectStore, key: str) -> Annotation:
    """Return one annotation. Raises `Corrupt`, `ObjectMissing`."""
    try:
        with store.open(key) as stream:
            fields = read_json(stream)
    except Corrupt as error:
        raise Corrupt(f"{key}: {error}") from error
    return Annotation.from_fields(fields, key)


def _places(store: ObjectStore, annotation: Annotation) -> Iterator[Place]:
    outcomes = () if annotation.report is None else tagged_outcomes(store, annotation.report)
    return places(annotation, outcomes)


def tagged_outcomes(store: ObjectStore, report: str) -> Iterator[TaggedOutcome]:
    """Yield the outcomes with tags of a crawl report that led to a capture. Raises `ObjectMissing`.

    Lines that are none are passed over, as everywhere in reports.
    """
    with store.open(report) as stream:
        for line in read_lines_past(stream, OUTCOME_LINE_MAX):
            if _TAGS in line and (found := _tagged(line.strip().removesuffix(b","))):
                yield found


def _tagged(line: bytes) -> TaggedOutcome | None:
    try:
        fields = parse_json(line, OUTCOME_LINE_MAX)
        urls = [normalize(fields[name]) for name in ("url", "final_url") if fields[name] is not None]
        since = fields.get("tags_since")
        return TaggedOutcome(
            tuple(urls),
            parse_timestamp(fields["timestamp"]),
            parse_tags(fields["tags"]),
            None if since is None else parse_timestamp(since),
        )
    except (Corrupt, InvalidURL, UsageError, KeyError, TypeError, AttributeError):
        return None

"""The proof that a WACZ carries: of each record of its WARC the way into a signed tree, in JSON lines beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from storage.errors import NotArchived
from storage.objects import ObjectStore
from storage.transparency.inclusion import LoggedMembers, find, heads_over

#: The version of the file, and its name in a package: `wacz validate` would check a .jsonl as a table.
VERSION, ENTRY = 1, "proof/newskeep.proof"


class Placed(NamedTuple):
    """A record in the WARC of a package."""

    offset: int
    #: SHA-256 of its gzip member, hex.
    digest: str


def package_proof(
    store: ObjectStore, warc: str, records: Sequence[Placed], on_problem: Callable[[str], None]
) -> Iterator[bytes]:
    """Yield the lines of a proof, none where no log has any of the records; `warc` is the name in the package.

    Reads the leaves of all logs. A log without a head over the records is told and left out.
    """
    waiting: dict[str, list[Placed]] = {}
    for each in records:
        waiting.setdefault(each.digest, []).append(each)
    used: list[tuple[LoggedMembers, dict[str, Any], list[str]]] = []
    for log in find(store, waiting):
        # What several logs have is proven by the first.
        digests = sorted((digest for digest in log.found if digest in waiting), key=lambda each: log.found[each][0])
        try:
            told = heads_over(store, ((digest, log) for digest in digests)).get(log.id)
        except NotArchived as error:
            on_problem(str(error))
            continue
        if told is not None:
            used.append((log, told, digests))
    if used:
        yield _line({"newskeep_package_proof": VERSION, "warc": warc, "logs": [told for _, told, _ in used]})
    for log, told, digests in used:
        # In the order of the leaves: then most of a path is that of the one before, and the file packs well.
        for digest in digests:
            for each in waiting.pop(digest, ()):
                yield _line({"offset": each.offset, **log.fields(digest, told["size"])})


def _line(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"

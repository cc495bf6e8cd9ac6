"""Which WARCs of an archive have captures of which month, from their CDXJ files in the store."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from storage.bounds import CDXJ_LINE_MAX, read_lines
from storage.compaction.plan import hidden
from storage.errors import Corrupt, ObjectMissing
from storage.inventory import Holding, holdings
from storage.objects import ObjectStore
from storage.problems import Problem
from storage.published.manifest import Manifest, Source
from storage.published.month import Month
from storage.warc import key_of

OnProblem = Callable[[Problem], None]
#: Month -> WARC -> what it has of that month.
Survey = Mapping[Month, Mapping[str, Source]]

_MEND = "`newskeep reindex --mend` makes it again from the WARC"


def survey(
    store: ObjectStore,
    known: Iterable[Manifest] = (),
    on_problem: OnProblem = lambda problem: None,
    on_warc: Callable[[int], None] = lambda number: None,
) -> Survey:
    """Look at every WARC. Of one that manifests account for with all its captures, the CDXJ is not read again.

    What cannot be read is told and left out. Holds about 300 bytes a WARC.
    """
    told = _told(known)
    found: defaultdict[Month, dict[str, Source]] = defaultdict(dict)
    uncounted = hidden(store, on_problem)
    for number, holding in enumerate(holdings(store), start=1):
        if holding.warc is not None and holding.filename not in uncounted:
            for month, source in _of(store, holding, told.get(holding.filename, {}), on_problem).items():
                found[month][holding.filename] = source
        on_warc(number)
    return found


def _told(known: Iterable[Manifest]) -> dict[str, dict[Month, Source]]:
    told: defaultdict[str, dict[Month, Source]] = defaultdict(dict)
    for manifest in known:
        for filename, source in manifest.sources.items():
            told[filename][manifest.month] = source
    return told


def _of(
    store: ObjectStore, holding: Holding, told: Mapping[Month, Source], on_problem: OnProblem
) -> dict[Month, Source]:
    text = holding.text or 0
    of_size = {month: replace(source, text=text) for month, source in told.items() if source.size == holding.cdxj}
    if of_size and all(source.total == sum(each.captures for each in of_size.values()) for source in of_size.values()):
        return of_size
    try:
        counts = Counter(_months(store, holding.filename))
    except (Corrupt, ObjectMissing) as error:
        what = f"cannot be used ({error})" if isinstance(error, Corrupt) else "missing"
        on_problem(Problem(holding.key("cdxj"), f"{what}; its captures are not published; {_MEND}"))
        return {}
    total = counts.total()
    return {month: Source(holding.cdxj or 0, count, total, text) for month, count in counts.items()}


def _months(store: ObjectStore, filename: str) -> Iterator[Month]:
    for line in lines_of(store, filename):
        digits = line.partition(b" ")[2][:6]
        yield Month(int(digits[:4]), int(digits[4:]))


def lines_of(store: ObjectStore, filename: str) -> Iterator[bytes]:
    """Yield the lines of a WARC's CDXJ. Raises `ObjectMissing`, and `Corrupt` where one is none of ours."""
    key = key_of(filename, "cdxj")
    with store.open(key) as stream:
        for number, line in enumerate(read_lines(stream, CDXJ_LINE_MAX), start=1):
            digits = line.partition(b" ")[2][:14]
            if not (len(digits) == 14 and digits.isdigit() and line.endswith(b"}\n") and b"01" <= digits[4:6] <= b"12"):
                raise Corrupt(f"{key}, line {number}: not a CDXJ line")
            yield line

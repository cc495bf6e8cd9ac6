"""One archive copied into another: resumable, verified, the same again when run again.

The parts of a WARC go before it, so that a copy stopped anywhere is an archive, only a smaller one. Every object is
checked before it is handed on; what is damaged is told and left out, and the rest is copied. Every object is read back
from where it went and held against what was read from where it came. What was joined on one side is not brought back in
pieces from the other.
"""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from itertools import chain
from pathlib import Path

from storage import corrections, untexted
from storage.annotations import FOLDER as ANNOTATIONS
from storage.archive import Archive
from storage.articles import read_part
from storage.bounds import read_whole
from storage.compaction.plan import Compaction, hidden
from storage.compaction.recovery import finish, is_whole, machine_id, recover, undo
from storage.errors import Corrupt, ObjectExists, ObjectMissing, UsageError
from storage.hashing import CHUNK, HashingReader, digest_of
from storage.ingest import note
from storage.inventory import Holding, check_json, holdings
from storage.maintenance.copy_checks import MAKE, Known, WarcCut, check_cdxj, check_warc, known_to
from storage.maintenance.copy_published import copy_published
from storage.maintenance.copy_sides import JoinedDays, TargetHoldings
from storage.maintenance.reindex import ReindexResult, bring_up_to_date
from storage.maintenance.workers import Workers
from storage.objects import ObjectInfo, ObjectStore
from storage.objects.local import LocalStore
from storage.problems import Problem
from storage.removals import FOLDER
from storage.removing.due import scrubbed
from storage.removing.purge import purge_now
from storage.removing.sync import learn
from storage.transparency.objects import FOLDER as LOGS
from storage.transparency.witness import FOLDER as WITNESSED
from storage.warc import key_of
from storage.workspace import workspace

#: Bytes of a WARC; larger ones go one at a time, so that each thread has one temporary file of at most so many.
_SMALL = 64_000_000


@dataclass(slots=True)
class CopyResult:
    """What was done, in objects."""

    copied: int = 0
    bytes: int = 0
    #: There already.
    kept: int = 0
    #: WARCs whose records the target holds in a joined one.
    joined: int = 0
    #: Captures that were purged from the target, because the source says so.
    purged: int = 0
    problems: list[Problem] = field(default_factory=list)
    #: What became of the target's index.
    index: ReindexResult = field(default_factory=ReindexResult)


def copy(
    source: ObjectStore,
    target: Archive,
    *,
    known: Known = lambda filename: None,
    on_object: Callable[[CopyResult], None] = lambda done: None,
) -> CopyResult:
    """Bring everything that `source` holds to `target`, and the target's index up to date.

    `known` is what the source's index says (`known_to`); what the target's says is asked as well.
    Raises `AlreadyRunning` when a reindex, compaction or copy is at work on the target here.
    """
    if source.uri == target.uri:
        raise UsageError(f"{source.uri}: from and to are the same archive")
    source.check()
    target.store.check(write=True)
    with target.upkeep(), workspace(target.state / "copying") as folder:
        target.check_index()
        work = _Copy(source, target, folder, lambda name: known(name) or known_to(target)(name), on_object)
        work.done.problems += recover(target).left
        # First: what is hidden there is never to be seen here.
        work.removals()
        learn(target.store, target.index, work.done.problems.append)
        with scrubbed(target, work.done.problems.append):
            work.all()
    return work.done


@dataclass(frozen=True, slots=True)
class _Fetched:
    """An object as a local file, checked."""

    info: ObjectInfo
    path: Path
    sha256: str


class _DamagedWarc(Exception):
    pass


class _Copy:
    def __init__(
        self, source: ObjectStore, target: Archive, folder: Path, known: Known, on_object: Callable[[CopyResult], None]
    ) -> None:
        self.done = CopyResult()
        self._source = source
        self._archive = target
        self._target = target.store
        self._folder = folder
        self._known = known
        self._on_object = on_object
        self._counting = threading.Lock()
        #: Whether both stores tell digests without reading; known once asked.
        self._digests = True

    def all(self) -> None:
        """Everything but what is hidden, and what follows from that in the target."""
        self._archive.mind_upkeep()
        self.mutable()
        # Before a WARC is joined in the target, too, which is logged there by what is known.
        self._all_fixed(LOGS)
        # Another look when something went away between listing and reading: a compaction put it elsewhere.
        if self.holdings() and self.holdings():
            self._tell(self._source.uri, "changed while it was read; run again")
        self._archive.mind_upkeep()
        self.fixed()
        self.done.index = bring_up_to_date(self._archive, on_problem=self.done.problems.append)
        purged = purge_now(self._archive)
        self.done.purged = purged.captures
        self.done.problems += purged.problems
        # Last: of all that came.
        copy_published(
            self._source,
            self._archive,
            self._folder,
            on_problem=self.done.problems.append,
            on_file=lambda size: self._count(copied=1, size=size),
        )

    # Whole listings

    def mutable(self) -> None:
        """Site memories, what tells of pages without text, and of files that were imported: the source's win."""
        for info in chain(*map(self._source.list, ("sites/", untexted.FOLDER, note.FOLDER))):
            try:
                data = _read(self._source, info.key)
                check_json(info.key, BytesIO(data or b"{}"))
            except Corrupt as error:
                self._tell(info.key, f"damaged ({error}); not copied; remove it, it is made anew where it is needed")
                continue
            if data is not None and data != _read(self._target, info.key):
                self._target.replace(info.key, data)
                self._count(copied=1, size=len(data))
            else:
                self._count()

    def removals(self) -> None:
        """Decisions to hide, give back and purge."""
        self._all_fixed(FOLDER)

    def fixed(self) -> None:
        """Crawl reports, what people said of what is held, and what readers corrected."""
        self._all_fixed("crawls/")
        # After the reports: some say that one of them has tags.
        self._all_fixed(ANNOTATIONS)
        self._all_fixed(corrections.FOLDER)
        # What a log says holds of the copies as well: their names and bytes are the same.
        self._all_fixed(LOGS)
        self._all_fixed(WITNESSED)

    def _all_fixed(self, folder: str) -> None:
        """The objects of a folder, which never change."""
        there = {info.key: info.size for info in self._target.list(folder)}
        with Workers() as workers:
            for info in self._source.list(folder):
                workers.do(self._fixed, info, there.get(info.key))

    def holdings(self) -> bool:
        """WARCs with their parts. True when something was gone before it could be read."""
        self._again = False
        unseen = hidden(self._source, self.done.problems.append)
        there = TargetHoldings(self._target)
        notes = JoinedDays(self._source, self._target)
        with Workers() as workers:
            for holding in holdings(self._source):
                if holding.warc is None or holding.filename in unseen:
                    continue
                day = notes.of(holding.filename)
                present = there.find(holding.filename)
                record = day.made.get(holding.filename)
                if day.has_joined(holding.filename):
                    self.done.joined += 1
                elif record is not None and holding.filename not in day.there:
                    workers.finish()
                    self._joined(holding, present, record)
                elif holding.warc > _SMALL:
                    self._holding(holding, present)
                else:
                    workers.do(self._holding, holding, present)
        return self._again

    # One WARC

    def _holding(self, holding: Holding, present: Holding) -> None:
        """Copy a WARC after its parts, all of them checked before the first is put."""
        with ExitStack() as stack:
            try:
                fetched = list(self._fetched(holding, present, stack))
            except ObjectMissing:
                self._again = True
                return
            except _DamagedWarc as error:
                whole = f"bring a whole one to {self._source.uri} from another archive, then copy again"
                self._tell(holding.key(), f"damaged ({error}); not copied, nor its text and CDXJ; {whole}")
                return
            for one in reversed(fetched):
                self._put(one)

    def _fetched(self, holding: Holding, present: Holding, stack: ExitStack) -> Iterator[_Fetched]:
        """Yield what is whole of a WARC with its parts and not there yet. Raises `_DamagedWarc`, `ObjectMissing`."""
        # The WARC first: the others are of no use without it.
        for kind in ("warc", "cdxj", "text"):
            size, there = getattr(holding, kind), getattr(present, kind)
            if size is None:
                continue
            info = ObjectInfo(holding.key(kind), size)
            if there is not None:
                self._compare(info, there)
                continue
            try:
                yield self._checked(info, holding, kind, stack)
            except Corrupt as error:
                if kind == "warc" or (isinstance(error, WarcCut) and self._known(holding.filename) is None):
                    raise _DamagedWarc(str(error)) from error
                self._tell(info.key, f"damaged ({error}); not copied; {MAKE[kind]}")

    def _checked(self, info: ObjectInfo, holding: Holding, kind: str, stack: ExitStack) -> _Fetched:
        """Fetch an object and hold it against what is known of it; raises `Corrupt`, `ObjectMissing`."""
        path, digest = self._fetch(info, stack)
        with path.open("rb") as stream:
            match kind:
                case "warc":
                    check_warc(stream, digest, self._known(holding.filename))
                case "cdxj":
                    check_cdxj(stream, holding)
                case "text":
                    for _ in read_part(stream):
                        pass
                case _:
                    check_json(info.key, stream)
        return _Fetched(info, path, digest)

    def _joined(self, holding: Holding, present: Holding, record: Compaction) -> None:
        """Copy a WARC that was joined from others, in the place of those that the target has of them."""
        old = [name for name in sorted(record.joined) if self._target.stat(key_of(name)) is not None]
        if not old:
            self._holding(holding, present)
            self._target.put(record.record_key, record.to_json())
            return
        plan = replace(
            record,
            sources=tuple(old),
            earlier=tuple(sorted(record.joined.difference(old))),
            machine=machine_id(self._archive.state),
            started=datetime.now(UTC),
        )
        try:
            self._target.put(plan.plan_key, plan.to_json())
        except ObjectExists:
            self._tell(plan.plan_key, "a compaction of this day is not at its end; run `newskeep compact`, then again")
            return
        self._holding(holding, present)
        if is_whole(self._target, plan):
            finish(self._archive, plan)
        elif self._target.stat(plan.warc.key) is None:
            undo(self._target, plan)

    # One object

    def _fixed(self, info: ObjectInfo, present: int | None) -> None:
        """Copy an object that never changes, unless it is there; `present` is the size of what is."""
        if present is not None:
            self._compare(info, present)
            return
        with ExitStack() as stack:
            try:
                self._put(self._checked(info, Holding(""), "fixed", stack))
            except ObjectMissing:
                self._again = True
            except Corrupt as error:
                self._tell(info.key, f"damaged ({error}); not copied; remove it")

    def _compare(self, info: ObjectInfo, present: int) -> None:
        if present != info.size or not self._same_digest(info.key):
            what = f"{self._target.uri} has another content ({present:,} bytes, here {info.size:,})"
            self._tell(info.key, f"{what}; `newskeep verify --deep` both, remove the bad one, copy again")
        else:
            self._count()

    def _same_digest(self, key: str) -> bool:
        """Compare by what the stores tell without reading; what they do not tell counts as the same."""
        if not self._digests:
            return True
        digests = [found.sha256 if found else None for found in (self._source.stat(key), self._target.stat(key))]
        if None in digests:
            self._digests = False
            return True
        return digests[0] == digests[1]

    def _put(self, one: _Fetched) -> None:
        """Put what was fetched, and read it back."""
        key = one.info.key
        try:
            self._target.put(key, one.path)
            if digest_of(self._target, key) != (one.info.size, one.sha256):
                # By its size it would pass for whole in the next run.
                self._target.delete(key)
                raise Corrupt(f"came back different from {self._target.uri}")
        except ObjectMissing:
            self._again = True
        except (Corrupt, ObjectExists) as error:
            self._tell(key, f"not copied ({error}); see `newskeep verify --deep`")
        else:
            self._count(copied=1, size=one.info.size)

    def _fetch(self, info: ObjectInfo, stack: ExitStack) -> tuple[Path, str]:
        """Return a local file with the object's bytes, for as long as the stack is open, and their SHA-256.

        Raises `Corrupt` where the store knows another digest of what it was given.
        """
        if isinstance(self._source, LocalStore):
            path = self._source.root / info.key
            size, digest = digest_of(self._source, info.key)
        else:
            path = self._folder / secrets.token_hex(8)
            stack.callback(path.unlink, missing_ok=True)
            with self._source.open(info.key) as stream, path.open("xb") as file:
                hashed = HashingReader(stream)
                shutil.copyfileobj(hashed, file, CHUNK)
            size, digest = hashed.size, hashed.sha256
            stored = self._source.stat(info.key)
            if stored is not None and stored.sha256 not in (None, digest):
                raise Corrupt("its SHA-256 is not that of what was put there")
        if size != info.size:
            raise ObjectMissing(info.key)  # replaced or cut since it was listed
        return path, digest

    def _count(self, copied: int = 0, size: int = 0) -> None:
        with self._counting:
            self.done.copied += copied
            self.done.kept += not copied
            self.done.bytes += size
            self._on_object(self.done)

    def _tell(self, key: str, what: str) -> None:
        with self._counting:
            self.done.problems.append(Problem(key, what))


def _read(store: ObjectStore, key: str) -> bytes | None:
    with suppress(ObjectMissing), store.open(key) as stream:
        return read_whole(stream)
    return None

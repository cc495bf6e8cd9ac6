"""WACZ: the chosen captures with all that they need to be shown, `archive-<number>.wacz`, each readable by itself."""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin

from newskeep.export import Part, Selection, Tools, resuming
from newskeep.export.cdxj import chosen
from newskeep.export.choice import Choice
from newskeep.export.package import Entry, Package
from newskeep.export.records import warcinfo
from newskeep.export.signing import Signer
from newskeep.fields import of_annotations
from storage import cdxj
from storage.annotations import Collection
from storage.archive import Archive
from storage.errors import InvalidURL, NewskeepError, StoreUnavailable
from storage.http import ContentError, HttpMessage
from storage.model import Capture
from storage.problems import Problem
from storage.transparency.package_proof import ENTRY as PROOF
from storage.transparency.package_proof import Placed, package_proof
from storage.urls import normalize, parse_timestamp, surt, timestamp14
from storage.warc import Record, capture_of
from storage.warc_writer import CONFORMS_TO

#: Bytes of WARC, and captures, of a file: their index is sorted in memory.
MAX_BYTES, MAX_CAPTURES = 1_000_000_000, 100_000
#: Bytes from which not even what the last pages need is added.
_HARD_LIMIT = 1_800_000_000
#: What a page needs is taken from captures up to this far from it: requisites are not fetched again sooner.
_NEAR = timedelta(days=30)
#: Redirects that follow each other, and styles that import styles.
_DEPTH = 5
#: Bytes of a page or style that are looked through.
_LOOKED_AT = 16 * 1024 * 1024
_WARC = "data.warc.gz"


class Wacz:
    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._signer = Signer(tools.sign_key) if tools.sign_key else None

    def parts(self, archive: Archive, selection: Selection, after: Any, folder: Path) -> Iterator[Part]:
        with resuming():
            number, start = (0, None) if after is None else (int(after["file"]), _place(selection, after["behind"]))
        about = Collection("") if selection.tag is None else archive.index.collection(selection.tag)
        title, description = about.title or _title(selection), about.description
        captures = _chosen(archive, selection, start)
        waiting = next(captures, None)
        while waiting is not None:
            name = f"archive-{number:05d}.wacz"
            path = folder / name
            with (
                Package(path, title, description, self._tools.software, self._signer) as package,
                tempfile.TemporaryFile(dir=folder) as pages,
            ):
                volume = _Volume(archive, selection, about, self._tools, pages)
                with package.entry(f"archive/{_WARC}") as out:
                    volume.begin(out)
                    place = waiting[0]
                    # A file ends between two moments, so that the next begins behind it.
                    while waiting is not None and not (volume.is_full and waiting[0] != place):
                        place, capture = waiting
                        volume.add(capture)
                        waiting = next(captures, None)
                volume.finish(package)
            number += 1
            yield Part({name: path}, volume.captures, {"file": number, "behind": place})


def _title(selection: Selection) -> str:
    days = [f"{moment:%Y-%m-%d}" for moment in (selection.since, selection.until) if moment]
    name = selection.tag or selection.site or "News archive"
    return " ".join([name, *([selection.language] if selection.language else []), *days])


def _place(selection: Selection, behind: str) -> Capture | datetime:
    return cdxj.parse(behind.encode()) if selection.language is None else parse_timestamp(behind)


def _chosen(archive: Archive, selection: Selection, behind: Capture | datetime | None) -> Iterator[tuple[str, Capture]]:
    """Yield the chosen captures with their places in the order of all; of a language, those with an article in it."""
    if not isinstance(behind, datetime) and selection.language is None:
        before: tuple[str, str, str] | None = None
        for capture in chosen(archive, selection, behind):
            key = surt(capture.url), timestamp14(capture.timestamp)
            if before is None or before[:2] != key:
                before = (*key, cdxj.line(capture).decode())
            yield before[2], capture
        return
    until = behind - timedelta(seconds=1) if isinstance(behind, datetime) else selection.until
    choice = Choice(archive, selection)
    for entry in archive.index.articles(
        site=selection.site, language=selection.language, since=selection.since, until=until, tag=selection.tag
    ):
        if choice.leaves_out(entry):
            continue
        for capture in archive.index.captures(entry.url, since=entry.timestamp, until=entry.timestamp):
            if (capture.filename, capture.offset) == (entry.filename, entry.offset):
                yield timestamp14(entry.timestamp), capture


class _Volume:
    """What goes into one file."""

    def __init__(
        self, archive: Archive, selection: Selection, about: Collection, tools: Tools, pages: IO[bytes]
    ) -> None:
        self._title = about.title or selection.tag or "All Pages"
        self._about = {"description": about.description} if about.description else {}
        self._archive = archive
        self._tools = tools
        self._leaves_out = Choice(archive, selection).leaves_out
        self._pages = pages
        # Where all is chosen, what a page needs is too.
        self._looks_around = any((selection.site, selection.since, selection.language, selection.tag))
        self._held: set[tuple[str, int]] = set()
        self._lines: list[bytes] = []
        self._placed: list[Placed] = []
        self._out: Entry | None = None
        self._main: tuple[str, str] | None = None
        #: Chosen ones, without what they need.
        self.captures = 0

    @property
    def is_full(self) -> bool:
        assert self._out is not None
        return self._out.size >= MAX_BYTES or len(self._held) >= MAX_CAPTURES

    def begin(self, out: Entry) -> None:
        self._out = out
        info = {"format": "WARC File Format 1.1", "conformsTo": CONFORMS_TO, "software": self._tools.software}
        out.write(warcinfo("1.1", _WARC, info))
        header = {"format": "json-pages-1.0", "id": "pages", "title": self._title, "hasText": True, **self._about}
        self._pages.write(json.dumps(header).encode() + b"\n")

    def add(self, capture: Capture) -> None:
        """Add a chosen capture with what it needs."""
        self.captures += 1
        self._add(capture, 0)
        entry = self._archive.index.article_at(capture.filename, capture.offset)
        if entry is None:
            return
        try:
            text = self._archive.read_article(entry).text
        except StoreUnavailable:
            raise
        except NewskeepError:
            text = ""
        moment = capture.timestamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        page = {"id": uuid.uuid4().hex, "url": capture.url, "ts": moment, "title": entry.title or capture.url}
        if self._main is None and entry.words:
            self._main = (capture.url, moment)
        said = of_annotations(self._archive, capture.url, capture.timestamp)
        self._pages.write(json.dumps({**page, **said, "text": text}).encode() + b"\n")

    def finish(self, package: Package) -> None:
        package.index(sorted(self._lines))
        package.main_page = self._main
        self._pages.seek(0)
        with package.entry("pages/pages.jsonl", press=True) as out:
            while block := self._pages.read(1 << 20):
                out.write(block)
        self._prove(package)

    def _prove(self, package: Package) -> None:
        """Add what shows that the records are those that the archive's logs have."""
        problem = partial(Problem, f"archive/{_WARC}")
        told = package_proof(
            self._archive.store, f"archive/{_WARC}", self._placed, lambda text: self._tools.on_problem(problem(text))
        )
        first = next(told, None)
        if first is not None:
            with package.entry(PROOF, press=True) as out:
                for line in chain([first], told):
                    out.write(line)

    def _add(self, capture: Capture, depth: int) -> None:
        """Copy an exchange into the WARC, once, and with it what it refers to."""
        place = (capture.filename, capture.offset)
        if place in self._held or self._leaves_out(capture):
            return
        assert self._out is not None
        if depth and self._out.size > _HARD_LIMIT:
            self._tools.on_problem(Problem(capture.filename, f"{capture.url} is left out: the file is full"))
            return
        self._held.add(place)
        try:
            exchange = self._archive.reader.exchange(capture)
            original = self._archive.read(capture).original if capture.is_revisit else None
        except StoreUnavailable:
            raise
        except NewskeepError as error:
            self._tools.on_problem(Problem(capture.filename, f"{capture.url} is left out: {error}"))
            return
        self._copy(exchange)
        if original is not None:
            self._add(original, depth)
        elif depth < _DEPTH:
            for url in self._needed(capture, exchange[0][0]):
                self._add_near(url, capture.timestamp, depth + 1)

    def _copy(self, exchange: list[tuple[Record, bytes]]) -> None:
        assert self._out is not None
        for record, member in exchange:
            offset = self._out.size
            self._out.write(member)
            self._placed.append(Placed(offset, sha256(member).hexdigest()))
            placed = Record(record.fields, record.block, offset, len(member))
            if found := capture_of(placed, _WARC):
                self._lines.append(cdxj.line(found))

    def _add_near(self, url: str, moment: datetime, depth: int) -> None:
        try:
            capture = self._archive.index.closest(normalize(url), moment, accept=_is_shown)
        except InvalidURL:
            return
        if capture is not None and abs(capture.timestamp - moment) <= _NEAR:
            self._add(capture, depth)

    def _needed(self, capture: Capture, response: Record) -> Iterator[str]:
        """Yield the addresses that an answer sends a browser to."""
        if not self._looks_around:
            return
        message = HttpMessage.parse(response.block)
        location = message.header("location")
        if capture.status in (301, 302, 303, 307, 308) and location is not None:
            yield from _joined(capture.url, location)
        elif capture.status == 200 and message.media_type in ("text/html", "application/xhtml+xml", "text/css"):
            try:
                content = message.content(_LOOKED_AT)
            except ContentError:
                return
            is_css = message.media_type == "text/css"
            yield from self._tools.requisites(content, capture.url, message.header("content-type"), is_css)


def _joined(base: str, location: str) -> Iterator[str]:
    try:
        yield urljoin(base, location)
    except ValueError:
        return


def _is_shown(capture: Capture) -> bool:
    return capture.wall is None and capture.status is not None and 200 <= capture.status < 400

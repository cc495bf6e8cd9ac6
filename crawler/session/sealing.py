"""Sealing: a closed WARC is verified, its text and CDXJ are written beside it, complete or not at all.

The captures come from reading the WARC back, not from memory, so that a fresh WARC, one that a killed run left and one
whose text is made again go the same way.
"""

from __future__ import annotations

import logging
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from crawler.extraction.corrections import corrected
from crawler.extraction.duplicates import fingerprinted
from crawler.extraction.template.lesson import Lesson
from crawler.extraction.template.marking import SPARED
from crawler.session.correction_store import CorrectionStore
from crawler.session.extracted_lines import ExtractedLines
from crawler.session.page_extraction import Extraction
from crawler.session.read_back import PartRead, ReadBack, parts_of, read_all
from crawler.session.site_memory_store import SiteMemoryStore
from crawler.session.twins import text_address
from storage import cdxj
from storage.articles import to_line, with_record, write_line
from storage.errors import Corrupt, InvalidURL
from storage.model import Capture, TextSource
from storage.repair import copy_whole_records, cut_torn
from storage.rights.page import noarchive
from storage.spool import OPEN_SUFFIX, Look, Parcel, Spool, no_look, sync_folder, writing
from storage.untexted import UntextedPage
from storage.untexted import to_json as untexted_json
from storage.urls import site_of
from storage.warc import Record, read_record_at, read_records

logger = logging.getLogger(__name__)

#: How often a page is extracted at most.
_ATTEMPTS = 3
#: Extracts a response, as on the wire, of a URL, captured at a time.
Extract = Callable[[bytes, str, datetime], Extraction]
#: Articles of a site of which is kept in memory what is learned of them, some 50 KB each.
_LESSONS_KEPT = 500


def close_open(path: Path, look: Look = no_look, size: int | None = None) -> Parcel | None:
    """Give a WARC that is no longer written its final name, without the half record that a killed run leaves.

    `size`: its bytes where its writer knows them; when they are all there, nothing is torn.
    Returns `None` when it held no exchange. One that is broken in another way keeps every byte: sealing tells. Raises
    `SpoolError`.
    """
    parcel = Parcel(path.with_name(path.name.removesuffix(OPEN_SUFFIX)))
    with writing(path):
        if _is_empty(path, look, is_torn=path.stat().st_size != size):
            path.unlink()
            parcel.articles.unlink(missing_ok=True)
            return None
        path.replace(parcel.warc)
    return parcel


def _is_empty(path: Path, look: Look, is_torn: bool) -> bool:
    """Whether a WARC holds nothing but its warcinfo record, once a half record at its end is cut off."""
    try:
        if is_torn:
            cut_torn(path, look)
        with path.open("rb") as file:
            return all(record.type == "warcinfo" for record in read_records(file))
    except Corrupt:
        return False


def check(parcel: Parcel, look: Look = no_look) -> None:
    """Read a WARC that was sealed earlier once more; raises `Corrupt`."""
    with writing(parcel.warc), parcel.warc.open("rb") as warc:
        records = 0
        for record in read_records(warc):
            look()
            record.check()
            records += 1
    if not records:
        raise Corrupt("it is empty")


def salvage(damaged: Parcel, spool: Spool, look: Look = no_look) -> tuple[Parcel | None, Path]:
    """Put the whole records of a damaged WARC into one of their own, `None` when there are none; set it aside.

    Returns where it is kept, too. Raises `SpoolError`.
    """
    whole = damaged.salvaged
    with writing(whole.warc):
        # First, and under a name that is always the same: killed in between, it is done once more.
        number = copy_whole_records(damaged.warc, whole.warc, look)
        if not number:
            whole.warc.unlink()
    kept = spool.set_aside(damaged)
    return whole if number else None, kept


def seal(
    parcel: Parcel,
    extract: Extract | None,
    memories: SiteMemoryStore,
    corrections: CorrectionStore,
    look: Look = no_look,
    read: ReadBack = read_all,
) -> Parcel:
    """Verify a closed WARC and write its CDXJ and text beside it.

    Pages that have no article yet are extracted, unless `extract` is `None`. `read` reads the parts of the WARC back.

    What repeats on a site is learned from all its articles here before the first of them is written; what readers said
    of their blocks comes last, and counts before all else. `look` is called once a record and once an article, and ends
    the work by what it raises: the articles made so far stay beside the WARC, and the next call goes on from them.
    Raises `Corrupt` when the WARC does not read back as it was written, `SpoolError` when the disk is full.
    """
    with writing(parcel.warc.parent):
        with ExtractedLines.open(parcel.articles) as extracted:
            captures, untexted = _verify(parcel, extract, extracted, look, read)
            with _whole(parcel.text) as text:
                for line, url in _cleaned(captures, extracted, memories, corrections, look):
                    write_line(text, line, url)
        parcel.untexted.unlink(missing_ok=True)
        if untexted:
            with _whole(parcel.untexted) as file:
                file.write(untexted_json(untexted))
        with _whole(parcel.cdxj) as lines:
            lines.writelines(cdxj.lines(captures))
        sync_folder(parcel.warc.parent)
    return parcel


def _verify(
    parcel: Parcel, extract: Extract | None, extracted: ExtractedLines, look: Look, read: ReadBack
) -> tuple[list[Capture], list[UntextedPage]]:
    """Check every record, extract what has not been extracted yet.

    Returns the captures, and the pages among them that the machine let not be extracted.
    """
    captures: list[Capture] = []
    untexted: list[UntextedPage] = []
    records = 0
    with parcel.warc.open("rb") as warc:
        for part in read(parts_of(parcel.warc, extracted.offsets), look):
            records += part.records
            captures += part.captures
            if extract is not None:
                untexted += _extract_missing(warc, part, extract, extracted, look)
    if not records:
        raise Corrupt("it is empty")
    return captures, untexted


def _extract_missing(
    warc: BinaryIO, part: PartRead, extract: Extract, extracted: ExtractedLines, look: Look
) -> Iterator[UntextedPage]:
    """Extract the pages of a part that have not been; yield those that the machine let not be."""
    for offset, source in part.sources.items():
        if offset in extracted:
            continue
        look()
        page = read_record_at(warc, offset)
        extraction = _extracted(page if source == offset else read_record_at(warc, source), extract)
        if extraction.again:
            yield UntextedPage(page.url, page.date, extraction.reason or "no text")
        else:
            extracted.add(offset, extraction)


def _extracted(record: Record, extract: Extract) -> Extraction:
    """Extract a page, more than once where the machine fails."""
    for attempt in range(_ATTEMPTS):
        extraction = extract(record.response, text_address(record), record.date)
        if not extraction.again or extraction.hopeless:
            # Of the hopeless, their pool has said so once for all.
            return extraction
        time.sleep(attempt)
    logger.warning("%s of %s; newskeep reextract makes it later", extraction.reason, record.url)
    return extraction


def _cleaned(
    captures: list[Capture],
    extracted: ExtractedLines,
    memories: SiteMemoryStore,
    corrections: CorrectionStore,
    look: Look,
) -> Iterator[tuple[bytes, str]]:
    """Yield line and URL of the articles, site by site, without what repeats on it, and as readers have them."""
    sites = _by_site(captures, extracted)
    if sites:
        corrections.look()
    for site, of_site in sites.items():
        said = corrections.of(site)
        articles = _Lessons(of_site, extracted, look)
        memory = memories.learn_lessons(site, articles.lessons)
        spared = 0
        for capture, lesson in articles:
            verdict = memory.judge(lesson.url, lesson.story)
            source = TextSource(capture.filename, capture.offset, capture.length, capture.digest, capture.insecure)
            # Of what others wrote the signal alone says so: such a record has no mark.
            closed = capture.noarchive or noarchive(capture.rights) is not None
            if not (said or verdict.removed or verdict.spared):
                # As the worker wrote it: most articles need not be read again.
                line = extracted.article_line(capture.offset)
                yield with_record(line, source, closed, capture.rights), capture.url
                continue
            cleaned = memory.clean(extracted.article(capture.offset))
            spared += any(block.kept and block.reason.detail == SPARED for block in cleaned.blocks)
            cleaned = corrected(fingerprinted(cleaned), said)
            cleaned = replace(cleaned, noarchive=closed, rights=capture.rights, warc=source)
            yield to_line(cleaned), capture.url
        if spared:
            logger.info("%s: in %d articles what repeats would be most of the text, and stays", site, spared)


class _Lessons:
    """What is learned of a site's articles in one WARC, to be gone through again; read once where that is not too much.

    `look` is called before each that is read.
    """

    def __init__(self, captures: list[Capture], extracted: ExtractedLines, look: Look) -> None:
        self._captures = captures
        self._extracted = extracted
        self._look = look
        self._kept: list[tuple[Capture, Lesson]] = []

    def lessons(self) -> Iterator[Lesson]:
        return (lesson for _, lesson in self)

    def __iter__(self) -> Iterator[tuple[Capture, Lesson]]:
        for number, capture in enumerate(self._captures):
            self._look()
            if number < len(self._kept):
                yield self._kept[number]
            else:
                lesson = self._extracted.lesson(capture.offset)
                if number < _LESSONS_KEPT:
                    self._kept.append((capture, lesson))
                yield capture, lesson


def _by_site(captures: list[Capture], extracted: ExtractedLines) -> Mapping[str, list[Capture]]:
    sites: dict[str, list[Capture]] = defaultdict(list)
    for capture in captures:
        if extracted.has_article(capture.offset):
            with suppress(InvalidURL):
                sites[site_of(capture.url)].append(capture)
    return dict(sorted(sites.items()))


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file for writing that gets its name only when it is complete and durable."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)

"""The pages of a WARC extracted as many at a time as there are workers; sealing finds them beside it."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from crawler.session.extracted_lines import ExtractedLines
from crawler.session.page_extraction import Extraction
from crawler.session.read_back import with_sources
from crawler.session.sealing import Extract
from crawler.session.twins import text_address
from storage.spool import Look, Parcel, no_look
from storage.warc import Record, read_records

#: Records read ahead of the slowest page, a worker.
_AHEAD = 4


def extract_ahead(parcel: Parcel, extract: Extract, workers: int, look: Look = no_look) -> None:
    """Fill the parcel's `.articles` with what is not in it yet.

    `look` is called once a record and ends the work by what it raises; what was extracted by then stays. Raises
    `Corrupt`.
    """
    with ExitStack() as stack:
        threads = ThreadPoolExecutor(workers)
        stack.callback(threads.shutdown, cancel_futures=True)
        warc = stack.enter_context(parcel.warc.open("rb"))
        extracted = stack.enter_context(ExtractedLines.open(parcel.articles))
        ahead: deque[tuple[Record, Future[Extraction]]] = deque()
        for record, source in with_sources(read_records(warc)):
            look()
            if source is None or record.offset in extracted:
                continue
            ahead.append((record, threads.submit(extract, source.response, text_address(source), source.date)))
            if len(ahead) > workers * _AHEAD:
                _keep(extracted, *ahead.popleft())
        for record, extraction in ahead:
            _keep(extracted, record, extraction)


def _keep(extracted: ExtractedLines, record: Record, extraction: Future[Extraction]) -> None:
    found = extraction.result()
    if not found.again:  # else sealing tries once more
        extracted.add(record.offset, found)

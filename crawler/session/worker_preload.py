"""What workers need, loaded when this is imported: the fork server does that once, and its workers share it.

To import `crawler.extraction` loads next to nothing. Its libraries and models take most of a second and 75 MB, which
each worker would spend on its first page, and the pool that a worker is made for takes it another while to import. The
fork server is given names of modules and nothing to call; so what is done here is done by the import.
"""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from datetime import UTC, datetime

import crawler.session.extraction_pool  # noqa: F401 - what a worker begins with
from crawler.allocator import give_back
from crawler.extraction.metadata.language import detect
from crawler.session.page_extraction import extract_response
from storage.index.articles import read_piece  # noqa: F401 - what they make ready of texts for the index

# Before numpy is loaded. A worker has one page at a time: threads for linear algebra would only cost address space, and
# a process that has threads should not be forked.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

#: Long enough for its language to be told.
_TEXT = (
    "The town council met on the pier on Tuesday to hear why the ferry had been late for the third time this month. "
    "Its captain told the members that a rope had given way in the storm, and that nobody had ordered another one."
)

_PAGE = f"<html lang=en><title>The ferry</title><article><h1>The ferry</h1><p>{_TEXT}</p></article></html>"
_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + _PAGE.encode()

# Where the machine cannot, each page says so.
with suppress(OSError, MemoryError):
    extract_response(_RESPONSE, "https://www.example.org/ferry", datetime(2026, 11, 22, tzinfo=UTC), len(_RESPONSE))
    detect(_TEXT)
    # Not above: it loads numpy.
    from crawler.extraction.trafilatura_text import load_stop_words

    load_stop_words()
# What is written to, as garbage is looked for, each worker would have once more.
gc.collect()
gc.freeze()
give_back()

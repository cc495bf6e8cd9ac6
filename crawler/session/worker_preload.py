"""What workers need, loaded when this is imported: the fork server does that once, and its workers share it.

To import `crawler.extraction` loads next to nothing. Its libraries and models take most of a second and 100 MB, which
each worker would spend on its first page. The fork server is given names of modules and nothing to call; so what is
done here is done by the import.
"""

from __future__ import annotations

import os
from contextlib import suppress

from crawler.extraction import extract
from crawler.extraction.metadata.language import detect

# Before numpy is loaded. A worker has one page at a time: threads for linear algebra would only cost address space, and
# a process that has threads should not be forked.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

#: Long enough for its language to be told.
_TEXT = (
    "The town council met on the pier on Tuesday to hear why the ferry had been late for the third time this month. "
    "Its captain told the members that a rope had given way in the storm, and that nobody had ordered another one."
)

# Where the machine cannot, each page says so.
with suppress(OSError, MemoryError):
    extract(f"<html lang=en><title>The ferry</title><article><h1>The ferry</h1><p>{_TEXT}</p></article></html>")
    detect(_TEXT)

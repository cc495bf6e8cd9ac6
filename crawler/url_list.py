"""Lists of URLs as people keep them: blank lines, comments, any line ends, a byte order mark, duplicates."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from storage.errors import InvalidURL, UsageError
from storage.urls import normalize

_BOM = "\ufeff"
_COMMENT = re.compile(r"(?:^|\s)#.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ListedURL:
    """One URL of a list: as given, as it will be fetched, or why it cannot be."""

    given: str
    url: str
    error: str | None = None


def read_urls(
    urls: Iterable[str] = (), file: str | None = None, on_duplicate: Callable[[], None] = lambda: None
) -> Iterator[ListedURL]:
    """Yield each different URL once, those of `urls` before those of `file` ("-": standard input), read as a stream.

    Two URLs are the same when they are fetched alike; `on_duplicate` is called for each further one. Raises
    `UsageError` when the file cannot be read.
    """
    seen: set[bytes] = set()
    for given in _lines(urls, file):
        listed = _listed(given)
        # A digest a URL, not the URL: a list may have millions.
        key = hashlib.blake2b((listed.url or given).encode("utf-8", "surrogatepass"), digest_size=12).digest()
        if key in seen:
            on_duplicate()
            continue
        seen.add(key)
        yield listed


def _listed(given: str) -> ListedURL:
    try:
        return ListedURL(given, normalize(given))
    except InvalidURL as error:
        # What stands before an "@" may be a password, and outcomes are kept.
        return ListedURL(f"…@{given.rpartition('@')[2]}" if "@" in given else given, "", error.reason)


def _lines(urls: Iterable[str], file: str | None) -> Iterator[str]:
    yield from (url.strip() for url in urls)
    if file is None:
        return
    try:
        if file == "-":
            yield from _entries(sys.stdin.buffer)
        else:
            with Path(file).open("rb") as stream:
                yield from _entries(stream)
    except OSError as error:
        raise UsageError(f"cannot read the list {file}: {error.strerror}") from error


def _entries(stream: BinaryIO) -> Iterator[str]:
    # Bytes that are no UTF-8 must cost one line, not the list.
    for number, raw in enumerate(stream):
        for piece in raw.split(b"\r"):
            line = piece.decode("utf-8", "replace")
            if number == 0:
                line = line.removeprefix(_BOM)
            # A comment may stand behind a URL too; a fragment has no blank before it.
            line = _COMMENT.sub("", line.strip()).rstrip()
            if line:
                yield line

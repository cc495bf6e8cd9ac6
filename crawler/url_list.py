"""Lists of URLs as people keep them: blank lines, comments, any line ends, a byte order mark, duplicates."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crawler.list_forms import Entry, Form, entries
from crawler.seen_urls import SeenURLs
from storage.errors import InvalidURL, UsageError
from storage.urls import normalize


@dataclass(frozen=True, slots=True)
class ListedURL:
    """One URL of a list: as given, as it will be fetched, or why it cannot be."""

    given: str
    url: str
    error: str | None = None


def read_urls(
    urls: Iterable[str] = (),
    file: str | None = None,
    on_duplicate: Callable[[], None] = lambda: None,
    form: Form | None = None,
) -> Iterator[ListedURL]:
    """Yield each different URL once, those of `urls` before those of `file` ("-": standard input), read as a stream.

    `form`: that of the file, which is told from its name and beginning where it is left out. Two URLs are the same when
    they are fetched alike; `on_duplicate` is called for each further one. Raises `UsageError` when the file cannot be
    read.
    """
    seen = SeenURLs()
    for entry in _entries(urls, file, form):
        listed = _listed(entry)
        if seen.add(listed.url or entry.given):
            yield listed
        else:
            on_duplicate()


def _listed(entry: Entry) -> ListedURL:
    given = entry.given
    # What stands before an "@" may be a password, and outcomes are kept.
    shown = f"…@{given.rpartition('@')[2]}" if "@" in given else given
    if entry.error is not None:
        return ListedURL(shown, "", entry.error)
    try:
        return ListedURL(given, normalize(given))
    except InvalidURL as error:
        return ListedURL(shown, "", error.reason)


def _entries(urls: Iterable[str], file: str | None, form: Form | None) -> Iterator[Entry]:
    yield from (Entry(url.strip()) for url in urls)
    if file is None:
        return
    try:
        if file == "-":
            yield from entries(sys.stdin.buffer, form=form)  # type: ignore[arg-type]
        else:
            with Path(file).open("rb") as stream:
                yield from entries(stream, file, form)
    except OSError as error:
        raise UsageError(f"cannot read the list {file}: {error.strerror}") from error

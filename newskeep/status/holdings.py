"""What an archive holds, by site, month and kind; counted once, and again when the index has changed."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from storage.archive import Archive
from storage.index.index import Index
from storage.index.tallies import ArticleTally, HostTally

#: Beside the index.
FILE = "holdings.json"
#: Raised when what is counted changes.
_VERSION = 1
#: Kind of record -> the media types that are of it, the first that fits.
KINDS = {
    "repeated": re.compile(r"warc/revisit"),
    "pages": re.compile(r"(?:text/html|application/xhtml\+xml)"),
    "pictures": re.compile(r"image/.*"),
    "styles and scripts": re.compile(
        r"text/css|(?:text|application)/(?:x-)?(?:java|ecma)script|(?:font|audio|video)/.*"
    ),
    "feeds and sitemaps": re.compile(r"(?:text|application)/(?:.*\+)?xml|application/(?:x-)?gzip"),
    "documents": re.compile(r"application/(?:pdf|msword|vnd\..*)"),
    "other": re.compile(r".*", re.DOTALL),
}


@dataclass(slots=True)
class Held:
    """How much is held; `bytes` of WARC records, an address counts where it was captured first."""

    captures: int = 0
    addresses: int = 0
    articles: int = 0
    bytes: int = 0

    def add(self, other: Held) -> None:
        self.captures += other.captures
        self.addresses += other.addresses
        self.articles += other.articles
        self.bytes += other.bytes


@dataclass(frozen=True, slots=True)
class Holdings:
    """What is held: of each site by month ("2026-11", in UTC), and of each kind."""

    sites: Mapping[str, Mapping[str, Held]] = field(default_factory=dict)
    #: Kind -> captures and bytes; of `KINDS`, in their order.
    kinds: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    #: Bytes of the articles' lines.
    text_bytes: int = 0
    #: Bytes that revisits would take as further copies.
    saved: int = 0

    def by_site(self) -> list[tuple[str, Held]]:
        """What is held of each site, most captures first."""
        found = [(site, _sum(months.values())) for site, months in self.sites.items()]
        return sorted(found, key=lambda each: (-each[1].captures, each[0]))

    def by_month(self) -> list[tuple[str, Held]]:
        """What is held of each month, the newest first."""
        months: dict[str, Held] = {}
        for held in self.sites.values():
            for month, one in held.items():
                months.setdefault(month, Held()).add(one)
        return sorted(months.items(), reverse=True)

    @property
    def total(self) -> Held:
        return _sum(held for _, held in self.by_month())

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Holdings:
        """Raises `KeyError`, `TypeError`, `ValueError` or `AttributeError` for what `to_json` does not write."""
        return cls(
            {site: {month: Held(**one) for month, one in months.items()} for site, months in told["sites"].items()},
            {kind: (int(count), int(size)) for kind, (count, size) in told["kinds"].items()},
            int(told["text_bytes"]),
            int(told["saved"]),
        )


def holdings_of(archive: Archive) -> Holdings:
    """Return what an archive holds by its index on this machine; nothing where there is none.

    What was counted is kept beside the index until that changes. Raises `StoreUnavailable`.
    """
    if not archive.has_index:
        return Holdings()
    released = "+".join(str(each.month) for each in archive.index.released())
    file, stamp = archive.state / FILE, f"{_VERSION}-{archive.index.stamp()}-{released}"
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        kept = json.loads(file.read_bytes())
        if kept["stamp"] == stamp:
            return Holdings.from_json(kept["holdings"])
    counted = count(archive.index)
    # Of a state folder that we may only read it is counted each time.
    with suppress(OSError):
        _write(file, {"stamp": stamp, "holdings": counted.to_json()})
    return counted


def count(index: Index) -> Holdings:
    """Count what the index holds; reads all of it."""
    sites: dict[str, dict[str, Held]] = {}
    kinds: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    saved = 0
    for host in index.host_tallies():
        saved += host.saved
        _add_host(sites.setdefault(host.site, {}), host)
        for tally in host.captures:
            kind = kind_of(tally.mime)
            kinds[kind] += tally.captures
            sizes[kind] += tally.bytes
    for article in index.article_tallies():
        _of(sites.setdefault(article.site, {}), article).articles += article.articles
    told = {kind: (kinds[kind], sizes[kind]) for kind in KINDS if kinds[kind]}
    return Holdings(sites, told, index.text_bytes(), saved)


def kind_of(mime: str | None) -> str:
    """The kind of what has this media type, one of `KINDS`."""
    return next(kind for kind, pattern in KINDS.items() if pattern.fullmatch((mime or "").lower()))


def _add_host(months: dict[str, Held], host: HostTally) -> None:
    for tally in host.captures:
        months.setdefault(f"{tally.day:%Y-%m}", Held()).add(Held(captures=tally.captures, bytes=tally.bytes))
    for day, addresses in host.addresses:
        months.setdefault(f"{day:%Y-%m}", Held()).addresses += addresses


def _of(months: dict[str, Held], article: ArticleTally) -> Held:
    return months.setdefault(f"{article.day:%Y-%m}", Held())


def _sum(held: Iterable[Held]) -> Held:
    total = Held()
    for each in held:
        total.add(each)
    return total


def _write(file: Path, told: Mapping[str, Any]) -> None:
    temporary = file.with_name(f".{file.name}.{token_hex(4)}")
    try:
        temporary.write_text(json.dumps(told), encoding="utf-8")
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)

"""The index as a table: Parquet with the columns of Common Crawl's index, for DuckDB, Spark and Athena.

Names, order and meaning are those of Common Crawl's schema (cc-index-table); what no CDXJ tells is there and empty, so
that queries written for it run. `warc_filename` is the whole key of the WARC, so that it can be fetched by it. Behind
them stand columns of ours. With newskeep/export/parquet.py the only user of pyarrow, and the only one of tldextract.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache, lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from storage import cdxj
from storage.model import Capture
from storage.rights.page import noarchive
from storage.warc import day_of, key_of

#: Captures of a file, and of a row group: about 4 MB, of which a query by address reads a column or two.
_MOST, _A_GROUP = 2_000_000, 50_000
#: Rows of a page, whose bounds stand in the file's page index.
_PAGE_BYTES = 128 << 10

_STRING, _TIME = pa.string(), pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        pa.field("url_surtkey", _STRING, nullable=False),
        pa.field("url", _STRING, nullable=False),
        pa.field("url_host_name", _STRING, nullable=False),
        ("url_host_tld", _STRING),
        ("url_host_2nd_last_part", _STRING),
        ("url_host_3rd_last_part", _STRING),
        ("url_host_4th_last_part", _STRING),
        ("url_host_5th_last_part", _STRING),
        ("url_host_registry_suffix", _STRING),
        ("url_host_registered_domain", _STRING),
        ("url_host_private_suffix", _STRING),
        ("url_host_private_domain", _STRING),
        ("url_host_name_reversed", _STRING),
        pa.field("url_protocol", _STRING, nullable=False),
        ("url_port", pa.int32()),
        pa.field("url_path", _STRING, nullable=False),
        ("url_query", _STRING),
        pa.field("fetch_time", _TIME, nullable=False),
        ("fetch_status", pa.int16()),
        ("fetch_redirect", _STRING),
        ("content_digest", _STRING),
        ("content_mime_type", _STRING),
        ("content_mime_detected", _STRING),
        ("content_charset", _STRING),
        ("content_languages", _STRING),
        ("content_truncated", _STRING),
        ("warc_record_id", pa.binary()),
        pa.field("warc_filename", _STRING, nullable=False),
        # Of imported files they may be beyond Common Crawl's 32 bits.
        pa.field("warc_record_offset", pa.int64(), nullable=False),
        pa.field("warc_record_length", pa.int64(), nullable=False),
        pa.field("warc_segment", _STRING, nullable=False),
        # Ours.
        ("noarchive", pa.bool_()),
        ("shown_until", _TIME),
        ("wall", _STRING),
        ("insecure", _STRING),
    ]
)
#: Columns whose values differ from row to row: a dictionary of them would only cost.
_PLAIN = {"url", "url_surtkey", "url_path", "url_query", "content_digest", "warc_record_offset", "warc_record_length"}
_PLAIN |= {"fetch_time"}

Put = Callable[[str, int, Path], None]


class TableWriter:
    """Takes CDXJ lines in order of SURT; `put(subset, number, path)` is called with each file, which then goes."""

    def __init__(self, folder: Path, put: Put, *, most: int = _MOST) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._put = put
        self._most = most
        self._subsets: dict[str, _Subset] = {}

    def add(self, line: bytes) -> None:
        capture = cdxj.parse(line)
        subset = subset_of(capture)
        if subset not in self._subsets:
            self._subsets[subset] = _Subset(self._folder / subset, self._most, lambda n, at: self._put(subset, n, at))
        self._subsets[subset].add({"url_surtkey": line.partition(b" ")[0].decode(), **row(capture)})

    def close(self) -> None:
        for subset in self._subsets.values():
            subset.end_file()


class _Subset:
    """The files of one subset, one after the other."""

    def __init__(self, path: Path, most: int, put: Callable[[int, Path], None]) -> None:
        self._path = path.with_suffix(".parquet")
        self._most = most
        self._put = put
        self._number = 0
        self._columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
        self._rows = 0
        self._written = 0
        self._writer: pq.ParquetWriter | None = None

    def add(self, row: dict[str, Any]) -> None:
        for name, column in self._columns.items():
            column.append(row.get(name))
        self._rows += 1
        if self._rows >= min(_A_GROUP, self._most):
            self._end_group()
            if self._written >= self._most:
                self.end_file()

    def end_file(self) -> None:
        self._end_group()
        if self._writer is not None:
            self._writer.close()
            self._put(self._number, self._path)
            self._path.unlink()
            self._writer, self._written, self._number = None, 0, self._number + 1

    def _end_group(self) -> None:
        if not self._rows:
            return
        if self._writer is None:
            self._writer = _writer(self._path)
        self._writer.write_table(pa.table(self._columns, SCHEMA))
        self._written += self._rows
        self._rows = 0
        for column in self._columns.values():
            column.clear()


def _writer(path: Path) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        path,
        SCHEMA,
        compression="zstd",
        use_dictionary=[name for name in SCHEMA.names if name not in _PLAIN],
        write_page_index=True,
        data_page_size=_PAGE_BYTES,
        sorting_columns=[pq.SortingColumn(0)],
    )


def subset_of(capture: Capture) -> str:
    """Common Crawl's subset: successful captures, what else came, and robots.txt."""
    if urlsplit(capture.url).path == "/robots.txt":
        return "robotstxt"
    is_page = capture.status is not None and 200 <= capture.status < 300 and capture.wall is None
    return "warc" if is_page else "crawldiagnostics"


def row(capture: Capture) -> dict[str, Any]:
    """A capture as a row, but for its SURT."""
    parts = urlsplit(capture.url)
    authority = parts.netloc
    return {
        "url": capture.url,
        **_host(authority),
        "url_protocol": parts.scheme,
        "url_port": _port(authority),
        "url_path": parts.path,
        "url_query": parts.query or None,
        "fetch_time": capture.timestamp,
        "fetch_status": capture.status if capture.status is None or capture.status < 1 << 15 else None,
        "content_digest": capture.digest,
        "content_mime_type": capture.mime,
        "warc_filename": key_of(capture.filename),
        "warc_record_offset": capture.offset,
        "warc_record_length": capture.length,
        "warc_segment": _segment(capture.filename),
        "noarchive": capture.noarchive or noarchive(capture.rights) is not None,
        "shown_until": capture.shown_until,
        "wall": capture.wall,
        "insecure": capture.insecure,
    }


@lru_cache(maxsize=1024)
def _segment(filename: str) -> str:
    """The day that a WARC is kept under."""
    return day_of(filename).isoformat()


def _port(authority: str) -> int | None:
    port = authority.rpartition("]")[2].partition(":")[2]
    return int(port) if port.isdigit() and int(port) < 65536 else None


@lru_cache(maxsize=4096)
def _host(authority: str) -> dict[str, str | None]:
    """The columns of a host; of an address that is a number, its name alone."""
    bare = authority.rpartition("@")[2]
    host = bare[1:].partition("]")[0] if bare.startswith("[") else bare.partition(":")[0]
    host = host.lower().rstrip(".")
    found: dict[str, str | None] = {"url_host_name": host}
    if _is_number(host) or not host:
        return found
    labels = host.split(".")[::-1]
    names = ("tld", "2nd_last_part", "3rd_last_part", "4th_last_part", "5th_last_part")
    found |= {f"url_host_{name}": label for name, label in zip(names, labels, strict=False)}
    found["url_host_name_reversed"] = ".".join(labels)
    for column, domain in (("registry_suffix", False), ("private_suffix", True)):
        cut = _suffixes()(host, include_psl_private_domains=domain)
        found[f"url_host_{column}"] = cut.suffix or None
        name = "private_domain" if domain else "registered_domain"
        found[f"url_host_{name}"] = f"{cut.domain}.{cut.suffix}" if cut.domain and cut.suffix else None
    return found


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@cache
def _suffixes() -> Any:
    """The Public Suffix List as it came with the package: nothing is asked of the network."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tldextract import TLDExtract
    return TLDExtract(cache_dir=None, suffix_list_urls=())

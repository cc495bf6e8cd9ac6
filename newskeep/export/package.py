"""A WACZ file (1.1.1) as it is written: entries of a ZIP with their digests, and the descriptions of them."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from newskeep.export.signing import Signer

VERSION = "1.1.1"
#: Lines of the CDXJ that are pressed together; a reader fetches that much to find one.
_LINES = 3_000


class Entry:
    """What is being written of one entry."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self._out.write(data)
        self._sha256.update(data)
        self.size += len(data)

    @property
    def digest(self) -> str:
        return f"sha256:{self._sha256.hexdigest()}"


class Package:
    """One WACZ file; whole once the block is left without an error."""

    def __init__(self, path: Path, title: str, description: str | None, software: str, signer: Signer | None) -> None:
        self._zip = zipfile.ZipFile(path, "w", allowZip64=True)
        self._title = title
        self._description = description
        self._software = software
        self._signer = signer
        self._created = datetime.now(UTC)
        self._resources: list[dict[str, Any]] = []
        #: Of the page that a viewer opens first.
        self.main_page: tuple[str, str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._describe()
        self._zip.close()

    @contextmanager
    def entry(self, name: str, *, press: bool = False) -> Iterator[Entry]:
        """Write an entry; what a reader takes ranges of must not be pressed."""
        info = self._info(name, press)
        # No ZIP64: ReplayWeb.page does not find its way past the larger headers. So no entry may have 2 GB.
        with self._zip.open(info, "w") as out:
            made = Entry(out)
            yield made
        described = {"name": name.rpartition("/")[2], "path": name, "hash": made.digest, "bytes": made.size}
        self._resources.append(described)

    def index(self, lines: Iterable[bytes]) -> None:
        """Write the CDXJ, sorted as given, in blocks of gzip with an index of their own."""
        table = [b'!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}\n']
        with self.entry("indexes/index.cdx.gz") as out:
            for block in _blocks(lines):
                pressed = _gzip(b"".join(block))
                digest = f"sha256:{hashlib.sha256(pressed).hexdigest()}"
                place = {"offset": out.size, "length": len(pressed), "digest": digest}
                table.append(block[0].partition(b"{")[0] + json.dumps(place).encode() + b"\n")
                out.write(pressed)
        with self.entry("indexes/index.idx", press=True) as out:
            out.write(b"".join(table))

    def _describe(self) -> None:
        created = f"{self._created:%Y-%m-%dT%H:%M:%SZ}"
        described = {
            "profile": "data-package",
            "wacz_version": VERSION,
            "title": self._title,
            **({"description": self._description} if self._description else {}),
            "software": self._software,
            "created": created,
            **({"mainPageUrl": self.main_page[0], "mainPageDate": self.main_page[1]} if self.main_page else {}),
            "resources": self._resources,
        }
        package = json.dumps(described, indent=2, ensure_ascii=False).encode(errors="replace")
        digest = f"sha256:{hashlib.sha256(package).hexdigest()}"
        told: dict[str, Any] = {"path": "datapackage.json", "hash": digest}
        if self._signer is not None:
            told["signedData"] = {
                "hash": digest,
                "signature": self._signer.sign(digest),
                "publicKey": self._signer.public_key,
                "created": created,
                "software": self._software,
                "version": "0.1.0",
            }
        self._zip.writestr(self._info("datapackage.json", True), package)
        self._zip.writestr(self._info("datapackage-digest.json", True), json.dumps(told, indent=2))

    def _info(self, name: str, press: bool) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, self._created.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED if press else zipfile.ZIP_STORED
        info.external_attr = 0o644 << 16
        return info


def _blocks(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    block: list[bytes] = []
    for line in lines:
        block.append(line)
        if len(block) == _LINES:
            yield block
            block = []
    if block:
        yield block


def _gzip(data: bytes) -> bytes:
    made = zlib.compressobj(wbits=31)
    return made.compress(data) + made.flush()

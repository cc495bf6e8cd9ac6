"""Looks for a secret in every byte below a folder: as it is, unpacked, in base64 and as in addresses."""

from __future__ import annotations

import base64
import gzip
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote


def leaks(folder: Path, *secrets: str, apart_from: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """File and secret for each place where one stands; files named in `apart_from` may have them."""
    return [
        (str(path.relative_to(folder)), secret)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in apart_from
        for content in _contents(path)
        for secret in secrets
        if any(form in content for form in forms(secret))
    ]


def forms(secret: str) -> set[bytes]:
    """The secret as it is, in an address, and as base64 has it wherever it begins (without the ends, which vary)."""
    raw = secret.encode()
    packed = {base64.b64encode(b"x" * shift + raw)[4 if shift else 0 : -4] for shift in range(3)}
    return {raw, quote(secret, safe="").encode(), *(form for form in packed if len(form) >= 8)}


def _contents(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content
    if content.startswith(b"\x1f\x8b"):
        unpacked = gzip.decompress(content)
        yield unpacked
        # Bodies in it may be packed once more.
        at = -1
        while (at := unpacked.find(b"\x1f\x8b\x08", at + 1)) >= 0:
            yield zlib.decompressobj(31).decompress(unpacked[at:])
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as pack:
            for name in pack.namelist():
                inner = pack.read(name)
                yield gzip.decompress(inner) if inner.startswith(b"\x1f\x8b") else inner

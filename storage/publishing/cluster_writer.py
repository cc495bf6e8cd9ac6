"""A ZipNum cluster, written: `cdx-00000.gz` and so on, `cluster.idx`, and `cluster.loc`, which pywb looks for.

See `storage.published.cluster` for the format.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from isal import igzip

from storage.published.cluster import BLOCK_BYTES, BLOCK_LINES
from storage.published.manifest import INDEX

#: Bytes of a shard, about: what lies on the disk before it is put.
_SHARD_BYTES = 256_000_000
#: isal's highest: 15 % of the size, at a third of zlib's time.
_LEVEL = 3


class ClusterWriter:
    """Takes lines in the order of their bytes; `put(name, path)` is called with each file, which is then removed."""

    def __init__(self, folder: Path, put: Callable[[str, Path], None], *, shard_bytes: int = _SHARD_BYTES) -> None:
        self._folder = folder
        self._put = put
        self._shard_bytes = shard_bytes
        self._lines: list[bytes] = []
        self._bytes = 0
        self._index: list[bytes] = []
        self._shards: list[str] = []
        self._offset = 0
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, line: bytes) -> None:
        self._lines.append(line)
        self._bytes += len(line)
        if len(self._lines) >= BLOCK_LINES or self._bytes >= BLOCK_BYTES:
            self._end_block()

    def close(self) -> None:
        """Put what is left, the index last; nothing where no line came."""
        self._end_block()
        if not self._shards:
            return
        self._end_shard()
        # Where the shards lie: beside it.
        self._write("cluster.loc", b"".join(f"{name}\t{name}\n".encode() for name in self._shards))
        self._write(INDEX, b"".join(self._index))

    def _end_block(self) -> None:
        if not self._lines:
            return
        if not self._shards or self._offset >= self._shard_bytes:
            self._end_shard()
            self._shards.append(f"cdx-{len(self._shards):05}.gz")
            self._offset = 0
        packed = igzip.compress(b"".join(self._lines), _LEVEL)
        with (self._folder / self._shards[-1]).open("ab") as shard:
            shard.write(packed)
        key = b" ".join(self._lines[0].split(b" ", 2)[:2])
        number = len(self._index) + 1
        self._index.append(
            b"%b\t%b\t%d\t%d\t%d\n" % (key, self._shards[-1].encode(), self._offset, len(packed), number)
        )
        self._offset += len(packed)
        self._lines, self._bytes = [], 0

    def _end_shard(self) -> None:
        if self._shards:
            self._hand_over(self._shards[-1])

    def _write(self, name: str, data: bytes) -> None:
        (self._folder / name).write_bytes(data)
        self._hand_over(name)

    def _hand_over(self, name: str) -> None:
        path = self._folder / name
        self._put(name, path)
        path.unlink()

"""A stream over the network that goes on where it broke off."""

from __future__ import annotations

import io
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from storage.errors import Corrupt, StoreUnavailable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Body(Protocol):
    """What a reply's content is read from."""

    def readinto(self, buffer: memoryview, /) -> int: ...

    def close(self) -> None: ...


class ResumingStream(io.RawIOBase):
    """Bytes `start` to `end` of an object, each exactly once and none left out.

    `body` holds them from `start` on; when it breaks (an error in `broken`) or ends early, `reopen` is asked for a
    body that begins where it stopped, `resumes` times at most. Then `StoreUnavailable` is raised, and at once
    after a silence (an error in `silent`), which would only be another one. With `digest`
    (SHA-256, hex) the whole is checked against it, and `Corrupt` raised with its last piece.
    """

    def __init__(
        self,
        name: str,
        body: Body,
        start: int,
        end: int,
        *,
        reopen: Callable[[int], Body],
        broken: tuple[type[Exception], ...],
        silent: tuple[type[Exception], ...],
        resumes: int,
        count: Callable[[int], None],
        digest: str | None = None,
    ) -> None:
        self._name = name
        self._body = body
        self._at = start
        self._end = end
        self._reopen = reopen
        self._broken = broken
        self._silent = silent
        self._resumes = resumes
        self._count = count
        self._digest = digest
        self._hash = sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")[: self._end - self._at]
        if not view:
            return 0
        while not (count := self._read(view)):
            self._resume()
        self._at += count
        self._count(count)
        if self._digest:
            self._hash.update(view[:count])
            if self._at == self._end and self._hash.hexdigest() != self._digest:
                raise Corrupt(f"{self._name}: its bytes are not those that were stored (SHA-256 differs)")
        return count

    def close(self) -> None:
        self._body.close()
        super().close()

    def _read(self, view: memoryview) -> int:
        try:
            return self._body.readinto(view)
        except self._silent as error:
            raise StoreUnavailable(f"{self._name}: the server stopped answering; run again later") from error
        except self._broken:
            return 0

    def _resume(self) -> None:
        self._body.close()
        if not self._resumes:
            left = self._end - self._at
            raise StoreUnavailable(
                f"{self._name}: the download keeps breaking off, {left} bytes short; run again later"
            )
        self._resumes -= 1
        self._body = self._reopen(self._at)

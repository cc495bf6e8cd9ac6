"""Threads that do what waits for a store, and no more work in their queue than they can soon do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

#: Pieces of work under way at once.
_THREADS = 4


class Workers:
    """A few threads, and no more work in their queue than they can soon do. What fails in one is raised."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, "newskeep-copy")
        self._under_way: set[Future[None]] = set()

    def do(self, work: Callable[..., None], *arguments: object) -> None:
        """Have `work` done; waits while there is much to do."""
        self._under_way.add(self._pool.submit(work, *arguments))
        if len(self._under_way) > 4 * _THREADS:
            done, self._under_way = wait(self._under_way, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()

    def finish(self) -> None:
        """Wait until all is done."""
        while self._under_way:
            self._under_way.pop().result()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.finish()
        finally:
            self._pool.shutdown(cancel_futures=True)

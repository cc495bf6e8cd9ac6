"""The URLs that a spider has asked for and has no outcome of yet: how many, and whether there is room for more."""

from __future__ import annotations

import asyncio


class UnderWay:
    """Its methods belong to the event loop. To say of a URL twice that it is done is the same as once."""

    def __init__(self) -> None:
        #: URL -> whether the spider has handed on what became of it.
        self._urls: dict[str, bool] = {}
        self._left = asyncio.Event()

    def add(self, url: str) -> None:
        self._urls[url] = False

    def hand_on(self, url: str) -> None:
        """Note that a page or an outcome of it goes to the pipelines."""
        if url in self._urls:
            self._urls[url] = True

    def done(self, url: str) -> None:
        self._urls.pop(url, None)
        self._left.set()

    def is_owed(self, url: str) -> bool:
        """Whether the spider was asked what became of it and has not said."""
        return self._urls.get(url) is False

    async def room(self, window: int) -> None:
        """Wait until fewer than `window` are under way."""
        while len(self._urls) >= window:
            self._left.clear()
            await self._left.wait()

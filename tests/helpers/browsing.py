"""Pages shown by a browser that ends with the last of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from crawler.browser.job import BrowserBounds, Rendered, RenderJob
from crawler.browser.pool import Browsers


def rendered(
    *jobs: RenderJob, bounds: BrowserBounds | None = None, after: Callable[[], object] = lambda: None
) -> list[Rendered]:
    """Have pages of one host shown, one after the other; `after` is called after each. No process is left."""
    return asyncio.run(_rendered(jobs, bounds, after))


async def _rendered(
    jobs: tuple[RenderJob, ...], bounds: BrowserBounds | None, after: Callable[[], object]
) -> list[Rendered]:
    browsers, found = Browsers(1, bounds), list[Rendered]()
    try:
        for job in jobs:
            found.append(await browsers.show(job, "the host"))
            await asyncio.to_thread(after)
    finally:
        await asyncio.to_thread(browsers.close)
    return found

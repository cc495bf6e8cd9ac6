"""Tells a watcher (healthchecks.io and its like) that a run began, went well or failed. Never makes a run fail."""

from __future__ import annotations

import logging
import threading
import time
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from storage.errors import ConfigError

logger = logging.getLogger(__name__)

#: Seconds that a ping may take, names looked up and retries included.
PING_SECONDS = 5.0
#: Bytes of a report that watchers keep (healthchecks.io: 100 kB; others less).
_BODY_MAX = 10_000

Signal = Literal["start", "success", "fail"]


def address(base: str, signal: Signal) -> str:
    """Where a signal goes: the address itself for success, below it for the others; a query stays."""
    if signal == "success":
        return base
    parts = urlsplit(base)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{signal}"))


def ping(base: str | None, signal: Signal, body: str = "", *, proxy: str | None = None) -> bool:
    """Send a signal, for at most `PING_SECONDS`, and say whether it arrived.

    `base` has passed `check`; with `None` nobody is told.
    """
    if base is None:
        return False
    arrived = threading.Event()
    # A thread: no timeout of a client bounds the look-up of a name, or an answer that comes byte by byte.
    sender = threading.Thread(target=_send, args=(base, signal, body, proxy, arrived), daemon=True)
    sender.start()
    sender.join(PING_SECONDS)
    if not arrived.is_set():
        # The path is a secret.
        logger.info("the %s ping to %s did not arrive", signal, urlsplit(base).hostname)
    return arrived.is_set()


def check(base: str) -> None:
    """Raise `ConfigError` for an address that no ping can go to."""
    try:
        parts = urlsplit(base)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        fine = False
    if not fine:
        raise ConfigError("ping must be an http or https address, such as https://hc-ping.com/…")


def _send(base: str, signal: Signal, body: str, proxy: str | None, arrived: threading.Event) -> None:
    import urllib3

    target, report = address(base, signal), body.encode("utf-8", "replace")[:_BODY_MAX]
    with urllib3.ProxyManager(proxy) if proxy else urllib3.PoolManager() as pool:
        for pause in (0.2, 0.6, None):
            try:
                # No retries of urllib3's own: it warns of each, with the whole address.
                answer = pool.request(
                    "POST",
                    target,
                    body=report,
                    headers={"Content-Type": "text/plain; charset=utf-8", "User-Agent": "newskeep"},
                    timeout=PING_SECONDS,
                    retries=urllib3.Retry(0, redirect=3, raise_on_redirect=False),
                    preload_content=False,
                )
                answer.close()
            except (urllib3.exceptions.HTTPError, OSError) as error:
                logger.debug("ping: %s", type(error).__name__)
            else:
                if answer.status < 400:
                    arrived.set()
                if answer.status < 500:
                    return
            if pause is not None:
                time.sleep(pause)

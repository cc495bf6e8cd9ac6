"""What the ways to tell have in common."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from crawler.politeness.trust_roots import has_roots
from storage.errors import NewskeepError

if TYPE_CHECKING:
    from crawler.config import Config


class NotDelivered(NewskeepError):
    """A message did not arrive; why, without any secret."""

    exit_code = 4


def within(seconds: float, send: Callable[[], None]) -> None:
    """Send, for so long at most; raise what it raises, and `NotDelivered` when the time is over.

    A thread: no timeout of a client bounds the look-up of a name, or an answer that comes byte by byte.
    """
    raised: list[BaseException] = []

    def work() -> None:
        try:
            send()
        except BaseException as error:
            raised.append(error)

    sender = threading.Thread(target=work, daemon=True)
    sender.start()
    sender.join(seconds)
    if sender.is_alive():
        raise NotDelivered(f"no answer in {seconds:g} seconds")
    if raised:
        raise raised[0]


def tls_context(config: Config) -> ssl.SSLContext:
    """Whom we believe: as for pages, the roots of the system and `ca_file`, over TLS 1.2 or newer."""
    context = ssl.create_default_context()
    if not has_roots():
        import certifi

        context.load_verify_locations(certifi.where())
    if config.ca_file:
        context.load_verify_locations(config.ca_file)
    return context


def words_of(error: BaseException) -> str:
    """Why a connection failed, in words; never the address, which may be a secret."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"its TLS certificate is not to be believed: {seen.verify_message}"
        if isinstance(seen, ssl.SSLError):
            return f"TLS failed: {seen.reason or type(seen).__name__}"
        if isinstance(seen, TimeoutError):
            return "no answer in time"
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror[:1].lower() + seen.strerror[1:]
        seen = seen.__cause__ or seen.__context__
    return f"the connection failed: {type(error).__name__}"

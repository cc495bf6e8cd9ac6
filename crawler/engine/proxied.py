"""Requests that go through a proxy: their hosts are judged before it is asked, its own failures told as such."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from scrapy.core.downloader.handlers.http11 import TunnelError
from scrapy.exceptions import CannotResolveHostError, DownloadConnectionRefusedError, DownloadTimeoutError
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IResolutionReceiver
from zope.interface import implementer

from crawler.politeness.addresses import is_literal, is_public
from crawler.politeness.errors import NotPublicAddress, NotResolvedHere, ProxyFailure
from crawler.session.reasons import no_connection

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress

#: A proxy's answer to CONNECT, as Scrapy's message has it.
_ANSWER = re.compile(r"'status': (\d{3}), 'reason': b'([\w .,-]{0,80})")


async def check_host(host: str, timeout: float) -> None:
    """Let a host through that has public addresses only, looked up here: which one a proxy takes is not ours to say.

    Raises `NotPublicAddress`, and `NotResolvedHere` for a name that has no address here, or none within `timeout`
    seconds.
    """
    addresses = [host]
    if not is_literal(host):
        try:
            addresses = await asyncio.wait_for(addresses_of(host), timeout)
        except TimeoutError:
            addresses = []
    if not addresses:
        raise NotResolvedHere("name not found here, before the proxy is asked; --trust-proxy leaves names to the proxy")
    for address in addresses:
        if not is_public(address):
            raise NotPublicAddress(address)


def proxy_failure(error: Exception) -> ProxyFailure | None:
    """What a failure to connect says of the proxy, for a request that went over no connection; `None`: nothing."""
    match error:
        case TunnelError():
            return ProxyFailure(_refusal(str(error)))
        case CannotResolveHostError():
            return ProxyFailure("the proxy: name not found")
        case DownloadConnectionRefusedError():
            return ProxyFailure("the proxy: connection refused")
        case DownloadTimeoutError():
            return ProxyFailure("the proxy made no connection in time")
        case ConnectError():
            return ProxyFailure(f"the proxy: {no_connection(error)}")
    return None


def _refusal(message: str) -> str:
    answer = _ANSWER.search(message)
    if answer is None:
        return "the proxy made no connection, and its answer is not one of HTTP"
    return f"the proxy made no connection: {answer[1]} {answer[2].strip()}".rstrip()


async def addresses_of(host: str) -> list[str]:
    """The addresses of a name, looked up here; none where it is not found."""
    from twisted.internet import reactor

    receiver = _Addresses()
    reactor.nameResolver.resolveHostName(receiver, host)
    await maybe_deferred_to_future(receiver.complete)
    return receiver.found


@implementer(IResolutionReceiver)
class _Addresses:
    """Collects the addresses of one name; none where it is not found."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.complete: Deferred[None] = Deferred()

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802 - Twisted's names
        pass

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802
        self.found.append(getattr(address, "host", ""))

    def resolutionComplete(self) -> None:  # noqa: N802
        self.complete.callback(None)

"""Connects by way of a SOCKS proxy (versions 4, 4a, 5; RFC 1928, 1929): Twisted uses the way that a tunnel makes.

`socks5://` and `socks4://` look names up here, `socks5h://` and `socks4a://` leave them to the proxy, as for curl.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.utils.defer import deferred_from_coro
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from zope.interface import implementer

from crawler.engine.proxied import addresses_of
from crawler.politeness.addresses import is_literal, is_public
from crawler.politeness.errors import NotPublicAddress, ProxyFailure
from crawler.politeness.tunnels import is_named_there, tunnel

if TYPE_CHECKING:
    from socket import socket

    from twisted.internet.defer import Deferred
    from twisted.web.client import URI


class SocksEndpoints:
    """The endpoint factory of an agent that connects through a SOCKS proxy."""

    def __init__(self, factory: Any, proxy: str, judge: bool) -> None:
        """`proxy` is its address; with `judge` names that are looked up here have to be of public addresses."""
        self._factory = factory
        self._proxy = proxy
        self._judge = judge
        # Scrapy's agent reads it from its factory for the connection pool's key.
        self._bindAddress = factory._bindAddress

    def endpointForURI(self, uri: URI) -> Any:  # noqa: N802 - Twisted's name
        factory = self._factory
        host = uri.host.decode("ascii").strip("[]")
        endpoint: Any = _SocksEndpoint(
            factory._reactor, self._proxy, host, uri.port, factory._connectTimeout, self._judge
        )
        if uri.scheme == b"http":
            return endpoint
        return wrapClientTLS(factory._policyForHTTPS.creatorForNetloc(uri.host, uri.port), endpoint)


@implementer(IStreamClientEndpoint)
class _SocksEndpoint:
    def __init__(self, reactor: Any, proxy: str, host: str, port: int, timeout: float, judge: bool) -> None:
        self._reactor = reactor
        self._proxy = proxy
        self._target = host, port
        self._timeout = timeout
        self._judge = judge

    def connect(self, protocolFactory: Any) -> Deferred[Any]:  # noqa: N803 - Twisted's name
        return deferred_from_coro(self._connect(protocolFactory))

    async def _connect(self, factory: Any) -> Any:
        stream = await self._way()
        try:
            # Twisted takes a descriptor of its own.
            return self._reactor.adoptStreamConnection(stream.fileno(), stream.family, factory).protocol
        finally:
            stream.close()

    async def _way(self) -> socket:
        """A connection to the target through the proxy; raises `ProxyFailure` and `NotPublicAddress`."""
        host, port = self._target
        if not is_named_there(self._proxy):
            host = await self._address()
        return await tunnel(self._proxy, host, port, self._timeout)

    async def _address(self) -> str:
        host = self._target[0]
        found = [host] if is_literal(host) else await addresses_of(host)
        if not found:
            raise ProxyFailure("name not found here; socks5h:// leaves names to the proxy")
        if self._judge and not is_public(found[0]):
            raise NotPublicAddress(found[0])
        return found[0]

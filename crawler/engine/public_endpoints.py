"""Connects to public addresses only: the endpoints of an agent, which judge what a name resolved to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IHostnameResolver, IResolutionReceiver
from zope.interface import implementer

from crawler.politeness.addresses import is_public
from crawler.politeness.errors import NotPublicAddress

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure
    from twisted.web.client import URI


class _PublicHostnameEndpoint(HostnameEndpoint):
    """Connects to public addresses only, decided after resolving, on every connection."""

    _passed = False
    _refused: str | None = None

    def _getNameResolverAndMaybeWarn(self, reactor: Any) -> Any:  # noqa: N802
        return _PublicResolver(super()._getNameResolverAndMaybeWarn(reactor), self)

    def lets_through(self, host: str) -> bool:
        """Judge one resolved address and remember the verdict."""
        public = is_public(host)
        self._passed |= public
        if not public:
            self._refused = host
        return public

    def connect(self, protocolFactory: Any) -> Deferred[Any]:  # noqa: N803
        deferred = super().connect(protocolFactory)
        deferred.addErrback(self._explain)
        return deferred

    def _explain(self, failure: Failure) -> Failure:
        if self._refused is not None and not self._passed:
            raise NotPublicAddress(self._refused) from failure.value
        return failure


@implementer(IHostnameResolver)
class _PublicResolver:
    def __init__(self, resolver: Any, endpoint: _PublicHostnameEndpoint) -> None:
        self._resolver = resolver
        self._endpoint = endpoint

    def resolveHostName(self, receiver: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N802
        return self._resolver.resolveHostName(_PublicReceiver(receiver, self._endpoint), *args, **kwargs)


@implementer(IResolutionReceiver)
class _PublicReceiver:
    def __init__(self, receiver: Any, endpoint: _PublicHostnameEndpoint) -> None:
        self._receiver = receiver
        self._endpoint = endpoint

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802
        self._receiver.resolutionBegan(resolution)

    def resolutionComplete(self) -> None:  # noqa: N802
        self._receiver.resolutionComplete()

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        if self._endpoint.lets_through(address.host):
            self._receiver.addressResolved(address)


class PublicEndpoints:
    """The endpoint factory of an agent that may connect to public addresses only."""

    def __init__(self, factory: Any) -> None:
        self._factory = factory
        # Scrapy's agent reads it from its factory for the connection pool's key.
        self._bindAddress = factory._bindAddress

    def endpointForURI(self, uri: URI) -> Any:  # noqa: N802
        endpoint: Any = _PublicHostnameEndpoint(
            self._factory._reactor,
            uri.host,
            uri.port,
            timeout=self._factory._connectTimeout,
            bindAddress=self._factory._bindAddress,
        )
        if uri.scheme == b"http":
            return endpoint
        return wrapClientTLS(self._factory._policyForHTTPS.creatorForNetloc(uri.host, uri.port), endpoint)

"""Why a request is not sent, as exceptions that Scrapy passes on to the spider; the message is for a person."""

from __future__ import annotations

from scrapy.exceptions import CannotResolveHostError, IgnoreRequest


class Refused(IgnoreRequest):
    """A request that must not be sent: by robots.txt, or for where it leads."""


class HostUnreachable(IgnoreRequest):
    """A request that is not sent because its host did not answer for robots.txt; `cause` is what happened there.

    `timeout`: the seconds that it was given.
    """

    def __init__(self, cause: Exception, timeout: float = 0.0) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.timeout = timeout


class AlreadyHeld(IgnoreRequest):
    """A redirect that is not followed: the article at `url`, where it leads, need not be asked for now."""

    def __init__(self, url: str) -> None:
        super().__init__(f"the same as {url}")
        self.url = url


class HostLeftAlone(IgnoreRequest):
    """A request that is not sent because its host asked for a long wait, or gave no answer several times in a row."""


class LeaseLost(Exception):
    """A request that is not sent because others may ask its host by now; the message says why."""


class NotLoggedIn(IgnoreRequest):
    """A request that is not sent because the log-in before it failed; the message says why."""


class NotPublicAddress(Exception):
    """A host that resolves to no address we may connect to; the message is the address."""


class NoSecureConnection(Exception):
    """A host whose TLS certificate is not believed, or with which no handshake came about; the message says why."""


class NotResolvedHere(CannotResolveHostError):
    """A host that is not asked through a proxy, since its addresses cannot be judged; the message is for a person."""


class ProxyFailure(Exception):
    """A proxy that cannot be reached, or does not connect to a host; the message says why."""

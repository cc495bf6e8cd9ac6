"""What is asked of a hub: WebSub, section 5.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode, urljoin, urlsplit

from crawler.config import user_agent
from newskeep.posting import NotDelivered, post

if TYPE_CHECKING:
    from crawler.config import Config
    from newskeep.websub.subscription import Subscription

#: A hub may have moved, for now or for good (307, 308).
_REDIRECTS = 3
_CURE = "; allow_private = true lets it be"


def ask(subscription: Subscription, mode: Literal["subscribe", "unsubscribe"], config: Config) -> None:
    """Have a hub subscribe us, or stop; it verifies that by a request of its own. Raises `NotDelivered`.

    The hub must be at a public address, redirects included, unless the configuration allows others.
    """
    fields = {"hub.mode": mode, "hub.topic": subscription.topic, "hub.callback": subscription.callback}
    if mode == "subscribe":
        fields["hub.lease_seconds"] = str(int(subscription.lease.total_seconds()))
        fields["hub.secret"] = subscription.secret
    headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": user_agent(config.operator)}
    body, hub = urlencode(fields).encode(), subscription.hub
    for _ in range(_REDIRECTS + 1):
        answer = post(hub, body, headers, config, private=config.allow_private, cure=_CURE)
        if answer.status not in (307, 308) or not answer.location:
            if not 200 <= answer.status < 300:
                raise NotDelivered(f"it answered {answer.status}")
            return
        hub = _next(hub, answer.location)
    raise NotDelivered(f"more than {_REDIRECTS} redirects")


def _next(hub: str, location: str) -> str:
    try:
        found = urljoin(hub, location)
        scheme, host = urlsplit(found).scheme, urlsplit(found).hostname
    except ValueError:
        raise NotDelivered("it redirects to no address") from None
    # The secret must not go in the clear where the hub was asked over TLS.
    if not host or scheme not in ("http", "https") or (hub.startswith("https:") and scheme != "https"):
        raise NotDelivered("it redirects to where it may not be asked")
    return found

"""Tells by webhook: a POST of JSON, signed where there is a secret."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

from crawler.config import user_agent
from crawler.politeness.addresses import is_public
from newskeep.alerts.alert import check_webhook
from newskeep.alerts.senders import NotDelivered, tls_context, within, words_of

if TYPE_CHECKING:
    from crawler.config import Config
    from newskeep.alerts.alert import Alert
    from newskeep.alerts.digest import Message

#: Seconds that one message may take.
SECONDS = 10.0


def send(alert: Alert, config: Config, message: Message) -> None:
    """Send a message to the alert's webhook. Raises `NotDelivered` and `ConfigError`; neither tells the address."""
    assert alert.webhook is not None
    address = alert.webhook.read()
    check_webhook(alert.webhook.name, address)
    body = json.dumps(message.to_json(), ensure_ascii=False).encode("utf-8", "replace")
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": user_agent(config.operator),
        "X-Newskeep-Alert": alert.name,
        "X-Newskeep-Delivery": message.delivery.id,
    }
    if alert.secret is not None:
        headers["X-Hub-Signature-256"] = signature(alert.secret.read(), body)
    private = config.allow_private if alert.allow_private is None else alert.allow_private
    within(SECONDS, lambda: _post(urlsplit(address), body, headers, config, private))


def signature(secret: str, body: bytes) -> str:
    """The value of the field `X-Hub-Signature-256`, as GitHub and WebSub have it: HMAC-SHA256 of the body, in hex."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def _post(parts: SplitResult, body: bytes, headers: Mapping[str, str], config: Config, private: bool) -> None:
    import urllib3

    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        # Looked up here and connected to as it was judged: the name could lead elsewhere a moment later.
        addresses = [] if config.proxy and config.trust_proxy else _addresses(host, port, private)
        fields = {**headers, **_host_and_user(parts)}
        if config.proxy:
            status = _through_proxy(config, parts, body, fields)
        else:
            status = _directly(config, parts, addresses, port, body, fields)
    except (urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
        raise NotDelivered(words_of(error)) from None
    if not 200 <= status < 300:
        raise NotDelivered(f"it answered {status}" + (", and redirects are not followed" if status < 400 else ""))


def _addresses(host: str, port: int, private: bool) -> list[str]:
    found = [str(place[4][0]) for place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not private and not all(map(is_public, found)):
        raise NotDelivered("it is at an address that is not public: set allow_private = true in the alert's table")
    return list(dict.fromkeys(found))


def _host_and_user(parts: SplitResult) -> dict[str, str]:
    import urllib3

    fields = {"Host": parts.netloc.rpartition("@")[2]}
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        fields.update(urllib3.make_headers(basic_auth=user))
    return fields


def _directly(
    config: Config, parts: SplitResult, addresses: list[str], port: int, body: bytes, headers: Mapping[str, str]
) -> int:
    """POST to the first address that takes a connection, and return the status."""
    import urllib3

    refused: Exception | None = None
    for address in addresses:
        if parts.scheme == "https":
            pool: urllib3.HTTPConnectionPool = urllib3.HTTPSConnectionPool(
                address,
                port,
                ssl_context=tls_context(config),
                server_hostname=parts.hostname,
                assert_hostname=parts.hostname,
            )
        else:
            pool = urllib3.HTTPConnectionPool(address, port)
        with pool:
            try:
                return _status(pool, _target(parts), body, headers)
            except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
                refused = error
    raise refused or OSError("no address")


def _through_proxy(config: Config, parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> int:
    import urllib3

    host = parts.netloc.rpartition("@")[2]
    proxy = urlsplit(config.proxy or "")
    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}" if proxy.username else None
    fields = urllib3.make_headers(proxy_basic_auth=login)
    with urllib3.ProxyManager(config.proxy or "", proxy_headers=fields, ssl_context=tls_context(config)) as pool:
        return _status(pool, f"{parts.scheme}://{host}{_target(parts)}", body, headers)


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _status(pool: Any, target: str, body: bytes, headers: Mapping[str, str]) -> int:
    # No retries of urllib3's own: its errors then name the whole address.
    answer = pool.urlopen(
        "POST",
        target,
        body=body,
        headers=headers,
        timeout=SECONDS,
        retries=False,
        redirect=False,
        preload_content=False,
    )
    answer.close()
    return int(answer.status)

"""Tells by webhook: a POST of JSON, signed where there is a secret."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING

from crawler.config import user_agent
from newskeep.alerts.alert import check_webhook
from newskeep.posting import NotDelivered, post

if TYPE_CHECKING:
    from crawler.config import Config
    from newskeep.alerts.alert import Alert
    from newskeep.alerts.digest import Message

_CURE = ": set allow_private = true in the alert's table"


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
    status = post(address, body, headers, config, private=private, cure=_CURE).status
    if not 200 <= status < 300:
        raise NotDelivered(f"it answered {status}" + (", and redirects are not followed" if status < 400 else ""))


def signature(secret: str, body: bytes) -> str:
    """The value of the field `X-Hub-Signature-256`, as GitHub and WebSub have it: HMAC-SHA256 of the body, in hex."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"

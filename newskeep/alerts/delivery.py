"""Brings what waits to whom it is for: one message a channel, not in quiet hours, and again later where it fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from newskeep.alerts import mail, webhook
from newskeep.alerts.digest import Message
from newskeep.alerts.event import Event
from newskeep.alerts.outbox import Delivery
from newskeep.posting import NotDelivered
from storage.counts import counted
from storage.errors import ConfigError
from storage.urls import timestamp14

if TYPE_CHECKING:
    from crawler.config import Config
    from newskeep.alerts.alert import Alert
    from newskeep.alerts.outbox import Outbox, Standing

#: Channel -> what sends on it, and raises `NotDelivered` or `ConfigError`.
SENDERS: Mapping[str, Callable[[Alert, Config, Message], None]] = {"webhook": webhook.send, "email": mail.send}
#: Before a message is tried again: twice as long each time, up to the second.
_AGAIN, _AGAIN_MAX = timedelta(minutes=5), timedelta(hours=6)
#: After this it is dropped, as mail servers do (RFC 5321, 4.5.4.1).
GIVE_UP = timedelta(days=5)
#: Seconds that all messages of one run may take; what is left waits for the next one.
RUN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Sent:
    """How a message went."""

    alert: str
    channel: str
    events: int
    #: Why it has not arrived, and when it is tried again; `None`: it is dropped.
    problem: str | None = None
    again: datetime | None = None

    def __str__(self) -> str:
        told = f"alert {self.alert}: {self.channel}"
        if self.problem is None:
            return f"{told}: {counted(self.events, 'event')} told"
        after = f"tried again after {self.again:%Y-%m-%d %H:%M} UTC" if self.again else "given up, and dropped"
        return f"{told}: {counted(self.events, 'event')} not told: {self.problem}; {after}"


def deliver(
    outbox: Outbox, alerts: Mapping[str, Alert], config: Config, at: datetime, *, at_once: bool = False
) -> list[Sent]:
    """Send what waits and may be sent now, for `RUN_SECONDS` at most. Raises `StoreUnavailable`.

    `at_once` looks at no clock: neither quiet hours, nor the time between two messages, nor that between two tries.
    """
    give_up = time.monotonic() + RUN_SECONDS
    told: list[Sent] = []
    for alert in alerts.values():
        for channel in alert.channels:
            if time.monotonic() > give_up:
                return told
            standing = outbox.standing(alert.name, channel)
            if standing.waiting and (at_once or may_send(alert, standing, at)):
                told += _send(outbox, alert, channel, config, standing, at)
    return told


def may_send(alert: Alert, standing: Standing, at: datetime) -> bool:
    """Whether it is time for a message."""
    if alert.quiet is not None and alert.quiet.holds(at):
        return False
    if standing.again is not None:
        # Not later than it was meant, should the clock have been put back.
        return at >= standing.again or standing.again - at > _AGAIN_MAX
    every = timedelta(seconds=alert.every)
    return standing.sent is None or not timedelta(0) <= at - standing.sent < every


def _send(outbox: Outbox, alert: Alert, channel: str, config: Config, standing: Standing, at: datetime) -> list[Sent]:
    delivery = outbox.take(alert.name, channel)
    if delivery is None:
        return []
    message = Message(alert.name, delivery, at, public_url(config))
    count = len(delivery.events)
    try:
        SENDERS[channel](alert, config, message)
    except (NotDelivered, ConfigError) as error:
        if standing.tried is not None and at - standing.tried >= GIVE_UP:
            outbox.give_up(alert.name, channel, delivery)
            return [Sent(alert.name, channel, count, str(error))]
        again = at + min(_AGAIN * 2 ** min(standing.tries, 10), _AGAIN_MAX)
        outbox.failed(alert.name, channel, str(error), at, again)
        return [Sent(alert.name, channel, count, str(error), again)]
    outbox.delivered(alert.name, channel, delivery, at)
    return [Sent(alert.name, channel, count)]


def send_test(alert: Alert, config: Config, at: datetime) -> list[Sent]:
    """Send a message with an invented article on every channel, whatever the hour; nothing is remembered."""
    event = Event(
        "new",
        "news.example",
        timestamp14(at),
        url="https://news.example/harbour-bridge",
        title="A test of this alert",
        summary="If you can read this, messages of this alert reach you.",
    )
    message = Message(alert.name, Delivery(str(uuid4()), (event,)), at, public_url(config), test=True)
    told = []
    for channel in alert.channels:
        problem = None
        try:
            SENDERS[channel](alert, config, message)
        except (NotDelivered, ConfigError) as error:
            problem = str(error)
        told.append(Sent(alert.name, channel, 1, problem))
    return told


def public_url(config: Config) -> str | None:
    return config.public_url.rstrip("/") if config.public_url else None

"""Before a run: since when what is told. After it: what happened, and to whom it goes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from newskeep.alerts.alert import Alert, load_alerts
from newskeep.alerts.delivery import Sent, deliver
from newskeep.alerts.mail import load_server
from newskeep.alerts.outbox import has_outbox, outbox_of
from newskeep.alerts.site_troubles import look_at_health
from newskeep.alerts.watch import look, oldest_name
from storage.errors import AlreadyRunning, ConfigError, NewskeepError
from storage.locking import held

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.sites.site import Site
    from storage.archive import Archive

logger = logging.getLogger(__name__)


def alerts_of(config: Config) -> Mapping[str, Alert]:
    """Return the alerts of the configuration; what they need is checked as well. Raises `ConfigError`."""
    load_server(config)
    if config.public_url is not None:
        parts = urlsplit(config.public_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ConfigError("public_url must be an http or https address, such as https://archive.example.org")
    return load_alerts(config)


def begin(archive: Archive, alerts: Mapping[str, Alert], at: datetime | None = None) -> None:
    """Have alerts begin that are new: they tell of what is captured from now on. Raises `StoreUnavailable`."""
    if not alerts and not has_outbox(archive):
        return
    at = at or datetime.now(UTC)
    held_now = (warc.filename for warc in archive.index.warcs(oldest_name(at)))
    outbox_of(archive).begin(list(alerts), held_now, at)


def tell(
    archive: Archive,
    config: Config,
    alerts: Mapping[str, Alert],
    sites: Iterable[Site],
    at: datetime | None = None,
    *,
    at_once: bool = False,
) -> list[Sent]:
    """Look at what happened, and send what waits; return how each message went.

    Raises `StoreUnavailable`, and `AlreadyRunning` while another process does the same.
    """
    if not alerts:
        return []
    at = at or datetime.now(UTC)
    with held(archive.state / "locks" / "alerts.lock", "newskeep alerts send"):
        begin(archive, alerts, at)
        outbox = outbox_of(archive)
        try:
            look(archive, outbox, alerts, at)
            look_at_health(archive, outbox, alerts, sites, at)
        except NewskeepError:
            # What waits already can be told.
            deliver(outbox, alerts, config, at, at_once=at_once)
            raise
        return deliver(outbox, alerts, config, at, at_once=at_once)


def begin_before_run(archive: Archive, alerts: Mapping[str, Alert]) -> None:
    """As `begin`; what goes wrong is told behind the run, and is no reason not to crawl."""
    with suppress(NewskeepError):
        begin(archive, alerts)


@dataclass(frozen=True, slots=True)
class Failure:
    """What could not be told, as a line. The same `about` is the same trouble, however the line reads."""

    about: str
    line: str

    def __str__(self) -> str:
        return self.line


def tell_after_run(
    archive: Archive, config: Config, alerts: Mapping[str, Alert], sites: Callable[[], Iterable[Site]]
) -> list[Failure]:
    """Tell what a run brought; return what went wrong. Nothing of it makes the run fail."""
    try:
        told = tell(archive, config, alerts, sites())
        return [Failure(f"alert {each.alert}: {each.channel}", str(each)) for each in told if each.problem is not None]
    except AlreadyRunning:
        # The other one tells, or the next run does.
        return []
    except NewskeepError as error:
        return [Failure(f"alerts: {type(error).__name__}", f"alerts: {error}")]
    except Exception:
        logger.exception("alerts: a fault of ours; what waits is told by the next run")
        return []

"""Sites that got into trouble, or out of it, since the last look at their health."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crawler.frontier import frontier_of
from newskeep.alerts.event import Event
from newskeep.health.collect import health_of
from newskeep.health.verdicts import WELL
from storage.urls import timestamp14

if TYPE_CHECKING:
    from crawler.sites.site import Site
    from newskeep.alerts.alert import Alert
    from newskeep.alerts.outbox import Outbox
    from newskeep.health.collect import Health
    from storage.archive import Archive

#: Between two looks at a site's health; a look takes some milliseconds, so of more sites than these it is longer.
LOOK_EVERY, _SITES = timedelta(minutes=15), 100
#: What is no trouble to tell of: nothing is known yet.
_UNKNOWN = "never run"


def look_at_health(
    archive: Archive, outbox: Outbox, alerts: Mapping[str, Alert], sites: Iterable[Site], at: datetime
) -> None:
    """Judge the sites that an alert watches for trouble, and enter whose verdict has changed.

    Raises `StoreUnavailable`.
    """
    watching = [alert for alert in alerts.values() if "trouble" in alert.on]
    watched = [site for site in sites if any(_is_about(alert, site) for alert in watching)]
    before = outbox.verdicts()
    every = LOOK_EVERY * max(1.0, len(watched) / _SITES)
    # A clock that was put back must not silence us.
    due = [site for site in watched if site.name not in before or not timedelta(0) <= at - before[site.name][1] < every]
    if not due:
        return
    found = list(health_of(frontier_of(archive), due, at, 0, archive.index))
    known = {name: verdict for name, (verdict, _) in before.items()}
    by_name = {site.name: site for site in due}
    told = (
        (alert.name, channel, event)
        for health in found
        if (event := _event(health, known.get(health.site), at))
        for alert in watching
        if _is_about(alert, by_name[health.site])
        for channel in alert.channels
    )
    outbox.judged([(health.site, health.verdict.kind) for health in found], at, told)


def _is_about(alert: Alert, site: Site) -> bool:
    hosts = {netloc.partition(":")[0] for netloc in site.netlocs}
    return alert.is_about(site.name) or any(map(alert.is_about, hosts))


def _event(health: Health, before: str | None, at: datetime) -> Event | None:
    verdict = health.verdict
    if verdict.kind in {before, _UNKNOWN}:
        return None
    was_trouble = before is not None and before not in {*WELL, _UNKNOWN}
    if not verdict.trouble and not was_trouble:
        return None
    return Event(
        "trouble",
        health.site,
        timestamp14(at),
        verdict=verdict.kind,
        verdict_before=before,
        why=verdict.why,
        do=verdict.do or None,
    )

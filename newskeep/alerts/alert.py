"""An alert as newskeep.toml declares it: what is told, and to whom.

[alerts.harbour]
query = '"harbour bridge"'
email = "desk@example.org"
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crawler.durations import parse_duration
from crawler.sites.site import find_site
from newskeep.alerts.event import KINDS, EventKind
from newskeep.alerts.quiet_hours import QuietHours
from newskeep.alerts.secret import Secret
from newskeep.site_hosts import parse_words
from storage.errors import ConfigError, NewskeepError, UsageError
from storage.urls import site_of

if TYPE_CHECKING:
    from crawler.config import Config
    from storage.index.query_parser import SearchQuery

#: Seconds between two messages of an alert: what happens meanwhile stands in one.
EVERY = 900.0
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}", re.ASCII)
#: Ways to tell.
CHANNELS = ("webhook", "email")


@dataclass(frozen=True, slots=True)
class Alert:
    """What is told, of what, to whom and when. Missing is empty or `None`."""

    name: str
    on: tuple[EventKind, ...] = ("new",)
    #: Words as in `newskeep search`; trouble of sites is told whatever they are.
    query: str | None = None
    #: What they mean.
    wanted: SearchQuery | None = None
    #: As they were written: names of sites, or hosts. None: all.
    sites: tuple[str, ...] = ()
    #: The hosts that these stand for; what is below them belongs to them.
    hosts: frozenset[str] = frozenset()
    language: str | None = None
    author: str | None = None
    webhook: Secret | None = None
    #: Signs what is sent to the webhook.
    secret: Secret | None = None
    email: tuple[str, ...] = ()
    #: Seconds between two messages.
    every: float = EVERY
    quiet: QuietHours | None = None
    #: Whether the webhook may be at an address that is not public; `None`: as `allow_private` says for all.
    allow_private: bool | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(channel for channel in CHANNELS if getattr(self, channel))

    def is_about(self, site: str) -> bool:
        """Whether a host, or a site of this name, is one of those asked for."""
        if not self.sites or site in self.sites:
            return True
        return any(site == host or site.endswith(f".{host}") for host in self.hosts)


def load_alerts(config: Config) -> Mapping[str, Alert]:
    """Return the alerts of the configuration, by name, in its order.

    Secrets are not read yet. Raises `ConfigError`, which names the file, the table and the key.
    """
    return {name: _from_table(config, name, table) for name, table in config.alerts.items()}


def find_alert(alerts: Mapping[str, Alert], name: str) -> Alert:
    """Return the alert of a name. Raises `ConfigError`, with the name that is nearest."""
    if name in alerts:
        return alerts[name]
    if not alerts:
        raise ConfigError("no [alerts.NAME] is in newskeep.toml; `newskeep docs alerts` tells how to add one")
    raise ConfigError(f"no alert is named {name!r}{near(name, alerts)}")


def near(key: str, known: Iterable[str]) -> str:
    """What somebody may have meant, as the end of a message."""
    found = difflib.get_close_matches(key, known := list(known), 1)
    return f"; did you mean {found[0]!r}?" if found else f"; known are {', '.join(known)}"


def _from_table(config: Config, name: str, table: object) -> Alert:
    where = f"{config.file}: [alerts.{name}] "
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{where}cannot be an alert's name: small letters, digits, dots and hyphens")
    if not isinstance(table, dict):
        raise ConfigError(f"{where}must be a table")
    given: dict[str, Any] = {}
    for key, value in table.items():
        if key not in KEYS:
            raise ConfigError(f"{where}unknown key {key!r}{near(key, KEYS)}")
        if read := _READERS.get(key):
            try:
                given[key] = read(value)
            except ValueError as error:
                raise ConfigError(f"{where}{key} must be {error}, not {value!r}") from None
    folder = config.file.parent if config.file else Path()
    for key in ("webhook", "secret"):
        if key in table:
            given[key] = Secret.of(f"{where}{key}", table[key], folder)
    if "query" in given:
        given["wanted"] = _wanted(config, where, given["query"])
    return _checked(config, where, table, Alert(name, **given, **_places(config, where, given)))


def _wanted(config: Config, where: str, query: str) -> SearchQuery:
    try:
        wanted = parse_words(config, query)
    except UsageError as error:
        raise ConfigError(f"{where}query: {error}") from None
    if not wanted:
        raise ConfigError(f"{where}query must be words to search for, not {query!r}")
    return wanted


def _places(config: Config, where: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The hosts that the sites stand for."""
    hosts: set[str] = set()
    for site in given.get("sites", ()):
        try:
            if site in config.sites or "." not in site:
                hosts |= {host.partition(":")[0] for host in find_site(config, site).netlocs}
            else:
                hosts.add(site_of(site if "://" in site else f"http://{site}"))
        except NewskeepError as error:
            raise ConfigError(f"{where}sites: {error}") from None
    return {"hosts": frozenset(hosts)}


def _checked(config: Config, where: str, table: Mapping[str, Any], alert: Alert) -> Alert:
    if not alert.channels:
        raise ConfigError(f"{where}tells nobody: give it a webhook or an email")
    if alert.secret is not None and alert.webhook is None:
        raise ConfigError(f"{where}secret signs a webhook, and there is none")
    if alert.webhook is not None and alert.webhook.text is not None:
        check_webhook(alert.webhook.name, alert.webhook.text)
    if alert.email and not config.smtp:
        raise ConfigError(f"{where}email needs a server: add a table [smtp] to {config.file}")
    if "zone" in table and "quiet" not in table:
        raise ConfigError(f"{where}zone is that of quiet hours, and there are none")
    return alert if "quiet" not in table else _with_quiet(where, table, alert)


def _with_quiet(where: str, table: Mapping[str, Any], alert: Alert) -> Alert:
    from dataclasses import replace

    for key in ("quiet", "zone"):
        if key in table and not isinstance(table[key], str):
            raise ConfigError(f"{where}{key} must be a text, not {table[key]!r}")
    try:
        return replace(alert, quiet=QuietHours.parse(table["quiet"], table.get("zone")))
    except ValueError as error:
        raise ConfigError(f"{where}quiet: {error}") from None


def check_webhook(name: str, address: str) -> None:
    """Raise `ConfigError` for an address that nothing can be sent to. The address itself, a secret, is not told."""
    try:
        parts = urlsplit(address)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        fine = fine and address.isascii() and address.isprintable() and " " not in address
    except ValueError:
        fine = False
    if not fine:
        raise ConfigError(f"{name} must be an http or https address, such as https://hooks.example.org/…")


def _kinds(value: object) -> tuple[str, ...]:
    found = tuple(_texts(value))
    if not found or not set(found) <= set(KINDS):
        raise ValueError(f"some of {', '.join(KINDS)}")
    return found


def _texts(value: object) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        yield _text(each)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text")
    return value.strip()


def addresses(value: object) -> tuple[str, ...]:
    """E-mail addresses, one or a list. Raises `ValueError`."""
    found = tuple(_texts(value))
    if not found or not all(_is_address(each) for each in found):
        raise ValueError("an e-mail address or a list of them")
    return found


def _is_address(text: str) -> bool:
    _, address = parseaddr(text)
    return text.isprintable() and bool(re.fullmatch(r"[^@\s<>,]+@[^@\s<>,]+", address, re.ASCII))


def _yes(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


_READERS: dict[str, Callable[[object], Any]] = {
    "on": _kinds,
    "query": _text,
    "sites": lambda value: tuple(_texts(value)),
    "language": _text,
    "author": _text,
    "email": addresses,
    "every": parse_duration,
    "allow_private": _yes,
}
#: Of a table `[alerts.NAME]`.
KEYS = (*_READERS, "webhook", "secret", "quiet", "zone")

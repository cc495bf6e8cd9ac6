"""Where the queue is: an address of PostgreSQL, out of the configuration."""

from __future__ import annotations

from urllib.parse import urlsplit

from crawler.config import Config
from crawler.subscriptions.references import resolve
from storage.errors import ConfigError

_SCHEMES = ("postgresql", "postgres")
_EXAMPLE = "postgresql://user@host/database"


def queue_address(config: Config) -> str:
    """The address with its password, as libpq has it. Raises `ConfigError` where there is none, without showing it."""
    if not config.queue:
        raise ConfigError(f'there is no queue: give --queue {_EXAMPLE}, or queue = "{_EXAMPLE}" in newskeep.toml')
    address = resolve(config.queue, "queue")
    try:
        parts = urlsplit(address)
        known = parts.scheme in _SCHEMES and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise ConfigError(f"queue must be an address such as {_EXAMPLE}, with % signs in its password as %25")
    return address


def shown(address: str) -> str:
    """An address without user, password and options."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

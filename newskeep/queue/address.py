"""Where the queue is: a database on a PostgreSQL server, out of the configuration."""

from __future__ import annotations

from crawler.config import Config
from storage.errors import ConfigError, UsageError
from storage.postgres_address import PostgresAddress

_EXAMPLE = "postgresql://USER@HOST/DATABASE"


def queue_address(config: Config) -> PostgresAddress:
    """Raises `ConfigError` where there is none, or it cannot be read; it is not shown."""
    address = config.job_queue
    if address is None:
        raise ConfigError(f'there is no queue: give --queue {_EXAMPLE}, or queue = "{_EXAMPLE}" in newskeep.toml')
    try:
        return PostgresAddress.parse(address)
    except UsageError:
        raise ConfigError(
            f"queue must be {_EXAMPLE}; in its user and password, other signs are written as %XX"
        ) from None

"""The identity that subcommands are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.errors import UsageError

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.identity import Identity


def identity_in(settings: Config) -> Identity:
    """The identity that the configuration names. Raises `UsageError` for none, `ConfigError` for a bad one."""
    from crawler.identity import identity_of

    identity = identity_of(settings.signing_key, settings.agent)
    if identity is None:
        raise UsageError("newskeep.toml names no signing_key; newskeep identity make FILE makes a key")
    return identity

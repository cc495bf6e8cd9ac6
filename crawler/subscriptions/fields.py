"""Which fields of a request a configuration may set."""

from __future__ import annotations

import re

from storage.errors import ConfigError

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: Those of the connection, of what is asked for, and those that have a setting of their own.
_NOT_OURS = frozenset(
    (
        *("host", "connection", "keep-alive", "content-length", "content-type", "transfer-encoding", "te", "trailer"),
        *("upgrade", "expect", "range", "user-agent", "accept-encoding", "if-none-match"),
        *("if-modified-since", "proxy-authorization"),
    )
)


def check_field(name: str) -> str:
    """Return the name of a field that may be set; raises `ConfigError`."""
    if not _NAME.fullmatch(name):
        raise ConfigError("a field's name has letters, digits and hyphens only")
    if name.lower() in _NOT_OURS:
        raise ConfigError(f"{name} is not to be set there")
    return name

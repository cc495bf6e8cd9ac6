"""Which proxies requests can go through: those of HTTP, without TLS to the proxy itself, and SOCKS."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from storage.errors import ConfigError
from storage.extras import command_for

#: Versions of SOCKS; those with names that the proxy looks up end in h or a.
_SOCKS = ("socks4", "socks4a", "socks5", "socks5h")
#: Where SOCKS is spoken, if no port is named (RFC 1928, 3).
SOCKS_PORT = 1080


def is_socks(address: str) -> bool:
    """Whether a proxy's address is one of SOCKS."""
    scheme, mark, _ = address.partition("://")
    return bool(mark) and scheme.lower() in _SOCKS


def environment_proxy(url: str) -> str | None:
    """The proxy that the environment has for an address; `None` where it is asked directly."""
    said, parts = getproxies_environment(), urlsplit(url)
    if proxy_bypass(parts.netloc):
        return None
    return said.get(parts.scheme) or said.get("all")


def check_proxy(configured: str | None, environment: Mapping[str, str] | None = None) -> None:
    """Raise `ConfigError` for a proxy that cannot work: the configured one, or else those of the environment.

    `environment` is scheme -> address, as `urllib.request.getproxies` has it; the variables http_proxy, https_proxy and
    all_proxy if it is left out.
    """
    if configured is not None:
        _check("proxy", configured, needs_scheme=True)
        return
    said = getproxies_environment() if environment is None else environment
    for scheme in ("http", "https", "all"):
        if address := said.get(scheme):
            _check(f"{scheme}_proxy", address, needs_scheme=False)


def _check(name: str, address: str, *, needs_scheme: bool) -> None:
    scheme, mark, rest = address.partition("://")
    scheme = scheme.lower() if mark else ""
    if scheme in _SOCKS and find_spec("python_socks") is None:
        raise ConfigError(f"{name}: SOCKS needs python-socks: {command_for('socks')}")
    if scheme not in ("", "http", *_SOCKS):
        known = "http://HOST:PORT or socks5://HOST:PORT"
        raise ConfigError(f"{name}: a proxy is spoken to over HTTP or SOCKS; write {known}, not {scheme}://")
    if needs_scheme and not scheme:
        raise ConfigError(f"{name} must begin with http://, such as http://127.0.0.1:3128")
    try:
        parts = urlsplit(f"http://{rest if mark else address}")
        is_address = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        # Not the address itself: it may have a password in it.
        raise ConfigError(f"{name} has no host name or a bad port; write http://HOST:PORT")

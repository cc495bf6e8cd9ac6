"""Ways to a host through a proxy of HTTP (by CONNECT) or SOCKS. The only user of python-socks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from crawler.politeness.errors import ProxyFailure
from crawler.politeness.proxies import SOCKS_PORT, is_socks

if TYPE_CHECKING:
    from socket import socket

_HTTP_PORT = 80


def is_named_there(proxy: str) -> bool:
    """Whether a proxy looks names up itself; `socks5://` and `socks4://` are given addresses, as for curl."""
    return not is_socks(proxy) or proxy.partition("://")[0].lower() in ("socks5h", "socks4a")


async def tunnel(proxy: str, host: str, port: int, timeout: float) -> socket:
    """A connection to a host through a proxy, whose address is that of the configuration or the environment.

    Raises `ProxyFailure`, also after `timeout` seconds.
    """
    from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError, ProxyType
    from python_socks.async_.asyncio import Proxy

    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    kinds = {"http": ProxyType.HTTP, "socks4": ProxyType.SOCKS4, "socks4a": ProxyType.SOCKS4}
    kind = kinds.get(parts.scheme, ProxyType.SOCKS5)
    way = Proxy(
        kind,
        parts.hostname or "",
        parts.port or (_HTTP_PORT if kind is ProxyType.HTTP else SOCKS_PORT),
        unquote(parts.username or "") or None,
        unquote(parts.password or "") or None,
        rdns=is_named_there(proxy),
    )
    try:
        return await way.connect(host, port, timeout)
    except ProxyTimeoutError as error:
        raise ProxyFailure("the proxy made no connection in time") from error
    except ProxyConnectionError as error:
        raise ProxyFailure("the proxy: no connection") from error
    except ProxyError as error:
        raise ProxyFailure(f"the proxy made no connection: {_words(error)}") from error


def _words(error: Exception) -> str:
    return re.sub(r"[^\w .,:-]", "", str(error))[:80].strip() or "it gave no reason"

"""Sends bytes to an address by POST, to public addresses unless it may go elsewhere; what mail has in common with it.

No error names the address or what was sent, which may be secrets.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from crawler.politeness.addresses import is_public
from crawler.politeness.trust_roots import has_roots
from storage.errors import NewskeepError

if TYPE_CHECKING:
    from crawler.config import Config


class NotDelivered(NewskeepError):
    """A message did not arrive; why, without any secret."""

    exit_code = 4


#: Seconds that one message may take.
SECONDS = 10.0


class Posted(NamedTuple):
    """What came back."""

    status: int
    #: The Location field.
    location: str | None


def post(
    address: str, body: bytes, headers: Mapping[str, str], config: Config, *, private: bool, cure: str = ""
) -> Posted:
    """POST to an http or https address, and return its answer; redirects are not followed.

    With `private` to addresses too that are not public; else `cure` ends the error. Raises `NotDelivered`.
    """
    answers: list[Posted] = []
    within(SECONDS, lambda: answers.append(_post(urlsplit(address), body, headers, config, private, cure)))
    return answers[0]


def within(seconds: float, send: Callable[[], None]) -> None:
    """Send, for so long at most; raise what it raises, and `NotDelivered` when the time is over.

    A thread: no timeout of a client bounds the look-up of a name, or an answer that comes byte by byte.
    """
    raised: list[BaseException] = []

    def work() -> None:
        try:
            send()
        except BaseException as error:
            raised.append(error)

    sender = threading.Thread(target=work, daemon=True)
    sender.start()
    sender.join(seconds)
    if sender.is_alive():
        raise NotDelivered(f"no answer in {seconds:g} seconds")
    if raised:
        raise raised[0]


def tls_context(config: Config) -> ssl.SSLContext:
    """Whom we believe: as for pages, the roots of the system and `ca_file`, over TLS 1.2 or newer."""
    context = ssl.create_default_context()
    if not has_roots():
        import certifi

        context.load_verify_locations(certifi.where())
    if config.ca_file:
        context.load_verify_locations(config.ca_file)
    return context


def words_of(error: BaseException) -> str:
    """Why a connection failed, in words; never the address, which may be a secret."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"its TLS certificate is not to be believed: {seen.verify_message}"
        if isinstance(seen, ssl.SSLError):
            return f"TLS failed: {seen.reason or type(seen).__name__}"
        if isinstance(seen, TimeoutError):
            return "no answer in time"
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror[:1].lower() + seen.strerror[1:]
        seen = seen.__cause__ or seen.__context__
    return f"the connection failed: {type(error).__name__}"


def _post(
    parts: SplitResult, body: bytes, headers: Mapping[str, str], config: Config, private: bool, cure: str
) -> Posted:
    import urllib3

    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        # Looked up here and connected to as it was judged: the name could lead elsewhere a moment later.
        addresses = [] if config.proxy and config.trust_proxy else _addresses(host, port, private, cure)
        fields = {**headers, **_host_and_user(parts)}
        if config.proxy:
            return _through_proxy(config, parts, body, fields)
        return _directly(config, parts, addresses, port, body, fields)
    except (urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
        raise NotDelivered(words_of(error)) from None


def _addresses(host: str, port: int, private: bool, cure: str) -> list[str]:
    found = [str(place[4][0]) for place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not private and not all(map(is_public, found)):
        raise NotDelivered(f"it is at an address that is not public{cure}")
    return list(dict.fromkeys(found))


def _host_and_user(parts: SplitResult) -> dict[str, str]:
    import urllib3

    fields = {"Host": parts.netloc.rpartition("@")[2]}
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        fields.update(urllib3.make_headers(basic_auth=user))
    return fields


def _directly(
    config: Config, parts: SplitResult, addresses: list[str], port: int, body: bytes, headers: Mapping[str, str]
) -> Posted:
    """POST to the first address that takes a connection."""
    import urllib3

    refused: Exception | None = None
    for address in addresses:
        if parts.scheme == "https":
            pool: urllib3.HTTPConnectionPool = urllib3.HTTPSConnectionPool(
                address,
                port,
                ssl_context=tls_context(config),
                server_hostname=parts.hostname,
                assert_hostname=parts.hostname,
            )
        else:
            pool = urllib3.HTTPConnectionPool(address, port)
        with pool:
            try:
                return _answer(pool, _target(parts), body, headers)
            except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
                refused = error
    raise refused or OSError("no address")


def _through_proxy(config: Config, parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> Posted:
    import urllib3

    host = parts.netloc.rpartition("@")[2]
    proxy = urlsplit(config.proxy or "")
    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}" if proxy.username else None
    fields = urllib3.make_headers(proxy_basic_auth=login)
    with urllib3.ProxyManager(config.proxy or "", proxy_headers=fields, ssl_context=tls_context(config)) as pool:
        return _answer(pool, f"{parts.scheme}://{host}{_target(parts)}", body, headers)


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _answer(pool: Any, target: str, body: bytes, headers: Mapping[str, str]) -> Posted:
    # No retries of urllib3's own: its errors then name the whole address.
    answer = pool.urlopen(
        "POST",
        target,
        body=body,
        headers=headers,
        timeout=SECONDS,
        retries=False,
        redirect=False,
        preload_content=False,
    )
    answer.close()
    return Posted(int(answer.status), answer.headers.get("Location"))

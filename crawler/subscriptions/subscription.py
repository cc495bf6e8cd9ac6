"""The secrets of one crawl: its jar of cookies, its fields, its log-in. None is shared with another crawl."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from http.cookiejar import Cookie, DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http.cookies import CookieJar

from crawler.subscriptions.cookie_files import read_cookies
from crawler.subscriptions.fields import check_field
from crawler.subscriptions.references import resolve
from storage.errors import ConfigError
from storage.homes import expanded

if TYPE_CHECKING:
    from scrapy.http import Response

    from crawler.subscriptions.login import Login


#: Values of cookies that answers are searched for.
_KNOWN_MAX = 100


class Subscription:
    """What is sent with a request, by its address, and taken from what is answered.

    Cookies go where RFC 6265 lets them (domain, path, Secure, end), fields to addresses that `covers` says yes to.
    """

    def __init__(
        self,
        cookies: Iterable[Cookie] = (),
        headers: Sequence[tuple[str, str]] = (),
        covers: Callable[[str], bool] = lambda url: False,
        login: Login | None = None,
    ) -> None:
        """`headers` and `login` without references."""
        self.covers = covers
        self.login = login
        #: What became of it, in words for a person; `None` while nothing is known.
        self.state: str | None = None
        #: Whether what is sent was found not to let us in.
        self.is_doubted = False
        self._headers = {name.lower(): (name, value) for name, value in headers}
        # Cookies of one host alone are not sent to those below it.
        self._jar = CookieJar(DefaultCookiePolicy(strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain))
        for cookie in cookies:
            self._jar.set_cookie(cookie)
        #: Values of cookies that were sent or set, the newest last: a file may have those of a whole browser.
        self._known: dict[str, None] = {}

    def fields(self, url: str, cookies: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Yield the fields of a request for `url`, which has a Cookie field of its own, `cookies`, perhaps.

        Of two cookies of one name that of the request counts: an answer has just set it.
        """
        if self.covers(url):
            for name, value in self._headers.values():
                if name.lower() != "cookie":
                    yield name.encode("ascii"), value.encode()
        given = _pairs(cookies or b"")
        names = {name for name, _ in given}
        if added := [pair for name, pair in _pairs(self._cookies(url)) if name not in names]:
            self._note(pair.partition(b"=")[2].decode("utf-8", "replace") for pair in added)
            yield b"Cookie", b"; ".join([*(pair for _, pair in given), *added])

    def name_host(self, url: str) -> None:
        """Have fields go to the host of an address of a list, too."""
        if isinstance(self.covers, NamedHosts):
            self.covers.add(url)

    def set_header(self, name: str, value: str) -> None:
        """Send a field from now on: the token that a log-in gave."""
        self._headers[name.lower()] = name, value

    def take(self, response: Response, *, renewed_only: bool) -> bool:
        """Keep the cookies that an answer sets; return whether there were any.

        `renewed_only`: those that are held already. What a site else sets would count the articles read.
        """
        request = response.request or Request(response.url)
        held = {(cookie.domain, cookie.path, cookie.name) for cookie in self._jar}
        # What an answer ends goes from the jar here already.
        taken = [
            cookie
            for cookie in self._jar.make_cookies(response, request)
            if not renewed_only or (cookie.domain, cookie.path, cookie.name) in held
        ]
        for cookie in taken:
            self._jar.set_cookie_if_ok(cookie, request)
        self._note(cookie.value or "" for cookie in taken)
        return bool(taken)

    def secrets(self) -> Iterator[bytes]:
        """What no answer may repeat in a record."""
        yield from (value.encode() for value in self._known)
        for _, value in self._headers.values():
            yield from (word.encode() for word in value.split() if _is_long(word))
        if self.login is not None:
            yield from (secret.encode() for secret in self.login.secrets())

    def _note(self, values: Iterable[str]) -> None:
        for value in filter(_is_long, values):
            self._known[value] = self._known.pop(value, None)
        while len(self._known) > _KNOWN_MAX:
            del self._known[next(iter(self._known))]

    def _cookies(self, url: str) -> bytes:
        request = Request(url)
        self._jar.add_cookie_header(request)
        jar = request.headers.get("Cookie") or b""
        own = self._headers.get("cookie")
        return b"; ".join(filter(None, (own[1].encode() if own and self.covers(url) else b"", jar)))


class NamedHosts:
    """The hosts of addresses that were named: fields go there, and to the same host over TLS, and nowhere else."""

    def __init__(self, urls: Iterable[str] = ()) -> None:
        self._origins = set(map(_origin, urls))

    def add(self, url: str) -> None:
        self._origins.add(_origin(url))

    def __call__(self, url: str) -> bool:
        scheme, host, port = _origin(url)
        return (scheme, host, port) in self._origins or (
            (scheme, port) == ("https", 443) and ("http", host, 80) in self._origins
        )


def listed_subscription(cookies: str | None, headers: Sequence[str]) -> Subscription | None:
    """The subscription of a list of URLs; `headers` are "Name: value". Raises `ConfigError`."""
    if not cookies and not headers:
        return None
    found = read_cookies(expanded(cookies), "--cookies") if cookies else []
    return Subscription(found, [_header(given) for given in headers], NamedHosts())


def _header(given: str) -> tuple[str, str]:
    name, colon, value = given.partition(":")
    if not colon:
        # Not the text itself: it may be the secret.
        raise ConfigError("--header: a field is given as 'Name: value', such as 'Authorization: Bearer ${TOKEN}'")
    try:
        check_field(name.strip())
    except ConfigError as error:
        raise ConfigError(f"--header: {error}") from None
    name = name.strip()
    return name, resolve(value.strip(), f"--header {name}")


def _pairs(field: bytes) -> list[tuple[bytes, bytes]]:
    """The name and the whole of each pair of a Cookie field."""
    return [(pair.partition(b"=")[0].strip(), pair.strip()) for pair in field.split(b";") if pair.strip()]


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _is_long(value: str) -> bool:
    return len(value) >= 16 and not value.isalpha()

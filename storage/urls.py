"""Addresses and times as the archive writes them: one form of a URL, its SURT key, 14-digit timestamps."""

from __future__ import annotations

import re
import warnings
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, lru_cache
from ipaddress import IPv6Address
from socket import inet_aton, inet_ntoa
from typing import Literal, cast
from urllib.parse import quote, unquote, urljoin

from storage.errors import InvalidURL, UsageError

Match = Literal["exact", "prefix", "host", "ports", "domain"]
Pad = Literal["start", "end"]

# Servers commonly stop at 8 KB of request line.
MAX_URL_CHARS = 8_000

_DEFAULT_PORTS = {"http": 80, "https": 443}
# scheme, authority, path, query; browsers read "\" as "/" before the query. RFC 3986, appendix B.
_URL = re.compile(r"([a-z][a-z0-9+.-]*):[/\\]{2}([^/\\?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE | re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What RFC 3986 and the URL living standard both let stand; "%" too, so that an encoded URL stays as it is.
_PATH_SAFE = "/:?@!$&'()*+,;=%~"
_QUERY_SAFE = _PATH_SAFE.replace("'", "")
# What browsers cut off around a URL, and take out within it.
_BLANKS = "".join(map(chr, range(33)))
_BREAKS = re.compile(r"[\t\r\n]+")
_ESCAPED_DOT = re.compile(r"%2e", re.IGNORECASE)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_BRACKETS = re.compile(r"\[([^\[\]]*)\](?::(.*))?")
# "http:/", "htp://", "https//", "hxxps://", "//": a scheme that went wrong before a host.
_SCHEME_LIKE = re.compile(r"(?:h[tx]{1,4}ps?|ht?tsp|t?tps?):?/+|https?:(?!\d)|(?=//)/+", re.IGNORECASE)
_HOST_LIKE = re.compile(r"(?:(?:[\w-]+\.)+[^\W\d_]{2,}|localhost|(?:\d{1,3}\.){3}\d{1,3}):?\d*", re.IGNORECASE)
# Hosts that are mostly served without TLS.
_OFTEN_PLAIN = re.compile(r"(?:localhost|[\d.]+)(?::\d*)?|.*:80(?:80)?", re.IGNORECASE)
# The underscore is in no standard and in many host names.
_HOST = re.compile(r"(?!-?\.)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")
_IPV4_LIKE = re.compile(r"(?:.*\.)?(?:\d+|0x[0-9a-f]*)\.?")
# URLs whose SURT is nothing but the host turned round, its port and the path in lower case; most URLs of news are. No
# percent sign, query, parenthesis (session ids), empty or dotted path segment, no number that has another form.
_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_PLAIN = re.compile(
    rf"(https?)://(?:www[0-9]*\.)?+((?:[a-z0-9_-]+\.)*[a-z][a-z0-9_-]*|{_BYTE}(?:\.{_BYTE}){{3}})"
    r"(:(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}))?((?:/[\w~,;:=+!*@&$'-][\w.~,;:=+!*@&$'-]*)*)/?",
    re.ASCII,
)
_OWN_PORTS = {"http": ":80", "https": ":443"}


def normalize(url: str) -> str:
    """Return the URL as it goes over the wire: ASCII, no fragment, no default port, path at least "/".

    Only the host is changed in meaning-preserving ways (case, punycode by UTS 46 and IDNA 2008, dotted IPv4); path and
    query keep their dots, their order and their percent signs, and get escapes where a character is not allowed.
    Idempotent. Raises `InvalidURL`.
    """
    url = url.strip()
    if not url:
        raise InvalidURL('""', "is empty")
    if len(url) > MAX_URL_CHARS:
        raise InvalidURL(_shown(url), f"longer than {MAX_URL_CHARS:,} characters")
    if _CONTROL.search(url):
        raise InvalidURL(_shown(url), "has a control character in it")
    parts = _URL.fullmatch(url)
    scheme = (parts[1] if parts else url.partition(":")[0]).lower()
    if scheme not in _DEFAULT_PORTS:
        raise InvalidURL(_shown(url), f"starts with neither http:// nor https://{_meant(url)}")
    if parts is None or not parts[2]:
        raise InvalidURL(_shown(url), f"has no host name{_meant(url)}")
    try:
        path = quote(parts[3].replace("\\", "/"), safe=_PATH_SAFE)
        query = quote(parts[4] or "", safe=_QUERY_SAFE)
        authority = _authority(parts[2], scheme)
    except UnicodeEncodeError:
        raise InvalidURL(_shown(url), "is not valid Unicode") from None
    except ValueError as error:
        raise InvalidURL(_shown(url), str(error)) from None
    normal = f"{scheme}://{authority}{path or '/'}{'?' if query else ''}{query}"
    if len(normal) > MAX_URL_CHARS:
        raise InvalidURL(_shown(url), f"longer than {MAX_URL_CHARS:,} characters once encoded")
    return normal


def _meant(url: str) -> str:
    """The address that was likely meant by one without a scheme, or with a misspelt one; empty where none is likely."""
    start = _SCHEME_LIKE.match(url)
    said, rest = (start[0].lower(), url[start.end() :]) if start else ("", url)
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    # What stands before an "@" may be a password.
    if not _HOST_LIKE.fullmatch(host) or "@" in url or not url.isprintable() or " " in url:
        return ""
    is_plain = "s" not in said if "p" in said else _OFTEN_PLAIN.fullmatch(host)
    return f"; did you mean {'http' if is_plain else 'https'}://{rest}?"


def join(base: str, reference: str) -> str:
    """Return the address that a document or answer at the http address `base` means by `reference`, as browsers do.

    A backslash before the query is a slash, blanks around and line breaks within do not count, and an http address may
    have too few or too many slashes (URL living standard, 4.4). Not normalised; what cannot be joined is left as it is.
    """
    text = _BREAKS.sub("", reference.strip(_BLANKS))
    cut = re.search(r"[?#]", text)
    end = cut.start() if cut else len(text)
    if (scheme := re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text)) and scheme[0].lower() not in ("http:", "https:"):
        return text
    text = text[:end].replace("\\", "/") + text[end:]
    if scheme:
        rest = text[scheme.end() :]
        if not rest.startswith("//") and base.lower().startswith(scheme[0].lower()):
            text = rest  # "http:/a" on http is an address of the same host
        else:
            return f"{scheme[0]}//{rest.lstrip('/')}"
    elif text.startswith("//"):
        text = f"//{text.lstrip('/')}"
    try:
        return urljoin(base, text)
    except ValueError:
        return text


def without_dot_segments(url: str) -> str:
    """Return a normalised URL with "." and ".." in its path resolved, also where they are escaped (RFC 3986, 5.2.4).

    It is what browsers ask for (URL living standard, 4.4) and what a server serves.
    """
    start, mark, query = url.partition("?")
    scheme, slashes, rest = start.partition("://")
    authority, slash, path = rest.partition("/")
    kept: list[str] = []
    segments = path.split("/")
    for number, segment in enumerate(segments, start=1):
        plain = _ESCAPED_DOT.sub(".", segment)
        if plain == "..":
            del kept[-1:]
        elif plain != ".":
            kept.append(segment)
        if plain in (".", "..") and number == len(segments):
            kept.append("")
    return f"{scheme}{slashes}{authority}{slash}{'/'.join(kept)}{mark}{query}"


def equivalent_form(url: str) -> str:
    """Return one form for URLs that differ only in how characters are escaped (RFC 3986, 6.2.2.1 and 6.2.2.2).

    "%2f" is "%2F", "%7e" is "~"; "/" is another than "%2F". For comparing: it is not what goes over the wire.
    """
    return _ESCAPE.sub(_equivalent_escape, url)


def _equivalent_escape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if _UNRESERVED.fullmatch(character) else f"%{match[1].upper()}"


def _authority(authority: str, scheme: str) -> str:
    """Return host and port, the port only where it is not the default. Raises ValueError with a reason for a person."""
    if "@" in authority:
        raise ValueError("has a user name or password in it; Newskeep keeps no credentials")
    if "[" in authority or "]" in authority:
        literal = _BRACKETS.fullmatch(authority)
        if literal is None:
            raise ValueError("has a bad IPv6 address")
        host, port = _ipv6(literal[1]), literal[2] or ""
    else:
        host, _, port = authority.partition(":")
        host = _host(host)
    if not port:
        return host
    if not (port.isascii() and port.isdigit() and len(port) <= 8 and 0 < int(port) < 65536):
        raise ValueError("has a bad port; a port is a number from 1 to 65535")
    return host if int(port) == _DEFAULT_PORTS[scheme] else f"{host}:{int(port)}"


def _ipv6(literal: str) -> str:
    try:
        # A zone ("%eth0") means something on one machine only.
        groups = IPv6Address(literal.replace("%", " ")).packed.hex(":", 2).split(":")
    except ValueError:
        raise ValueError("has a bad IPv6 address") from None
    # Not `compressed`: Python 3.13 writes ::ffff:10.0.0.1 where 3.11 and browsers (WHATWG URL, 3.5) write ::ffff:a00:1.
    text = ":".join(group.lstrip("0") or "0" for group in groups)
    zeros = max(re.finditer(r"\b0(?::0)+\b", text), key=lambda run: len(run[0]), default=None)
    if zeros:
        text = f"{text[: zeros.start()].rstrip(':')}::{text[zeros.end() :].lstrip(':')}"
    return f"[{text}]"


def _host(text: str) -> str:
    """Return a host name as DNS and Host take it."""
    if not text:
        raise ValueError("has no host name")
    host = text.lower() if text.isascii() and "%" not in text else _punycode(text)
    if _IPV4_LIKE.fullmatch(host):
        return _ipv4(host)
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise ValueError("has a bad host name")
    return host


def _ipv4(host: str) -> str:
    # Browsers and resolvers read 127.1, 0x7f.1 and 2130706433 as 127.0.0.1; so must what decides on public addresses.
    try:
        return inet_ntoa(inet_aton(host.removesuffix(".")))
    except OSError:
        raise ValueError("has a bad IPv4 address") from None


def _punycode(host: str) -> str:
    import idna  # 100 ms of tables that few runs need

    try:
        labels = idna.uts46_remap(unquote(host, errors="strict"), std3_rules=False).split(".")
        return ".".join(label if label.isascii() else _alabel(label) for label in labels)
    except UnicodeError:
        raise ValueError("has a bad host name") from None


def _alabel(label: str) -> str:
    import idna

    try:
        return idna.alabel(label).decode("ascii")
    except idna.IDNAError:
        # IDNA 2008 has no emoji, the registries of a few countries do: the older standard takes them.
        return label.encode("idna").decode("ascii")


def _shown(url: str) -> str:
    """Return a URL for a message: one short line, and nothing of what stands before an "@"."""
    if "@" in url:
        url = f"…@{url.rpartition('@')[2]}"
    url = url if len(url) <= 200 else f"{url[:200]}…"
    return url if url.isprintable() else ascii(url)[1:-1]


def site_of(url: str) -> str:
    """Return the host that stands for a URL's site: lower case, ASCII, no port, no leading "www.", fit for a file name.

    The colons of an IPv6 address become hyphens. Raises `InvalidURL`.
    """
    authority = normalize(url).split("/", 3)[2]
    if authority.startswith("["):
        return authority[1:].partition("]")[0].replace(":", "-")
    host = authority.partition(":")[0].rstrip(".")
    bare = host.removeprefix("www.")
    return bare if "." in bare else host


@lru_cache(maxsize=1024)
def surt(url: str) -> str:
    """Return the key under which pywb and cdx-indexer file a URL: "com,example)/path?query".

    Case, "www.", order of the query and session ids are folded, so different URLs may share a key. Never raises: what
    the `surt` package cannot read is its own key, escaped so that it holds no space.
    """
    if plain := _PLAIN.fullmatch(url):
        # The same key twenty times as fast, and without the import.
        scheme, host, port, path = plain.groups()
        shown_port = port if port and port != _OWN_PORTS[scheme] else ""
        return f"{','.join(reversed(host.split('.')))}{shown_port}){path.lower() or '/'}"
    try:
        key = _surt_function()(url)
    except (ValueError, AssertionError, AttributeError):
        key = url
    clean = key.isascii() and key.isprintable() and " " not in key
    return key if clean else quote(key, safe=_PATH_SAFE, errors="replace")


@cache
def _surt_function() -> Callable[[str], str]:
    # On use only: `surt` imports tldextract, and that requests, 0.2 s in all. It calls neither of them for a key.
    with warnings.catch_warnings():
        # Its string literals have escapes that newer Pythons warn about.
        warnings.simplefilter("ignore")
        import surt as package
    return cast("Callable[[str], str]", package.surt)


def surt_prefix(host_or_url: str, match: Match) -> tuple[str, str]:
    """Return the half-open range of keys that a URL, or a host without scheme, matches.

    "exact": the URL's key; "prefix": what begins like it; "host": all of its host and port; "ports": all of its host on
    other ports than the default; "domain": its host and the hosts below, on default ports. The ranges are pywb's.
    """
    url = host_or_url.strip()
    # "localhost:8000" is a host and a port, "urn:x" a scheme and its rest.
    key = surt(url if "://" in url or re.match(r"[^:/?#]+:(?!\d)", url) else f"http://{url}")
    host = key.partition(")")[0]
    if match == "exact":
        # "!" is the first character that a key can hold.
        return key, f"{key}!"
    if match == "host":
        return f"{host})", f"{host}*"
    if match == "ports":
        return f"{host}:", f"{host};"
    if match == "domain":
        return f"{host})", f"{host}-"
    if url[-1:] in {"/", "?"} and not key.endswith(url[-1]):
        key += url[-1]
    return key, key[:-1] + chr(ord(key[-1]) + 1)


def surt_ranges(host_or_url: str, match: Match) -> tuple[tuple[str, str], ...]:
    """Return the ranges of `surt_prefix` that a person means; a "host" without a port is that host on every port."""
    matches: tuple[Match, ...] = (match,)
    if match == "host" and ":" not in surt_prefix(host_or_url, "host")[0]:
        matches = ("host", "ports")
    return tuple(surt_prefix(host_or_url, each) for each in matches)


def timestamp14(time: datetime) -> str:
    """Return an aware time as 14 digits in UTC, cut to whole seconds."""
    if time.tzinfo is None:
        raise ValueError(f"{time} has no zone")
    utc = time.astimezone(UTC)
    return f"{utc.year:04}{utc.month:02}{utc.day:02}{utc.hour:02}{utc.minute:02}{utc.second:02}"


def parse_moment(text: str) -> datetime:
    """Return the time that was written down in ISO 8601, in UTC. Raises ValueError, also where it has no zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return moment.astimezone(UTC)


def parse_timestamp(text: str, pad: Pad = "end") -> datetime:
    """Return the time that a person or a URL means, in UTC; what has no zone is in UTC.

    Takes 1 to 14 digits, as in a Wayback URL, and ISO 8601 dates and times. What is left out is filled up to the end
    of the period, as pywb does ("2026" is its last second), or with `pad="start"` to its beginning.
    Raises `UsageError`.
    """
    text = text.strip()
    digits = text.replace("-", "") if re.fullmatch(r"\d{4}-\d\d(-\d\d)?", text, re.ASCII) else text
    try:
        if digits.isdigit():
            return _from_digits(digits, pad)
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{_shown(text)}: not a time; write 20261121220000, 2026-11-21 or 2026-11-21T22:00:00+01:00"
        ) from None


def _from_digits(digits: str, pad: Pad) -> datetime:
    if not re.fullmatch(r"\d{1,14}", digits, re.ASCII):
        raise ValueError(digits)
    full = digits + ("9" if pad == "end" else "0") * (14 - len(digits))
    year = int(full[:4]) or (1 if len(digits) < 4 else 0)
    values = [year]
    for start, low, high in ((4, 1, 12), (6, 1, 31), (8, 0, 23), (10, 0, 59), (12, 0, 59)):
        value = int(full[start : start + 2])
        # Only what we filled in is bent to fit; a thirteenth month that was written is an error.
        if len(digits) < start + 2:
            last = monthrange(year, values[1])[1] if start == 6 else high
            value = min(max(value, low), last)
        values.append(value)
    _, month, day, hour, minute, second = values
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)

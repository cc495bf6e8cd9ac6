"""Files of cookies as browsers and their add-ons export them: Netscape's cookies.txt, and JSON.

JSON is a list of objects, or an object with such a list as `cookies` (Playwright's storage state). Each has `name`,
`value` and `domain`, and may have `path`, `secure`, `httpOnly`, `hostOnly`, and its end as `expirationDate`, `expires`
or `expiry`, in seconds since 1970.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from http.cookiejar import Cookie
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crawler.subscriptions.references import mind_readers
from storage.errors import ConfigError, InvalidURL
from storage.urls import normalize

logger = logging.getLogger(__name__)

#: Bytes; a browser keeps a few thousand cookies.
_FILE_MAX = 16 * 1024 * 1024
_HTTP_ONLY = "#HttpOnly_"
#: Later than any date in seconds, and earlier than all in milliseconds.
_SECONDS_MAX = 1e11
_ENDS = ("expirationDate", "expires", "expiry", "expiration")
_NAME = re.compile(r"[^\x00-\x20\x7f;=,]+")
_VALUE = re.compile(r"[^\x00-\x1f\x7f;]*")


def read_cookies(path: Path, where: str) -> list[Cookie]:
    """Return the cookies of a file that have not expired.

    A browser has odd ones: an entry that is no cookie is left out with a warning, where there are others.
    Raises `ConfigError`, which begins with `where` and names the line or entry, never a value.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_FILE_MAX + 1)
    except OSError as error:
        raise ConfigError(f"{where}: cannot read {path}: {error.strerror}") from error
    if len(content) > _FILE_MAX:
        raise ConfigError(f"{where}: {path} is larger than {_FILE_MAX >> 20} MiB")
    try:
        text = content.decode("utf-8-sig")
        found = _cookies(_json(text) if text.lstrip()[:1] in ("[", "{") else _netscape(text), path)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where}: {path} is no text in UTF-8") from error
    except ValueError as error:
        raise ConfigError(f"{where}: {path}: {error}") from error
    now = int(time.time())
    fresh = [cookie for cookie in found if not cookie.is_expired(now)]
    if not fresh:
        raise ConfigError(f"{where}: {path}: all its cookies have expired; export them from the browser again")
    mind_readers(path, "the cookies")
    return fresh


def _cookies(entries: Iterable[tuple[str, Mapping[str, Any]]], path: Path) -> list[Cookie]:
    """The cookies of entries, each with its place; one that is none is left out and told.

    Raises ValueError where there are none.
    """
    found, odd = [], []
    for place, entry in entries:
        try:
            found.append(_cookie(place, entry))
        except ValueError as error:
            odd.append(str(error))
    if not found:
        raise ValueError(odd[0] if odd else "no cookies in it")
    if odd:
        logger.warning("%s: %s; left out%s", path, odd[0], f", as {len(odd) - 1} more" if len(odd) > 1 else "")
    return found


def _netscape(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.removesuffix("\r").removeprefix(_HTTP_ONLY)
        if not bare.strip() or bare.startswith("#"):
            continue
        fields = bare.split("\t")
        if len(fields) not in (6, 7):
            raise ValueError(
                f"line {number} has {len(fields)} fields, not the seven of cookies.txt with tabs between; "
                "a cookie file is cookies.txt or JSON"
            )
        domain, below, path, secure, end, name, value = [*fields, ""][:7]
        entry = {"domain": domain, "path": path, "secure": secure.upper() == "TRUE", "name": name, "value": value}
        yield f"line {number}", {**entry, "hostOnly": below.upper() != "TRUE", "expires": end}


def _json(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        held = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        # The decoder's message shows no content.
        raise ValueError(f"no JSON: {error}") from None
    entries = held.get("cookies") if isinstance(held, dict) else held
    if not isinstance(entries, list):
        raise ValueError("JSON of cookies is a list of objects, or an object with such a list as `cookies`")
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise ValueError(f"entry {number} is no object")
        yield f"entry {number}", entry


def _cookie(where: str, entry: Mapping[str, Any]) -> Cookie:
    """A cookie of its fields. Raises ValueError, which begins with `where`."""
    name, value, domain = (entry.get(key, "") for key in ("name", "value", "domain"))
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{where} has no name, or none that a cookie can have")
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        raise ValueError(f"{where} ({name}) has a value that a cookie cannot have")
    if not isinstance(domain, str) or not domain.strip("."):
        raise ValueError(f"{where} ({name}) has no domain")
    # Only the host itself, where nothing says otherwise (RFC 6265, 5.3).
    below = not entry["hostOnly"] if isinstance(entry.get("hostOnly"), bool) else domain.startswith(".")
    path = entry.get("path")
    end = _end(entry, where)
    return Cookie(
        version=0,
        name=name,
        value=value,
        port=None,
        port_specified=False,
        domain=_domain(domain, below, f"{where} ({name})"),
        domain_specified=below,
        domain_initial_dot=below,
        path=path if isinstance(path, str) and path.startswith("/") else "/",
        path_specified=True,
        secure=bool(entry.get("secure")),
        expires=end,
        discard=end is None,
        comment=None,
        comment_url=None,
        rest={},
    )


def _domain(domain: str, below: bool, where: str) -> str:
    """A domain as http.cookiejar has it: with a dot before one whose hosts below count, `.local` behind a bare name."""
    try:
        host = urlsplit(normalize(f"http://{domain.strip('.')}/")).hostname or ""
    except InvalidURL as error:
        raise ValueError(f"{where}: its domain {error.reason}") from None
    if below:
        return f".{host}"
    return host if "." in host or ":" in host else f"{host}.local"


def _end(entry: Mapping[str, Any], where: str) -> int | None:
    """When a cookie expires, in seconds since 1970; `None` for one of a session."""
    given = next((entry[key] for key in _ENDS if entry.get(key) not in (None, "")), None)
    try:
        end = float(given) if given is not None else 0.0
    except (TypeError, ValueError):
        raise ValueError(f"{where} ends at no number of seconds since 1970") from None
    if not 0 < end < _SECONDS_MAX * 1_000:
        return None
    return int(end if end < _SECONDS_MAX else end / 1_000)

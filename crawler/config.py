"""newskeep.toml and NEWSKEEP_* variables as one typed, frozen value."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any, get_args, get_type_hints
from urllib.parse import quote

from crawler import defaults
from crawler.spider_modules import spider_modules
from crawler.subscriptions.references import anchor, is_reference, mind_readers, resolve
from crawler.versions import version_of
from storage.errors import ConfigError, UsageError
from storage.objects.retention import Mode, ObjectLock
from storage.postgres_address import PostgresAddress

DEFAULT_FILE = Path("newskeep.toml")
_PREFIX = "NEWSKEEP_"
#: Variables that stand for no key: the file itself, what `serve` asks of its visitors, and where pywb is.
_OTHER_VARIABLES = ("CONFIG", "WEB_TOKEN", "WEB_USER", "PYWB")
_SERVICE = re.compile(r"SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)?")
_MAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class Config:
    """What can be set for every command. A command-line option goes before a variable, a variable before the file."""

    #: A folder, file://… or s3://bucket/prefix.
    archive: str = "archive"
    #: Folder for what is local to this machine; `None`: in a folder archive itself, else the user's state folder.
    state: str | None = None
    #: A PostgreSQL database for an index that machines share, postgresql://USER@HOST/DATABASE; references may stand in
    #: it. `None`: the index is a file in `state`.
    index: str | None = field(default=None, repr=False)
    #: The PostgreSQL database that jobs for many machines wait in, in the same form; `None`: that of `index`.
    queue: str | None = field(default=None, repr=False)
    #: A web page or e-mail address where you can be reached: in the user agent and in every WARC.
    operator: str | None = None
    #: The whole User-Agent field; `None`: newskeep, its version and the operator.
    user_agent: str | None = None
    #: The file of the private key (PEM, Ed25519) that requests are signed with; `None`: they are not.
    signing_key: str | None = None
    #: Where the directory with its public key is, https://HOST; `None`: where `public_url` is.
    signature_agent: str | None = None
    #: Whether robots.txt is obeyed.
    robots: bool = True
    #: Whether crawls of sites ask each host once a day for what it says of text and data mining (TDMRep).
    tdmrep: bool = False
    #: What becomes of pages that say `noarchive`: "keep" marks them, "refuse" does not archive them.
    noarchive: defaults.NoarchivePolicy = defaults.NOARCHIVE
    #: Longest Retry-After that is waited for, in seconds.
    max_wait: float = defaults.RETRY_AFTER_MAX
    #: Whether addresses that are not public may be fetched.
    allow_private: bool = False
    #: Whether servers with a bad TLS certificate, or an old version of TLS, are fetched from; it is marked.
    insecure: bool = False
    #: A file of certificates in PEM, trusted beside the roots of the system.
    ca_file: str | None = None
    #: Seconds that one request may take.
    timeout: float = defaults.DOWNLOAD_TIMEOUT
    #: Seconds between two requests to a host; `None`: 0 for a list of URLs, for a site as it says, mostly 1.
    delay: float | None = None
    #: Bytes of a body; more is cut.
    max_size: int = defaults.DOWNLOAD_MAXSIZE
    #: Requests under way at once, over all hosts.
    concurrency: int = defaults.CONCURRENT_REQUESTS
    #: A proxy, such as http://127.0.0.1:3128 or socks5://127.0.0.1:1080; credentials in it are never recorded.
    proxy: str | None = None
    #: Whether names are left to the proxy; else they are looked up here and must be of public addresses.
    trust_proxy: bool = False
    #: Whether the text of pages is made; without, `newskeep reextract` makes it later.
    text: bool = True
    #: Worker processes that extract text; 0: by the number of cores.
    workers: int = 0
    #: Which pages are shown by a browser: "never", "when-needed" (those without text but for scripts) or "always".
    render: defaults.Render = defaults.RENDER
    #: Chromium, where it is not the first on the PATH.
    chromium: str | None = None
    #: A file of hosts that rendered pages do not ask: a hosts file, or domain rules of an ad blocker.
    blocklist: str | None = None
    #: Whether a picture, and a PDF, of each page that is rendered are kept.
    screenshot: bool = False
    pdf: bool = False
    #: Bytes at which a WARC is sealed.
    warc_max_bytes: int = defaults.WARC_MAX_BYTES
    #: Seconds after which a WARC is sealed.
    warc_max_age: float = defaults.WARC_MAX_AGE
    #: Bytes that may wait here while the object store is away.
    spool_max_bytes: int = defaults.SPOOL_MAX_BYTES
    #: Bytes that crawls leave free on the disk of the spool; where less is free they stop in good order. 0: none.
    min_free: int = defaults.MIN_FREE
    #: An address that is told when `due` starts, ends well or fails (healthchecks.io and its like); never recorded.
    ping: str | None = None
    #: Addresses of time authorities (RFC 3161) that stamp what the log of the archive says.
    time_authorities: tuple[str, ...] = ()
    #: The mode of the retention that WARCs, CDXJ and logs get in a bucket with Object Lock; `None`: they get none.
    object_lock: Mode | None = None
    #: Days of that retention.
    object_lock_days: int = 0
    #: How readers reach `newskeep serve`: links of alerts lead there.
    public_url: str | None = None
    #: Modules with spider classes of your own; they may lie beside the file.
    spider_modules: tuple[str, ...] = ()
    #: The tables `[sites.NAME]` as they stand in `file`; crawler.sites.site reads them.
    sites: Mapping[str, Any] = field(default_factory=dict)
    #: The tables `[alerts.NAME]` and `[smtp]` as they stand there; newskeep.alerts reads them.
    alerts: Mapping[str, Any] = field(default_factory=dict, repr=False)
    smtp: Mapping[str, Any] = field(default_factory=dict, repr=False)
    file: Path | None = None

    @property
    def lock(self) -> ObjectLock | None:
        """The retention of new objects. Raises `ConfigError` where its days are missing."""
        return ObjectLock(self.object_lock, self.object_lock_days) if self.object_lock else None

    @property
    def shared_index(self) -> str | None:
        """The address of the shared index, with what its references stand for. Raises `ConfigError`."""
        return resolved_address(self.index, "index")

    @property
    def job_queue(self) -> str | None:
        """The address of the database with the jobs, by default that of the index. Raises `ConfigError`."""
        return resolved_address(self.queue, "queue") if self.queue else self.shared_index

    @property
    def agent(self) -> str | None:
        """The address whose host serves our key directory."""
        return self.signature_agent or self.public_url

    def scrapy_settings(self) -> dict[str, Any]:
        """The same as overrides of crawler.settings; a spider module that cannot be imported raises `ConfigError`."""
        settings: dict[str, Any] = {
            "ARCHIVE": self.archive,
            "STATE": self.state,
            "INDEX": self.index,
            "OBJECT_LOCK": self.object_lock,
            "OBJECT_LOCK_DAYS": self.object_lock_days,
            "ROBOTSTXT_OBEY": self.robots,
            "TDMREP": self.tdmrep,
            "NOARCHIVE": self.noarchive,
            "RETRY_AFTER_MAX": self.max_wait,
            "ALLOW_PRIVATE_ADDRESSES": self.allow_private,
            "INSECURE": self.insecure,
            "CA_FILE": self.ca_file,
            "DOWNLOAD_TIMEOUT": self.timeout,
            "DOWNLOAD_DELAY": defaults.LIST_DELAY if self.delay is None else self.delay,
            "DOWNLOAD_MAXSIZE": self.max_size,
            "CONCURRENT_REQUESTS": self.concurrency,
            "EXTRACTION": self.text,
            "EXTRACTION_WORKERS": self.workers,
            "RENDER": self.render,
            "CHROMIUM": self.chromium,
            "BLOCKLIST": self.blocklist,
            "SCREENSHOT": self.screenshot,
            "PDF": self.pdf,
            "WARC_MAX_BYTES": self.warc_max_bytes,
            "WARC_MAX_AGE": self.warc_max_age,
            "SPOOL_MAX_BYTES": self.spool_max_bytes,
            "MIN_FREE": self.min_free,
            "PROXY": self.proxy,
            "TRUST_PROXY": self.trust_proxy,
            "OPERATOR": self.operator,
            "SIGNING_KEY": self.signing_key,
            "SIGNATURE_AGENT": self.agent,
            "CONFIG_FILE": str(self.file) if self.file else None,
            "SPIDER_MODULES": spider_modules(self.spider_modules, self.file),
        }
        if sender := sent_from(self.operator):
            settings["DEFAULT_REQUEST_HEADERS"] = {**defaults.REQUEST_FIELDS, **sender}
        if self.user_agent:
            settings["USER_AGENT"] = self.user_agent
        elif self.operator:
            settings["USER_AGENT"] = user_agent(self.operator)
        return settings


def resolved_address(address: str | None, key: str) -> str | None:
    """An address of PostgreSQL, with what its references stand for, as URLs have it. Raises `ConfigError`."""
    return resolve(address, key, form=partial(quote, safe="")) if address else None


def user_agent(operator: str | None) -> str:
    """The User-Agent field of an operator."""
    return f"newskeep/{version_of('newskeep')}" + (f" (+{operator})" if operator else "")


def sent_from(operator: str | None) -> dict[str, str]:
    """The From field (RFC 9110, 10.1.2) of an operator who is reached by e-mail; empty for others."""
    address = (operator or "").removeprefix("mailto:")
    return {"From": address} if _MAIL.fullmatch(address) else {}


def examine(file: Path | None = None, environ: Mapping[str, str] = os.environ) -> tuple[Config, list[str]]:
    """Read the configuration without what is wrong in it, and return it with every mistake, a line each."""
    mistakes: list[str] = []
    values: dict[str, Any] = {}
    try:
        path = _file(file, environ)
        table = _table(path) if path else {}
    except ConfigError as error:
        path, table = None, {}
        mistakes.append(str(error))
    types = _types()
    for key, value in table.items():
        try:
            values |= _entry(path, key, value, types)
        except ConfigError as error:
            mistakes.append(str(error))
    for key, kind in types.items():
        try:
            values |= _variable(environ, key, kind)
        except ConfigError as error:
            mistakes.append(str(error))
    return replace(Config(), **values, file=path), mistakes


def load(file: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration from a file and the environment.

    `file` goes before the one that NEWSKEEP_CONFIG names, and that before ./newskeep.toml, if it is there.

    Raises `ConfigError`, which names the file or variable and the key.
    """
    values: dict[str, Any] = {}
    types = _types()
    if path := _file(file, environ):
        for key, value in _table(path).items():
            values |= _entry(path, key, value, types)
    for key, kind in types.items():
        values |= _variable(environ, key, kind)
    return replace(Config(), **values, file=path)


def variables_without_effect(environ: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Yield a line for each variable NEWSKEEP_… that configures nothing, with the one that was likely meant.

    Not for those that Kubernetes sets where a service is called newskeep.
    """
    known = [*(key.upper() for key in _types()), *_OTHER_VARIABLES]
    if any(name.startswith(f"{_PREFIX}S3_") for name in environ):
        # With it comes boto3, which who sets one of these needs anyway.
        from storage.objects.s3.settings import CHOICES, NUMBERS

        known += [f"S3_{name.upper()}" for name in (*CHOICES, *NUMBERS)]
    for name in sorted(environ):
        key = name.removeprefix(_PREFIX)
        if key != name and environ[name] and key not in known and not _SERVICE.fullmatch(key):
            near = difflib.get_close_matches(key, known, 1)
            yield f"the variable {name} has no effect{f'; did you mean {_PREFIX}{near[0]}?' if near else ''}"


def _file(file: Path | None, environ: Mapping[str, str]) -> Path | None:
    if file is None and (named := environ.get(f"{_PREFIX}CONFIG")):
        return Path(named)
    return file or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)


def _table(path: Path) -> dict[str, Any]:
    try:
        # Windows' editors begin a file with a byte order mark.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}: is not UTF-8 (at line {line}); save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error


def _entry(path: Path | None, key: str, value: Any, types: Mapping[str, Any]) -> dict[str, Any]:
    """One key of the file, with its value as `Config` has it."""
    if key in _TABLES:
        if not isinstance(value, dict):
            raise ConfigError(f"{path}: {key} must be {_TABLES[key]}")
        return {key: value}
    if key not in types:
        raise ConfigError(f"{path}: unknown key {key!r}{_similar(key, types)}")
    value = _checked(f"{path}: {key}", value, types[key])
    if key in _FILES and value and path is not None:
        value = str(path.parent / value)
    if key in _SERVERS and path is not None:
        _mind_password(path, key, value)
        value = anchor(value, path.parent)
    return {key: value}


def _mind_password(path: Path, key: str, address: str) -> None:
    try:
        if not is_reference(address) and PostgresAddress.parse(address).has_password:
            mind_readers(path, f"the password of the {key}")
    except UsageError as error:
        raise ConfigError(f"{path}: {key}: {error}") from None


def _variable(environ: Mapping[str, str], key: str, kind: Any) -> dict[str, Any]:
    """The same of the variable for a key; nothing where it is not set, or empty."""
    text = environ.get(name := _PREFIX + key.upper())
    return {key: _parsed(name, text, kind)} if text else {}


def _types() -> dict[str, Any]:
    """Key -> bool, int, float, str, tuple (of texts) or a Literal of texts."""
    hints = get_type_hints(Config)
    return {
        name: _OPTIONAL.get(hints[name], hints[name])
        for name in (item.name for item in fields(Config))
        if name not in _NOT_KEYS
    }


def _checked(name: str, value: Any, kind: Any) -> Any:
    if choices := get_args(kind):
        return _chosen(name, value, choices)
    if kind is float and type(value) is int:
        value = float(value)
    if kind is tuple and isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = tuple(value)
    if type(value) is not kind:
        raise ConfigError(f"{name} must be {_NAMES[kind]}, not {value!r}")
    return _bounded(name, value)


def _parsed(name: str, text: str, kind: Any) -> Any:
    if choices := get_args(kind):
        return _chosen(name, text, choices)
    if kind is bool:
        if text.lower() not in _TRUE | _FALSE:
            raise ConfigError(f"{name} must be true or false, not {text!r}")
        return text.lower() in _TRUE
    if kind is tuple:
        return tuple(each.strip() for each in text.split(",") if each.strip())
    try:
        return _bounded(name, kind(text))
    except ValueError as error:
        raise ConfigError(f"{name} must be {_NAMES[kind]}, not {text!r}") from error


def _chosen(name: str, value: Any, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        known = " or ".join(f'"{each}"' for each in choices)
        raise ConfigError(f"{name} must be {known}, not {value!r}")
    return value


def _bounded(name: str, value: Any) -> Any:
    if isinstance(value, int | float) and value < 0:
        raise ConfigError(f"{name} must not be negative")
    if isinstance(value, float) and not isfinite(value):
        raise ConfigError(f"{name} must be a number, not {value}")
    return value


def _similar(key: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"


#: Fields of `Config` that are tables, and what these look like.
_TABLES = {
    "sites": "tables, such as [sites.example]",
    "alerts": "tables, such as [alerts.example]",
    "smtp": "a table, [smtp]",
}
#: Keys that are addresses of PostgreSQL.
_SERVERS = {"index", "queue"}
#: Keys that name a file, which the configuration has beside it, from whatever folder it is used.
_FILES = {"signing_key", "ca_file", "blocklist"}
#: Fields that are no keys of their own.
_NOT_KEYS = {*_TABLES, "file"}
_OPTIONAL: dict[Any, Any] = {str | None: str, Mode | None: Mode, float | None: float, tuple[str, ...]: tuple}
_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", tuple: "a list of texts"}

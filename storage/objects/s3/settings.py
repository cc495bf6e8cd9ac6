"""How a bucket is spoken to: what AWS's own variables do not say, from NEWSKEEP_S3_* and the URI's query.

Nothing here is secret: credentials come from the AWS variables, profiles or the machine's role alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from storage.errors import ConfigError, UsageError
from storage.objects import KEY_MAX_BYTES, is_key

CHOICES = {
    "addressing": ("auto", "path", "virtual"),
    "checksums": ("when_required", "when_supported"),
    "conditional": ("on", "off"),
    "verify": ("read", "stat"),
}
#: Settings that are numbers, and the least that makes sense.
NUMBERS: Mapping[str, tuple[type[int] | type[float], float]] = {
    "attempts": (int, 1),
    "connect_timeout": (float, 0.001),
    "read_timeout": (float, 0.001),
}
#: Settings that name a place and so stand in the URI; each has an AWS variable of its own.
PLACES = ("endpoint", "region", "profile")

BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}", re.ASCII)


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Times in seconds, sizes in bytes. `docs/object-storage.md` tells which service needs what."""

    #: "path": bucket in the path, "virtual": in the host name; "auto": path where an endpoint is set, AWS's way if not.
    addressing: str = "auto"
    #: "when_supported" adds CRC headers that services other than AWS often refuse.
    checksums: Literal["when_required", "when_supported"] = "when_required"
    #: Send If-None-Match with new objects. Turned off by itself where the server says that it has none.
    conditional: str = "on"
    #: "read": read every object back after writing it; "stat": believe its size and the digest stored with it.
    verify: str = "read"
    endpoint: str | None = None
    region: str | None = None
    profile: str | None = None
    #: Tries for each request, the first one counted; also how often an object that came out wrong is written.
    attempts: int = 5
    #: For one address of the endpoint.
    connect_timeout: float = 5.0
    #: For how long nothing need move while an endpoint is looked up, connected, written to or read from. Then it is
    #: away, and not tried again: as long as this a frozen server freezes us. How long a request works is not bounded.
    read_timeout: float = 20.0
    #: How often one stream is taken up again where it broke off.
    resumes: int = 5
    #: Objects larger than this go up in parts. A part is this large, unless 10,000 of them are too few.
    part_bytes: int = 16 << 20
    #: Parts on their way at once; each is held in memory.
    part_threads: int = 4
    #: Connections kept open; at least as many as there are threads.
    connections: int = 16

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ConfigError(f"S3 {name}: {getattr(self, name)!r} is none of {', '.join(allowed)}")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read NEWSKEEP_S3_<NAME> for the names in CHOICES and NUMBERS; an empty variable counts as unset."""
        settings = cls()
        for name in (*CHOICES, *NUMBERS):
            variable = f"NEWSKEEP_S3_{name.upper()}"
            if value := environment.get(variable):
                try:
                    overrides: dict[str, Any] = {name: _number(name, value) if name in NUMBERS else value.lower()}
                    settings = replace(settings, **overrides)
                except ConfigError as error:
                    raise ConfigError(f"{variable}: {error}") from None
        # boto3 reads AWS_DEFAULT_REGION alone, all of AWS's other tools this one too.
        if not environment.get("AWS_DEFAULT_REGION"):
            settings = replace(settings, region=environment.get("AWS_REGION") or None)
        return settings


def _number(name: str, text: str) -> float:
    kind, least = NUMBERS[name]
    try:
        number = kind(text)
    except ValueError:
        number = kind(0)
    if not least <= number < float("inf"):
        raise ConfigError(f"S3 {name}: {text!r} is no {'whole number' if kind is int else 'number'} above 0")
    return number


@dataclass(frozen=True, slots=True)
class S3Address:
    """The parts of `s3://bucket/prefix?setting=value`."""

    bucket: str
    #: "" or with a slash at its end.
    prefix: str
    #: What the query says, by the names of `S3Settings`.
    settings: Mapping[str, Any]

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Raises `UsageError`; the message never repeats what may be a secret."""
        parts = urlsplit(uri)
        if "@" in parts.netloc:
            raise UsageError("s3://…@…: no credentials in an address; set AWS_PROFILE or the AWS_* variables")
        if not BUCKET.fullmatch(parts.netloc) or parts.fragment:
            raise UsageError(f"s3://{parts.netloc}: a bucket's address is s3://bucket/prefix")
        prefix = parts.path.strip("/")
        if prefix and (not is_key(prefix) or len(prefix) > 1000 - KEY_MAX_BYTES):
            raise UsageError(f"s3://{parts.netloc}{parts.path}: cannot be the start of an object's key")
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        if "@" in given.get("endpoint", ""):
            raise UsageError(
                f"s3://{parts.netloc}: no credentials in the endpoint; set AWS_PROFILE or the AWS_* variables"
            )
        allowed = {field.name for field in fields(S3Settings)} & {*CHOICES, *PLACES}
        if unknown := sorted(given.keys() - allowed):
            raise UsageError(
                f"s3://{parts.netloc}: unknown setting {unknown[0]!r}; there are {', '.join(sorted(allowed))}"
            )
        return cls(parts.netloc, prefix + "/" if prefix else "", given)

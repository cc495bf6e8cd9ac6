"""Was a request ours? Its signature held against our keys."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature

from crawler.identity.key import Identity
from crawler.identity.signatures import LABEL, TAG, Target, base_of
from storage.http import HttpMessage

_INPUT = re.compile(rf"{LABEL}=(\((?:[^()]*)\)[^,]*)")
_SIGNATURE = re.compile(rf"{LABEL}=:([A-Za-z0-9+/=]{{1,200}}):")
_AGENT = re.compile(rf'{LABEL}="([^"\\]{{1,500}})"')
_NUMBER = re.compile(r";(created|expires)=(\d{1,12})")
_TEXT = re.compile(r';(keyid|tag)="([^"\\]{1,200})"')
_REQUEST_LINE = re.compile(rb"([A-Za-z]+) (\S+) HTTP/1\.[01]\r?\n")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one of our keys has signed a request, and what it says or is wrong, in words."""

    is_ours: bool
    told: str
    keyid: str | None = None
    created: datetime | None = None
    expires: datetime | None = None


def check_request(request: bytes, identities: Iterable[Identity]) -> Verdict:
    """Hold a request, as on the wire, against our keys.

    What it asks for, of whom, and when are part of what is signed. A signature that has run out was ours then, and
    is no word on who sends it now: anybody may send again what they once saw.
    """
    message = HttpMessage.parse(request)
    line = _REQUEST_LINE.match(message.head)
    parameters, signature = (_field(message, name, form) for name, form in _FIELDS)
    agent = _field(message, "signature-agent", _AGENT)
    if line is None:
        return Verdict(False, "it is no HTTP/1 request")
    if parameters is None or signature is None or agent is None:
        return Verdict(False, "it is not signed, or not as we sign")
    said = dict([*_NUMBER.findall(parameters), *_TEXT.findall(parameters)])
    keyid, created, expires = said.get("keyid"), _moment(said.get("created")), _moment(said.get("expires"))
    if said.get("tag") != TAG or created is None or expires is None:
        return Verdict(False, "it is not signed as Web Bot Auth wants it", keyid)
    identity = next((each for each in identities if each.thumbprint == keyid), None)
    if identity is None:
        return Verdict(False, f"it is signed with another key: {keyid}", keyid, created, expires)
    target = _target(message, line)
    base = base_of(target.components(agent), parameters) if target else b""
    about = (keyid, created, expires)
    if not target or not _covers(parameters, target, agent) or not _is_signed(identity, signature, base):
        return Verdict(False, "it names our key, but is not what was signed: it was changed, or forged", *about)
    return Verdict(True, f"it was signed with our key for {target.method} {target.authority}{target.path}", *about)


_FIELDS = (("signature-input", _INPUT), ("signature", _SIGNATURE))


def _field(message: HttpMessage, name: str, form: re.Pattern[str]) -> str | None:
    """The part of a field that is ours; `None` where it is not there, or there twice: then two readers may differ."""
    values = [value for key, value in message.headers if key.lower() == name]
    found = form.fullmatch(values[0].strip()) if len(values) == 1 else None
    return found[1] if found else None


def _moment(seconds: str | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds or ""), UTC)
    except (ValueError, OverflowError):
        return None


def _target(message: HttpMessage, line: re.Match[bytes]) -> Target | None:
    hosts = [value for key, value in message.headers if key.lower() == "host"]
    target = line[2].decode("latin-1")
    if len(hosts) != 1:
        return None
    # Sent to a proxy, it names the whole address.
    scheme, is_absolute, rest = target.partition("://")
    if is_absolute and not target.startswith("/"):
        target = f"/{rest.partition('/')[2]}"
    # The scheme says which port is not named; what we sign never names one that is a scheme's own.
    return Target.of(line[1].decode(), target, hosts[0], scheme if is_absolute else "")


def _covers(parameters: str, target: Target, agent: str) -> bool:
    covered = " ".join(name for name, _ in target.components(agent))
    return parameters.startswith(f"({covered})")


def _is_signed(identity: Identity, signature: str, base: bytes) -> bool:
    try:
        identity.key.public_key().verify(base64.b64decode(signature, validate=True), base)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True

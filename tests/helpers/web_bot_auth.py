"""A verifier of Web Bot Auth as a server has it: written from the drafts and RFCs, with nothing of ours.

RFC 9421 (signatures), RFC 9651 (structured fields, by http_sf), RFC 7638 and RFC 8037, A.3 (thumbprints),
draft-ietf-webbotauth-httpsig-protocol (what a request must say).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import http_sf
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Refused(Exception):
    """The request is not signed as the drafts want it."""


Jwks = Mapping[str, Any]


def verify(request: bytes, jwks: Jwks, agent: str, now: float, scheme: str = "http") -> dict[str, Any]:
    """Return the parameters of a request's signature. Raises `Refused` for what a careful server would not take."""
    line, fields = _parsed(request)
    method, target, _ = line.split(" ")
    label, components, parameters = _chosen(fields)
    if parameters["tag"] != "web-bot-auth" or parameters.get("alg", "ed25519") != "ed25519":
        raise Refused("another tag or algorithm")
    if not parameters["created"] - 5 <= now <= parameters["expires"] <= parameters["created"] + 24 * 3600:
        raise Refused("not now")
    key = next((each for each in jwks["keys"] if thumbprint(each) == parameters["keyid"]), None)
    if key is None:
        raise Refused("another key")
    names = [name for name, _ in components]
    if not {"@authority", "@target-uri"} & set(names) or "signature-agent" not in names:
        raise Refused("too little is signed")
    base = [f"{_identifier(each)}: {_value(each, method, target, fields, scheme)}" for each in components]
    base.append(f'"@signature-params": {_written(components, parameters)}')
    signature, _ = _dictionary(fields, "signature")[label]
    try:
        _public(key).verify(signature, "\n".join(base).encode())
    except InvalidSignature:
        raise Refused("not what was signed") from None
    if _member(fields, agent_of(components)) != agent:
        raise Refused("another agent")
    return dict(parameters)


def verify_directory(fields: Mapping[str, str], body: bytes, authority: str, now: float) -> Jwks:
    """Return a key directory whose answer is signed by each of its keys for the authority that was asked."""
    jwks: Jwks = json.loads(body)
    ((label, (components, parameters)),) = _dictionary(fields, "signature-input").items()
    if (
        parameters["tag"] != "http-message-signatures-directory"
        or not parameters["created"] - 5 <= now <= parameters["expires"]
    ):
        raise Refused("another tag, or not now")
    if [(name, dict(flags)) for name, flags in components] != [("@authority", {"req": True})]:
        raise Refused("not for an authority")
    (key,) = jwks["keys"]
    if not thumbprint(key) == key["kid"] == parameters["keyid"]:
        raise Refused("another key")
    base = f'"@authority";req: {authority}\n"@signature-params": {_written(components, parameters)}'
    try:
        _public(key).verify(_dictionary(fields, "signature")[label][0], base.encode())
    except InvalidSignature:
        raise Refused("not what was signed") from None
    return jwks


def thumbprint(jwk: Mapping[str, str]) -> str:
    required = {name: jwk[name] for name in ("crv", "kty", "x")}
    digest = hashlib.sha256(json.dumps(required, separators=(",", ":"), sort_keys=True).encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def agent_of(components: list[Any]) -> str:
    return next(str(flags["key"]) for name, flags in components if name == "signature-agent")


def _parsed(request: bytes) -> tuple[str, dict[str, str]]:
    head = request.partition(b"\r\n\r\n")[0].decode("latin-1")
    line, *lines = head.split("\r\n")
    fields: dict[str, str] = {}
    for each in lines:
        name, _, value = each.partition(":")
        name, value = name.lower(), value.strip()
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return line, fields


def _dictionary(fields: Mapping[str, str], name: str) -> dict[str, Any]:
    if name not in fields:
        raise Refused(f"no {name}")
    try:
        found: Any = http_sf.parse(fields[name].encode(), tltype="dictionary")
        return dict(found)
    except Exception as error:
        raise Refused(f"{name} is no dictionary") from error


def _chosen(fields: Mapping[str, str]) -> tuple[str, list[Any], dict[str, Any]]:
    for label, (components, parameters) in _dictionary(fields, "signature-input").items():
        if {"tag", "created", "expires", "keyid"} <= set(parameters):
            return label, components, parameters
    raise Refused("no signature with all that it must say")


def _written(value: Any, parameters: Mapping[str, Any]) -> str:
    """An item, or a list of items, with its parameters (RFC 9651, 4.1)."""
    whole: Any = [(value, dict(parameters))] if isinstance(value, list) else (value, dict(parameters))
    return str(http_sf.ser(whole))


def _identifier(component: tuple[str, Mapping[str, Any]]) -> str:
    return _written(component[0], component[1])


def _value(component: tuple[str, Any], method: str, target: str, fields: Mapping[str, str], scheme: str) -> str:
    name, flags = component
    path, mark, query = target.partition("?")
    default = {"http": ":80", "https": ":443"}[scheme]
    derived = {
        "@method": method,
        "@authority": fields["host"].lower().removesuffix(default),
        "@path": path or "/",
        "@query": f"?{query}",
        "@target-uri": f"{scheme}://{fields['host'].lower().removesuffix(default)}{path}{mark}{query}",
    }
    if name in derived:
        return derived[name]
    if name == "signature-agent" and "key" in flags:
        return f'"{_member(fields, str(flags["key"]))}"'
    raise Refused(f"unknown component {name}")


def _member(fields: Mapping[str, str], label: str) -> str:
    try:
        value, _ = _dictionary(fields, "signature-agent")[label]
    except KeyError:
        raise Refused("no such agent") from None
    return str(value)


def _public(jwk: Mapping[str, str]) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(jwk["x"] + "=="))

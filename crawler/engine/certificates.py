"""What is wrong with a server's TLS certificate, in words that go on from "the TLS certificate". Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtensionOID, NameOID

#: Bits that a key of RSA has at least (CA/Browser Forum, baseline requirements, 6.1.5).
_RSA_BITS = 2048
_WEAK_HASHES = ("md5", "sha1")
#: Characters of a stranger's name, and host names, that are told.
_NAME_LENGTH, _NAMES = 60, 3
#: OpenSSL's numbers (X509_V_ERR_…) for a chain that leads to nobody we trust.
_UNKNOWN_ISSUER = (2, 19, 20, 21, 27)
#: Those that the certificate itself tells more of.
_NOT_YET_VALID, _EXPIRED = 9, 10
_WORDS = {
    7: "has a signature that is not valid",
    18: "is self-signed",
    22: "has too long a chain of issuers",
    23: "was revoked",
    24: "has an issuer that may not issue any",
    26: "is not meant for servers",
    28: "is rejected",
    66: "has a weak key",
    67: "has an issuer with a weak key",
    68: "is signed in a weak way",
    79: "has an issuer that may not issue any",
}


def chain_problem(number: int, depth: int, certificate: x509.Certificate) -> str:
    """What OpenSSL's number of an error of verification says of the certificate `depth` steps above the server's."""
    if number in _UNKNOWN_ISSUER:
        return f"is from an unknown issuer: {_short(certificate.issuer)}"
    whose = "" if depth == 0 else "has an issuer whose own "
    if number == _EXPIRED:
        return f"{whose}expired on {_day(certificate.not_valid_after_utc)}"
    if number == _NOT_YET_VALID:
        return f"{whose}is not valid before {_day(certificate.not_valid_before_utc)}"
    return _WORDS.get(number, f"cannot be verified: OpenSSL's error {number}")


def own_problems(certificate: x509.Certificate, now: datetime) -> list[str]:
    """What a server's certificate says against itself, whoever issued it; its host names aside."""
    problems = []
    if now > certificate.not_valid_after_utc:
        problems.append(chain_problem(_EXPIRED, 0, certificate))
    if now < certificate.not_valid_before_utc:
        problems.append(chain_problem(_NOT_YET_VALID, 0, certificate))
    key, hashed = certificate.public_key(), certificate.signature_hash_algorithm
    if isinstance(key, RSAPublicKey) and key.key_size < _RSA_BITS:
        problems.append(_WORDS[66])
    if hashed is not None and hashed.name in _WEAK_HASHES:
        problems.append(_WORDS[68])
    return problems


def other_host(certificate: x509.Certificate, host: str) -> str:
    """What is told of a certificate that is not for `host`."""
    names = host_names(certificate)
    if not names:
        return f"names no host, and should name {host}"
    more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
    return f"is for {', '.join(map(_printable, names[:_NAMES]))}{more}, not for {host}"


def host_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The host names and addresses that a certificate is for (RFC 6125, 6.4; the subject's name does not count)."""
    try:
        extension = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except (x509.ExtensionNotFound, ValueError):  # ValueError: extensions that cannot be read
        return ()
    assert isinstance(extension, x509.SubjectAlternativeName)
    addresses = extension.get_values_for_type(x509.IPAddress)
    return (*extension.get_values_for_type(x509.DNSName), *map(str, addresses))


def in_words(problems: Iterable[str]) -> str:
    """One line of all that is wrong with a certificate, each thing once."""
    return f"the TLS certificate {', '.join(dict.fromkeys(problems))}"


def _short(name: x509.Name) -> str:
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        if found := name.get_attributes_for_oid(kind):
            return _printable(str(found[0].value))
    return _printable(name.rfc4514_string()) or "one without a name"


def _printable(name: str) -> str:
    """A stranger's words on one line, of a length that leaves room for ours."""
    return "".join(char if char.isprintable() else " " for char in name)[:_NAME_LENGTH]


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"

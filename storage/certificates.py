"""The certificates of a TLS server as a WARC holds them: the chain in PEM, what each says in plain words before it.

That is the form of `openssl s_client -showcerts`; programs that read PEM pass over the words (RFC 7468, 2).
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Sequence

MEDIA_TYPE = "application/x-pem-file"
#: Characters of a stranger's name that are told.
_NAME_LENGTH = 300


def fingerprint(certificate: bytes) -> str:
    """The SHA-256 of a certificate in DER, as browsers and `openssl x509 -fingerprint -sha256` have it, labelled."""
    return f"sha256:{hashlib.sha256(certificate).hexdigest()}"


def pem_chain(certificates: Sequence[bytes]) -> bytes:
    """Certificates in DER, the server's own first, as PEM; ASCII."""
    return "\n".join(map(_told, certificates)).encode("ascii", "backslashreplace")


def _told(certificate: bytes) -> str:
    lines = [f"sha256: {fingerprint(certificate).partition(':')[2]}", *_words(certificate)]
    return "\n".join([*lines, ssl.DER_cert_to_PEM_cert(certificate)])


def _words(certificate: bytes) -> list[str]:
    # On use only: all who read WARCs import this module, and few write certificates.
    from cryptography import x509

    try:
        read = x509.load_der_x509_certificate(certificate)
        return [
            f"subject: {_printable(read.subject.rfc4514_string())}",
            f"issuer: {_printable(read.issuer.rfc4514_string())}",
            f"not before: {read.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}",
            f"not after: {read.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
        ]
    except ValueError:
        # OpenSSL reads some that break the rules of ASN.1; the bytes are kept all the same.
        return []


def _printable(name: str) -> str:
    """A stranger's words on one line, so that they cannot pass for a line or a certificate of their own."""
    return "".join(char if char.isprintable() else " " for char in name)[:_NAME_LENGTH]

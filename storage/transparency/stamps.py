"""Time stamps of heads (RFC 3161): requests for them, and what an answer proves; the only user of rfc3161-client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from storage.errors import Corrupt, UsageError


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a time authority has signed of a head."""

    moment: datetime
    #: The signer's name, and the SHA-256 (hex) of the certificate to which its chain leads.
    signer: str
    root: str
    #: Whether that is one of the roots that were given to believe in.
    believed: bool


def request(note: bytes) -> bytes:
    """The request for a stamp of a signed head, with a nonce, and for the authority's certificates."""
    return TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256).build().as_bytes()


def stamped_at(answer: bytes, note: bytes) -> datetime:
    """When a head was stamped, as an answer says that its signer has signed. Raises `Corrupt`."""
    return checked(answer, note).moment


def checked(answer: bytes, note: bytes, roots: Sequence[x509.Certificate] = ()) -> Stamp:
    """What an answer proves of a head. Raises `Corrupt` where it is of another one, or its signature is not right.

    Its chain is followed to one of `roots`, else to a certificate that the answer brings along: then it is only known
    by whom it is said, not whether that is to be believed.
    """
    try:
        read = decode_timestamp_response(_in_der_order(answer))
        if read.tst_info.message_imprint.message != sha256(note).digest():
            raise Corrupt("it is of something else")
        held = [x509.load_der_x509_certificate(each) for each in sorted(read.signed_data.certificates)]
        (info,) = read.signed_data.signer_infos
        signer = next((each for each in held if each.serial_number == info.serial_number), None)
        moment = read.tst_info.gen_time
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        raise Corrupt(f"not an answer of a time authority ({error})") from error
    for believed, candidates in ((True, roots), (False, held)):
        root = next((each for each in candidates if _leads_to(read, note, each)), None)
        if root is not None and signer is not None:
            fingerprint = root.fingerprint(SHA256()).hex()
            return Stamp(moment, signer.subject.rfc4514_string(), fingerprint, believed)
    raise Corrupt("its signature does not fit, or the certificates that it is signed with do not stand in it")


def _leads_to(read: TimeStampResponse, note: bytes, root: x509.Certificate) -> bool:
    try:
        # Not the answer's own certificates as intermediate ones: they would be believed as they stand.
        return VerifierBuilder(roots=[root]).build().verify_message(read, note)
    except (VerificationError, ValueError):
        return False


def load_roots(path: Path) -> list[x509.Certificate]:
    """The certificates of a PEM file. Raises `UsageError`."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except ValueError:
        raise UsageError(f"{path}: no certificates in PEM") from None


def _in_der_order(answer: bytes) -> bytes:
    """An answer with its certificates in the order that DER wants of a set; OpenSSL's authority writes its own first.

    They stand outside of what is signed. Raises `ValueError`.
    """
    try:
        (whole,) = _elements(answer, 0, len(answer))
        _, token = _elements(answer, *whole[1:])
        _, explicit = _elements(answer, *token[1:])
        (signed,) = _elements(answer, *explicit[1:])
        found = next(each for each in _elements(answer, *signed[1:]) if answer[each[0]] == 0xA0)
    except StopIteration:
        raise ValueError("it brings no certificates") from None
    certificates = sorted(answer[start:end] for start, _, end in _elements(answer, *found[1:]))
    return answer[: found[1]] + b"".join(certificates) + answer[found[2] :]


def _elements(data: bytes, at: int, end: int) -> list[tuple[int, int, int]]:
    """The elements between two places of a DER text: where each begins, its content begins, and it ends."""
    found = []
    while at < end:
        size, content = data[at + 1] if at + 1 < end else 0, at + 2
        if size >= 0x80:
            content += size & 0x7F
            size = int.from_bytes(data[at + 2 : content])
        if content + size > end:
            raise ValueError("an element that is longer than what it stands in")
        found.append((at, content, content + size))
        at = content + size
    return found

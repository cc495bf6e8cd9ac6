"""Anonymous signatures of WACZ files (WACZ Signing and Verification 0.1.0)."""

from __future__ import annotations

import base64
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP384R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from storage.errors import UsageError

_MAKE = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out key.pem"
#: Bytes of each of a signature's two numbers.
_NUMBER = 48


class Signer:
    """A key on P-384, which is what ReplayWeb.page checks signatures with."""

    def __init__(self, path: Path) -> None:
        """Raises `UsageError` where the file holds no such key."""
        try:
            key = load_pem_private_key(path.read_bytes(), None)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from None
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise UsageError(f"{path}: not an unencrypted private key in PEM; make one: {_MAKE}") from None
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP384R1):
            raise UsageError(f"{path}: the key must be one on the curve P-384; make one: {_MAKE}")
        self._key = key

    @property
    def public_key(self) -> str:
        spki = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(spki).decode()

    def sign(self, text: str) -> str:
        """Return the two numbers of the signature one behind the other, as browsers want them, in base64."""
        numbers = decode_dss_signature(self._key.sign(text.encode(), ECDSA(SHA256())))
        return base64.b64encode(b"".join(number.to_bytes(_NUMBER) for number in numbers)).decode()

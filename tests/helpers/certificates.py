"""Certificates for TLS servers on loopback: an authority that issues good ones, and ones with a fault of their own."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

_PEM = serialization.Encoding.PEM
_DAY = timedelta(days=1)
#: What days count from: the same for all of a test, also where midnight comes in it.
NOW = datetime.now(UTC)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Authority:
    """A root, to be trusted by way of SSL_CERT_FILE, and an intermediate below it if it is wanted."""

    def __init__(self, name: str = "Town Root", issuer: Authority | None = None) -> None:
        self.issuer = issuer
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _named(name)
        signer, signed_by = (issuer.key, issuer.name) if issuer else (self.key, self.name)
        self.certificate = (
            x509.CertificateBuilder(signed_by, self.name, self.key.public_key(), x509.random_serial_number())
            .not_valid_before(NOW - 9 * _DAY)
            .not_valid_after(NOW + 9 * _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(signer, hashes.SHA256())
        )

    def written(self, folder: Path) -> Path:
        """The root as a file for SSL_CERT_FILE."""
        path = folder / "roots.pem"
        path.write_bytes(self.certificate.public_bytes(_PEM))
        return path

    def server(
        self,
        *hosts: str,
        days: tuple[int, int] = (-1, 2),
        key: Key | None = None,
        version: ssl.TLSVersion | None = None,
        usages: Sequence[x509.ObjectIdentifier] = (),
    ) -> ssl.SSLContext:
        """A server's context with a certificate for `hosts`, valid between `days` from `NOW`.

        `version`: the only version of TLS that it speaks.
        """
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder(self.name, _named("A server"), key.public_key(), x509.random_serial_number())
            .not_valid_before(NOW + days[0] * _DAY)
            .not_valid_after(NOW + days[1] * _DAY)
        )
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName([_general(host) for host in hosts]), False)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(list(usages)), False)
        chain = [builder.sign(self.key, hashes.SHA256()), *([self.certificate] if self.issuer else [])]
        return _context(key, chain, version)


def _context(key: Key, chain: list[x509.Certificate], version: ssl.TLSVersion | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    if version is not None:
        context.minimum_version = context.maximum_version = version
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        file.writelines(certificate.public_bytes(_PEM) for certificate in chain)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)

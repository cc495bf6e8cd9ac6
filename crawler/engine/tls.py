"""Whom we believe over TLS: the policy of the recording handler, and what it notes of a connection.

A certificate has to lead to one of the system's roots (or those of SSL_CERT_FILE, SSL_CERT_DIR), hold now, and be for
the host that was asked. Where that is not wanted, what is wrong is noted and the connection goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING
from weakref import ReferenceType, WeakKeyDictionary, ref

import certifi
from OpenSSL import SSL, crypto
from service_identity.exceptions import CertificateError, VerificationError
from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity
from service_identity.pyopenssl import extract_patterns
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import AcceptableCiphers, CertificateOptions, TLSVersion
from twisted.python.failure import Failure
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from crawler.engine.certificates import chain_problem, in_words, other_host, own_problems
from crawler.politeness.addresses import is_literal
from crawler.politeness.errors import NoSecureConnection
from crawler.politeness.trust_roots import has_roots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from OpenSSL.crypto import X509
    from twisted.protocols.tls import TLSMemoryBIOProtocol

#: OpenSSL's option for servers without secure renegotiation (RFC 5746), of which there are many: no renegotiation is
#: ever done here. pyOpenSSL has no name for it.
_LEGACY_SERVERS = 0x4
#: Versions that nobody should speak (RFC 8996), by OpenSSL's names.
_OLD_VERSIONS = {"TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1"}
#: What OpenSSL says of a handshake that failed -> what that means; the first that is found counts.
_HANDSHAKE = {
    "protocol version": "the server speaks only versions of TLS that are too old",
    "unsupported protocol": "the server speaks only versions of TLS that are too old",
    "wrong ssl version": "the server speaks only versions of TLS that are too old",
    "wrong version number": "the server does not speak TLS there",
    "http request": "the server does not speak TLS there",
    "packet length too long": "the server does not speak TLS there",
    "unrecognized name": "the server knows no such host name",
    "key too small": "the server's keys are too weak for TLS",
    "certificate required": "the server wants a TLS certificate of ours",
    "handshake failure": "TLS: the server and we have no encryption in common",
    "no shared cipher": "TLS: the server and we have no encryption in common",
}


@dataclass(frozen=True, slots=True)
class Secured:
    """How a connection is secured."""

    #: OpenSSL's name of the version, such as "TLSv1.3".
    version: str
    cipher: str
    #: What the server sent, its own certificate first, in DER.
    certificates: tuple[bytes, ...]
    #: What is wrong, in words; `None` for a connection to be believed.
    insecure: str | None = None


@dataclass(slots=True, eq=False)
class _Verification:
    """OpenSSL's callback for one connection: stops the handshake at what is wrong, or notes it."""

    host: str
    insecure: bool
    #: Weakly, since it has the connection, which has this.
    protocol: ReferenceType[TLSMemoryBIOProtocol]
    problems: list[str] = field(default_factory=list)

    def __call__(self, _: SSL.Connection, given: X509, number: int, depth: int, ok: int) -> bool:
        # What is raised here is lost, and the handshake would go on.
        try:
            return self._verify(given, number, depth, bool(ok))
        except Exception:
            self.problems.append("cannot be read")
            return self.insecure or self._fail()

    def _verify(self, given: X509, number: int, depth: int, ok: bool) -> bool:
        if ok and depth > 0:
            return True
        found: list[str] = []
        certificate = given.to_cryptography()
        if not ok:
            found.append(chain_problem(number, depth, certificate))
        if depth == 0:
            if not _is_for(given, self.host):
                found.append(other_host(certificate, self.host))
            if found or self.insecure:
                found += own_problems(certificate, datetime.now(UTC))
        self.problems += found
        return not found or self.insecure or self._fail()

    def _fail(self) -> bool:
        if (protocol := self.protocol()) is not None:
            failure = Failure(NoSecureConnection(in_words(self.problems)))  # type: ignore[no-untyped-call]
            protocol.failVerification(failure)  # type: ignore[no-untyped-call]
        return False


#: Twisted keeps its own things with a connection.
_verifications: WeakKeyDictionary[SSL.Connection, _Verification] = WeakKeyDictionary()


@implementer(IOpenSSLClientConnectionCreator)
class _Connections:
    """Makes the TLS side of connections to one host."""

    def __init__(self, context: SSL.Context, host: str, insecure: bool) -> None:
        self._context = context
        self._host = host
        self._insecure = insecure

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N802 - Twisted's name
        connection = SSL.Connection(self._context, None)
        if not is_literal(self._host):
            # Addresses are not allowed there (RFC 6066, 3).
            connection.set_tlsext_host_name(self._host.encode("ascii"))
        verification = _verifications[connection] = _Verification(self._host, self._insecure, ref(protocol))
        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, verification)
        return connection


@implementer(IPolicyForHTTPS)
class TLSPolicy:
    """Connects over TLS 1.2 or newer to servers that prove who they are; with `insecure` to all, as well as it goes."""

    def __init__(self, insecure: bool = False, ca_file: str | None = None) -> None:
        """`ca_file`: certificates in PEM that are trusted beside the roots of the system."""
        self._insecure = insecure
        self._context = _context(insecure, ca_file)

    def creatorForNetloc(self, hostname: bytes, port: int) -> _Connections:  # noqa: ARG002, N802 - Twisted's name
        return _Connections(self._context, hostname.decode("ascii").strip("[]").rstrip("."), self._insecure)


@cache
def _context(insecure: bool, ca_file: str | None) -> SSL.Context:
    """One for all connections of all crawlers: to read the roots takes longer than a handshake."""
    # OpenSSL's own choice is what most clients offer; Twisted's shorter one fails some servers.
    ciphers = AcceptableCiphers.fromOpenSSLCipherString("DEFAULT")  # type: ignore[no-untyped-call]
    lowest = TLSVersion.TLSv1_0 if insecure else TLSVersion.TLSv1_2
    options = CertificateOptions(fixBrokenPeers=True, acceptableCiphers=ciphers, insecurelyLowerMinimumTo=lowest)
    context: SSL.Context = options.getContext()
    context.set_options(_LEGACY_SERVERS)
    if insecure:
        # Versions before 1.2, and short keys, are left out at higher levels.
        context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
    context.set_default_verify_paths()
    if not has_roots():
        context.load_verify_locations(certifi.where())
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


def secured_by(connection: SSL.Connection) -> Secured:
    """What is to be noted of a connection, once its handshake is complete; one that `TLSPolicy` did not make is judged
    here, whatever its own policy has let through.
    """
    version = connection.get_protocol_version_name()
    # Not as certificates of cryptography, which refuses some that OpenSSL takes.
    chain = connection.get_peer_cert_chain() or ()
    verification = _verifications.get(connection)
    found = _problems(connection, chain) if verification is None else verification.problems
    problems = [in_words(found)] if found else []
    if version in _OLD_VERSIONS:
        problems.append(f"{_OLD_VERSIONS[version]} is too old")
    return Secured(
        version,
        connection.get_cipher_name() or "",
        tuple(crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate) for certificate in chain),
        "; ".join(problems) or None,
    )


def _problems(connection: SSL.Connection, chain: Sequence[X509]) -> list[str]:
    """What is wrong with the certificates of a server."""
    if not chain:
        return ["is missing"]
    found: list[str] = []
    roots = _context(False, None).get_cert_store()
    assert roots is not None
    try:
        crypto.X509StoreContext(roots, chain[0], chain[1:]).verify_certificate()
    except crypto.X509StoreContextError as error:
        number, depth, _ = error.errors
        found.append(chain_problem(number, depth, error.certificate.to_cryptography()))
    # Without a name the server was asked by its address.
    host = (connection.get_servername() or b"").decode("ascii")
    certificate = chain[0].to_cryptography()
    if host and not _is_for(chain[0], host):
        found.append(other_host(certificate, host))
    return found + own_problems(certificate, datetime.now(UTC))


def handshake_failure(error: BaseException) -> NoSecureConnection | None:
    """The failure to connect securely that an error of Twisted's is about; `None` where it is about something else."""
    for reason in (failure.value for failure in getattr(error, "reasons", ())):
        if isinstance(reason, NoSecureConnection):
            return reason
        if isinstance(reason, SSL.Error):
            return NoSecureConnection(_handshake_reason(reason))
    return None


def _handshake_reason(error: SSL.Error) -> str:
    said = [str(entry[-1]) for entry in error.args[0]] if error.args and isinstance(error.args[0], list) else []
    for line in said:
        for words, reason in _HANDSHAKE.items():
            if words in line:
                return reason
    # "tlsv1 alert internal error": a version that is not the one spoken.
    return f"the TLS handshake failed: {said[0].rpartition(' alert ')[2]}" if said else "the TLS handshake failed"


def _is_for(certificate: X509, host: str) -> bool:
    wanted = IPAddress_ID(host) if is_literal(host) else DNS_ID(host)
    try:
        verify_service_identity(extract_patterns(certificate), [wanted], [])
    except (CertificateError, VerificationError):
        return False
    return True

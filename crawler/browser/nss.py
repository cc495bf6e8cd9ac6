"""Roots that a browser believes beside its own: an NSS database in its home, which is where Chromium on Linux looks.

Written by libnss3, which Chromium on Linux itself is built on. Nothing of what is wrong with a certificate is passed
over by it, unlike with Chromium's switches for certificates.
"""

from __future__ import annotations

import ctypes
import ssl
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_uint, c_ulong, c_void_p
from pathlib import Path
from typing import Any

from storage.errors import NewskeepError

_LIBRARY = "libnss3.so"
#: Where a user's database is, by the home (crypto/nss_util.cc); Chromium takes the first that is there.
_PLACES = (".local/share/pki/nssdb", ".pki/nssdb")
#: What a root is trusted for (certdb.h: CERTDB_VALID_CA | CERTDB_TRUSTED_CA): to issue certificates of servers.
_TRUSTED = (1 << 3) | (1 << 4)
#: CK_INVALID_HANDLE (pkcs11t.h): no key belongs to it.
_NO_KEY = 0


class _Item(Structure):
    """SECItem: bytes, of no declared type."""

    _fields_ = (("type", c_int), ("data", c_char_p), ("len", c_uint))


class _Trust(Structure):
    """CERTCertTrust: of servers, of mail, of programs."""

    _fields_ = (("ssl", c_uint), ("email", c_uint), ("signing", c_uint))


def trust(roots: Path, home: Path) -> None:
    """Have a browser with this home believe certificates that lead to those of a file in PEM.

    Once in a process: the library has one database. Raises `NewskeepError`.
    """
    try:
        library = _library()
        places = [home / place for place in _PLACES]
        for place in places:
            place.mkdir(parents=True)
            _fill(library, place, _certificates(roots))
    except (OSError, AttributeError) as error:
        raise NewskeepError(f"the browser cannot be told of ca_file: {error}") from error


def _certificates(roots: Path) -> list[bytes]:
    """The certificates of a file, in DER: read as OpenSSL reads them, whatever else is in it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(roots)
    return context.get_ca_certs(binary_form=True)


def _fill(library: Any, folder: Path, certificates: list[bytes]) -> None:
    if library.NSS_InitReadWrite(f"sql:{folder}".encode()):
        raise OSError(f"no database: NSS error {library.PORT_GetError()}")
    try:
        slot = library.PK11_GetInternalKeySlot()
        if library.PK11_NeedUserInit(slot):
            library.PK11_InitPin(slot, None, b"")
        for number, der in enumerate(certificates):
            _add(library, slot, der, f"root {number}".encode())
        library.PK11_FreeSlot(slot)
    finally:
        library.NSS_Shutdown()


def _add(library: Any, slot: int, der: bytes, name: bytes) -> None:
    database = library.CERT_GetDefaultCertDB()
    certificate = library.CERT_NewTempCertificate(database, byref(_Item(0, der, len(der))), None, 0, 1)
    if not certificate:
        raise OSError(f"a certificate cannot be read: NSS error {library.PORT_GetError()}")
    trusted = _Trust(_TRUSTED, 0, 0)
    failed = library.PK11_ImportCert(slot, certificate, _NO_KEY, name, 0) or library.CERT_ChangeCertTrust(
        database, certificate, byref(trusted)
    )
    library.CERT_DestroyCertificate(certificate)
    if failed:
        raise OSError(f"a certificate cannot be kept: NSS error {library.PORT_GetError()}")


def _library() -> Any:
    library = ctypes.CDLL(_LIBRARY)
    for name, returned, taken in (
        ("NSS_InitReadWrite", c_int, (c_char_p,)),
        ("NSS_Shutdown", c_int, ()),
        ("PORT_GetError", c_int, ()),
        ("PK11_GetInternalKeySlot", c_void_p, ()),
        ("PK11_NeedUserInit", c_int, (c_void_p,)),
        ("PK11_InitPin", c_int, (c_void_p, c_char_p, c_char_p)),
        ("PK11_FreeSlot", None, (c_void_p,)),
        ("CERT_NewTempCertificate", c_void_p, (c_void_p, POINTER(_Item), c_char_p, c_int, c_int)),
        ("PK11_ImportCert", c_int, (c_void_p, c_void_p, c_ulong, c_char_p, c_int)),
        ("CERT_GetDefaultCertDB", c_void_p, ()),
        ("CERT_ChangeCertTrust", c_int, (c_void_p, c_void_p, POINTER(_Trust))),
        ("CERT_DestroyCertificate", None, (c_void_p,)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = returned, taken
    return library

"""Where the roots are that certificates of servers have to lead to: the system's, the environment's, one's own."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

from storage.errors import ConfigError

#: OpenSSL's variables: a file of certificates in PEM, folders of them.
_FILE, _FOLDERS = "SSL_CERT_FILE", "SSL_CERT_DIR"


def check_roots(own: str | None, environment: Mapping[str, str] = os.environ) -> None:
    """Raise `ConfigError` for roots that are not there, or are none: OpenSSL passes over most of that without a word.

    `own`: a file of certificates in PEM that are trusted beside those of the system.
    """
    for name, file in (("ca_file", own), (_FILE, environment.get(_FILE))):
        if file:
            _check_file(name, Path(file))
    for folder in filter(None, environment.get(_FOLDERS, "").split(os.pathsep)):
        if not Path(folder).is_dir():
            raise ConfigError(f"{_FOLDERS}: no such folder: {folder}")


def _check_file(name: str, file: Path) -> None:
    if not file.is_file():
        raise ConfigError(f"{name}: no such file: {file}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except ssl.SSLError:
        raise ConfigError(f"{name} holds no certificates in PEM: {file}") from None
    except OSError as error:
        raise ConfigError(f"{name}: cannot read {file}: {error.strerror}") from error


def has_roots(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether there are roots where OpenSSL looks for them; containers often have none."""
    if environment.get(_FILE) or environment.get(_FOLDERS):
        return True
    paths = ssl.get_default_verify_paths()
    return paths.cafile is not None or (paths.capath is not None and any(Path(paths.capath).iterdir()))

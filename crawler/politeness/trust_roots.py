"""Where the roots are that certificates of servers have to lead to: those of the system, or of the environment."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

from storage.errors import ConfigError

#: OpenSSL's variables: a file of certificates in PEM, folders of them.
_FILE, _FOLDERS = "SSL_CERT_FILE", "SSL_CERT_DIR"


def check_roots(environment: Mapping[str, str] = os.environ) -> None:
    """Raise `ConfigError` for roots of the environment that are not there: OpenSSL passes over them without a word."""
    if (file := environment.get(_FILE)) and not Path(file).is_file():
        raise ConfigError(f"{_FILE}: no such file: {file}")
    for folder in filter(None, environment.get(_FOLDERS, "").split(os.pathsep)):
        if not Path(folder).is_dir():
            raise ConfigError(f"{_FOLDERS}: no such folder: {folder}")


def has_roots(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether there are roots where OpenSSL looks for them; containers often have none."""
    if environment.get(_FILE) or environment.get(_FOLDERS):
        return True
    paths = ssl.get_default_verify_paths()
    return paths.cafile is not None or (paths.capath is not None and any(Path(paths.capath).iterdir()))

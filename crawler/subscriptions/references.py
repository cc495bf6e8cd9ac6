"""Secrets in configuration are references: to a variable, a file, or the system's keyring.

${EXAMPLE_PASSWORD}                    the variable of that name
${file:/run/secrets/example}           the first line of a file
${keyring:example.org:jane@mail.org}   the password of that user at that service
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from storage.errors import ConfigError
from storage.extras import command_for
from storage.homes import expanded

logger = logging.getLogger(__name__)

_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}")
_FILE, _KEYRING = "file:", "keyring:"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def resolve(
    text: str, where: str, environ: Mapping[str, str] = os.environ, form: Callable[[str], str] = lambda secret: secret
) -> str:
    """Return a text with what its references stand for, in a form; `$${` stands for `${`.

    Raises `ConfigError`, which begins with `where` and never shows a secret.
    """

    def found(reference: re.Match[str]) -> str:
        return "${" if reference[1] is None else form(_secret(reference[1].strip(), where, environ))

    resolved = _REFERENCE.sub(found, text)
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", resolved):
        raise ConfigError(f"{where}: has a line break or another control character in it")
    return resolved


def anchor(text: str, folder: Path) -> str:
    """Return a text whose references to files begin at `folder` where they are relative."""
    return re.sub(r"(?<!\$)\$\{file:([^{}]*)\}", lambda found: f"${{{_FILE}{_path(found[1].strip(), folder)}}}", text)


def is_reference(text: str) -> bool:
    """Whether nothing of a text is a secret by itself."""
    return any(found[1] is not None for found in _REFERENCE.finditer(text))


def mind_readers(path: Path, what: str) -> None:
    """Warn once of a file with secrets that others on this machine can read."""
    mode = path.stat().st_mode
    if stat.S_ISREG(mode) and mode & (stat.S_IRGRP | stat.S_IROTH):
        _warn(path, what)


@cache
def _warn(path: Path, what: str) -> None:
    logger.warning("%s: others on this machine can read %s in it; chmod 600 keeps them out", path, what)


def _path(name: str, folder: Path) -> Path:
    return folder / expanded(name)


def _secret(reference: str, where: str, environ: Mapping[str, str]) -> str:
    if reference.startswith(_FILE):
        return _in_file(_path(reference.removeprefix(_FILE), Path()), where)
    if reference.startswith(_KEYRING):
        return _in_keyring(reference.removeprefix(_KEYRING), where)
    if not _VARIABLE.fullmatch(reference):
        # Not the text itself: it may be the secret.
        raise ConfigError(f"{where}: ${{…}} holds the name of a variable, file:PATH or keyring:SERVICE:USER")
    value = environ.get(reference)
    if not value:
        raise ConfigError(f"{where}: the variable {reference} is not set")
    return value


def _in_file(path: Path, where: str) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip("\r\n")
        mind_readers(path, "the secret")
    except OSError as error:
        raise ConfigError(f"{where}: cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where}: {path} is no text in UTF-8") from error
    if not text:
        raise ConfigError(f"{where}: {path} is empty")
    return text


def _in_keyring(named: str, where: str) -> str:
    service, _, user = named.partition(":")
    if not (service and user):
        raise ConfigError(f"{where}: the keyring is asked by ${{keyring:SERVICE:USER}}")
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise ConfigError(f"{where}: the keyring needs keyring: {command_for('keyring')}") from error
    try:
        password = keyring.get_password(service, user)
    except KeyringError as error:
        raise ConfigError(f"{where}: the keyring cannot be used: {' '.join(str(error).split())[:120]}") from error
    if not password:
        raise ConfigError(f"{where}: the keyring has no password of {user} at {service}; `keyring set` puts one in")
    return str(password)

"""Signed tree heads: checkpoints as transparency logs write them (C2SP tlog-checkpoint, signed-note).

    newskeep/0123456789abcdef           the log's origin: "newskeep/" and its id
    8160                                leaves
    <root in base64>
    time 2026-11-29T18:45:32Z           an extension line of ours: when it was signed, by the clock of the signer

    — newskeep/0123456789abcdef <key hash and Ed25519 signature in base64>

The signature is over all before the empty line, with its line feed.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from storage.errors import Corrupt
from storage.transparency.keys import PrivateKey, PublicKey

#: Characters of a checkpoint.
CHECKPOINT_MAX = 4096
#: The kind of signature, Ed25519, as signed notes name it.
_ED25519 = b"\x01"
_TEXT = re.compile(
    r"(?P<origin>newskeep/[0-9a-f]{16})\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"time (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\n"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed: a log of `size` leaves has this root; `time` is in whole seconds, UTC."""

    log: str
    size: int
    root: bytes
    time: datetime

    @property
    def text(self) -> str:
        root = base64.b64encode(self.root).decode()
        return f"{origin(self.log)}\n{self.size}\n{root}\ntime {self.time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n"

    def signed(self, key: PrivateKey) -> bytes:
        """The checkpoint with its signature, as it is kept and stamped."""
        signature = _key_hash(origin(self.log), key.public) + key.sign(self.text.encode())
        return f"{self.text}\n— {origin(self.log)} {base64.b64encode(signature).decode()}\n".encode()


def origin(log: str) -> str:
    return f"newskeep/{log}"


def opened(note: bytes, key: PublicKey) -> Checkpoint:
    """The checkpoint that a key has signed; raises `Corrupt`. Signatures of others, such as witnesses, may follow."""
    try:
        text, empty, signatures = note.decode().partition("\n\n")
    except UnicodeDecodeError as error:
        raise Corrupt("not a signed tree head") from error
    found = _TEXT.fullmatch(text + "\n")
    if not (found and empty and signatures.endswith("\n") and len(note) <= CHECKPOINT_MAX):
        raise Corrupt("not a signed tree head as this version writes it")
    checkpoint = Checkpoint(
        found["origin"].partition("/")[2],
        int(found["size"]),
        base64.b64decode(found["root"]),
        _time(found["time"]),
    )
    if checkpoint.log != key.log:
        raise Corrupt(f"a tree head of the log {checkpoint.log}, not of {key.log}")
    expected = _key_hash(found["origin"], key)
    for line in signatures.splitlines():
        signature = _signature(line, found["origin"])
        if signature[:4] == expected and key.verifies(signature[4:], (text + "\n").encode()):
            return checkpoint
    raise Corrupt(f"its signature is not by the key of the log {key.log}")


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise Corrupt(f"no such time: {text}") from error


def _signature(line: str, name: str) -> bytes:
    dash, _, rest = line.partition(" ")
    signer, _, encoded = rest.partition(" ")
    try:
        return base64.b64decode(encoded, validate=True) if (dash, signer) == ("—", name) else b""
    except ValueError:
        return b""


def _key_hash(name: str, key: PublicKey) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + key.raw).digest()[:4]

"""Countersignatures of heads: what a witness signs when a log has gone on from all that it was shown before.

As C2SP tlog-cosignature has it: Ed25519 over a line that names the kind, the time and the text of the checkpoint.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Self

from storage.bounds import parse_json
from storage.errors import Corrupt
from storage.transparency.checkpoint import Checkpoint, opened, origin
from storage.transparency.keys import PrivateKey, PublicKey

#: The version of the file.
VERSION = 1
_KIND = b"\x04"


@dataclass(frozen=True, slots=True)
class Countersigned:
    """A head with the signature of its log, and that of a witness, both checked."""

    head: Checkpoint
    #: The head as its log signed it.
    note: bytes
    log_key: PublicKey
    witness: PublicKey
    #: When the witness signed, by its clock, in whole seconds.
    time: datetime
    signature: bytes

    @classmethod
    def make(cls, note: bytes, log_key: PublicKey, witness: PrivateKey) -> Self:
        """Countersign a head. Raises `Corrupt` for one that its log has not signed."""
        head, now = opened(note, log_key), datetime.now(UTC).replace(microsecond=0)
        return cls(head, note, log_key, witness.public, now, witness.sign(_signed(head, now)))

    @property
    def line(self) -> str:
        """The line of a signed note."""
        name = origin(self.witness.log)
        key_hash = sha256(name.encode() + b"\n" + _KIND + self.witness.raw).digest()[:4]
        made = key_hash + int(self.time.timestamp()).to_bytes(8) + self.signature
        return f"— {name} {base64.b64encode(made).decode()}"

    def to_json(self) -> dict[str, Any]:
        return {
            "newskeep_countersignature": VERSION,
            "log": self.head.log,
            "size": self.head.size,
            "key": base64.b64encode(self.log_key.raw).decode(),
            "head": self.note.decode(),
            "witness": base64.b64encode(self.witness.raw).decode(),
            "signature": self.line,
        }

    def to_bytes(self) -> bytes:
        return json.dumps(self.to_json(), ensure_ascii=False, indent=1).encode() + b"\n"

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Raises `Corrupt` for what is none, or does not hold."""
        return cls.of(parse_json(data))

    @classmethod
    def of(cls, fields: Any) -> Self:
        """The same of its JSON."""
        try:
            if fields["newskeep_countersignature"] != VERSION:
                raise Corrupt("of a version that a later newskeep reads")
            log_key, witness = (PublicKey(base64.b64decode(fields[name], validate=True)) for name in ("key", "witness"))
            note, line = str(fields["head"]).encode(), str(fields["signature"])
            made = base64.b64decode(line.rpartition(" ")[2], validate=True)
            time = datetime.fromtimestamp(int.from_bytes(made[4:12]), UTC)
        except (ValueError, KeyError, TypeError, OverflowError, OSError) as error:
            raise Corrupt(f"not a countersignature as this version writes it ({type(error).__name__})") from error
        found = cls(opened(note, log_key), note, log_key, witness, time, made[12:])
        if line != found.line or not witness.verifies(found.signature, _signed(found.head, time)):
            raise Corrupt(f"it is not signed by the witness {witness.log}")
        return found


def _signed(head: Checkpoint, time: datetime) -> bytes:
    return f"cosignature/v1\ntime {int(time.timestamp())}\n{head.text}".encode()

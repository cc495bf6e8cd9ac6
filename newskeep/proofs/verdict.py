"""What a file proves: the proof of a capture, or a package of many that carries one; for commands."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from newskeep.proofs.words import open_package_points, open_points, proven, proven_package
from storage.errors import Corrupt, UsageError
from storage.rights.signal import Signal
from storage.transparency.checked_log import CheckedLog
from storage.transparency.checkpoint import Checkpoint
from storage.transparency.countersignature import Countersigned
from storage.transparency.package_check import CheckedPackage, check_package, is_package
from storage.transparency.proof_check import check
from storage.transparency.witness import SHOWN_MAX


@dataclass(frozen=True, slots=True)
class Verdict:
    """Nothing is proven, said or left open where there are problems."""

    problems: list[str]
    logs: list[CheckedLog]
    proven: list[str]
    open: list[str]
    rights: tuple[Signal, ...] = ()
    #: The body of the answer; `None` of a package.
    body: bytes | None = None


def kept_heads(path: Path) -> list[Checkpoint]:
    """The signed heads in a proof, in a package with one, or in a countersignature. Raises `UsageError`."""
    try:
        if not is_package(path) and path.stat().st_size <= SHOWN_MAX:
            with suppress(Corrupt):
                return [Countersigned.read(path.read_bytes()).head]
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    return [log.head for log in verdict(path).logs]


def verdict(
    path: Path, roots: Sequence[x509.Certificate] = (), log: str | None = None, name: str | None = None
) -> Verdict:
    """Check a file; `roots` are certificates of time authorities to believe in, `log` the one that must have signed.

    Raises `UsageError`, with the name of the file or the one given for it, for what is no proof and carries none.
    """
    try:
        done = check_package(path, roots) if is_package(path) else check(path.read_bytes(), roots)
    except OSError as error:
        raise UsageError(f"{name or path}: {error.strerror}") from error
    except UsageError as error:
        raise UsageError(f"{name or path}: {error}") from error
    others = log is not None and any(each.id != log for each in done.logs)
    problems = [*done.problems, *([f"it is not signed by the log {log} alone"] if others else [])]
    if problems:
        return Verdict(problems, done.logs, [], [])
    if isinstance(done, CheckedPackage):
        return Verdict([], done.logs, proven_package(done), open_package_points(done))
    return Verdict([], done.logs, proven(done), open_points(done), done.rights, done.body or b"")

"""What a checked proof proves, and what it does not, in plain words: each statement a line."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from storage.counts import counted
from storage.rights.signal import Signal
from storage.transparency.checked_log import CheckedLog
from storage.transparency.package_check import CheckedPackage
from storage.transparency.proof_check import CheckedProof

#: The page that checks a proof in a browser, without a network.
PAGE = Path(__file__).with_name("page.html")

#: What no proof proves; the page says the same.
LIMITS = (
    "That the server's answer is true, or that its owner wrote it: TLS shows who could answer, and signs no answer.",
    "That the archive received the answer from that server: its operator logged it, and is to be believed for that.",
    "The moment of the capture by itself: it is the clock of the archive. A time stamp says at what time it was held.",
    "That nothing else was published there, then or later.",
)


def proven(proof: CheckedProof) -> list[str]:
    """What a proof without problems proves."""
    response = proof.response
    assert response is not None
    said = [f"The archive logged this answer as captured from {proof.url} on {_moment(proof.captured)}."]
    if address := response.field("WARC-IP-Address"):
        said.append(f"As the archive noted, it came from the network address {address}.")
    said.append(f"The record of the answer ({counted(len(response.block), 'byte')}) is what was logged, byte for byte.")
    if proof.body is not None:
        digest = sha256(proof.body).hexdigest()
        said.append(f"Its body has {counted(len(proof.body), 'byte')} and the SHA-256 {digest}.")
    if "original" in proof.records:
        original = proof.records["original"][0]
        said.append(f"The body was the same as that of {_moment(original.date)}, whose record is in this proof.")
    if response.field("Newskeep-Redacted"):
        said.append("Secrets of who asked were taken out of it before it was logged; the records name where.")
    for role, words in _BESIDE.items():
        if role in proof.records:
            said.append(words.format(date=_moment(proof.records[role][0].date)))
    for log in proof.logs:
        said += _log(log)
    return said


def proven_package(package: CheckedPackage) -> list[str]:
    """What a package whose proof has no problems proves."""
    records = counted(package.records, "record")
    size = counted(package.bytes, "byte")
    said = [f"Every record in {package.warc} ({records}, {size}) is what was logged, byte for byte."]
    for log in package.logs:
        said += _log(log)
    return said


def open_package_points(package: CheckedPackage) -> list[str]:
    """What the proof of a package leaves open."""
    beside = "What stands beside the records, such as titles, texts and indexes: the exporter's, and its signature's."
    return [beside, *_open_points(package.logs)]


def publisher_said(signals: Iterable[Signal]) -> list[str]:
    """What a publisher said of the use of a page, a signal a line with its source."""
    return [f"{name}{'' if value is None else f' = {value}'}, in {source}" for name, value, source in signals]


_BESIDE = {
    "request": "What was asked is in this proof, byte for byte.",
    "certificates": "The TLS certificates that the server sent are in this proof.",
    "robots": "The site's robots.txt in this proof was captured on {date}.",
    "tdmrep": "The site's tdmrep.json in this proof was captured on {date}.",
}


def _log(log: CheckedLog) -> list[str]:
    name = f" ({log.name})" if log.name else ""
    key = base64.b64encode(log.key.raw).decode()
    size = counted(log.head.size, "entry", "entries")
    said = [f"It is in the log {log.id}{name} of then {size}: nothing of it can have been changed since it was signed."]
    said.append(f"That log was signed by the key {key}, by its own clock on {_moment(log.head.time)}.")
    for stamp in log.stamps:
        trust = "that you named to be believed" if stamp.believed else f"with the root certificate {stamp.root}"
        said.append(f"It was held on {_moment(stamp.moment)} at the latest: {stamp.signer}, {trust}, stamped it.")
    for each in log.witnesses:
        who = f"the witness {each.witness.log} with the key {base64.b64encode(each.witness.raw).decode()}"
        said.append(f"On {_moment(each.time)}, by its clock, {who} signed that the log goes on from all it saw before.")
    return said


def open_points(proof: CheckedProof) -> list[str]:
    """What this proof leaves open, and then what every one does."""
    said = []
    if proof.rights:
        said.append("What follows from what the publisher said: its words are proven, their reading is this program's.")
    if proof.is_read_otherwise:
        said.append("What the maker's version read of the publisher's signals: this one reads them in its own way.")
    return [*said, *_open_points(proof.logs)]


def _open_points(logs: Sequence[CheckedLog]) -> list[str]:
    said = []
    if not any(log.stamps for log in logs):
        said.append("When it was held at the latest: no time authority has stamped it.")
    elif not any(stamp.believed for log in logs for stamp in log.stamps):
        said.append("Whether the time authority is to be believed: compare its certificate with the published one.")
    if any(log.witnesses for log in logs):
        said.append(
            "Who the witness is, and that it is not the archive itself: compare its key with what it publishes."
        )
    said.append("Whose the key of the log is: compare it with the one that the archive publishes.")
    return [*said, *LIMITS]


def _moment(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"

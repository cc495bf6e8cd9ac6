"""A proof checked: what of it holds, with no archive at hand and no network."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import chain, product, starmap
from typing import Any
from urllib.parse import urljoin

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from storage.bounds import parse_json
from storage.certificates import MEDIA_TYPE, fingerprint
from storage.digests import is_of
from storage.errors import Corrupt, UsageError
from storage.http import HttpMessage
from storage.rights.signal import Signal, from_json
from storage.rights.tdmrep import PATH as TDMREP
from storage.transparency.checked_log import CheckedLog, read_leaf, read_log
from storage.transparency.proof_rights import READING, SITE_FILE_AGE, rights_of
from storage.warc import CERTIFICATE, PAYLOAD_DIGEST, Record, read_date, read_record

#: Bytes of a proof.
PROOF_MAX = 1 << 30
#: Role of a record in a proof -> types that it may have.
_TYPES = {
    "response": ("response", "revisit", "resource"),
    "request": ("request",),
    "original": ("response", "resource"),
    "robots": ("response", "revisit"),
    "robots-original": ("response",),
    "tdmrep": ("response", "revisit"),
    "tdmrep-original": ("response",),
    "certificates": ("metadata",),
    "metadata": ("metadata",),
}


@dataclass(slots=True)
class CheckedProof:
    """What a proof says, and what is wrong with it: nothing is proven where `problems` is not empty."""

    url: str
    captured: datetime
    #: Role -> record, each in the tree of its log.
    records: dict[str, list[Record]] = field(default_factory=dict)
    logs: list[CheckedLog] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    #: Who wrote it read the signals in another version than this one, which may have found others.
    is_read_otherwise: bool = False

    @property
    def rights(self) -> tuple[Signal, ...]:
        """What the publisher said of its use, read from the records: the page's own signals, then those of the site."""
        return rights_of(self.url, self.records)

    @property
    def response(self) -> Record | None:
        return next(iter(self.records.get("response", ())), None)

    @property
    def body(self) -> bytes | None:
        """The body of the answer, without transfer coding; of a revisit that of its original."""
        record = next(iter(self.records.get("original", self.records.get("response", ()))), None)
        return None if record is None else HttpMessage.parse(record.response).payload


def check(data: bytes, roots: Sequence[x509.Certificate] = ()) -> CheckedProof:
    """Check a proof; `roots` are certificates of time authorities to believe in.

    Raises `UsageError` for what is no proof.
    """
    try:
        fields = parse_json(data, PROOF_MAX)
        if fields["newskeep_proof"] != 1:
            raise UsageError(f"a proof of version {fields['newskeep_proof']}, which a later newskeep reads")
        done = CheckedProof(str(fields["url"]), datetime.fromisoformat(fields["captured"]))
        for told in fields["logs"]:
            log = read_log(told, roots, done.problems.append)
            done.logs += [log] if log is not None else []
        for told in fields["records"]:
            _record(done, told)
        read = fields.get("rights")
        if read is not None and not done.problems:
            _signals(done, int(read["reading"]), from_json(read["signals"]))
    except Corrupt as error:
        raise UsageError(f"not a proof as newskeep writes it ({error})") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError("not a proof as newskeep writes it") from error
    done.problems += _contradictions(done)
    return done


def _record(done: CheckedProof, told: dict[str, Any]) -> None:
    role, member = str(told["role"]), base64.b64decode(told["member"], validate=True)
    try:
        leaf = read_leaf(told, done.logs)
        if sha256(member).hexdigest() != leaf.member:
            raise Corrupt("its bytes are not those that were logged")
        record = read_record(member)
        record.check()
        if sha256(record.block).hexdigest() != leaf.block:
            raise Corrupt("its content is not the one that was logged")
    except Corrupt as error:
        done.problems.append(f"{role}: {error}")
        return
    done.records.setdefault(role, []).append(record)


def _signals(done: CheckedProof, reading: int, said: tuple[Signal, ...]) -> None:
    if reading != READING:
        done.is_read_otherwise = True
    elif said != done.rights:
        done.problems.append("the signals of use that it names are not those that its records say")


def _contradictions(done: CheckedProof) -> list[str]:
    """What of the records does not belong together, or is not what the proof says that it is."""
    response = done.response
    if response is None:
        return [] if done.problems else ["there is no answer of the server in it"]
    found = [
        f"it calls a record the {role} that is a {each.type or 'nothing'}"
        for role, records in done.records.items()
        for each in records
        if each.type not in _TYPES.get(role, ())
    ]
    if response.url != done.url:
        found.append(f"the answer is of {response.url}")
    if response.date != done.captured:
        found.append(f"the answer is of {response.date:%Y-%m-%d %H:%M:%S}")
    name = response.field("WARC-Record-ID")
    for role in ("request", "metadata"):
        beside = (each for each in done.records.get(role, ()) if each.field("WARC-Concurrent-To") != name)
        found += [f"the {role} belongs to another answer" for each in beside if not _is_named(response, each)]
    for robots in done.records.get("robots", ()):
        if robots.url != urljoin(done.url, "/robots.txt") or robots.date > done.captured:
            found.append(f"the robots.txt is another one: {robots.url} of {robots.date:%Y-%m-%d %H:%M:%S}")
    for terms in done.records.get("tdmrep", ()):
        if terms.url != urljoin(done.url, TDMREP) or terms.date - done.captured > SITE_FILE_AGE:
            found.append(f"the tdmrep.json is another one: {terms.url} of {terms.date:%Y-%m-%d %H:%M:%S}")
    for role, of in (("original", "response"), ("robots-original", "robots"), ("tdmrep-original", "tdmrep")):
        pairs = product(done.records.get(of, ()), done.records.get(role, ()))
        found += chain.from_iterable(starmap(_original, pairs))
    for held in done.records.get("certificates", ()):
        if held.field("Content-Type") != MEDIA_TYPE or held.field(CERTIFICATE) != response.field(CERTIFICATE):
            found.append("the certificates are those of another server")
        elif _first(held.block) != held.field(CERTIFICATE):
            found.append("the certificates are not those that their record names")
    return found


def _is_named(response: Record, other: Record) -> bool:
    return response.field("WARC-Concurrent-To") == other.field("WARC-Record-ID")


def _original(revisit: Record, original: Record) -> list[str]:
    if revisit.type != "revisit":
        return ["it has an original, and the answer has a body of its own"]
    date, body = revisit.field("WARC-Refers-To-Date"), HttpMessage.parse(original.response).payload
    digests = [revisit.field("WARC-Payload-Digest"), revisit.field(PAYLOAD_DIGEST)]
    found = [f"the body is not the one of {each}" for each in digests if each and not is_of(each, body)]
    if date is not None and read_date(date) != original.date:
        found.append("the body is of another capture than the answer refers to")
    return found


def _first(pem: bytes) -> str | None:
    try:
        return fingerprint(x509.load_pem_x509_certificates(pem)[0].public_bytes(Encoding.DER))
    except (ValueError, IndexError):
        return None

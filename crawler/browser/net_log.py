"""Chromium's net log, as far as it is needed: what went over each socket, in order. Pure.

A log is one JSON object, written a line at a time: a line with `constants`, which name the numbers of events, then a
line an event. It is a debug format, and nothing promises that it stays: what is used here is checked against the
constants, and a log that says something else is refused, never guessed at.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from storage.errors import NewskeepError

#: The only version of the format so far (net/log/file_net_log_observer.cc).
_FORMAT = 1
#: What is read, by Chromium's names for it.
EventName = Literal[
    "SOCKET_ALIVE",
    "SOCKET_IN_USE",
    "TCP_CONNECT",
    "SOCKS5_CONNECT",
    "SSL_CONNECT",
    "SSL_CERTIFICATES_RECEIVED",
    "CERT_VERIFIER_REQUEST_BOUND_TO_JOB",
    "CERT_VERIFIER_JOB",
    "SOCKET_BYTES_SENT",
    "SOCKET_BYTES_RECEIVED",
    "SSL_SOCKET_BYTES_SENT",
    "SSL_SOCKET_BYTES_RECEIVED",
    "URL_REQUEST_START_JOB",
]
_NAMES: tuple[EventName, ...] = EventName.__args__  # type: ignore[attr-defined]
_PHASES = {"PHASE_NONE": "none", "PHASE_BEGIN": "begin", "PHASE_END": "end"}
_HEAD = b'{"constants":'
_EVENTS = b'"events":'


class UnknownNetLog(NewskeepError):
    """A net log that is not of the kind that is understood: of another Chromium."""


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event of a socket, or of the check of a certificate."""

    name: EventName
    phase: str
    #: Number of what it is about; those of two sockets differ.
    source: int
    moment: datetime
    params: Mapping[str, Any]


def read_events(lines: Iterable[bytes]) -> Iterator[LogEvent]:
    """Yield the events that are read, in order. A log that was cut ends with its last whole line.

    Raises `UnknownNetLog` where it is of another kind.
    """
    source = iter(lines)
    first = next(source, b"")
    if not first:
        return
    constants = _constants(first)
    kinds = {number: name for name in _NAMES if (number := constants["logEventTypes"].get(name)) is not None}
    phases = {number: _PHASES[name] for name, number in constants["logEventPhase"].items() if name in _PHASES}
    offset = int(constants["timeTickOffset"])
    if not next(source, _EVENTS).lstrip().startswith(_EVENTS):
        raise UnknownNetLog(f"{_program(constants)} writes a net log that is not understood: no list of events")
    for line in source:
        event = _event(line)
        if event is None:
            return
        if (name := kinds.get(event.get("type", -1))) is not None:
            moment = datetime.fromtimestamp((offset + int(event["time"])) / 1000, UTC)
            yield LogEvent(name, phases[event["phase"]], event["source"]["id"], moment, event.get("params") or {})


def _constants(line: bytes) -> Mapping[str, Any]:
    """The constants, checked."""
    try:
        if not line.startswith(_HEAD):
            raise ValueError
        constants: Mapping[str, Any] = json.loads(line.strip().removesuffix(b",") + b"}")["constants"]
        missing = [*_missing(_NAMES, constants["logEventTypes"]), *_missing(_PHASES, constants["logEventPhase"])]
        version = constants["logFormatVersion"]
        int(constants["timeTickOffset"])
    except (ValueError, KeyError, TypeError):
        raise UnknownNetLog("the browser writes a net log that is not understood: no constants") from None
    if version != _FORMAT:
        raise UnknownNetLog(
            f"{_program(constants)} writes a net log of version {version}; version {_FORMAT} is understood"
        )
    if missing:
        raise UnknownNetLog(f"{_program(constants)} writes a net log that is not understood: it has no {missing[0]}")
    return constants


def _missing(names: Iterable[str], known: Mapping[str, int]) -> list[str]:
    return [name for name in names if name not in known]


def _program(constants: Mapping[str, Any]) -> str:
    client = constants.get("clientInfo", {})
    return f"{client.get('name', 'the browser')} {client.get('version', '')}".strip()


def _event(line: bytes) -> dict[str, Any] | None:
    """An event; `None` behind the last, and for one that was cut."""
    try:
        event = json.loads(line.strip().removesuffix(b",").removesuffix(b"]}"))
    except ValueError:
        return None
    return event if isinstance(event, dict) and "source" in event else None

"""Net logs as Chromium writes them, of sockets that went through a SOCKS proxy: what the unit tests read."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

NAMES = (
    *("SOCKET_ALIVE", "SOCKET_IN_USE", "TCP_CONNECT", "SOCKS5_CONNECT", "SSL_CONNECT", "SSL_CERTIFICATES_RECEIVED"),
    *("CERT_VERIFIER_REQUEST_BOUND_TO_JOB", "CERT_VERIFIER_JOB", "SOCKET_BYTES_SENT", "SOCKET_BYTES_RECEIVED"),
    *("SSL_SOCKET_BYTES_SENT", "SSL_SOCKET_BYTES_RECEIVED", "URL_REQUEST_START_JOB"),
)
TYPES = {name: number for number, name in enumerate(NAMES, 100)}
PHASES = {"PHASE_NONE": 0, "PHASE_BEGIN": 1, "PHASE_END": 2}
#: Milliseconds since the epoch of tick 0: 2026-11-21 22:00:00 UTC.
OFFSET = 1_795_298_400_000
LOCAL, PEER = "127.0.0.1:50000", "192.0.2.7"
Event = dict[str, Any]


def event(name: str, phase: str = "PHASE_NONE", source: int = 1, time: int = 1_000, **params: Any) -> Event:
    return {
        "type": TYPES[name],
        "phase": PHASES[phase],
        "source": {"id": source, "type": 10, "start_time": "1"},
        "time": str(time),
        "params": params,
    }


def sent(data: bytes, tls: bool = False, source: int = 1, time: int = 1_000) -> Event:
    return _bytes("SSL_SOCKET_BYTES_SENT" if tls else "SOCKET_BYTES_SENT", data, source, time)


def received(data: bytes, tls: bool = False, source: int = 1, time: int = 1_000) -> Event:
    return _bytes("SSL_SOCKET_BYTES_RECEIVED" if tls else "SOCKET_BYTES_RECEIVED", data, source, time)


def _bytes(name: str, data: bytes, source: int, time: int) -> Event:
    return event(name, source=source, time=time, byte_count=len(data), bytes=base64.b64encode(data).decode())


def way(source: int = 1, local: str = LOCAL) -> list[Event]:
    """A socket's way through the proxy: bytes that are no exchange's."""
    return [
        event("TCP_CONNECT", "PHASE_END", source, local_address=local, remote_address="127.0.0.1:1080"),
        event("SOCKS5_CONNECT", "PHASE_BEGIN", source),
        sent(b"\x05\x01\x00", source=source),
        received(b"\x05\x00", source=source),
        event("SOCKS5_CONNECT", "PHASE_END", source),
    ]


def lines(events: Sequence[Event], **changed: Any) -> list[bytes]:
    """The log as lines; `changed`: constants that are other ones."""
    constants: Mapping[str, Any] = {
        "logEventTypes": TYPES,
        "logEventPhase": PHASES,
        "logFormatVersion": 1,
        "timeTickOffset": OFFSET,
        "clientInfo": {"name": "Chromium", "version": "199.0.1.2"},
        **changed,
    }
    head = [b'{"constants":' + json.dumps(constants).encode() + b",\n", b'"events": [\n']
    return [*head, *(json.dumps(each).encode() + b",\n" for each in events), b'"polledData":{}}\n']

"""Exchanges out of Chromium's net log: what is cut, what is refused, what is not whole."""

from __future__ import annotations

import random
from collections.abc import Iterable

import h2.config
import h2.connection
import hpack
import net_logs
import pytest
from net_logs import LOCAL, PEER, TYPES, Event, event, received, sent, way

from crawler.browser.connections import Connections
from crawler.browser.http1 import framed
from crawler.browser.net_log import UnknownNetLog, read_events
from storage.model import Exchange

REQUEST = b"GET /a?b=1 HTTP/1.1\r\nHost: news.example\r\nConnection: keep-alive\r\n\r\n"
ODD = (
    b"HTTP/1.1 200  Fine  and dandy\r\nX-A: 1\r\nx-a: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'3;ext="1"\r\nabc\r\n0\r\nTrailer: x\r\n\r\n'
)
TAKEN = event("SOCKET_IN_USE", "PHASE_BEGIN")


def exchanges(events: Iterable[Event], limit: int = 1 << 20) -> list[Exchange]:
    connections = Connections(limit)
    connections.take_all(read_events(net_logs.lines(list(events))))
    return list(connections.exchanges({LOCAL: PEER}, "disconnect"))


def test_http1_is_byte_for_byte() -> None:
    pieces = [received(ODD[at : at + 7]) for at in range(0, len(ODD), 7)]
    [exchange] = exchanges([*way(), TAKEN, sent(REQUEST), *pieces])
    assert (exchange.request, exchange.response) == (REQUEST, ODD)
    assert (exchange.url, exchange.peer, exchange.protocols) == ("http://news.example/a?b=1", PEER, ("http/1.1",))
    assert exchange.started.isoformat() == "2026-11-21T22:00:01+00:00"
    assert exchange.truncated is None


def test_requests_of_one_connection_are_kept_apart() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    post = b"POST /c HTTP/1.1\r\nHost: news.example\r\nContent-Length: 4\r\n\r\n"
    [first, second] = exchanges(
        [*way(), TAKEN, sent(REQUEST), received(early + ODD), TAKEN, sent(post), sent(b"GET "), received(ODD)]
    )
    assert (first.interim, first.response) == ((early,), ODD)
    # A body that looks like a request is none.
    assert (second.request, second.response) == (post + b"GET ", ODD)


def test_a_second_request_without_a_word_between() -> None:
    denied = b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"
    found = exchanges([*way(), TAKEN, sent(REQUEST), received(denied), sent(REQUEST), received(ODD)])
    assert [each.response for each in found] == [denied, ODD]


def test_what_did_not_go_through_the_proxy_is_left_out() -> None:
    assert exchanges([*way(local="127.0.0.1:9"), TAKEN, sent(REQUEST), received(ODD)]) == []
    assert exchanges([*way()[:-1], TAKEN, sent(REQUEST), received(ODD)]) == []


def test_more_than_the_bound_is_cut_and_says_so() -> None:
    [exchange] = exchanges([*way(), TAKEN, sent(REQUEST), received(ODD[:-9]), received(b"x" * 500)], limit=300)
    assert (exchange.response, exchange.truncated) == (ODD[:-9], "length")


def test_a_log_that_was_cut_ends_with_its_last_whole_line() -> None:
    whole = net_logs.lines([*way(), TAKEN, sent(REQUEST), received(ODD)])
    text = b"".join(whole)
    for end in random.Random(15).sample(range(len(text)), 50):
        connections = Connections(1 << 20)
        try:
            connections.take_all(read_events(text[:end].splitlines(keepends=True)))
        except UnknownNetLog:
            # Its head itself was cut.
            assert end < sum(map(len, whole[:2]))
        for exchange in connections.exchanges({LOCAL: PEER}, "disconnect"):
            assert ODD.startswith(exchange.response)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"logFormatVersion": 2}, "Chromium 199.0.1.2 writes a net log of version 2; version 1 is understood"),
        ({"logEventTypes": {**TYPES, "SOCKS5_CONNECT": None}}, None),
        ({"logEventTypes": {name: 1 for name in TYPES if name != "SSL_CONNECT"}}, "it has no SSL_CONNECT"),
        ({"logEventPhase": {}}, "it has no PHASE_NONE"),
        ({"timeTickOffset": None}, "no constants"),
    ],
)
def test_a_log_of_another_kind_is_refused(changed: dict[str, object], said: str | None) -> None:
    lines = net_logs.lines([*way(), TAKEN], **changed)
    if said is None:
        assert list(read_events(lines))
        return
    with pytest.raises(UnknownNetLog, match=said) as refused:
        list(read_events(lines))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("lines", [[b"chromium says no\n"], [b'{"constants":[]}\n'], [*net_logs.lines([])[:1], b"x\n"]])
def test_what_is_no_log_is_refused(lines: list[bytes]) -> None:
    with pytest.raises(UnknownNetLog):
        list(read_events(lines))
    assert list(read_events([])) == []


def test_bytes_that_are_not_all_there_are_refused() -> None:
    short = {**sent(REQUEST), "params": {"byte_count": len(REQUEST), "bytes": "R0VU"}}
    with pytest.raises(UnknownNetLog, match="not all bytes"):
        exchanges([*way(), TAKEN, short])
    stripped = {**sent(REQUEST), "params": {"byte_count": 3, "bytes": "%%%"}}
    with pytest.raises(UnknownNetLog, match="not understood"):
        exchanges([*way(), TAKEN, stripped])


@pytest.mark.parametrize(
    ("response", "whole"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", False),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", True),
        (b"HTTP/1.1 200 OK\r\nContent-Le", False),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n000;a=b\r\nT: x\r\nU: y\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", True),
    ],
)
def test_whole_or_not(response: bytes, whole: bool) -> None:
    assert framed(b"GET", response, "disconnect") == (response, None if whole else "disconnect")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nh",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n0\n\r\n0\r\n\r\n",
    ],
)
def test_what_follows_the_end_belongs_to_no_answer(answer: bytes) -> None:
    assert framed(b"GET", answer + b"more of it", "disconnect") == (answer, None)
    assert framed(b"HEAD", b"HTTP/1.1 200 OK\r\n\r\nx", "disconnect") == (b"HTTP/1.1 200 OK\r\n\r\n", None)


def secured(protocol: str) -> list[Event]:
    return [
        *way(),
        event("SSL_CONNECT", "PHASE_BEGIN"),
        sent(b"sealed: a hello"),
        event("SSL_CONNECT", "PHASE_END", next_proto=protocol, version="TLS 1.3"),
        TAKEN,
    ]


def test_below_tls_nothing_is_taken() -> None:
    [exchange] = exchanges(
        [*secured("http/1.1"), sent(b"sealed"), sent(REQUEST, tls=True), received(b"sealed"), received(ODD, tls=True)]
    )
    assert (exchange.request, exchange.response) == (REQUEST, ODD)
    assert (exchange.url, exchange.protocols) == ("https://news.example/a?b=1", ("http/1.1", "tls/1.3"))


FIELDS = [
    *((":method", "GET"), (":authority", "news.example"), (":scheme", "https"), (":path", "/a?b=1")),
    *(("cookie", "a=1"), ("cookie", "b=2")),
]
ANSWER = [(":status", "200"), ("content-type", "text/html"), ("x-a", "1"), ("x-a", "2"), ("x-long", "y" * 40_000)]


def conversation(padding: int | None = None, table_size: int = 65_536) -> list[Event]:
    """Two streams at a time between both ends of the h2 library: 1xx, CONTINUATION, padding, trailers."""
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    client.initiate_connection()
    client.update_settings({1: table_size})
    server.initiate_connection()
    events: list[Event] = []

    def pump() -> None:
        while (up := client.data_to_send()) or (down := server.data_to_send()):
            if up:
                # In pieces that end in the middle of frames.
                events.extend(sent(up[at : at + 1_000], tls=True) for at in range(0, len(up), 1_000))
                server.receive_data(up)
            else:
                events.extend(received(down[at : at + 997], tls=True) for at in range(0, len(down), 997))
                client.receive_data(down)

    pump()
    client.send_headers(1, FIELDS, end_stream=True)
    client.send_headers(3, [*FIELDS[:3], (":path", "/post"), ("x", "y")])
    pump()
    server.send_headers(1, [(":status", "103"), ("link", "x")])
    server.send_headers(1, ANSWER)
    server.send_headers(3, ANSWER)
    server.send_data(1, b"<h1>one", pad_length=padding)
    server.send_data(3, b"", pad_length=padding)
    client.send_data(3, b"sent", end_stream=True)
    pump()
    server.send_data(3, b"three", end_stream=True, pad_length=padding)
    server.send_data(1, b"</h1>", pad_length=padding)
    server.send_headers(1, [("x-trailer", "z")], end_stream=True)
    pump()
    return events


@pytest.mark.parametrize(("padding", "table_size"), [(None, 65_536), (7, 4_096), (255, 0)])
def test_http2_as_messages_of_http1(padding: int | None, table_size: int) -> None:
    [one, three] = exchanges([*secured("h2"), *conversation(padding, table_size)])
    assert one.request == b"GET /a?b=1 HTTP/1.1\r\nhost: news.example\r\ncookie: a=1\r\ncookie: b=2\r\n\r\n"
    head = b"HTTP/1.1 200 \r\ncontent-type: text/html\r\nx-a: 1\r\nx-a: 2\r\nx-long: %s\r\n\r\n" % (b"y" * 40_000)
    assert (one.response, one.truncated) == (head + b"<h1>one</h1>", None)
    assert one.interim == (b"HTTP/1.1 103 \r\nlink: x\r\n\r\n",)
    assert (one.url, one.protocols) == ("https://news.example/a?b=1", ("h2", "tls/1.3"))
    assert three.request.endswith(b"\r\nx: y\r\n\r\nsent")
    assert three.response == head + b"three"


def test_frames_and_body_are_all_that_was_sent() -> None:
    events = [*secured("h2"), *conversation(padding=7)]
    [one, three] = exchanges(events)
    frames = one.response_frames + three.response_frames
    kinds = [frame[3] for frame in _frames_without_data(one.response_frames)]
    # HEADERS (103), HEADERS and CONTINUATIONs, DATA twice, HEADERS (trailers).
    assert kinds[0] == kinds[1] == 1 and kinds[-1] == 1 and kinds.count(0) == 2 and set(kinds) == {0, 1, 9}
    assert b"<h1>one" not in frames
    # Other than in HTTP/1's form, the trailer is there.
    assert any(_unpacked(frame) == [(b"x-trailer", b"z")] for frame in _frames_without_data(one.response_frames)[-1:])


def _frames_without_data(frames: bytes) -> list[bytes]:
    """The frames apart; of DATA the length says what is in the body, and padding is what is here."""
    found, at = [], 0
    while at < len(frames):
        length, kind, flags = int.from_bytes(frames[at : at + 3], "big"), frames[at + 3], frames[at + 4]
        size = 9 + length
        if kind == 0:
            size = 9 + (1 + frames[at + 9] if flags & 8 else 0)
        found.append(frames[at : at + size])
        at += size
    assert at == len(frames)
    return found


def _unpacked(frame: bytes) -> list[tuple[bytes, bytes]]:
    return [(bytes(name), bytes(value)) for name, value in hpack.Decoder().decode(frame[9:], raw=True)]


def test_http2_that_cannot_be_read_is_told_and_costs_what_follows_alone() -> None:
    events = [*secured("h2"), *conversation()]
    broken = b"\x00\x00\x02\x01\x04\x00\x00\x00\x01\xff\xff"
    connections = Connections(1 << 20)
    connections.take_all(read_events(net_logs.lines([*events, received(broken, tls=True), received(b"x", tls=True)])))
    assert len(list(connections.exchanges({LOCAL: PEER}, "disconnect"))) == 2
    [fault] = connections.faults
    assert fault.startswith("HTTP/2 that cannot be read: ")


def test_a_stream_that_was_not_ended_is_cut() -> None:
    events = conversation()
    while exchanges([*secured("h2"), *events])[0].truncated is None:
        events.pop()
    assert exchanges([*secured("h2"), *events])[0].truncated == "disconnect"

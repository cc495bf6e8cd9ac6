"""The raw-socket origin itself: what it sends is what a raw client gets, and what it logs is both."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator

import pytest
from hostile_responses import Case, hostile_cases
from origin import Close, Hang, Origin, Pause, Reset, ends_connection, response


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as running:
        yield running


def connect(origin: Origin) -> socket.socket:
    return socket.create_connection((origin.host, origin.port), timeout=240)


def ask(path: str, headers: bytes = b"") -> bytes:
    return b"GET " + path.encode() + b" HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n"


def read_to_end(client: socket.socket) -> bytes:
    data = b""
    while piece := client.recv(65_536):
        data += piece
    return data


def read_exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := client.recv(size - len(data))):
        data += piece
    return data


def fetch(origin: Origin, path: str) -> bytes:
    with connect(origin) as client:
        client.sendall(ask(path, b"Connection: close\r\n"))
        return read_to_end(client)


def test_sends_exactly_the_script_and_logs_both_ways(origin: Origin) -> None:
    odd = b"HTTP/1.1 200 \r\nx-A:\xff\r\nX-a: 2\r\nContent-Length: 2\r\n\r\nhi"
    origin.on("/odd", odd)
    request = b"GET /odd HTTP/1.1\r\nhOST: x\r\nConnection: close\r\nX: \xfe\r\n\r\n"
    with connect(origin) as client:
        client.sendall(request)
        assert read_to_end(client) == odd
    (logged,) = origin.log
    assert (logged.connection, logged.number, logged.path) == (1, 1, "/odd")
    assert logged.request == request
    assert logged.sent == odd


def test_log_is_there_as_soon_as_the_client_has_the_bytes(origin: Origin) -> None:
    body = b"x" * 3_000_000
    origin.reply("/large", body)
    with connect(origin) as client:
        client.sendall(ask("/large"))
        got = read_exactly(client, len(response(body)))
        assert origin.log[0].sent == got == response(body)


def test_request_body_by_content_length_and_pipelining(origin: Origin) -> None:
    origin.reply("/a", b"first")
    origin.reply("/b", b"second")
    post = b"POST /a HTTP/1.1\r\ncontent-length: 5\r\n\r\n12345"
    with connect(origin) as client:
        client.sendall(post + ask("/b?q=1", b"Connection: close\r\n"))
        assert read_to_end(client) == response(b"first") + response(b"second")
    assert [(entry.connection, entry.number, entry.path) for entry in origin.log] == [(1, 1, "/a"), (1, 2, "/b?q=1")]
    assert origin.log[0].request == post


def test_scripts_are_used_in_order_and_the_last_repeats(origin: Origin) -> None:
    origin.reply("/", b"one")
    origin.reply("/", b"two")
    assert [fetch(origin, "/")[-3:] for _ in range(3)] == [b"one", b"two", b"two"]


def test_a_query_has_a_script_of_its_own(origin: Origin) -> None:
    origin.reply("/p", b"any")
    origin.reply("/p?a=1", b"one")
    assert fetch(origin, "/p?a=1").endswith(b"one")
    assert fetch(origin, "/p?a=2").endswith(b"any")


def test_unknown_path_is_404_with_a_length_and_the_connection_is_kept(origin: Origin) -> None:
    missing = response(b"not here", "404 Not Found")
    with connect(origin) as client:
        for _ in range(2):
            client.sendall(ask("/robots.txt"))
            assert read_exactly(client, len(missing)) == missing
    assert [entry.number for entry in origin.log] == [1, 2]


def test_absolute_target_of_a_proxy_request(origin: Origin) -> None:
    origin.reply("/there?x=1", b"proxied")
    with connect(origin) as client:
        client.sendall(b"GET http://example.org/there?x=1 HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert read_to_end(client).endswith(b"proxied")
    assert origin.log[0].path == "/there?x=1"


def test_close_after_a_response_without_a_length(origin: Origin) -> None:
    origin.on("/", b"HTTP/1.1 200 OK\r\n\r\nto the end")
    with connect(origin) as client:
        client.sendall(ask("/"))
        assert read_to_end(client).endswith(b"to the end")


def test_reset_is_a_reset(origin: Origin) -> None:
    origin.on("/", b"HTTP/1.1 200 OK\r\nContent-Le", Pause(0.2), Reset())
    with connect(origin) as client:
        client.sendall(ask("/"))
        assert read_exactly(client, 27) == b"HTTP/1.1 200 OK\r\nContent-Le"
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_hang_lasts_until_the_client_goes(origin: Origin) -> None:
    origin.on("/", b"HTTP/1.1 200 OK\r\n", Hang())
    with connect(origin) as client:
        client.sendall(ask("/"))
        assert read_exactly(client, 17) == b"HTTP/1.1 200 OK\r\n"
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_stopping_ends_hanging_and_pausing_connections() -> None:
    with Origin() as origin:
        origin.on("/hang", Hang())
        origin.on("/pause", Pause(600))
        clients = [connect(origin) for _ in range(3)]
        for client, path in zip(clients, ("/hang", "/pause", "/kept"), strict=True):
            client.sendall(ask(path))
        read_exactly(clients[2], len(response(b"not here", "404 Not Found")))
        while len(origin.log) < 3:
            time.sleep(0.01)
    for client in clients:
        assert client.recv(1) == b""
        client.close()
    # By their function: run_server is a thread of pytest-rerunfailures, where no worker of xdist runs the tests.
    serving = [thread for thread in threading.enumerate() if "(_serve)" in thread.name]
    for thread in serving:
        # One that has closed its connection may still be on its last lines.
        thread.join(240)
    assert not [thread for thread in serving if thread.is_alive()]


def test_a_cut_response_is_logged_as_far_as_the_socket_took_it(origin: Origin) -> None:
    whole = response(b"x" * 50_000_000)
    origin.on("/", whole)
    client = connect(origin)
    client.sendall(ask("/"))
    got = read_exactly(client, 100_000)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    fetch(origin, "/other")
    sent = origin.log[0].sent
    assert len(got) <= len(sent) < len(whole)
    assert whole.startswith(sent)


def test_generated_sites(origin: Origin) -> None:
    origin.on_any(lambda path: response(path.encode()) if path.startswith("/page/") else None)
    assert fetch(origin, "/page/7").endswith(b"/page/7")
    assert fetch(origin, "/else").startswith(b"HTTP/1.1 404")


def test_a_run_without_a_log_still_counts() -> None:
    with Origin(keep_log=False) as origin:
        fetch(origin, "/")
        assert origin.requests == 1
        assert origin.log == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1"])
def test_tls_on_any_loopback_address(host: str) -> None:
    body = b"y" * 200_000
    with Origin(host, tls=True) as origin:
        origin.reply("/", body)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(connect(origin)) as client:
            client.sendall(ask("/", b"Connection: close\r\n"))
            assert read_to_end(client) == response(body)  # ends with close_notify: no SSLEOFError
            assert client.version() == "TLSv1.3"
        assert origin.url("/").startswith("https://")
        assert origin.log[0].sent == response(body)


def test_reset_under_tls_has_no_good_end() -> None:
    with Origin(tls=True) as origin:
        origin.on("/", b"HTTP/1.1 200 OK\r\n\r\ncut", Pause(0.2), Reset())
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(connect(origin)) as client:
            client.sendall(ask("/"))
            assert read_exactly(client, 22) == b"HTTP/1.1 200 OK\r\n\r\ncut"
            with pytest.raises(ConnectionResetError):
                socket.socket.recv(client, 1)  # below TLS: Python's ssl calls a RST an end of file


def test_several_addresses_share_a_port() -> None:
    with Origin("127.0.0.2") as first, Origin("127.0.0.3", port=first.port) as second:
        second.reply("/", b"second")
        assert fetch(second, "/").endswith(b"second")
        assert fetch(first, "/").startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize(
    ("sent", "ends"),
    [
        (response(b"x"), False),
        (response(status="204 No Content"), False),
        (b"HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n" + response(b"x"), False),
        (b"HTTP/1.1 200 OK\nContent-Length: 1\n\nx", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", True),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx", False),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", True),
        (b"HTTP/1.1 200 OK\r\n\r\nx", True),
        (b"", True),
    ],
)
def test_when_a_connection_ends(sent: bytes, ends: bool) -> None:
    assert ends_connection(b"GET / HTTP/1.1\r\n\r\n", sent) is ends
    assert ends_connection(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", sent)


@pytest.mark.parametrize(("name", "case"), hostile_cases().items())
def test_hostile_case_is_sent_as_written(origin: Origin, name: str, case: Case) -> None:
    """Every script reaches a raw client byte for byte; a stall or a reset comes after all that was to be sent."""
    path = case.install(origin, name).removeprefix(origin.url(""))
    for script in case.scripts:
        expected = b"".join(step for step in script if isinstance(step, bytes))
        with connect(origin) as client:
            client.sendall(ask(path, b"Connection: close\r\n"))
            assert read_exactly(client, len(expected)) == expected
            if any(isinstance(step, Hang) for step in script):
                client.settimeout(0.1)
                with pytest.raises(TimeoutError):
                    client.recv(1)
            elif any(isinstance(step, Reset) for step in script):
                with pytest.raises(ConnectionResetError):
                    client.recv(1)
            else:
                assert client.recv(1) == b""
        assert origin.log[-1].sent == expected
        assert expected.startswith(b"".join(case.interim))
        assert expected.endswith(case.excess)


def test_table_covers_every_verdict() -> None:
    verdicts = {case.verdicts[0] for case in hostile_cases().values()}
    assert verdicts == {"complete", "length", "time", "disconnect", "unspecified"}
    assert any(isinstance(step, Close) for case in hostile_cases().values() for step in case.scripts[0])

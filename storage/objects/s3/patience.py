"""How long a server may be silent: connections that give up after so many seconds without progress, and work for ever.

botocore has no bound but that of a single `recv`, which a byte a second never meets, and of a single `sendall`, which a
large part on a slow line never keeps. Its pool classes are reached by a private name, `_pool_classes_by_scheme`.
"""

from __future__ import annotations

import fcntl
import io
import socket
import sys
import termios
import time
from collections.abc import Callable
from functools import partial
from http.client import HTTPResponse
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, cast

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from urllib3.exceptions import ConnectTimeoutError as PoolConnectTimeout
from urllib3.exceptions import ReadTimeoutError as PoolReadTimeout
from urllib3.util import wait_for_read

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: What tells of a server that was silent for too long while it was spoken with.
SILENCE = (ReadTimeoutError, PoolReadTimeout, TimeoutError)
#: Bytes; what a server must at least give within the seconds for which it may be silent, or take.
LEAST = 1024
#: Seconds between two looks at what is not sent yet.
_LOOK = 0.1
#: Where the time of a call's first try stands in botocore's context.
_BEGAN = "newskeep_began"


def bound_silence(client: Any, seconds: float) -> None:
    """Have a boto3 client's requests fail when nothing moves for `seconds`, tries and pauses between them included."""
    client._endpoint.http_session._pool_classes_by_scheme.update(
        http=_pool(AWSHTTPConnectionPool, AWSHTTPConnection, seconds),
        https=_pool(AWSHTTPSConnectionPool, AWSHTTPSConnection, seconds),
    )

    def began(context: dict[str, Any], **_: object) -> None:
        context[_BEGAN] = time.monotonic()

    def give_up(caught_exception: Exception | None, request_dict: dict[str, Any], **_: object) -> None:
        """Raise where another try would only be silent as well; botocore makes up to `attempts`."""
        if caught_exception is None:
            return
        waited = time.monotonic() - request_dict["context"][_BEGAN]
        if is_silence(caught_exception) or (isinstance(caught_exception, ConnectTimeoutError) and waited >= seconds):
            raise caught_exception

    client.meta.events.register_first("before-call.s3", began)
    client.meta.events.register_first("needs-retry.s3", give_up)


def is_silence(error: BaseException | None) -> bool:
    """Whether an error, or one that it stands for, is that a server fell silent; botocore wraps one while it sends."""
    while error is not None and not isinstance(error, (ConnectTimeoutError, PoolConnectTimeout)):
        if isinstance(error, SILENCE):
            return True
        error = error.__cause__ or error.__context__
    return False


def _pool(pool: type, connection: type, seconds: float) -> type:
    bound = type(connection.__name__, (_Impatient, connection), {"seconds": seconds})
    return type(pool.__name__, (pool,), {"ConnectionCls": bound})


class _Impatient(AWSHTTPConnection if TYPE_CHECKING else object):  # type: ignore[misc]
    """A connection that ends with `TimeoutError` when its server makes no progress for `seconds`."""

    seconds: float

    def _new_conn(self) -> socket.socket:
        # A name's resolution has no time limit of its own, and a name may have many addresses that do not answer.
        return _within(self.seconds, super()._new_conn, lambda: PoolConnectTimeout(self, "connecting took too long"))

    def connect(self) -> None:
        super().connect()
        # Until the first reply the socket would have the bound of connecting.
        self.sock.settimeout(self.seconds)

    def request(self, method: str, *args: Any, **kwargs: Any) -> None:
        # A server keeps the completion of an upload alive by white space, a byte now and then.
        self._least = 1 if method == "POST" else LEAST
        super().request(method, *args, **kwargs)

    def send(self, data: Any) -> None:
        # The time limit of a socket bounds a whole `sendall`, so that a part of megabytes would be cut on a slow line.
        if isinstance(data, bytes):
            for start in range(0, len(data), LEAST * 16):
                super().send(data[start : start + LEAST * 16])
        else:
            super().send(data)

    def getresponse(self) -> Any:
        kind = cast("Callable[..., HTTPResponse]", self.response_class)  # type: ignore[has-type]
        self.response_class = cast("Any", partial(_watched, kind, self.seconds, self._least))
        return super().getresponse()


def _watched(
    kind: Callable[..., HTTPResponse], seconds: float, least: int, connection: socket.socket, *args: Any, **kwargs: Any
) -> HTTPResponse:
    response = kind(connection, *args, **kwargs)
    response.fp = io.BufferedReader(_Progress(response.fp.detach(), connection, seconds, least))
    return response


class _Progress(io.RawIOBase):
    """Bytes from a socket; raises `TimeoutError` when `seconds` of waiting brought fewer than `least` of them.

    Only waiting counts: who reads slowly is not the server's fault. The socket's own limit bounds a single wait, which
    begins when what was sent has arrived.
    """

    def __init__(self, raw: io.RawIOBase, connection: socket.socket, seconds: float, least: int) -> None:
        self._raw = raw
        self._connection = connection
        self._seconds = seconds
        self._least = least
        self._waited = 0.0
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._wait_until_sent()
        began = time.monotonic()
        count = cast("int | None", self._raw.readinto(buffer))
        self._waited += time.monotonic() - began
        self._count += count or 0
        if self._count >= self._least:
            self._waited, self._count = 0.0, 0
        elif self._waited > self._seconds and count:
            raise TimeoutError(f"{self._count} bytes in {self._waited:.0f} s")
        return count

    def _wait_until_sent(self) -> None:
        """Wait for bytes, or until the system has got rid of what it took; on a slow line that may be minutes."""
        left, since = _unsent(self._connection), time.monotonic()
        while left and not wait_for_read(self._connection, _LOOK):
            if (now_left := _unsent(self._connection)) < left:
                left, since = now_left, time.monotonic()
            elif time.monotonic() - since > self._seconds:
                raise TimeoutError(f"{left} bytes were not taken")

    def close(self) -> None:
        self._raw.close()
        super().close()


def _unsent(connection: socket.socket) -> int:
    """Bytes handed to the system that the other end has not acknowledged (tcp(7), SIOCOUTQ)."""
    if connection.fileno() < 0:
        return 0  # closed by http.client: the reply's end closes the connection
    return int.from_bytes(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)), sys.byteorder)


def _within(seconds: float, connect: Callable[[], socket.socket], late: Callable[[], Exception]) -> socket.socket:
    """Return what `connect` does, or raise `late` after so many seconds; a connection that comes then is closed.

    In a thread of its own, which nobody can end: it is a daemon, so that it does not keep the process.
    """
    made: list[socket.socket] = []
    failed: list[BaseException] = []
    lock, given_up = Lock(), False

    def work() -> None:
        try:
            connection = connect()
        except BaseException as error:
            failed.append(error)
            return
        with lock:
            if given_up:
                connection.close()
            else:
                made.append(connection)

    thread = Thread(target=work, name="newskeep-connect", daemon=True)
    thread.start()
    thread.join(seconds)
    with lock:
        if made:
            return made[0]
        given_up = True
    raise failed[0] if failed else late()

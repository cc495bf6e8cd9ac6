"""An origin that speaks HTTP/2 over TLS: what it answers, and every byte of the frames it sent."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Mapping
from typing import Self

import h2.config
import h2.connection
import h2.events

Answer = tuple[list[tuple[str, str]], bytes]


class H2Origin:
    """Serves `answers`, fields and body by path, in a thread of its own."""

    def __init__(self, context: ssl.SSLContext, answers: Mapping[str, Answer]) -> None:
        context.set_alpn_protocols(["h2"])
        self._context = context
        self._answers = answers
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        #: Bytes that went over all connections, each way.
        self.sent, self.received = bytearray(), bytearray()
        self.paths: list[str] = []
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        start = asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result(240)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        async def end() -> None:
            self._server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(240)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(240)
        self._loop.close()

    def url(self, path: str) -> str:
        return f"https://localhost:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        self._send(connection, writer)
        try:
            while data := await reader.read(65_536):
                self.received += data
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        self._answer(connection, event)
                self._send(connection, writer)
        except OSError:
            pass
        finally:
            writer.close()

    def _answer(self, connection: h2.connection.H2Connection, event: h2.events.RequestReceived) -> None:
        path = dict(event.headers)[b":path"].decode()
        self.paths.append(path)
        fields, body = self._answers.get(path, ([(":status", "404")], b"not here"))
        connection.send_headers(event.stream_id, fields)
        # Smaller than a frame and the window: flow control is the library's to test.
        for at in range(0, len(body), 8_000):
            connection.send_data(event.stream_id, body[at : at + 8_000], pad_length=7)
        connection.end_stream(event.stream_id)

    def _send(self, connection: h2.connection.H2Connection, writer: asyncio.StreamWriter) -> None:
        data = connection.data_to_send()
        self.sent += data
        writer.write(data)

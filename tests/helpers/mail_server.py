"""A raw-socket SMTP server for tests: takes mail as RFC 5321 has it and keeps what came, or answers what it is told.

with MailServer() as server:
    ...
    assert server.mails[0].recipients == ["me@example.org"]
"""

from __future__ import annotations

import email
import email.policy
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Self


@dataclass(frozen=True, slots=True)
class Mail:
    sender: str
    recipients: list[str]
    data: bytes
    #: Whether it came over TLS, and the login that was given, as it was encoded.
    secured: bool
    login: str | None

    @property
    def message(self) -> EmailMessage:
        found = email.message_from_bytes(self.data, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        return found


class MailServer:
    """A server on a free port of loopback. `answers`: what it says to a command in place of its own answer.

    `tls`: offered by STARTTLS; with `at_once` spoken from the first byte. `mute`: takes connections and says nothing.
    """

    def __init__(
        self,
        answers: dict[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        at_once: bool = False,
        mute: bool = False,
    ) -> None:
        self.answers = answers if answers is not None else {}
        self.mails: list[Mail] = []
        self._tls, self._at_once, self._mute = tls, at_once, mute
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._live: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # A mere close would leave the thread that waits in accept.
        for each in (self._listener, *self._live):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._live.append(connection)
            if not self._mute:
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            secured = self._secured(connection) if self._at_once else None
            _Conversation(self, secured or connection, secured is not None).run()
        with suppress(OSError):
            connection.close()

    def _secured(self, connection: socket.socket) -> ssl.SSLSocket:
        assert self._tls is not None
        secured = self._tls.wrap_socket(connection, server_side=True)
        self._live.append(secured)
        return secured


class _Conversation:
    def __init__(self, server: MailServer, connection: socket.socket, secured: bool) -> None:
        self._server, self._connection, self._secured = server, connection, secured
        self._lines = connection.makefile("rb")
        self._sender, self._recipients = "", list[str]()
        self._login: str | None = None

    def run(self) -> None:
        self._say(self._server.answers.get("", "220 mail.example ESMTP"))
        while line := self._lines.readline():
            text = line.decode().strip()
            verb = text.split(" ")[0].upper()
            if verb in self._server.answers:
                self._say(self._server.answers[verb])
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._take(verb, text)

    def _take(self, verb: str, text: str) -> None:
        if verb == "EHLO":
            offers = ["250-mail.example", *(["250-STARTTLS"] if self._server._tls and not self._secured else [])]
            self._say("\r\n".join([*offers, "250 AUTH PLAIN"]))
        elif verb == "STARTTLS":
            self._say("220 go on")
            self._connection = self._server._secured(self._connection)
            self._lines, self._secured = self._connection.makefile("rb"), True
        elif verb == "AUTH":
            self._login = text
            self._say("235 welcome")
        elif verb == "MAIL":
            self._sender = text.partition("<")[2].partition(">")[0]
            self._say("250 ok")
        elif verb == "RCPT":
            self._recipients.append(text.partition("<")[2].partition(">")[0])
            self._say("250 ok")
        elif verb == "DATA":
            self._say("354 go on")
            data = b"".join(iter(self._lines.readline, b".\r\n"))
            mail = Mail(self._sender, self._recipients, data.replace(b"\r\n..", b"\r\n."), self._secured, self._login)
            self._server.mails.append(mail)
            self._recipients = []
            self._say("250 taken")
        else:
            self._say("250 ok")

    def _say(self, line: str) -> None:
        self._connection.sendall(f"{line}\r\n".encode())

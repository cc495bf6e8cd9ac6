"""Tells by e-mail: plain text over SMTP, encrypted unless the configuration says otherwise."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from crawler.politeness.addresses import is_loopback
from newskeep.alerts.alert import addresses, near
from newskeep.alerts.digest import one_line
from newskeep.alerts.secret import Secret
from newskeep.posting import NotDelivered, tls_context, within, words_of
from storage.errors import ConfigError

if TYPE_CHECKING:
    from crawler.config import Config
    from newskeep.alerts.alert import Alert
    from newskeep.alerts.digest import Message

#: Seconds that one message may take, and a single answer of the server.
SECONDS, _ANSWER_SECONDS = 30.0, 15.0

#: "starttls" begins in the clear and goes on encrypted or not at all, "tls" is encrypted from the first byte.
Tls = Literal["starttls", "tls", "none"]
#: The ports that belong to them (RFC 6409, RFC 8314).
_PORTS: Mapping[str, int] = {"starttls": 587, "tls": 465, "none": 25}
KEYS = ("host", "port", "tls", "user", "password", "from")


@dataclass(frozen=True, slots=True)
class MailServer:
    """The table `[smtp]`."""

    host: str
    port: int
    tls: Tls
    sender: str
    user: str | None = None
    password: Secret | None = None


def load_server(config: Config) -> MailServer | None:
    """Return the server of the configuration, `None` where there is none. Raises `ConfigError`."""
    table, where = config.smtp, f"{config.file}: [smtp] "
    if not table:
        return None
    for key in table:
        if key not in KEYS:
            raise ConfigError(f"{where}unknown key {key!r}{near(key, KEYS)}")
    host = table.get("host")
    if not isinstance(host, str) or not host.strip() or any(char.isspace() for char in host.strip()):
        raise ConfigError(f'{where}needs a host, such as "smtp.example.org"')
    tls = table.get("tls", "starttls")
    if tls not in get_args(Tls):
        raise ConfigError(f'{where}tls must be "starttls", "tls" or "none", not {tls!r}')
    port = table.get("port", _PORTS[tls])
    if type(port) is not int or not 0 < port < 65536:
        raise ConfigError(f"{where}port must be a whole number from 1 to 65535, not {port!r}")
    return MailServer(host.strip(), port, tls, _sender(where, table), **_login(config, where, table, host.strip()))


def _sender(where: str, table: Mapping[str, Any]) -> str:
    try:
        (sender,) = addresses(table.get("from"))
    except ValueError:
        raise ConfigError(f'{where}needs a sender: from = "newskeep@example.org"') from None
    return sender


def _login(config: Config, where: str, table: Mapping[str, Any], host: str) -> dict[str, Any]:
    if ("user" in table) != ("password" in table):
        raise ConfigError(f"{where}user and password go together")
    if "user" not in table:
        return {}
    if not isinstance(table["user"], str) or not table["user"]:
        raise ConfigError(f"{where}user must be a text")
    if table.get("tls") == "none" and not is_loopback(host):
        raise ConfigError(f'{where}a password is not sent in the clear: tls = "starttls" or "tls"')
    folder = config.file.parent if config.file else Path()
    return {"user": table["user"], "password": Secret.of(f"{where}password", table["password"], folder)}


def send(alert: Alert, config: Config, message: Message) -> None:
    """Send a message to the alert's addresses. Raises `NotDelivered` and `ConfigError`.

    It has arrived when the server takes it for one address at least: again would be twice for those.
    """
    server = load_server(config)
    assert server is not None
    password = server.password.read() if server.password else None
    mail = composed(server, alert, message)
    within(SECONDS, lambda: _send(server, config, password, mail))


def composed(server: MailServer, alert: Alert, message: Message) -> EmailMessage:
    """The message as mail; its id is that of the delivery, so that one which comes twice is known."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = server.sender
    mail["To"] = ", ".join(alert.email)
    mail["Subject"] = one_line(message.subject)[:200]
    mail["Date"] = format_datetime(message.at)
    domain = parseaddr(server.sender)[1].rpartition("@")[2]
    mail["Message-ID"] = f"<{message.delivery.id}@{domain}>"
    # No robot answers (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text().encode("utf-8", "replace").decode())
    return mail


def _send(server: MailServer, config: Config, password: str | None, mail: EmailMessage) -> None:
    try:
        with _connected(server, config) as smtp:
            if server.user is not None and password is not None:
                smtp.login(server.user, password)
            smtp.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        first = next(iter(error.recipients.values()))
        raise NotDelivered(f"the server takes no mail for its addresses: {_answer(*first)}") from None
    except smtplib.SMTPResponseException as error:
        raise NotDelivered(f"the server answered {_answer(error.smtp_code, error.smtp_error)}") from None
    except smtplib.SMTPNotSupportedError:
        raise NotDelivered("the server cannot do what is asked: STARTTLS, or a login") from None
    except (smtplib.SMTPException, MessageError, OSError, UnicodeError) as error:
        raise NotDelivered(words_of(error)) from None


def _connected(server: MailServer, config: Config) -> smtplib.SMTP:
    if server.tls == "tls":
        context = tls_context(config)
        return smtplib.SMTP_SSL(server.host, server.port, timeout=_ANSWER_SECONDS, context=context)
    smtp = smtplib.SMTP(server.host, server.port, timeout=_ANSWER_SECONDS)
    if server.tls == "starttls":
        try:
            smtp.starttls(context=tls_context(config))
        except BaseException:
            smtp.close()
            raise
    return smtp


def _answer(code: int, text: bytes | str) -> str:
    return one_line(f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}")[:200]

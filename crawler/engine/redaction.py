"""What must not get into an archive: secrets of the operator's, taken out of an exchange before it is recorded.

A request keeps the values of the fields that every client sends; any other field may hold a key, whatever its name, so
its value becomes `MARK`. What is answered to a request with such a field is for one reader: the cookies it sets lose
their values, and where it repeats a secret, that is overwritten. Everything else stays byte for byte, and the exchange
names what was changed.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import quote, quote_plus, unquote_to_bytes

from storage.http import HttpMessage
from storage.model import Exchange

#: Stands for a value that was taken out; a value that cookies and fields may have (RFC 6265, 4.1.1).
MARK = b"[redacted]"
#: Named beside fields for a body in which a secret was overwritten.
BODY = "body"
#: … and for an address in which one was.
ADDRESS = "address"
#: Fields that say nothing of who is asking: what we, Scrapy and browsers send to everybody.
_OPEN = frozenset(
    b"host user-agent from accept accept-charset accept-encoding accept-language connection keep-alive te trailer "
    b"transfer-encoding content-type content-length content-encoding content-language range if-none-match "
    b"if-modified-since if-match if-unmodified-since if-range cache-control pragma expect upgrade-insecure-requests "
    b"dnt sec-gpc sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user sec-ch-ua sec-ch-ua-mobile "
    b"sec-fetch-storage-access sec-purpose sec-ch-ua-platform date via max-forwards priority origin referer "
    b"x-requested-with".split()
)
#: Fields of passwords.
_CREDENTIALS = frozenset({b"authorization", b"proxy-authorization"})
#: That of a proxy is not seen by the server: its answer is for everybody.
_OF_PROXY = "proxy-authorization"
#: Name, what stands between, and value of a field with its folded lines, as they are on the wire.
_FIELD = re.compile(rb"(?m)^([^\s:]+)([ \t]*:[ \t]*)([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)")
_SET_COOKIE = re.compile(rb"(?im)^(set-cookie2?[ \t]*:[ \t]*)([^=;\r\n]*=)?([^;\r\n]*)")
#: Fields of answers that hand out what is sent from then on, by their names.
_TOKEN = re.compile(rb"(?i)token|session|csrf|xsrf|^authorization$|^(?:proxy-)?authentication-info$")
#: Fields that say how a body is framed and packed.
_CODINGS = re.compile(
    rb"(?im)^(?:content-encoding|transfer-encoding|content-length|trailer)[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*\n"
)
_END_OF_LINE = re.compile(rb"\r?\n")
#: Bytes of a body without its codings that are looked through.
_CONTENT_MAX = 64 * 1024 * 1024
#: Bytes from which on a value is looked for in answers. Shorter ones, and words, stand in pages by chance.
_TELLING = 16
_PASSWORD = 8


@dataclass(frozen=True, slots=True)
class _Redacted:
    """A message without its secrets, the names of what was changed, and the secrets."""

    message: bytes
    names: tuple[str, ...] = ()
    secrets: frozenset[bytes] = frozenset()


def redact(
    exchange: Exchange,
    chain_cookies: Iterable[bytes],
    known: Iterable[bytes],
    private: bool,
    ours: frozenset[bytes] = frozenset(),
) -> Exchange:
    """Return the exchange as it may be kept.

    `chain_cookies`: pairs `name=value` that earlier answers of the same redirects set, which stand in their records.
    `known`: passwords and the like, which must not be repeated by any answer. `private`: whether the answer is for one
    reader, though its request may show no secret, since an earlier request of the same redirects had one.
    `ours`: names, in lower case, of fields that we have set ourselves and that are no secrets.
    """
    request = _redacted_request(exchange.request, frozenset(chain_cookies), ours)
    private |= any(name.lower() != _OF_PROXY for name in request.names)
    if not private:
        return replace(exchange, request=request.message, request_redacted=request.names)
    told = request.secrets | {value for value in known if len(value) >= _PASSWORD}
    secrets = frozenset(form for secret in told for form in _forms(secret))
    *interim, response = (_redacted_response(each, secrets) for each in (*exchange.interim, exchange.response))
    line, end, rest = request.message.partition(b"\n")
    open_line = _overwritten(line, secrets, None)
    names = request.names if open_line == line else (*request.names, ADDRESS)
    return replace(
        exchange,
        # Where a redirect put a secret into an address, an index would show it.
        url=_overwritten(exchange.url.encode(), secrets, None).decode(),
        request=open_line + end + rest,
        request_redacted=names,
        response=response.message,
        response_redacted=tuple(dict.fromkeys(name for each in (*interim, response) for name in each.names)),
        interim=tuple(each.message for each in interim),
    )


def without_credentials(exchange: Exchange) -> Exchange:
    """Return the exchange with the passwords of its request taken out, and nothing else."""
    message = HttpMessage.parse(exchange.request)
    names: list[str] = []

    def without(field: re.Match[bytes]) -> bytes:
        if field[1].lower() not in _CREDENTIALS:
            return field[0]
        names.append(field[1].decode("latin-1"))
        return field[1] + field[2] + MARK

    line, end, fields = message.head.partition(b"\n")
    request = line + end + _FIELD.sub(without, fields) + message.body
    return replace(exchange, request=request, request_redacted=tuple(names))


def is_private(exchange: Exchange) -> bool:
    """Whether the request of a redacted exchange had secrets for the server."""
    return any(name.lower() != _OF_PROXY for name in exchange.request_redacted)


def _redacted_request(request: bytes, chain_cookies: frozenset[bytes], ours: frozenset[bytes]) -> _Redacted:
    message = HttpMessage.parse(request)
    names: list[str] = []
    secrets: set[bytes] = set()

    def without(field: re.Match[bytes]) -> bytes:
        name, between, value = field.groups()
        if name.lower() in _OPEN or name.lower() in ours:
            return field[0]
        kept = _cookies(value, chain_cookies, secrets) if name.lower() == b"cookie" else MARK
        if kept == value:
            return field[0]
        if name.lower() != b"cookie":
            secrets.update(_in_field(value))
        names.append(name.decode("latin-1"))
        return name + between + kept

    line, end, fields = message.head.partition(b"\n")
    head = line + end + _FIELD.sub(without, fields)
    return _Redacted(head + message.body, tuple(names), frozenset(filter(_is_telling, secrets)))


def _cookies(value: bytes, chain_cookies: frozenset[bytes], secrets: set[bytes]) -> bytes:
    """A Cookie field whose values are marks, but for those of `chain_cookies`; the values go to `secrets`."""
    kept: list[bytes] = []
    for pair in value.split(b";"):
        name, is_pair, content = pair.partition(b"=")
        if pair.strip() in chain_cookies or not pair.strip():
            kept.append(pair)
            continue
        secret = (content if is_pair else name).strip().strip(b'"')
        secrets |= {secret, unquote_to_bytes(secret)}
        kept.append(name + is_pair + MARK if is_pair else MARK)
    return b";".join(kept)


def _in_field(value: bytes) -> Iterable[bytes]:
    """The secrets of a field: its words, and what a Basic one has in it (RFC 7617, 2)."""
    for word in value.split():
        yield word
        try:
            user, colon, password = base64.b64decode(word, validate=True).partition(b":")
        except (binascii.Error, ValueError):
            continue
        if colon and user.isascii():
            yield password


def _redacted_response(response: bytes, secrets: frozenset[bytes]) -> _Redacted:
    message = HttpMessage.parse(response)
    names: list[str] = []

    def without(field: re.Match[bytes]) -> bytes:
        names.append(field[1].partition(b":")[0].strip().decode("latin-1"))
        return field[1] + (field[2] or b"") + MARK

    def without_repeated(field: re.Match[bytes]) -> bytes:
        value = MARK if _TOKEN.search(field[1]) else _overwritten(field[3], secrets, MARK)
        if value != field[3]:
            names.append(field[1].decode("latin-1"))
        return field[1] + field[2] + value

    head = _FIELD.sub(without_repeated, _SET_COOKIE.sub(without, message.head))
    head, body = _redacted_body(HttpMessage(head, message.complete_head, head + message.body), secrets)
    if body != message.body:
        names.append(BODY)
    return _Redacted(head + body, tuple(dict.fromkeys(names)))


def _redacted_body(message: HttpMessage, secrets: frozenset[bytes]) -> tuple[bytes, bytes]:
    """Head and body of an answer whose body repeats no secret.

    They are overwritten where they stand. Where one shows only without the codings of the body, that is kept without
    them, and the head says so.
    """
    body = _overwritten(message.body, secrets, None)
    content = message.with_body(body).beginning(_CONTENT_MAX)
    plain = _overwritten(content, secrets, None)
    if plain == content:
        return message.head, body
    head = _CODINGS.sub(b"", message.head)
    end = _END_OF_LINE.search(head)
    line_end = end[0] if end else b"\r\n"
    return head[: -len(line_end)] + b"Content-Length: %d" % len(plain) + line_end * 2, plain


def _overwritten(data: bytes, secrets: Iterable[bytes], mark: bytes | None) -> bytes:
    """`data` with `mark` in the place of each secret, or with as many asterisks: lengths of bodies are declared."""
    for secret in sorted(secrets, key=len, reverse=True):
        data = data.replace(secret, b"*" * len(secret) if mark is None else mark)
    return data


def _forms(secret: bytes) -> Iterable[bytes]:
    """A secret as it is, and as markup, JSON and addresses have it."""
    text = secret.decode("utf-8", "replace")
    yield secret
    yield html.escape(text).encode()
    yield html.escape(text, quote=False).encode()
    yield json.dumps(text)[1:-1].encode()
    yield quote(text, safe="").encode()
    yield quote_plus(text).encode()


def _is_telling(value: bytes) -> bool:
    """Whether a value can only be a secret: long, of letters and digits mixed."""
    return (
        len(value) >= _TELLING and re.search(rb"\d", value) is not None and re.search(rb"[A-Za-z]", value) is not None
    )

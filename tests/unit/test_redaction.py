"""What is taken out of an exchange before it is kept, and that nothing else is."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crawler.engine.redaction import redact
from storage.model import Exchange

TOKEN = b"t0ken-of-reader-4711-abcdef"
PAGE = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nContent-Length: 2\r\n\r\nhi"


def exchanged(fields: bytes, response: bytes = PAGE, interim: tuple[bytes, ...] = ()) -> Exchange:
    request = b"GET /a?b:c HTTP/1.1\r\nHost: news.example\r\n" + fields + b"\r\n"
    return Exchange("https://news.example/a", datetime(2026, 1, 1, tzinfo=UTC), request, response, interim)


def redacted(exchange: Exchange, *chain: bytes, known: tuple[bytes, ...] = (), private: bool = False) -> Exchange:
    return redact(exchange, chain, known, private)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"Authorization: Bearer x\r\n", b"Authorization: [redacted]\r\n"),
        (b"authorization:Basic eDp5\n", b"authorization:[redacted]\n"),
        (b"X-Api-Key :  k\r\n", b"X-Api-Key :  [redacted]\r\n"),
        (b"X-Any: one\r\n two\r\n\tthree\r\nAccept: */*\r\n", b"X-Any: [redacted]\r\nAccept: */*\r\n"),
        (b'Cookie: sid=1; lang="de";plain\r\n', b"Cookie: sid=[redacted]; lang=[redacted];[redacted]\r\n"),
        (b"Cookie: sid=1\r\nCookie: two=2\r\n", b"Cookie: sid=[redacted]\r\nCookie: two=[redacted]\r\n"),
    ],
)
def test_values_of_fields_become_a_mark(sent: bytes, kept: bytes) -> None:
    given = exchanged(sent)
    found = redacted(given)
    assert found.request == given.request.replace(sent, kept)
    assert found.request_redacted


def test_what_every_client_sends_stays() -> None:
    given = exchanged(b'user-agent: newskeep\r\nACCEPT: */*\r\nIf-None-Match: "x"\r\nConnection: close\r\n')
    assert redacted(given) == given


def test_cookies_of_the_redirects_stay_where_nothing_was_secret() -> None:
    given = exchanged(b"Cookie: a=1; b=2\r\n")
    assert redacted(given, b"a=1", b"b=2") == given
    assert b"Cookie: a=1; b=[redacted]\r\n" in redacted(given, b"a=1").request
    assert redacted(given, b"a=1").request_redacted == ("Cookie",)


def test_an_answer_to_everybody_is_exact() -> None:
    assert redacted(exchanged(b"Proxy-Authorization: Basic eDp5\r\n")).response == PAGE


def test_cookies_that_are_set_for_one_reader_lose_their_values() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nset-cookie: e=5\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=ab=c; Path=/; Secure\r\nSet-Cookie:two\r\nX: y\r\n\r\n"
    found = redacted(exchanged(b"Cookie: old=1\r\n", answer, (early,)))
    assert found.response == answer.replace(b"ab=c", b"[redacted]").replace(b":two", b":[redacted]")
    assert found.interim == (early.replace(b"=5", b"=[redacted]"),)
    assert found.response_redacted == ("set-cookie", "Set-Cookie")
    follows = redacted(exchanged(b"", answer), private=True)
    assert b"ab=c" not in follows.response


@pytest.mark.parametrize(
    "field",
    [
        b"Authorization: Bearer " + TOKEN,
        b"X-Token: " + TOKEN,
        b"Cookie: t=" + TOKEN,
        # What a password is of: base64 of reader:t0ken-of-reader-4711-abcdef
        b"Authorization: Basic cmVhZGVyOnQwa2VuLW9mLXJlYWRlci00NzExLWFiY2RlZg==",
    ],
)
def test_a_secret_that_the_answer_repeats_is_overwritten(field: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nX-Was: " + TOKEN + b"\r\nContent-Length: 33\r\n\r\n<p>" + TOKEN + b"</p>"
    found = redacted(exchanged(field + b"\r\n", answer))
    assert TOKEN not in found.request + found.response
    assert (
        found.response == b"HTTP/1.1 200 OK\r\nX-Was: [redacted]\r\nContent-Length: 33\r\n\r\n<p>" + b"*" * 27 + b"</p>"
    )
    assert found.response_redacted == ("X-Was", "body")


def test_fields_that_hand_out_tokens_lose_their_values() -> None:
    fields = b"X-Auth-Token: new1\r\nx-csrf: new2\r\nAuthorization: new3\r\nWWW-Authenticate: Basic realm=r\r\n"
    answer = b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n"
    found = redacted(exchanged(b"Cookie: a=1\r\n", answer))
    marked = fields.replace(b"new1", b"[redacted]").replace(b"new2", b"[redacted]").replace(b"new3", b"[redacted]")
    assert found.response == b"HTTP/1.1 200 OK\r\n" + marked + b"\r\n"
    assert found.response_redacted == ("X-Auth-Token", "x-csrf", "Authorization")
    assert redacted(exchanged(b"", answer)).response == answer


def test_a_secret_that_the_codings_hide_is_overwritten_too() -> None:
    page = b"<p>Your token: " + TOKEN + b"</p>"
    packed = gzip.compress(page)
    chunked = b"9\r\n" + packed[:9] + b"\r\n%x\r\n" % len(packed[9:]) + packed[9:] + b"\r\n0\r\n\r\n"
    split = b"14\r\n" + page[:20] + b"\r\n%x\r\n" % len(page[20:]) + page[20:] + b"\r\n0\r\n\r\n"
    bodies = {
        b"Content-Encoding: gzip\r\n": packed,
        b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n": chunked,
    }
    for codings, body in {**bodies, b"Transfer-Encoding: chunked\r\n": split}.items():
        answer = b"HTTP/1.1 200 OK\r\n" + codings + b"Server: s\r\n\r\n" + body
        found = redacted(exchanged(b"X-Token: " + TOKEN + b"\r\n", answer))
        kept = page.replace(TOKEN, b"*" * len(TOKEN))
        assert found.response == b"HTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: %d\r\n\r\n" % len(kept) + kept
        assert found.response_redacted == ("body",)
        harmless = redacted(exchanged(b"X-Token: another-token-0123456\r\n", answer))
        assert harmless.response == answer


def test_a_secret_is_found_as_markup_json_and_addresses_have_it() -> None:
    secret = b'sesame & "open"/1'
    answer = b'HTTP/1.1 200 OK\r\n\r\n<i title="sesame &amp; &quot;open&quot;/1">"sesame & \\"open\\"/1" '
    answer += b"?a=sesame%20%26%20%22open%22%2F1&b=sesame+%26+%22open%22%2F1"
    found = redacted(exchanged(b"Cookie: a=1\r\n", answer), known=(secret,))
    assert b"sesame" not in found.response
    assert len(found.response) == len(answer)


def test_a_secret_in_an_address_is_overwritten() -> None:
    given = exchanged(b"")
    address = b"/in?ticket=" + TOKEN
    sent = replace(
        given, url=f"https://news.example{address.decode()}", request=given.request.replace(b"/a?b:c", address)
    )
    found = redacted(sent, known=(TOKEN,), private=True)
    assert found.url == "https://news.example/in?ticket=" + "*" * len(TOKEN)
    assert found.request == sent.request.replace(TOKEN, b"*" * len(TOKEN))
    assert found.request_redacted == ("address",)


def test_words_that_stand_in_pages_by_chance_stay() -> None:
    answer = b"HTTP/1.1 200 OK\r\n\r\n<p>accepted, consent-of-the-reader, 1, en-GB</p>"
    sent = b"Cookie: consent=accepted; kind=consent-of-the-reader; n=1; l=en-GB\r\n"
    assert redacted(exchanged(sent, answer)).response == answer


def test_a_password_is_looked_for_though_it_is_short() -> None:
    answer = b"HTTP/1.1 200 OK\r\n\r\n<input value=sesame-open>"
    found = redacted(exchanged(b"Cookie: a=1\r\n", answer), known=(b"sesame-open", b"short"))
    assert found.response.endswith(b"<input value=***********>")

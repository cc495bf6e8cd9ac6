"""Signed requests: a server's verifier takes every one that we send, and none that was changed on the way."""

from __future__ import annotations

import json
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from article_page import PAGE
from command import Run
from origin import Origin
from warcs import by_url
from web_archive import Serving
from web_bot_auth import Jwks, Refused, thumbprint, verify, verify_directory

from crawler.identity import Identity, identity_of
from crawler.identity.check import check_request
from crawler.identity.key import DIRECTORY_PATH, DIRECTORY_TYPE
from storage.errors import ConfigError

HTML = [("Content-Type", "text/html")]
AGENT = "https://archive.example.org"


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        page = PAGE.encode().replace(b"</main>", b'<img src="/p.png?a=1&amp;b=%C3%A9"></main>')
        origin.reply("/story", page, headers=HTML)
        origin.reply("/p.png?a=1&b=%C3%A9", b"\x89PNG", headers=[("Content-Type", "image/png")])
        origin.reply("/old", status="302 Found", headers=[("Location", "/story?from=old")])
        origin.reply("/story?from=old", PAGE.encode(), headers=HTML)
        origin.reply("/busy", status="503 Service Unavailable", headers=[("Retry-After", "0")])
        origin.reply("/busy", PAGE.encode(), headers=HTML)
        yield origin


@pytest.fixture
def jwks(newskeep: Run, tmp_path: Path) -> Jwks:
    """The directory of a key that newskeep.toml names."""
    done = newskeep("identity", "make", "identity.pem")
    assert done.returncode == 0, done.stderr.decode()
    (tmp_path / "newskeep.toml").write_text(f'signing_key = "identity.pem"\nsignature_agent = "{AGENT}"\n')
    found: Jwks = json.loads(newskeep("identity", "directory").stdout)
    return found


def own(tmp_path: Path) -> Identity:
    identity = identity_of(str(tmp_path / "identity.pem"), AGENT)
    assert identity is not None
    return identity


def test_every_request_is_signed_by_itself(newskeep: Run, origin: Origin, jwks: Jwks) -> None:
    urls = [origin.url(path) for path in ("/story", "/old", "/busy")]
    done = newskeep("save", "--allow-private", "--requisites", *urls)
    assert done.returncode == 0, done.stderr.decode()
    received = [each.request for each in origin.log]
    targets = {request.split(b" ")[1] for request in received}
    assert targets >= {b"/robots.txt", b"/old", b"/story?from=old", b"/p.png?a=1&b=%C3%A9"}
    assert sum(request.startswith(b"GET /busy ") for request in received) == 2
    nonces = set()
    for request in received:
        said = verify(request, jwks, AGENT, time.time())
        assert said["expires"] - said["created"] == 60
        nonces.add(said["nonce"])
    assert len(nonces) == len(received)


CHANGES = [
    (rb"^GET ", b"POST "),
    (rb"^GET /", b"GET /x/"),
    (rb"^GET (\S+)", rb"GET \1?more=1"),
    (rb"\r\nHost: [^\r]*", b"\r\nHost: another.example"),
    (rb"archive\.example\.org", b"archive.example.com"),
    (rb"created=(\d)", b"created=9"),
    (rb"expires=\d+", b"expires=9999999999"),
    (rb'nonce="[^"]{4}', b'nonce="AAAA'),
    (rb'tag="web-bot-auth"', b'tag="another"'),
    (rb'"@method" ', b""),
    (rb"Signature: sig1=:[^:]{4}", b"Signature: sig1=:AAAA"),
    (rb"\r\nSignature: [^\r]*", b""),
    (rb"\r\nSignature-Agent: [^\r]*", b""),
    (rb'keyid="[^"]*"', b'keyid="another"'),
]


def test_a_changed_request_is_refused(newskeep: Run, origin: Origin, jwks: Jwks, tmp_path: Path) -> None:
    newskeep("save", "--allow-private", "--ignore-robots", origin.url("/story"))
    (request,) = [each.request for each in origin.log]
    verify(request, jwks, AGENT, time.time())
    assert check_request(request, [own(tmp_path)]).is_ours
    for what, instead in CHANGES:
        changed, number = re.subn(what, instead, request, count=1)
        assert number == 1 and changed != request, what
        with pytest.raises(Refused):
            verify(changed, jwks, AGENT, time.time())
            pytest.fail(f"{what!r} is verified")
        assert not check_request(changed, [own(tmp_path)]).is_ours, what


def test_a_minute_later_it_is_too_late(newskeep: Run, origin: Origin, jwks: Jwks) -> None:
    newskeep("save", "--allow-private", "--ignore-robots", origin.url("/story"))
    (request,) = [each.request for each in origin.log]
    with pytest.raises(Refused):
        verify(request, jwks, AGENT, time.time() + 3_600)


def test_the_record_has_the_request_as_it_was_sent(newskeep: Run, origin: Origin, jwks: Jwks, tmp_path: Path) -> None:
    url = origin.url("/story")
    newskeep("save", "--allow-private", "--ignore-robots", url)
    (record,) = by_url(tmp_path / "archive", "request")[url]
    assert record.block == origin.log[0].request
    done = newskeep("identity", "check", url)
    assert done.returncode == 0 and done.stdout.startswith(b"ours: "), done.stderr.decode()
    (tmp_path / "shown.txt").write_bytes(record.block.rstrip().replace(b"\r\n", b"\n"))
    told = json.loads(newskeep("identity", "check", "--request", "shown.txt", "--json").stdout)
    assert told["ours"] is True and told["keyid"] == thumbprint(jwks["keys"][0])
    forged = record.block.replace(b"GET /story", b"GET /other")
    (tmp_path / "forged.txt").write_bytes(forged)
    done = newskeep("identity", "check", "--request", "forged.txt")
    assert done.returncode == 7 and b"not ours: it names our key" in done.stdout
    assert newskeep("verify", "--deep").returncode == 0


def test_a_key_that_was_replaced_is_known_by_name(newskeep: Run, origin: Origin, jwks: Jwks, tmp_path: Path) -> None:
    url = origin.url("/story")
    newskeep("save", "--allow-private", "--ignore-robots", url)
    (tmp_path / "identity.pem").rename(tmp_path / "old.pem")
    newskeep("identity", "make", "identity.pem")
    done = newskeep("identity", "check", url)
    assert done.returncode == 7 and thumbprint(jwks["keys"][0]).encode() in done.stdout
    assert newskeep("identity", "check", url, "--key", "old.pem").returncode == 0


def test_without_a_key_nothing_is_signed(newskeep: Run, origin: Origin) -> None:
    newskeep("save", "--allow-private", origin.url("/story"))
    assert origin.log and not any(b"ignature" in each.request for each in origin.log)
    done = newskeep("identity", "check", origin.url("/story"))
    assert done.returncode == 2 and b"newskeep identity make" in done.stderr


def test_the_key_is_for_its_owner_alone(newskeep: Run, jwks: Jwks, tmp_path: Path) -> None:
    key = tmp_path / "identity.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    (public,) = jwks["keys"]
    assert public["kid"] == thumbprint(public) == own(tmp_path).thumbprint and "d" not in public
    before = key.read_bytes()
    done = newskeep("identity", "make", "identity.pem")
    assert done.returncode == 2 and b"is there already" in done.stderr and key.read_bytes() == before


@pytest.mark.usefixtures("jwks")
def test_serve_offers_the_directory_signed(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    newskeep("save", "--allow-private", origin.url("/story"))
    config = ("--config", str(tmp_path / "newskeep.toml"), "--token", "a-token-that-is-long-enough")
    (tmp_path / "newskeep.toml").write_text(
        f'signing_key = "{tmp_path / "identity.pem"}"\npublic_url = "{AGENT}/reading/"\n'
    )
    with Serving(tmp_path / "archive", *config) as site:
        # Who checks signatures has no key of ours.
        answer = site.get(DIRECTORY_PATH, Authorization="")
        assert answer.status == 200 and answer.headers["content-type"] == DIRECTORY_TYPE
        jwks = verify_directory(dict(answer.headers), answer.body, "archive.example.org", time.time())
        assert jwks["keys"][0]["kid"] == own(tmp_path).thumbprint
    (tmp_path / "newskeep.toml").unlink()
    with Serving(tmp_path / "archive") as site:
        assert site.get(DIRECTORY_PATH).status == 404


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('signing_key = "none.pem"\nsignature_agent = "https://a.example"\n', "cannot read the key none.pem"),
        ('signing_key = "newskeep.toml"\nsignature_agent = "https://a.example"\n', "is no private key in PEM"),
        ('signing_key = "identity.pem"\n', "signature_agent is missing"),
        ('signing_key = "identity.pem"\nsignature_agent = "http://a.example"\n', "must be https://HOST"),
        ('signing_key = "identity.pem"\nsignature_agent = "a.example"\n', "must be https://HOST"),
        ('signing_key = "identity.pem"\nsignature_agent = "https://[a"\n', "must be https://HOST"),
    ],
)
def test_what_cannot_sign_is_one_line(newskeep: Run, tmp_path: Path, lines: str, told: str) -> None:
    newskeep("identity", "make", "identity.pem")
    (tmp_path / "newskeep.toml").write_text(lines)
    for command in (("save", "https://news.example/"), ("identity", "directory")):
        done = newskeep(*command)
        assert done.returncode == 2 and told in done.stderr.decode() and done.stderr.count(b"\n") == 1, command


def test_an_agent_is_scheme_and_host(tmp_path: Path) -> None:
    from storage import private_keys

    private_keys.make(tmp_path / "key.pem")
    for said, agent in (
        ("https://A.example:443/x?y#z", "https://a.example"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ):
        identity = identity_of(str(tmp_path / "key.pem"), said)
        assert identity is not None and identity.agent == agent
    with pytest.raises(ConfigError):
        identity_of(str(tmp_path / "key.pem"), "https://u:p@a.example")


@pytest.mark.parametrize(
    "request_",
    [
        *(b"", b"\0" * 99, b"GET / HTTP/1.1\r\n", b"Signature: sig1=::\r\n\r\n"),
        b"GET / HTTP/1.1\r\nSignature-Input: " + b"(" * 9_999,
    ],
)
def test_what_is_no_request_is_not_ours(request_: bytes) -> None:
    assert not check_request(request_, []).is_ours


def test_an_operator_with_mail_is_named_in_from(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    newskeep(
        "save", "--allow-private", "--ignore-robots", "--operator", "mailto:us@archive.example", origin.url("/story")
    )
    assert b"\r\nFrom: us@archive.example\r\n" in origin.log[0].request
    newskeep(
        "save", "--allow-private", "--ignore-robots", "--operator", "https://archive.example/bot", origin.url("/old")
    )
    assert b"\r\nFrom:" not in origin.log[-1].request
    (tmp_path / "newskeep.toml").write_text('operator = "us@archive.example"\n')
    page = newskeep("identity", "page").stdout.decode()
    assert "us@archive.example" in page and "does not sign" in page

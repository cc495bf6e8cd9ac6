"""TLS: what a certificate has to be, what becomes of one that is not, and what is kept of all of them."""

from __future__ import annotations

import hashlib
import json
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from certificates import NOW, Authority
from command import Run
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from origin import Origin
from small_paper import Paper
from web_archive import Serving

from storage.warc import CERTIFICATE, INSECURE, Record, read_records

pytestmark = pytest.mark.long
PAGE = b"<!doctype html><title>A bridge opens</title><article><p>" + b"The town has waited for its bridge. " * 40
HTML = [("Content-Type", "text/html")]
HOST = "127.0.0.1"


def day(days: int) -> str:
    return f"{NOW + timedelta(days=days):%Y-%m-%d}"


@pytest.fixture(autouse=True)
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that every command trusts."""
    trusted = Authority()
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.written(tmp_path)))
    return trusted


@pytest.fixture
def serve() -> Iterator[Callable[..., Origin]]:
    """Start an origin with a page at /page."""
    origins: list[Origin] = []

    def start(context: ssl.SSLContext | bool, host: str = HOST) -> Origin:
        origin = Origin(host, tls=context).__enter__()
        origins.append(origin)
        origin.reply("/page", PAGE, headers=HTML)
        return origin

    yield start
    for origin in origins:
        origin.__exit__()


def save(newskeep: Run, *arguments: str, code: int) -> list[dict[str, Any]]:
    done = newskeep("save", "--json", "--allow-private", *arguments)
    assert done.returncode == code, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def records(folder: Path) -> list[Record]:
    found: list[Record] = []
    for path in sorted((folder / "archive" / "warc").rglob("*.warc.gz")):
        with path.open("rb") as file:
            found += read_records(file)
    return found


def old_version(authority: Authority, version: ssl.TLSVersion) -> ssl.SSLContext:
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        return authority.server(HOST, version=version)


#: Name of a fault -> a server that has it, and the reason.
FAULTS: dict[str, tuple[Callable[[Authority], ssl.SSLContext | bool], str]] = {
    "expired": (lambda town: town.server(HOST, days=(-9, -3)), f"the TLS certificate expired on {day(-3)}"),
    "not yet valid": (
        lambda town: town.server(HOST, days=(3, 9)),
        f"the TLS certificate is not valid before {day(3)}",
    ),
    "self-signed": (lambda town: True, "the TLS certificate is self-signed"),
    "unknown issuer": (
        lambda town: Authority("Nobody's Root").server(HOST),
        "the TLS certificate is from an unknown issuer: Nobody's Root",
    ),
    "unknown root": (
        lambda town: Authority("Middle", Authority("Nobody's Root")).server(HOST),
        "the TLS certificate is from an unknown issuer: Nobody's Root",
    ),
    "another host": (
        lambda town: town.server("news.example", "127.0.0.2", "*.news.example", "a.example", "b.example"),
        "the TLS certificate is for news.example, *.news.example, a.example and 2 more, not for 127.0.0.1",
    ),
    "no host": (lambda town: town.server(), "the TLS certificate names no host, and should name 127.0.0.1"),
    "not for servers": (
        lambda town: town.server(HOST, usages=[ExtendedKeyUsageOID.CLIENT_AUTH]),
        "the TLS certificate is not meant for servers",
    ),
    "weak key": (
        lambda town: town.server(HOST, key=rsa.generate_private_key(65537, 1024)),
        "the TLS certificate has a weak key",
    ),
    "several": (
        lambda town: Authority("Nobody's Root").server("a.example", days=(-9, -3)),
        (
            f"the TLS certificate is from an unknown issuer: Nobody's Root, is for a.example, not for {HOST}, "
            f"expired on {day(-3)}"
        ),
    ),
    "TLS 1.0": (
        lambda town: old_version(town, ssl.TLSVersion.TLSv1),
        "the server speaks only versions of TLS that are too old",
    ),
    "TLS 1.1": (
        lambda town: old_version(town, ssl.TLSVersion.TLSv1_1),
        "the server speaks only versions of TLS that are too old",
    ),
}


def test_servers_that_are_not_to_be_believed(
    newskeep: Run, authority: Authority, serve: Callable[..., Origin], tmp_path: Path
) -> None:
    origins = {fault: serve(context(authority)) for fault, (context, _) in FAULTS.items()}
    urls = {fault: origin.url("/page") for fault, origin in origins.items()}
    told = {line["url"]: line for line in save(newskeep, *urls.values(), code=5)}
    for fault, (_, reason) in FAULTS.items():
        line = told[urls[fault]]
        assert (line["outcome"], line["reason"]) == ("failed", reason), fault
        assert origins[fault].log == [], f"{fault}: nothing is asked of it"
    assert [record.type for record in records(tmp_path)] == [], "nothing was sent that could be recorded"
    told = {line["url"]: line for line in save(newskeep, *urls.values(), "--insecure", code=0)}
    for fault, origin in origins.items():
        assert told[urls[fault]]["outcome"] in ("archived", "unchanged"), fault
        assert origin.logged("/page")[0].request.startswith(b"GET /page ")


def test_good_ones_are_believed(newskeep: Run, authority: Authority, serve: Callable[..., Origin]) -> None:
    by_address = serve(authority.server(HOST))
    by_name = serve(Authority("Middle", authority).server("localhost"))
    by_v6 = serve(authority.server("::1"), "::1")
    urls = [by_address.url("/page"), f"https://localhost:{by_name.port}/page", by_v6.url("/page")]
    told = save(newskeep, *urls, code=0)
    assert [line["outcome"] for line in told] == ["archived"] * 3


def test_robots_and_redirects_over_bad_tls(newskeep: Run, authority: Authority, serve: Callable[..., Origin]) -> None:
    good, bad, plain = serve(authority.server(HOST)), serve(authority.server("a.example")), serve(False)
    good.reply("/robots.txt", b"User-agent: *\nDisallow: /private/\n")
    for origin in (good, plain):
        origin.reply("/moved", status="302 Found", headers=[("Location", bad.url("/page"))])
    reason = "the TLS certificate is for a.example, not for 127.0.0.1"
    urls = [good.url("/moved"), plain.url("/moved"), bad.url("/page"), bad.url("/other")]
    for options in ((), ("--ignore-robots",)):
        told = save(newskeep, *urls, *options, code=5)
        assert [(line["outcome"], line["reason"]) for line in told] == [("failed", reason)] * 4
    assert {line["final_url"] for line in told} == {bad.url("/page"), bad.url("/other")}
    assert bad.log == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the server does not speak TLS there"),
        # Alerts (RFC 8446, 6): fatal, and its kind.
        (b"\x15\x03\x03\0\x02\x02\x28", "TLS: the server and we have no encryption in common"),
        (b"\x15\x03\x03\0\x02\x02\x46", "the server speaks only versions of TLS that are too old"),
        (b"\x15\x03\x03\0\x02\x02\x70", "the server knows no such host name"),
        (b"\x15\x03\x03\0\x02\x02\x50", "the TLS handshake failed: internal error"),
        (b"", "the connection was reset"),
    ],
    ids=["plain HTTP", "handshake_failure", "protocol_version", "unrecognized_name", "internal_error", "end"],
)
def test_handshakes_that_fail(newskeep: Run, answer: bytes, reason: str) -> None:
    with socket.create_server((HOST, 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    stream, _ = listening.accept()
                except OSError:
                    return
                with stream:
                    stream.recv(65_536)
                    stream.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        (told,) = save(newskeep, f"https://{HOST}:{listening.getsockname()[1]}/page", code=5)
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()
    assert (told["outcome"], told["reason"]) == ("failed", reason)


def test_sites_say_so_too(newskeep: Run, authority: Authority, serve: Callable[..., Origin], tmp_path: Path) -> None:
    origin = serve(authority.server(HOST, days=(-9, -3)))
    paper = Paper(origin, stories=3, modified=False)
    said = 'allow_private = true\noperator = "https://o.example/"\nworkers = 1\n'
    site = f'[sites.town]\nstart = "{origin.url()}"\ndelay = 0\n'
    (tmp_path / "newskeep.toml").write_text(said + site)
    reason = f"the TLS certificate expired on {day(-3)}".encode()
    for command in (("crawl", "town"), ("sites", "check", "town")):
        done = newskeep(*command)
        assert done.returncode == 5
        assert reason in done.stdout + done.stderr
    assert b"robots.txt  " + reason in done.stdout
    assert origin.log == []
    assert newskeep("sites", "check", "town", "--insecure").returncode == 0
    (tmp_path / "newskeep.toml").write_text(said + site + "insecure = true\n")
    assert newskeep("crawl", "town").returncode == 0
    assert newskeep("captures", paper.url(1)).returncode == 0


def test_what_one_site_may_another_may_not(
    newskeep: Run, authority: Authority, serve: Callable[..., Origin], tmp_path: Path
) -> None:
    context = authority.server(HOST, days=(-9, -3))
    town, city = serve(context), serve(context)
    for origin in (town, city):
        Paper(origin, stories=1)
    (tmp_path / "newskeep.toml").write_text(
        'allow_private = true\ninsecure = true\noperator = "https://o.example/"\nworkers = 1\n'
        f'[sites.town]\nstart = "{town.url()}"\ndelay = 0\n[sites.city]\nstart = "{city.url()}"\ninsecure = false\n'
    )
    assert newskeep("crawl", "town", "city").returncode == 4
    assert city.log == []
    assert newskeep("crawl", "city", "--insecure").returncode == 0, "the command line goes before the file"


def test_an_authority_of_ones_own_beside_the_others(
    newskeep: Run, authority: Authority, serve: Callable[..., Origin], tmp_path: Path
) -> None:
    private = Authority("Our Own Root")
    origins = serve(authority.server(HOST)), serve(private.server(HOST))
    urls = [origin.url("/page") for origin in origins]
    (tmp_path / "own").mkdir()
    path = private.written(tmp_path / "own")
    assert {line["outcome"] for line in save(newskeep, *urls, code=4)} == {"archived", "failed"}
    (tmp_path / "newskeep.toml").write_text(f'ca_file = "{path}"\n')
    assert {line["outcome"] for line in save(newskeep, *urls, code=0)} == {"archived", "unchanged"}
    for content, told in ((None, "no such file"), (b"not a certificate", "holds no certificates in PEM")):
        path.unlink() if content is None else path.write_bytes(content)
        done = newskeep("save", urls[0], "--allow-private")
        assert (done.returncode, done.stdout) == (2, b"")
        assert done.stderr.decode().startswith("newskeep: ca_file") and told in done.stderr.decode()
        assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_roots_that_are_not_there(
    name: str, environment: dict[str, str], serve: Callable[..., Origin], newskeep: Run
) -> None:
    environment[name] = "/nowhere/roots"
    done = newskeep("save", serve(False).url("/page"), "--allow-private")
    assert done.returncode == 2
    assert done.stderr.decode().splitlines()[0].startswith(f"newskeep: {name}: no such f")


def test_certificates_are_recorded(
    newskeep: Run, authority: Authority, serve: Callable[..., Origin], tmp_path: Path
) -> None:
    town, city = serve(Authority("Middle", authority).server(HOST)), serve(authority.server(HOST))
    town.reply("/other", PAGE + b"more", headers=HTML)
    save(newskeep, town.url("/page"), town.url("/other"), city.url("/page"), "--ignore-robots", code=0)
    assert town.connections == 1, "both by one connection"
    held = records(tmp_path)
    chains = [record for record in held if record.field("Content-Type") == "application/x-pem-file"]
    assert [record.type for record in chains] == ["metadata", "metadata"], "once a file for each server"
    for origin, names in ((town, ["A server", "Middle"]), (city, ["A server"])):
        given = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((HOST, origin.port)))
        fingerprint = f"sha256:{hashlib.sha256(given).hexdigest()}"
        exchanges = [record for record in held if record.url.startswith(origin.url(""))]
        assert len(exchanges) == (4 if origin is town else 2)
        assert {record.field(CERTIFICATE) for record in exchanges} == {fingerprint}
        (chain,) = (record for record in chains if record.field(CERTIFICATE) == fingerprint)
        assert chain.field("WARC-Concurrent-To") in {record.field("WARC-Record-ID") for record in exchanges}
        read = x509.load_pem_x509_certificates(chain.block)
        assert read[0].public_bytes(Encoding.DER) == given
        assert [each.subject.rfc4514_string() for each in read] == [f"CN={name}" for name in names]
        assert chain.block.startswith(f"sha256: {fingerprint[7:]}\nsubject: CN=A server\nissuer: CN=".encode())
        assert f"not after: {read[0].not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}\n".encode() in chain.block
        for record in (*exchanges, chain):
            assert [value for name, value in record.fields if name == "WARC-Protocol"] == ["http/1.1", "tls/1.3"]
            assert (record.field("WARC-Cipher-Suite") or "").startswith("TLS_")
            assert record.field(INSECURE) is None


def test_what_is_not_to_be_believed_is_marked(
    newskeep: Run, authority: Authority, serve: Callable[..., Origin], tmp_path: Path
) -> None:
    expired, old = serve(authority.server(HOST, days=(-9, -3))), serve(old_version(authority, ssl.TLSVersion.TLSv1))
    reasons = {expired: f"the TLS certificate expired on {day(-3)}", old: "TLS 1.0 is too old"}
    told = save(newskeep, *(origin.url("/page") for origin in reasons), "--insecure", "--ignore-robots", code=0)
    assert {line["url"]: line["reason"] for line in told} == {
        origin.url("/page"): f"not proven: {reason}" for origin, reason in reasons.items()
    }
    for origin, reason in reasons.items():
        exchange = [record for record in records(tmp_path) if record.url == origin.url("/page")]
        assert [record.field(INSECURE) for record in exchange] == [reason] * 2
        assert reason in newskeep("captures", origin.url("/page")).stdout.decode()
        (capture,) = map(json.loads, newskeep("captures", origin.url("/page"), "--json").stdout.splitlines())
        assert capture["insecure"] == reason
        assert f"not proven: {reason}" in newskeep("explain", origin.url("/page")).stdout.decode()
        exported = newskeep("export", "--format", "jsonl", "--to", "-").stdout.splitlines()
        assert reason in {json.loads(line)["warc"]["insecure"] for line in exported}
    with Serving(tmp_path / "archive") as room:
        assert b"not proven: TLS 1.0 is too old" in room.get(f"/captures/{old.url('/page')}", Accept="text/html").body
    (tmp_path / "archive" / "index.sqlite").unlink()
    assert newskeep("reindex").returncode == 0
    (capture,) = map(json.loads, newskeep("captures", old.url("/page"), "--json").stdout.splitlines())
    assert capture["insecure"] == "TLS 1.0 is too old"
    assert [record.field("WARC-Protocol") for record in records(tmp_path) if record.field(INSECURE) == reasons[old]]
    assert newskeep("verify").returncode == 0

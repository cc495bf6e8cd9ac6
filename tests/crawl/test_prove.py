"""Proofs of what was really fetched, over TLS with its certificates and robots.txt, and of what others wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import foreign_warcs as foreign
import pytest
from certificates import Authority
from command import Run
from origin import Origin

from newskeep.proofs.words import publisher_said
from storage.archive import Archive, open_archive
from storage.errors import NotArchived
from storage.model import Capture
from storage.rights.tdmrep import PATH as TDMREP
from storage.transparency.audit import audit
from storage.transparency.proof import prove
from storage.transparency.proof_check import CheckedProof, check

HOST = "paper.example"
pytestmark = pytest.mark.long

PAGE = b"<!doctype html><title>A lock</title><p>The lock was opened, and two boats went through it before noon.</p>"
ROBOTS = b"User-agent: *\nDisallow: /private\n"


@pytest.fixture(autouse=True)
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that every command trusts."""
    trusted = Authority()
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.written(tmp_path)))
    return trusted


@pytest.fixture
def origin(authority: Authority) -> Iterator[Origin]:
    with Origin("127.0.0.1", tls=authority.server("127.0.0.1")) as origin:
        origin.reply("/page", PAGE, headers=[("Content-Type", "text/html")])
        origin.reply("/robots.txt", ROBOTS, headers=[("Content-Type", "text/plain")])
        yield origin


def proof_of(newskeep: Run, folder: Path, url: str, *arguments: str) -> CheckedProof:
    done = newskeep("prove", url, "-o", "proof.json", *arguments)
    assert done.returncode == 0, done.stderr
    return check((folder / "proof.json").read_bytes())


def test_certificates_and_robots_are_in_it(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    url = origin.url("/page")
    assert newskeep("log", "init").returncode == 0
    for _ in range(2):
        assert newskeep("save", "--allow-private", url).returncode == 0
    done = proof_of(newskeep, tmp_path, url)
    assert done.problems == []
    assert done.body == PAGE
    assert done.response is not None and done.response.type == "revisit"
    (chain,) = done.records["certificates"]
    assert chain.block.count(b"BEGIN CERTIFICATE") >= 1
    (robots,), (rules,) = done.records["robots"], done.records["robots-original"]
    assert robots.type == "revisit" and rules.block.endswith(ROBOTS)
    # Another server's chain is not taken for it.
    fields = json.loads((tmp_path / "proof.json").read_bytes())
    for each in fields["records"]:
        each["role"] = {"certificates": "metadata", "metadata": "certificates"}.get(each["role"], each["role"])
    assert check(json.dumps(fields).encode()).problems != []


RESERVED = b"User-agent: *\nContent-Signal: search=yes, ai-train=no\nLicense: https://licence.example/l.xml\n"
SAID = [
    "noai, in X-Robots-Tag",
    "license = https://page.example/terms, in link license",
    "search = yes, in robots.txt Content-Signal line 2",
    "ai-train = no, in robots.txt Content-Signal line 2",
    "license = https://licence.example/l.xml, in robots.txt License line 3",
    "tdm-reservation = 1, in tdmrep.json",
]


def test_what_the_publisher_said_is_in_it(newskeep: Run, authority: Authority, tmp_path: Path) -> None:
    """Read from the bytes alone, also of a revisit; what a proof says that they say must be what they say."""
    page = PAGE.replace(b"</title>", b"</title><link rel=license href=https://page.example/terms>")
    with Origin("127.0.0.1", tls=authority.server("127.0.0.1")) as origin:
        origin.reply("/page", page, headers=[("Content-Type", "text/html"), ("X-Robots-Tag", "noai")])
        origin.reply("/robots.txt", RESERVED, headers=[("Content-Type", "text/plain")])
        origin.reply(TDMREP, b'[{"location": "/*", "tdm-reservation": 1}]', headers=[("Content-Type", "text/json")])
        assert newskeep("log", "init").returncode == 0
        for _ in range(2):
            assert newskeep("save", "--allow-private", origin.url("/page")).returncode == 0
        # Behind the page, as crawls ask for it.
        assert newskeep("save", "--allow-private", origin.url(TDMREP)).returncode == 0
        done = proof_of(newskeep, tmp_path, origin.url("/page"))
    assert done.problems == []
    assert done.response is not None and done.response.type == "revisit"
    assert publisher_said(done.rights) == SAID
    told = newskeep("check-proof", "proof.json").stdout.decode()
    assert "What the publisher said of its use, as read from the bytes in this proof" in told
    assert all(f"  - {line}" in told for line in SAID)
    fields = json.loads((tmp_path / "proof.json").read_bytes())
    assert json.loads(newskeep("check-proof", "proof.json", "--json").stdout)["rights"] == fields["rights"]["signals"]

    fields["rights"]["signals"][3]["value"] = "yes"
    assert any("the signals of use" in line for line in check(json.dumps(fields).encode()).problems)
    fields["rights"]["signals"] = []
    assert any("the signals of use" in line for line in check(json.dumps(fields).encode()).problems)
    # A later version may have found more in the same bytes; this one goes by its own reading.
    fields["rights"]["reading"] = 2
    later = check(json.dumps(fields).encode())
    assert later.problems == [] and publisher_said(later.rights) == SAID
    # Proofs of before have none, and the same bytes.
    del fields["rights"]
    assert publisher_said(check(json.dumps(fields).encode()).rights) == SAID


@pytest.mark.parametrize("writer", foreign.WRITERS)
def test_what_others_wrote_is_proven(newskeep: Run, tmp_path: Path, writer: str) -> None:
    suffix = "arc.gz" if writer == "arc" else "warc.gz"
    (tmp_path / f"{writer}.{suffix}").write_bytes(foreign.gzipped(foreign.WRITERS[writer](HOST)))
    assert newskeep("log", "init").returncode == 0
    assert newskeep("import", f"{writer}.{suffix}").returncode in (0, 7)
    with open_archive(tmp_path / "archive") as archive:
        assert [*audit(archive, deep=True)] == []
        held = [*archive.captures(HOST, match="domain")]
        assert held
        for capture in held:
            try:
                archive.read(capture)
            except NotArchived:
                continue  # a revisit of what its file has not
            done = check(prove(archive, capture))
            assert done.problems == []
            assert ("request" in done.records) == any(writes_requests(archive, capture))


def writes_requests(archive: Archive, capture: Capture) -> Iterator[bool]:
    try:
        yield archive.reader.request(capture).type == "request"
    except NotArchived:
        return

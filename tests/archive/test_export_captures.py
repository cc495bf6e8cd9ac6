"""Captures handed on as CDXJ and WACZ: sorted, whole, signed, and accepted by the tools of others."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import subprocess
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from export_archive import CDN, CSS, OTHER, PAGES, PAPER, tools
from fastwarc.warc import ArchiveIterator
from sample_archive import Tools
from web_archive import BEGIN

from newskeep.export import Selection, open_stream, wacz
from newskeep.export import cdxj as cdxj_export
from newskeep.export.job import MANIFEST, export
from storage import cdxj
from storage.archive import Archive
from storage.errors import UsageError
from storage.objects.local import LocalStore

pytest_plugins = ["export_archive", "sample_archive"]
ALL = Selection()


@pytest.fixture
def target(tmp_path: Path) -> LocalStore:
    return LocalStore(str(tmp_path / "out"))


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generated(tmp_path_factory.mktemp("keys") / "key.pem", "P-384")


def generated(path: Path, curve: str) -> Path:
    options = ["-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", str(path)]
    subprocess.run(["openssl", "genpkey", *options], check=True, capture_output=True)
    return path


def read(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as package:
        return package.read(name)


def held_in(path: Path) -> list[str]:
    """The addresses in the index of a WACZ."""
    lines = gzip.decompress(read(path, "indexes/index.cdx.gz")).splitlines()
    return [cdxj.parse(line).url for line in lines]


# CDXJ


def test_cdxj_is_sorted_by_bytes_and_complete(newsroom: Archive) -> None:
    lines = list(open_stream("cdxj", tools()).lines(newsroom, ALL))
    parts = sorted(
        line for path in newsroom.state.glob("cdxj/**/*.cdxj") for line in path.read_bytes().splitlines(keepends=True)
    )
    assert lines == sorted(lines) == parts
    assert len(lines) == len(PAGES) + 1


@pytest.mark.parametrize(
    ("selection", "count"),
    [
        (Selection(site="paper.example"), 5),
        (Selection(site="cdn.example", until=BEGIN + timedelta(minutes=1)), 2),
        (Selection(since=BEGIN + timedelta(days=1)), 1),
        # A site below another one is another one.
        (Selection(site="example"), 0),
    ],
)
def test_selections(newsroom: Archive, selection: Selection, count: int) -> None:
    lines = list(open_stream("cdxj", tools()).lines(newsroom, selection))
    assert len(lines) == count
    sites = {cdxj.parse(line).url.split("/")[2].removeprefix("www.") for line in lines}
    assert selection.site is None or sites <= {selection.site}


def test_cdxj_in_files_that_follow_each_other(
    newsroom: Archive, target: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cdxj_export, "_MOST", 4)

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(newsroom, "cdxj", target, ALL, tools(), on_part=stop)
    assert export(newsroom, "cdxj", target, ALL, tools()).records == len(PAGES) + 1
    keys = [info.key for info in target.list() if info.key != MANIFEST]
    assert keys == [f"captures-{number:05d}.cdxj" for number in range(3)]
    together = b"".join((target.root / key).read_bytes() for key in keys)
    assert together == b"".join(open_stream("cdxj", tools()).lines(newsroom, ALL))


def test_captures_have_no_language(newsroom: Archive) -> None:
    with pytest.raises(UsageError, match="captures have no language"):
        list(open_stream("cdxj", tools()).lines(newsroom, Selection(language="da")))


# WACZ


def test_wacz_is_accepted_by_others(
    newsroom: Archive, target: LocalStore, request: pytest.FixtureRequest, key: Path
) -> None:
    programs: Tools = request.getfixturevalue("tools")
    export(newsroom, "wacz", target, ALL, tools(sign_key=key))
    path = target.root / "archive-00000.wacz"
    done = programs("wacz", "validate", "-f", path)
    assert "is valid" in done.stdout and done.returncode == 0, done.stdout + done.stderr
    warc = target.root / "data.warc.gz"
    warc.write_bytes(read(path, "archive/data.warc.gz"))
    checked = programs("warcio", "check", warc)
    assert checked.returncode == 0, checked.stdout
    # Their index of our WARC is ours.
    theirs = [cdxj.parse(line.encode()) for line in programs("cdxj-indexer", "-s", warc).stdout.splitlines()]
    ours = [cdxj.parse(line) for line in gzip.decompress(read(path, "indexes/index.cdx.gz")).splitlines()]
    places = {(each.url, each.filename, each.offset, each.length, each.digest) for each in ours}
    assert {(each.url, each.filename, each.offset, each.length, each.digest) for each in theirs} == places
    with zipfile.ZipFile(path) as package:
        stored = {info.filename for info in package.infolist() if info.compress_type == zipfile.ZIP_STORED}
    assert stored == {"archive/data.warc.gz", "indexes/index.cdx.gz"}
    # ReplayWeb.page reads no ZIP64: no local header has an extra field.
    data = path.read_bytes()
    with zipfile.ZipFile(path) as package:
        assert {data[info.header_offset + 28 : info.header_offset + 30] for info in package.infolist()} == {b"\0\0"}


def test_pages_with_title_and_text(newsroom: Archive, target: LocalStore) -> None:
    export(newsroom, "wacz", target, Selection(site="paper.example"), tools())
    path = target.root / "archive-00000.wacz"
    header, *pages = [json.loads(line) for line in read(path, "pages/pages.jsonl").splitlines()]
    assert (header["format"], header["hasText"]) == ("json-pages-1.0", True)
    assert [(page["url"], page["ts"], page["text"]) for page in pages] == [
        (f"{PAPER}/a", "2026-03-01T06:06:00Z", "Bridge, day one."),
        (f"{PAPER}/a", "2026-03-01T06:07:00Z", "Bridge, day two."),
        (f"{PAPER}/b", "2026-03-01T06:08:00Z", ""),
    ]
    described = json.loads(read(path, "datapackage.json"))
    assert (described["mainPageUrl"], described["mainPageDate"]) == (f"{PAPER}/a", "2026-03-01T06:06:00Z")
    assert described["title"].startswith("paper.example")


def test_what_pages_need_comes_along_and_nothing_else(newsroom: Archive, target: LocalStore) -> None:
    export(newsroom, "wacz", target, Selection(site="paper.example"), tools())
    path = target.root / "archive-00000.wacz"
    expected = [url for url, _, _ in PAGES if not url.startswith(OTHER) and not url.endswith("unused.png")]
    assert sorted(held_in(path)) == sorted([*expected, f"{PAPER}/a"])
    records = list(ArchiveIterator(io.BytesIO(read(path, "archive/data.warc.gz")), parse_http=False))
    assert sum(record.headers["WARC-Type"] == "request" for record in records) == len(expected) + 1
    # By language: the page alone, with what it needs.
    other = LocalStore(str(target.root / "language"))
    export(newsroom, "wacz", other, Selection(language="pt"), tools())
    urls = held_in(other.root / "archive-00000.wacz")
    assert f"{PAPER}/b" in urls and f"{CDN}/dot.png" in urls and f"{PAPER}/a" not in urls


def test_a_revisit_brings_its_original(newsroom: Archive, target: LocalStore) -> None:
    export(newsroom, "wacz", target, Selection(since=BEGIN + timedelta(days=1)), tools())
    data = read(target.root / "archive-00000.wacz", "archive/data.warc.gz")
    types = [record.headers["WARC-Type"] for record in ArchiveIterator(io.BytesIO(data), parse_http=False)]
    assert types[:3] == ["warcinfo", "revisit", "request"] and "response" in types
    assert CSS in gzip.decompress(data), "the page of the original needs it"


def test_in_several_files(newsroom: Archive, target: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wacz, "MAX_CAPTURES", 3)
    done = export(newsroom, "wacz", target, ALL, tools())
    assert (done.records, done.files) == (len(PAGES) + 1, 5)
    found = [url for number in range(5) for url in held_in(target.root / f"archive-{number:05d}.wacz")]
    # The original of the revisit is in each file that needs it.
    assert set(found) == {url for url, _, _ in PAGES}
    assert len(found) >= len(PAGES) + 1


def test_the_signature(newsroom: Archive, target: LocalStore, key: Path) -> None:
    export(newsroom, "wacz", target, ALL, tools(sign_key=key))
    path = target.root / "archive-00000.wacz"
    told = json.loads(read(path, "datapackage-digest.json"))
    package = read(path, "datapackage.json")
    signed = told["signedData"]
    assert told["hash"] == signed["hash"] == f"sha256:{hashlib.sha256(package).hexdigest()}"
    assert signed["created"] == json.loads(package)["created"]
    public = load_der_public_key(base64.b64decode(signed["publicKey"]))
    assert isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP384R1)
    numbers = base64.b64decode(signed["signature"])
    assert len(numbers) == 96
    signature = encode_dss_signature(int.from_bytes(numbers[:48]), int.from_bytes(numbers[48:]))
    public.verify(signature, signed["hash"].encode(), ec.ECDSA(SHA256()))


def test_keys_that_cannot_sign(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        wacz.Wacz(tools(sign_key=tmp_path / "absent.pem"))
    (tmp_path / "no.pem").write_text("no key")
    with pytest.raises(UsageError, match="not an unencrypted private key"):
        wacz.Wacz(tools(sign_key=tmp_path / "no.pem"))
    with pytest.raises(UsageError, match="must be one on the curve P-384"):
        wacz.Wacz(tools(sign_key=generated(tmp_path / "short.pem", "P-256")))

"""Our WARC, CDXJ and WACZ files as warcio, FastWARC, cdxj-indexer, wacz and plain gzip read them."""

from __future__ import annotations

import gzip
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType
from sample_archive import EARLY, NAMED, OPERATOR, Sample, Tools, is_unclear
from warcs import RawRecord, records_of

pytest_plugins = ["sample_archive"]

MANDATORY = {"WARC-Type", "WARC-Record-ID", "WARC-Date", "Content-Length"}


@pytest.fixture(scope="module")
def all_records(sample: Sample) -> dict[Path, list[RawRecord]]:
    return {warc: list(records_of(warc)) for warc in sample.warcs}


@pytest.fixture(scope="module")
def held(all_records: dict[Path, list[RawRecord]]) -> list[RawRecord]:
    """The records of all three files."""
    return [record for found in all_records.values() for record in found]


def is_chunked(record: RawRecord) -> bool:
    head = re.split(rb"\r?\n\r?\n", record.block, maxsplit=1)[0]
    return re.search(rb"(?im)^transfer-encoding:[ \t]*chunked[ \t]*\r?$", head) is not None


# --- The files --------------------------------------------------------------------------------------------------------


def members(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each gzip member's place and content."""
    at = 0
    while at < len(data):
        decoder = zlib.decompressobj(31)
        content = decoder.decompress(data[at:])
        assert decoder.eof
        yield at, content
        at = len(data) - len(decoder.unused_data)


def test_one_record_is_one_gzip_member(all_records: dict[Path, list[RawRecord]]) -> None:
    for warc, found in all_records.items():
        data = warc.read_bytes()
        cut = list(members(data))
        assert [place for place, _ in cut] == [record.offset for record in found]
        assert sum(record.length for record in found) == len(data)
        assert gzip.decompress(data) == b"".join(content for _, content in cut)
        for (_, content), record in zip(cut, found, strict=True):
            head, _, rest = content.partition(b"\r\n\r\n")
            assert head.startswith(b"WARC/1.1\r\n")
            assert rest == record.block + b"\r\n\r\n"


def test_fields_are_those_of_warc_1_1(held: list[RawRecord]) -> None:
    ids = [record["WARC-Record-ID"] or "" for record in held]
    assert len(set(ids)) == len(ids)
    for record in held:
        assert {name for name, _ in record.fields} >= MANDATORY
        assert int(record["Content-Length"] or "") == len(record.block)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", record["WARC-Date"] or "")
        repeated = {name for name, _ in record.fields if len(record.all(name)) > 1}
        assert repeated <= {"WARC-Protocol"}
    for name in ids:
        assert UUID(name.removeprefix("<urn:uuid:").removesuffix(">")).version == 4


def test_records_say_what_belongs_together(all_records: dict[Path, list[RawRecord]]) -> None:
    for found in all_records.values():
        info, *others = found
        by_id = {record["WARC-Record-ID"]: record for record in found}
        assert info.type == "warcinfo"
        assert {record["WARC-Warcinfo-ID"] for record in others} == {info["WARC-Record-ID"]}
        assert {record.type for record in others} <= {"response", "revisit", "request", "metadata"}
        for record in others:
            if (other := record["WARC-Concurrent-To"]) is not None:
                assert by_id[other]["WARC-Date"] == record["WARC-Date"]
                assert record.type == "metadata" or by_id[other].url == record.url


def test_no_address_is_given_where_a_proxy_answered(all_records: dict[Path, list[RawRecord]]) -> None:
    *direct, proxied = all_records.values()
    assert {record["WARC-IP-Address"] for found in direct for record in found[1:]} == {"127.0.0.1"}
    assert {record["WARC-IP-Address"] for record in proxied} == {None}


def test_warcinfo_tells_who_and_how(all_records: dict[Path, list[RawRecord]]) -> None:
    (first, *_), (second, *_), (proxied, *_) = all_records.values()
    for record, warc in zip((first, second, proxied), all_records, strict=True):
        fields = dict(line.split(": ", 1) for line in record.block.decode().splitlines())
        assert record["Content-Type"] == "application/warc-fields"
        assert record["WARC-Filename"] == warc.name
        assert fields["format"] == "WARC File Format 1.1"
        assert fields["conformsTo"].endswith("/warc-format/warc-1.1/")
        assert re.match(r"newskeep/\d\S* \(scrapy/\d\S*, trafilatura/\d\S*\)$", fields["software"])
        assert f"-{fields['isPartOf']}-" in warc.name
        assert fields["robots"] == ("ignore" if record is proxied else "obey")
        assert fields.get("operator") == (None if record is proxied else OPERATOR)
        assert fields["http-header-user-agent"].startswith("newskeep/")
        request = next(record for record in all_records[warc] if record.type == "request")
        assert f"User-Agent: {fields['http-header-user-agent']}\r\n".encode() in request.block


def test_every_revisit_leads_to_its_original(held: list[RawRecord]) -> None:
    revisits = [record for record in held if record.type == "revisit"]
    originals = [record for record in held if record.type == "response"]
    assert {record.url.rpartition("/")[2] for record in revisits} >= {"same", "same-chunked", "page", "robots.txt"}
    for record in revisits:
        (original,) = (
            other
            for other in originals
            if other.url == record["WARC-Refers-To-Target-URI"]
            and other["WARC-Date"] == record["WARC-Refers-To-Date"]
            and other["WARC-Payload-Digest"] == record["WARC-Payload-Digest"]
        )
        assert record["WARC-Profile"] == "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
        assert record.block.endswith(b"\r\n\r\n")
        assert original.block.startswith(record.block.split(b"\r\n")[0])


def test_interim_answers_have_no_address(held: list[RawRecord]) -> None:
    beside = [record for record in held if record.type == "metadata"]
    assert EARLY in [record.block for record in beside]
    assert {record["WARC-Target-URI"] for record in beside} == {None}
    assert {record["Content-Type"] for record in beside} == {
        "application/http;msgtype=response",
        "application/x-pem-file",
    }


# --- warcio -----------------------------------------------------------------------------------------------------------


def test_warcio_check_reports_the_payloads_of_chunked_answers_alone(
    all_records: dict[Path, list[RawRecord]], tools: Tools
) -> None:
    # It hashes the chunks with their framing; the standard has the payload without (see docs/formats.md).
    for warc, found in all_records.items():
        done = tools("warcio", "check", "-v", warc)
        chunked = {record["WARC-Record-ID"] for record in found if record.type == "response" and is_chunked(record)}
        said = re.findall(r"offset \d+ WARC-Record-ID (\S+) (\w+)\n {4}(.*)", done.stdout)
        assert len(said) == len(found)
        assert {record_id for record_id, _, verdict in said if "payload digest failed" in verdict} == chunked
        assert "block digest failed" not in done.stdout
        passed = {kind for _, kind, verdict in said if verdict == "digest pass"}
        assert passed <= {"warcinfo", "response", "request", "metadata"}
        assert done.returncode == (1 if chunked else 0)
        assert "Traceback" not in done.stderr


def test_warcio_index_finds_every_record(all_records: dict[Path, list[RawRecord]], tools: Tools) -> None:
    fields = "offset,length,warc-type,warc-record-id,warc-target-uri"
    for warc, found in all_records.items():
        done = tools("warcio", "index", "-f", fields, warc)
        assert done.returncode == 0, done.stderr
        expected = [
            {
                "offset": str(record.offset),
                "length": str(record.length),
                "warc-type": record.type,
                "warc-record-id": record["WARC-Record-ID"],
                **({"warc-target-uri": record.url} if record.url else {}),
            }
            for record in found
        ]
        assert [json.loads(line) for line in done.stdout.splitlines()] == expected


# --- FastWARC ---------------------------------------------------------------------------------------------------------


def test_fastwarc_reads_and_verifies_every_record(all_records: dict[Path, list[RawRecord]]) -> None:
    for warc, found in all_records.items():
        iterator = ArchiveIterator(BytesIO(warc.read_bytes()), parse_http=False)
        for record, expected in zip(iterator, found, strict=True):
            assert record.record_type == getattr(WarcRecordType, expected.type)
            assert record.headers["WARC-Record-ID"] == expected["WARC-Record-ID"]
            assert record.headers.get("WARC-Target-URI") == expected["WARC-Target-URI"]
            assert record.stream_pos == expected.offset
            assert record.verify_block_digest()


def test_fastwarc_reads_the_same_status_and_headers(all_records: dict[Path, list[RawRecord]]) -> None:
    compared = 0
    for warc, found in all_records.items():
        iterator = ArchiveIterator(BytesIO(warc.read_bytes()), parse_http=False)
        for record, expected in zip(iterator, found, strict=True):
            head = re.split(rb"\r?\n\r?\n", expected.block, maxsplit=1)[0]
            if expected.type not in ("response", "revisit") or is_unclear(expected.url) or _is_odd(head):
                continue
            compared += 1
            record.parse_http()
            status, *lines = head.decode("ascii").split("\r\n")
            assert record.http_headers.status_code == int(status.split()[1])
            pairs = [line.partition(":") for line in lines]
            assert [*record.http_headers] == [(name, value.strip()) for name, _, value in pairs]
    assert compared > 100


def _is_odd(head: bytes) -> bool:
    """Heads that FastWARC reads in its own way: LF alone, folded, without a colon, not ASCII, longer than 32 KB."""
    odd_lines = re.search(rb"\n[ \t]|\n[^:\n]*\n", head + b"\n")
    return b"\r\n" not in head or odd_lines is not None or not head.isascii() or len(head) > 32_768


# --- CDXJ -------------------------------------------------------------------------------------------------------------


def test_cdxj_is_sorted_by_bytes(sample: Sample) -> None:
    for warc in sample.warcs:
        data = sample.cdxj(warc).read_bytes()
        lines = data.splitlines(keepends=True)
        assert lines == sorted(lines)
        assert data.endswith(b"\n")
        assert data.isascii()


def test_cdxj_indexer_writes_the_same_lines(sample: Sample, tools: Tools) -> None:
    done = tools("cdxj-indexer", "--sort", *sample.warcs)
    assert done.returncode == 0, done.stderr
    # "-" is its key for a record without an address: the 1xx answers, which nobody can ask for by it.
    lines = [line for line in done.stdout.splitlines() if not line.startswith("- ")]
    for warc in sample.warcs:
        theirs = [line for line in lines if json.loads(line.split(" ", 2)[2])["filename"] == warc.name]
        ours = sample.cdxj(warc).read_text().splitlines()
        assert [line.split(" ")[:2] for line in ours] == [line.split(" ")[:2] for line in theirs]
        pairs = [(_fields(mine), _fields(other)) for mine, other in zip(ours, theirs, strict=True)]
        assert len(pairs) >= len(NAMED)
        for mine, other in pairs:
            names = _PLACE if is_unclear(mine["url"]) else mine.keys() | other.keys()
            assert {name: mine.get(name) for name in names} == {name: other.get(name) for name in names}


_PLACE = {"url", "length", "offset", "filename"}


def _fields(line: str) -> dict[str, str]:
    fields: dict[str, str] = json.loads(line.split(" ", 2)[2])
    for ours in ("framed_digest", "microseconds", "wall", "insecure"):
        fields.pop(ours, None)
    # It keeps the case of the media type as sent.
    return {name: value.lower() if name == "mime" else value for name, value in fields.items()}


def test_cdxj_has_a_line_for_every_answer(sample: Sample, all_records: dict[Path, list[RawRecord]]) -> None:
    for warc, found in all_records.items():
        lines = [json.loads(line.split(b" ", 2)[2]) for line in sample.cdxj(warc).read_bytes().splitlines()]
        answers = {(record.offset, record.length) for record in found if record.type in ("response", "revisit")}
        assert {(int(line["offset"]), int(line["length"])) for line in lines} == answers
        assert len(lines) == len(answers)
        assert {line["filename"] for line in lines} == {warc.name}


# --- docs/formats.md --------------------------------------------------------------------------------------------------


def test_every_field_is_documented(sample: Sample, held: list[RawRecord]) -> None:
    text = Path(__file__).parents[2].joinpath("docs", "formats.md").read_text(encoding="utf-8")
    named = {word for quoted in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"[\w-]+", quoted)}
    used = {name for record in held for name, _ in record.fields}
    for record in held:
        if record.type == "warcinfo":
            used |= {line.partition(":")[0] for line in record.block.decode().splitlines()}
    for path in sample.archive.glob("cdxj/**/*.cdxj"):
        used |= {name for line in path.read_text().splitlines() for name in json.loads(line.split(" ", 2)[2])}
    for path in sample.archive.glob("text/**/*.jsonl.gz"):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            article = json.loads(line)
            used |= article.keys() | article["warc"].keys() | article["extractor"].keys()
            used |= (article["fingerprint"] or {}).keys()
            used |= {name for block in article["blocks"] for name in block}
    for path in sample.archive.glob("crawls/**/*.json"):
        report = json.loads(path.read_bytes())
        used |= report.keys() | report["outcomes"][0].keys()
    assert len(used) > 60
    assert used <= named, used - named


# --- WACZ -------------------------------------------------------------------------------------------------------------


def test_wacz_is_made_of_a_warc_and_valid(sample: Sample, tools: Tools, tmp_path: Path) -> None:
    made = tmp_path / "sample.wacz"
    done = tools("wacz", "create", "--detect-pages", "-o", made, *sample.warcs)
    assert done.returncode == 0, done.stderr
    done = tools("wacz", "validate", "-f", made)
    assert "valid" in done.stdout
    assert "Validation succeeded" in done.stdout, done.stdout + done.stderr
    with zipfile.ZipFile(made) as opened:
        for warc in sample.warcs:
            assert opened.read(f"archive/{warc.name}") == warc.read_bytes()
        index = gzip.decompress(opened.read("indexes/index.cdx.gz")).decode().splitlines()
    ours = [line for warc in sample.warcs for line in sample.cdxj(warc).read_text().splitlines()]
    assert sorted(line.split(" {")[0] for line in index if not line.startswith("- ")) == sorted(
        line.split(" {")[0] for line in ours
    )

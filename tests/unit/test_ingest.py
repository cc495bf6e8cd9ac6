"""Foreign files are read whole, whatever holds their records and whatever became of it, and nothing is changed."""

from __future__ import annotations

import gzip
import hashlib
import random
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import foreign_warcs as foreign
import pytest
from warcs import records_of

from storage.ingest.checking import Survey, file_digest, survey
from storage.ingest.framing import NotAnArchiveFile
from storage.ingest.parts import PartBounds, PartWriter
from storage.repair import whole_records
from storage.warc import Record, capture_of, read_records

HOST = "paper.example"
CONTAINERS = {
    "gzip": foreign.gzipped,
    "plain": foreign.plain,
    "whole": foreign.gzipped_whole,
    "zstd": foreign.zstandard,
}


def many(number: int = 12) -> list[bytes]:
    """Records with a block digest each, of different lengths."""
    made = []
    for each in range(number):
        block = foreign.answer(foreign.page(f"Story {each}") * (1 + each % 3))
        fields = [
            ("WARC-Type", "response"),
            ("WARC-Record-ID", foreign.new_id()),
            ("WARC-Target-URI", f"http://{HOST}/{each}"),
            ("WARC-Date", f"2020-01-02T03:04:{each:02d}Z"),
            ("WARC-Block-Digest", foreign.sha1(block)),
            ("Content-Type", "application/http;msgtype=response"),
        ]
        made.append(foreign.record("1.0", fields, block))
    return made


class Read:
    """A file that was surveyed and written."""

    def __init__(self, folder: Path, data: bytes, bounds: PartBounds | None = None) -> None:
        self.path = folder / "file"
        self.path.write_bytes(data)
        self.survey: Survey = survey(self.path, file_digest(self.path))
        out, self.aside = folder / "out", folder / "aside"
        out.mkdir(exist_ok=True)
        writer = PartWriter(self.path, self.survey, out, self.aside, bounds=bounds)
        self.parts = [parcel.warc for parcel in writer.parcels()]
        self.digest = writer.digest

    @property
    def urls(self) -> list[str]:
        """The addresses of what can be read, in order, as our reader sees them; each also alone, by its place."""
        found = []
        for part in self.parts:
            with part.open("rb") as stream:
                records = list(read_records(stream))
            assert [(one.offset, one.length) for one in records] == list(whole_records(part))
            found += [record.url for record in records]
        return found


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("writer", foreign.WRITERS)
def test_every_writer_in_every_container(tmp_path: Path, writer: str, container: str) -> None:
    records = foreign.WRITERS[writer](HOST)
    data = CONTAINERS[container](records)
    read = Read(tmp_path, data)
    assert read.survey.faults == []
    assert read.survey.unproven == 0
    assert sum(read.survey.records.values()) == len(records)
    # One record that is compressed as a whole is a member by itself.
    as_it_is = (container == "gzip" or (container == "whole" and len(records) == 1)) and writer != "arc"
    assert read.survey.as_it_is == as_it_is
    (part,) = read.parts
    if as_it_is:
        assert part.read_bytes() == data
        assert read.digest == read.survey.sha256 == hashlib.sha256(data).hexdigest()
    elif writer != "arc":
        assert gzip.decompress(part.read_bytes()) == b"".join(records)
    # And somebody else's reader sees in it what the file had.
    assert len(list(records_of(part))) == len(records)
    captures = [one for one in (capture_of(record, "") for record in _ours(part)) if one]
    assert len(captures) == read.survey.captures == (2 if writer == "heritrix" else 1)


def _ours(part: Path) -> list[Record]:
    with part.open("rb") as stream:
        return list(read_records(stream))


def test_the_writer_is_known_by_its_own_word(tmp_path: Path) -> None:
    assert (Read(tmp_path, foreign.gzipped(foreign.heritrix(HOST))).survey.writer or "").startswith("Heritrix/3.4.0")


def test_what_an_arc_had_from_the_server_stays(tmp_path: Path) -> None:
    records = foreign.arc(HOST)
    read = Read(tmp_path, foreign.gzipped(records))
    info, dns, page = records_of(read.parts[0])
    assert (info.type, dns.type, page.type) == ("warcinfo", "resource", "response")
    assert page.block == records[2].partition(b"\n")[2][:-1]
    assert page["WARC-Date"] == "2004-01-02T03:04:05Z"
    assert page["WARC-IP-Address"] == "192.0.2.1"
    assert Read(tmp_path, foreign.plain(records)).parts[0].read_bytes() != b""


def test_a_file_is_written_the_same_way_twice(tmp_path: Path) -> None:
    for name, container in CONTAINERS.items():
        data = container(foreign.arc(HOST) if name == "plain" else many())
        first, second = (Read(tmp_path, data) for _ in range(2))
        assert [part.name for part in first.parts] == [part.name for part in second.parts]
        assert first.digest == second.digest


def test_a_long_file_becomes_several_parts_that_are_the_file(tmp_path: Path) -> None:
    data = foreign.gzipped(many())
    read = Read(tmp_path, data, PartBounds(records=5))
    assert [part.name[-13:-8] for part in read.parts] == ["00000", "00001", "00002"]
    assert b"".join(part.read_bytes() for part in read.parts) == data
    assert read.digest == read.survey.sha256


# Damage

Break = Callable[[list[bytes]], bytes]


def _cut(container: Callable[[Iterable[bytes]], bytes], by: int) -> Break:
    return lambda records: container(records)[:-by]


def _replaced(records: list[bytes], at: int, record: bytes) -> list[bytes]:
    return [*records[:at], record, *records[at + 1 :]]


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x5A]) + data[at + 1 :]


def _length(record: bytes, length: int) -> bytes:
    return re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % length, record, count=1)


DAMAGES: dict[str, tuple[Break, set[int]]] = {
    "the last record cut off, gzip": (_cut(foreign.gzipped, 40), {11}),
    "the last record cut off, plain": (_cut(foreign.plain, 200), {11}),
    "a member that does not read back": (
        lambda records: b"".join(
            _flipped(gzip.compress(each), 60) if number == 4 else gzip.compress(each)
            for number, each in enumerate(records)
        ),
        {4},
    ),
    "a block that is not that of its digest": (
        lambda records: foreign.gzipped(_replaced(records, 4, records[4].replace(b"harbour", b"harbxur"))),
        {4},
    ),
    "the same, plain": (
        lambda records: foreign.plain(_replaced(records, 4, records[4].replace(b"harbour", b"harbxur"))),
        {4},
    ),
    "no date": (
        lambda records: foreign.gzipped(_replaced(records, 4, records[4].replace(b"WARC-Date: 2", b"WARC-Date: x"))),
        {4},
    ),
    "no length": (
        lambda records: foreign.gzipped(
            _replaced(records, 4, records[4].replace(b"Content-Length", b"Content-Lenght"))
        ),
        {4},
    ),
    "a length too small, gzip": (lambda records: foreign.gzipped(_replaced(records, 4, _length(records[4], 50))), {4}),
    "a length too small, plain": (lambda records: foreign.plain(_replaced(records, 4, _length(records[4], 50))), {4}),
    "a length too large, gzip": (
        lambda records: foreign.gzipped(_replaced(records, 4, _length(records[4], 5000))),
        {4},
    ),
    "a length too large, plain": (
        lambda records: foreign.plain(_replaced(records, 4, _length(records[4], 90_000))),
        {4},
    ),
    "a length beyond all bounds": (lambda records: foreign.plain([*records[:11], _length(records[11], 10**15)]), {11}),
    "bytes between two members": (
        lambda records: foreign.gzipped(records[:4]) + b"junk" + foreign.gzipped(records[4:]),
        set(),
    ),
    "bytes between two records": (
        lambda records: foreign.plain(records[:4]) + b"junk\r\n\r\n" + foreign.plain(records[4:]),
        set(),
    ),
    "a member of something else": (
        lambda records: foreign.gzipped([*records[:4], b"something else", *records[4:]]),
        set(),
    ),
    "zeros at the end": (lambda records: foreign.gzipped(records) + bytes(512), set()),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_damaged_is_named_and_set_aside_and_the_rest_is_there(tmp_path: Path, name: str) -> None:
    damage, lost = DAMAGES[name]
    read = Read(tmp_path, damage(many()))
    assert read.urls == [f"http://{HOST}/{number}" for number in range(12) if number not in lost]
    assert len(read.survey.faults) == read.survey.fault_count >= 1
    assert all(line.startswith("at byte ") for line in read.survey.faults)
    assert not read.survey.as_it_is
    assert len(list(read.aside.iterdir())) == read.survey.fault_count


def test_a_set_aside_member_is_the_bytes_of_the_file(tmp_path: Path) -> None:
    members = [gzip.compress(each) for each in many()]
    members[4] = _flipped(members[4], 60)
    (piece,) = Read(tmp_path, b"".join(members)).aside.iterdir()
    assert piece.read_bytes() == members[4]


def test_a_whole_file_that_ends_in_the_middle_gives_what_can_be_decompressed(tmp_path: Path) -> None:
    read = Read(tmp_path, foreign.gzipped_whole(many(60))[:-900])
    assert 30 < len(read.urls) < 60
    assert read.survey.fault_count == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"<html>", b"PK", b"\x1f\x8b\x08", gzip.compress(b"", mtime=0), gzip.compress(b"text", mtime=0), b"\n"],
)
def test_what_is_no_archive_file(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(NotAnArchiveFile):
        Read(tmp_path, data)


def test_members_that_are_empty_cost_no_record(tmp_path: Path) -> None:
    records = many()
    read = Read(tmp_path, foreign.gzipped(records[:4]) + gzip.compress(b"") + foreign.gzipped(records[4:]))
    assert read.survey.faults == []
    assert not read.survey.as_it_is
    assert len(read.urls) == 12


@pytest.mark.parametrize("container", ["gzip", "plain"])
def test_random_damage_costs_what_it_hits(tmp_path: Path, container: str) -> None:
    chance = random.Random(container)
    whole = CONTAINERS[container](many())
    for _ in range(60):
        data = bytearray(whole)
        at = chance.randrange(len(data) // 10, len(data))
        how = chance.choice(["lost", "changed", "put in"])
        if how == "lost":
            del data[at : at + chance.randint(1, 200)]
        elif how == "changed":
            data[at] ^= chance.randint(1, 255)
        else:
            data[at:at] = chance.randbytes(chance.randint(1, 200))
        read = Read(tmp_path, bytes(data))
        # The record that was hit, and the next where the border between them was.
        assert len(set(read.urls) & {f"http://{HOST}/{number}" for number in range(12)}) >= 10

"""A store's own files as somebody else wrote them: bombs, depths and other shapes are told, and the rest goes on."""

from __future__ import annotations

import gzip
import io
import json
import resource
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filled_archive import Page, check, fill, folder_archive
from warm_start import WarmStart

from crawler.session.site_memory_store import SiteMemoryStore
from storage import bounds
from storage.archive import Archive
from storage.articles import read_member, read_part
from storage.cdxj import read_file
from storage.errors import Corrupt
from storage.inventory import check_json
from storage.problems import Problem
from storage.warc import read_records

#: Bytes of address space for a command, a third of it for interpreter and libraries: none of the `BOMBS` as a whole
#: finds room.
MEMORY = 1_500_000_000
DEEP = b"[" * 200_000 + b"]" * 200_000


def bomb(start: bytes, size: int) -> bytes:
    """A gzip member of a few MB that unpacks to `start` and `size` bytes of "a"."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(b"a" * (16 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + piece * (size // (16 << 20))


def part_of(archive: Archive, kind: str, number: int = 0) -> Path:
    return sorted(path for path in (Path(archive.uri) / kind).rglob("*") if path.is_file())[number]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    yield from folder_archive(tmp_path / "archive")


@pytest.fixture
def pages(archive: Archive) -> list[Page]:
    """What is in the archive, which no process has open."""
    made = fill(archive)
    archive.index.close()
    del archive.index
    return made


#: Made when they are asked for: they take seconds, and each process of the tests imports this.
BOMBS: dict[str, Callable[[], bytes]] = {
    "deep": lambda: gzip.compress(b'{"url": "x", "x": ' + DEEP + b"}\n"),
    "long": lambda: bomb(b'{"url": "', 1 << 30),
    "many": lambda: gzip.compress(b"[" + b"[]," * 20_000_000 + b"[]]\n"),
    "list": lambda: gzip.compress(b'["url"]\n'),
    "types": lambda: gzip.compress(b'{"url": ["x"], "title": {}, "blocks": [7]}\n'),
    "rubbish": lambda: b"\x1f\x8b\x08rubbish",
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_line_of_a_text_part(
    archive: Archive, pages: list[Page], kind: str, tmp_path: Path, warm_start: WarmStart
) -> None:
    """reindex, verify and compact tell it, name the object, stay within memory, and do the rest."""
    path = part_of(archive, "text")
    path.write_bytes(BOMBS[kind]())
    key = path.relative_to(archive.uri).as_posix()
    for command in (("reindex", "--fresh"), ("verify", "--deep"), ("compact", "--min-age", "0"), ("verify",)):
        done = limited(warm_start, archive, tmp_path, *command)
        assert done.returncode == 7, done.stdout + done.stderr
        assert b"Traceback" not in done.stderr
        told = [line for line in done.stdout.splitlines() if key.encode() in line or b"not joined" in line]
        assert told and all(len(line) < 500 for line in done.stdout.splitlines()), done.stdout
    # The other two were joined and have their texts; of the first the originals are there.
    for again in folder_archive(Path(archive.uri)):
        assert len(list(again.store.list("warc/"))) == 2
        assert [again.article(one.url).text for one in pages[4:]] == [one.text for one in pages[4:]]
        assert all(again.get(one.url, one.moment).response == one.response for one in pages)


LIMITED = f"""
import resource
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
from newskeep.cli import main
main()
"""


def limited(warm_start: WarmStart, archive: Archive, folder: Path, *command: str) -> subprocess.CompletedProcess[bytes]:
    """What `run` does, but for workers, which have no limit here."""
    return warm_start.python(LIMITED, *command, "--archive", archive.uri, cwd=folder)


def run(archive: Archive, folder: Path, *command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "newskeep", *command, "--archive", archive.uri],
        cwd=folder,
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )


@pytest.mark.usefixtures("pages")
def test_reextract_makes_the_text_again(archive: Archive, tmp_path: Path, warm_start: WarmStart) -> None:
    part_of(archive, "text").write_bytes(BOMBS["long"]())
    done = run(archive, tmp_path, "reextract")
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
    assert limited(warm_start, archive, tmp_path, "verify").returncode == 0


@pytest.mark.parametrize(
    "content", [b"x" * (3 << 20), DEEP, b'com,a)/ 20260101000000 {"url": ' + DEEP + b"}\n", b"[]\n"]
)
def test_a_line_of_a_cdxj(
    archive: Archive, pages: list[Page], content: bytes, tmp_path: Path, warm_start: WarmStart
) -> None:
    path = part_of(archive, "cdxj")
    path.write_bytes(content)
    key = path.relative_to(archive.uri).as_posix().encode()
    for command in (("reindex", "--fresh"), ("verify", "--deep")):
        done = limited(warm_start, archive, tmp_path, *command)
        assert (done.returncode, b"Traceback" in done.stderr) == (7, False), done.stderr
        assert key in done.stdout
        assert all(len(line) < 500 for line in done.stdout.splitlines())
    for again in folder_archive(Path(archive.uri)):
        check(again, pages)


@pytest.mark.parametrize("content", [DEEP, b"[]", b'{"version": 9}', b" " * (17 << 20) + b"{}", b"\xff\x00"])
def test_notes_of_compactions(
    archive: Archive, pages: list[Page], content: bytes, tmp_path: Path, warm_start: WarmStart
) -> None:
    """A plan and a record that cannot be read are told; their day is not compacted, another is; crawls deliver."""
    for key in (
        "compacting/2026-03-01.json",
        "compacted/2026/03/01/newskeep-20260301060000250-0123456789ab-00007.json",
    ):
        archive.store.put(key, content)
    for command in (("reindex", "--fresh"), ("verify", "--deep"), ("compact", "--min-age", "0")):
        done = limited(warm_start, archive, tmp_path, *command)
        assert (done.returncode, b"Traceback" in done.stderr) == (7, False), done.stderr
        assert b"compacting/2026-03-01.json: " in done.stdout
        assert all(len(line) < 500 for line in done.stdout.splitlines())
    done = limited(warm_start, archive, tmp_path, "verify", "--deep", "--json")
    assert b"compacted/2026/03/01" in done.stdout
    for again in folder_archive(Path(archive.uri)):
        assert len(list(again.store.list("warc/"))) == 3
        check(again, pages)


@pytest.mark.usefixtures("pages")
def test_reports_and_memories(archive: Archive, tmp_path: Path, warm_start: WarmStart) -> None:
    """verify --deep names what is wrong of them, and reads reports of any length."""
    lines = ",\n".join(json.dumps({"url": f"https://a.example/{number}", "outcome": "archived"}) for number in range(9))
    # One is longer than any other JSON may be.
    whole = ('{"crawl": "aa", "state": "finished", "counts": {}, "outcomes": [\n' + lines + "\n]}\n").encode()
    long = whole.replace(b"\n]}\n", b",\n" + b'{"url": "x", "outcome": "failed"},\n' * 500_000 + b"{}\n]}\n")
    assert len(long) > bounds.JSON_MAX
    bad = [DEEP, whole[:-4], whole + whole, whole.replace(b"archived", b"x" * (2 << 20)), b" " * (20 << 20), b""]
    for number, content in enumerate([whole, long, *bad]):
        archive.store.put(f"crawls/2026/03/02/{number:012}.json", content)
    archive.store.replace("sites/deep.example.json", DEEP)
    archive.store.replace("sites/long.example.json", b" " * (20 << 20) + b"{}")
    done = limited(warm_start, archive, tmp_path, "verify", "--deep")
    told = done.stdout.decode().splitlines()
    named = [line.partition(": ")[0] for line in told]
    wanted = [f"crawls/2026/03/02/{number:012}.json" for number in range(2, 2 + len(bad))]
    assert named == [*wanted, "sites/deep.example.json", "sites/long.example.json"], done.stderr
    assert all(len(line) < 300 for line in told)
    memories = SiteMemoryStore(archive.store, archive.state)
    assert not memories.load("deep.example").stories
    assert not memories.load("long.example").stories


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"[" * 9_000, "nested too deep"),
        (b"{}" + b" " * bounds.JSON_MAX, "more than 16,777,216 bytes"),
        (b"[" + b"0," * 4_000_001 + b"0]", "more than 4,000,000 values"),
        (b"{", "Expecting property name"),
        (b"\xff", "utf-8"),
    ],
)
def test_json(data: bytes, why: str) -> None:
    with pytest.raises(Corrupt, match=why):
        bounds.parse_json(data)
    with pytest.raises(Corrupt, match=why):
        bounds.read_json(io.BytesIO(data))


def test_lines() -> None:
    text = b"one\n" + b"x" * 20 + b"\n" + b"y" * 11 + b"\ntwo\n" + b"z" * 50
    assert list(bounds.read_lines_past(io.BytesIO(text), 10)) == [b"one\n", b"two\n"]
    with pytest.raises(Corrupt, match="a line of more than 10 bytes"):
        list(bounds.read_lines(io.BytesIO(text), 10))
    assert list(bounds.read_lines(io.BytesIO(b"a\nb"), 2)) == [b"a\n", b"b"]


def test_members() -> None:
    with pytest.raises(Corrupt, match="a line of more than"):
        list(read_part(io.BytesIO(BOMBS["long"]())))
    with pytest.raises(Corrupt, match="nested too deep"):
        read_member(BOMBS["deep"]())


def test_a_record_of_a_warc() -> None:
    head = b"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/\r\nContent-Length: %d\r\n\r\n"
    with pytest.raises(Corrupt, match="a record of 5,000,000,000 bytes"):
        list(read_records(io.BytesIO(bomb(head % 5_000_000_000, 1 << 30))))


def test_captures_of_a_cdxj_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.cdxj.CDXJ_CAPTURES_MAX", 3)
    held = json.dumps({"url": "http://a.example/", "filename": "x", "offset": "0", "length": "1"}).encode()
    line = b"example,a)/ 20260101000000 " + held + b"\n"
    assert len(list(read_file(io.BytesIO(line * 3), "it"))) == 3
    with pytest.raises(Corrupt, match="it: more than 3 captures"):
        list(read_file(io.BytesIO(line * 4), "it"))


def test_problem_of_check_json_is_one_line() -> None:
    with pytest.raises(Corrupt) as caught:
        check_json("sites/x.json", io.BytesIO(b"{\n\n'"))
    assert "\n" not in str(Problem("sites/x.json", str(caught.value)))

"""The proof that a WACZ carries: accepted by the tools of others, and nothing in its WARC can be changed."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import Run
from export_archive import tools
from filled_archive import Page
from logged_archive import begin_log, fill_logged
from sample_archive import Tools
from time_authority import running_authority

from newskeep.export import Selection
from newskeep.export.job import export
from storage.archive import Archive, open_archive
from storage.objects.local import LocalStore
from storage.transparency.leaves import members
from storage.transparency.package_check import check_package
from storage.transparency.package_proof import ENTRY

pytest_plugins = ["sample_archive"]
WARC = "archive/data.warc.gz"
Change = Callable[[str, bytes], bytes | None]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, list[Page]]]:
    folder = tmp_path_factory.mktemp("packages")
    with (
        running_authority(folder / "authority") as authority,
        pytest.MonkeyPatch.context() as patch,
        open_archive(folder / "archive") as archive,
    ):
        begin_log(archive, folder / "home", patch)
        yield archive, fill_logged(archive, authority)


@pytest.fixture(scope="module")
def package(filled: tuple[Archive, list[Page]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("out")
    export(filled[0], "wacz", LocalStore(str(target)), Selection(), tools())
    return target / "archive-00000.wacz"


def changed(package: Path, target: Path, change: Change) -> Path:
    """A package with its entries changed; those of which `None` is made are left out."""
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(target, "w") as made:
        for info in source.infolist():
            data = change(info.filename, source.read(info))
            if data is not None:
                made.writestr(info, data)
    return target


def of_proof(change: Callable[[list[bytes]], list[bytes]]) -> Change:
    def made(name: str, data: bytes) -> bytes:
        return b"".join(change(data.splitlines(keepends=True))) if name == ENTRY else data

    return made


def test_every_record_is_proven(newskeep: Run, filled: tuple[Archive, list[Page]], package: Path) -> None:
    archive, _ = filled
    done = check_package(package)
    assert done.problems == []
    with zipfile.ZipFile(package) as opened, opened.open(WARC) as stream:
        types = [record.type for record, _ in members(stream)]  # type: ignore[arg-type]
    # All but the one that says how the file was made.
    assert (done.records, types.count("warcinfo")) == (len(types) - 1, 1)
    (log,) = done.logs
    assert archive.log is not None and log.id == archive.log.id and len(log.stamps) == 1
    told = newskeep("check-proof", str(package))
    assert told.returncode == 0, told.stderr
    assert b"is what was logged, byte for byte" in told.stdout and b"at the latest" in told.stdout
    assert b"What stands beside the records" in told.stdout
    assert newskeep("check-proof", str(package), "--log", "0" * 16).returncode == 7
    piped = newskeep("check-proof", "-", stdin=package.read_bytes())
    assert (piped.returncode, piped.stdout) == (0, told.stdout)
    refused = newskeep("check-proof", str(package), "--body", "a.html")
    assert (refused.returncode, refused.stderr.count(b"\n")) == (2, 1)
    assert newskeep("verify", "--proof", str(package), "--archive", archive.uri).returncode == 0


def test_the_tools_of_others_accept_it(package: Path, request: pytest.FixtureRequest) -> None:
    programs: Tools = request.getfixturevalue("tools")
    done = programs("wacz", "validate", "-f", package)
    assert "is valid" in done.stdout and done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(package) as opened:
        resources = json.loads(opened.read("datapackage.json"))["resources"]
    assert ENTRY in {each["path"] for each in resources}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda name, data: data[:-9] if name == WARC else data, WARC),
        (lambda name, data: data.replace(b"\x1f\x8b", b"\x1f\x8c", 3) if name == WARC else data, WARC),
        (of_proof(lambda lines: lines[:-1]), "it is not in the proof"),
        (of_proof(lambda lines: [*lines, lines[-1].replace(b'"offset": ', b'"offset": 1')]), "are not in it"),
        (
            of_proof(lambda lines: [lines[0], *(each.replace(b".warc.gz 1", b".warc.gz 2") for each in lines[1:])]),
            "tree",
        ),
        (of_proof(lambda lines: [lines[0].replace(b"time 2", b"time 3"), *lines[1:]]), "not signed by its key"),
    ],
)
def test_what_is_changed_is_told(package: Path, tmp_path: Path, change: Change, told: str) -> None:
    problems = check_package(changed(package, tmp_path / "changed.wacz", change)).problems
    assert any(told in problem for problem in problems), problems


def test_records_of_another_answer_do_not_pass(package: Path, tmp_path: Path) -> None:
    """Two records of the log, each shown in the place of the other."""

    def swapped(name: str, data: bytes) -> bytes:
        if name != ENTRY:
            return data
        head, *lines = (json.loads(line) for line in data.splitlines())
        lines[0]["offset"], lines[1]["offset"] = lines[1]["offset"], lines[0]["offset"]
        return b"".join(json.dumps(each).encode() + b"\n" for each in (head, *lines))

    problems = check_package(changed(package, tmp_path / "changed.wacz", swapped)).problems
    assert sum("its bytes are not those that were logged" in problem for problem in problems) == 2


def test_a_warc_that_the_proof_is_not_about_is_told(package: Path, tmp_path: Path) -> None:
    other = changed(package, tmp_path / "changed.wacz", lambda name, data: data)
    with zipfile.ZipFile(package) as opened, zipfile.ZipFile(other, "a") as added:
        added.writestr("archive/more.warc.gz", opened.read(WARC))
    assert check_package(other).problems == ["archive/more.warc.gz: the proof is not about this file"]


@pytest.mark.parametrize(
    "change",
    [
        lambda name, data: None if name == ENTRY else data,
        lambda name, data: None if name == WARC else data,
        of_proof(lambda lines: []),
        of_proof(lambda lines: [b"[]\n", *lines]),
        of_proof(lambda lines: [b"{" * 9, *lines]),
        of_proof(lambda lines: [lines[0].replace(b'proof": 1', b'proof": 2'), *lines[1:]]),
        of_proof(lambda lines: [*lines, b"{}\n"]),
    ],
)
def test_what_is_no_proof_is_one_line(newskeep: Run, package: Path, tmp_path: Path, change: Change) -> None:
    changed(package, tmp_path / "changed.wacz", change)
    done = newskeep("check-proof", "changed.wacz")
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1), done.stderr
    assert b"changed.wacz: " in done.stderr


def test_an_archive_without_a_log_adds_nothing(tmp_path: Path, filled: tuple[Archive, list[Page]]) -> None:
    archive, _ = filled
    shutil.copytree(archive.uri.removeprefix("file://"), tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "logs")
    with open_archive(tmp_path / "copy") as plain:
        export(plain, "wacz", LocalStore(str(tmp_path / "out")), Selection(), tools())
    with zipfile.ZipFile(tmp_path / "out" / "archive-00000.wacz") as opened:
        assert ENTRY not in opened.namelist()

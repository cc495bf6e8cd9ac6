"""Taking out of an archive: every command before and after, tombstones, kills, embargoes, what cannot be purged."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command import Run
from dying_store import killed_at
from fastwarc.warc import ArchiveIterator
from filled_archive import BEGIN, REQUEST, check, deliver, fill, folder_archive, page
from removed_archive import MOVED, PLAIN, SECRET, STAGES, WORD, Stage, let_go, opened
from s3_server import S3Server, use
from warcs import records
from warm_start import WarmStart

from crawler.extraction.template.site_memory import SiteMemory
from crawler.session.site_memory_store import SiteMemoryStore
from storage import cdxj
from storage.archive import Archive
from storage.errors import NotArchived
from storage.maintenance.reindex import ReindexOptions, reindex
from storage.maintenance.verify import Verification
from storage.model import Exchange
from storage.objects.local import LocalStore
from storage.objects.s3 import S3Store
from storage.removals import Removal, hide, in_force
from storage.removing.hide import covered, put, target_of, version_at
from storage.removing.purge import purge
from storage.spool import Parcel
from storage.warc import make_stem
from storage.warc_writer import WarcWriter

pytest_plugins = ["removed_archive", "s3_server"]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    yield from folder_archive(tmp_path / "archive")


def problems(archive: Archive) -> list[str]:
    return [str(problem) for problem in Verification(archive, deep=True).problems()]


def taken(archive: Archive, url: str, match: str = "exact", *, for_good: bool = False, **how: object) -> Removal:
    decision = hide(url, match, "a test", "tests", **how)  # type: ignore[arg-type]
    put(archive, decision)
    if for_good:
        put(archive, decision.about("purge", "a test", "tests"))
    return decision


def bytes_with(folder: Path, word: str) -> list[str]:
    """Files in which a word stands, packed or not."""
    found = []
    for path in filter(Path.is_file, folder.rglob("*")):
        data = path.read_bytes()
        if path.suffix == ".gz":
            data += gzip.decompress(data)
        if word.encode() in data:
            found.append(str(path.relative_to(folder)))
    return found


# Every command


COMMANDS = (
    ("get", SECRET),
    ("get", SECRET, "--at", "20260301"),
    *(("get", SECRET, "--as", form) for form in ("http", "request", "text", "markdown", "json")),
    ("captures", SECRET),
    ("captures", "paper.example", "--json"),
    ("captures", "https://www.paper.example/", "--prefix"),
    ("search", WORD),
    ("search", "mayor", "--json"),
    ("explain", SECRET),
    ("changes", SECRET),
    ("changes", SECRET, "--json"),
    ("duplicates", SECRET),
    ("duplicates", PLAIN),
    ("doubts", "--below", "1"),
    ("reextract", "--diff"),
)
FORMATS = ("jsonl", "parquet", "markdown", "wet", "wacz", "cdxj")


def exported(newskeep: Run, folder: Path, out: Path) -> dict[str, bytes]:
    """What each format hands on, unpacked as far as words can be found in it."""
    found = {}
    for name in FORMATS:
        target = out / name
        done = newskeep("export", "--format", name, "--archive", str(folder), "--to", str(target))
        assert done.returncode == 0, (name, done.stderr)
        files = [target] if target.is_file() else sorted(filter(Path.is_file, target.rglob("*")))
        found[name] = b"".join(map(_unpacked, files))
    return found


def _unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return b"".join(_gunzipped(package.read(name)) for name in package.namelist())
    if data[:4] == b"PAR1":
        import pyarrow.parquet

        return str(pyarrow.parquet.read_table(path).to_pylist()).encode()
    return _gunzipped(data)


def _gunzipped(data: bytes) -> bytes:
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def test_before_the_commands_give_it(newskeep: Run, unremoved: Stage, tmp_path: Path) -> None:
    gave = [
        each for each in COMMANDS if b"secret" in (newskeep(*each, "--archive", str(unremoved.folder)).stdout).lower()
    ]
    assert len(gave) >= 8
    for name, data in exported(newskeep, unremoved.folder, tmp_path).items():
        assert b"paper.example/secret" in data and (WORD.encode() in data or name == "cdxj"), name


# Joined or not, what is purged is in no file: test_each_stage_is_sound_and_keeps_the_rest.
@pytest.mark.parametrize(
    "stage",
    [
        pytest.param(each, marks=() if each in ("hidden", "hidden, let go", "purged") else pytest.mark.exhaustive)
        for each in STAGES
    ],
    indirect=True,
)
def test_no_command_gives_it(newskeep: Run, stage: Stage, tmp_path: Path) -> None:
    for command in COMMANDS:
        done = newskeep(*command, "--archive", str(stage.folder))
        assert WORD.encode() not in done.stdout and b"/secret" not in done.stdout, command
        assert done.returncode == (6 if SECRET in command else done.returncode), (command, done.stdout, done.stderr)
        assert b"Traceback" not in done.stderr
    for name, data in exported(newskeep, stage.folder, tmp_path).items():
        # The redirect still says where it led.
        assert WORD.encode() not in data, name
        assert b"paper.example/secret" not in data and b")/secret" not in data, name
        assert b"/plain" in data, name


def test_each_stage_is_sound_and_keeps_the_rest(stage: Stage) -> None:
    with opened(stage.folder) as archive:
        # Files that others read have it until upkeep publishes the month again.
        is_published = "has something that is hidden now" in "".join(problems(archive))
        assert is_published == (stage.name == "hidden, let go") and len(problems(archive)) == is_published
        assert len(list(archive.captures(PLAIN))) == 2 and len(list(archive.captures(MOVED))) == 1
        assert [each.hide.url for each in in_force(archive.index.removals())] == [SECRET]
        with pytest.raises(NotArchived):
            archive.get(SECRET)
    if stage.is_purged:
        assert bytes_with(stage.folder, WORD) == []
        tombs = [record for record in records(stage.folder) if b"purged: " in record.block]
        assert {record.url for record in tombs} == {""} and len(tombs) == 3
        assert all(b"reason: a test\r\nby: tests\r\n" in record.block for record in tombs)
    else:
        assert bytes_with(stage.folder, WORD)


# Giving back, embargoes, versions


def test_what_is_hidden_is_given_back_as_it_was(archive: Archive) -> None:
    pages = fill(archive)
    decision = taken(archive, "https://www.paper.example/", "prefix")
    assert list(archive.captures("paper.example", match="host")) == []
    put(archive, decision.about("restore", "a mistake", "tests"))
    check(archive, pages)
    reindex(archive, ReindexOptions(fresh=True))
    check(archive, pages)
    assert problems(archive) == []


def test_an_embargo_ends_by_itself(archive: Archive) -> None:
    pages = fill(archive)
    now = datetime.now(UTC)
    taken(archive, pages[0].url, until=now + timedelta(days=1))
    with pytest.raises(NotArchived):
        archive.get(pages[0].url)
    taken(archive, pages[1].url, until=now - timedelta(seconds=1))
    assert archive.get(pages[1].url).response == pages[1].response


def test_one_version_goes_with_its_revisits_and_the_others_stay(archive: Archive) -> None:
    first, second = page(1), page(1, version=1)
    deliver(archive, 0, [first], revisit=True)
    deliver(archive, 1, [second])
    times = version_at(archive, first.url, first.moment + timedelta(minutes=50))
    assert times == (first.moment.replace(microsecond=0), first.moment.replace(microsecond=0) + timedelta(hours=1))
    taken(archive, first.url, times=times, for_good=True)
    assert [capture.timestamp for capture in archive.captures(first.url)] == [second.moment]
    assert archive.article(first.url).text == second.text
    assert purge(archive).captures == 2
    assert problems(archive) == [] and archive.get(first.url).response == second.response


def test_later_captures_are_shown_unless_told_otherwise(archive: Archive) -> None:
    later = page(1, version=2)
    for url, also_future in ((page(1).url, False), (page(2).url, True)):
        taken(archive, url, also_future=also_future)
    future = datetime.now(UTC) + timedelta(hours=1)
    deliver(archive, 3, [replace(later, moment=future), replace(page(2), moment=future)])
    assert [capture.url for capture in archive.captures("paper.example", match="host")] == [later.url]


def test_a_scheme_a_port_and_www_make_no_difference(archive: Archive) -> None:
    pages = fill(archive)
    for url in ("http://paper.example/0", "paper.example", "*.example", "https://www.paper.example/*"):
        address, match = target_of(url)
        found = {capture.url for capture in covered(archive, hide(address, match, "x", "x"))}
        assert found == ({pages[0].url} if match == "exact" else {one.url for one in pages}), url


# Purging


def test_other_records_stay_byte_for_byte_and_others_can_read_it(archive: Archive) -> None:
    pages = fill(archive)
    before = {record["WARC-Record-ID"]: record for record in records(archive.state)}
    taken(archive, pages[3].url, for_good=True)
    done = purge(archive)
    assert (done.captures, done.warcs, done.problems) == (2, 1, [])
    after = {record["WARC-Record-ID"]: record for record in records(archive.state)}
    changed = [record for name, record in after.items() if before[name].fields != record.fields]
    assert [record.type for record in changed] == ["metadata"] * 2
    # The two requests are gone; nothing else came or went.
    assert [before[name].type for name in before.keys() - after.keys()] == ["request"] * 2
    for path in (archive.state / "warc").rglob("*.gz"):
        with path.open("rb") as file:
            assert all(record.verify_block_digest() for record in ArchiveIterator(file, parse_http=False))
    check(archive, [one for one in pages if one is not pages[3]])
    assert problems(archive) == []
    assert purge(archive).warcs == 0


def test_the_body_of_what_stays_is_not_purged(archive: Archive) -> None:
    one = page(1)
    filename = make_stem(BEGIN, "0123456789ab", 0) + ".warc.gz"
    (archive.state / "made").mkdir(parents=True)
    parcel = Parcel(archive.state / "made" / filename)
    writer = WarcWriter(parcel.warc, filename, {"software": "another"})
    first = writer.append(Exchange(one.url, one.moment, REQUEST, one.response))
    assert first is not None
    # Another program refers to what it saw under another address.
    other = writer.append(Exchange(one.url + "/amp", one.moment, REQUEST, one.response), refers_to=first)
    assert other is not None
    writer.close()
    parcel.cdxj.write_bytes(b"".join(cdxj.lines([first, other])))
    parcel.text.write_bytes(b"")
    archive.deliver(parcel)
    decision = taken(archive, one.url)
    # While it is hidden, the other address has its page.
    assert archive.get(other.url).response == one.response
    put(archive, decision.about("purge", "x", "tests"))
    done = purge(archive)
    assert done.warcs == 0 and other.url in str(done.problems[0])
    taken(archive, other.url, for_good=True)
    assert purge(archive).captures == 2
    assert problems(archive) == []


def test_a_damaged_warc_is_named_and_stays_hidden(archive: Archive) -> None:
    pages = fill(archive, warcs=1)
    (path,) = (archive.state / "warc").rglob("*.gz")
    data = path.read_bytes()
    path.write_bytes(data[:600] + bytes([data[600] ^ 1]) + data[601:])
    taken(archive, pages[3].url, for_good=True)
    (problem,) = purge(archive).problems
    assert "not purged, only hidden" in problem.what
    with pytest.raises(NotArchived):
        archive.get(pages[3].url)
    assert any("run `newskeep remove --purge`" in line for line in problems(archive))


def test_what_comes_back_from_a_backup_is_hidden_told_and_purged_again(archive: Archive, tmp_path: Path) -> None:
    pages = fill(archive, warcs=1)
    backup = tmp_path / "backup"
    shutil.copytree(archive.state, backup)
    taken(archive, pages[3].url, for_good=True)
    purge(archive)
    for kind in ("warc", "cdxj", "text"):
        shutil.copytree(backup / kind, archive.state / kind, dirs_exist_ok=True)
    reindex(archive)
    with pytest.raises(NotArchived):
        archive.get(pages[3].url)
    assert any("to be purged and still there" in line for line in problems(archive))
    assert purge(archive).problems == []
    assert not any("to be purged" in line for line in problems(archive))


def test_the_sites_memory_forgets_it(archive: Archive) -> None:
    pages = fill(archive)
    articles = list(archive.articles())
    memories = SiteMemoryStore(archive.store, archive.state)
    memories.learn("paper.example", articles)
    number = len(memories.load("paper.example").stories)
    memories.forget([pages[3].url, "https://elsewhere.example/a"])
    memory = memories.load("paper.example")
    assert len(memory.stories) == number - 1
    others = [article for article in articles if article.url != pages[3].url]
    assert memory.stories == SiteMemory().learn(others).stories


# Killed

#: Calls of the store that change it: the plan, three parts, the record, three removals, the plan.
STEPS = 9


@pytest.mark.parametrize(
    "step", [pytest.param(step, marks=[] if step % 4 == 0 else pytest.mark.exhaustive) for step in range(STEPS)]
)
def test_killed_at_any_step_nothing_else_is_lost(
    archive: Archive, tmp_path: Path, step: int, warm_start: WarmStart
) -> None:
    pages = fill(archive, warcs=1)
    others = [one for one in pages if one is not pages[3]]
    taken(archive, pages[3].url, for_good=True)
    assert killed_at(warm_start, archive, "storage.removing.purge:purge", step, "behind" if step % 2 else "before") == 9
    check(archive, others)
    with Archive(LocalStore(archive.uri), tmp_path / "other") as other:
        reindex(other)
        check(other, others)
        with pytest.raises(NotArchived):
            other.get(pages[3].url)
    done = purge(archive)
    assert done.problems == []
    check(archive, others)
    assert problems(archive) == []
    assert bytes_with(archive.state, pages[3].text[:30]) == []


@pytest.mark.parametrize(
    "step", [pytest.param(step, marks=[] if step == 9 else pytest.mark.exhaustive) for step in range(13)]
)
def test_killed_at_any_step_nothing_of_it_stays_in_what_is_published(
    archive: Archive, step: int, warm_start: WarmStart
) -> None:
    pages = fill(archive, warcs=1)
    let_go(archive)
    taken(archive, pages[3].url, for_good=True)
    assert killed_at(warm_start, archive, "storage.removing.purge:purge", step, "behind" if step % 2 else "before") == 9
    assert purge(archive).problems == []
    check(archive, [one for one in pages if one is not pages[3]])
    assert problems(archive) == []
    assert bytes_with(archive.state, pages[3].text[:30]) == []


# The command


def test_it_asks_first_and_says_what_it_is_about(newskeep: Run, archive: Archive) -> None:
    pages = fill(archive)
    there = ("--archive", archive.uri)
    dry = newskeep("remove", pages[3].url, "--reason", "x", "--dry-run", *there)
    assert dry.returncode == 0 and dry.stdout.count(b"paper.example/3") == 2 and b"nothing was changed" in dry.stderr
    alone = newskeep("remove", pages[3].url, "--reason", "x", *there)
    assert alone.returncode == 2 and b"--yes" in alone.stderr
    assert archive.get(pages[3].url).response == pages[3].response
    done = newskeep("remove", pages[3].url, "--reason", "x", "--by", "A. Judge", "--yes", "--json", *there)
    (decision,) = json.loads(done.stdout)["removals"]
    assert (decision["reason"], decision["by"], decision["match"]) == ("x", "A. Judge", "exact")
    (line,) = newskeep("remove", "--list", "--json", *there).stdout.splitlines()
    assert json.loads(line)["state"] == "hidden"
    assert newskeep("remove", decision["id"], "--undo", "--yes", *there).returncode == 0
    assert newskeep("remove", "--list", *there).stdout == b""
    assert archive.get(pages[3].url).response == pages[3].response


def test_a_purge_by_its_address_alone(newskeep: Run, archive: Archive) -> None:
    pages = fill(archive)
    there = ("--archive", archive.uri)
    assert newskeep("remove", pages[3].url, "--reason", "a court", "--yes", *there).returncode == 0
    done = newskeep("remove", pages[3].url, "--purge", "--yes", *there)
    assert done.returncode == 0 and b"2 captures purged from 1 WARC" in done.stderr
    assert newskeep("remove", pages[3].url, "--undo", "--yes", *there).returncode == 2
    assert newskeep("remove", "--purge", *there).returncode == 0
    assert newskeep("verify", "--deep", *there).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, b"what is to be removed"),
        (("https://www.paper.example/0", "--yes"), 2, b"--reason is missing"),
        (("https://www.paper.example/0", "--reason", " "), 2, b"--reason is empty"),
        (("https://www.paper.example/*", "--at", "2026", "--reason", "x"), 2, b"--at is about one version"),
        (("https://www.paper.example/0", "--reason", "x", "--until", "2020"), 2, b"is past"),
        (("https://www.paper.example/0", "--purge", "--until", "2030"), 2, b"embargo"),
        (("https://www.paper.example/0", "--purge", "--undo"), 2, b"one at a time"),
        (("https://www.paper.example/0", "--list"), 2, b"takes no URL"),
        (("https://www.paper.example/none", "--reason", "x", "--yes"), 6, b"nothing of"),
        (("https://www.paper.example/none", "--undo"), 6, b"nothing is hidden under"),
        (("ftp://paper.example/", "--reason", "x"), 2, b"http"),
        (("*", "--reason", "x", "--yes"), 2, b""),
        (("https://*", "--reason", "x", "--yes"), 2, b""),
    ],
)
def test_what_is_wrong_is_one_line(
    newskeep: Run, archive: Archive, arguments: tuple[str, ...], code: int, said: bytes
) -> None:
    fill(archive, warcs=1)
    done = newskeep("remove", *arguments, "--archive", archive.uri)
    assert done.returncode == code, done.stderr
    assert said in done.stderr and done.stderr.count(b"\n") <= 2 and b"Traceback" not in done.stderr
    assert archive.index.removals() == []


# A bucket


def test_a_purge_in_a_bucket_says_where_older_versions_are_kept(
    moto_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(moto_server, monkeypatch)
    client, bucket = moto_server.client(), "with-versions"
    client.create_bucket(Bucket=bucket)
    with Archive(S3Store(f"s3://{bucket}/removed"), tmp_path / "state") as archive:
        archive.state.mkdir()
        pages = fill(archive, warcs=1)
        assert archive.store.keeps_deleted() is False
        taken(archive, pages[3].url, for_good=True)
        assert purge(archive).captures == 2
        check(archive, pages[:3])
        assert problems(archive) == []
        for status in ("Enabled", "Suspended"):
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
            assert archive.store.keeps_deleted() is True

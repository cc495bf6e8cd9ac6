"""Months of the index published and let go: every answer stays the same, whatever is done to the archive meanwhile."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dying_store import killed_at
from filled_archive import BEGIN, deliver, fill, page
from published_archive import APRIL, MARCH, ONE, answers, everywhere, let_go, over_both, over_one, published, sound
from s3_server import BUCKET, S3Server, use
from warm_start import WarmStart

from crawler.config import Config
from newskeep.status.collect import as_json, status_of
from storage import open_archive
from storage.archive import Archive
from storage.compaction.run import CompactOptions, compact
from storage.errors import AlreadyRunning, NotArchived, StoreUnavailable, UsageError
from storage.index import SharedIndex
from storage.maintenance.reindex import ReindexOptions, reindex
from storage.objects.local import LocalStore
from storage.published import whole
from storage.published.cluster import BLOCK_LINES
from storage.published.manifest import is_manifest, newest
from storage.published.month import Month
from storage.publishing.cluster_writer import ClusterWriter
from storage.publishing.publish import PublishOptions, manifests, publish
from storage.publishing.release import release
from storage.publishing.sorting import sorted_lines
from storage.removals import hide, in_force
from storage.removing.hide import put as decide
from storage.removing.purge import purge
from storage.warc import key_of

pytest_plugins = ["postgres", "published_archive", "s3_server"]


@over_both
def test_every_answer_is_the_same_from_what_is_published(two_months: Archive) -> None:
    before = answers(two_months)
    assert let_go(two_months) == 18
    assert list(two_months.index.in_database().all_captures()) == []
    assert answers(two_months) == before
    assert sound(two_months) == []
    # As is what a compaction, and a reextract, enter anew beside it.
    reindex(two_months)
    assert answers(two_months) == before


@over_one
def test_status_says_what_it_does_not_count(two_months: Archive) -> None:
    config, now = Config(archive=two_months.uri), BEGIN + timedelta(days=90)
    before = status_of(two_months, config, now)
    assert (before.left_out, before.holdings.total.captures) == (None, 18)
    let_go(two_months)
    after = status_of(two_months, config, now)
    assert after.left_out == "captures of 2 months that the index has let go are not counted: 2026-03 to 2026-04"
    assert as_json(after)["released"] == ["2026-03", "2026-04"]
    assert (after.holdings.total.captures, after.holdings.total.articles) == (0, before.holdings.total.articles)


@over_both
def test_a_month_may_go_while_somebody_reads(two_months: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "BATCH", 2)
    before = list(two_months.index.all_captures())
    reading = two_months.index.all_captures()
    told = [next(reading) for _ in range(3)]
    assert let_go(two_months) == 18
    assert [*told, *reading] == before


@over_both
def test_what_comes_back_into_the_database_is_told_once(two_months: Archive) -> None:
    before = answers(two_months)
    let_go(two_months)
    text = two_months.state / "made" / "again"
    for entry in list(two_months.index.warcs()):
        with two_months.store.open(entry.parts[0]) as stream:
            text.write_bytes(stream.read())
        with two_months.store.open(key_of(entry.filename, "cdxj")) as stream:
            two_months.replace_text(entry.filename, text, list(stream))
    assert len(list(two_months.index.in_database().all_captures())) == 18
    assert answers(two_months) == before
    assert sound(two_months) == []
    assert let_go(two_months) == 18


@over_one
def test_compaction_moves_what_was_let_go(two_months: Archive) -> None:
    pages = [page(number) for number in range(12)]
    before = answers(two_months)["all"]
    let_go(two_months)
    compact(two_months, CompactOptions(min_age=timedelta(0)))
    moved = list(two_months.index.all_captures())
    assert [(one.url, one.timestamp, one.digest) for one in moved] == [
        (one.url, one.timestamp, one.digest) for one in before
    ]
    for one in pages:
        assert two_months.get(one.url, one.moment).response == one.response
    # By the compaction itself.
    assert newest(two_months.store) == {MARCH: 2, APRIL: 1}
    assert sound(two_months) == []
    assert list(two_months.index.all_captures()) == moved
    # What the compaction entered may go again.
    assert let_go(two_months) == 15
    assert list(two_months.index.all_captures()) == moved


@over_one
def test_only_what_has_changed_is_published_again(two_months: Archive) -> None:
    assert published(two_months) == [("2026-03", True), ("2026-04", True)]
    assert published(two_months) == [("2026-03", False), ("2026-04", False)]
    # Into an old month, by a later import or a spool that waited.
    deliver(two_months, 10, [page(100, 41)], "00000000ffff")
    assert published(two_months) == [("2026-03", False), ("2026-04", True)]
    assert newest(two_months.store) == {MARCH: 1, APRIL: 2}
    assert not [info.key for info in two_months.store.list("index/") if "/2026-04/000001" in info.key]
    assert published(two_months, months=(MARCH,), again=True) == [("2026-03", True)]
    next((Path(two_months.uri) / "index").rglob("cdx-*.gz")).unlink()
    assert True in dict(published(two_months)).values()
    assert sound(two_months) == []


@over_both
def test_what_is_hidden_lies_apart_and_what_is_purged_goes(two_months: Archive) -> None:
    let_go(two_months)
    plain = answers(two_months)
    assert everywhere(two_months) == {"cdx", "table"}
    decide(two_months, hide(ONE, "exact", "asked for", "who"))
    hidden = answers(two_months)
    assert not [one for one in hidden["all"] if one.url == ONE] and hidden["hidden"] == plain["hidden"]
    (filename,) = {one.filename for one in plain["all"] if one.url == ONE and Month.of(one.timestamp) == MARCH}
    assert [one.url for one in two_months.index.hidden_in(filename, 1 << 40)] == [ONE]
    assert "it has something that is hidden now; run `newskeep index publish`" in {
        each.what for each in sound(two_months)
    }
    # Not for those who read the files either, from the next time on.
    assert published(two_months) == [("2026-03", True), ("2026-04", True)]
    assert everywhere(two_months) == {"withheld"}
    assert answers(two_months) == hidden and sound(two_months) == []
    # Given back, it is there at once, and for the others the next time.
    (hiding,) = in_force(two_months.index.removals())
    decide(two_months, hiding.hide.about("restore", "a mistake", "who"))
    assert answers(two_months) == plain
    assert published(two_months) == [("2026-03", True), ("2026-04", True)]
    assert answers(two_months) == plain and sound(two_months) == []
    # Purged, it is in none of the files any more, and a third page is as it was.
    decide(two_months, again := hide(ONE, "exact", "asked for", "who"))
    decide(two_months, again.about("purge", "asked for", "who"))
    assert purge(two_months).problems == []
    assert everywhere(two_months) == set()
    assert not [one for one in two_months.index.with_hidden.all_captures() if one.url == ONE]
    assert sound(two_months) == []
    assert two_months.get("https://www.paper.example/3").response == page(3).response


@over_one
def test_marked_rows_stay_since_warcs_are_served_by_them(archive: Archive) -> None:
    marked = page(5)
    head, _, body = marked.response.partition(b"\r\n\r\n")
    response = head + b"\r\nX-Robots-Tag: noarchive\r\n\r\n" + body
    name = deliver(archive, 0, [page(4), replace(marked, response=response)])
    reindex(archive, ReindexOptions(from_warcs=True, mend=True))
    (capture,) = archive.index.captures(marked.url)
    assert let_go(archive) == 1
    assert archive.index.has_ended(name, capture.offset, capture.offset + 1, capture.timestamp)
    assert [one.shown_until is None for one in archive.index.all_captures()] == [True, False]
    assert duckdb.execute(
        f"select noarchive from '{archive.uri}/index/table/**/*.parquet' order by url"
    ).fetchall() == [
        (False,),
        (True,),
    ]
    assert sound(archive) == []


@over_both
def test_a_row_that_came_late_stays_beside_what_is_published(two_months: Archive) -> None:
    found = [each.manifest for each in publish(two_months)]
    deliver(two_months, 10, [page(100)], "00000000ffff")
    before = answers(two_months)
    done = release(two_months, found[0])
    assert (done.left, done.late, done.unanswered) == (15, 1, 0)
    assert [each.month for each in two_months.index.released()] == [MARCH]
    assert answers(two_months) == before
    assert [one.url for one in two_months.index.in_database().all_captures(until=MARCH.end)] == [page(100).url]
    # With the next run it goes as well.
    assert let_go(two_months) == 4
    assert answers(two_months) == before and sound(two_months) == []


@over_both
def test_a_row_that_is_published_otherwise_keeps_its_month(two_months: Archive) -> None:
    filename = next(two_months.index.warcs()).filename
    key = key_of(filename, "cdxj")
    with two_months.store.open(key) as stream:
        lines = stream.read()
    # As of a CDXJ that was made again and is not in the index yet.
    two_months.store.replace(key, lines.replace(b'"status": "200"', b'"status": "404"'))
    manifest = next(iter(publish(two_months, PublishOptions((MARCH,))))).manifest
    done = release(two_months, manifest)
    assert done.left == 0 and done.unanswered > 0 and done.example is not None and done.example.filename == filename
    assert two_months.index.released() == []


def test_another_machine_reads_on_when_a_month_is_published_again(two_months: Archive, tmp_path: Path) -> None:
    let_go(two_months)
    with Archive(LocalStore(two_months.uri), tmp_path / "machine") as other:
        reindex(other)
        let_go(other)
        before = answers(other)
        assert published(two_months, months=(MARCH,), again=True) == [("2026-03", True)]
        assert answers(other) == before


def test_a_look_up_in_a_bucket_is_a_range_a_month(
    moto_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(moto_server, monkeypatch)
    uri = f"s3://{BUCKET}/published"
    with open_archive(uri, tmp_path / "state") as archive:
        fill(archive)
        deliver(archive, 9, [page(1, 40), page(2, 40)], revisit=True)
        before = list(archive.index.all_captures())
        assert let_go(archive) == 18
        assert sound(archive) == []
    # Another process: what is small lies beside the index.
    with open_archive(uri, tmp_path / "state") as archive:
        asked = archive.store.traffic.requests
        assert archive.index.closest(ONE, BEGIN) == before[1]
        assert archive.store.traffic.requests - asked == 1
        assert list(archive.index.captures(ONE)) == [one for one in before if one.url == ONE]
        assert archive.store.traffic.requests - asked == 2
        # A copy that is damaged is none.
        kept = [path for path in (tmp_path / "state" / "published").rglob("*") if path.is_file()]
        assert {path.name for path in kept} == {"manifest.json", "cdx.idx"}
        for path in kept:
            path.write_bytes(b"x")
    with open_archive(uri, tmp_path / "state") as archive:
        assert list(archive.index.all_captures()) == before


def test_of_two_who_publish_at_once_one_is_late(two_months: Archive, tmp_path: Path) -> None:
    published(two_months)

    class Slow(LocalStore):
        """The store of a machine that the other overtakes when it has written its files."""

        def put(self, key: str, source: Path | bytes) -> None:
            if is_manifest(key):
                assert published(two_months, months=(MARCH,), again=True) == [("2026-03", True)]
            super().put(key, source)

    with Archive(Slow(two_months.uri), tmp_path / "slow") as slow:
        with pytest.raises(AlreadyRunning, match="by another machine"):
            list(publish(slow, PublishOptions((MARCH,), again=True)))
        assert newest(slow.store)[MARCH] == 2
    assert sound(two_months) == []


@over_one
def test_damage_is_one_line_and_is_made_good(two_months: Archive) -> None:
    let_go(two_months)
    before = answers(two_months)
    shard = next((Path(two_months.uri) / "index/cdx/2026-03").rglob("cdx-*.gz"))
    data = bytearray(shard.read_bytes())
    data[40] ^= 0xFF
    shard.write_bytes(data)
    assert "its SHA-256 is not that of what was put" in str(sound(two_months)[0])
    assert dict(published(two_months, months=(MARCH,), again=True)) == {"2026-03": True}
    assert answers(two_months) == before
    # Nothing of it left at all: the CDXJ files still have every capture.
    for path in sorted((Path(two_months.uri) / "index").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    place = two_months.index_place
    shared = place.address if isinstance(place, SharedIndex) else None
    with Archive(LocalStore(two_months.uri), two_months.state, shared) as opened:
        with pytest.raises(StoreUnavailable, match="index publish --month 2026-0"):
            list(opened.index.all_captures())
        assert any("reindex --fresh" in each.what for each in sound(opened))
    reindex(two_months, ReindexOptions(fresh=True))
    assert answers(two_months)["all"] == before["all"]


# What each put and delete leaves: the shard first, the manifest seventh or so, what it takes the place of behind it.
@pytest.mark.parametrize(
    "step", [pytest.param(step, marks=[] if step in (1, 5) else pytest.mark.exhaustive) for step in range(8)]
)
def test_a_run_that_is_killed_changes_nothing(two_months: Archive, step: int, warm_start: WarmStart) -> None:
    published(two_months)
    deliver(two_months, 10, [page(100)], "00000000ffff")
    counted = manifests(two_months)
    if killed_at(warm_start, two_months, "publishing_of_all:publish_all", step, "before") != 9:
        pytest.fail("there are fewer steps")
    now = manifests(two_months)
    assert now[APRIL] == counted[APRIL] and now[MARCH].generation in (1, 2)
    files = {file.key for manifest in now.values() for file in manifest.files}
    assert files <= {info.key for info in two_months.store.list("index/")}
    published(two_months, again=True)
    assert sound(two_months) == []
    assert all(
        Path(two_months.uri, file.key).exists() for each in manifests(two_months).values() for file in each.files
    )


def test_months_that_are_wrong(two_months: Archive) -> None:
    for wrong in ("2026-13", "2026", "march", "26-03", ""):
        with pytest.raises(UsageError, match="is no month"):
            Month.parse(wrong)
    with pytest.raises(UsageError, match="is not over"):
        list(publish(two_months, PublishOptions((MARCH,), now=datetime(2026, 3, 31, 23, tzinfo=UTC))))
    with pytest.raises(NotArchived, match="nothing of 2019-01"):
        list(publish(two_months, PublishOptions((Month(2019, 1),))))
    assert published(two_months, now=datetime(2026, 4, 1, tzinfo=UTC)) == [("2026-03", True)]
    with two_months.upkeep(), pytest.raises(AlreadyRunning):
        list(publish(two_months))


def test_the_command(two_months: Archive, newskeep: Any) -> None:
    there = ("--archive", two_months.uri)
    done = newskeep("index", "publish", "--release", "--json", *there)
    assert done.returncode == 0, done.stderr
    *months, told = map(json.loads, done.stdout.splitlines())
    assert [(each["month"], each["captures"], each["let_go"]) for each in months] == [
        ("2026-03", 15, 15),
        ("2026-04", 3, 3),
    ]
    assert (told["published"], told["let_go"], told["problems"]) == (2, 18, 0)
    listed = [json.loads(line) for line in newskeep("index", "list", "--json", *there).stdout.splitlines()]
    assert [(each["month"], each["released"]) for each in listed] == [("2026-03", True), ("2026-04", True)]
    assert {file["key"] for each in listed for file in each["files"]} <= {
        info.key for info in two_months.store.list("index/")
    }
    assert newskeep("get", ONE, "--at", "20260301", *there).stdout == page(1).response.partition(b"\r\n\r\n")[2]
    assert newskeep("captures", ONE, *there).stdout.count(b"\n") == 2
    bad = newskeep("index", "publish", "--month", "2999-01", *there)
    assert (bad.returncode, bad.stderr.count(b"\n")) == (2, 1), bad.stderr


def test_what_has_no_month_that_is_over_says_so(archive: Archive, newskeep: Any) -> None:
    deliver(archive, 0, [replace(page(1), moment=datetime.now(UTC) + timedelta(days=40))])
    done = newskeep("index", "publish", "--archive", archive.uri)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"nothing to publish: no month that is over (UTC) has captures" in done.stderr


def test_blocks_shards_and_the_index_of_a_cluster(tmp_path: Path) -> None:
    put: dict[str, bytes] = {}
    writer = ClusterWriter(
        tmp_path / "made", lambda name, path: put.__setitem__(name, path.read_bytes()), shard_bytes=1
    )
    lines = [
        b'org,example)/%06d 20260301000000 {"n": "%d"}\n' % (number, number) for number in range(2 * BLOCK_LINES + 5)
    ]
    for line in lines:
        writer.add(line)
    writer.close()
    assert list(put) == ["cdx-00000.gz", "cdx-00001.gz", "cdx-00002.gz", "cluster.loc", "cluster.idx"]
    assert b"".join(gzip.decompress(put[name]) for name in list(put)[:3]) == b"".join(lines)
    fields = [line.split(b"\t") for line in put["cluster.idx"].splitlines()]
    assert [each[0] for each in fields] == [b"org,example)/%06d 20260301000000" % n for n in (0, 3000, 6000)]
    assert [(each[1], each[2], int(each[3]), each[4]) for each in fields] == [
        (b"cdx-%05d.gz" % number, b"0", len(put[f"cdx-{number:05}.gz"]), b"%d" % (number + 1)) for number in range(3)
    ]
    assert list((tmp_path / "made").iterdir()) == []


def test_more_lines_than_memory_are_sorted(tmp_path: Path) -> None:
    lines = [b"%d\n" % (number * 7919 % 100_003) for number in range(3_000)]
    assert list(sorted_lines(lines, tmp_path, run_bytes=64)) == sorted(lines)
    assert list(tmp_path.iterdir()) == []
    assert list(sorted_lines([], tmp_path)) == []


def test_duckdb_counts_what_is_held(two_months: Archive) -> None:
    published(two_months)
    table = f"read_parquet('{two_months.uri}/index/table/**/*.parquet', hive_partitioning = true)"
    assert duckdb.execute(f"select crawl, subset, count(*) from {table} group by all order by all").fetchall() == [
        ("2026-03", "warc", 15),
        ("2026-04", "warc", 3),
    ]
    (found,) = duckdb.execute(
        f"select url, warc_filename, warc_record_offset, warc_record_length, url_host_name_reversed, warc_segment "
        f"from {table} where url_surtkey = 'example,paper)/1' and crawl = '2026-03'"
    ).fetchall()
    url, filename, offset, length, host, segment = found
    with two_months.store.open(filename, offset, length) as stream:
        assert page(1).response in gzip.decompress(stream.read())
    assert (url, host, segment) == (ONE, "example.paper.www", "2026-03-01")
    keys = duckdb.execute(f"select url_surtkey from {table} where crawl = '2026-03'").fetchall()
    assert keys == sorted(keys)


def test_hosts_are_taken_apart_as_common_crawl_does() -> None:
    from storage.publishing.table import row, subset_of

    capture = page_capture("https://News.bbc.co.uk:8443/a/b?x=1")
    made = row(capture)
    assert {name: made[name] for name in made if name.startswith("url_")} == {
        "url_host_name": "news.bbc.co.uk",
        "url_host_tld": "uk",
        "url_host_2nd_last_part": "co",
        "url_host_3rd_last_part": "bbc",
        "url_host_4th_last_part": "news",
        "url_host_name_reversed": "uk.co.bbc.news",
        "url_host_registry_suffix": "co.uk",
        "url_host_registered_domain": "bbc.co.uk",
        "url_host_private_suffix": "co.uk",
        "url_host_private_domain": "bbc.co.uk",
        "url_protocol": "https",
        "url_port": 8443,
        "url_path": "/a/b",
        "url_query": "x=1",
    }
    assert row(page_capture("http://myblog.blogspot.com/"))["url_host_private_domain"] == "myblog.blogspot.com"
    assert row(page_capture("http://192.0.2.1/"))["url_host_name"] == "192.0.2.1"
    assert "url_host_tld" not in row(page_capture("http://[2001:db8::1]:80/"))
    assert subset_of(page_capture("http://a.example/robots.txt")) == "robotstxt"
    assert subset_of(page_capture("http://a.example/", 404)) == "crawldiagnostics"
    assert subset_of(page_capture("http://a.example/", None)) == "crawldiagnostics"


def page_capture(url: str, status: int | None = 200) -> Any:
    from storage.model import Capture

    return Capture(url, BEGIN, status, "text/html", None, "newskeep-20260301060000250-0123456789ab-00000.warc.gz", 0, 9)

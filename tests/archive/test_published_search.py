"""Texts published and let go: every answer of search stays the same, whatever is done to the archive meanwhile."""

from __future__ import annotations

import json
import random
import re
import shutil
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from dying_store import killed_at
from filled_archive import BEGIN, Page, deliver, folder_archive, page
from published_archive import APRIL, MARCH, over_both, sound
from s3_server import BUCKET, S3Server, use
from warm_start import WarmStart

import storage.published
from crawler.config import Config
from newskeep.doctor import archive as doctor
from storage import open_archive
from storage.annotating.annotate import put as say
from storage.annotations import tagged
from storage.archive import Archive
from storage.articles import read_part, to_line, write_line
from storage.compaction.run import CompactOptions, compact
from storage.errors import ConfigError, StoreUnavailable
from storage.index import ORDERS, Filters, Hit, text_search
from storage.index.query_parser import SearchQuery
from storage.maintenance.copy import copy
from storage.maintenance.reindex import ReindexOptions, reindex
from storage.objects.local import LocalStore
from storage.problems import Problem
from storage.published import search
from storage.published.manifest import newest
from storage.publishing import release_texts as release_texts_module
from storage.publishing import texts_writer
from storage.publishing.publish import PublishOptions, manifests, publish
from storage.publishing.release_texts import TextsReleased, release_texts
from storage.removals import hide, in_force
from storage.removing.hide import put as decide
from storage.removing.purge import purge

pytest_plugins = ["postgres", "published_archive", "s3_server"]

_WORDS = ("bridge", "tunnel", "minister", "budget", "river", "Ærø", "monday", "opens", "東京タワー")
QUERIES = (
    "bridge",
    "bridge minister",
    '"opens monday"',
    "bridge OR tunnel",
    "bridge -budget",
    "NOT bridge",
    "bri*",
    "aero",
    "京タ",
    "absent",
    "title",
    "site:paper.example river",
    "site:elsewhere.example",
    "language:en tunnel",
    "tag:one",
    "tag:all bridge",
    "bridge -tag:one",
)
FEW = ("bridge", '"opens monday"', "title", "tag:all bridge")
ADDRESSES = 25
SECRET = "https://paper.example/s/3"


def story(number: int, rnd: random.Random) -> Page:
    """Some in one second, some of one URL again, on two sites and in two months."""
    site = "paper.example" if rnd.random() < 0.7 else "elsewhere.example"
    # No address twice in one second.
    after = rnd.choice((0, 0, 60, 3_600, 86_400, 40 * 86_400)) + number // ADDRESSES
    moment = BEGIN + timedelta(seconds=after, minutes=number % 7)
    text = " ".join(rnd.choices(_WORDS, k=rnd.randrange(3, 30)))
    body = f"<html><p>{text}</p></html>".encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body)
    return Page(f"https://{site}/s/{number % ADDRESSES}", moment, head + body, text)


@pytest.fixture
def stories(archive: Archive, told: Path) -> Archive:
    """60 articles at 25 addresses in 6 WARCs; one address has a tag of its own, one site another."""
    if archive.has_index:
        return tell(archive)
    shutil.copytree(told, archive.state)
    return archive


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of such an archive: made once, it is copied for each test."""
    folder = tmp_path_factory.mktemp("stories") / "archive"
    for archive in folder_archive(folder):
        tell(archive)
    return folder


def tell(archive: Archive) -> Archive:
    rnd = random.Random(7)
    made = [story(number, rnd) for number in range(60)]
    for serial in range(6):
        deliver(archive, serial, made[serial::6])
    say(archive, tagged("https://paper.example/s/4", "exact", "who", add=["one"]))
    say(archive, tagged("paper.example", "host", "who", add=["all"]))
    return archive


def searches(archive: Archive, queries: Sequence[str] = FEW, limit: int = 25) -> dict[str, Any]:
    """What search answers to everything that can be asked of some words, page by page too, each of `limit` hits."""
    index = archive.index
    found: dict[str, Any] = {}
    for text in queries:
        wanted = SearchQuery.parse(text)
        found[f"{text} total"] = index.total(wanted)
        in_order = list(index.search(wanted))
        found[f"{text} date"] = sorted(map(_shown, in_order))
        for order in set(ORDERS) - {"date"}:
            found[f"{text} {order}"] = sorted(map(_shown, index.search(wanted, order=order)))
        assert [one.article.timestamp for one in in_order] == sorted(
            (one.article.timestamp for one in in_order), reverse=True
        )
        pages, last = list[Hit](), None
        while some := list(index.search(wanted, before=last, limit=limit)):
            pages += some
            last = some[-1].key
        assert [_shown(one) for one in pages] == [_shown(one) for one in in_order], text
    bridge = SearchQuery.parse("bridge")
    middle = BEGIN + timedelta(days=1)
    for filters in (Filters(since=middle), Filters(until=middle), Filters(site="paper.example", tag="all")):
        found[str(filters)] = [sorted(map(_shown, index.search(bridge, filters))), index.total(bridge, filters)]
    matches = ((one, index.match(one, bridge)) for one in index.articles(limit=6))
    found["match"] = sorted((one.url, str(one.timestamp), hit and _shown(hit)) for one, hit in matches)
    found["best"] = [one.article.url for one in index.search(bridge, order="relevance", limit=1)]
    found["unsearched"] = index.unsearched()
    return found


def _shown(hit: Hit) -> tuple[str, str, str, str, Any]:
    return hit.article.url, str(hit.article.timestamp), hit.snippet, hit.article.part, hit.marks


def publish_texts(archive: Archive, **options: Any) -> list[tuple[str, bool]]:
    problems: list[Problem] = []
    found = publish(archive, PublishOptions(search=True, table=False, **options), on_problem=problems.append)
    done = [(str(each.manifest.month), each.is_new) for each in found]
    assert problems == []
    return done


def let_texts_go(archive: Archive) -> int:
    publish_texts(archive)
    return sum(release_texts(archive, manifest).left for manifest in manifests(archive).values())


def in_database(archive: Archive) -> int:
    """How many texts the database has."""
    return sum(each.has_text for each in archive.index.documents(-(1 << 40), 1 << 40))


@pytest.mark.parametrize("most", [pytest.param(texts_writer.FILE_DOCUMENTS, marks=pytest.mark.exhaustive), 7])
@over_both
def test_every_answer_is_the_same_from_what_is_published(
    stories: Archive, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = QUERIES if stories.shared_index is None else QUERIES[::6]
    before = searches(stories, queries, limit=5)
    assert before["bridge total"].count > 10
    monkeypatch.setattr(texts_writer.TextsWriter.__init__, "__kwdefaults__", {"file_documents": most})
    assert let_texts_go(stories) == 60
    files = [each for manifest in manifests(stories).values() for each in manifest.texts or ()]
    assert len(files) == (2 if most > 60 else 9) and sum(each.documents for each in files) == 60
    assert in_database(stories) == 0
    # FTS5 has no word of them, and a whole index.
    assert not list(text_search.TextSearch.search(stories.index.in_database(), SearchQuery.parse("bridge")))
    assert searches(stories, queries, limit=5) == before


def test_upkeep_leaves_texts_where_they_are(stories: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    before = searches(stories)
    let_texts_go(stories)
    stories.index.scrub()
    assert sound(stories) == []
    # Where many articles have a tag, it is asked of what has the words.
    monkeypatch.setattr(search, "_TAGGED", 0)
    assert searches(stories) == before
    reindex(stories)
    assert searches(stories) == before and in_database(stories) == 0
    reindex(stories, ReindexOptions(fresh=True))
    assert searches(stories) == before and in_database(stories) == 60


def test_what_comes_later_is_found_beside_it_and_goes_with_the_next_run(stories: Archive) -> None:
    let_texts_go(stories)
    before = searches(stories)
    deliver(stories, 10, [page(3), page(4, 40)], "00000000ffff")
    late = searches(stories)
    assert late["title total"].count == before["title total"].count + 2 and in_database(stories) == 2
    assert let_texts_go(stories) == 2
    assert newest(stories.store) == {MARCH: 2, APRIL: 2}
    assert searches(stories) == late and sound(stories) == []


def test_compaction_keeps_texts_where_they_are(stories: Archive) -> None:
    let_texts_go(stories)
    before = searches(stories)
    compact(stories, CompactOptions(min_age=timedelta(0)))
    assert in_database(stories) == 0
    # They are in another WARC.
    assert in_any_part(searches(stories)) == in_any_part(before)
    assert sound(stories) == []


def in_any_part(found: dict[str, Any]) -> dict[str, Any]:
    """The same answers, whichever WARC has what they show."""
    return {key: re.sub(r"text/[^']*", "", str(answer)) for key, answer in found.items()}


def test_a_text_that_was_made_anew_counts_and_its_old_one_no_more(stories: Archive) -> None:
    let_texts_go(stories)
    entry = next(iter(stories.index.warcs()))
    part = Path(stories.uri, entry.parts[0])
    part.write_bytes(_rewritten(part.read_bytes(), "minister", "chairwoman"))
    reindex(stories)
    assert in_database(stories) > 0
    now = searches(stories)
    chair = {one.article.part for one in stories.index.search(SearchQuery.parse("chairwoman"))}
    assert chair == {entry.parts[0]}
    assert all(one.article.part not in chair for one in stories.index.search(SearchQuery.parse("minister")))
    assert "its WARCs have changed" in str(sound(stories))
    let_texts_go(stories)
    assert in_database(stories) == 0 and searches(stories) == now and sound(stories) == []


def _rewritten(part: bytes, old: str, new: str) -> bytes:
    """A text part with other words."""
    out = BytesIO()
    for placed in read_part(BytesIO(part)):
        write_line(out, to_line(placed.article).replace(old.encode(), new.encode()), placed.article.url)
    return out.getvalue()


def test_what_is_hidden_lies_apart_and_what_is_purged_goes(stories: Archive) -> None:
    let_texts_go(stories)
    plain = searches(stories)
    assert words_of(stories) == {"texts"}
    decide(stories, hide(SECRET, "exact", "asked for", "who"))
    hidden = searches(stories)
    assert SECRET in str(plain) and SECRET not in str(hidden)
    publish_texts(stories)
    assert words_of(stories) == {"withheld"}
    assert searches(stories) == hidden and sound(stories) == []
    (hiding,) = in_force(stories.index.removals())
    decide(stories, hiding.hide.about("restore", "a mistake", "who"))
    assert searches(stories) == plain
    publish_texts(stories)
    assert searches(stories) == plain and words_of(stories) == {"texts"}
    decide(stories, again := hide(SECRET, "exact", "asked for", "who"))
    decide(stories, again.about("purge", "asked for", "who"))
    assert purge(stories).problems == []
    assert words_of(stories) == set()
    assert in_any_part(searches(stories)) == in_any_part(hidden) and sound(stories) == []


def words_of(archive: Archive) -> set[str]:
    """The folders of what is published that have the address `SECRET` among their documents."""
    found = set()
    for path in (Path(archive.uri) / "index").rglob("*.sqlite"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as opened:
            if opened.execute("SELECT count(*) FROM documents WHERE surt = 'example,paper)/s/3'").fetchone()[0]:
                found.add(path.relative_to(archive.uri).parts[1])
    return found


def test_a_release_that_is_stopped_goes_on(stories: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    before = searches(stories)
    publish_texts(stories)
    monkeypatch.setattr(release_texts_module, "_BATCH", 10)

    def stop(done: TextsReleased) -> None:
        if done.left == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        release_texts(stories, manifests(stories)[MARCH], stop)
    assert in_database(stories) == 40
    assert searches(stories) == before and sound(stories) == []
    # What has another text by now keeps it.
    first = next(each for each in stories.index.documents(-(1 << 40), 1 << 40) if each.has_text)
    assert stories.index.let_texts_go([first._replace(digest="00" * 12)]) == 0
    assert let_texts_go(stories) == 40
    assert searches(stories) == before


@over_both
def test_a_month_may_go_while_somebody_searches(stories: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_search, "FEW", 1)
    monkeypatch.setattr(text_search, "BATCH", 3)
    wanted = SearchQuery.parse("bridge")
    before = [_shown(one) for one in stories.index.search(wanted)]
    reading = stories.index.search(wanted)
    told = [_shown(one) for one in islice(reading, 5)]
    publish_texts(stories)
    halves = [release_texts(stories, manifest) for manifest in manifests(stories).values()]
    assert sum(each.left for each in halves) == 60
    assert sorted([*told, *map(_shown, reading)]) == sorted(before)


def test_another_machine_searches_on_when_a_month_is_published_again(stories: Archive, tmp_path: Path) -> None:
    let_texts_go(stories)
    with Archive(LocalStore(stories.uri), tmp_path / "machine") as other:
        reindex(other)
        let_texts_go(other)
        before = searches(other)
        reading = other.index.search(SearchQuery.parse("bridge"))
        told = [next(reading)]
        assert publish_texts(stories, again=True) == [("2026-03", True), ("2026-04", True)]
        assert sorted(_shown(one) for one in [*told, *reading]) == before["bridge date"]
        assert searches(other) == before


def test_damage_is_one_line_and_is_made_good(stories: Archive) -> None:
    let_texts_go(stories)
    before = searches(stories)
    for path in (Path(stories.uri) / "index/texts").rglob("*.sqlite"):
        path.write_bytes(path.read_bytes()[:40] + b"\xff" * 4_000 + path.read_bytes()[4_040:])
    with Archive(LocalStore(stories.uri), stories.state, stories.shared_index) as opened:
        with pytest.raises(StoreUnavailable, match=r"index publish --month 2026-0\d --search --again") as raised:
            list(opened.index.search(SearchQuery.parse("bridge")))
        assert "\n" not in str(raised.value)
    assert "its SHA-256 is not that of what was put" in str(sound(stories))
    assert publish_texts(stories, again=True) == [("2026-03", True), ("2026-04", True)]
    assert searches(stories) == before and sound(stories) == []
    # Without the wish, what has texts keeps them.
    assert [each.manifest.documents for each in publish(stories, PublishOptions(table=False, again=True))] == [48, 12]
    for path in (Path(stories.uri) / "index").rglob("*.sqlite"):
        path.unlink()
    with (
        Archive(LocalStore(stories.uri), stories.state, stories.shared_index) as opened,
        pytest.raises(StoreUnavailable, match="is not whole"),
    ):
        list(opened.index.search(SearchQuery.parse("bridge")))
    reindex(stories, ReindexOptions(fresh=True))
    assert searches(stories) == before


def test_a_search_in_a_bucket_reads_little_of_it(
    moto_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(moto_server, monkeypatch)
    uri = f"s3://{BUCKET}/published-search"
    with open_archive(uri, tmp_path / "state") as archive:
        rnd = random.Random(3)
        noise = [str(number) for number in range(20_000)]
        pages = []
        for number in range(150):
            one = story(0, rnd)
            text = " ".join([*rnd.choices(noise, k=900), "needle" if number == 7 else "hay"])
            pages.append(Page(f"https://paper.example/{number}", one.moment, one.response, text))
        deliver(archive, 0, pages)
        assert let_texts_go(archive) == 150
    with open_archive(uri, tmp_path / "state") as archive:
        size = sum(each.size for manifest in manifests(archive).values() for each in manifest.files)
        before = archive.store.traffic
        (hit,) = archive.index.search(SearchQuery.parse("needle"))
        took = archive.store.traffic - before
        assert hit.article.url == "https://paper.example/7" and "needle" in hit.snippet
        assert took.requests < 15 and took.bytes_read < size
        asked = archive.store.traffic.requests
        assert len(list(archive.index.search(SearchQuery.parse("needle")))) == 1
        assert archive.store.traffic.requests == asked


def test_a_copy_has_the_same_texts(stories: Archive, tmp_path: Path) -> None:
    publish_texts(stories)
    with Archive(LocalStore(str(tmp_path / "copy")), tmp_path / "copy") as other:
        assert copy(stories.store, other).problems == []
        assert [each.texts for each in manifests(other).values()] == [
            each.texts for each in manifests(stories).values()
        ]
        before = searches(other)
        assert let_texts_go(other) == 60
        assert searches(other) == before and sound(other) == []


# The texts are put behind the cluster and before the manifest.
@pytest.mark.parametrize(
    "step", [pytest.param(step, marks=[] if step == 3 else pytest.mark.exhaustive) for step in range(8)]
)
def test_a_run_that_is_killed_changes_nothing(stories: Archive, step: int, warm_start: WarmStart) -> None:
    let_texts_go(stories)
    before = searches(stories)
    deliver(stories, 10, [page(100)], "00000000ffff")
    if killed_at(warm_start, stories, "publishing_of_all:publish_all", step, "before") != 9:
        pytest.fail("there are fewer steps")
    found = searches(stories)
    assert set(before["bridge date"]) <= set(found["bridge date"])
    publish_texts(stories, again=True)
    assert searches(stories) == found and sound(stories) == []


def test_who_cannot_read_it_is_told_how(stories: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    let_texts_go(stories)
    monkeypatch.setitem(sys.modules, "apsw", None)
    monkeypatch.delitem(sys.modules, "storage.published.ranged_sqlite")
    monkeypatch.delattr(storage.published, "ranged_sqlite")
    with (
        Archive(LocalStore(stories.uri), stories.state) as opened,
        pytest.raises(ConfigError, match=r"needs apsw: .+ -m pip install 'newskeep\[published-search\]'"),
    ):
        list(opened.index.search(SearchQuery.parse("bridge")))
    told = [each for each in doctor.findings(Config(archive=stories.uri)) if "apsw is not installed" in each.said]
    assert [(each.check, each.grade) for each in told] == [("index", "bad")]


def test_the_command(stories: Archive, newskeep: Any) -> None:
    there = ("--archive", stories.uri)
    ask = ("search", "bridge", "--json", "--limit", "99", *there)
    before = sorted(newskeep(*ask).stdout.splitlines())
    done = newskeep("index", "publish", "--search", "--release", "--no-parquet", "--json", *there)
    assert done.returncode == 0, done.stderr
    *months, told = map(json.loads, done.stdout.splitlines())
    assert [(each["month"], each["texts"], each["texts_let_go"], each["texts_kept"]) for each in months] == [
        ("2026-03", 48, 48, 0),
        ("2026-04", 12, 12, 0),
    ]
    assert (told["texts"], told["texts_let_go"], told["problems"]) == (60, 60, 0)
    listed = [json.loads(line) for line in newskeep("index", "list", "--json", *there).stdout.splitlines()]
    assert [(each["texts"], each["texts_released"]) for each in listed] == [(48, True), (12, True)]
    assert sorted(newskeep(*ask).stdout.splitlines()) == before
    shown = newskeep("index", "list", *there).stdout.decode()
    assert "48 texts" in shown and "captures and texts let go by the database here" in shown

"""The index: what it finds, what it keeps when processes die, and what it says of a file that is not whole."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_mock_engine, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from storage.errors import AlreadyRunning, Corrupt, StoreUnavailable
from storage.fingerprints import Fingerprint
from storage.index import (
    ArticleEntry,
    Counts,
    SharedIndex,
    SiteDoubt,
    WarcEntry,
    discard_index,
    open_index,
    queries,
    schema,
)
from storage.index.index import Index
from storage.index.queries import BATCH
from storage.index.rows import pack_digest, pack_url, unpack_digest, unpack_url
from storage.model import Capture
from storage.rights import Signal
from storage.urls import site_of, surt

pytest_plugins = ["indexes"]

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WARC = WarcEntry("newskeep-a.warc.gz", size=1_000, sha256="a" * 64, parts=("text/a.jsonl.gz",))
DIGEST = "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def capture(url: str = "https://example.com/", seconds: float = 0, offset: int = 0, **fields: object) -> Capture:
    made = Capture(url, at(seconds), 200, "text/html", DIGEST, WARC.filename, offset, 10)
    return replace(made, **fields)  # type: ignore[arg-type]


def article(url: str, seconds: float = 0, offset: int = 0, **fields: object) -> ArticleEntry:
    made = ArticleEntry(
        url, at(seconds), "example.com", "Title", "2026-11-21", "da", 9, WARC.filename, offset, WARC.parts[0], 70, 7
    )
    return replace(made, **fields)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite"


@pytest.fixture
def index(index_place: Path | SharedIndex) -> Iterator[Index]:
    with open_index(index_place) as opened:
        yield opened


# What goes in comes out


def test_a_row_comes_back_whole(index: Index) -> None:
    full = capture(
        "https://www.example.com/A?b=1",
        0.9,
        1,
        status=301,
        framed_digest="sha1:" + "B" * 32,
        wall="a paywall",
        insecure="the certificate has expired",
        noarchive=True,
    )
    bare = capture("http://[::1]:8000/ø", 2, 3, status=None, mime=None, digest=None)
    odd = capture("urn:x", -(10**10), 1 << 41, digest="sha256:abc", mime="warc/revisit", length=1 << 40)
    assert index.add(WARC, [full, bare, odd]) is True
    assert list(index.captures(full.url)) == [full]
    assert list(index.captures(bare.url)) == [bare]
    assert list(index.captures(odd.url)) == [odd]


def test_an_article_comes_back_whole(index: Index) -> None:
    full, bare = article("https://example.com/a"), article("https://example.com/b", 1, 1)
    bare = replace(bare, title=None, published=None, language=None, part="text/b", words=0)
    full = replace(full, fingerprint=Fingerprint(DIGEST, "0f" * 64), noarchive=True, confidence=0.25)
    index.add(replace(WARC, parts=("text/a.jsonl.gz", "text/b")), [], [full, bare])
    assert list(index.articles()) == [bare, full]
    assert index.article_at(WARC.filename, 1) == bare
    assert index.article_at(WARC.filename, 2) is None
    assert index.article_at("other", 1) is None


@pytest.mark.parametrize("sign", ["\0", "\ud800"], ids=["NUL", "surrogate"])
def test_what_no_database_keeps_in_a_text(index: Index, sign: str) -> None:
    """A page may have it in its title, and a question in every word: nothing is refused for it."""
    index.add(WARC, [capture(mime=f"a{sign}")], [article("https://example.com/", title=f"A{sign}B", language=sign)])
    (found,) = index.articles()
    assert found.title in {"A\ufffdB", f"A{sign}B"}
    for question in ({"site": f"s{sign}"}, {"tag": f"t{sign}"}, {"language": f"da{sign}"}):
        assert list(index.articles(**question)) == []  # type: ignore[arg-type]
    assert index.article(f"https://example.com/{sign}") is None
    assert index.warc(sign) is None


def test_hops_of_one_redirect_are_all_kept(index: Index) -> None:
    """They share SURT, second and digest."""
    hops = ["http://example.com/", "https://example.com/", "https://www.example.com/"]
    index.add(WARC, [capture(url, 0, offset) for offset, url in enumerate(hops)])
    assert [found.url for found in index.captures("example.com")] == hops


@settings(deadline=None)
@given(st.sampled_from(["http://", "https://", "https://www.", "", "="]), st.text("aA./)(,0:?=%é", max_size=12))
def test_packed_urls(start: str, rest: str) -> None:
    url = start + rest
    assert unpack_url(pack_url(url, surt(url)), surt(url)) == url or url in {"=0", "=1", "=2", "=3"}


def test_urls_of_news_are_packed_to_two_bytes() -> None:
    for start in ("https://", "https://www.", "http://", "http://www."):
        url = f"{start}example.com/2026/11/some-slug.html"
        assert len(pack_url(url, surt(url))) == 2


@settings(deadline=None)
@given(
    st.none()
    | st.text()
    | st.text("ABZ27=a", min_size=30, max_size=34).map("sha1:".__add__)
    | st.text("0129afA", min_size=63, max_size=65).map("sha256:".__add__)
)
def test_packed_digests(digest: str | None) -> None:
    assert unpack_digest(pack_digest(digest)) == digest


# Entering and removing WARCs


def test_a_warc_is_entered_once(index: Index) -> None:
    assert index.add(WARC, [capture()], [article("https://example.com/")]) is True
    assert index.add(WARC, [capture(), capture(offset=1)]) is False
    entered = replace(WARC, captures=1, articles=1)
    assert list(index.warcs()) == [entered]
    assert index.warc(WARC.filename) == entered
    assert index.has_warc(WARC.filename)
    assert not index.has_warc("newskeep-b.warc.gz")
    assert index.counts() == Counts(warcs=1, bytes=1_000, captures=1, articles=1)


def test_another_file_of_a_known_name_is_an_error(index: Index) -> None:
    index.add(WARC, [capture()])
    with pytest.raises(Corrupt, match=r"^newskeep-a.warc.gz: the index knows another file of this name"):
        index.add(replace(WARC, sha256="b" * 64), [capture(offset=1)])
    assert index.counts().captures == 1


def test_a_repeated_row_counts_once_but_two_rows_for_one_place_are_an_error(index: Index, path: Path) -> None:
    with pytest.raises(Corrupt, match="two rows claim one place") as caught:
        index.add(WARC, [capture(), capture(status=404)])
    assert str(path) in str(caught.value)
    assert index.counts() == Counts(0, 0, 0, 0)
    index.add(WARC, [capture(), capture()])
    assert index.counts().captures == 1


def failing(rows: list[Capture]) -> Iterator[Capture]:
    yield from rows
    raise StoreUnavailable("the object store went away")


def test_all_or_nothing(index: Index) -> None:
    with pytest.raises(StoreUnavailable, match="went away"):
        index.add(WARC, failing([capture(offset=number) for number in range(BATCH * 2)]))
    with pytest.raises(ValueError, match=r"newskeep-b.warc.gz in the rows of newskeep-a.warc.gz"):
        index.add(WARC, [capture(), capture(offset=1, filename="newskeep-b.warc.gz")])
    with pytest.raises(ValueError, match="text/elsewhere"):
        index.add(WARC, [capture()], [article("https://example.com/", part="text/elsewhere")])
    assert index.counts() == Counts(0, 0, 0, 0)
    assert list(index.captures("example.com")) == []
    assert index.add(WARC, [capture()]) is True


def test_nobody_waits_while_rows_arrive(index: Index, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of a WARC may come over a slow network."""
    monkeypatch.setattr(schema, "KIND", replace(schema.KIND, busy_timeout=0))

    def slow() -> Iterator[Capture]:
        for number in range(BATCH + 1):
            yield capture(offset=number)
        with open_index(path) as other:
            yield capture(offset=BATCH + 1)
            other.add(replace(WARC, filename="b"), [capture(filename="b")])

    index.add(WARC, slow())
    assert index.counts().captures == BATCH + 3


def test_remove(index: Index) -> None:
    other = replace(WARC, filename="newskeep-b.warc.gz")
    index.add(WARC, [capture()], [article("https://example.com/")])
    index.add(other, [capture(filename=other.filename)], [article("https://example.com/", filename=other.filename)])
    assert index.remove(WARC.filename) is True
    assert index.remove(WARC.filename) is False
    assert [found.filename for found in index.captures("example.com")] == [other.filename]
    assert [found.filename for found in index.articles()] == [other.filename]
    assert index.counts() == Counts(1, 1_000, 1, 1)


def test_compaction(index: Index) -> None:
    small = [replace(WARC, filename=f"newskeep-{number}") for number in range(1_200)]
    for number, warc in enumerate(small[:5]):
        index.add(warc, [capture(seconds=number, filename=warc.filename)])
    joined = [capture(seconds=number, offset=number * 10) for number in range(5)]
    old = [warc.filename for warc in small]
    assert index.replace(old, WARC, joined) is True
    assert list(index.captures("example.com")) == joined
    assert list(index.warcs()) == [replace(WARC, captures=5)]
    # Killed before it could remove the objects, it comes by again.
    assert index.replace(old, WARC, joined) is False
    assert index.counts().captures == 5


def test_replace_removes_leftovers_of_a_known_warc(index: Index) -> None:
    index.add(WARC, [capture()])
    index.add(replace(WARC, filename="old"), [capture(filename="old")])
    assert index.replace(["old"], WARC, []) is False
    assert [warc.filename for warc in index.warcs()] == [WARC.filename]


def test_a_warc_entered_afresh(index: Index) -> None:
    index.add(WARC, [capture()], [article("https://example.com/")])
    again = replace(WARC, parts=("text/second.jsonl.gz",))
    better = article("https://example.com/", part="text/second.jsonl.gz", title="Better")
    assert index.replace([WARC.filename], again, [capture()], [better]) is True
    assert list(index.articles()) == [better]
    assert index.counts() == Counts(1, 1_000, 1, 1)


def test_compaction_while_a_reader_pages(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.index.capture_lookup.BATCH", 10)
    index.add(WARC, [capture(seconds=number // 4, offset=number) for number in range(100)])
    reader, articles = index.captures("example.com"), index.articles()
    seen = [next(reader).timestamp for _ in range(25)]
    moved = [capture(seconds=number // 4, offset=number, filename="joined") for number in range(100)]
    index.replace([WARC.filename], replace(WARC, filename="joined"), moved)
    seen += [found.timestamp for found in reader]
    assert list(articles) == []
    # No second is left out; one page's edge may come twice.
    assert set(seen) == {at(second) for second in range(25)}
    assert 100 <= len(seen) <= 104


@pytest.mark.heavy
def test_memory_stays_flat(index: Index) -> None:
    def rows(number: int) -> Iterator[Capture]:
        return (capture(f"https://example.com/{each}", each, each) for each in range(number))

    index.add(replace(WARC, filename="warm-up"), (replace(row, filename="warm-up") for row in rows(BATCH)))
    tracemalloc.start()
    try:
        index.add(WARC, rows(8_000))
        assert sum(1 for _ in index.captures("example.com", match="domain")) == 8_000 + BATCH
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # All of them at once would take 10 MB.
    assert peak < 4_000_000


# Captures


def test_matches(index: Index) -> None:
    urls = ["https://example.com/", "https://example.com/a", "https://example.com/a/b", "https://news.example.com/a"]
    index.add(WARC, [capture(url, 0, offset) for offset, url in enumerate(urls)])
    assert [found.url for found in index.captures("https://example.com/a")] == [urls[1]]
    assert [found.url for found in index.captures("https://example.com/a", match="prefix")] == urls[1:3]
    assert [found.url for found in index.captures("example.com", match="host")] == urls[:3]
    assert [found.url for found in index.captures("example.com", match="domain")] == urls
    assert list(index.captures("https://example.org/")) == []


@pytest.mark.parametrize("match", ["exact", "domain"])
def test_since_and_until_are_included(index: Index, match: str) -> None:
    index.add(WARC, [capture(seconds=second, offset=second) for second in range(10)])

    def seconds(**bounds: datetime) -> list[int]:
        return [found.offset for found in index.captures("https://example.com/", match=match, **bounds)]  # type: ignore[arg-type]

    assert seconds(since=at(3)) == [3, 4, 5, 6, 7, 8, 9]
    assert seconds(until=at(3)) == [0, 1, 2, 3]
    assert seconds(since=at(3), until=at(4)) == [3, 4]
    assert seconds(since=at(4), until=at(3)) == []


@pytest.mark.parametrize("size", [1, 7, BATCH, BATCH + 1])
def test_pages(index: Index, size: int) -> None:
    rows = [capture(f"https://example.com/{number % 50}", number // 100, number) for number in range(2 * BATCH + 3)]
    index.add(WARC, rows if size > 1 else rows[:60])
    whole = list(index.captures("example.com", match="host"))
    assert len(whole) == index.counts().captures
    assert whole == sorted(whole, key=lambda row: (surt(row.url), row.timestamp, row.offset))
    paged: list[Capture] = []
    while page := list(index.captures("example.com", match="host", limit=size, after=paged[-1] if paged else None)):
        assert len(page) <= size
        paged += page
    assert paged == whole
    assert list(index.captures("example.com", match="host", limit=0)) == []


URLS = ["http://example.com/a", "https://example.com/a", "https://www.example.com/A"]


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from(URLS), st.integers(0, 6), st.sampled_from([200, 301, 503])), max_size=30),
    st.sampled_from(URLS),
    st.integers(-1, 7),
    st.sampled_from([None, {200}, {301, 200}]),
)
def test_closest_is_the_nearest(
    rows: list[tuple[str, int, int]], url: str, second: int, statuses: set[int] | None
) -> None:
    """Against the definition, written out."""
    held = [capture(each, when, offset, status=status) for offset, (each, when, status) in enumerate(rows)]
    accept: Callable[[Capture], bool] | None = None
    if statuses is not None:
        accept = lambda row: row.status in statuses  # noqa: E731
    wanted = [row for row in held if accept is None or accept(row)]
    wanted = [row for row in wanted if row.url == url] or wanted
    with tempfile.TemporaryDirectory() as folder, open_index(Path(folder) / "index.sqlite") as index:
        index.add(WARC, held)
        found = index.closest(url, at(second), accept=accept)
        newest = index.latest(url, accept=accept)
    if not wanted:
        assert found is None
        return
    # Nearest; of two as near the earlier; of one second the later record.
    best = min(wanted, key=lambda row: (abs(row.timestamp - at(second)), row.timestamp))
    assert found is not None
    assert (found.url == url, found.timestamp) == (best.url == url, best.timestamp)
    assert found in wanted
    same = [row for row in held if row.url == url and (accept is None or accept(row))]
    assert newest == max(same, key=lambda row: (row.timestamp, row.offset), default=None)


def test_other_escapes_of_the_same_characters_are_nearer_than_the_same_surt(index: Index) -> None:
    slash, escaped = "https://n.example/a/b", "https://n.example/a%2Fb%7E"
    index.add(WARC, [capture(escaped, 1), capture("https://n.example/a/b~", 2, 1), capture(slash, 3, 2)])
    for asked, found in (
        ("a%2fb~", escaped),
        ("a%2Fb%7e", escaped),
        ("a%2fb", slash),
        ("a/b~", "https://n.example/a/b~"),
    ):
        nearest = index.closest(f"https://n.example/{asked}", at(9))
        assert nearest is not None
        assert nearest.url == found


def test_closest_goes_as_far_as_it_must(index: Index) -> None:
    rows = [capture(seconds=second, offset=second, status=503) for second in range(3_000)]
    rows[2_900] = replace(rows[2_900], status=200)
    rows[10] = replace(rows[10], status=200)
    index.add(WARC, rows)
    found = [
        index.closest("https://example.com/", at(when), accept=lambda row: row.status == 200) for when in (1_454, 1_456)
    ]
    assert found == [rows[10], rows[2_900]]
    assert index.closest("https://example.com/", at(0), accept=lambda row: row.status == 404) is None


def test_latest_is_of_this_url_only(index: Index) -> None:
    index.add(WARC, [capture(seconds=0, mime="warc/revisit"), capture("http://example.com/", 5, 1)])
    found = index.latest("https://example.com/")
    assert found is not None and found.timestamp == at(0) and found.digest == DIGEST
    assert index.latest("https://example.com/", accept=lambda row: not row.is_revisit) is None
    assert index.latest("https://www.example.com/") is None


def test_find_what_a_revisit_refers_to(index: Index) -> None:
    revisit = capture(seconds=1, offset=0, mime="warc/revisit")
    original = capture(seconds=1, offset=1)
    other = capture(seconds=1, offset=2, digest="sha1:" + "C" * 32)
    index.add(WARC, [revisit, original, other, capture("http://example.com/", 1, 3), capture(seconds=2, offset=4)])
    assert index.find("https://example.com/", at(1.75), DIGEST) == original
    assert index.find("https://example.com/", at(1), other.digest) == other
    assert index.find("https://example.com/", at(1)) == original
    assert index.find("https://example.com/", at(1), "sha1:D") is None
    assert index.find("https://example.com/", at(3)) is None
    assert index.find("https://www.example.com/", at(1)) is None


# Articles


def test_article_of_a_url(index: Index) -> None:
    mine = [article("https://example.com/a", second, second) for second in (0, 10, 20)]
    alike = article("http://www.example.com/A", 15, 15)
    index.add(WARC, [], [*mine, alike])
    assert index.article("https://example.com/a") == mine[2]
    assert index.article("https://example.com/a", at(-9)) == mine[0]
    assert index.article("https://example.com/a", at(14)) == mine[1]
    assert index.article("https://example.com/a", at(15)) == mine[1]
    assert index.article("https://example.com/a", at(16)) == mine[2]
    assert index.article("http://www.example.com/A", at(0)) == alike
    assert index.article("http://example.com/A", at(16)) == alike
    assert index.article("https://example.com/b") is None


def test_articles_newest_first_by_site_time_and_language(index: Index) -> None:
    languages = ["da", "pt", "pt-BR", "ptx", None]
    rows = [
        article(f"https://example.com/{number}", number // 3, number, language=languages[number % 5])
        for number in range(60)
    ]
    rows = [replace(row, site="example.org") if row.offset % 2 else row for row in rows]
    index.add(WARC, [], rows)

    def expected(keep: Callable[[ArticleEntry], bool]) -> list[ArticleEntry]:
        return sorted(filter(keep, rows), key=lambda row: (-row.timestamp.timestamp(), row.offset))

    assert list(index.articles()) == expected(lambda row: row.words == 9)
    assert list(index.articles(site="example.org")) == expected(lambda row: row.site == "example.org")
    assert list(index.articles(language="pt")) == expected(lambda row: row.language in {"pt", "pt-BR"})
    assert list(index.articles(language="pt-BR")) == expected(lambda row: row.language == "pt-BR")
    assert list(index.articles(since=at(5), until=at(9))) == expected(lambda row: at(5) <= row.timestamp <= at(9))
    assert list(index.articles(site="example.com", language="da", until=at(9))) == expected(
        lambda row: row.site == "example.com" and row.language == "da" and row.timestamp <= at(9)
    )
    assert list(index.articles(site="example.net")) == []


def test_articles_in_a_language_and_its_regions_a_page_at_a_time(index: Index) -> None:
    languages = ["pt", "en", "pt-BR", "pt-PT", "PT", "p", "en", None]
    rows = [article(f"https://example.com/{n}", n // 4, n, language=languages[n % 8]) for n in range(80)]
    index.add(WARC, [], rows)
    expected = sorted(
        (row for row in rows if row.language in {"pt", "pt-BR", "pt-PT"}),
        key=lambda row: (-row.timestamp.timestamp(), row.offset),
    )
    found: list[ArticleEntry] = []
    while page := list(index.articles(language="pt", limit=7, after=found[-1] if found else None)):
        found += page
    assert found == expected
    within = [row for row in expected if at(3) <= row.timestamp <= at(8)]
    assert list(index.articles(language="pt", since=at(3), until=at(8), limit=9)) == within[:9]
    for absent in ("pt-B", "pt-", "q", "a", "", "%", "p_"):
        assert list(index.articles(language=absent)) == []


def test_articles_in_a_language_are_found_without_reading_the_others(path: Path, index: Index) -> None:
    index.add(WARC, [], [article("https://example.com/a")])
    with closing(sqlite3.connect(path)) as database:
        query = queries.articles(by_site=False, by_language="alone", by_tag=False)
        compiled = query.statement.compile(dialect=sqlite.dialect(paramstyle="named"))
        values = dict.fromkeys(compiled.params, 0)
        steps = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {compiled.string}", values)]
    assert "USING INDEX articles_by_language (language=?" in steps[0]
    assert not any("TEMP B-TREE" in step for step in steps)


def test_doubtful_articles_least_sure_first(index: Index) -> None:
    sure = [0.5, 0.2, None, 0.9, 0.2, 0.49999999, 0.0, 0.2]
    rows = [
        replace(article(f"https://example.com/{number}", number // 2, number), confidence=each)
        for number, each in enumerate(sure)
    ]
    rows[7] = replace(rows[7], site="example.org")
    index.add(WARC, [], rows)

    def offsets(found: Iterator[ArticleEntry]) -> list[int]:
        return [each.offset for each in found]

    # Of one confidence the newest first, of one second as they were entered; the bound itself is not doubtful.
    assert offsets(index.doubtful()) == [6, 7, 4, 1, 5]
    assert offsets(index.doubtful(0.2)) == [6]
    assert offsets(index.doubtful(1.0)) == [6, 7, 4, 1, 5, 0, 3]
    assert offsets(index.doubtful(newest=True)) == [6, 7, 4, 5, 1]
    assert offsets(index.doubtful(site="example.org")) == [7]
    assert offsets(index.doubtful(since=at(2), until=at(2))) == [4, 5]
    assert index.doubt() == [SiteDoubt("example.com", 6, 4), SiteDoubt("example.org", 1, 1)]
    assert index.doubt(0.2, site="example.com", until=at(2)) == [SiteDoubt("example.com", 5, 0)]
    assert index.doubt(site="example.net") == []
    assert index.confidences("example.com", at(2)) == [(at(3), 0.0), (at(2), 0.2), (at(2), 0.49999999)]


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("size", [1, 4, 1_000])
def test_doubtful_articles_in_pages(index: Index, size: int, newest: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.index.article_lookup.BATCH", 3)
    rows = [
        replace(article(f"https://example.com/{number}", number // 5, number), confidence=number % 3 / 10)
        for number in range(33)
    ]
    index.add(WARC, [], rows)
    whole = list(index.doubtful(newest=newest))
    assert len(whole) == 33
    paged: list[ArticleEntry] = []
    while page := list(index.doubtful(newest=newest, limit=size, after=paged[-1] if paged else None)):
        paged += page
    assert paged == whole


@pytest.mark.parametrize("by_site", [False, True])
def test_doubtful_articles_are_found_without_reading_the_others(path: Path, index: Index, by_site: bool) -> None:
    index.add(WARC, [], [article("https://example.com/a", confidence=0.1)])
    with closing(sqlite3.connect(path)) as database:
        query = queries.doubtful(by_site=by_site, newest=False, few=True)
        compiled = query.statement.compile(dialect=sqlite.dialect(paramstyle="named"))
        values = dict.fromkeys(compiled.params, 0)
        steps = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {compiled.string}", values)]
    assert "USING INDEX articles_doubtful" in steps[0]
    assert not any("TEMP B-TREE" in step for step in steps)


@pytest.mark.parametrize("size", [1, 4, 1_000])
def test_articles_in_pages(index: Index, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.index.article_lookup.BATCH", 3)
    index.add(WARC, [], [article(f"https://example.com/{number}", number // 5, number) for number in range(33)])
    whole = list(index.articles())
    paged: list[ArticleEntry] = []
    while page := list(index.articles(limit=size, after=paged[-1] if paged else None)):
        assert len(page) <= size
        paged += page
    assert paged == whole
    assert len(whole) == 33


def test_warcs_in_the_order_of_their_names(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.index.index.BATCH", 2)
    for name in "ecadb":
        index.add(replace(WARC, filename=name), [])
    assert [warc.filename for warc in index.warcs()] == list("abcde")


# Statements


def test_no_statement_reads_a_whole_table(index: Index, path: Path) -> None:
    statements = [value for value in vars(queries).values() if isinstance(value, queries.CompiledQuery)]
    statements += [*queries.EXACT, *queries.ALIKE]
    statements += [queries.articles(*by) for by in itertools.product((True, False), repeat=3)]
    statements.append(queries.articles(by_site=False, by_language="alone", by_tag=False))
    assert len(statements) > 15
    with closing(sqlite3.connect(path)) as database:
        for query in statements:
            # The last two stop at the first row of an index that holds the marked captures alone.
            if query in (queries.COUNTS, queries.MISCOUNTED, queries.ANY_NOARCHIVE, queries.ANY_ENDING):
                continue
            compiled = query.statement.compile(dialect=index._database.engine.dialect)
            values = dict.fromkeys(compiled.params, 1)
            plan = [
                row[3]
                for row in database.execute(
                    f"EXPLAIN QUERY PLAN {compiled}", tuple(values[n] for n in compiled.positiontup or ())
                )
            ]
            assert not [
                step
                for step in plan
                for table in ("captures", "articles", "warcs", "candidate")
                if f"SCAN {table}" in step
            ]
            # What has a tag is found by it, and then put in order.
            assert "tag" in values or not [step for step in plan if "TEMP B-TREE" in step]
    database.close()


def test_tables_and_statements_are_postgresql_too() -> None:
    dialect = create_mock_engine("postgresql://", lambda *_: None).dialect
    made = "".join(str(CreateTable(table).compile(dialect=dialect)) for table in schema.metadata.sorted_tables)
    assert 'surt TEXT COLLATE "C" NOT NULL' in made
    assert "BYTEA" in made and "BIGSERIAL" in made and "ROWID" not in made
    for query in (*queries.EXACT, queries.CAPTURES, queries.TAGGED_CAPTURES, queries.articles(True, True, True)):
        assert "%(surt)s" in str(query.statement.compile(dialect=dialect)) or query is queries.articles(
            True, True, True
        )


# Several at once

WRITER = """
import random, sys
from datetime import UTC, datetime
from pathlib import Path
from storage.index import WarcEntry, open_index
from storage.model import Capture
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with open_index(path) as index:
    for number in range(count):
        warc = WarcEntry(f"{name}-{number}", 1, "0" * 64)
        rows = (
            Capture(f"https://{name}.example/{each}", datetime.now(UTC), 200, None, None, warc.filename, each, 1)
            for each in range(200)
        )
        index.add(warc, rows)
        print(warc.filename, flush=True)
"""


def start_writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_processes_make_and_write_one_index_at_once(path: Path) -> None:
    writers = [start_writer(path, name, 15) for name in ("a", "b", "c")]
    outputs = [writer.communicate()[0].split() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert [len(output) for output in outputs] == [15, 15, 15]
    with open_index(path, create=False) as index:
        assert index.counts() == Counts(45, 45, 9_000, 0)
        assert sum(1 for _ in index.captures("example", match="domain")) == 9_000


def test_threads_share_one_index(index: Index) -> None:
    errors: list[Exception] = []

    def work(name: str) -> None:
        try:
            for number in range(10):
                warc = replace(WARC, filename=f"{name}-{number}")
                index.add(warc, [capture(seconds=number, filename=warc.filename)])
                assert index.closest("https://example.com/", at(number)) is not None
                assert len(list(index.captures("example.com"))) > number
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert index.counts().captures == 40


@pytest.mark.parametrize("round_number", range(4))
def test_a_killed_writer_loses_nothing_acknowledged_and_leaves_nothing_half(path: Path, round_number: int) -> None:
    chance = random.Random(round_number)
    writer = start_writer(path, "a", 10_000)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline().strip() for _ in range(chance.randrange(1, 12))]
    # Somewhere in the next ones.
    signal.sigtimedwait([], chance.random() / 50)
    writer.send_signal(signal.SIGKILL)
    acknowledged += writer.stdout.read().split()
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL
    with open_index(path, create=False) as index:
        held = {warc.filename: warc.captures for warc in index.warcs()}
        assert set(acknowledged) <= set(held)
        assert len(held) - len(acknowledged) <= 1
        assert set(held.values()) == {200}
        assert sum(1 for _ in index.captures("a.example", match="host")) == 200 * len(held)
        assert index.add(WARC, [capture()]) is True


def test_more_asked_at_once_than_there_are_connections(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    # SQLAlchemy's pool waits for half a minute.
    monkeypatch.setattr(index._database.engine.pool, "_timeout", 0.1)
    with ExitStack() as busy:
        for _ in range(15):
            busy.enter_context(index._database.connect())
        for ask in (index.counts, lambda: list(index.warcs()), lambda: index.add(WARC, [capture()])):
            with pytest.raises(StoreUnavailable, match="too much is asked of the index at once; try again"):
                ask()
    assert index.counts() == Counts(0, 0, 0, 0)


def test_an_index_that_stays_busy(index: Index, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "KIND", replace(schema.KIND, busy_timeout=0))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with open_index(path) as late, pytest.raises(StoreUnavailable, match="has kept the index busy") as caught:
        late.add(WARC, [capture()])
    assert str(path) in str(caught.value)
    # Who reads does not wait.
    assert list(index.captures("example.com")) == []
    other.close()
    assert index.add(WARC, [capture()]) is True


# Files that are not whole


def filled(path: Path, rows: int = 3_000) -> None:
    with open_index(path) as index:
        index.add(WARC, (capture(f"https://example.com/{number}", number, number) for number in range(rows)))


def refused(path: Path) -> str:
    with pytest.raises(StoreUnavailable) as caught:
        open_index(path)
    assert caught.value.exit_code == 3
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


def test_no_index_where_there_should_be_one(path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="there is no index; make it with `newskeep reindex`"):
        open_index(path, create=False)
    assert list(path.parent.iterdir()) == []


def test_a_new_index_is_whole_and_leaves_no_other_file(path: Path) -> None:
    open_index(path).close()
    assert sorted(each.name for each in path.parent.iterdir()) == ["index.sqlite", "index.sqlite.lock"]
    with closing(sqlite3.connect(path)) as database, database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.99])
def test_truncated(path: Path, share: float) -> None:
    filled(path)
    os.truncate(path, int(path.stat().st_size * share))
    assert "newskeep reindex" in refused(path)
    discard_index(path)
    filled(path)


@pytest.mark.parametrize(
    "content", [b"garbage", b"garbage" * 10_000, b"\0" * 8192, b"SQLite format 3\0" + b"\xff" * 9_000]
)
def test_garbage(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "newskeep reindex" in refused(path)
    assert path.read_bytes() == content


def test_damage_in_the_middle_shows_when_it_is_read(path: Path) -> None:
    filled(path, 20_000)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 4)
        file.write(random.Random(1).randbytes(path.stat().st_size // 2))
    with open_index(path) as index:
        with pytest.raises(StoreUnavailable, match=r"damaged .*`newskeep reindex`"):
            list(index.captures("example.com", match="host"))
        assert any("Page" in problem or "malformed" in problem for problem in index.problems())


def test_problems(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM captures WHERE offset < 2")
    database.close()
    with open_index(path) as index:
        assert list(index.problems()) == [f"{WARC.filename}: 3,000 captures were entered, 2,998 are there"]
        index.remove(WARC.filename)
        assert list(index.problems()) == []


def test_somebody_elses_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE people (name)")
    database.close()
    assert "not an index of newskeep" in refused(path)


def set_version(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE about SET value = ? WHERE name = 'schema'", (version,))
    database.close()


def test_newer_schema(path: Path) -> None:
    filled(path)
    set_version(path, schema.VERSION + 1)
    assert f"made by a newer newskeep (schema {schema.VERSION + 1})" in refused(path)
    assert "newskeep reindex" in refused(path)


def test_schema_too_old(path: Path) -> None:
    filled(path)
    set_version(path, 0)
    assert "too old to update (schema 0); make it again with `newskeep reindex`" in refused(path)


def test_older_schema_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)
    steps = {
        schema.VERSION: lambda connection: connection.execute(text("ALTER TABLE warcs ADD COLUMN note TEXT")),
        schema.VERSION + 1: lambda connection: connection.execute(text("UPDATE warcs SET note = 'kept'")),
    }
    monkeypatch.setattr(schema, "KIND", replace(schema.KIND, version=schema.VERSION + 2, migrations=steps))
    for _ in range(2):
        with open_index(path) as index:
            assert index.counts().captures == 3_000
    with closing(sqlite3.connect(path)) as database, database:
        assert database.execute("SELECT note FROM warcs").fetchall() == [("kept",)]
        assert database.execute("SELECT value FROM about").fetchall() == [(schema.KIND.version,)]
    database.close()


#: What version 7 brought, taken away.
WITHOUT_RIGHTS = "DROP INDEX captures_shown_until;" + "".join(
    f"ALTER TABLE {table} DROP COLUMN {column};"
    for table in ("captures", "articles")
    for column in ("rights", "shown_until")
)


def test_an_index_from_before_rights_were_read_goes_on(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(f"{WITHOUT_RIGHTS} UPDATE about SET value = 6 WHERE name = 'schema'")
    name, said = "newskeep-b.warc.gz", (Signal("unavailable_after", "2026-11-29T12:00:00+00:00", "X-Robots-Tag"),)
    ending = capture("https://example.com/ending", 0, 70, filename=name, rights=said)
    with open_index(path) as index:
        assert index.counts().captures == 3_000 and not index.has_ends()
        index.add(replace(WARC, filename=name, sha256="b" * 64), [ending])
        (held,) = index.captures(ending.url)
        assert held.rights == said and index.has_ends()


def test_an_index_from_before_languages_had_their_order_goes_on(path: Path) -> None:
    with open_index(path) as index:
        index.add(WARC, [], [article("https://example.com/a", language="fo")])
    with closing(sqlite3.connect(path)) as database:
        database.executescript("DROP INDEX articles_by_language; UPDATE about SET value = 7 WHERE name = 'schema'")
    with open_index(path) as index:
        assert [each.language for each in index.articles(language="fo")] == ["fo"]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT 1 FROM sqlite_master WHERE name = 'articles_by_language'").fetchall() == [(1,)]


def test_whether_bytes_of_a_warc_are_past_their_time(index: Index) -> None:
    end = datetime(2026, 11, 29, 12, tzinfo=UTC)
    said = (Signal("unavailable_after", end.isoformat(), "X-Robots-Tag"),)
    index.add(WARC, [capture(offset=10), capture(seconds=1, offset=50, rights=said)])
    assert index.has_ended(WARC.filename, 0, 1_000, end) and index.has_ended(WARC.filename, 0, 51, end)
    assert not index.has_ended(WARC.filename, 0, 1_000, end - timedelta(seconds=1))
    assert not index.has_ended(WARC.filename, 0, 50, end) and not index.has_ended("newskeep-other.warc.gz", 0, 99, end)


def test_an_index_from_before_marks_were_goes_on(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "DROP INDEX captures_noarchive; DROP INDEX articles_doubtful; ALTER TABLE captures DROP COLUMN noarchive;"
            "ALTER TABLE captures DROP COLUMN wall; ALTER TABLE captures DROP COLUMN insecure;"
            "ALTER TABLE articles DROP COLUMN noarchive; ALTER TABLE articles DROP COLUMN confidence;"
            f"{WITHOUT_RIGHTS} UPDATE about SET value = 3 WHERE name = 'schema'"
        )
    name = "newskeep-b.warc.gz"
    marked = capture("https://example.com/marked", 0, 70, filename=name, wall="a paywall", noarchive=True)
    with open_index(path) as index:
        assert index.counts().captures == 3_000
        assert not any(each.noarchive or each.wall for each in index.all_captures())
        assert list(index.doubtful()) == []
        index.add(replace(WARC, filename=name, sha256="b" * 64), [marked])
        assert list(index.captures(marked.url)) == [marked]


def test_whether_anything_says_noarchive(index: Index) -> None:
    index.add(WARC, [capture(offset=10)])
    assert not index.has_noarchive()
    index.add(replace(WARC, filename="b", sha256="b" * 64), [capture(filename="b", noarchive=True)])
    assert index.has_noarchive()


def test_whether_bytes_of_a_warc_say_noarchive(index: Index) -> None:
    index.add(WARC, [capture(offset=10), capture(seconds=1, offset=50, noarchive=True)])
    assert index.says_noarchive(WARC.filename, 0, 1_000)
    assert index.says_noarchive(WARC.filename, 59, 60) and index.says_noarchive(WARC.filename, 0, 51)
    assert not index.says_noarchive(WARC.filename, 0, 50) and not index.says_noarchive(WARC.filename, 60, 1_000)
    assert not index.says_noarchive("newskeep-other.warc.gz", 0, 1_000)


def test_a_failed_migration_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)
    before = schema.VERSION
    steps = {
        before: lambda connection: connection.execute(text("ALTER TABLE warcs ADD COLUMN note TEXT")),
        before + 1: lambda connection: connection.execute(text("UPDATE nowhere SET note = 1")),
    }
    with monkeypatch.context() as patch:
        patch.setattr(schema, "KIND", replace(schema.KIND, version=before + 2, migrations=steps))
        assert "no such table: nowhere" in refused(path)
    with open_index(path) as index:
        assert index.counts().captures == 3_000


def test_removed_while_open(index: Index, path: Path) -> None:
    index.add(WARC, [capture()])
    path.unlink()
    with pytest.raises(StoreUnavailable, match="the index was removed; make it again with `newskeep reindex`"):
        index.add(replace(WARC, filename="b"), [capture(filename="b")])
    with pytest.raises(StoreUnavailable, match="the index was removed"):
        index.closest("https://example.com/", NOON)


def test_replaced_while_open(index: Index, path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    filled(other)
    other.replace(path)
    with pytest.raises(StoreUnavailable, match="the index was replaced"):
        index.counts()


@pytest.mark.usefixtures("index")
def test_no_index_is_made_under_the_feet_of_another_process(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "KIND", replace(schema.KIND, busy_timeout=0))
    path.unlink()
    assert "another process keeps the index locked" in refused(path)
    assert not path.exists()


def test_discard(path: Path) -> None:
    discard_index(path)
    with open_index(path) as index, pytest.raises(AlreadyRunning, match="in use by another process") as caught:
        discard_index(path)
    assert str(path) in str(caught.value)
    index.close()
    discard_index(path)
    assert [each.name for each in path.parent.iterdir()] == ["index.sqlite.lock"]
    discard_index(path.parent / "nowhere" / "index.sqlite")


def test_the_log_of_a_removed_index_does_not_come_back(path: Path, tmp_path: Path) -> None:
    index = open_index(path)
    index.add(WARC, [capture()])
    log = tmp_path / "kept"
    shutil.copy(f"{path}-wal", log)
    index.close()
    path.unlink()
    log.replace(f"{path}-wal")
    with open_index(path) as fresh:
        assert fresh.counts() == Counts(0, 0, 0, 0)
        assert list(fresh.captures("example.com")) == []


# Folders that cannot be written


def as_reader(call: Callable[[], None]) -> None:
    """Run `call` in a process that may not write what we made; raises AssertionError when it fails."""
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
            call()
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


@pytest.fixture
def shared() -> Iterator[Path]:
    """A path in a folder that all may read; pytest's own are private."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder / "index.sqlite"
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("state", ["closed", "open elsewhere", "no lock file"])
def test_read_only(shared: Path, state: str) -> None:
    filled(shared)
    writer = open_index(shared) if state == "open elsewhere" else None
    if writer is not None:
        writer.add(replace(WARC, filename="b"), [capture(filename="b")])
    if state == "no lock file":
        shared.with_name("index.sqlite.lock").unlink()
    for each in shared.parent.iterdir():
        each.chmod(0o444)
    shared.parent.chmod(0o555)

    def read() -> None:
        with open_index(shared) as index:
            assert index.read_only
            assert sum(1 for _ in index.captures("example.com", match="host")) == 3_000 + (writer is not None)
            assert index.closest("https://example.com/7", at(0)) is not None
            with pytest.raises(StoreUnavailable, match="cannot be written here"):
                index.add(WARC, [])
            with pytest.raises(StoreUnavailable, match="cannot be written here"):
                index.remove(WARC.filename)

    as_reader(read)
    if writer is not None:
        writer.close()


def test_read_only_without_an_index(shared: Path) -> None:
    shared.parent.chmod(0o555)

    def read() -> None:
        with pytest.raises(StoreUnavailable, match="there is no index"):
            open_index(shared)

    as_reader(read)


def test_read_only_of_an_older_schema(shared: Path) -> None:
    filled(shared)
    set_version(shared, 0)
    shared.parent.chmod(0o555)

    def read() -> None:
        with pytest.raises(StoreUnavailable, match="cannot be written to update it"):
            open_index(shared)

    as_reader(read)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="there is no index"):
        open_index(tmp_path / "nowhere" / "index.sqlite")


def test_a_folder_in_the_place_of_the_file(path: Path) -> None:
    path.mkdir()
    assert "cannot be read or written" in refused(path)


def test_sites_are_named_once_each_however_many_there_are(index: Index) -> None:
    names = [f"paper{number:04}.example" for number in range(BATCH + 1)]
    pages = (f"https://{name}/{page}" for name in names for page in ("a", "b"))
    index.add(WARC, [], [article(url, offset=number, site=site_of(url)) for number, url in enumerate(pages)])
    assert list(index.sites()) == names
    assert list(index.sites(names[-2])) == names[-1:]
    assert list(index.sites(names[-1])) == []

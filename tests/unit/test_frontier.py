"""The frontier: what it remembers, in which order it gives it back, and that nothing is lost when processes meet."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.dialects import sqlite as dialect

from crawler.frontier import coverage, frontier_of, open_frontier, open_shared_frontier, schema, statements
from crawler.frontier.address_state import AddressState, Announcement, HostState, RobotsText, SiteRun, SiteState, Visit
from crawler.frontier.frontier import RUNS, Frontier
from crawler.frontier.recall import recall, reconcile
from crawler.frontier.revisit_policy import recalled
from crawler.frontier.run_counts import RunCounts
from storage import open_archive
from storage.errors import StoreUnavailable
from storage.index import ArticleEntry, WarcEntry, open_index
from storage.model import Capture
from storage.postgres_address import PostgresAddress

pytest_plugins = ["postgres"]

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
FEED = "https://example.com/feed"
A, B, C = (f"https://example.com/{name}" for name in "abc")


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def article(url: str, published: datetime | None = None) -> Announcement:
    return Announcement(url, "article", FEED, published)


def visit(url: str, when: datetime = NOON, **fields: object) -> Visit:
    made = Visit("s", url, "article", when, "held", when + timedelta(hours=1), 3600.0, changed=True, status=200)
    return replace(made, **fields)  # type: ignore[arg-type]


def known(frontier: Frontier, url: str) -> AddressState:
    found = frontier.known("s", url)
    assert found is not None
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "frontier.sqlite"


@pytest.fixture(params=["sqlite", "postgresql"])
def frontier(path: Path, request: pytest.FixtureRequest) -> Iterator[Frontier]:
    """A frontier of either kind: what is asked of it is answered alike."""
    if request.param == "sqlite":
        with open_frontier(path) as opened:
            yield opened
        return
    address = PostgresAddress.parse(request.getfixturevalue("postgres_database"))
    with open_shared_frontier(address, "s3://bucket/news") as opened:
        yield opened


def test_a_visit_comes_back_whole(frontier: Frontier) -> None:
    odd = "http://[::1]:8000/ø?x=1"
    frontier.announce("s", [Announcement(odd, "article", FEED)], NOON)
    told = visit(odd, at(1), etag='W/"x"', last_modified="Sun, 22 Nov 2026 10:00:00 GMT", digest="other:1")
    frontier.visited([replace(told, alias_of=A, reason="twin", published=at(-5))])
    assert known(frontier, odd) == AddressState(
        "s", odd, "article", "held", NOON, "twin", FEED, at(-5), at(1), at(1), at(61), 3600.0, 200, 'W/"x"',
        "Sun, 22 Nov 2026 10:00:00 GMT", "other:1", 0, A, at(1),
    )  # fmt: skip
    frontier.visited([visit(odd, at(2), last_modified="sunday, or so")])
    assert (known(frontier, odd).last_modified, known(frontier, odd).etag) == ("sunday, or so", None)


def test_addresses_of_sources_may_be_of_any_length(frontier: Frontier) -> None:
    """Longer than a row of PostgreSQL's B-trees, and of letters that cannot be packed."""
    letters = random.Random(7).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=60_000)
    source, page = FEED + "".join(letters), A + "".join(reversed(letters))
    for _ in range(2):
        frontier.announce("s", [Announcement(page, "article", source)], NOON)
        frontier.announce("s", [Announcement(f"{A}/2", "article", source)], NOON)
    assert known(frontier, page).source == known(frontier, f"{A}/2").source == source


def test_a_server_of_version_2_is_brought_up_to_date(postgres_database: str) -> None:
    address = PostgresAddress.parse(postgres_database)
    with open_shared_frontier(address, "s3://bucket/news") as frontier:
        frontier.announce("s", [article(A)], NOON)
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute("SET search_path = newskeep_frontier")
        connection.execute("DROP INDEX names_by_name")
        connection.execute("ALTER TABLE names ADD UNIQUE (site, name)")
        connection.execute("UPDATE about SET value = 2")
    with open_shared_frontier(address, "s3://bucket/news") as frontier:
        source = FEED + "".join(random.Random(7).choices("abcdefghijklmnopqrstuvwxyz", k=9_000))
        frontier.announce("s", [Announcement(B, "article", source)], NOON)
        assert (known(frontier, A).source, known(frontier, B).source) == (FEED, source)


def test_what_no_database_keeps_in_a_text(frontier: Frontier) -> None:
    """A NUL, and half of a surrogate pair, as a faulty site may send them."""
    for sign in ("\0", "\ud800"):
        frontier.put_host(HostState(f"h{sign}", at(1), f"a{sign}b"))
        found = frontier.host(f"h{sign}")
        assert found is not None and found.reason == "a\ufffdb"
        frontier.visited([replace(visit(A, NOON, etag=f"e{sign}"), alias_of=f"{B}{sign}", reason=f"r{sign}")])
        assert known(frontier, A).reason == "r\ufffd"
        assert frontier.site(f"s{sign}").due is None


def test_announced_again(frontier: Frontier) -> None:
    assert frontier.announce("s", [article(A), article(A), Announcement(FEED, "article")], NOON) == 2
    frontier.visited([visit(A, at(1))])
    assert frontier.announce("s", [article(A, at(-9)), article(B)], at(5)) == 1
    assert frontier.announce("s", [article(A, at(-7))], at(6)) == 0
    assert (known(frontier, A).state, known(frontier, A).published, known(frontier, A).announced) == (
        "held",
        at(-9),
        NOON,
    )
    frontier.announce("s", [Announcement(FEED, "feed")], at(7))
    assert [found.url for found in frontier.due_sources("s", at(7))] == [FEED]
    assert frontier.known("another", A) is None
    assert frontier.known_among("s", [A, B, C]) == {A, B}


def test_failures_are_counted_and_validators_kept(frontier: Frontier) -> None:
    frontier.visited([visit(A, etag="x", digest="d:1")])
    frontier.visited([visit(A, at(n), state="failed", reason="reset", changed=False, status=None) for n in (1, 2)])
    found = known(frontier, A)
    assert (found.failures, found.reason, found.etag, found.digest, found.changed) == (2, "reset", "x", "d:1", NOON)
    frontier.visited([visit(A, at(3), status=304, changed=False)])
    found = known(frontier, A)
    assert (found.failures, found.reason, found.etag, found.changed) == (0, None, "x", NOON)
    frontier.visited([visit(A, at(4))])
    assert (known(frontier, A).etag, known(frontier, A).changed) == (None, at(4))


def test_order_of_articles(frontier: Frontier) -> None:
    """New ones newest first, then those without a date; then the most overdue for their interval."""
    dates = {"new": at(-1), "old": at(-99), "undated": None, "future": at(10**6)}
    frontier.announce("s", [article(f"{A}/{name}", when) for name, when in dates.items()], NOON)
    frontier.visited([visit(B, at(-100), due=at(-50), interval=86_400.0), visit(C, at(-9), due=at(-5), interval=300.0)])
    frontier.visited([visit(f"{A}/later", due=at(1)), visit(f"{A}/never", due=None)])

    def order(limit: int) -> list[str]:
        return [found.url.rpartition("/")[2] for found in frontier.due_articles("s", NOON, limit)]

    assert order(99) == ["future", "new", "old", "undated", "c", "b"]
    # One place in five is for what was asked for before.
    assert order(5) == ["future", "new", "old", "undated", "c"]
    assert order(2) == ["future", "new"]
    assert order(0) == []
    assert frontier.next_due("s") == at(-50)
    assert frontier.next_due("nobody") is None


def test_the_date_of_an_article(frontier: Frontier) -> None:
    """Its publication goes before the day in its address, and that before its last change."""
    day, month = "https://a.example/2026/11/21/story", "https://a.example/2026/10/story"
    told = [
        Announcement("https://a.example/2026/11/20/story", "article", FEED, at(-1), at(-1)),
        Announcement(day, "article", FEED, None, at(-2)),
        Announcement("https://a.example/changed", "article", FEED, None, at(-3)),
        article("https://a.example/undated"),
        article(month),
        article("https://a.example/later"),
    ]
    frontier.announce("s", told, NOON)
    frontier.learn_dates("s", [Announcement(told[5].url, "article", FEED, None, at(-4)), article(C, NOON)], NOON)
    order = [told[0].url, told[2].url, told[5].url, day, month, told[3].url]
    assert [found.url for found in frontier.due_articles("s", NOON, 9)] == order
    assert frontier.known("s", C) is None, "only what is known learns"
    frontier.learn_dates("s", [Announcement(told[5].url, "article", FEED, at(-7), NOON)], NOON)
    assert (known(frontier, told[5].url).published, known(frontier, told[5].url).modified) == (at(-7), at(-4))
    assert known(frontier, day).published is None, "what an address tells is for the order alone"


def test_what_has_no_date_does_not_wait_for_ever(frontier: Frontier) -> None:
    frontier.announce("s", [article(f"{A}/undated/{n}") for n in range(9)], NOON)
    frontier.announce("s", [article(f"{A}/dated/{n}", at(-n)) for n in range(99)], NOON)

    def places(when: datetime, limit: int) -> int:
        chosen = frontier.due_articles("s", when, limit)
        assert len(chosen) == limit
        assert ["undated" in each.url for each in chosen] == sorted("undated" in each.url for each in chosen)
        return sum("undated" in each.url for each in chosen)

    assert [places(at(60), limit) for limit in (1, 20, 99)] == [0, 0, 0], "newest first"
    assert [places(at(24 * 60 + 1), limit) for limit in (1, 2, 20, 99, 105)] == [0, 1, 2, 9, 9], "a tenth, after a day"


def test_articles_by_another_order(frontier: Frontier) -> None:
    frontier.announce("s", [article(f"{A}/{n}", at(-n)) for n in range(9)], NOON)
    frontier.visited([visit(B, due=at(-5)), visit(C, due=at(5))])

    def rank(known: AddressState) -> tuple[float] | None:
        return None if known.published is None else (known.published.timestamp(),)

    assert [each.url for each in frontier.best_articles("s", NOON, 2, rank)] == [f"{A}/8", f"{A}/7"]
    # Of one rank those first that were named first, also where a server has written their rows anew since.
    frontier.learn_dates("s", [replace(article(f"{A}/{n}"), modified=NOON) for n in (3, 0)], NOON)
    named = [*(f"{A}/{n}" for n in range(9)), B]
    assert [each.url for each in frontier.best_articles("s", NOON, 99, lambda _: ())] == named
    assert [each.url for each in frontier.best_articles("s", NOON, 4, lambda _: ())] == named[:4]
    assert frontier.best_articles("s", NOON, 0, rank) == []


def test_articles_as_overdue_as_each_other(frontier: Frontier) -> None:
    urls = [f"{A}/{n}" for n in range(9)]
    frontier.announce("s", [article(url) for url in urls], at(-99))
    frontier.visited([visit(url, at(-90), due=at(-5)) for url in reversed(urls)])
    for limit in (4, 9):
        assert [each.url for each in frontier.due_articles("s", NOON, limit)] == urls[:limit]


def test_the_tables_of_version_1_become_those_of_today(path: Path) -> None:
    with open_frontier(path) as frontier:
        frontier.announce("s", [article("https://a.example/2026/11/20/x"), article(A), article(B, at(-9))], NOON)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DROP INDEX addresses_new")
        for column in ("dated", "named", "modified"):
            database.execute(f"ALTER TABLE addresses DROP COLUMN {column}")
        fresh = "INTEGER GENERATED ALWAYS AS (min(coalesce(published, announced), announced)) VIRTUAL"
        database.execute(f"ALTER TABLE addresses ADD COLUMN fresh {fresh}")
        database.execute("CREATE INDEX addresses_new ON addresses (site, fresh DESC) WHERE queue = 1")
        database.execute("UPDATE about SET value = 1")
    database.close()
    with open_frontier(path) as frontier:
        due = [found.url for found in frontier.due_articles("s", NOON, 9)]
        assert due == [B, "https://a.example/2026/11/20/x", A]


def test_due_sites(frontier: Frontier) -> None:
    frontier.announce("new", [article(A)], NOON)
    blocked = SiteState("blocked", NOON, NOON, at(-9), at(9), "403", 2)
    frontier.put_site(blocked)
    for name, minutes in (("late", -5), ("later", -7), ("early", 1)):
        frontier.put_site(SiteState(name, due=at(minutes)))
    assert [state.site for state in frontier.due_sites(None, NOON)] == ["new", "later", "late"]
    names = ["early", "late", "blocked", "unknown"]
    assert [state.site for state in frontier.due_sites(names, NOON)] == ["unknown", "late"]
    assert frontier.due_sites(["blocked"], at(9)) == [blocked] == [frontier.site("blocked")]
    assert [state.site for state in frontier.sites()] == ["blocked", "early", "late", "later", "new"]
    assert frontier.site("nobody") == SiteState("nobody")


def test_runs_and_hosts(frontier: Frontier) -> None:
    for number in range(RUNS + 3):
        frontier.start_run(SiteRun("s", f"crawl{number}", at(number)))
    last = SiteRun("s", f"crawl{RUNS + 2}", at(RUNS + 2), at(99), "finished", RunCounts(new=1), {"h": "500"}, ("bad",))
    frontier.finish_run(last)
    assert frontier.runs("s", 2) == [last, SiteRun("s", f"crawl{RUNS + 1}", at(RUNS + 1))]
    assert len(frontier.runs("s", 999)) == RUNS
    frontier.put_host(HostState("example.com:80", NOON, "Retry-After"))
    frontier.put_host(HostState("example.com:80", at(1)))
    assert frontier.host("example.com:80") == HostState("example.com:80", at(1))
    assert frontier.host("example.com") is None


def test_robots_txt_holds_for_its_time(frontier: Frontier) -> None:
    origin, text = "https://example.com", b"User-agent: *\nDisallow: /\xff\n"
    assert frontier.robots(origin, NOON) is None
    frontier.put_robots(RobotsText(origin, at(60), b""), NOON)
    frontier.put_robots(RobotsText(origin, at(90), text), NOON)
    assert frontier.robots(origin, at(89)) == RobotsText(origin, at(90), text)
    assert frontier.robots(origin, at(90)) is None
    assert frontier.robots("http://example.com", NOON) is None
    later = at(60 * 24 * 365)
    frontier.put_robots(RobotsText("http://example.com", later, b""), later)
    assert frontier.robots(origin, NOON) is None, "long over, and removed"


def test_coverage(frontier: Frontier) -> None:
    frontier.announce("s", [article(f"{A}/{n}", at(-10)) for n in range(6)], NOON)
    frontier.announce("s", [article(B)], at(-600))
    frontier.visited([visit(f"{A}/{n}", at(n)) for n in (1, 2, 3)])
    frontier.visited([visit(f"{A}/1", at(9), state="gone"), visit(f"{A}/4", state="refused", reason="robots.txt")])
    frontier.visited([visit(f"{A}/5", state="alias", alias_of=B)])
    found = frontier.coverage("s", NOON, at(1))
    assert (found.announced, found.held, found.median_delay, found.median_age) == (5, 3, 120.0, 720.0)
    assert {(group.state, group.reason): group.count for group in found.groups} == {
        ("held", None): 3,
        ("waiting", None): 1,
        ("refused", "robots.txt"): 1,
        ("alias", None): 1,
    }
    assert next(group.samples for group in found.groups if group.state == "refused") == (f"{A}/4",)
    assert frontier.coverage("s", at(1)).announced == 0
    assert frontier.announced_a_day("s", 2, at(1)) == [6, 0]
    assert frontier.announced_a_day("s", 2, NOON + timedelta(days=1)) == [5, 1], "from a day before on, not up to now"
    assert frontier.articles_a_day("s", 2, at(1)) == [(date(2026, 11, 20), 0), (date(2026, 11, 21), 3)]


def test_forget(frontier: Frontier) -> None:
    for name in ("s", "t"):
        frontier.announce(name, [article(f"{A}/{n}") for n in range(1_200)], NOON)
    frontier.start_run(SiteRun("s", "c", NOON))
    frontier.forget("s")
    frontier.forget("nobody")
    assert (frontier.counts().sites, frontier.counts().articles) == (1, {"waiting": 1_200})
    assert frontier.runs("s") == []


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from crawler.frontier import open_frontier
from crawler.frontier.address_state import Announcement, Visit
now, name = datetime(2026, 11, 21, 12, tzinfo=UTC), sys.argv[2]
with open_frontier(Path(sys.argv[1])) as frontier:
    for number in range(int(sys.argv[3])):
        url = f"https://example.com/{name}/{number}"
        frontier.announce("s", [Announcement(url, "article")], now)
        frontier.visited([Visit("s", "https://example.com/shared", "article", now, "failed", None)])
        print(number, flush=True)
"""


def writer(path: Path, name: str, number: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), name, str(number)], stdout=subprocess.PIPE)


def test_processes_write_at_once_and_one_is_killed(path: Path) -> None:
    doomed = writer(path, "doomed", 10**9)
    assert doomed.stdout is not None
    others = [writer(path, name, 40) for name in ("x", "y")]
    for _ in range(20):
        last = int(doomed.stdout.readline())
    os.kill(doomed.pid, signal.SIGKILL)
    told = [int(line) for line in doomed.stdout.read().split(b"\n")[:-1]]
    last = max([last, *told])
    doomed.wait()
    doomed.stdout.close()
    for other in others:
        assert len(other.communicate()[0].split()) == 40
        assert other.returncode == 0
    with open_frontier(path) as frontier:
        count = frontier.counts().articles["waiting"] - 80
        # What it told is there; it may have done one more step.
        assert last + 1 <= count <= last + 2
        failures = known(frontier, "https://example.com/shared").failures
        assert failures - 80 in (count, count - 1)
    with closing(sqlite3.connect(path)) as database, database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()


def test_a_file_that_cannot_be_used_says_what_to_do(path: Path) -> None:
    open_frontier(path).close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE about SET value = ?", (schema.VERSION + 1,))
    database.close()
    with pytest.raises(StoreUnavailable, match=r"made by a newer newskeep .* or move it away"):
        open_frontier(path)
    path.write_bytes(b"nonsense" * 1_000)
    with pytest.raises(StoreUnavailable, match=r"frontier is damaged .*; move it away"):
        open_frontier(path)


def test_the_index_is_remembered_from(frontier: Frontier, tmp_path: Path) -> None:
    warc = WarcEntry("a.warc.gz", 1, "a" * 64, ("text/a",))
    rows = [Capture(url, at(n), 200, "text/html", None, warc.filename, n, 1) for n, url in enumerate((A, B))]
    rows.append(Capture(C, at(2), 503, "text/html", None, warc.filename, 2, 1))
    texts = [
        ArticleEntry(url, at(n), "example.com", "T", "2026-11-20", None, 9, warc.filename, n, "text/a", n, 1)
        for n, url in enumerate((A, B))
    ]
    with open_index(tmp_path / "index.sqlite") as index:
        index.add(warc, rows, texts)
        # A run that was killed had fetched B; C only failed; D is new.
        frontier.announce("s", [article(url) for url in (B, C, "https://example.com/d")], at(-5))
        due = frontier.due_articles("s", at(10), 9)
        left = reconcile(frontier, index, due, recalled)
        assert {found.url for found in left} == {C, "https://example.com/d"}
        assert (known(frontier, B).state, known(frontier, B).captured) == ("held", at(1))
        assert recall(frontier, index, "s", ["www.example.com", "example.com"], recalled) == 1
        assert recall(frontier, index, "s", ["example.com"], recalled) == 0
    found = known(frontier, A)
    assert (found.state, found.captured, found.published) == ("held", NOON, datetime(2026, 11, 20, tzinfo=UTC))
    assert found.due is not None and found.due > at(60)


def test_a_wall_that_a_killed_run_archived_is_no_article_that_is_held(frontier: Frontier, tmp_path: Path) -> None:
    warc = WarcEntry("a.warc.gz", 1, "a" * 64, ())
    with open_index(tmp_path / "index.sqlite") as index:
        wall = Capture(A, at(1), 200, "text/html", None, warc.filename, 0, 1, wall="a login wall")
        index.add(warc, [wall])
        frontier.announce("s", [article(A)], at(-5))
        assert reconcile(frontier, index, frontier.due_articles("s", at(10), 9), recalled) == []
    found = known(frontier, A)
    assert (found.state, found.reason, found.captured) == ("refused", "a login wall", None)
    assert found.due is not None and found.due > at(1), "asked again, as walls are"


def test_of_an_archive(tmp_path: Path) -> None:
    with open_archive(str(tmp_path / "archive")) as archive:
        frontier_of(archive).announce("s", [article(A)], NOON)
        assert (archive.state / "frontier.sqlite").exists()
    with open_archive(str(tmp_path / "archive")) as archive:
        assert frontier_of(archive).counts().articles == {"waiting": 1}


def test_indexes_are_used(path: Path) -> None:
    """No question of a run reads all addresses, nor sorts all that are waiting."""
    open_frontier(path).close()
    wanted = {
        "addresses_by_due (site=? AND queue=? AND due>? AND due<?)": statements.due_sources("s", 0),
        "addresses_new (site=?)": statements.new_articles("s", 0, 9),
        "addresses_new (site=? AND dated=?)": statements.undated_articles("s", 0, 0, 9),
        "addresses_by_due (site=? AND queue=? AND due": statements.due_articles("s", 0),
        "COVERING INDEX addresses_by_due": statements.old_articles("s", 0, 9),
        "addresses_by_time (site=? AND announced>? AND announced<?)": coverage.BY_OUTCOME.statement.params(
            site="s", since=0, until=1
        ),
        "COVERING INDEX addresses_by_due (site=? AND queue=?": statements.next_due("s", 0),
    }
    with closing(sqlite3.connect(path)) as database, database:
        for index, query in wanted.items():
            sql = str(query.compile(dialect=dialect.dialect(), compile_kwargs={"literal_binds": True}))
            plan = "\n".join(row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}"))
            assert index in plan, plan
            assert "SCAN addresses" not in plan
            assert "addresses_new" not in plan or "TEMP B-TREE" not in plan
    database.close()

"""An index on PostgreSQL: what only a server has. What it finds is tested with SQLite's, in `test_index` and others."""

from __future__ import annotations

import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
from indexes import ARCHIVE, empty, shared_place
from pooler import Pooler
from postgres import GUARDED, OWNER, PostgresServer

from storage.errors import (
    AlreadyRunning,
    ConfigError,
    Corrupt,
    NewskeepError,
    StoreDenied,
    StoreUnavailable,
    UsageError,
)
from storage.index import (
    ArticleEntry,
    Filters,
    SharedIndex,
    Total,
    WarcEntry,
    discard_index,
    held_by_all,
    open_index,
    schema,
    word_sets,
)
from storage.index.index import Index
from storage.index.query_parser import SearchQuery
from storage.model import Capture
from storage.postgres_address import PostgresAddress
from storage.removals import hide

pytest_plugins = ["indexes", "pooler"]

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LONG = "https://example.com/" + "".join(f"{number:x}" for number in range(2_000))
FILTERS = (
    Filters(),
    Filters(site="example.com"),
    Filters(since=NOON + timedelta(days=1), until=NOON + timedelta(days=400)),
    Filters(until=NOON - timedelta(days=1)),
)


def warc(name: str) -> WarcEntry:
    return WarcEntry(f"{name}.warc.gz", 1_000, "a" * 64, (f"text/{name}",))


def capture(name: str, url: str, offset: int = 0, **fields: object) -> Capture:
    made = Capture(url, NOON + timedelta(seconds=offset), 200, "text/html", None, f"{name}.warc.gz", offset, 10)
    return replace(made, **fields)  # type: ignore[arg-type]


def article(name: str, url: str, offset: int = 0, **fields: object) -> ArticleEntry:
    place = (f"{name}.warc.gz", offset, f"text/{name}", 0, 1)
    made = ArticleEntry(url, NOON, "example.com", "Title", None, "en", 9, *place, text="bridge")
    return replace(made, **fields)  # type: ignore[arg-type]


@pytest.fixture
def place(index_database: SharedIndex) -> SharedIndex:
    empty(index_database)
    return index_database


@pytest.fixture
def index(place: SharedIndex) -> Iterator[Index]:
    with open_index(place) as opened:
        yield opened


def at(url: str, archive: str = ARCHIVE) -> SharedIndex:
    return SharedIndex(PostgresAddress.parse(url), archive)


# Where it is


@pytest.mark.parametrize(
    ("address", "shown", "has_password"),
    [
        ("postgresql://db.example.org/news", "postgresql://db.example.org/news", False),
        ("postgres://crawler@db:5433/news", "postgresql://crawler@db:5433/news", False),
        ("postgresql://crawler:s%2Fcret@db/news", "postgresql://crawler@db/news", True),
        (
            "postgresql://crawler@a,b:5433/news?target_session_attrs=primary",
            "postgresql://crawler@a,b:5433/news",
            False,
        ),
        ("postgresql://db/news?user=crawler&password=secret", "postgresql://db/news", True),
        ("postgresql://[::1]:5432/news", "postgresql://[::1]:5432/news", False),
        ("postgresql:///news", "postgresql:///news", False),
    ],
)
def test_an_address_is_shown_without_its_password(address: str, shown: str, has_password: bool) -> None:
    parsed = PostgresAddress.parse(address)
    assert (parsed.shown, parsed.has_password, parsed.uri) == (shown, has_password, address)
    assert "cret" not in f"{parsed!r} {SharedIndex(parsed, ARCHIVE)}"


@pytest.mark.parametrize(
    "address",
    [
        "secret",
        "index.sqlite",
        "mysql://u:secret@db/x",
        "postgresql://u:se/secret@db/x",
        "postgresql://u:secret#@db/x",
        # libpq would show all of it.
        "postgresql://u:sec%retsecret@db/x",
        "postgresql://u:secret%00@db/x",
        "postgresql://u:secret%@db/x",
        "postgresql://db/x?user=u&password=100%secret",
        "postgresql://db/x?secret",
    ],
)
def test_what_is_no_address_is_told_without_showing_it(address: str) -> None:
    with pytest.raises(UsageError, match="is given as postgresql://USER@HOST/DATABASE") as caught:
        PostgresAddress.parse(address)
    assert "secret" not in str(caught.value) and "sqlite" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"database": "nowhere"}, StoreUnavailable, "there is no database nowhere; make it: createdb nowhere"),
        ({"user": GUARDED, "password": "secret"}, StoreDenied, 'password authentication failed for user "guarded"'),
        ({"user": GUARDED}, StoreDenied, "no password supplied; the password is taken from the address or PGPASSFILE"),
        ({"user": "somebody"}, StoreDenied, "no pg_hba.conf entry"),
        ({"user": GUARDED, "password": "a%20pass%2Fword%3A%20100%25"}, StoreDenied, "the user may not do this"),
    ],
)
def test_a_server_that_does_not_let_us_in_is_one_line(
    postgres_server: PostgresServer, change: dict[str, str], error: type[NewskeepError], said: str
) -> None:
    with pytest.raises(error) as caught:
        open_index(at(postgres_server.url(**change)))
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert "secret" not in str(caught.value) and "pass%2F" not in str(caught.value)


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ("sslmode=perhaps", 'invalid sslmode value: "perhaps"'),
        ("sslmoode=require", 'invalid URI query parameter: "sslmoode"'),
        ("target_session_attrs=any-one", 'invalid target_session_attrs value: "any-one"'),
        ("ssl_min_protocol_version=9", 'invalid "ssl_min_protocol_version" value: "9"'),
        ("port=99999", 'invalid port number: "99999"'),
        ("port=1,2", "could not match 2 port numbers to 1 hosts"),
        ("hostaddr=here", 'could not parse network address "here"'),
        ("keepalives=often", 'invalid integer value "often" for connection option "keepalives"'),
        ("service=none", 'definition of service "none" not found'),
        ("options=-ccolour%3Dred", 'unrecognized configuration parameter "colour"'),
        ("options=-cjit%3Dperhaps", 'parameter "jit" requires a Boolean value'),
    ],
)
def test_a_parameter_that_no_address_has_is_a_mistake_in_it(
    postgres_server: PostgresServer, parameter: str, said: str
) -> None:
    url = postgres_server.url(password="secret")
    with pytest.raises(ConfigError, match="its address has a wrong parameter: ") as caught:
        open_index(at(f"{url}?{parameter}"))
    assert said in str(caught.value) and "\n" not in str(caught.value) and "secret" not in str(caught.value)


def test_a_server_that_has_no_connection_left(postgres_server: PostgresServer, place: SharedIndex) -> None:
    """As with `max_connections`, which no test can use up alone."""
    with postgres_server.connect() as connection:
        connection.execute(f"ALTER ROLE {GUARDED} CONNECTION LIMIT 0")
        try:
            with pytest.raises(
                StoreUnavailable, match=r"the server has no connection left \(.*too many connections for"
            ):
                open_index(at(guarded_url(postgres_server, place)))
        finally:
            connection.execute(f"ALTER ROLE {GUARDED} CONNECTION LIMIT -1")


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(StoreUnavailable, match=r"127.0.0.1:1/news: the server cannot be reached .*refused"):
        open_index(at("postgresql://crawler:secret@127.0.0.1:1/news"))


def test_without_the_extra() -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from storage.archive import open_archive\n"
        "from storage.errors import NewskeepError\n"
        "try: open_archive('archive', index='postgresql://u:secret@127.0.0.1:1/x').index\n"
        "except NewskeepError as error: print(error.exit_code, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    pip = f"{shlex.quote(sys.executable)} -m pip install 'newskeep[postgres]'"
    said = f"2 postgresql://u@127.0.0.1:1/x: PostgreSQL needs psycopg: {pip}\n"
    assert done.stdout == said


def test_sqlite_does_not_load_what_only_a_server_needs(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\nfrom storage.index import open_index\n"
        "open_index(pathlib.Path(sys.argv[1])).close()\n"
        "print([name for name in sys.modules if 'psycopg' in name or name.endswith('dialects.postgresql')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "index.sqlite"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


# Whose it is


def test_it_belongs_to_one_archive(index: Index, place: SharedIndex) -> None:
    index.add(warc("a"), [capture("a", "https://example.com/")])
    other = replace(place, archive="s3://other/news")
    said = "the index of the archive file:///archive; s3://other/news needs a database of its own"
    for use in (open_index, discard_index):
        with pytest.raises(StoreUnavailable, match=said):
            use(other)
    assert index.counts().captures == 1


def test_emptied_in_one_step_for_all(index: Index, place: SharedIndex) -> None:
    index.add(warc("a"), [capture("a", "https://example.com/")])
    discard_index(place)
    # Who had it open goes on.
    assert index.counts().captures == 0
    assert index.add(warc("a"), [capture("a", "https://example.com/")])
    assert not list(index.problems())


def test_of_a_newer_version(postgres_server: PostgresServer) -> None:
    with shared_place(postgres_server) as place:
        open_index(place).close()
        with psycopg.connect(place.address.uri) as connection:
            connection.execute("UPDATE newskeep_index.about SET value = 1000 WHERE name = 'schema'")
        for use in (open_index, discard_index):
            with pytest.raises(StoreUnavailable, match=r"made by a newer newskeep \(schema 1000\); update this one"):
                use(place)


def test_made_by_many_at_once(postgres_server: PostgresServer) -> None:
    with shared_place(postgres_server) as place:
        _together(4, lambda _: open_index(place).close())
        with open_index(place) as index:
            assert index.counts().warcs == 0 and not list(index.problems())


def guarded_url(server: PostgresServer, place: SharedIndex) -> str:
    return server.url(place.address.uri.rpartition("/")[2], GUARDED, "a%20pass%2Fword%3A%20100%25")


def test_who_may_only_read(postgres_server: PostgresServer, index: Index, place: SharedIndex) -> None:
    index.add(warc("a"), [capture("a", "https://example.com/")])
    with psycopg.connect(place.address.uri, autocommit=True) as connection:
        connection.execute(f"GRANT USAGE ON SCHEMA newskeep_index TO {GUARDED}")
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA newskeep_index TO {GUARDED}")
    with open_index(at(guarded_url(postgres_server, place))) as reader:
        assert reader.read_only and [each.url for each in reader.all_captures()] == ["https://example.com/"]
        with pytest.raises(StoreUnavailable, match="the index cannot be written here"):
            reader.remove("a.warc.gz")


def test_made_anew_others_may_do_what_they_might(
    postgres_server: PostgresServer, index: Index, place: SharedIndex
) -> None:
    with psycopg.connect(place.address.uri, autocommit=True) as connection:
        connection.execute(f"GRANT USAGE ON SCHEMA newskeep_index TO {GUARDED}")
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA newskeep_index TO {GUARDED}")
        connection.execute("GRANT SELECT ON newskeep_index.captures TO PUBLIC")
    index.add(warc("a"), [capture("a", "https://example.com/")])
    discard_index(place)
    index.add(warc("b"), [capture("b", "https://example.com/")])
    with open_index(at(guarded_url(postgres_server, place))) as reader:
        assert reader.read_only and [each.filename for each in reader.all_captures()] == ["b.warc.gz"]


def test_in_a_schema_that_somebody_else_made(postgres_server: PostgresServer) -> None:
    """By a user who may make no schema: the owner of the database made it."""
    with shared_place(postgres_server) as place:
        with psycopg.connect(place.address.uri, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA newskeep_index AUTHORIZATION {GUARDED}")
        ours = at(guarded_url(postgres_server, place))
        with open_index(ours) as index:
            index.add(warc("a"), [capture("a", "https://example.com/")])
        discard_index(ours)
        with open_index(ours) as index:
            assert index.counts().warcs == 0
            index.add(warc("a"), [capture("a", "https://example.com/")])


@pytest.mark.parametrize(
    "setting", ["default_transaction_isolation = 'serializable'", "client_encoding = 'LATIN1'", "search_path = ''"]
)
def test_settings_of_a_database_are_not_ours(postgres_server: PostgresServer, setting: str) -> None:
    with shared_place(postgres_server) as place:
        with psycopg.connect(place.address.uri, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {connection.info.dbname} SET {setting}")
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(partial(_fill, place), range(4)))
        with open_index(place) as index:
            assert index.counts().warcs == 20 and len(list(index.articles())) == 20


def _fill(place: SharedIndex, number: int) -> None:
    with open_index(place) as index:
        for each in range(5):
            name = f"{number}-{each}"
            url = f"https://example.com/{name}"
            index.add(warc(name), [capture(name, url)], [article(name, url, title="Ł日本", text="the same words")])


def test_a_database_that_cannot_keep_every_text(postgres_server: PostgresServer) -> None:
    with postgres_server.connect() as connection:
        connection.execute("CREATE DATABASE old TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(StoreUnavailable, match="keeps texts in LATIN1 and not in UTF8; make one with `createdb"):
        open_index(at(postgres_server.url("old")))


def test_behind_a_pooler_that_gives_each_client_a_session(pooler: Pooler, place: SharedIndex) -> None:
    behind = at(f"postgresql://{OWNER}@127.0.0.1:{pooler('session')}/{place.address.uri.rpartition('/')[2]}")
    for name in "ab":
        with open_index(behind) as index, held_by_all(behind, "a compaction"):
            index.add(warc(name), [capture(name, "https://example.com/")], [article(name, "https://example.com/")])
            with pytest.raises(AlreadyRunning), held_by_all(behind, "a compaction"):
                pass
    with open_index(behind) as index:
        assert index.counts().warcs == len(list(index.all_captures())) == 2


def test_a_pooler_that_gives_each_transaction_a_session_is_refused(pooler: Pooler, place: SharedIndex) -> None:
    """There, two machines would hold the one lock of upkeep."""
    behind = at(f"postgresql://{OWNER}@127.0.0.1:{pooler('transaction')}/{place.address.uri.rpartition('/')[2]}")
    with (
        open_index(behind),
        pytest.raises(StoreUnavailable, match="gives each transaction another session; set its pool_mode = session"),
        held_by_all(behind, "a compaction"),
    ):
        pass


# What a server takes


def test_addresses_longer_than_its_indexes_take(index: Index) -> None:
    other = LONG[:-1] + "!"
    index.add(
        warc("a"),
        [capture("a", LONG, 0), capture("a", other, 1), capture("a", "https://example.com/z", 2)],
        [article("a", LONG)],
    )
    assert [each.url for each in index.captures(LONG)] == [LONG]
    assert {each.url for each in index.captures("https://example.com/0123", match="prefix")} == {LONG, other}
    assert len(list(index.all_captures())) == 3
    for found in (index.closest(LONG, NOON), index.latest(LONG), index.find(LONG, NOON)):
        assert found is not None and found.url == LONG
    assert [each.url for each in index.history(LONG)] == [LONG]
    assert [tally.site for tally in index.host_tallies()] == ["example.com"]
    index.hide([hide(LONG, "exact", "a reason", "somebody", also_future=True)])
    assert [each.url for each in index.all_captures()] == [other, "https://example.com/z"]


@pytest.mark.exhaustive
def test_a_text_of_more_words_than_a_set_takes(index: Index) -> None:
    text = " ".join(f"word{number}" for number in range(150_000))
    index.add(warc("a"), [], [article("a", "https://example.com/", text=text)])
    assert [hit.article.url for hit in index.search(SearchQuery.parse('"word998 word999"'))] == ["https://example.com/"]


# Several at once


def _together(number: int, work: object) -> None:
    failed: list[BaseException] = []

    def run(each: int) -> None:
        try:
            work(each)  # type: ignore[operator]
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(each,)) for each in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_writers_at_once_lose_nothing_and_enter_nothing_twice(place: SharedIndex) -> None:
    def deliver(writer: int) -> None:
        with open_index(place) as index:
            for number in range(3):
                name = f"w{writer}-{number}"
                # All of one second, and so after the same few ids of the words.
                rows = [article(name, f"https://example.com/{name}/{n}", n) for n in range(20)]
                index.add(warc(name), [capture(name, row.url, row.offset) for row in rows], rows)
                # Every machine may find it left over.
                index.add(
                    warc("all"), [capture("all", "https://example.com/all")], [article("all", "https://x.example/")]
                )

    _together(4, deliver)
    with open_index(place) as index:
        assert index.counts().captures == 4 * 3 * 20 + 1
        urls = [hit.article.url for hit in index.search(SearchQuery.parse("bridge"))]
        assert len(urls) == len(set(urls)) == 4 * 3 * 20 + 1
        assert not list(index.problems())


def test_another_file_of_one_name(index: Index) -> None:
    index.add(warc("a"), [])
    with pytest.raises(Corrupt, match="the index knows another file of this name"):
        index.add(replace(warc("a"), sha256="b" * 64), [])


def test_a_writer_that_is_cut_off_leaves_nothing_and_holds_nobody_up(index: Index, place: SharedIndex) -> None:
    def rows() -> Iterator[Capture]:
        yield capture("a", "https://example.com/")
        with psycopg.connect(place.address.uri, autocommit=True) as connection:
            ours = "datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {ours}")
        yield capture("a", "https://example.com/2", 1)

    with pytest.raises(StoreUnavailable):
        index.add(warc("a"), rows())
    assert index.counts().warcs == 0
    assert index.add(warc("a"), [capture("a", "https://example.com/")])


def test_a_server_that_is_restarted(postgres_server: PostgresServer, index: Index) -> None:
    index.add(warc("a"), [capture("a", "https://example.com/")])
    postgres_server.stop()
    with pytest.raises(StoreUnavailable, match="the server cannot be reached"):
        index.counts()
    with pytest.raises(StoreUnavailable, match="the server cannot be reached"):
        index.add(warc("b"), [])
    postgres_server.start()
    assert index.counts().captures == 1
    postgres_server.stop()
    postgres_server.start()
    # What waits in the pool is of the last server.
    assert index.add(warc("b"), [capture("b", "https://example.com/")])
    postgres_server.stop()
    postgres_server.start()
    assert index.latest("https://example.com/") is not None


def test_scrubbed(index: Index, place: SharedIndex) -> None:
    index.add(warc("a"), [], [article("a", "https://example.com/", text="unmistakable")])
    index.remove("a.warc.gz")
    index.scrub()
    with psycopg.connect(place.address.uri) as connection:
        held = "SELECT relpages FROM pg_class WHERE relname = 'search' AND relkind = 'r'"
        assert connection.execute(held).fetchone() == (0,)
    assert not list(index.problems()) and index.size() > 0


def test_indexes_of_some_rows_are_that_on_a_server_too(place: SharedIndex) -> None:
    some = {index.name for table in schema.metadata.tables.values() for index in table.indexes if _is_of_some(index)}
    with psycopg.connect(place.address.uri) as connection:
        asked = "SELECT indexname FROM pg_indexes WHERE schemaname = 'newskeep_index' AND indexdef LIKE '% WHERE %'"
        assert {name for (name,) in connection.execute(asked)} == some and len(some) >= 5


@pytest.mark.parametrize("days", [0.001, 20], ids=["at once", "in years"])
def test_no_question_makes_the_words_of_documents_into_sets(
    postgres_server: PostgresServer, tmp_path: Path, days: float
) -> None:
    """A set takes a hundred times what a look into the index does, and a common word stands in most documents."""
    entered = [
        article(
            "a",
            f"https://example.com/{number}",
            number,
            timestamp=NOON + timedelta(days=days * number),
            text=f"common {'often' if number % 3 else 'seldom'} word{number % 50}",
        )
        for number in range(300)
    ]
    with shared_place(postgres_server) as place, open_index(place) as index, open_index(tmp_path / "index") as other:
        for each in (index, other):
            each.add(warc("a"), [], entered)
        with psycopg.connect(place.address.uri) as connection:
            # The planner knows now what is common, as it does where autovacuum runs.
            connection.execute("ANALYZE newskeep_index.search")
            connection.execute(
                "CREATE OR REPLACE FUNCTION newskeep_index.word_set(words TEXT) RETURNS tsvector LANGUAGE plpgsql"
                " IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS $$ BEGIN RAISE 'a set is made'; END $$"
            )
        for typed in (
            "common",
            "word7",
            "common often",
            '"common seldom"',
            "common -often",
            "-often",
            "seldom OR word1",
        ):
            for filters in FILTERS:
                assert _answers(index, typed, filters) == _answers(other, typed, filters), (typed, filters)


def _answers(index: Index, typed: str, filters: Filters) -> list[object]:
    wanted = SearchQuery.parse(typed)
    hits = list(index.search(wanted, filters))
    behind = list(index.search(wanted, filters, before=hits[20].key, limit=20)) if hits[20:] else []
    best = {hit.article.url for hit in index.search(wanted, filters, order="relevance")}
    shown = [[(hit.article.url, hit.snippet) for hit in some] for some in (hits, behind)]
    matched = [index.match(hit.article, wanted, filters) is not None for hit in hits[:3]]
    return [*shown, best, matched, index.total(wanted, filters)]


def test_a_phrase_is_counted_and_ranked_in_the_newest_that_have_its_words(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["one two" if number % 2 else "two and one" for number in range(20)]
    index.add(warc("a"), [], [article("a", f"https://example.com/{n}", n, text=text) for n, text in enumerate(texts)])
    wanted = SearchQuery.parse('"one two"')
    assert index.total(wanted) == Total(10)
    monkeypatch.setattr(word_sets, "_LOOKED_AT", 8)
    assert index.total(wanted) == Total(4, exact=False)
    assert len(list(index.search(wanted, order="relevance"))) == 4
    # By time, all of them.
    assert len(list(index.search(wanted))) == 10


def test_what_every_match_reads_is_small(index: Index, place: SharedIndex) -> None:
    words = " ".join(f"word{number}" for number in range(180))
    many = [article("a", f"https://example.com/{number}", number, text=words) for number in range(100)]
    index.add(warc("a"), [], [*many, article("a", "https://example.com/short", 100)])
    with psycopg.connect(place.address.uri) as connection:
        pages = connection.execute("SELECT pg_relation_size('newskeep_index.search') / 8192").fetchone()
    assert pages == (1,)


def _is_of_some(index: object) -> bool:
    return index.dialect_options["sqlite"]["where"] is not None  # type: ignore[attr-defined]

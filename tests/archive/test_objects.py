"""One conformance suite over every store: a folder, OpenStack Swift's S3 API and moto's."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest
from s3_server import BUCKET, MOTO_PAGE, S3Server, use

from storage.errors import (
    ConfigError,
    Corrupt,
    ObjectExists,
    ObjectMissing,
    StoreUnavailable,
    UsageError,
)
from storage.objects import ObjectInfo, ObjectStore, Traffic, is_key, open_store
from storage.objects.local import LocalStore
from storage.objects.s3 import S3Settings, S3Store

pytest_plugins = ["s3_server"]

PART = 5 << 20  # the smallest part servers allow
KEY = "warc/2026/11/21/newskeep-20261121220112345-abc-00000.warc.gz"
NO_KEYS = (
    *("", "/a", "a/", "a//b", "..", "../a", "a/../b", ".", "a/./b", ".a", "a/.b"),
    *("é", "a b", "a\\b", "a\n", "a\0", "x" * 256, "x/" * 450 + "x"),
)
numbers = itertools.count()
#: For what an S3 server has no part in, or the same: of the two, moto is always asked.
of_the_client = pytest.mark.parametrize(
    "make_store", ["folder", pytest.param("swift", marks=pytest.mark.exhaustive), "moto"], indirect=True
)


@pytest.fixture(params=["folder", "swift", "moto"])
def make_store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], ObjectStore]]:
    """Give a function that opens the same, at first empty, store again and again."""
    made: list[ObjectStore] = []

    def make() -> ObjectStore:
        store: ObjectStore
        if request.param == "folder":
            store = LocalStore(str(tmp_path / "archive"))
        else:
            store = S3Store(uri, S3Settings(part_bytes=PART, attempts=2))
        made.append(store)
        return store

    if request.param == "folder":
        (tmp_path / "archive").mkdir()
    else:
        server: S3Server = request.getfixturevalue(f"{request.param}_server")
        use(server, monkeypatch)
        uri = f"s3://{BUCKET}/run-{next(numbers)}"
    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(make_store: Callable[[], ObjectStore]) -> ObjectStore:
    return make_store()


def read(store: ObjectStore, key: str, start: int = 0, length: int | None = None) -> bytes:
    with store.open(key, start, length) as stream:
        return stream.read()


def test_gives_back_what_was_put(store: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    for size in (0, 1, 65_537):
        data = os.urandom(size)
        source.write_bytes(data)
        store.put(f"bytes/{size}", data)
        store.put(f"file/{size}", source)
        assert read(store, f"bytes/{size}") == read(store, f"file/{size}") == data
        assert store.stat(f"file/{size}") == ObjectInfo(f"file/{size}", size)
        assert source.read_bytes() == data


def test_tells_its_time(store: ObjectStore) -> None:
    there = store.clock()
    assert there is not None
    # Of the same machine; whole seconds, and a test may be held up.
    assert abs(datetime.now(UTC) - there) < timedelta(minutes=10)
    assert [*store.list()] == []


@pytest.mark.parametrize(
    ("make_store", "extra"),
    [
        pytest.param(kind, extra, marks=pytest.mark.exhaustive if kind == "swift" and extra != 1 else ())
        for kind in ("folder", "swift", "moto")
        for extra in (0, 1, PART)
    ],
    indirect=["make_store"],
)
def test_puts_large_files_in_parts(store: ObjectStore, tmp_path: Path, extra: int) -> None:
    data = os.urandom(PART + extra)
    source = tmp_path / "source"
    source.write_bytes(data)
    store.put(KEY, source)
    assert read(store, KEY) == data
    assert read(store, KEY, PART - 3, 2) == data[PART - 3 : PART - 1]
    assert [*store.list()] == [ObjectInfo(KEY, len(data))]


def test_a_second_put_of_the_same_content_is_success(store: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes((b"same" * PART)[: PART + 1])
    store.put(KEY, source)
    before = store.traffic
    store.put(KEY, source)
    assert read(store, KEY) == source.read_bytes()
    if isinstance(store, S3Store):
        # Nothing goes over the line a second time but what proves that it is there.
        assert (store.traffic - before).bytes_written == 0


def test_a_put_never_changes_another_content(store: ObjectStore) -> None:
    store.put(KEY, b"content")
    for other in (b"other content", b"CONTENT", b"", b"l" * (PART + 1)):
        with pytest.raises(ObjectExists, match="newskeep-20261121220112345-abc-00000"):
            store.put(KEY, other)
        assert read(store, KEY) == b"content"


def test_no_revision_is_lost_where_many_revise(
    make_store: Callable[[], ObjectStore], request: pytest.FixtureRequest
) -> None:
    # Swift does not know If-Match for a put.
    at_once = 1 if request.node.callspec.params["make_store"] == "swift" else 6

    def add(number: int) -> None:
        def added(stream: BinaryIO | None) -> bytes:
            known = [] if stream is None else stream.read().split()
            return b" ".join(sorted({*known, b"%d" % number}))

        make_store().revise("sites/example.org.json", added)

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(add, range(6)))
    store = make_store()
    store.revise("sites/example.org.json", lambda stream: None)
    assert sorted(read(store, "sites/example.org.json").split()) == [b"%d" % number for number in range(6)]
    store.revise("sites/absent.json", lambda stream: None)
    assert store.stat("sites/absent.json") is None


def test_replace_changes_the_content(store: ObjectStore) -> None:
    for data in (b"first", b"the second one", b"", b"third"):
        store.replace("sites/example.org.json", data)
        assert read(store, "sites/example.org.json") == data
    assert [*store.list()] == [ObjectInfo("sites/example.org.json", 5)]


def test_reads_ranges(store: ObjectStore) -> None:
    data = b"0123456789"
    store.put(KEY, data)
    for start, length in [(0, None), (0, 10), (3, None), (3, 4), (9, 1), (10, None), (10, 0), (4, 0)]:
        assert read(store, KEY, start, length) == data[start : None if length is None else start + length]


def test_a_range_beyond_the_end_is_corruption(store: ObjectStore) -> None:
    store.put(KEY, b"0123456789")
    for start, length in [(0, 11), (9, 2), (10, 1), (11, None), (11, 0), (99, 5)]:
        with pytest.raises(Corrupt, match="holds 10 bytes"):
            store.open(KEY, start, length)


@of_the_client
def test_streams_can_be_read_piece_by_piece_and_left_early(store: ObjectStore) -> None:
    data = os.urandom(300_000)
    store.put(KEY, data)
    with store.open(KEY, 1, 299_998) as stream:
        assert stream.read(7) + stream.read(100_000) == data[1:100_008]
        piece = bytearray(11)
        stream.readinto(piece)  # type: ignore[attr-defined]
        assert piece == data[100_008:100_019]
        assert b"".join(iter(lambda: stream.read(40_000), b"")) == data[100_019:299_999]
        assert stream.read(1) == b""
    with store.open(KEY) as stream:
        assert stream.read(1) == data[:1]
    assert stream.closed
    assert read(store, KEY) == data


def test_what_is_not_there_is_missing(store: ObjectStore) -> None:
    store.put("warc/2026/a", b"content")
    for key in ("warc/2026/b", "warc/2026", "warc", "warc/2026/a.gz"):
        assert store.stat(key) is None
        for start, length in [(0, None), (0, 5), (3, None), (3, 0)]:
            with pytest.raises(ObjectMissing, match=key):
                store.open(key, start, length)


def test_lists_by_prefix_in_the_order_of_the_keys(store: ObjectStore) -> None:
    # "-" and "." sort before "/", digits and letters after it.
    keys = ["a-b/c", "a.b", "a/b", "a/b-c", "a/b/c/d", "a/b0", "a0", "aB", "ab", "b=c@d,e+f~!$&'()*", "z%20/%2F"]
    for key in reversed([key for key in keys if key != "a/b"]):
        store.put(key, key.encode())
    stored = sorted(key for key in keys if key != "a/b")
    assert [*store.list()] == [ObjectInfo(key, len(key)) for key in stored]
    for prefix in ("a", "a/", "a/b", "a/b/", "a/b/c/d", "a/bx", "A", "b=", "z%20/"):
        assert [info.key for info in store.list(prefix)] == [key for key in stored if key.startswith(prefix)]
    for key in stored:
        assert read(store, key) == key.encode()


@of_the_client
def test_an_empty_store_lists_nothing(store: ObjectStore) -> None:
    assert [*store.list()] == []
    assert [*store.list("warc/")] == []


@of_the_client
def test_a_listing_can_be_used_while_the_store_changes(store: ObjectStore) -> None:
    for number in range(5):
        store.put(f"cdxj/{number}", b"x")
    for info in store.list("cdxj/"):
        store.delete(info.key)
    assert [*store.list()] == []


def test_deleting_twice_is_no_error(store: ObjectStore) -> None:
    store.put("warc/a", b"one")
    store.put("warc/ab", b"two")
    for key in ("warc/a", "warc/a", "warc/never", "never/there", "warc"):
        store.delete(key)
    assert [*store.list()] == [ObjectInfo("warc/ab", 3)]
    store.put("warc/a", b"another")
    assert read(store, "warc/a") == b"another"


@of_the_client
def test_refuses_what_is_no_key(store: ObjectStore) -> None:
    verbs = (store.open, store.stat, store.delete, lambda key: store.put(key, b""), lambda key: store.replace(key, b""))
    for key in NO_KEYS:
        assert not is_key(key)
        for verb in verbs:
            with pytest.raises(UsageError, match="cannot be an object's key"):
                verb(key)
    for prefix in ("/", "a//", "../", "a/../b", "é", ".a"):
        with pytest.raises(UsageError, match="cannot be the start"):
            [*store.list(prefix)]
    assert [*store.list()] == []


def test_takes_the_longest_keys(store: ObjectStore) -> None:
    key = "/".join(["x" * 255, "y" * 255, "z" * 255, "w" * 32])
    store.put(key, b"long")
    assert [*store.list("x" * 255 + "/y")] == [ObjectInfo(key, 4)]


@of_the_client
def test_puts_of_the_same_content_at_once_all_succeed(make_store: Callable[[], ObjectStore]) -> None:
    stores = [make_store() for _ in range(4)]
    together = threading.Barrier(4)

    def put(store: ObjectStore) -> None:
        together.wait(240)
        store.put(KEY, b"the same")

    with ThreadPoolExecutor(4) as pool:
        [*pool.map(put, stores)]
    assert read(stores[0], KEY) == b"the same"


@of_the_client
def test_of_different_contents_put_at_once_one_is_kept(
    make_store: Callable[[], ObjectStore], request: pytest.FixtureRequest
) -> None:
    stores = [make_store() for _ in range(4)]
    together = threading.Barrier(4)

    def put(number: int) -> bytes | None:
        together.wait(240)
        try:
            stores[number].put(KEY, b"%d" % number)
        except ObjectExists:
            return None
        return b"%d" % number

    with ThreadPoolExecutor(4) as pool:
        winners = [data for data in pool.map(put, range(4)) if data is not None]
    assert read(stores[0], KEY) in winners
    if "swift" not in request.node.callspec.id:
        # Swift looks, then writes: two may slip through together. Names that are never used twice make up for it.
        assert len(winners) == 1


@of_the_client
def test_one_store_serves_many_threads(store: ObjectStore) -> None:
    data = os.urandom(50_000)
    store.put("warc/shared", data)

    def work(number: int) -> bytes:
        store.put(f"cdxj/{number:02}", b"%d" % number)
        return read(store, "warc/shared", number, 1000)

    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(work, range(16))] == [data[number : number + 1000] for number in range(16)]
    assert [info.key for info in store.list("cdxj/")] == [f"cdxj/{number:02}" for number in range(16)]


@of_the_client
def test_another_process_sees_what_was_put(make_store: Callable[[], ObjectStore]) -> None:
    make_store().put(KEY, b"content")
    assert read(make_store(), KEY) == b"content"


@of_the_client
def test_counts_what_it_asks(store: ObjectStore) -> None:
    assert store.traffic == Traffic()
    store.put(KEY, b"0123456789")
    assert store.traffic.bytes_written == 10
    before = store.traffic
    read(store, KEY, 3, 4)
    assert store.traffic - before == Traffic(requests=1, bytes_read=4)


def test_check_passes_and_leaves_nothing(store: ObjectStore) -> None:
    store.check()
    store.check(write=True)
    assert [*store.list()] == []
    assert store.sweep(timedelta(seconds=-5)) == 0


@of_the_client
def test_a_missing_source_is_named(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="not-there: No such file or directory"):
        store.put(KEY, tmp_path / "not-there")
    assert store.stat(KEY) is None


@pytest.mark.parametrize("kind", ["folder", "swift", "moto"])
def test_a_store_that_is_not_there_never_looks_empty(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "folder":
        store = open_store(str(tmp_path / "unmounted"))
    else:
        use(request.getfixturevalue(f"{kind}_server"), monkeypatch)
        store = S3Store("s3://no-such-bucket/archive", S3Settings(attempts=1))
    for verb in (
        store.check,
        store.sweep,
        lambda: store.stat(KEY),
        lambda: store.open(KEY),
        lambda: [*store.list("warc/")],
    ):
        with pytest.raises(StoreUnavailable, match=r"no such (bucket|folder)") as caught:
            verb()
        assert "\n" not in str(caught.value)
    store.close()


def test_passes_over_names_that_are_no_keys(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/arch%20ive")
    store.put("warc/a", b"a")
    for name in (".hidden", "warc/.newskeep-put-0123", "warc/a b", "warc/é"):
        (tmp_path / "arch ive" / name).write_bytes(b"not ours")
    assert [*store.list()] == [ObjectInfo("warc/a", 1)]


def test_passes_over_folder_marks_of_consoles(swift_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    use(swift_server, monkeypatch)
    client = swift_server.client()
    for key in ("marks/a/", "marks/a/warc/", "marks/a/warc/x", "marks/ab/y"):
        client.put_object(Bucket=BUCKET, Key=key, Body=b"")
    client.close()
    store = S3Store(f"s3://{BUCKET}/marks/a")
    assert [*store.list()] == [ObjectInfo("warc/x", 0)]
    store.close()


def test_lists_page_after_page(moto_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    use(moto_server, monkeypatch)
    client = moto_server.client()
    keys = [f"cdxj/{number:04}" for number in range(3 * MOTO_PAGE + 1)]
    for key in keys:
        client.put_object(Bucket=BUCKET, Key=f"pages/{key}", Body=b"x")
    client.close()
    store = S3Store(f"s3://{BUCKET}/pages")
    assert [info.key for info in store.list()] == keys
    assert store.traffic.requests == 4
    store.close()


def test_sweeps_unfinished_uploads(swift_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    use(swift_server, monkeypatch)
    client = swift_server.client()
    for key in ("mine/warc/a", "mine/warc/b", "others/warc/a"):
        client.create_multipart_upload(Bucket=BUCKET, Key=key)
    store = S3Store(f"s3://{BUCKET}/mine")
    assert store.sweep() == 0
    # Swift rounds the time up.
    assert store.sweep(timedelta(seconds=-5)) == 2
    assert store.sweep(timedelta(seconds=-5)) == 0
    left = client.list_multipart_uploads(Bucket=BUCKET, Prefix="others/")["Uploads"]
    assert [upload["Key"] for upload in left] == ["others/warc/a"]
    client.close()
    store.close()


#: Servers differ in the checksums that they know.
SETTINGS = [
    pytest.param(kind, setting, marks=() if kind == "moto" or "checksums" in setting else pytest.mark.exhaustive)
    for kind in ("swift", "moto")
    for setting in ("checksums=when_supported", "conditional=off", "verify=stat")
]


@pytest.mark.parametrize(("kind", "setting"), SETTINGS)
def test_every_setting_keeps_the_promises(
    kind: str, setting: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = request.getfixturevalue(f"{kind}_server")
    use(server, monkeypatch)
    name = setting.partition("=")[0]
    # The address goes before the environment.
    monkeypatch.setenv(f"NEWSKEEP_S3_{name.upper()}", "on" if name == "conditional" else "")
    settings = replace(S3Settings.from_environment(os.environ), part_bytes=PART)
    store = S3Store(f"s3://{BUCKET}/run-{next(numbers)}?{setting}", settings)
    large = tmp_path / "large"
    large.write_bytes(os.urandom(PART + 1))
    for source, other in ((b"content", b"CONTENT"), (large, b"x")):
        key = f"warc/{'large' if source is large else 'small'}"
        store.put(key, source)
        store.put(key, source)
        with pytest.raises(ObjectExists):
            store.put(key, other)
    assert read(store, "warc/small") == b"content"
    assert read(store, "warc/large") == large.read_bytes()
    store.close()


def test_endpoint_and_profile_come_from_awss_own_files(
    swift_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(swift_server, monkeypatch)
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    config = tmp_path / "config"
    config.write_text(
        f"[profile news]\nendpoint_url = {swift_server.endpoint}\nregion = eu-central-1\n"
        f"aws_access_key_id = {swift_server.access_key}\naws_secret_access_key = {swift_server.secret_key}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    # The region is wrong; Swift names the right one and boto3 follows.
    for uri, profile in ((f"s3://{BUCKET}/p?profile=news", ""), (f"s3://{BUCKET}/p", "news")):
        monkeypatch.setenv("AWS_PROFILE", profile) if profile else monkeypatch.delenv("AWS_PROFILE", raising=False)
        store = open_store(uri)
        assert store.stat("nothing") is None
        store.put("warc/a", b"content")
        assert store.stat("warc/a") == ObjectInfo("warc/a", 7)
        store.close()


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("gs://bucket/x", "gs://: an archive is a folder"),
        ("file://host/x", "three slashes"),
        ("s3://", "s3://bucket/prefix"),
        ("s3:///prefix", "s3://bucket/prefix"),
        ("s3://key:SECRET@bucket/prefix", "no credentials in an address"),
        ("s3://bucket?endpoint=http://key:SECRET@host", "no credentials in the endpoint"),
        ("s3://bucket/a/../b", "cannot be the start"),
        ("s3://bucket/" + "x" * 250, "cannot be the start"),
        ("s3://bucket?adressing=path", "unknown setting 'adressing'"),
        ("s3://bucket?secret=SECRET", "unknown setting"),
        ("s3://bucket?part_bytes=1", "unknown setting"),
        ("s3://bucket?addressing=sideways", "none of auto, path, virtual"),
        ("s3://bucket?endpoint=nonsense", "no http or https address"),
        ("s3://bucket?profile=nobody", "no such profile"),
    ],
)
def test_a_wrong_address_is_one_clear_line(uri: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(UsageError, match=words) as caught:
        open_store(uri)
    assert "SECRET" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSKEEP_S3_VERIFY", "perhaps")
    with pytest.raises(ConfigError, match="NEWSKEEP_S3_VERIFY"):
        open_store("s3://bucket")

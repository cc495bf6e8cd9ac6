"""What networks, servers and disks do to a store, and that nothing acknowledged is lost by it.

S3 stands behind a proxy that breaks chosen requests; the folder meets a full disk, a read-only one and `kill -9`.
"""

from __future__ import annotations

import io
import itertools
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import botocore.auth
import pytest
from fault_proxy import Fault, FaultProxy, Kind
from origin import Origin, response
from s3_server import BUCKET, S3Server, use

from storage.errors import Corrupt, ObjectExists, ObjectMissing, StoreDenied, StoreUnavailable
from storage.objects import ObjectInfo
from storage.objects.local import TEMPORARY, LocalStore
from storage.objects.s3 import S3Settings, S3Store

pytest_plugins = ["s3_server"]

PART = 5 << 20
KEY = "warc/2026/11/21/newskeep-20261121220112345-abc-00000.warc.gz"
NAME = "newskeep-20261121220112345-abc-00000"
#: Fits no request that has a query, such as those of a listing or a part.
OBJECT = r"\.gz$"
PARTS = "uploadId="
numbers = itertools.count()

Open = Callable[..., S3Store]


#: Where the servers differ: in digests, conditions and rights. The rest is the client's, which is the same before both.
both = pytest.mark.parametrize("server", ["swift", "moto"], indirect=True)


def both_for(names: str, values: Iterable[tuple[object, ...]], swift: Callable[..., bool]) -> pytest.MarkDecorator:
    """The same with parameters: moto for all of them, Swift for those where it may differ."""
    return pytest.mark.parametrize(
        f"server,{names}",
        [
            pytest.param(server, *each, marks=() if server == "moto" or swift(*each) else pytest.mark.exhaustive)
            for server in ("swift", "moto")
            for each in values
        ],
        indirect=["server"],
    )


@pytest.fixture(params=[pytest.param("swift", marks=pytest.mark.exhaustive), "moto"])
def server(request: pytest.FixtureRequest) -> S3Server:
    found: S3Server = request.getfixturevalue(f"{request.param}_server")
    return found


@pytest.fixture
def proxy(server: S3Server) -> Iterator[FaultProxy]:
    with FaultProxy(server.port) as running:
        yield running


@pytest.fixture
def open_store(server: S3Server, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Give a function that opens one and the same bucket's prefix, through the proxy unless told otherwise."""
    use(server, monkeypatch, proxy.endpoint)
    prefix = f"faults-{next(numbers)}"
    made: list[S3Store] = []

    def make(
        *, direct: bool = False, attempts: int = 2, conditional: str = "on", verify: str = "read", patience: float = 20
    ) -> S3Store:
        settings = S3Settings(
            attempts=attempts,
            connect_timeout=5,
            read_timeout=patience,
            conditional=conditional,
            verify=verify,
            part_bytes=PART,
            endpoint=server.endpoint if direct else proxy.endpoint,
        )
        made.append(S3Store(f"s3://{BUCKET}/{prefix}", settings))
        return made[-1]

    yield make
    for store in made:
        store.close()


@contextmanager
def one_clear_line(kind: type[Exception], words: str) -> Iterator[None]:
    """Expect an error that names its object or bucket and holds no secret."""
    with pytest.raises(kind, match=words) as caught:
        yield
    message = str(caught.value)
    assert "\n" not in message
    assert f"s3://{BUCKET}" in message
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in message
    assert len(message) < 400


def read(store: S3Store, key: str = KEY, start: int = 0, length: int | None = None) -> bytes:
    with store.open(key, start, length) as stream:
        return stream.read()


# Servers that are away


@pytest.mark.parametrize("kind", [Kind.RESET, Kind.BLACK_HOLE, Kind.REFUSE])
def test_says_so_when_the_server_is_away(proxy: FaultProxy, open_store: Open, kind: Kind) -> None:
    store = open_store(patience=1)
    proxy.inject(Fault(kind))
    words = {Kind.RESET: "connection|reached", Kind.BLACK_HOLE: "stopped answering", Kind.REFUSE: "overloaded"}[kind]
    verbs: list[Callable[[], object]] = [
        store.check,
        lambda: store.put(KEY, b"content"),
        lambda: store.stat(KEY),
    ]
    for verb in verbs[:1] if kind is Kind.BLACK_HOLE else verbs:
        with one_clear_line(StoreUnavailable, words):
            verb()
    proxy.inject()
    store = open_store()
    assert store.stat(KEY) is None
    store.put(KEY, b"content")
    assert read(store) == b"content"


def test_says_so_when_nobody_listens(proxy: FaultProxy, open_store: Open) -> None:
    store = open_store()
    store.put(KEY, b"content")
    proxy.close()
    with one_clear_line(StoreUnavailable, f"{re.escape(proxy.endpoint)}: the server cannot be reached"):
        store.open(KEY)
    with one_clear_line(StoreUnavailable, "cannot be reached"):
        [*store.list()]


def test_gets_over_two_overloads(proxy: FaultProxy, open_store: Open) -> None:
    store = open_store(attempts=3)
    proxy.inject(Fault(Kind.REFUSE, "PUT", times=2))
    store.put(KEY, b"content")
    assert read(open_store(direct=True)) == b"content"
    assert sum(request.startswith("PUT") for request in proxy.seen) == 3


# Uploads


@both_for(
    "kind,large",
    [*product((Kind.CUT_UPLOAD, Kind.RESET, Kind.LOSE_REPLY, Kind.FLIP_UPLOAD), (False, True))],
    # What is cut never reaches a server whole; of a reply that is lost, see below.
    swift=lambda kind, large: kind is Kind.FLIP_UPLOAD or (kind is Kind.CUT_UPLOAD and large),
)
def test_an_upload_that_fails_once_is_made_again(
    proxy: FaultProxy, open_store: Open, tmp_path: Path, kind: Kind, large: bool
) -> None:
    data = os.urandom(PART + 70_000 if large else 70_000)
    source = tmp_path / "source"
    source.write_bytes(data)
    proxy.inject(Fault(kind, "PUT", times=1, at=50_000))
    open_store().put(KEY, source)
    store = open_store(direct=True)
    assert read(store) == data
    assert [*store.list()] == [ObjectInfo(KEY, len(data))]


@pytest.mark.parametrize("large", [False, True])
def test_an_upload_that_always_fails_leaves_nothing(proxy: FaultProxy, open_store: Open, large: bool) -> None:
    data = os.urandom(PART + 70_000 if large else 70_000)
    proxy.inject(Fault(Kind.CUT_UPLOAD, "PUT", at=50_000))
    with one_clear_line(StoreUnavailable, NAME):
        open_store().put(KEY, data)
    store = open_store(direct=True)
    assert store.stat(KEY) is None
    store.sweep(timedelta(seconds=-5))
    assert store.sweep(timedelta(seconds=-5)) == 0
    store.put(KEY, data)
    assert read(store) == data


@both_for(
    "conditional,request_line",
    [*product(("on", "off"), ("PUT", "POST uploadId="))],
    swift=lambda conditional, _: conditional == "on",
)
def test_a_lost_reply_is_no_second_object_and_no_error(
    proxy: FaultProxy, open_store: Open, conditional: str, request_line: str
) -> None:
    method, _, target = request_line.partition(" ")
    data = os.urandom(PART + 1 if target else 1000)
    proxy.inject(Fault(Kind.LOSE_REPLY, method, target, times=1))
    open_store(conditional=conditional).put(KEY, data)
    store = open_store(direct=True)
    assert read(store) == data
    assert [*store.list()] == [ObjectInfo(KEY, len(data))]
    assert store.sweep(timedelta(seconds=-5)) == 0


def test_a_completed_upload_that_is_forgotten_is_found(proxy: FaultProxy, open_store: Open) -> None:
    """Our servers know a finished upload when they are told twice; others do not."""
    data = os.urandom(PART + 1)
    proxy.inject(
        Fault(Kind.LOSE_REPLY, "POST", PARTS, times=1),
        Fault(Kind.REFUSE, "POST", PARTS, times=1, status=404, code="NoSuchUpload"),
    )
    store = open_store()
    store.put(KEY, data)
    assert store.traffic.bytes_written == len(data)
    assert read(store) == data


def test_replies_that_are_always_lost_are_not_acknowledged(proxy: FaultProxy, open_store: Open) -> None:
    proxy.inject(Fault(Kind.LOSE_REPLY, "PUT"))
    store = open_store()
    with one_clear_line(StoreUnavailable, NAME):
        store.put(KEY, b"content")
    # The object is there all the same; the next run finds it so.
    proxy.inject()
    before = store.traffic
    store.put(KEY, b"content")
    assert (store.traffic - before).bytes_written == 0


def test_a_conflict_is_tried_again(proxy: FaultProxy, open_store: Open) -> None:
    proxy.inject(Fault(Kind.REFUSE, "PUT", times=1, status=409, code="ConditionalRequestConflict"))
    open_store().put(KEY, b"content")
    assert read(open_store(direct=True)) == b"content"


def test_does_without_conditional_puts_where_there_are_none(proxy: FaultProxy, open_store: Open) -> None:
    store = open_store()
    proxy.inject(Fault(Kind.REFUSE, "PUT", times=1, status=501, code="NotImplemented"))
    store.put("warc/a", b"content")
    store.put("warc/b", b"content")
    with one_clear_line(ObjectExists, "warc/b"):
        store.put("warc/b", b"another")
    assert read(store, "warc/a") == read(store, "warc/b") == b"content"


@both
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_somebody_was_quicker(proxy: FaultProxy, open_store: Open, method: str) -> None:
    """The look before the put sees nothing (a stale reply), and the put must not go through."""
    size = PART + 1 if method == "POST" else 1000
    open_store(direct=True).put(KEY, b"1" * size)
    proxy.inject(Fault(Kind.REFUSE, "GET", OBJECT, times=1, status=404, code="NoSuchKey"))
    with one_clear_line(ObjectExists, NAME):
        open_store().put(KEY, b"2" * size)
    store = open_store(direct=True)
    assert read(store) == b"1" * size
    # Nor does an unfinished upload stay.
    assert store.sweep(timedelta(seconds=-5)) == 0


@pytest.mark.parametrize("kind", [Kind.FLIP_DOWNLOAD, Kind.SHORTEN, Kind.CUT_DOWNLOAD])
def test_an_object_that_reads_back_wrong_is_written_again(proxy: FaultProxy, open_store: Open, kind: Kind) -> None:
    data = os.urandom(70_000)
    # The first look finds nothing; it is the second that counts.
    proxy.inject(
        Fault(Kind.REFUSE, "GET", times=1, status=404, code="NoSuchKey"), Fault(kind, "GET", times=1, at=60_000)
    )
    open_store().put(KEY, data)
    assert read(open_store(direct=True)) == data


def test_an_object_that_always_reads_back_wrong_is_not_acknowledged(proxy: FaultProxy, open_store: Open) -> None:
    proxy.inject(Fault(Kind.FLIP_DOWNLOAD, "GET", at=60_000))
    with one_clear_line(StoreUnavailable, "written 2 times, and each time it came back different"):
        open_store().put(KEY, os.urandom(70_000))


@both_for("verify", [("read",), ("stat",)], swift=lambda verify: verify == "read")
def test_damage_behind_the_stored_digest_is_mended(server: S3Server, open_store: Open, verify: str) -> None:
    """A shortened object with our own metadata, as a server leaves that lost its tail."""
    store = open_store(direct=True, verify=verify)
    store.put(KEY, b"0123456789")
    full = store.uri.removeprefix(f"s3://{BUCKET}/") + "/" + KEY
    client = server.client()
    digest = client.head_object(Bucket=BUCKET, Key=full)["Metadata"]["sha256"]
    client.put_object(Bucket=BUCKET, Key=full, Body=b"012345678", Metadata={"sha256": digest})
    client.close()
    with one_clear_line(Corrupt, "SHA-256 differs"):
        read(store)
    with one_clear_line(Corrupt, "holds 9 bytes"):
        store.open(KEY, 5, 5)
    store.put(KEY, b"0123456789")
    assert read(store) == b"0123456789"


# Downloads


@pytest.mark.parametrize(("start", "length"), [(0, None), (1000, 400_000), (499_000, None)])
@pytest.mark.parametrize("kind", [Kind.CUT_DOWNLOAD, Kind.SHORTEN])
def test_a_broken_download_goes_on_where_it_broke(
    proxy: FaultProxy, open_store: Open, kind: Kind, start: int, length: int | None
) -> None:
    data = os.urandom(500_000)
    open_store(direct=True).put(KEY, data)
    proxy.inject(Fault(kind, "GET", times=5, at=150))
    store = open_store()
    assert read(store, KEY, start, length) == data[start : None if length is None else start + length]
    assert store.traffic.requests == 6


@pytest.mark.parametrize("kind", [Kind.CUT_DOWNLOAD, Kind.SHORTEN])
def test_a_download_that_always_breaks_is_never_short_in_silence(
    proxy: FaultProxy, open_store: Open, kind: Kind
) -> None:
    data = os.urandom(500_000)
    open_store(direct=True).put(KEY, data)
    proxy.inject(Fault(kind, "GET", at=150))
    got = io.BytesIO()
    with open_store().open(KEY) as stream, one_clear_line(StoreUnavailable, "keeps breaking off"):
        while piece := stream.read(50):
            got.write(piece)
    assert data.startswith(got.getvalue())


def test_a_download_that_stalls_ends(proxy: FaultProxy, open_store: Open) -> None:
    data = os.urandom(500_000)
    open_store(direct=True).put(KEY, data)
    proxy.inject(Fault(Kind.CUT_DOWNLOAD, "GET", times=1, at=150), Fault(Kind.BLACK_HOLE, "GET"))
    with one_clear_line(StoreUnavailable, "stopped answering"):
        read(open_store(attempts=1, patience=1))


@pytest.mark.parametrize("kind", [Kind.HANG_DOWNLOAD, Kind.TRICKLE, Kind.BLACK_HOLE])
def test_a_server_that_falls_silent_is_asked_once(proxy: FaultProxy, open_store: Open, kind: Kind) -> None:
    """As long as it may be silent, a frozen server freezes us: tries would be so many times as long."""
    open_store(direct=True).put(KEY, os.urandom(500_000))
    verbs: list[Callable[[S3Store], object]] = [read, lambda store: [*store.list()]]
    if kind is not Kind.HANG_DOWNLOAD:
        verbs += [lambda store: store.put("warc/b", b"content"), lambda store: store.stat(KEY)]
    for verb in verbs:
        store = open_store(attempts=5, patience=1)
        proxy.inject(Fault(kind, at=150))
        with one_clear_line(StoreUnavailable, "stopped answering"):
            verb(store)
        assert store.traffic.requests == 1


def test_an_upload_that_stalls_ends(proxy: FaultProxy, open_store: Open) -> None:
    proxy.inject(Fault(Kind.SLOW_UPLOAD, "PUT", pause=1000))
    with one_clear_line(StoreUnavailable, "stopped answering"):
        open_store(attempts=5, patience=1).put(KEY, os.urandom(2 * PART))
    assert sum(request.startswith("PUT") for request in proxy.seen) <= 2


@pytest.mark.parametrize("size", [PART - 1, PART + 1], ids=["one request", "parts"])
@pytest.mark.exhaustive
def test_a_slow_upload_is_not_cut_off(proxy: FaultProxy, open_store: Open, size: int) -> None:
    """Silence is bounded, not how long a request works: this one takes longer than its server may be silent."""
    data = os.urandom(size)
    proxy.inject(Fault(Kind.SLOW_UPLOAD, "PUT", pause=0.5))
    store = open_store(attempts=1, patience=5)
    store.put(KEY, data)
    assert read(open_store(direct=True)) == data


def test_a_name_that_is_looked_up_for_ever(monkeypatch: pytest.MonkeyPatch, server: S3Server) -> None:
    use(server, monkeypatch)
    asked = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: asked.wait())
    store = S3Store(f"s3://{BUCKET}", S3Settings(read_timeout=0.5, endpoint="http://store.example.org"))
    with one_clear_line(StoreUnavailable, "cannot be reached"):
        store.check()
    asked.set()
    assert store.traffic.requests == 1
    store.close()


def test_a_flipped_byte_of_a_whole_object_is_seen(proxy: FaultProxy, open_store: Open) -> None:
    open_store(direct=True).put(KEY, os.urandom(70_000))
    proxy.inject(Fault(Kind.FLIP_DOWNLOAD, "GET", at=69_999))
    with one_clear_line(Corrupt, f"{NAME}.*SHA-256 differs"):
        read(open_store())


def test_two_versions_are_never_mixed(proxy: FaultProxy, open_store: Open) -> None:
    writer = open_store(direct=True)
    writer.replace("sites/example.org.json", b"1" * 300_000)
    proxy.inject(Fault(Kind.CUT_DOWNLOAD, "GET", times=1, at=150_000))
    with open_store().open("sites/example.org.json") as stream:
        assert stream.read(1) == b"1"
        writer.replace("sites/example.org.json", b"2" * 300_000)
        with one_clear_line(StoreUnavailable, "replaced while it was read"):
            stream.read()


def test_an_object_deleted_while_it_is_read_is_missing(proxy: FaultProxy, open_store: Open) -> None:
    writer = open_store(direct=True)
    writer.put(KEY, b"1" * 300_000)
    proxy.inject(Fault(Kind.CUT_DOWNLOAD, "GET", times=1, at=150_000))
    with open_store().open(KEY) as stream:
        stream.read(1)
        writer.delete(KEY)
        with one_clear_line(ObjectMissing, NAME):
            stream.read()


@pytest.mark.parametrize(
    "told",
    ["bytes 0-6/soon", "bytes 0-6/*", "bytes 0-6", "bytes 1-7/8", "bytes 0-6/" + "9" * 5_000, "items 0-6/7"],
    ids=lambda told: str(told)[:20],
)
def test_a_range_that_makes_no_sense_is_one_clear_line(
    told: str, moto_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Origin() as origin:
        use(moto_server, monkeypatch, origin.url().rstrip("/"))
        fields = [("ETag", '"1"'), ("Content-Range", told)]
        origin.on(f"/{BUCKET}/{KEY}", response(b"content", "206 Partial Content", fields))
        store = S3Store(f"s3://{BUCKET}", S3Settings(attempts=1, endpoint=origin.url()))
        with closing(store), one_clear_line(StoreUnavailable, "no S3 server"):
            store.open(KEY)


def test_a_time_that_makes_no_sense_is_one_clear_line(moto_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with Origin() as origin:
        use(moto_server, monkeypatch, origin.url().rstrip("/"))
        origin.on(f"/{BUCKET}/{KEY}", response(headers=[("ETag", '"1"'), ("Last-Modified", "soon")]))
        store = S3Store(f"s3://{BUCKET}", S3Settings(attempts=1, endpoint=origin.url()))
        with closing(store), one_clear_line(StoreUnavailable, "no S3 server"):
            store.stat(KEY)


# Refusals


@both_for(
    "variables,words",
    [
        ({"AWS_SECRET_ACCESS_KEY": "not-the-secret"}, "the signature is wrong"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "does not know the access key|the signature is wrong"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no credentials found"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "credentials are incomplete"),
    ],
    # Without a key no server is asked.
    swift=lambda variables, _: all(variables.values()),
)
def test_wrong_credentials_are_one_clear_line(
    open_store: Open, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: str
) -> None:
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    for name, value in variables.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    verbs: list[Callable[[S3Store], object]] = [
        lambda store: store.check(),
        lambda store: store.put(KEY, b"content"),
        lambda store: store.open(KEY),
        lambda store: store.stat(KEY),
    ]
    for verb in verbs:
        with pytest.raises(StoreDenied, match=words) as caught:
            verb(open_store(direct=True))
        assert secret not in str(caught.value)
        assert "not-the-secret" not in str(caught.value)


@both
def test_a_stranger_is_denied(server: S3Server, open_store: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.stranger[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.stranger[1])
    store = open_store(direct=True)
    for verb in (store.check, lambda: store.put(KEY, b"x"), lambda: store.stat(KEY), lambda: [*store.list()]):
        with one_clear_line(StoreDenied, "access denied"):
            verb()


def test_a_token_may_expire_in_the_middle_of_a_run(proxy: FaultProxy, open_store: Open) -> None:
    store = open_store()
    store.put("warc/a", b"content")
    proxy.inject(Fault(Kind.REFUSE, status=400, code="ExpiredToken"))
    for verb in (lambda: store.put("warc/b", b"x"), lambda: store.stat("warc/a"), lambda: store.open("warc/a")):
        with one_clear_line(StoreDenied, "session token has expired"):
            verb()
    proxy.inject()
    assert [*store.list()] == [ObjectInfo("warc/a", 7)]


def test_other_refusals_are_one_clear_line(proxy: FaultProxy, open_store: Open) -> None:
    store = open_store()
    for status, code, kind, words in [
        (403, "RequestTimeTooSkewed", StoreDenied, "clock"),
        (301, "PermanentRedirect", StoreUnavailable, "redirects all requests"),
        (400, "AuthorizationHeaderMalformed", StoreUnavailable, "another region"),
        (403, "QuotaExceeded", StoreUnavailable, "full"),
        (403, "InvalidObjectState", StoreUnavailable, "restore it"),
        (418, "Teapot", StoreUnavailable, "request failed"),
        (404, "<html>", StoreUnavailable, "no S3 server|request failed"),
    ]:
        proxy.inject(Fault(Kind.REFUSE, status=status, code=code))
        with one_clear_line(kind, words):
            store.put(KEY, b"content")
        with one_clear_line(kind, words):
            store.stat(KEY)


def test_a_wrong_clock_is_named(swift_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    use(swift_server, monkeypatch)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: datetime.now(UTC) - timedelta(hours=1))
    store = S3Store(f"s3://{BUCKET}", S3Settings(attempts=1))
    verbs: list[Callable[[], object]] = [store.check, lambda: store.stat(KEY), lambda: store.put(KEY, b"x")]
    for verb in verbs:
        with one_clear_line(StoreDenied, "this machine's clock is wrong"):
            verb()
    store.close()


# The folder


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let writes beyond `size` bytes fail as on a full disk, whoever we are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def without_privileges() -> Iterator[None]:
    """Be nobody for a while; root may write where it is not allowed to."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that anybody can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="newskeep-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("as_file", [False, True])
def test_a_full_disk_is_one_clear_line_and_leaves_nothing(tmp_path: Path, as_file: bool) -> None:
    store = LocalStore(str(tmp_path / "archive"))
    store.put("warc/a", b"content")
    source = tmp_path / "source"
    source.write_bytes(bytes(3_000_000))
    with (
        file_size_limit(1_000_000),
        pytest.raises(StoreUnavailable, match=r"warc/b: the disk or quota is full"),
    ):
        store.put("warc/b", source if as_file else source.read_bytes())
    with file_size_limit(1_000_000), pytest.raises(StoreUnavailable, match="full"):
        store.replace("warc/a", bytes(3_000_000))
    assert [*store.list()] == [ObjectInfo("warc/a", 7)]
    assert [*(tmp_path / "archive/warc").iterdir()] == [tmp_path / "archive/warc/a"]
    with store.open("warc/a") as stream:
        assert stream.read() == b"content"
    store.put("warc/b", source)


def test_a_read_only_folder_can_be_read(folder: Path) -> None:
    LocalStore(str(folder)).put("warc/a", b"content")
    (folder / "warc").chmod(0o555)
    folder.chmod(0o555)
    store = LocalStore(str(folder))
    with without_privileges():
        store.check()
        assert [*store.list()] == [ObjectInfo("warc/a", 7)]
        with store.open("warc/a") as stream:
            assert stream.read() == b"content"
        verbs: list[Callable[[], object]] = [
            lambda: store.check(write=True),
            lambda: store.put("warc/b", b"x"),
            lambda: store.put("new/b", b"x"),
            lambda: store.replace("warc/a", b"x"),
            lambda: store.delete("warc/a"),
        ]
        for verb in verbs:
            with pytest.raises(StoreDenied, match=f"{folder}.*: permission denied"):
                verb()
    (folder / "warc").chmod(0o755)
    folder.chmod(0o755)


def test_an_unreadable_folder_is_named(folder: Path) -> None:
    LocalStore(str(folder)).put("warc/a", b"content")
    (folder / "warc").chmod(0)
    store = LocalStore(str(folder))
    with without_privileges():
        for verb in (lambda: [*store.list()], lambda: store.open("warc/a"), lambda: store.stat("warc/a")):
            with pytest.raises(StoreDenied, match="permission denied"):
                verb()
    (folder / "warc").chmod(0o755)


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(b"a file")
    store = LocalStore(str(tmp_path / "archive"))
    for verb in (
        store.check,
        lambda: store.check(write=True),
        lambda: store.put("warc/a", b"x"),
        lambda: [*store.list()],
    ):
        with pytest.raises(StoreUnavailable, match=f"{tmp_path}/archive.*(Not a directory|File exists)"):
            verb()


def test_a_file_cut_while_it_is_read_is_never_short_in_silence(tmp_path: Path) -> None:
    store = LocalStore(str(tmp_path))
    store.put("warc/a", bytes(3_000_000))
    with store.open("warc/a") as stream:
        stream.read(1)
        os.truncate(tmp_path / "warc/a", 1_500_000)
        with pytest.raises(StoreUnavailable, match=r"warc/a: ended \d+ bytes early"):
            stream.read()


def test_a_killed_put_leaves_nothing_to_be_seen(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    source = tmp_path / "pipe"
    os.mkfifo(source)
    program = "import sys; from pathlib import Path; from storage.objects.local import LocalStore\n"
    program += "LocalStore(sys.argv[1]).put('warc/a', Path(sys.argv[2]))"
    process = subprocess.Popen([sys.executable, "-c", program, archive, source], cwd=Path(__file__).parents[2])
    with source.open("wb", buffering=0) as pipe:
        pipe.write(bytes(1_000_000))
        # The pipe holds 64 KiB, so most of it has been read by now, and the end has not.
        process.send_signal(signal.SIGKILL)
        process.wait()
    store = LocalStore(str(archive))
    assert [*store.list()] == []
    assert store.stat("warc/a") is None
    (stray,) = (archive / "warc").iterdir()
    assert stray.name.startswith(TEMPORARY)
    # Times of files are the kernel's; our clock may be another one (scripts/test-anywhere).
    now = time.time()
    os.utime(stray, (now, now))
    assert store.sweep() == 0
    os.utime(stray, (0, 0))
    assert store.sweep() == 1
    store.put("warc/a", b"content")
    assert [*(archive / "warc").iterdir()] == [archive / "warc/a"]

"""What a store does to a run, and that nothing told is lost by it: the real command, a real S3 server, a proxy between.

Every run that could not deliver ends with exit code 3 and one line that says why; the next one delivers.
"""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from fault_proxy import Fault, FaultProxy, Kind
from promises import IMPATIENT, Ended, Keeper, NewsOrigin, keeper_of
from s3_server import BUCKET, S3Server, use
from warm_start import WarmStart

from storage.errors import ConfigError
from storage.objects import open_store

pytestmark = pytest.mark.long

pytest_plugins = ["s3_server"]

numbers = itertools.count()
PAGES = [f"/{number}" for number in range(12)]
#: Seals a WARC after every other page.
SMALL = {"NEWSKEEP_WARC_MAX_BYTES": "2000"}
AWAY = {
    "reset": (Fault(Kind.RESET), "connection"),
    "black hole": (Fault(Kind.BLACK_HOLE), "stopped answering"),
    "503": (Fault(Kind.REFUSE), "overloaded or failing"),
}


@pytest.fixture
def origin() -> Iterator[NewsOrigin]:
    with NewsOrigin() as origin:
        yield origin


@pytest.fixture
def proxy(swift_server: S3Server) -> Iterator[FaultProxy]:
    with FaultProxy(swift_server.port) as running:
        yield running


@pytest.fixture
def keeper(
    swift_server: S3Server,
    proxy: FaultProxy,
    origin: NewsOrigin,
    tmp_path: Path,
    environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    warm_start: WarmStart,
) -> Keeper:
    use(swift_server, monkeypatch, proxy.endpoint)
    uri = f"s3://{BUCKET}/delivery-{next(numbers)}"
    return keeper_of(uri, tmp_path, environment, origin, warm_start, swift_server.secret_key)


def in_the_middle(keeper: Keeper, proxy: FaultProxy, *faults: Fault, **variables: str) -> Ended:
    """Save all pages; from the first outcome on the faults hit what is asked of the store."""
    keeper.origin.pace = 0.1
    process = keeper.start(*PAGES, **variables)
    keeper.first(process)
    proxy.inject(*faults)
    return keeper.end(process)


def delivers(keeper: Keeper, proxy: FaultProxy) -> None:
    """Run once more with everything in order."""
    proxy.inject()
    assert keeper.save("/after").code == 0
    keeper.check()


@pytest.mark.parametrize("how", [pytest.param("black hole", marks=pytest.mark.exhaustive), "503"])
def test_a_store_away_from_the_start_does_not_stop_the_crawl(keeper: Keeper, proxy: FaultProxy, how: str) -> None:
    fault, words = AWAY[how]
    proxy.inject(fault)
    ended = keeper.save(*PAGES, **IMPATIENT)
    assert ended.code == 3
    assert ended.outcomes == {"archived": len(PAGES)}
    first, last = ended.lines
    assert words in first
    assert f"waits in {keeper.state / 'spool'}" in first
    assert words in last
    assert keeper.waiting()
    delivers(keeper, proxy)


@pytest.mark.exhaustive
def test_nobody_listens(keeper: Keeper, proxy: FaultProxy) -> None:
    ended = keeper.save(*PAGES, AWS_ENDPOINT_URL_S3="http://127.0.0.1:1", **IMPATIENT)
    assert ended.code == 3
    assert ended.outcomes == {"archived": len(PAGES)}
    assert all("cannot be reached" in line for line in ended.lines)
    delivers(keeper, proxy)


@pytest.mark.parametrize("how", [pytest.param("reset", marks=pytest.mark.exhaustive), "black hole"])
def test_a_store_that_goes_away_in_the_middle(keeper: Keeper, proxy: FaultProxy, how: str) -> None:
    fault, words = AWAY[how]
    ended = in_the_middle(keeper, proxy, fault, **SMALL, **IMPATIENT)
    assert ended.code == 3
    assert len(keeper.told) == len(PAGES)
    (line,) = ended.lines
    assert words in line
    delivers(keeper, proxy)


@pytest.mark.exhaustive
def test_credentials_that_expire_in_the_middle(keeper: Keeper, proxy: FaultProxy) -> None:
    fault = Fault(Kind.REFUSE, status=400, code="ExpiredToken")
    ended = in_the_middle(keeper, proxy, fault, **SMALL)
    assert ended.code == 3
    assert len(keeper.told) == len(PAGES)
    (line,) = ended.lines
    assert "session token has expired" in line
    delivers(keeper, proxy)


@pytest.mark.exhaustive
def test_uploads_that_are_always_cut(keeper: Keeper, proxy: FaultProxy) -> None:
    proxy.inject(Fault(Kind.CUT_UPLOAD, method="PUT", at=100))
    ended = keeper.save(*PAGES, **IMPATIENT)
    assert ended.code == 3
    (line,) = ended.lines
    assert "connection" in line
    assert keeper.keys("warc/") == []
    delivers(keeper, proxy)


def test_replies_that_are_lost_once(keeper: Keeper, proxy: FaultProxy) -> None:
    """The put of each part, and the completion of an upload in parts, arrive; their replies do not."""
    proxy.inject(
        Fault(Kind.LOSE_REPLY, method="PUT", target=r"/text/.*\.gz$", times=1),
        Fault(Kind.LOSE_REPLY, method="PUT", target=r"\.cdxj$", times=1),
        Fault(Kind.LOSE_REPLY, method="POST", target="uploadId=", times=1),
        Fault(Kind.LOSE_REPLY, method="PUT", target=r"/crawls/", times=1),
    )
    ended = keeper.save("/noise/17000000", "/page")
    assert (ended.code, ended.lines) == (0, [])
    assert sum("POST" in seen and "uploadId=" in seen for seen in proxy.seen) == 2
    keeper.check()


@pytest.mark.exhaustive
def test_replies_that_are_always_lost(keeper: Keeper, proxy: FaultProxy) -> None:
    proxy.inject(Fault(Kind.LOSE_REPLY, method="PUT"))
    ended = keeper.save(*PAGES, **IMPATIENT)
    assert ended.code == 3
    assert len(ended.lines) == 1
    delivers(keeper, proxy)


@pytest.mark.parametrize(
    ("bucket", "variables", "words"),
    [
        (BUCKET, {"AWS_SECRET_ACCESS_KEY": "not-the-secret"}, "the signature is wrong"),
        (BUCKET, {"AWS_ACCESS_KEY_ID": "nobody"}, "does not know the access key|the signature is wrong"),
        ("newskeep-elsewhere", {}, "no such bucket"),
        ("no", {}, "as a bucket's name"),
    ],
)
def test_what_is_set_wrong_is_said_before_anything_is_fetched(
    keeper: Keeper, origin: NewsOrigin, bucket: str, variables: dict[str, str], words: str
) -> None:
    keeper.uri = keeper.uri.replace(BUCKET, bucket)
    ended = keeper.save("/page", **variables)
    assert (ended.code, ended.told) == (3, [])
    (line,) = ended.lines
    assert any(word in line for word in words.split("|")), line
    assert "not-the-secret" not in ended.err
    assert origin.log == []
    assert keeper.waiting() == []


def test_a_full_spool_stops_the_crawl(keeper: Keeper, proxy: FaultProxy) -> None:
    bound = {"NEWSKEEP_SPOOL_MAX_BYTES": "6000", **SMALL, **IMPATIENT}
    pages = [f"/{number}" for number in range(600)]
    proxy.inject(Fault(Kind.REFUSE))
    ended = keeper.save(*pages, **bound, NEWSKEEP_DELAY="0.1")
    assert ended.code == 3
    assert 0 < ended.outcomes["archived"] < len(pages)
    assert set(ended.outcomes) == {"archived"}
    assert f"the spool {keeper.state / 'spool'} is full" in ended.lines[-1]

    fetched = len(keeper.origin.log)
    again = keeper.save("/again", **bound)
    assert (again.code, again.told) == (3, [])
    assert "is full" in again.lines[-1]
    assert len(keeper.origin.log) == fetched
    delivers(keeper, proxy)


def test_stopped_with_uploads_waiting(keeper: Keeper, proxy: FaultProxy) -> None:
    bound = {**SMALL, "NEWSKEEP_S3_READ_TIMEOUT": "2", "NEWSKEEP_DELAY": "0.05"}
    process = keeper.start(*(f"/{number}" for number in range(600)), **bound)
    keeper.first(process)
    proxy.inject(Fault(Kind.BLACK_HOLE))
    while sum(".warc.gz" in name for name in keeper.waiting()) < 5:
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    # As long as five tries of one request take; each of the objects that wait would take as long again.
    ended = keeper.end(process)
    assert ended.code == 3
    assert "stopped answering" in ended.err
    assert "stopped before the end" in ended.lines[-1]
    delivers(keeper, proxy)


@pytest.mark.parametrize("where", ["folder", pytest.param("s3", marks=pytest.mark.exhaustive)])
def test_two_runs_at_once(keeper: Keeper, where: str) -> None:
    if where == "folder":
        keeper.uri, keeper.state = str(keeper.folder / "archive"), keeper.folder / "archive"
    keeper.origin.gate.clear()
    runs = [keeper.start(*PAGES, **SMALL) for _ in range(2)]
    keeper.origin.gate.set()
    assert [keeper.end(run).code for run in runs] == [0, 0]
    assert len(keeper.told) == 2 * len(PAGES)
    keeper.check()


def test_many_small_crawls_leave_four_objects_each(keeper: Keeper) -> None:
    for number in range(2):
        assert keeper.save(f"/{number}").code == 0
    keeper.check()
    keys = keeper.keys()
    kinds = [key.partition("/")[0] for key in keys if not key.startswith("sites/")]
    assert sorted(kinds) == sorted(["warc", "cdxj", "text", "crawls"] * 2)
    assert len([key for key in keys if key.startswith("sites/")]) <= 1


@pytest.mark.parametrize("name", ["ATTEMPTS", "CONNECT_TIMEOUT", "READ_TIMEOUT"])
@pytest.mark.parametrize("value", ["0", "-1", "soon", "inf", "nan"])
def test_a_wrong_number_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"NEWSKEEP_S3_{name}", value)
    with pytest.raises(ConfigError, match=f"NEWSKEEP_S3_{name}.*{value}"):
        open_store("s3://bucket")

"""A fault of the machine costs no page its text: it is extracted again, at the latest when the WARC is sealed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from multiprocessing import forkserver
from pathlib import Path

import pytest
from command import Run
from origin import Origin
from waiting import until
from warm_start import WarmStart

from crawler.session.correction_store import CorrectionStore
from crawler.session.extraction_pool import ExtractionLimits, ExtractionPool
from crawler.session.page_extraction import Extraction, extract_response
from crawler.session.reextract import reextract
from crawler.session.sealing import seal
from crawler.session.site_memory_store import SiteMemoryStore
from storage import open_archive
from storage.articles import read_part
from storage.errors import NewskeepError
from storage.model import Exchange
from storage.objects.circuit_breaker import CircuitBreaker
from storage.objects.local import LocalStore
from storage.spool import Parcel
from storage.warc_writer import WarcWriter

NOW = datetime(2026, 11, 22, tzinfo=UTC)
URL = "http://news.example/a"
LINE = "<p>Paragraph {} tells of the bridge that the town has waited for since the spring.</p>"


def answer(paragraphs: int = 9) -> bytes:
    body = f"<html><title>A bridge</title><article>{''.join(map(LINE.format, range(paragraphs)))}</article></html>"
    return f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def bloated() -> bytes:
    """A page that is far larger than what a worker has left of its memory where it may have no more."""
    return answer().replace(b"<article>", b"<!--%s--><article>" % (b"x" * 7_000_000))


def test_no_files_left_is_no_page_without_text(environment: Mapping[str, str], tmp_path: Path) -> None:
    script = """
import resource
from crawler.extraction import extract
page = "<html><article>" + "<p>The town has waited for the bridge since the spring of that year.</p>" * 9
most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (0, most[1]))
try:
    extract(page)
except OSError:
    resource.setrlimit(resource.RLIMIT_NOFILE, most)
    print(extract(page).words > 50)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


def test_no_memory_left_is_no_page_without_markup(environment: Mapping[str, str], tmp_path: Path) -> None:
    script = """
import resource
from crawler.html.document import parse
page = "<html><article>" + "<p>The town has waited for the bridge since the spring of that year.</p>" * 9
assert len(parse(page).findall(".//p")) == 9
taken, held = 1 << 20, []
resource.setrlimit(resource.RLIMIT_AS, (1 << 20, resource.RLIM_INFINITY))
# What is free goes, but for small pieces, which the interpreter needs.
while taken >= 2048:
    try:
        held.append(bytes(taken))
    except MemoryError:
        taken //= 2
try:
    print(parse(page))
except MemoryError:
    del held
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(len(parse(page).findall(".//p")))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "9\n"


def test_a_lower_limit_of_memory_stays(environment: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "response").write_bytes(answer())
    script = """
import os, resource
from datetime import UTC, datetime
from pathlib import Path
from crawler.session.extraction_pool import ExtractionLimits, ExtractionPool

set_before = 3 << 30
resource.setrlimit(resource.RLIMIT_AS, (set_before, set_before))
pool = ExtractionPool(1, ExtractionLimits(memory_bytes=4 << 30))
found = pool.extract_now(Path("response").read_bytes(), "http://news.example/a", datetime.now(UTC))
assert found.article is not None, found

def children(pid):
    return [int(each) for file in Path(f"/proc/{pid}/task").glob("*/children") for each in file.read_text().split()]

(worker,) = [each for child in children(os.getpid()) for each in children(child)]
print(resource.prlimit(worker, resource.RLIMIT_AS) == (set_before, set_before))
pool.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "True\n", done.stderr


def test_a_script_is_not_run_again_in_its_workers(environment: Mapping[str, str], tmp_path: Path) -> None:
    """As scripts are written that people type in: nothing in them asks for the name of their module."""
    script = tmp_path / "script.py"
    script.write_text(
        f"""
from datetime import UTC, datetime
from pathlib import Path
from crawler.session.extraction_pool import ExtractionLimits, ExtractionPool

with Path("runs").open("a") as runs:
    print("run", file=runs)
pool = ExtractionPool(1, ExtractionLimits())
extraction = pool.extract_now({answer()!r}, "http://a.example/", datetime(2026, 7, 16, tzinfo=UTC))
pool.close()
print(extraction.article is not None, extraction.reason)
"""
    )
    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.stdout == "True None\n", done.stderr
    assert (tmp_path / "runs").read_text() == "run\n"


def test_killed_worker_is_not_the_page() -> None:
    pool = ExtractionPool(1, ExtractionLimits())
    try:
        before = pool.extract_now(answer(), URL, NOW)
        assert before.article is not None
        assert not before.again

        async def killed() -> Extraction:
            before = _spent()
            task = asyncio.create_task(pool.extract(answer(40_000), URL, NOW))
            await _at_work(before)
            for pid in _workers():
                os.kill(pid, signal.SIGKILL)
            return await task

        extraction = asyncio.run(killed())
        assert extraction == Extraction(reason="no text: failed (the extractor was killed)", again=True)
        assert pool.extract_now(answer(), URL, NOW) == before
    finally:
        pool.close()


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore:resource_tracker. process died:UserWarning")
def test_pages_outlive_the_fork_server_and_the_resource_tracker() -> None:
    # Five large pages at once: on a busy machine none of them takes 30 s by itself.
    pool = ExtractionPool(2, ExtractionLimits(seconds=600))
    try:
        whole = pool.extract_now(answer(), URL, NOW)
        assert whole.article is not None

        async def pages() -> list[Extraction]:
            before = _spent()
            tasks = [asyncio.create_task(pool.extract(answer(20_000), URL, NOW)) for _ in range(5)]
            await _at_work(before)
            for pid in _helpers():
                os.kill(pid, signal.SIGKILL)
            return await asyncio.gather(*tasks)

        for extraction in asyncio.run(pages()):
            assert extraction.article is not None, extraction
            assert extraction.article.words > 200_000
        # None works on a page when these go, and the workers with them.
        idle = _workers()
        for pid in _helpers():
            os.kill(pid, signal.SIGKILL)
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in idle))
        assert pool.extract_now(answer(), URL, NOW) == whole
        assert pool.fault is None
        workers = _workers()
        assert len(workers) == 2
    finally:
        pool.close()
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


def _spent() -> dict[int, int]:
    """Processor time of each worker, in ticks of mostly 10 ms."""
    stats = {pid: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in _workers()}
    return {pid: int(fields[11]) for pid, fields in stats.items()}


async def _at_work(before: dict[int, int]) -> None:
    """Wait until a worker has begun with a page, which takes it a hundred times as long as this."""
    while not any(ticks - before.get(pid, 0) > 2 for pid, ticks in _spent().items()):
        await asyncio.sleep(0.01)


def _helpers() -> list[int]:
    """The fork server and the resource tracker of this process."""
    found = []
    for pid, parent in _parents().items():
        command = Path(f"/proc/{pid}/cmdline").read_bytes() if parent == os.getpid() else b""
        if b"from multiprocessing.forkserver" in command or b"from multiprocessing.resource_tracker" in command:
            found.append(pid)
    assert len(found) == 2, found
    return found


def test_workers_outlive_a_signal_to_the_process_group(environment: Mapping[str, str], tmp_path: Path) -> None:
    """As `timeout` and supervisors send it: the crawler decides what becomes of the page under way."""
    (tmp_path / "response").write_bytes(answer(8_000))
    script = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Timer
from crawler.session.extraction_pool import ExtractionLimits, ExtractionPool

signal.signal(signal.SIGTERM, lambda *_: None)
pool = ExtractionPool(1, ExtractionLimits())
page, url, now = Path("response").read_bytes(), "http://news.example/a", datetime.now(UTC)
before = pool.extract_now(page[:2_000], url, now)
assert before.article is not None, before
for after in (0.0, 0.2, 0.5):
    Timer(after, os.killpg, (0, signal.SIGTERM)).start()
found = pool.extract_now(page, url, now)
assert found.article is not None, found
pool.close()
"""
    run = {"cwd": tmp_path, "env": environment, "capture_output": True, "timeout": 120}
    done = subprocess.run([sys.executable, "-c", script], start_new_session=True, check=False, **run)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr.decode()


def _workers() -> list[int]:
    """The children of this process's own fork server.

    Not all its grandchildren: those are also the fork server and the resource tracker that the tests' commands share.
    """
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    return [one for one, parent in _parents().items() if parent == server]


def _parents() -> dict[int, int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return parents


@pytest.mark.parametrize("faults", [1, 99])
def test_sealing_extracts_again(tmp_path: Path, caplog: pytest.LogCaptureFixture, faults: int) -> None:
    parcel = Parcel(tmp_path / "newskeep-20261122000000000-0123456789ab-00000.warc.gz")
    writer = WarcWriter(parcel.warc, parcel.filename, {})
    writer.append(Exchange(URL, NOW, b"GET /a HTTP/1.1\r\n\r\n", answer()))
    writer.close()
    attempts: list[float] = []

    def extract(response: bytes, url: str, captured: datetime) -> Extraction:
        attempts.append(time.monotonic())
        if len(attempts) <= faults:
            return Extraction(reason="no text: OSError: too many open files", again=True)
        return extract_response(response, url, captured, 1 << 20)

    store = LocalStore(str(tmp_path / "archive"))
    store.check(write=True)
    memories = SiteMemoryStore(store, tmp_path / "state", CircuitBreaker())
    seal(parcel, extract, memories, CorrectionStore(store))
    with parcel.text.open("rb") as part:
        articles = [placed.article for placed in read_part(part)]
    if faults == 1:
        assert [article.words > 50 for article in articles] == [True]
        assert not caplog.records
    else:
        assert articles == []
        assert len(attempts) == 3
        assert "too many open files of http://news.example/a; newskeep reextract" in caplog.text


def test_where_page_after_page_fails_none_is_tried_again_at_once(caplog: pytest.LogCaptureFixture) -> None:
    pool = ExtractionPool(1, ExtractionLimits(memory_bytes=1 << 20))
    try:
        found = [pool.extract_now(bloated(), URL, NOW) for _ in range(7)]
    finally:
        pool.close()
    assert all(each.again for each in found)
    assert [each.hopeless for each in found] == [False] * 4 + [True] * 3
    assert len([record for record in caplog.records if "page after page" in record.getMessage()]) == 1


def test_a_machine_that_extracts_nothing_is_no_success(
    environment: Mapping[str, str], tmp_path: Path, newskeep: Run, warm_start: WarmStart
) -> None:
    script = """
import crawler.settings
from newskeep.cli import main
crawler.settings.EXTRACTION_MEMORY_BYTES = 1 << 20
main()
"""
    with Origin() as origin:
        origin.on_any(lambda _: answer(6_000))
        address = origin.url("/a")
        save = ["save", "--allow-private", "--ignore-robots", address, origin.url("/b")]
        done = warm_start.python(script, *save, cwd=tmp_path, environment=environment)
    assert done.returncode == 1, done.stderr.decode()
    assert b"\nnewskeep: no page got its text (no text: " in done.stderr
    assert newskeep("get", address, "--as", "text").returncode == 6
    for options in ([], ["--deep"]):
        verified = newskeep("verify", *options)
        assert verified.returncode == 7
        (line,) = verified.stdout.decode().splitlines()
        assert line.startswith("untexted/")
        assert "2 pages have not got the text" in line
        assert "`newskeep reextract`" in line
    assert newskeep("reextract", "--diff").returncode == 0
    assert newskeep("verify").returncode == 7, "nothing was written"
    assert newskeep("reextract").returncode == 0
    assert newskeep("verify", "--deep").returncode == 0
    assert not [path for path in (tmp_path / "archive" / "untexted").rglob("*") if path.is_file()]
    assert b"the bridge" in newskeep("get", address, "--as", "text").stdout
    pool = ExtractionPool(1, ExtractionLimits(memory_bytes=1 << 20))
    try:
        with open_archive(tmp_path / "archive") as archive, pytest.raises(NewskeepError, match="nothing was replaced"):
            list(reextract(archive, pool, workers=1))
    finally:
        pool.close()
    assert b"the bridge" in newskeep("get", address, "--as", "text").stdout


def test_workers_begin_with_their_models_loaded(environment: Mapping[str, str], tmp_path: Path) -> None:
    script = """
from crawler.session.extraction_pool import ExtractionLimits, ExtractionPool
from crawler.session.worker_context import WorkerContext

look = '''
from crawler.extraction.classify.boosted_trees import shipped
from crawler.extraction.metadata.language import _identifier
print(shipped.cache_info().currsize, _identifier.cache_info().currsize, flush=True)
'''
pool = ExtractionPool(1, ExtractionLimits())
process = WorkerContext().Process(target=exec, args=(look, {}))
process.start()
process.join()
pool.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "1 1\n", done.stderr


def test_workers_that_are_ended_while_they_begin_say_nothing(environment: Mapping[str, str], tmp_path: Path) -> None:
    script = """
from crawler.session.extraction_pool import ExtractionLimits, _Workers

for _ in range(5):
    workers = _Workers(4, ExtractionLimits())
    workers.check()
    workers.end()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")

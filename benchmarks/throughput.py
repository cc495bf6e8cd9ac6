"""Pages a second of a crawl, ours beside what others do with the same list: `python benchmarks/throughput.py --help`.

Real pages stand on a local nginx with many addresses, 8 of a site on each. A round does every way once, in turn, so
that a busy machine disturbs all of them alike; what is shown are medians, and the range of the ratios. CPU says more
than the clock where others work on the same machine.

    wget            wget --warc-file, then trafilatura's defaults with metadata in two processes
    scrapy-text     Scrapy with trafilatura in its callback
    scrapy          Scrapy alone: it throws the pages away
    archive         newskeep save --no-text
    text            newskeep save, into a folder
    s3              newskeep save, into a bucket of a Swift of our own
    s3-archive      newskeep save --no-text, into that bucket

It ends with the CPU of the writer of WARCs beside warcio's own.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from statistics import median

from corpus import Page, load
from corpus_server import ROOT
from nginx import nginx
from processes import MIB, Run, watch
from save import ENVIRONMENT, NEWSKEEP
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

sys.path += [str(ROOT), str(ROOT / "tests" / "helpers")]

from storage.model import Exchange
from storage.warc_writer import WarcWriter

HOSTS = tuple(f"127.0.1.{last}" for last in range(1, 65))
OTHERS = [sys.executable, str(ROOT / "benchmarks" / "others.py")]
WAYS = ("wget", "scrapy-text", "scrapy", "archive", "text", "s3", "s3-archive")
#: What each way is held against.
BESIDE = {"archive": "scrapy", "s3-archive": "scrapy"}


@dataclass(frozen=True, slots=True)
class Result:
    """One run of a way: seconds, of CPU too; bytes."""

    seconds: float
    cpu: float
    main_cpu: float
    memory: int
    stored: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="a folder with pages/*.html.gz and gold.jsonl")
    parser.add_argument("--pages", type=int, default=512, help="pages to fetch; the corpus repeats (default 512)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way runs (default 3)")
    parser.add_argument("--ways", default="wget,scrapy-text,scrapy,archive,text", help="(default: all but the bucket)")
    options = parser.parse_args()
    ways = options.ways.split(",")
    if unknown := set(ways) - set(WAYS):
        parser.error(f"no such way: {', '.join(sorted(unknown))}")
    pages = sorted(load(options.corpus), key=lambda page: page.site)
    results: dict[str, list[Result]] = defaultdict(list)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        listed = stack.enter_context(serving(pages, options.pages, scratch))
        environment = stack.enter_context(bucket(scratch)) if any("s3" in way for way in ways) else ENVIRONMENT
        for number, way in itertools.product(range(options.rounds), ways):
            folder = scratch / f"{way}-{number}"
            folder.mkdir()
            results[way].append(measured(way, listed, folder, environment, options.pages))
    show(results, options.pages)
    show_writers(pages)
    return 0


@contextmanager
def serving(pages: list[Page], count: int, scratch: Path) -> Iterator[Path]:
    """Serve `count` pages, those of a site together, and yield the list of their addresses."""
    root = scratch / "root"
    root.mkdir()
    (root / "robots.txt").write_text("User-agent: *\nDisallow:\n")
    for number in range(count):
        # A comment makes one page of the corpus another one for each time that it is served.
        (root / f"{number}.html").write_bytes(pages[number % len(pages)].html + b"\n<!-- %d -->\n" % number)
    share = -(-count // len(HOSTS))
    with nginx(root, scratch, HOSTS) as port:
        # By turns, as a list of many sites has it: no host is asked twice in a row.
        numbers = sorted(range(count), key=lambda number: (number % share, number))
        listed = scratch / "list.txt"
        listed.write_text("".join(f"http://{HOSTS[number // share]}:{port}/{number}.html\n" for number in numbers))
        size = sum(path.stat().st_size for path in root.glob("*.html"))
        print(f"{count} pages of {size / count / 1000:.0f} KB on {len(HOSTS)} addresses, {os.cpu_count()} cores")
        yield listed


@contextmanager
def bucket(scratch: Path) -> Iterator[Mapping[str, str]]:
    """Start a Swift; yield the environment that has the bucket found."""
    from s3_server import REGION, swift

    folder = scratch / "swift"
    folder.mkdir()
    with swift(folder) as server:
        yield {
            **ENVIRONMENT,
            "AWS_ENDPOINT_URL_S3": server.endpoint,
            "AWS_ACCESS_KEY_ID": server.access_key,
            "AWS_SECRET_ACCESS_KEY": server.secret_key,
            "AWS_DEFAULT_REGION": REGION,
        }


def measured(way: str, listed: Path, folder: Path, environment: Mapping[str, str], pages: int) -> Result:
    run = watch(_command(way, listed, folder), environment, every=0.25)
    came = run.stdout.count(b'"outcome": "archived"') if way not in ("wget", "scrapy", "scrapy-text") else _first(run)
    if run.code or came != pages:
        raise SystemExit(f"{way}: exit code {run.code}, {came} of {pages} pages")
    stored = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    result = Result(run.seconds, run.cpu, run.main_cpu, run.peak.total, stored)
    print(f"  {way:12} {pages / run.seconds:6.1f} pages/s, {run.cpu / pages * 1000:6.1f} ms of CPU a page", flush=True)
    return result


def _first(run: Run) -> int:
    return int((run.stdout.split() or [b"0"])[0])


def _command(way: str, listed: Path, folder: Path) -> list[str]:
    if way in ("wget", "scrapy", "scrapy-text"):
        return [*OTHERS, way, str(listed), str(folder)]
    archive = f"s3://newskeep/{folder.name}" if way.startswith("s3") else str(folder / "archive")
    command = [*NEWSKEEP, "save", "-i", str(listed), "--archive", archive, "--state", str(folder / "state")]
    command += ["--allow-private", "--ignore-robots", "--json"]
    return [*command, "--no-text"] if way.endswith("archive") else command


def show(results: Mapping[str, list[Result]], pages: int) -> None:
    print(f"\n{'':12}{'pages/s':>9}{'CPU ms/page':>13}{'main':>7}{'others':>8}{'MiB':>7}{'MB stored':>11}   against")
    for way, runs in results.items():
        cpu, main_cpu = (
            median(values) / pages * 1000 for values in zip(*((r.cpu, r.main_cpu) for r in runs), strict=True)
        )
        print(
            f"{way:12}{pages / median(run.seconds for run in runs):9.1f}{cpu:13.1f}{main_cpu:7.1f}{cpu - main_cpu:8.1f}"
            f"{median(run.memory for run in runs) / MIB:7.0f}{median(run.stored for run in runs) / 1e6:11.1f}"
            f"   {_against(results, way)}"
        )


def _against(results: Mapping[str, list[Result]], way: str) -> str:
    """How many times as many pages a second as the other way of the same round, and how much less CPU."""
    other = BESIDE.get(way, "wget")
    if other not in results or other == way:
        return ""
    pairs = list(zip(results[other], results[way], strict=True))
    faster = sorted(theirs.seconds / ours.seconds for theirs, ours in pairs)
    cheaper = sorted(theirs.cpu / ours.cpu for theirs, ours in pairs)
    return (
        f"{other}: {median(faster):.2f} x as fast ({faster[0]:.2f} to {faster[-1]:.2f}), "
        f"{median(cheaper):.2f} x as many pages a CPU second ({cheaper[0]:.2f} to {cheaper[-1]:.2f})"
    )


def show_writers(pages: list[Page]) -> None:
    """Print the CPU of writing request and response, ours and by warcio's defaults."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    request = b"GET / HTTP/1.1\r\nHost: news.example\r\nUser-Agent: newskeep\r\n\r\n"
    exchanges = [
        Exchange(page.url, datetime(2026, 1, 1, tzinfo=UTC), request, head + page.html, peer="192.0.2.1")
        for page in pages
    ]
    with tempfile.TemporaryDirectory() as scratch:
        seconds: dict[str, float] = {}
        for name, write in (("warcio", _write_by_warcio), ("ours", _write_by_ours)):
            path = Path(scratch) / name
            seconds[name] = _cpu(lambda write=write, path=path: write(exchanges, path))  # type: ignore[misc]
            each, size = seconds[name] / len(exchanges) * 1000, path.stat().st_size / 1e6
            print(f"WARC writing, {name}: {each:.2f} ms of CPU a page, {size:.1f} MB")
        print(f"  {seconds['warcio'] / seconds['ours']:.1f} x as fast as warcio's default")


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _write_by_ours(exchanges: list[Exchange], path: Path) -> None:
    writer = WarcWriter(path, path.name, {"software": "benchmark"})
    for exchange in exchanges:
        writer.append(exchange)
    writer.close()


def _write_by_warcio(exchanges: list[Exchange], path: Path) -> None:
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for exchange in exchanges:
            response_head, _, body = exchange.response.partition(b"\r\n\r\n")
            for kind, head, payload in (
                ("response", response_head, body),
                ("request", exchange.request.removesuffix(b"\r\n\r\n"), b""),
            ):
                first, *lines = head.decode().split("\r\n")
                fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
                protocol, _, rest = first.partition(" ")
                message = StatusAndHeaders(rest, fields, protocol)
                writer.write_record(
                    writer.create_warc_record(exchange.url, kind, payload=BytesIO(payload), http_headers=message)
                )


if __name__ == "__main__":
    sys.exit(main())

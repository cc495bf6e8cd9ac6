"""From a closed WARC to a bucket, and one page back, against plain boto3: `python benchmarks/delivery.py --help`.

A WARC of made-up news pages goes to a Swift of our own and back. Each round does every way once, in turn, so that a
busy machine disturbs all of them alike; medians and ranges are shown. "Seal" is what an orderly end of a crawl does:
read back and check every record, learn what repeats on the site, write text and CDXJ. The pages were extracted while
they came in, as in every crawl; that is not counted. "Deliver" puts and reads back the three objects and commits the
index.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ParamSpec

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "helpers")]

from s3_server import BUCKET, REGION, S3Server, swift  # noqa: E402

from crawler.session.correction_store import CorrectionStore  # noqa: E402
from crawler.session.extracted_lines import line_of  # noqa: E402
from crawler.session.page_extraction import Extraction, extract_response  # noqa: E402
from crawler.session.sealing import seal  # noqa: E402
from crawler.session.site_memory_store import SiteMemoryStore  # noqa: E402
from storage import open_archive  # noqa: E402
from storage.archive import Archive  # noqa: E402
from storage.model import Capture, Exchange  # noqa: E402
from storage.spool import Parcel  # noqa: E402
from storage.warc import key_of, make_stem  # noqa: E402
from storage.warc_writer import WarcWriter  # noqa: E402

START = datetime(2026, 11, 21, tzinfo=UTC)
#: Different texts; extraction of each takes much longer than writing it.
TEXTS = 40
SYLLABLES = [a + b for a in "bdfgklmnprst" for b in ("a", "e", "i", "o", "u", "an", "er", "is")]
Seconds = dict[str, list[float]]
P = ParamSpec("P")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=200, help="size of the WARC (default 200)")
    parser.add_argument("--rounds", type=int, default=3, help="how often it is sealed and delivered (default 3)")
    parser.add_argument("--gets", type=int, default=200, help="pages to get back (default 200)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, swift(Path(name)) as server:
        os.environ.update(
            AWS_ENDPOINT_URL_S3=server.endpoint,
            AWS_ACCESS_KEY_ID=server.access_key,
            AWS_SECRET_ACCESS_KEY=server.secret_key,
            AWS_DEFAULT_REGION=REGION,
        )
        parcel = make_parcel(Path(name), options.megabytes * 1_000_000)
        with open_archive(f"s3://{BUCKET}/benchmark", Path(name) / "state") as archive:
            show_puts(time_puts(server, archive, parcel, options.rounds), parcel)
        with open_archive(f"s3://{BUCKET}/benchmark", Path(name) / "state") as archive:
            show_gets(archive, *time_gets(server, archive, options.gets))


def make_parcel(folder: Path, size: int) -> Parcel:
    """Write a closed WARC of at least `size` bytes, and the articles of its pages beside it."""
    parcel = Parcel(folder / f"{make_stem(START, 'benchmark', 0)}.warc.gz")
    made = [page(number) for number in range(TEXTS)]
    extracted = [extract_response(response(body), f"{url(0)}", START, 1 << 30) for body in made]
    writer = WarcWriter(parcel.warc, parcel.filename, {"software": "benchmark"})
    chosen = random.Random(0)
    with parcel.articles.open("wb") as articles:
        for number in range(1_000_000):
            if writer.size >= size:
                break
            started = START + timedelta(seconds=number / 10)
            request = f"GET /{number} HTTP/1.1\r\nHost: news.example\r\nUser-Agent: newskeep\r\n\r\n".encode()
            # What real pages have most of: script, style and images that do not shrink much, here as hexadecimal noise.
            noise = b"<script>%b</script>" % chosen.randbytes(chosen.randrange(4_000, 30_000)).hex().encode()
            exchange = Exchange(url(number), started, request, response(made[number % TEXTS] + noise), peer="192.0.2.1")
            capture = writer.append(exchange)
            assert capture is not None
            articles.write(line_of(capture.offset, extracted[number % TEXTS]))
    writer.close()
    print(
        f"WARC of {writer.size / 1e6:.0f} MB, {number} pages of {size_of(made):.0f} KB of text each, and as much again"
    )
    return parcel


def size_of(made: list[bytes]) -> float:
    return statistics.mean(map(len, made)) / 1000


def url(number: int) -> str:
    return f"http://news.example/{number}"


def page(seed: int) -> bytes:
    chosen = random.Random(seed)

    def words(count: int) -> str:
        return " ".join("".join(chosen.choices(SYLLABLES, k=chosen.randint(1, 4))) for _ in range(count))

    menu = "".join(f'<li class="menu"><a href="/section/{n}">Section {n}</a></li>' for n in range(200))
    text = "".join(f"<p>{words(60).capitalize()}.</p>" for _ in range(20))
    related = "".join(f'<div class="teaser"><a href="/{n}"><h3>{words(8)}</h3></a></div>' for n in range(60))
    title = words(7).capitalize()
    return (
        f"<!doctype html><html lang=en><head><title>{title}</title></head><body><nav><ul>{menu}</ul></nav>"
        f"<article><h1>{title}</h1>{text}</article><aside>{related}</aside>"
    ).encode()


def response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def time_puts(server: S3Server, archive: Archive, parcel: Parcel, rounds: int) -> Seconds:
    """Return the seconds of each way of bringing the WARC to the bucket; the last delivery stays there."""
    client = server.client()

    def never(*_: object) -> Extraction:
        raise AssertionError("everything has been extracted")

    def upload(paths: list[Path]) -> None:
        for path in paths:
            client.upload_file(str(path), BUCKET, f"plain/{path.name}")

    seconds: Seconds = defaultdict(list)
    for number in range(rounds):
        if number:
            archive.index.remove(parcel.filename)
            for kind in ("text", "cdxj", "warc"):
                archive.store.delete(key_of(parcel.filename, kind))
        mine = copied(parcel, archive.state / str(number))
        memories = SiteMemoryStore(archive.store, archive.state)
        seconds["seal"].append(timed(seal, mine, never, memories, CorrectionStore(archive.store)))
        parts = [copied_file(path, path.with_suffix(".copy")) for path in (mine.text, mine.cdxj, mine.warc)]
        seconds["boto3 upload_file of the WARC alone"].append(timed(upload, parts[2:]))
        seconds["boto3 upload_file of the three"].append(timed(upload, parts))
        seconds["deliver: put, read back, index"].append(timed(archive.deliver, mine))
    seconds["seal and deliver"] = [
        sum(both) for both in zip(seconds["seal"], seconds["deliver: put, read back, index"], strict=True)
    ]
    return seconds


def copied(parcel: Parcel, folder: Path) -> Parcel:
    folder.mkdir(parents=True)
    for path in (parcel.warc, parcel.articles):
        copied_file(path, folder / path.name)
    return Parcel(folder / parcel.filename)


def copied_file(source: Path, target: Path) -> Path:
    shutil.copyfile(source, target)
    return target


def time_gets(server: S3Server, archive: Archive, number: int) -> tuple[Seconds, int, int]:
    """Return the seconds of each way of reading a capture, and our requests and bytes for all of them."""
    client = server.client()
    held = list(archive.captures("news.example", match="host"))
    chosen = random.Random(1).sample(held, min(number, len(held)))
    before = archive.store.traffic

    def bare(capture: Capture) -> None:
        last = capture.offset + capture.length - 1
        key = f"benchmark/{key_of(capture.filename)}"
        reply: Any = client.get_object(Bucket=BUCKET, Key=key, Range=f"bytes={capture.offset}-{last}")
        assert len(reply["Body"].read()) == capture.length

    def ours(capture: Capture) -> None:
        assert archive.get(capture.url).capture.url == capture.url

    seconds: Seconds = defaultdict(list)
    for capture in chosen:
        seconds["boto3 get_object with Range"].append(timed(bare, capture))
        seconds["get: look up, read, unpack, check"].append(timed(ours, capture))
    asked = archive.store.traffic - before
    return seconds, asked.requests, asked.bytes_read


def timed(work: Callable[P, object], *arguments: P.args, **named: P.kwargs) -> float:
    start = time.perf_counter()
    work(*arguments, **named)
    return time.perf_counter() - start


def show_puts(seconds: Seconds, parcel: Parcel) -> None:
    size = parcel.warc.stat().st_size / 1e6
    print(f"{len(seconds['seal'])} rounds, MB of WARC a second, median and range")
    for way, all_seconds in seconds.items():
        speeds = sorted(size / one for one in all_seconds)
        print(f"  {way:40} {statistics.median(speeds):7.1f} MB/s  ({speeds[0]:.1f} to {speeds[-1]:.1f})")


def show_gets(archive: Archive, seconds: Seconds, requests: int, read: int) -> None:
    count = len(next(iter(seconds.values())))
    print(f"get from {archive.uri}: {requests / count:.2f} requests and {read / count:,.0f} bytes a page")
    for way, all_seconds in seconds.items():
        percentiles = statistics.quantiles(all_seconds, n=100)
        print(f"  {way:40} {percentiles[49] * 1000:7.2f} ms    95 %: {percentiles[94] * 1000:.2f} ms")


if __name__ == "__main__":
    main()

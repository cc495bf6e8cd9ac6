"""What the object store costs over plain boto3 against a Swift of our own: `python benchmarks/objects.py --help`.

Each round does every way once, in turn, so that a busy machine disturbs all of them alike; the medians are shown.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "helpers")]

from s3_server import BUCKET, REGION, S3Server, swift  # noqa: E402

from storage.objects.s3 import S3Settings, S3Store  # noqa: E402

RECORD = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=128, help="size of the file that is put (default 128)")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is done (default 5)")
    parser.add_argument("--reads", type=int, default=100, help=f"reads of {RECORD} bytes a round (default 100)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, swift(Path(name)) as server:
        os.environ.update(
            AWS_ENDPOINT_URL_S3=server.endpoint,
            AWS_ACCESS_KEY_ID=server.access_key,
            AWS_SECRET_ACCESS_KEY=server.secret_key,
            AWS_DEFAULT_REGION=REGION,
        )
        source = Path(name) / "source"
        source.write_bytes(os.urandom(options.megabytes * 1_000_000))
        show_puts(time_puts(server, source, options.rounds), options.megabytes)
        show_reads(time_reads(server, source, options.rounds, options.reads))


def time_puts(server: S3Server, source: Path, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each put, by the way it was made."""
    client = server.client()

    def upload_and_read_back(key: str) -> None:
        client.upload_file(str(source), BUCKET, key)
        body = client.get_object(Bucket=BUCKET, Key=key)["Body"]
        digest = hashlib.sha256()
        for chunk in body.iter_chunks(1 << 20):
            digest.update(chunk)
        with source.open("rb") as file:
            assert hashlib.file_digest(file, "sha256").digest() == digest.digest()

    ways: dict[str, Callable[[str], None]] = {
        "boto3 upload_file": lambda key: client.upload_file(str(source), BUCKET, key),
        "put, verify=stat": lambda key: stat.put(key, source),
        "boto3 upload_file, read back, SHA-256": upload_and_read_back,
        "put, verify=read": lambda key: read.put(key, source),
    }
    stat = S3Store(f"s3://{BUCKET}", S3Settings(verify="stat"))
    read = S3Store(f"s3://{BUCKET}")
    seconds: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds):
        for way, put in ways.items():
            key = f"warc/{number}-{hashlib.md5(way.encode()).hexdigest()}"
            seconds[way].append(timed(put, key))
            read.delete(key)
    return seconds


def time_reads(server: S3Server, source: Path, rounds: int, reads: int) -> dict[str, list[float]]:
    """Return the seconds of each ranged read, by the way it was made."""
    client = server.client()
    store = S3Store(f"s3://{BUCKET}")
    store.put("warc/read", source)
    data = source.read_bytes()

    def bare(start: int) -> None:
        reply: Any = client.get_object(Bucket=BUCKET, Key="warc/read", Range=f"bytes={start}-{start + RECORD - 1}")
        assert reply["Body"].read() == data[start : start + RECORD]

    def ours(start: int) -> None:
        with store.open("warc/read", start, RECORD) as stream:
            assert stream.read() == data[start : start + RECORD]

    ways = {"boto3 get_object with Range": bare, "open": ours}
    seconds: dict[str, list[float]] = defaultdict(list)
    before = store.traffic
    for _ in range(rounds * reads):
        start = random.randrange(len(data) - RECORD)
        for way, get in ways.items():
            seconds[way].append(timed(get, start))
    asked = store.traffic - before
    print(
        f"open: {asked.requests / rounds / reads:.2f} requests and {asked.bytes_read / rounds / reads:.0f} bytes a read"
    )
    return seconds


def timed(work: Callable[[Any], None], argument: object) -> float:
    start = time.perf_counter()
    work(argument)
    return time.perf_counter() - start


def show_puts(seconds: dict[str, list[float]], megabytes: int) -> None:
    print(f"put of {megabytes} MB, {len(next(iter(seconds.values())))} rounds, median and range")
    for way, all_seconds in seconds.items():
        speeds = sorted(megabytes / one for one in all_seconds)
        print(f"  {way:40} {statistics.median(speeds):7.1f} MB/s  ({speeds[0]:.1f} to {speeds[-1]:.1f})")


def show_reads(seconds: dict[str, list[float]]) -> None:
    print(f"read of {RECORD} bytes, {len(next(iter(seconds.values())))} times, median and 95th percentile")
    for way, all_seconds in seconds.items():
        percentiles = statistics.quantiles(all_seconds, n=100)
        print(f"  {way:40} {percentiles[49] * 1000:7.2f} ms    {percentiles[94] * 1000:.2f} ms")


if __name__ == "__main__":
    main()

"""What a look-up in the published index costs: python benchmarks/published.py [--captures N] [--lookups N] [--s3].

Makes CDXJ files of a month as a news archive has them (benchmarks/index.py), publishes them and looks up random pages
by ranged reads, in a folder, or with --s3 in a bucket of moto: requests, bytes and milliseconds. The database is
never filled: what is measured is read from the files alone. Then DuckDB counts and looks up in the Parquet files.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb
from index import A_WARC, captures, timed

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "helpers")]

from s3_server import BUCKET, REGION, moto  # noqa: E402

from storage import cdxj, open_archive  # noqa: E402
from storage.archive import Archive  # noqa: E402
from storage.model import Capture  # noqa: E402
from storage.publishing.publish import Published, publish  # noqa: E402
from storage.warc import key_of, make_stem  # noqa: E402

MONTH = datetime(2026, 5, 1, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=int, default=1_000_000)
    parser.add_argument("--lookups", type=int, default=300)
    parser.add_argument("--s3", action="store_true", help="in a bucket of moto's server instead of a folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, place(Path(name), options.s3) as uri:
        with open_archive(uri, Path(name) / "state") as archive:
            wanted = fill(archive, options.captures, options.lookups)
            done: list[Published] = []
            taken, busy = timed(lambda: done.extend(publish(archive)))
            manifest = done[0].manifest
            sizes = {kind: sum(f.size for f in manifest.files if f"/{kind}/" in f.key) for kind in ("cdx", "table")}
            print(f"captures                     {manifest.captures:>12,}")
            print(f"published                    {taken:12.1f} s, {busy:.1f} s of CPU")
            print(f"peak memory so far           {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:12.0f} MiB")
            print(f"ZipNum, a capture            {sizes['cdx'] / manifest.captures:12.1f} bytes")
            print(f"Parquet, a capture           {sizes['table'] / manifest.captures:12.1f} bytes")
            print(f"cluster.idx                  {manifest.of('cdx')['cluster.idx'].size:12,} bytes")
            archive.index.release(manifest.month, manifest.generation)
        with open_archive(uri, Path(name) / "state") as archive:
            look_up(archive, wanted)
        if not options.s3:
            count(Path(name), wanted)


@contextmanager
def place(folder: Path, in_bucket: bool) -> Iterator[str]:
    """Where the archive is: a folder, or a bucket of a server that runs for as long."""
    if not in_bucket:
        yield str(folder / "archive")
        return
    with moto(folder) as server:
        os.environ.update(
            AWS_ENDPOINT_URL_S3=server.endpoint,
            AWS_ACCESS_KEY_ID=server.access_key,
            AWS_SECRET_ACCESS_KEY=server.secret_key,
            AWS_DEFAULT_REGION=REGION,
        )
        yield f"s3://{BUCKET}/news"


def fill(archive: Archive, number: int, lookups: int) -> list[Capture]:
    """Put CDXJ files, and WARCs of a byte for them to belong to; return captures to look up."""
    chosen, wanted = random.Random(1), list[Capture]()
    apart = timedelta(days=30) / number
    for serial, first in enumerate(range(0, number, A_WARC)):
        filename = make_stem(MONTH + first * apart, "0123456789ab", serial) + ".warc.gz"
        made = [
            Capture(
                one.url, MONTH + (first + at) * apart, 200, "text/html", one.digest, filename, one.offset, one.length
            )
            for at, one in enumerate(captures(first, min(first + A_WARC, number), number // 5, filename))
        ]
        archive.store.put(key_of(filename, "cdxj"), b"".join(cdxj.lines(made)))
        archive.store.put(key_of(filename), b"-")
        wanted += chosen.sample(made, min(len(made), lookups * A_WARC // number + 1))
    chosen.shuffle(wanted)
    return wanted[:lookups]


def look_up(archive: Archive, wanted: list[Capture]) -> None:
    taken, opened = [], archive.store.traffic
    assert archive.index.closest(wanted[0].url, wanted[0].timestamp) is not None
    before = archive.store.traffic
    for one in wanted[1:]:
        began = time.perf_counter()
        found = archive.index.closest(one.url, one.timestamp)
        taken.append((time.perf_counter() - began) * 1_000)
        assert found is not None and abs(found.timestamp - one.timestamp) < timedelta(seconds=1), one
    asked = archive.store.traffic - before
    number = len(wanted) - 1
    print(
        f"the first look-up            {(before - opened).requests:12} requests, {(before - opened).bytes_read:,} bytes"
    )
    print(
        f"each after it                {asked.requests / number:12.2f} requests, {asked.bytes_read / number:,.0f} bytes"
    )
    cuts = statistics.quantiles(taken, n=20)
    print(f"                             {statistics.median(taken):12.1f} ms (median), {cuts[-1]:.1f} ms (95 %)")


def count(folder: Path, wanted: list[Capture]) -> None:
    table = f"read_parquet('{folder}/archive/index/table/**/*.parquet', hive_partitioning = true)"
    domains = (
        f"select url_host_name, count(*) from {table} where crawl = '2026-05' group by all order by 2 desc limit 9"
    )
    for what, query in (("count", f"select count(*) from {table}"), ("captures a host", domains)):
        seconds = statistics.median(timed(partial(run, query))[0] for _ in range(3))
        print(f"DuckDB, {what:<20} {seconds * 1_000:12.0f} ms")
    taken = []
    for one in wanted[:20]:
        query = f"select count(*) from {table} where url_surtkey = '{cdxj.line(one).split()[0].decode()}'"
        taken.append(timed(partial(run, query))[0] * 1_000)
    print(f"DuckDB, one address          {statistics.median(taken):12.0f} ms")


def run(query: str) -> list[tuple[object, ...]]:
    return duckdb.execute(query).fetchall()


if __name__ == "__main__":
    main()

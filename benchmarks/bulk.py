"""Bulk work by the ways there are: python benchmarks/bulk.py [CORPUS] [--pages N] [--warcs N] [--rounds N] [--ways …].

Makes an archive of many WARCs out of the pages of CORPUS, or of made-up ones, with the texts that a crawl gives them.
Each way makes the texts of a copy of it again (`reextract`), and exports it (`export --format jsonl`): one process with
one worker, one with two, two shards side by side, and Ray on the processors of this machine. Rounds go by turns. Prints
the CPU of all processes of a way together, what of it Ray's own daemons took, the clock, and the peak memory; then
checks that all ways made the same: text parts byte for byte, the rows of the index, the lines of the export.

CPU is read from /proc ten times a second, since Ray leaves its workers to nobody who could count them: what a process
takes in its last tenth is missing.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from corpus import load
from processes import MIB
from tallies import Tally, tallied

from crawler.session.correction_store import CorrectionStore
from crawler.session.extract_ahead import extract_ahead
from crawler.session.extraction_pool import ExtractionLimits, ExtractionPool
from crawler.session.sealing import seal
from crawler.session.site_memory_store import SiteMemoryStore
from storage.archive import Archive, open_archive
from storage.model import Exchange
from storage.spool import Parcel
from storage.warc import make_stem
from storage.warc_writer import WarcWriter

NEWSKEEP = [sys.executable, "-P", "-m", "newskeep"]
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = [f"word{number}" for number in range(5_000)]
REQUEST = b"GET / HTTP/1.1\r\nHost: paper.example\r\n\r\n"
#: What Ray runs beside the tasks, which are "ray::…" too.
DAEMONS = (
    "gcs_server",
    "raylet/raylet",
    "log_monitor",
    "dashboard",
    "runtime_env",
    "monitor.py",
    "ray::RuntimeEnvAgent",
    "ray::DashboardAgent",
)
WAYS = ("one", "two", "shards", "ray")
#: A way's stages; each is what runs side by side, as arguments and the workers of each.
Stages = list[list[tuple[list[str], int]]]


@dataclass(frozen=True, slots=True)
class Work:
    name: str
    #: The stages of a way, of an archive and a folder for what is made.
    stages: Callable[[str, Path, Path], Stages]
    #: What was made, to be held against that of others.
    made: Callable[[Path, Path], Mapping[str, str]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, nargs="?", help="a folder with pages/ and gold.jsonl (default: made up)")
    parser.add_argument("--pages", type=int, default=290)
    parser.add_argument("--warcs", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--ways", default=",".join(WAYS), help=f"of {','.join(WAYS)}, in this order")
    parser.add_argument("--folder", type=Path, help="where to make the archives (default: a temporary folder)")
    options = parser.parse_args()
    ways = options.ways.split(",")
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = Path(temporary)
        make(folder / "base", options.corpus, options.pages, options.warcs)
        failed = False
        for work in (REEXTRACT, EXPORT):
            found: dict[str, list[Tally]] = defaultdict(list)
            made: dict[str, Mapping[str, str]] = {}
            for turn in range(options.rounds):
                for way in ways[turn % len(ways) :] + ways[: turn % len(ways)]:
                    if work is EXPORT and way == "two":
                        continue  # an export is one process
                    archive, out = folder / "archive", folder / "out"
                    shutil.copytree(folder / "base", archive)
                    found[way].append(tally := _run(work.stages(way, archive, out), folder))
                    told = f"{tally.cpu:.1f} s of CPU, {tally.apart:.1f} of daemons, {tally.seconds:.0f} s"
                    print(f"round {turn + 1}: {work.name}, {way}: {told}", flush=True)
                    made[f"{way}, round {turn + 1}"] = work.made(archive, out)
                    for each in (archive, out):
                        shutil.rmtree(each, ignore_errors=True)
            show(work.name, found, options.pages)
            failed |= not is_same(work.name, made)
    return int(failed)


def make(folder: Path, corpus: Path | None, pages: int, warcs: int) -> None:
    """An archive with texts, as crawls leave it: each WARC cleaned with what was known of its sites by then."""
    pool, state = ExtractionPool(2, ExtractionLimits()), folder.with_name("making")
    for each in (folder, state):
        each.mkdir()
    try:
        with open_archive(folder) as archive:
            memories = SiteMemoryStore(archive.store, archive.state)
            exchanges = list(_corpus(corpus, pages) if corpus else _made_up(pages))
            # Every WARC has pages of every site, as those of daily crawls do.
            for serial in range(warcs):
                parcel = _written(state, serial, exchanges[serial::warcs])
                extract_ahead(parcel, pool.extract_now, 2)
                archive.deliver(seal(parcel, pool.extract_now, memories, CorrectionStore(archive.store)))
            size = sum(info.size for info in archive.store.list("warc/"))
            articles = sum(1 for _ in archive.index.articles())
            print(f"{len(exchanges):,} pages, {articles:,} articles, in {warcs} WARCs of {size:,} bytes", flush=True)
    finally:
        pool.close()


def _written(folder: Path, serial: int, exchanges: list[Exchange]) -> Parcel:
    filename = make_stem(BEGIN + timedelta(days=serial), "benchmark", serial) + ".warc.gz"
    writer = WarcWriter(folder / filename, filename, {"software": "newskeep/benchmarks"})
    for exchange in exchanges:
        writer.append(exchange)
    writer.close()
    return Parcel(folder / filename)


def _corpus(folder: Path, count: int) -> Iterator[Exchange]:
    pages = sorted(load(folder), key=lambda page: page.site)
    for number in range(count):
        page, copy = pages[number % len(pages)], number // len(pages)
        # Copies stand under other addresses.
        yield _exchange(
            f"{page.url}{'&' if '?' in page.url else '?'}copy={copy}" if copy else page.url, number, page.html
        )


def _made_up(count: int) -> Iterator[Exchange]:
    for number in range(count):
        chance, site = random.Random(number), number % 20
        navigation = "".join(f'<li><a href="/{word}">{word} of paper {site}</a></li>' for word in WORDS[: 300 + site])
        text = "".join(f"<p>{' '.join(chance.choices(WORDS, k=60))}.</p>" for _ in range(12))
        repeated = f"<p>Read more of paper {site} every morning, or write to its editors in the harbour.</p>"
        body = (
            f"<html lang=en><title>Page {number}</title><ul>{navigation}</ul><article>{text}{repeated}</article></html>"
        )
        yield _exchange(f"https://www.paper{site}.example/2026/{number}/page", number, body.encode())


def _exchange(url: str, number: int, html: bytes) -> Exchange:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(html)
    return Exchange(url, BEGIN + timedelta(seconds=number), REQUEST, head + html, peer="192.0.2.1")


def _reextract(way: str, archive: Path, _out: Path) -> Stages:
    command = ["reextract", "--archive", str(archive)]
    match way:
        case "one" | "two":
            return [[(command, WAYS.index(way) + 1)]]
        case "shards":
            # The first run learns, the second makes the texts.
            return [[([*command, "--shard", f"{number}/2"], 1) for number in (1, 2)]] * 2
        case _:
            return [[([*command, "--executor", "ray"], 1)]]


def _export(way: str, archive: Path, out: Path) -> Stages:
    command = ["export", "--format", "jsonl", "--archive", str(archive), "--to", str(out)]
    match way:
        case "one":
            return [[(command, 1)]]
        case "shards":
            return [[([*command, "--shard", f"{number}/2"], 1) for number in (1, 2)]]
        case _:
            return [[([*command, "--executor", "ray"], 1)]]


def _texts(archive: Path, _out: Path) -> Mapping[str, str]:
    """The digest of every text part, and what the index says of every article."""
    made = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (archive / "text").rglob("*.gz")}
    with open_archive(archive) as opened:
        return made | dict(_rows(opened))


def _rows(archive: Archive) -> Iterator[tuple[str, str]]:
    for entry in archive.index.articles():
        yield (
            f"{entry.url} {entry.timestamp}",
            repr((entry.title, entry.words, entry.language, entry.part, entry.part_offset)),
        )


def _lines(_archive: Path, out: Path) -> Mapping[str, str]:
    lines = [line for path in out.rglob("*.gz") for line in gzip.decompress(path.read_bytes()).splitlines()]
    return {f"{hashlib.sha256(line).hexdigest()} {number}": "" for number, line in enumerate(sorted(lines))}


REEXTRACT = Work("reextract", _reextract, _texts)
EXPORT = Work("export", _export, _lines)


def _run(stages: Stages, folder: Path) -> Tally:
    """Run a way to its end."""
    # PYTHONDONTWRITEBYTECODE would have each process compile our modules again.
    unwanted = ("NEWSKEEP_", "AWS_", "RAY_", "PYTHONDONTWRITEBYTECODE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    total = Tally()
    for side_by_side in stages:
        with tallied(total, DAEMONS):
            commands = [([*NEWSKEEP, *arguments], workers) for arguments, workers in side_by_side]
            running = [
                subprocess.Popen(
                    command,
                    env={**clean, "HOME": str(folder), "NEWSKEEP_WORKERS": str(workers)},
                    cwd=folder,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                )
                for command, workers in commands
            ]
            for process, (command, _) in zip(running, commands, strict=True):
                _, told = process.communicate()
                if process.returncode:
                    raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{told.decode()}")
    return total


def show(work: str, found: Mapping[str, list[Tally]], pages: int) -> None:
    print(
        f"\n{work:10} {'CPU s':>8} {'daemons':>8} {'ms a page':>10} {'clock s':>8} {'peak MiB':>9} pages a CPU second"
    )
    first = next(iter(found.values()))
    for way, tallies in found.items():
        cpu, own, clock = (median(getattr(each, name) for each in tallies) for name in ("cpu", "apart", "seconds"))
        ratios = [one.cpu / other.cpu for one, other in zip(tallies, first, strict=True)]
        against = f"{median(ratios):.2f} x the CPU of the first ({min(ratios):.2f} to {max(ratios):.2f})"
        peak = max(each.peak for each in tallies) / MIB
        figures = f"{cpu:8.1f} {own:8.1f} {cpu / pages * 1000:10.1f} {clock:8.1f} {peak:9.0f}"
        print(f"{way:10} {figures} {pages / cpu:.1f}; {against}")


def is_same(work: str, made: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether every way made what the first made; says so."""
    name, first = next(iter(made.items()))
    others = {other: sorted(dict(first.items() ^ what.items())) for other, what in made.items() if what != first}
    for other, differing in others.items():
        print(f"{work}: {other} differs from {name} in {len(differing)}, first {differing[0]}")
    if not others:
        print(f"{work}: all {len(made)} runs made the same {len(first):,} things")
    return bool(first) and not others


if __name__ == "__main__":
    sys.exit(main())

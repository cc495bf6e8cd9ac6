#!/usr/bin/env python3
"""How well metadata is read, by source of the gold, on folders of pages.

    benchmarks/metadata.py CORPUS [CORPUS ...] [--wrong FIELD]

A row a source: the score of each field and the number of pages whose gold has it, the share of pages on which a date
and authors were found at all, and the median of the milliseconds of CPU that metadata take beyond the parsing.
`--wrong` prints the pages on which a field is not as the gold has it. Sources have conventions of their own (a title
with or without its kicker, the day in another time zone): figures of one source compare, those of two do not.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median
from time import process_time
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from metadata_scores import SCORES  # noqa: E402

from crawler.extraction.metadata import Metadata, metadata  # noqa: E402
from crawler.extraction.trafilatura_text import first_opinion  # noqa: E402
from crawler.html import jsonld  # noqa: E402
from crawler.html.document import TooLarge, body, lean, parse  # noqa: E402
from crawler.html.encoding import decode  # noqa: E402


class Reading(NamedTuple):
    """What was read of a page, beside its gold, and the milliseconds that it took."""

    gold: dict[str, Any]
    found: Metadata
    milliseconds: float


def readings(folder: Path) -> Iterator[Reading]:
    """Yield the pages of a corpus as read; a page that is no markup, or too large, says nothing."""
    # By the newline alone: texts hold other separators of lines.
    for line in (folder / "gold.jsonl").read_bytes().splitlines():
        gold = json.loads(line)
        page = gzip.decompress((folder / "pages" / f"{gold['id']}.html.gz").read_bytes())
        yield read(gold, decode(page))


def read(gold: dict[str, Any], page: str) -> Reading:
    try:
        tree = parse(page)
    except TooLarge:
        tree = None
    if tree is None:
        return Reading(gold, Metadata(), 0.0)
    text, nodes = first_opinion(lean(body(tree))), jsonld.nodes(tree)
    start = process_time()
    found = metadata(tree, gold["url"], text, nodes=nodes)
    return Reading(gold, found, 1000 * (process_time() - start))


def line(source: str, pages: list[Reading]) -> str:
    """Return the row of a source."""
    parts = []
    for rate in SCORES.values():
        rated = [score for each in pages if (score := rate(each.gold, each.found)) is not None]
        parts.append(f"{mean(rated):.3f} of {len(rated):<4}" if rated else f"{'-':13}")
    dated, credited = (mean(bool(getattr(each.found, name)) for each in pages) for name in ("published", "authors"))
    cost = median(each.milliseconds for each in pages)
    return f"{source:30}{len(pages):6}  {'  '.join(parts)}  {dated:.3f}  {credited:.3f}{cost:7.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpus", type=Path, nargs="+")
    parser.add_argument("--wrong", choices=SCORES, help="print the pages on which this field is not right")
    options = parser.parse_args()
    print(f"{'':30}{'pages':>6}  {'  '.join(f'{name:13}' for name in SCORES)}  dated  credited  ms")
    for folder in options.corpus:
        by_source: dict[str, list[Reading]] = {}
        for each in readings(folder):
            by_source.setdefault(each.gold["source"], []).append(each)
        for source, found in by_source.items():
            print(line(f"{folder.name}: {source}", found), flush=True)
            for each in found if options.wrong else ():
                if SCORES[options.wrong](each.gold, each.found) == 0.0:
                    print(f"  {each.gold['id']}\t{each.gold[options.wrong]}\t{getattr(each.found, options.wrong)}")


if __name__ == "__main__":
    main()

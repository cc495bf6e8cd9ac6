#!/usr/bin/env python3
"""How good extraction is by the source of the pages, beside trafilatura's modes, on sites it was not trained on.

    benchmarks/sources.py CORPUS --trained-on CORPUS [--worst 20]
    benchmarks/sources.py CORPUS --trained-on CORPUS --calibration [--plot FILE.svg]

Each cell is F1 of mean precision and recall, and behind the stroke the share of pages with an F1 under .5. Pages of a
registered domain that the training corpus has are left out. Every source marks by its own convention: read the rows.
`--calibration` measures the confidence of the articles instead: how often it was right, by source and by what was said;
`--plot` draws that as a reliability diagram.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import calibration
from corpus import Page, Score, figures, load, score
from reliability_plot import diagram
from tldextract import TLDExtract

from crawler.extraction import extract
from crawler.extraction.trafilatura_text import Mode, opinion
from crawler.html.document import parse
from crawler.html.encoding import decode

MODES: tuple[Mode, ...] = ("fast", "default", "precision", "recall")
_extract = TLDExtract(suffix_list_urls=(), cache_dir=None)
#: Sources of fewer pages are shown and not averaged.
LEAST = 40


def domain(page: Page) -> str:
    """Return the registered domain of a page's site, by the list that tldextract brings along."""
    host = str(page.record.get("site") or page.site)
    return _extract(host).top_domain_under_public_suffix or host


def ours(page: Page) -> str:
    return extract(page.html, page.url).text


def in_mode(mode: Mode) -> Callable[[Page], str]:
    """Return a reader by one of trafilatura's modes."""

    def read(page: Page) -> str:
        tree = parse(decode(page.html))
        return "" if tree is None else opinion(tree, mode)

    return read


def f1(one: Score) -> float:
    """Return the F1 of one page; 0 where nothing was found."""
    precision, recall = one.precision or 0.0, one.recall or 0.0
    return 2 * precision * recall / (precision + recall or 1.0)


def cell(scores: Sequence[Score]) -> str:
    return f"{figures(scores).f1:.4f}/{mean(f1(one) < 0.5 for one in scores):.3f}"


class Judged(NamedTuple):
    """Pages that have a text: their sources, how likely each was said to be right, and whether it is."""

    sources: list[str]
    said: list[float]
    right: list[bool]


def judged(pages: Sequence[Page]) -> Judged:
    """Return how sure we are of the pages that have a text."""
    found = Judged([], [], [])
    for page in pages:
        article = extract(page.html, page.url)
        if article.confidence is not None:
            found.sources.append(page.source)
            found.said.append(article.confidence)
            found.right.append(f1(score(article.text, page)) >= calibration.RIGHT)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--trained-on", type=Path, required=True)
    parser.add_argument("--worst", type=int, default=0, help="list so many pages that lose most against the default")
    parser.add_argument("--calibration", action="store_true", help="measure the confidence of the articles instead")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the calibration into this file, as SVG")
    options = parser.parse_args()
    if options.plot and not options.calibration:
        parser.error("--plot draws what --calibration measures: give both")
    logging.disable(logging.CRITICAL)
    seen = {domain(page) for page in load(options.trained_on)}
    pages = [page for page in load(options.corpus) if domain(page) not in seen]
    if options.calibration:
        found = judged(pages)
        print("\n".join(calibration.report(*found)))
        if options.plot:
            title = f"{len(found.said)} pages of {len(set(found.sources))} sources in {calibration.BINS} bins"
            options.plot.write_text(diagram(calibration.bins(found.said, found.right), title), encoding="utf-8")
        return
    readers: dict[str, Callable[[Page], str]] = {mode: in_mode(mode) for mode in MODES} | {"newskeep": ours}
    scores = {name: [score(read(page), page) for page in pages] for name, read in readers.items()}
    print(f"{'source':28}{'pages':>6}  " + "  ".join(f"{name:>12}" for name in readers))
    means: dict[str, list[float]] = {name: [] for name in readers}
    for source in sorted({page.source for page in pages}):
        rows = [at for at, page in enumerate(pages) if page.source == source]
        of_source = {name: [scores[name][at] for at in rows] for name in readers}
        print(f"{source:28}{len(rows):6}  " + "  ".join(f"{cell(each):>12}" for each in of_source.values()))
        if len(rows) >= LEAST:
            for name, each in of_source.items():
                means[name].append(figures(each).f1)
    print(
        f"{f'mean of sources of {LEAST}':34}  " + "  ".join(f"{mean(each or [0.0]):12.4f}" for each in means.values())
    )
    lost = sorted(
        (f1(one) - f1(other), page.id)
        for one, other, page in zip(scores["newskeep"], scores["default"], pages, strict=True)
    )
    for difference, name in lost[: options.worst]:
        print(f"{difference:+.3f}  {name}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""For how many pages of a corpus `render = "when-needed"` starts a browser: none of them needs one, all have text.

    benchmarks/needs_browser.py CORPUS [CORPUS ...] [--rows]

Prints the share, and every other reason for which a page has no text; with `--rows` a line for each page without.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from corpus import load  # noqa: E402

from crawler.extraction import extract  # noqa: E402
from crawler.extraction.textless import cause_of  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--rows", action="store_true", help="a line for each page without text")
    options = parser.parse_args()
    causes = Counter[str]()
    for corpus in options.corpora:
        for page in load(corpus):
            cause = cause_of(extract(page.html, page.url), page.html)
            causes[cause or "text"] += 1
            if options.rows and cause is not None:
                print(f"{cause}\t{page.id}\t{page.url}\t{len(page.gold.split())} words", flush=True)
    pages, wanted = causes.total(), causes["needs scripts"]
    print(f"a browser for {wanted} of {pages} pages ({100 * wanted / pages:.2f} %); {dict(causes.most_common())}")


if __name__ == "__main__":
    main()

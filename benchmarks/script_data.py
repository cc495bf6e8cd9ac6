#!/usr/bin/env python3
"""How well the article is found in the data of a page's scripts, on pages that show it as well: as if they did not.

    benchmarks/script_data.py CORPUS [CORPUS ...] [--rows]

Prints how many pages have such data, on how many of them an article was found in it, and the F1 of its text, precision
and recall, against the gold; with `--rows` a line a page. JSON-LD is left out: many pages have it, for machines.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from corpus import Page, Score, figures, load, score  # noqa: E402

from crawler.extraction.classify import judge_body  # noqa: E402
from crawler.extraction.classify.boosted_trees import shipped  # noqa: E402
from crawler.extraction.classify.features import Hints  # noqa: E402
from crawler.extraction.embedded import find, titles  # noqa: E402
from crawler.extraction.embedded.scripts import data  # noqa: E402
from crawler.extraction.opinions import ask  # noqa: E402
from crawler.html.blocks import cut  # noqa: E402
from crawler.html.document import TooLarge, Tree, body, parse  # noqa: E402
from crawler.html.encoding import decode  # noqa: E402


def trees(pages: Iterator[Page]) -> Iterator[tuple[Page, Tree]]:
    for page in pages:
        try:
            tree = parse(decode(page.html, None))
        except TooLarge:
            continue
        if tree is not None and any(data(tree)):
            yield page, tree


def found(page: Page, tree: Tree) -> tuple[str, Score] | None:
    embedded = find(tree, page.url, titles(tree))
    made = parse(f"<html><body><article>{embedded.html}</article></body></html>") if embedded else None
    if embedded is None or made is None:
        return None
    blocks = cut(body(made))
    verdict = judge_body(blocks, Hints(ask(made, blocks), url=page.url), shipped(), embedded.source)
    text = "\n\n".join(block.text for block in verdict.blocks if block.kept)
    return embedded.source, score(text, page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--rows", action="store_true", help="a line a page")
    options = parser.parse_args()
    count = 0
    scores: list[Score] = []
    for page, tree in trees(page for corpus in options.corpora for page in load(corpus)):
        count += 1
        if (result := found(page, tree)) is None:
            continue
        scores.append(result[1])
        if options.rows:
            print(
                f"{page.source}\t{page.id}\t{result[0]}\t{result[1].precision:.3f}\t{result[1].recall:.3f}", flush=True
            )
    print(
        f"pages with data of scripts: {count}; article found in it: {len(scores)}; {figures(scores) if scores else ''}"
    )


if __name__ == "__main__":
    main()

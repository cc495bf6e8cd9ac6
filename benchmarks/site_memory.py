#!/usr/bin/env python3
"""What site memory takes and what it leaves, in worlds whose every line is known: python benchmarks/site_memory.py.

A row a world (tests/helpers/site_worlds.py): lines of the site that stayed in an article, before the memory and after
it, and paragraphs of articles that the memory took. Needs no network.

    --lines        print each line that leaked or was lost
    --only WORD    worlds with this in their name
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "helpers")]

from site_worlds import worlds  # noqa: E402

from crawler.extraction.template.site_memory import SiteMemory  # noqa: E402


def main() -> None:
    options = _options()
    leaked = lost = before = 0
    print(f"{'world':<36} {'articles':>8} {'before':>7} {'leaked':>7} {'lost':>5}")
    for world in worlds():
        if options.only not in world.name:
            continue
        memory = SiteMemory().learn(world.articles)
        cleaned = [memory.clean(each) for each in world.articles]
        stayed, taken = world.leaked(cleaned), world.lost(cleaned)
        first = len(world.leaked(world.articles))
        print(f"{world.name:<36} {len(world.pages):>8} {first:>7} {len(stayed):>7} {len(taken):>5}")
        if options.lines:
            for mark, lines in (("leaked", stayed), ("lost", taken)):
                for line in sorted(set(lines)):
                    print(f"    {mark} {lines.count(line)}x  {line[:90]}")
        before, leaked, lost = before + first, leaked + len(stayed), lost + len(taken)
    print(f"{'all':<36} {'':>8} {before:>7} {leaked:>7} {lost:>5}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", action="store_true", help="print each line that leaked or was lost")
    parser.add_argument("--only", default="", metavar="WORD", help="worlds with this in their name")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""A long list of small pages: `newskeep save` over a generated local site; pages a second, and memory over time.

python benchmarks/list_100k.py [--urls 100000] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from corpus_server import HOSTS, HTML, start_origins
from origin import Origin, response
from processes import MIB, Sample, watch
from save import ENVIRONMENT, NEWSKEEP

ROWS = 20

_TEXT = (
    "the council met on the pier to hear why the ferry had been late and who would pay for the new rope "
    "nobody knew but the harbour master had written a number on his sleeve and refused to roll it down"
)
_WORDS = _TEXT.split()


def page(path: str) -> bytes | None:
    """Return a page of about 1.5 KB, another for each number; 404 for anything that is not /n/<number>."""
    kind, _, number = path.removeprefix("/").partition("/")
    if kind != "n" or not number.isdigit():
        return None
    start = int(number)
    paragraphs = (
        " ".join(_WORDS[(start * 7 + row * 13 + at * (1 + start % 5)) % len(_WORDS)] for at in range(45)).capitalize()
        + "."
        for row in range(5)
    )
    text = "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs)
    title = f"Report number {number}"
    return response(
        f'<!doctype html><html lang="en"><head><title>{title}</title></head><body><nav><a href="/">Front page</a></nav>'
        f"<article><h1>{title}</h1>\n{text}</article><footer>Printed on the pier</footer></body></html>".encode(),
        headers=[HTML],
    )


def write_list(file: Path, origins: Sequence[Origin], count: int) -> None:
    with file.open("w") as lines:
        for number in range(count):
            lines.write(origins[number % len(origins)].url(f"/n/{number}") + "\n")


def table(samples: Sequence[Sample]) -> None:
    print(f"{'seconds':>9}{'requests':>10}{'pages/s':>9}{'main MiB':>10}{'with workers':>14}")
    before = Sample(0, 0, 0, 0)
    for at in samples[:: max(1, len(samples) // ROWS)]:
        rate = (at.done - before.done) / (at.seconds - before.seconds)
        print(f"{at.seconds:9.0f}{at.done:10}{rate:9.0f}{at.main / MIB:10.0f}{at.total / MIB:14.0f}")
        before = at


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--urls", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="leave the archive here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        origins = start_origins(stack, keep_log=False)
        for origin in origins:
            origin.on_any(page)
        listed = Path(scratch) / "list.txt"
        write_list(listed, origins, options.urls)
        archive = (options.keep or Path(scratch) / "archive").resolve()
        command = [*NEWSKEEP, "save", "-i", str(listed), "--archive", str(archive), "--allow-private", "--json"]
        run = watch(command, ENVIRONMENT, every=1, progress=lambda: sum(origin.requests for origin in origins))
        table(run.samples)
        outcomes = Counter(json.loads(line)["outcome"] for line in run.stdout.splitlines())
        print(f"exit code {run.code}, {dict(outcomes)} of {options.urls} on {len(HOSTS)} hosts")
        print(f"{run.seconds:.0f} s, {options.urls / run.seconds:.0f} pages/s, CPU {run.cpu:.0f} s")
        tenth, last = next(at for at in run.samples if at.done >= options.urls / 10), run.samples[-1]
        print(f"main process after a tenth {tenth.main / MIB:.0f} MiB, at the end {last.main / MIB:.0f} MiB")
        print(f"peak with workers {run.peak.total / MIB:.0f} MiB")
        return 0 if run.code == 0 and outcomes == {"archived": options.urls} else 1


if __name__ == "__main__":
    sys.exit(main())

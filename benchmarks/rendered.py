"""Pages that a browser shows: pages a minute, and memory, of `newskeep save --render always` over one local host.

python benchmarks/rendered.py [--pages 30]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from corpus_server import HTML
from list_100k import page
from origin import Origin, response
from processes import MIB, watch
from save import ENVIRONMENT, NEWSKEEP

#: Writes the page that another address has, as a front end would.
_SHELL = """<!doctype html><title>Report</title><div id="app"></div><script>
fetch("/n/%d").then((a) => a.text()).then((a) => { document.getElementById("app").innerHTML = a; });
</script>"""


def shell(path: str) -> bytes | None:
    """Return a page whose text comes by script, and for /n/<number> that text."""
    kind, _, number = path.removeprefix("/").partition("/")
    return response((_SHELL % int(number)).encode(), headers=[HTML]) if kind == "shell" else page(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--pages", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, Origin(keep_log=False) as origin:
        origin.on_any(shell)
        urls = [origin.url(f"/shell/{number}") for number in range(options.pages)]
        command = [*NEWSKEEP, "save", *urls, "--archive", f"{scratch}/archive", "--allow-private", "--json"]
        run = watch([*command, "--render", "always", "--delay", "0"], {**ENVIRONMENT, "TMPDIR": "/tmp"})
        told = Counter(str(json.loads(line)["reason"]) for line in run.stdout.splitlines())
        has_dom = sum(b"urn:dom:" in path.read_bytes() for path in Path(scratch).rglob("*.cdxj"))
    rate = options.pages / run.seconds * 60
    print(f"{options.pages} pages in {run.seconds:.1f} s: {rate:.0f} a minute; {dict(told)}")
    print(f"CPU {run.cpu / options.pages:.2f} s a page; memory {run.peak.total / MIB:.0f} MiB at most")
    return run.code or int(not has_dom)


if __name__ == "__main__":
    sys.exit(main())

"""The main job, measured: serve a corpus, `newskeep save` its list, hold the archive against the server's log.

    python benchmarks/save.py CORPUS [--keep FOLDER]

Prints a line for each check and exits with 1 when one fails.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus import Page, figures, score
from corpus_server import ROOT, CorpusServer
from kept import exchanges
from processes import MIB, Run, watch

NEWSKEEP = [sys.executable, "-m", "newskeep"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
#: How many pages to get back through the command line; the rest through Python.
BY_COMMAND = 20
MAX_BODY = 1 << 30


def articles(archive: Path) -> dict[str, dict[str, Any]]:
    """Return every article line, by URL."""
    found = {}
    for file in sorted((archive / "text").rglob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in map(json.loads, lines):
                found[line["url"]] = line
    return found


def bodies(archive: Path, urls: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield each URL's body out of the archive: some by `newskeep get`, all others by `open_archive`."""
    from storage import open_archive

    step = max(1, len(urls) // BY_COMMAND)
    by_command = set(urls[::step][:BY_COMMAND])
    for url in sorted(by_command):
        command = [*NEWSKEEP, "get", url, "--as", "body", "--archive", str(archive)]
        yield url, subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, check=False).stdout
    with open_archive(archive) as opened:
        for url in urls:
            if url not in by_command:
                yield url, opened.get(url).message.content(MAX_BODY)


class Checks:
    """Prints each check and remembers whether one failed."""

    def __init__(self) -> None:
        self.failed = False

    def count(self, what: str, right: int, of: int) -> None:
        self.failed |= right != of
        print(f"{'ok  ' if right == of else 'FAIL'}  {what}: {right} of {of}", flush=True)


def check(server: CorpusServer, archive: Path, run: Run) -> bool:
    """Hold the archive against the server; return whether all is well."""
    checks = Checks()
    outcomes = [json.loads(line) for line in run.stdout.splitlines()]
    archived = {each["url"] for each in outcomes if each["outcome"] == "archived"}
    checks.count("archived", len(archived & server.pages.keys()), len(server.pages))
    for each in outcomes:
        if each["outcome"] != "archived":
            print(f"      {each['url']}: {each['outcome']}, {each['reason']}")
    log = server.log
    sent = Counter((entry.request, entry.sent) for entry in log)
    kept = Counter((each.request, each.response) for each in exchanges(archive))
    checks.count("exchanges of the server's log in the WARC, byte for byte", (sent & kept).total(), len(log))
    checks.count("exchanges in the WARC that the server knows", (sent & kept).total(), kept.total())
    requests, kept_requests = (
        Counter(entry.request for entry in log),
        Counter(request for request, _ in kept.elements()),
    )
    checks.count("requests byte for byte", (requests & kept_requests).total(), len(log))
    same = sum(body == server.pages[url].html for url, body in bodies(archive, list(server.pages)))
    checks.count("`get --as body` equal to the page", same, len(server.pages))
    found = articles(archive)
    texts = {url: line["text"] for url, line in found.items() if line["text"]}
    checks.count("pages with a text", len(texts.keys() & server.pages.keys()), len(server.pages))
    for method, count in Counter(line["extractor"]["method"] for line in found.values()).most_common():
        print(f"      {count} by {method}")
    print_scores(server.pages, texts)
    return not checks.failed


def print_scores(pages: dict[str, Page], texts: dict[str, str]) -> None:
    """Print F1 for each source of the corpus; the model may have been trained on these very pages."""
    for source in sorted({page.source for page in pages.values()}):
        scores = [score(texts.get(url, ""), page) for url, page in pages.items() if page.source == source]
        print(f"F1 {source}, {len(scores)} pages: {figures(scores)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--keep", type=Path, help="leave the archive here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, CorpusServer(options.corpus) as server:
        archive = (options.keep or Path(scratch) / "archive").resolve()
        listed = Path(scratch) / "list.txt"
        listed.write_text("\n".join(server.pages) + "\n")
        command = [*NEWSKEEP, "save", "-i", str(listed), "--archive", str(archive), "--allow-private", "--json"]
        run = watch(command, ENVIRONMENT, every=0.2)
        rate = len(server.pages) / run.seconds
        print(f"exit code {run.code}, {run.seconds:.1f} s, {rate:.1f} pages/s, CPU {run.cpu:.1f} s")
        print(f"peak memory {run.peak.total / MIB:.0f} MiB with workers, main process {run.peak.main / MIB:.0f} MiB")
        return 0 if check(server, archive, run) and run.code == 0 else 1


if __name__ == "__main__":
    sys.exit(main())

"""`newskeep save` against every hostile response of tests/helpers/hostile_responses.py: a table, exchange by exchange.

    python benchmarks/hostile_table.py [--tls] [--keep FOLDER]

A line says how the WARC's records compare with what the server sent and received, and what became of the URL. Exits
with 1 when an exchange is missing, differs, or says the wrong thing of itself.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import corpus_server  # noqa: F401  (makes tests/ importable)
from hostile_responses import MAX_BODY, TIMEOUT, Case, hostile_cases
from kept import Kept, exchanges
from origin import Logged, Origin
from processes import watch
from save import ENVIRONMENT, NEWSKEEP

#: An exchange that is not as it should be begins with this.
WRONG = "WRONG"


def verdict(case: Case, logged: Logged | None, kept: Kept | None, tls: bool) -> str:
    """Say how an exchange of the log and one of the WARC compare."""
    if logged is None or kept is None:
        return f"{WRONG}: not in the {'log' if logged is None else 'WARC'}"
    if logged.request != kept.request:
        return f"{WRONG}: request differs"
    if not logged.sent:
        return "nothing sent, nothing kept" if not kept.response else f"{WRONG}: kept what was not sent"
    said = kept.truncated or "complete"
    if said not in case.verdicts + (case.over_tls if tls else ()):
        return f"{WRONG}: says {said}"
    return _compared(case, logged.sent.removeprefix(b"".join(case.interim)).removesuffix(case.excess), kept, said)


def _compared(case: Case, sent: bytes, kept: Kept, said: str) -> str:
    if kept.response == sent:
        return f"identical, {said}"
    if kept.revisit and sent.startswith(kept.response):
        return "identical head, body by reference"
    if case.partial and sent.startswith(kept.response):
        return f"first {len(kept.response):,} of {len(sent):,} bytes, {said}"
    return f"{WRONG}: response differs"


def paths_of(name: str, case: Case) -> list[str]:
    return [*([case.before] if case.before else []), f"/case/{name}"]


def show(
    name: str, case: Case, origin: Origin, kept: Mapping[str, Sequence[Kept]], outcomes: Mapping[str, dict[str, Any]]
) -> int:
    """Print the lines of a case; return how many of its exchanges are wrong."""
    path = f"/case/{name}"
    lines = [
        verdict(case, logged, record, bool(origin.tls))
        for place in (path, *(place for place in case.also if place != case.before))
        for logged, record in zip_longest(origin.logged(place), kept.get(place, ()))
    ]
    print(f"{name:28}{case.description}")
    for line, count in Counter(lines).items():
        print(f"{count:30} x {line}")
    outcome = outcomes.get(origin.url(path), {})
    print(f"{'-->':>32} {': '.join(filter(None, (outcome.get('outcome'), outcome.get('reason'))))}")
    return sum(line.startswith(WRONG) for line in lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--keep", type=Path, help="leave the archive here")
    options = parser.parse_args()
    cases = hostile_cases()
    with tempfile.TemporaryDirectory() as scratch, Origin(tls=options.tls) as origin:
        listed = Path(scratch) / "list.txt"
        for name, case in cases.items():
            case.install(origin, name)
        listed.write_text("".join(origin.url(path) + "\n" for n, case in cases.items() for path in paths_of(n, case)))
        archive = (options.keep or Path(scratch) / "archive").resolve()
        limits = ["--timeout", str(TIMEOUT), "--max-size", str(MAX_BODY), "--concurrency", "1"]
        command = [
            *NEWSKEEP,
            "save",
            "-i",
            str(listed),
            "--archive",
            str(archive),
            "--allow-private",
            "--insecure",
            "--json",
            *limits,
        ]
        run = watch(command, ENVIRONMENT)
        kept: defaultdict[str, list[Kept]] = defaultdict(list)
        for each in exchanges(archive):
            parts = urlsplit(each.url)
            kept[parts.path + (f"?{parts.query}" if parts.query else "")].append(each)
        outcomes = {each["url"]: each for each in map(json.loads, run.stdout.splitlines())}
        wrong = sum(show(name, case, origin, kept, outcomes) for name, case in cases.items())
        print(f"{len(cases)} cases, {len(origin.log)} exchanges, {wrong} wrong")
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

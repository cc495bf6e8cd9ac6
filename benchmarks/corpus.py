"""A folder of saved news pages with gold text, and the score of a text against it.

The folder holds `pages/<id>.html.gz` and `gold.jsonl`, a line a page: `id`, `source`, `url`, `body` (the text), and
for the source "fundus" also `sections` (headings and paragraphs, which are the gold there), `summary`, `title`,
`authors`, `published`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple
from urllib.parse import urlsplit

_TOKEN = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Page:
    """A page with its gold."""

    id: str
    source: str
    url: str
    html: bytes
    #: The text that is right.
    gold: str
    #: Text that is neither right nor wrong; "" for none.
    neutral: str
    #: The summary, which is part of `neutral`.
    summary: str
    record: dict[str, Any]

    @property
    def site(self) -> str:
        """Its host without "www."."""
        return (urlsplit(self.url).hostname or "").removeprefix("www.")

    @property
    def is_fundus(self) -> bool:
        return self.source == "fundus"


class Score(NamedTuple):
    """Precision and recall of one page; `None` where nothing was found, or nothing is to be found."""

    precision: float | None
    recall: float | None


class Figures(NamedTuple):
    f1: float
    precision: float
    recall: float

    def __str__(self) -> str:
        return f"{self.f1:.4f} (P {self.precision:.3f} R {self.recall:.3f})"


def load(folder: Path) -> list[Page]:
    """Return the pages of a corpus, in the order of its gold."""
    return list(_pages(folder))


def digest(folder: Path) -> str:
    """Return "sha256:…" over the gold and every page, by name."""
    total = hashlib.sha256((folder / "gold.jsonl").read_bytes())
    for path in sorted((folder / "pages").glob("*.html.gz")):
        total.update(path.name.encode() + path.read_bytes())
    return f"sha256:{total.hexdigest()}"


def _pages(folder: Path) -> Iterator[Page]:
    # Not `splitlines`: a text may hold Unicode's own ends of lines.
    for line in filter(None, (folder / "gold.jsonl").read_text(encoding="utf-8").split("\n")):
        record = json.loads(line)
        gold, neutral, summary = record["body"], "", ""
        if record["source"] == "fundus" and "sections" in record:
            parts = [part for section in record["sections"] for part in section["headline"] + section["paragraphs"]]
            summary = "\n".join(record.get("summary") or [])
            # The body is summary and sections, so it holds the shingles that go from one into the other.
            gold, neutral = "\n".join(parts), f"{record['body']}\n{summary}"
        page = gzip.decompress((folder / "pages" / f"{record['id']}.html.gz").read_bytes())
        yield Page(record["id"], record["source"], record["url"], page, gold, neutral, summary, record)


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """Return how often each run of four word tokens stands in a text."""
    words = _TOKEN.findall(text)
    return Counter(tuple(words[at : at + 4]) for at in range(max(1, len(words) - 3))) if words else Counter()


def score(text: str, page: Page, *, strict: bool = False) -> Score:
    """Return precision and recall of a text; `strict` counts the neutral text as wrong."""
    found, gold = shingles(text), shingles(page.gold)
    if page.neutral and not strict:
        for shingle in shingles(page.neutral).keys() - gold.keys():
            found.pop(shingle, None)
    right = (found & gold).total()
    return Score(
        right / found.total() if found else None,
        right / gold.total() if gold else None,
    )


def figures(scores: Iterable[Score]) -> Figures:
    """Return F1 of mean precision and mean recall, as the article extraction benchmark has it."""
    scores = list(scores)
    precision = mean([one.precision for one in scores if one.precision is not None] or [0.0])
    recall = mean([one.recall for one in scores if one.recall is not None] or [0.0])
    return Figures(2 * precision * recall / (precision + recall or 1.0), precision, recall)

#!/usr/bin/env python3
"""How good and how fast extraction is, beside its peers, on a folder of pages with gold text.

    benchmarks/extraction.py CORPUS [--seeds 5] [--peers FOLDER] [--limit 2]

Our text is cross-fitted: five folds by site, averaged over the seeds; no page is judged by a model that has seen a page
of its site. That is most of the time: `--seeds 0` leaves it out, and prints what the model file records of it. Peers
that are not installed are left out; `--peers` names a folder made with `pip install --target`. A page that costs a peer
more than the limit, in seconds of CPU, counts as read in that time and without text; the row says how many there were.
The time is the median of all pages, and how often it is trafilatura's in its fast mode. "Seen its sites" is the shipped
model on the pages it was trained on: a check that it is the one that was trained, no figure of merit.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from statistics import mean, median
from time import process_time
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "crawler" / "extraction" / "classify" / "model.json"
sys.path.insert(0, str(ROOT))

from corpus import Figures, Page, digest, figures, load, score  # noqa: E402
from metadata_scores import SCORES  # noqa: E402

from crawler.extraction import extract  # noqa: E402
from crawler.extraction.metadata.language import detect  # noqa: E402
from crawler.html.encoding import decode  # noqa: E402
from storage.model import Article  # noqa: E402

Reader = Callable[[str], str]
#: The row that all times are compared with.
FAST = "trafilatura fast"


def train_script() -> ModuleType:
    """Return scripts/train as a module: its cross-fitting is the one the model's record holds."""
    loader = SourceFileLoader("train", str(ROOT / "scripts" / "train"))
    spec = spec_from_loader("train", loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules["train"] = module
    loader.exec_module(module)
    return module


def peers() -> dict[str, Reader]:
    """Return the other extractors that are installed, each as a function from HTML to text."""
    found: dict[str, Reader] = {}
    for add in (_trafilatura, _readability, _resiliparse, _newspaper):
        try:
            found.update(add())
        except ImportError as error:
            print(f"left out: {error}", file=sys.stderr)
    return found


def _trafilatura() -> dict[str, Reader]:
    from trafilatura import bare_extraction
    from trafilatura import extract as other

    def with_metadata(html: str) -> str:
        document = bare_extraction(html, include_comments=False, with_metadata=True)
        return str(getattr(document, "text", None) or "")

    return {
        FAST: lambda html: other(html, fast=True, include_comments=False) or "",
        "trafilatura default": lambda html: other(html, include_comments=False) or "",
        "trafilatura default, metadata": with_metadata,
        "trafilatura precision": lambda html: other(html, favor_precision=True, include_comments=False) or "",
        "trafilatura recall": lambda html: other(html, favor_recall=True, include_comments=False) or "",
    }


def _readability() -> dict[str, Reader]:
    from lxml import html as parser

    document = import_module("readability").Document
    return {
        "readability-lxml": lambda html: "\n".join(map(str, parser.fromstring(document(html).summary()).itertext()))
    }


def _resiliparse() -> dict[str, Reader]:
    plain = import_module("resiliparse.extract.html2text").extract_plain_text
    return {"resiliparse": lambda html: str(plain(html, main_content=True))}


def _newspaper() -> dict[str, Reader]:
    other = import_module("newspaper").Article

    def read(html: str) -> str:
        article = other("https://example.org/")
        article.download(input_html=html)
        article.parse()
        return str(article.text)

    return {"newspaper4k": read}


class OverLimit(BaseException):
    """A page took longer than it may; no `Exception`, which peers catch and go on."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `OverLimit` once the process has used so much CPU; Unix only, and between two steps of Python."""

    def stop(*_: object) -> None:
        raise OverLimit

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of all pages: the texts, the median of the milliseconds of CPU, the pages over the limit."""

    texts: list[str]
    milliseconds: float
    over: int = 0


def timed(read: Reader, pages: Sequence[Page], limit: float) -> Reading:
    """Return what a peer reads; a failure is no text."""
    texts, times, over = [], [], 0
    for page in pages:
        html = decode(page.html)
        start = process_time()
        try:
            with limited(limit):
                text = read(html)
        except OverLimit:
            text, over = "", over + 1
        except Exception:
            # Peers fail on some pages; that is their score.
            text = ""
        times.append(1000 * (process_time() - start))
        texts.append(text)
    return Reading(texts, median(times), over)


def line(name: str, scores: Sequence[Figures], milliseconds: float, fast: float, note: str = "") -> str:
    """Return a row of the table: the figures of both sources, of the strict count, and the time."""
    benchmark, fundus, strict = scores
    time = f"{milliseconds:9.1f}{milliseconds / fast:7.2f}" if fast else f"{milliseconds:9.1f}{'':7}"
    return f"{name:32}{benchmark!s:28}{fundus!s:28}{strict.f1:.4f}{time}{note}"


def scored(pages: Sequence[Page], texts: Sequence[str]) -> list[Figures]:
    """Return the figures on the benchmark, on fundus, and on fundus with the summary counted as wrong."""
    pairs = list(zip(texts, pages, strict=True))
    return [
        figures(score(text, page) for text, page in pairs if not page.is_fundus),
        figures(score(text, page) for text, page in pairs if page.is_fundus),
        figures(score(text, page, strict=True) for text, page in pairs if page.is_fundus),
    ]


def metadata_line(pages: Sequence[Page], articles: Sequence[Article]) -> str:
    """Return the metadata scores; the language that is right is that of the gold text."""
    parts = []
    for name, rate in SCORES.items():
        golds = ({**page.record, "language": detect(page.gold)} for page in pages)
        rated = [rate(gold, article) for gold, article in zip(golds, articles, strict=True)]
        known = [value for value in rated if value is not None]
        parts.append(f"{name} {mean(known):.3f} of {len(known)}")
    return "metadata: " + ", ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--peers", type=Path, help="a folder that holds more extractors")
    parser.add_argument("--limit", type=float, default=2.0, help="seconds of CPU a page may cost a peer")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    if options.peers:
        # After our own packages, so that the peers' dependencies replace none of them.
        sys.path.append(str(options.peers))
    pages = load(options.corpus)
    print(f"{'':32}{'benchmark F1':28}{'fundus F1':28}{'strict':6}{'CPU ms':>9}{'x fast':>7}")
    fast = 0.0
    others = peers()
    for name, read in others.items():
        reading = timed(read, pages, options.limit)
        fast = fast or reading.milliseconds
        note = f"  {reading.over} pages over {options.limit:g} s" if reading.over else ""
        print(line(name, scored(pages, reading.texts), reading.milliseconds, fast, note), flush=True)
    articles, ours, fast = beside(pages, others[FAST])
    print(line("newskeep, seen its sites", scored(pages, list(map(kept, articles))), ours, fast), flush=True)
    print(metadata_line(pages, articles), flush=True)
    if not options.seeds:
        print(f"newskeep, cross-fitted, as recorded: {recorded(digest(options.corpus))}")
        return
    scores, note = cross_fitted(pages, options.seeds)
    print(line("newskeep, cross-fitted", scores, ours, fast))
    print(note)


def beside(pages: Sequence[Page], fast: Reader) -> tuple[list[Article], float, float]:
    """Return our articles, and the medians of our milliseconds and of trafilatura's fast mode, page after page in turn:
    so that a machine that is busy for some seconds is so for both."""
    articles, ours, theirs = [], [], []
    for page in pages:
        start = process_time()
        articles.append(extract(page.html, page.url))
        between = process_time()
        fast(decode(page.html))
        ours.append(1000 * (between - start))
        theirs.append(1000 * (process_time() - between))
    return articles, median(ours), median(theirs)


def kept(article: Article) -> str:
    """Return the text of an article, a block a line, as the training script has it."""
    return "\n".join(block.text for block in article.blocks if block.kept)


def recorded(data: str) -> str:
    """Return the shipped model's own record of its cross-fitted F1, if it was trained on this data."""
    record = json.loads(MODEL.read_text(encoding="utf-8"))["training"]
    if record["data"] != data:
        return "none, the model was trained on other pages"
    rows = [
        f"{name} {mean_of:.4f} ({' '.join(f'{f1:.4f}' for f1 in record['F1 by seed'][name])})"
        for name, mean_of in record["cross-fitted F1"].items()
    ]
    return f"{record['folds']}; {', '.join(rows)}"


def cross_fitted(pages: Sequence[Page], seeds: int) -> tuple[list[Figures], str]:
    """Return our figures, the means over the seeds, and a line that tells their spread."""
    train = train_script()
    samples = [one for page in pages if (one := train.sample(page)) is not None]
    runs = [train.evaluate(samples, train.cross_fit(samples, seed)) for seed in range(seeds)]
    mean_of = train.average(runs)
    names = ("article-extraction-benchmark", "fundus", "fundus, strict")
    spread = "; ".join(f"{name} {' '.join(f'{run[name].f1:.4f}' for run in runs)}" for name in names[:2])
    return [mean_of[name] for name in names], f"F1 by seed: {spread}"


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""How good and how fast extraction is, beside its peers, on a folder of pages with gold text.

    benchmarks/extraction.py CORPUS [--seeds 5] [--peers FOLDER]

Our text is cross-fitted: five folds by site, averaged over the seeds; no page is judged by a model that has seen a page
of its site. Peers that are not installed are left out; `--peers` names a folder made with `pip install --target`.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from statistics import mean, median
from time import process_time
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.corpus import Page, figures, load, score  # noqa: E402
from benchmarks.metadata_scores import SCORES  # noqa: E402
from crawler.extraction import extract  # noqa: E402
from crawler.extraction.encoding import decode  # noqa: E402
from crawler.extraction.language import detect  # noqa: E402
from storage.model import Article  # noqa: E402

Reader = Callable[[str], str]


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
        "trafilatura fast": lambda html: other(html, fast=True, include_comments=False) or "",
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


def timed(read: Reader, pages: Sequence[Page]) -> tuple[list[str], float]:
    """Return each page's text and the median of the milliseconds of CPU a page took; a failure is no text."""
    texts, times = [], []
    for page in pages:
        html = decode(page.html)
        start = process_time()
        try:
            text = read(html)
        except Exception:
            # Peers fail on some pages; that is their score.
            text = ""
        times.append(1000 * (process_time() - start))
        texts.append(text)
    return texts, median(times)


def line(name: str, pages: Sequence[Page], texts: Sequence[str], milliseconds: float) -> str:
    """Return a row of the table: F1 on both sources, and with the summary counted as wrong."""
    pairs = list(zip(texts, pages, strict=True))
    benchmark = figures(score(text, page) for text, page in pairs if not page.is_fundus)
    fundus = figures(score(text, page) for text, page in pairs if page.is_fundus)
    strict = figures(score(text, page, strict=True) for text, page in pairs if page.is_fundus)
    return f"{name:32}{benchmark!s:28}{fundus!s:28}{strict.f1:.4f}{milliseconds:12.1f}"


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
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    if options.peers:
        # After our own packages, so that the peers' dependencies replace none of them.
        sys.path.append(str(options.peers))
    pages = load(options.corpus)
    print(f"{'':32}{'benchmark F1':28}{'fundus F1':28}{'strict':6}{'CPU ms':>12}")
    for name, read in peers().items():
        print(line(name, pages, *timed(read, pages)), flush=True)
    articles: list[Article] = []
    times = []
    for page in pages:
        start = process_time()
        articles.append(extract(page.html, page.url))
        times.append(1000 * (process_time() - start))
    print(metadata_line(pages, articles), flush=True)
    print(ours(pages, options.seeds, median(times)))


def ours(pages: Sequence[Page], seeds: int, milliseconds: float) -> str:
    """Return our row of the table."""
    train = train_script()
    samples = [one for page in pages if (one := train.sample(page)) is not None]
    mean_of = train.average([train.evaluate(samples, train.cross_fit(samples, seed)) for seed in range(seeds)])
    benchmark, fundus, strict = (mean_of[name] for name in ("article-extraction-benchmark", "fundus", "fundus, strict"))
    return f"{'newskeep, cross-fitted':32}{benchmark!s:28}{fundus!s:28}{strict.f1:.4f}{milliseconds:12.1f}"


if __name__ == "__main__":
    main()

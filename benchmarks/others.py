"""What others do with a list of URLs, as users would write it; `throughput.py` runs each in a process of its own.

    python benchmarks/others.py wget LIST FOLDER            wget --warc-file, then trafilatura in two processes
    python benchmarks/others.py scrapy LIST FOLDER          Scrapy, which throws the pages away
    python benchmarks/others.py scrapy-text LIST FOLDER     … and has trafilatura make their text

Prints how many pages came, and how many texts.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response
from trafilatura import extract

#: As many requests at a time as Newskeep makes by default.
CONCURRENCY = 32


def text_of(page: bytes, url: str | None = None) -> str:
    """The text by trafilatura's defaults, with metadata; empty where it finds none."""
    return extract(page, url=url, output_format="json", with_metadata=True) or ""


def _text_of_file(path: Path) -> bool:
    return bool(text_of(path.read_bytes()))


def wget(listed: Path, folder: Path) -> tuple[int, int]:
    pages = folder / "pages"
    warc = folder / "all"
    command = ["wget", "-q", "-x", "-P", str(pages), "-i", str(listed), f"--warc-file={warc}", "--no-warc-keep-log"]
    subprocess.run(command, check=True)
    saved = [path for path in pages.rglob("*") if path.is_file()]
    with Pool(2) as pool:
        texts = sum(pool.imap_unordered(_text_of_file, saved, chunksize=4))
    return len(saved), texts


class _Spider(scrapy.Spider):
    name = "others"
    custom_settings = {
        "CONCURRENT_REQUESTS": CONCURRENCY,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "DOWNLOAD_DELAY": 0,
        "ROBOTSTXT_OBEY": False,
        "TELNETCONSOLE_ENABLED": False,
        "COOKIES_ENABLED": False,
        "DOWNLOAD_WARNSIZE": 0,
    }

    def __init__(self, listed: Path, has_text: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._has_text = has_text
        self.start_urls = listed.read_text().split()
        self.counts = [0, 0]

    def parse(self, response: Response) -> Iterator[Any]:
        self.counts[0] += 1
        if self._has_text:
            self.counts[1] += bool(text_of(response.body, response.url))
        yield from ()


def crawl(listed: Path, has_text: bool) -> tuple[int, int]:
    process = CrawlerProcess({"LOG_LEVEL": "WARNING"})
    crawler = process.create_crawler(_Spider)
    process.crawl(crawler, listed=listed, has_text=has_text)
    counts: list[int] = []

    def note(spider: _Spider) -> None:
        counts.extend(spider.counts)

    crawler.signals.connect(note, scrapy.signals.spider_closed, weak=False)
    process.start()
    pages, texts = counts
    return pages, texts


if __name__ == "__main__":
    way, list_file, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    print(*(wget(list_file, out) if way == "wget" else crawl(list_file, way == "scrapy-text")))

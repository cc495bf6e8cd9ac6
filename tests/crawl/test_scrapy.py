"""Scrapy's own commands in a folder with our scrapy.cfg, as those who know Scrapy type them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from origin import Origin
from small_paper import Paper
from warm_start import WarmStart

from crawler.engine.extensions import site_lock
from storage import open_archive
from storage.locking import held

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
Scrapy = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def paper() -> Iterator[Paper]:
    with Origin() as origin:
        yield Paper(origin, stories=3)


@pytest.fixture
def scrapy(paper: Paper, tmp_path: Path, environment: Mapping[str, str], warm_start: WarmStart) -> Scrapy:
    shutil.copy(ROOT / "scrapy.cfg", tmp_path)
    (tmp_path / "newskeep.toml").write_text(f'[sites.town]\nstart = "{paper.origin.url()}"\ndelay = 0\n')
    settings = ("ALLOW_PRIVATE_ADDRESSES=1", "EXTRACTION_WORKERS=1", "OPERATOR=https://o.example/")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        chosen = [part for setting in settings for part in ("-s", setting)]
        return warm_start.scrapy(*arguments, *chosen, cwd=tmp_path, environment=environment)

    return run


def test_a_crawl_says_what_was_done_and_exports_outcomes(scrapy: Scrapy, paper: Paper, tmp_path: Path) -> None:
    paper.put(paper.path(3), b"no", status="404 Not Found")
    done = scrapy("crawl", "town", "-o", "items.json")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[:1] == ["town: 3 announced, 3 new; 2 archived, 0 unchanged, 0 refused, 1 failed"]
    assert f"2 archived, 1 failed; in {tmp_path / 'archive'} (crawl " in done.stderr
    items = {item["url"]: item for item in json.loads((tmp_path / "items.json").read_text())}
    assert {url: (item["outcome"], item["title"]) for url, item in items.items()} == {
        paper.url(1): ("archived", "Story 1 of the long bridge"),
        paper.url(2): ("archived", "Story 2 of the long bridge"),
        paper.url(3): ("failed", None),
    }
    assert items[paper.url(3)]["reason"] == "404 Not Found"


def test_urls_may_be_given_as_a_text(scrapy: Scrapy, paper: Paper, tmp_path: Path) -> None:
    done = scrapy("crawl", "urls", "-a", f"urls={paper.url(1)} {paper.url(2)}", "-o", "items.csv")
    assert "2 archived; in " in done.stderr, done.stderr
    assert len((tmp_path / "items.csv").read_text().splitlines()) == 3


TITLE = "print(response.css('title::text').get())"


@pytest.mark.parametrize(
    "command",
    [
        ("fetch",),
        ("shell", "-c", TITLE, "--spider", "town"),
        *(
            pytest.param(each, marks=pytest.mark.exhaustive)
            for each in (("shell", "-c", TITLE), ("fetch", "--spider", "town"), ("fetch", "--spider", "urls"))
        ),
    ],
)
def test_to_look_at_a_page_is_not_to_archive_it(
    scrapy: Scrapy, paper: Paper, tmp_path: Path, command: tuple[str, ...]
) -> None:
    name, *options = command
    done = scrapy(name, paper.url(1), *options)
    assert done.returncode == 0, done.stderr
    assert "Story 1 of the long bridge" in done.stdout
    assert "nothing is archived" in done.stderr
    assert not (tmp_path / "archive").exists()


def test_a_crawl_ends_with_the_exit_codes_of_newskeep(scrapy: Scrapy, paper: Paper, tmp_path: Path) -> None:
    assert scrapy("crawl", "urls", "-a", f"urls={paper.url(1)} {paper.url(9)}").returncode == 4
    assert scrapy("crawl", "urls", "-a", f"urls={paper.url(9)}").returncode == 5
    paper.put("/", b"no", status="404 Not Found")
    done = scrapy("crawl", "town")
    assert done.returncode == 5, done.stderr
    assert f"  {paper.origin.url()}: 404 Not Found" in done.stderr.splitlines()
    with open_archive(str(tmp_path / "archive")) as archive, held(site_lock(archive.state, "town"), "a crawl of town"):
        done = scrapy("crawl", "town")
    assert done.returncode == 75, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nowhere",), 2, "scrapy crawl: no spider or site is named 'nowhere'; `scrapy list` names them"),
        (("urls", "-a", "file=none.txt"), 2, "cannot read the list none.txt"),
        (("urls", "-s", "ARCHIVE=scrapy.cfg"), 3, "scrapy.cfg"),
        (("urls", "-a", "requisites=1", "-s", "STATE=scrapy.cfg"), 3, "scrapy.cfg"),
        (("site",), 2, "spider 'site' has no site: a class names start_urls; `site` takes -a url=ADDRESS"),
    ],
)
def test_what_cannot_begin_is_told_in_a_line(scrapy: Scrapy, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = scrapy("crawl", *arguments)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert said in done.stderr


def test_a_fault_in_a_spider_is_told_and_ends_with_1(scrapy: Scrapy, paper: Paper, tmp_path: Path) -> None:
    (tmp_path / "our_spiders.py").write_text(
        "from spiders.base import NewsSpider\n\n\nclass Ours(NewsSpider):\n    name = 'ours'\n"
        f"    start_urls = [{paper.origin.url()!r}]\n    delay = 0\n\n    def parse(self, response, **kwargs):\n"
        "        return headline\n"
    )
    done = scrapy("crawl", "ours", "-s", "SPIDER_MODULES=our_spiders")
    assert done.returncode == 1, done.stderr
    assert "a fault in the program: NameError: name 'headline' is not defined, in parse (" in done.stderr
    assert "3 failed; in " in done.stderr

"""What goes wrong in a spider, a pipeline or an extension is told and ends with 1; what was recorded is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Run
from origin import Origin
from small_paper import Paper

pytestmark = pytest.mark.long

CONFIGURATION = 'allow_private = true\noperator = "https://o.example/"\nworkers = 1\nspider_modules = ["our_spiders"]\n'
TOWN = """
import asyncio
from scrapy import signals
from spiders.base import NewsSpider

class Town(NewsSpider):
    name = "town"
    start_urls = [{url!r}]
    delay = 0
"""
#: Where it goes wrong -> the class that does so.
OF_SITE = {
    "callback": """
    async def parse(self, response, **kwargs):
        if "story-2" in response.url:
            raise NameError("name 'headline' is not defined")
        async for item in super().parse(response, **kwargs):
            yield item
""",
    "callback after its page": """
    async def parse(self, response, **kwargs):
        async for item in super().parse(response, **kwargs):
            yield item
        raise NameError("name 'headline' is not defined")
""",
    "callback that is no generator": """
    def parse(self, response, **kwargs):
        return headline
""",
    "errback": """
    def failed(self, failure):
        raise NameError("name 'headline' is not defined")
""",
    "start": """
    async def start(self):
        async for request in super().start():
            yield request
        raise NameError("name 'headline' is not defined")
""",
    "pipeline": """
    custom_settings = {{**NewsSpider.custom_settings, "ITEM_PIPELINES": {{"our_spiders.Broken": 450}}}}

class Broken:
    def process_item(self, item):
        return headline
""",
    "first pipeline": """
    custom_settings = {{**NewsSpider.custom_settings, "ITEM_PIPELINES": {{"our_spiders.Broken": 50}}}}

class Broken:
    def process_item(self, item):
        return headline
""",
    "extension": """
    @classmethod
    def from_crawler(cls, crawler, *args, **kwargs):
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.closing, signals.spider_closed)
        return spider

    async def closing(self):
        await asyncio.sleep(0)
        return headline
""",
    "making": """
    @classmethod
    def from_crawler(cls, crawler, *args, **kwargs):
        return headline
""",
}
LIST = """
from crawler.session.outcomes import failed_outcome
from spiders.urls import UrlsSpider as Base

class UrlsSpider(Base):
    name = "urls"
    window = 2

    async def parse(self, response, **kwargs):
        if "story-2" in response.url:
            raise NameError("name 'headline' is not defined")
        async for item in super().parse(response, **kwargs):
            yield item

    async def failed(self, failure):
        raise NameError("name 'headline' is not defined")
        yield
"""


@pytest.fixture
def paper(tmp_path: Path) -> Iterator[Paper]:
    with Origin() as origin:
        (tmp_path / "newskeep.toml").write_text(CONFIGURATION)
        yield Paper(origin, stories=3)


def lines(said: bytes) -> list[str]:
    return said.decode().splitlines()


#: One of those that the run goes on after, and one that ends it; the others are no affair of the command.
DUE = ("callback", "start")


@pytest.mark.parametrize(
    ("command", "where"),
    [
        *(("crawl", where) for where in OF_SITE),
        *(pytest.param("due", where, marks=[] if where in DUE else pytest.mark.exhaustive) for where in OF_SITE),
    ],
)
def test_a_site(newskeep: Run, paper: Paper, tmp_path: Path, where: str, command: str) -> None:
    if where == "errback":
        paper.robots("User-agent: *\nDisallow: /2026/")
    (tmp_path / "our_spiders.py").write_text((TOWN + OF_SITE[where]).format(url=paper.origin.url()))
    if command == "due":
        with (tmp_path / "newskeep.toml").open("a") as file:
            file.write("[sites.town]\nevery = 60\n")
    done = newskeep(command, "town")
    said = lines(done.stderr)
    assert done.returncode == 1, said
    assert not any("Traceback" in line for line in said), said
    assert any("NameError: name 'headline' is not defined" in line and "our_spiders.py:" in line for line in said), said
    assert newskeep("verify").returncode == 0


def test_what_a_callback_leaves_has_an_outcome(newskeep: Run, paper: Paper, tmp_path: Path) -> None:
    (tmp_path / "our_spiders.py").write_text((TOWN + OF_SITE["callback"]).format(url=paper.origin.url()))
    done = newskeep("crawl", "town", "--json")
    outcomes = {line["url"]: (line["outcome"], line["reason"]) for line in map(json.loads, lines(done.stdout))}
    fault = "a fault of ours: name 'headline' is not defined"
    assert outcomes == {
        paper.url(1): ("archived", None),
        paper.url(2): ("failed", fault),
        paper.url(3): ("archived", None),
    }
    assert newskeep("get", paper.url(2)).stdout == paper.page(2), "what was recorded is kept"


def test_a_page_has_one_outcome(newskeep: Run, paper: Paper, tmp_path: Path) -> None:
    (tmp_path / "our_spiders.py").write_text((TOWN + OF_SITE["callback after its page"]).format(url=paper.origin.url()))
    done = newskeep("crawl", "town", "--json")
    assert [json.loads(line)["outcome"] for line in lines(done.stdout)] == ["archived"] * 3
    assert done.returncode == 1


def test_a_list(newskeep: Run, paper: Paper, tmp_path: Path) -> None:
    (tmp_path / "our_spiders.py").write_text(LIST)
    gone = "http://127.0.0.1:9/"
    # More than are asked for at a time: none keeps its place for good.
    done = newskeep("save", "--json", "--delay", "0", *map(paper.url, (2, 1, 3)), gone)
    outcomes = {line["url"]: line["outcome"] for line in map(json.loads, lines(done.stdout))}
    assert outcomes == {paper.url(1): "archived", paper.url(2): "failed", paper.url(3): "archived", gone: "failed"}
    assert done.returncode == 1
    assert sum("NameError: name 'headline' is not defined" in line for line in lines(done.stderr)) == 1
    assert b"2 archived, 2 failed; in " in done.stderr
    assert newskeep("get", paper.url(2)).stdout == paper.page(2), "what was recorded is kept"


SILENT = {
    "a generator": """
    async def parse(self, response, **kwargs):
        if "story-2" in response.url:
            return
        async for item in super().parse(response, **kwargs):
            yield item
""",
    "a function": """
    def parse(self, response, **kwargs):
        return None
""",
}


@pytest.mark.parametrize("how", SILENT)
def test_a_page_that_a_callback_does_not_hand_on_is_archived(
    newskeep: Run, paper: Paper, tmp_path: Path, how: str
) -> None:
    (tmp_path / "our_spiders.py").write_text((TOWN + SILENT[how]).format(url=paper.origin.url()))
    done = newskeep("crawl", "town", "--json")
    outcomes = {line["url"]: line["outcome"] for line in map(json.loads, lines(done.stdout))}
    assert outcomes == {paper.url(number): "archived" for number in (1, 2, 3)}
    assert done.returncode == 0

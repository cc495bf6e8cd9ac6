"""The recorder in a project as `scrapy startproject` makes it, whose spiders know nothing of it: `newskeep.scrapy`."""

from __future__ import annotations

import gzip
import json
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from command import Run
from origin import Close, Hang, Origin, Reset, response
from small_paper import Paper
from warcs import records, warc_files
from warm_start import WarmStart

from storage.warc import INSECURE

pytestmark = pytest.mark.long

HTML = ("Content-Type", "text/html")
ADDON = 'ADDONS = {"newskeep.scrapy.Recorder": 300}\n'
SETTINGS = """
DOWNLOAD_DELAY = 0
AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_START_DELAY = 0
ITEM_PIPELINES = {"town.pipelines.Kept": 100, "scrapy.pipelines.files.FilesPipeline": 200}
FILES_STORE = "files"
LOG_LEVEL = "INFO"
TELNETCONSOLE_ENABLED = False

# Else it would ask the network for the list of public suffixes.
import tldextract
from scrapy.downloadermiddlewares import cookies
cookies._split_domain = tldextract.TLDExtract(suffix_list_urls=(), include_psl_private_domains=True)
"""
PIPELINES = """
import scrapy


class Kept:
    def __init__(self, crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler)

    async def open_spider(self):
        if token := getattr(self.crawler.spider, "token", None):
            await self.crawler.engine.download_async(scrapy.Request(token))

    def process_item(self, item):
        item["kept"] = True
        return item
"""
SPIDERS = """
import hashlib, json, logging
import scrapy
from scrapy.linkextractors import LinkExtractor
from scrapy.spiders import CrawlSpider, Rule


class Story(scrapy.Item):
    seen, kept, file_urls, files = (scrapy.Field() for _ in range(4))


def seen(response):
    meta = {key: value for key, value in response.meta.items() if key not in ("download_latency", "download_slot")}
    return [
        response.url, response.status, hashlib.sha1(response.body).hexdigest(), type(response).__name__,
        sorted((name.decode(), [value.decode() for value in values]) for name, values in response.headers.items()),
        response.flags, response.protocol, str(response.ip_address), json.loads(json.dumps(meta, default=str)),
    ]


class Links(CrawlSpider):
    name = "links"
    rules = [Rule(LinkExtractor(), callback="story", follow=True)]

    def __init__(self, address="", **kwargs):
        super().__init__(**kwargs)
        self.start_urls = [address]

    def story(self, response):
        pictures = response.css("img::attr(src)").getall()
        yield Story(seen=seen(response), file_urls=[response.urljoin(each) for each in pictures])


class Troubles(scrapy.Spider):
    name = "troubles"

    def __init__(self, address, dead, **kwargs):
        super().__init__(**kwargs)
        self.address, self.dead = address, dead

    async def start(self):
        for path in ("cut", "reset", "odd", "missing", "large", "post", "cookie"):
            method = "POST" if path == "post" else "GET"
            meta = {"download_maxsize": 1000, "recorded": "mine"} if path == "large" else {"dont_retry": path == "cut"}
            yield self.asked(self.address + path, method=method, body=b"a=1" if path == "post" else b"", meta=meta)
        yield self.asked(self.address + "hang", meta={"download_timeout": 1, "dont_retry": True})
        yield self.asked(self.dead, meta={"dont_retry": True})

    def asked(self, url, **kwargs):
        return scrapy.Request(url, callback=self.parse, errback=self.failed, **kwargs)

    def parse(self, response):
        yield {"seen": seen(response)}

    def failed(self, failure):
        response = getattr(failure.value, "response", None)
        meta = sorted(failure.request.meta)
        yield {"failed": [failure.request.url, type(failure.value).__name__, response and response.status, meta]}


class Looping(scrapy.Spider):
    name = "looping"

    def __init__(self, address, **kwargs):
        super().__init__(**kwargs)
        self.start_urls = [address]

    def parse(self, response):
        number = int(response.url.rpartition("=")[2])
        yield response.follow(f"?n={number + 1}")
"""
Scrapy = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture
def project(tmp_path: Path, environment: Mapping[str, str], warm_start: WarmStart) -> Path:
    warm_start.scrapy("startproject", "town", ".", cwd=tmp_path, environment=environment).check_returncode()
    with (tmp_path / "town" / "settings.py").open("a") as file:
        file.write(SETTINGS + ADDON)
    (tmp_path / "town" / "pipelines.py").write_text(PIPELINES)
    (tmp_path / "town" / "spiders" / "all.py").write_text(SPIDERS)
    return tmp_path


@pytest.fixture
def scrapy(project: Path, environment: Mapping[str, str], warm_start: WarmStart) -> Scrapy:
    def run(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
        chosen = [part for name, value in settings.items() for part in ("-s", f"{name}={value}")]
        return warm_start.scrapy(*arguments, *chosen, cwd=project, environment=environment)

    return run


def put_links(origin: Origin) -> None:
    """A front page whose story redirects, fails once, is packed, and has a picture that is asked for as a file."""
    origin.reply("/", b"<a href=/old>old</a> <a href=/shaky>shaky</a> <a href=/private>private</a>", headers=[HTML])
    origin.reply("/robots.txt", b"User-agent: *\nDisallow: /private\n", headers=[("Content-Type", "text/plain")])
    origin.reply("/old", b"", "302 Found", [("Location", "/new"), ("Set-Cookie", "visit=1; Path=/")])
    page = Paper.page(1, head="<link rel=x>", foot="<img src=/picture.png>")
    origin.reply("/new", gzip.compress(page, mtime=0), headers=[HTML, ("Content-Encoding", "gzip"), ("X-odd", "a")])
    origin.on("/shaky", response(b"down", "500 Internal Server Error", [HTML]))
    chunked = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    origin.on("/shaky", chunked + b"4\r\n<p>a\r\n0\r\n\r\n")
    origin.reply("/picture.png", b"\x89PNG not really", headers=[("Content-Type", "image/png")])


def put_troubles(origin: Origin) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 900\r\n\r\n"
    origin.on("/cut", head + b"<p>only this</p></html>", Close())
    origin.on("/reset", Reset())
    origin.on("/odd", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab", Close())
    origin.reply("/large", b"x" * 5000, headers=[HTML])
    origin.reply("/post", b"<p>thanks", headers=[HTML])
    origin.reply("/cookie", b"<p>set", headers=[HTML, ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    origin.on("/hang", head + b"<p>then", Hang())


@pytest.mark.parametrize(("spider", "put"), [("links", put_links), ("troubles", put_troubles)])
@pytest.mark.exhaustive
def test_a_spider_sees_what_it_saw_without_and_every_byte_is_kept(
    scrapy: Scrapy, project: Path, spider: str, put: Callable[[Origin], None]
) -> None:
    told: list[list[str]] = []
    asked: list[Counter[bytes]] = []
    port = 0
    for number, addons in enumerate(("{}", '{"newskeep.scrapy.Recorder": 300}')):
        # On the same port, which is in what a spider sees.
        with Origin("127.9.8.7", port=port) as origin:
            put(origin)
            arguments = ["-a", f"address={origin.url()}", "-a", f"token={origin.url('/token')}", "-o", f"{number}.json"]
            if spider == "troubles":
                arguments += ["-a", "dead=http://127.9.8.6:9/"]
            done = scrapy("crawl", spider, *arguments, ADDONS=addons, FILES_STORE=f"files{number}")
            assert done.returncode == 0, done.stderr
            port, log = origin.port, origin.log
        items = json.loads((project / f"{number}.json").read_text())
        told.append(sorted(json.dumps(item, sort_keys=True) for item in items))
        # Which request of several at once is the first with a cookie is chance.
        asked.append(Counter(re.sub(rb"Cookie: .*\r\n", b"", entry.request) for entry in log))
    assert told[0] == told[1]
    assert len(told[0]) == (2 if spider == "links" else 9)
    assert asked[0] == asked[1]
    kept = records(project / "archive")
    assert Counter(record.block for record in kept if record.type == "request") == Counter(each.request for each in log)
    answers = [record.block for record in kept if record.type == "response"]
    sent = [entry.sent for entry in log if entry.sent]
    assert len(answers) == len(sent)
    # All but the one that the spider's bound has cut, which is as far as it came.
    assert all(any(each.startswith(answer) for each in sent) for answer in answers)
    assert {each for each in sent if len(each) < 5000} <= set(answers)
    (total,) = re.findall(r"newskeep.scrapy\] INFO: (\d+) responses and 0 revisits archived in (\S+)", done.stderr)
    assert total == (str(len(sent)), str(project / "archive"))


def test_pages_get_their_text_unless_it_is_not_wanted(scrapy: Scrapy, origin: Origin, newskeep: Run) -> None:
    put_links(origin)
    scrapy("crawl", "links", "-a", f"address={origin.url()}", NEWSKEEP_TEXT=False)
    assert b"Story 1" not in newskeep("search", "bridge").stdout
    assert newskeep("verify").returncode == 0
    assert newskeep("reextract").returncode == 0
    assert b"Story 1 of the long bridge" in newskeep("search", "bridge").stdout
    scrapy("crawl", "links", "-a", f"address={origin.url()}", NEWSKEEP_ARCHIVE="other")
    assert b"Story 1 of the long bridge" in newskeep("search", "bridge", "--archive", "other").stdout


@pytest.mark.exhaustive
def test_what_the_cache_of_scrapy_answers_was_not_fetched(scrapy: Scrapy, project: Path, origin: Origin) -> None:
    put_links(origin)
    cache = {"HTTPCACHE_ENABLED": True, "HTTPCACHE_IGNORE_HTTP_CODES": 500}
    for archive in ("first", "second"):
        done = scrapy("crawl", "links", "-a", f"address={origin.url()}", NEWSKEEP_ARCHIVE=archive, **cache)
        assert "'item_scraped_count': 2" in done.stderr
    assert len(records(project / "first")) > 8
    assert not warc_files(project / "second")
    assert "0 responses and 0 revisits archived" in done.stderr


@pytest.mark.parametrize(
    "command", [("shell", "-c", "print(response.url)"), ("fetch", "--spider", "links"), ("parse", "--spider", "links")]
)
@pytest.mark.exhaustive
def test_to_look_at_a_page_is_not_to_archive_it(
    scrapy: Scrapy, project: Path, origin: Origin, command: tuple[str, ...]
) -> None:
    put_links(origin)
    name, *options = command
    done = scrapy(name, origin.url(), *options)
    assert "only looking: nothing is archived" in done.stderr
    assert origin.logged("/")
    assert not (project / "archive").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"DOWNLOAD_HANDLERS": '{"https": "town.handlers.Mine"}'},
            "WARNING: not recorded: https goes through town.handlers.Mine",
        ),
        (
            {"DOWNLOAD_HANDLERS": '{"http": "town.handlers.Mine", "https": null}'},
            "Recorder: nothing is recorded: http goes through town.handlers.Mine",
        ),
        (
            {"TWISTED_REACTOR": "twisted.internet.selectreactor.SelectReactor"},
            "Recorder: nothing is recorded: it takes TWISTED_REACTOR = ",
        ),
        ({"NEWSKEEP_ARCHIVE": "scrapy.cfg"}, "ERROR: newskeep cannot record: cannot make the folder "),
        ({"NEWSKEEP_TEXT": "maybe"}, "ERROR: newskeep cannot record: NEWSKEEP_TEXT is True or False, not 'maybe'"),
    ],
)
@pytest.mark.exhaustive
def test_what_is_not_recorded_is_told_in_a_line(
    scrapy: Scrapy, project: Path, origin: Origin, settings: dict[str, str], said: str
) -> None:
    put_links(origin)
    (project / "town" / "handlers.py").write_text(
        "from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler\n\n\n"
        "class Mine(HTTP11DownloadHandler):\n    pass\n"
    )
    done = scrapy("crawl", "links", "-a", f"address={origin.url()}", **settings)
    assert len([line for line in done.stderr.splitlines() if said in line]) == 1, done.stderr
    assert "Traceback" not in done.stderr
    # Nothing is fetched where it would be lost unseen.
    assert bool(origin.requests) == ("cannot record" not in said)
    assert bool(warc_files(project / "archive")) == ("https goes" in said)


@pytest.mark.exhaustive
def test_certificates_are_the_projects_affair_and_marked(scrapy: Scrapy, project: Path) -> None:
    with Origin(tls=True) as secure:
        put_links(secure)
        for verify, items in (("1", None), ("0", 2)):
            done = scrapy("crawl", "links", "-a", f"address={secure.url()}", DOWNLOAD_VERIFY_CERTIFICATES=verify)
            assert re.search(r"'item_scraped_count': (\d+)", done.stderr) is not None or items is None, done.stderr
        sent = Counter(entry.sent for entry in secure.log)
    answers = [record for record in records(project / "archive") if record.type == "response"]
    assert Counter(record.block for record in answers) == sent
    assert {record[INSECURE] for record in answers} == {"the TLS certificate is self-signed"}


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.exhaustive
def test_a_crawl_that_is_stopped_or_killed_loses_nothing(
    scrapy: Scrapy, project: Path, origin: Origin, environment: Mapping[str, str], ending: signal.Signals
) -> None:
    origin.on_any(lambda path: response(path.encode(), headers=[HTML]) if "?n=" in path else None)
    command = [sys.executable, "-m", "scrapy", "crawl", "looping", "-a", f"address={origin.url('/?n=1')}"]
    with subprocess.Popen(command, cwd=project, env=environment, stderr=subprocess.DEVNULL) as crawl:
        while origin.requests < 20:
            time.sleep(0.05)
        crawl.send_signal(ending)
    # What it fetched, but for the last: whose answer had not come to the end when it was killed.
    fetched = [entry.sent for entry in origin.log][:-1]
    if ending == signal.SIGKILL:
        assert not warc_files(project / "archive")
        scrapy("crawl", "looping", "-a", f"address={origin.url('/none')}")
    answers = {record.block for record in records(project / "archive") if record.type == "response"}
    assert set(fetched) <= answers


@pytest.mark.exhaustive
def test_two_spiders_of_a_script_without_a_guard(
    project: Path, origin: Origin, environment: Mapping[str, str], newskeep: Run
) -> None:
    for number in (1, 2):
        origin.reply(f"/{number}", Paper.page(number), headers=[HTML])
    (project / "script.py").write_text(
        "import scrapy\nfrom scrapy.crawler import CrawlerProcess\n\n\n"
        "class One(scrapy.Spider):\n    name = 'one'\n    number = 1\n\n"
        f"    async def start(self):\n        yield scrapy.Request({origin.url('/')!r} + str(self.number))\n\n"
        "    def parse(self, response):\n        pass\n\n\n"
        "class Two(One):\n    name = 'two'\n    number = 2\n\n\n"
        "process = CrawlerProcess({'ADDONS': {'newskeep.scrapy.Recorder': 300}})\n"
        "process.crawl(One)\nprocess.crawl(Two)\nprocess.start()\n"
    )
    command = [sys.executable, "script.py"]
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert origin.requests == 2
    assert len(warc_files(project / "archive")) == 2
    found = newskeep("search", "bridge").stdout
    assert b"Story 1 of" in found and b"Story 2 of" in found

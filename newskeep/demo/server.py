"""Both papers on free loopback ports, from threads of this process, without a word on standard error."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

from newskeep.demo.pages import Page, missing, render
from newskeep.demo.papers import DemoArticle, Paper, papers

#: An address each, as two sites have two hosts. Where the second is not there (macOS), the first serves both.
ADDRESSES = ("127.0.0.1", "127.0.0.2")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: str, paper: Paper) -> None:
        super().__init__((address, 0), _Handler)
        self.paper = paper
        self.base = f"http://{address}:{self.server_port}"
        self.pages = render(paper, self.base)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is nobody's fault."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        page = self.server.pages.get(path) or missing(self.server.paper, self.server.base, path)
        etag = f'"{hashlib.sha256(page.body).hexdigest()[:16]}"'
        if page.status == 200 and self.headers.get("If-None-Match") == etag:
            page = Page(b"", page.content_type, 304)
        self._answer(page, etag)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, page: Page, etag: str) -> None:
        self.send_response(page.status)
        self.send_header("Content-Type", page.content_type)
        for name, value in page.headers:
            self.send_header(name, value)
        if page.status in {200, 304}:
            self.send_header("ETag", etag)
        if page.status != 304:
            self.send_header("Content-Length", str(len(page.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.body)

    def log_message(self, *_: object) -> None:
        """Standard error belongs to the crawl."""


@dataclass(frozen=True, slots=True)
class Site:
    """A paper and where it is served."""

    paper: Paper
    base: str


class DemoSite:
    """The demo's two papers, served between `__enter__` and `__exit__`.

    `day` turns what rotates on the pages, as the next day would.
    """

    def __init__(self, day: int = 0) -> None:
        self._papers = papers(day)
        self._servers: list[_Server] = []
        self._threads: list[Thread] = []
        self.sites: tuple[Site, ...] = ()

    def __enter__(self) -> Self:
        for address, paper in zip(ADDRESSES, self._papers, strict=True):
            server = _listen(address, paper)
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            self._servers.append(server)
            self._threads.append(thread)
            thread.start()
        self.sites = tuple(Site(server.paper, server.base) for server in self._servers)
        return self

    def __exit__(self, *_: object) -> None:
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()

    @property
    def urls(self) -> tuple[str, ...]:
        """The list to archive: every article once (one of each paper under an address that redirects to it), and for
        each paper an article that is gone (404) and a page its robots.txt forbids."""
        return tuple(url for site in self.sites for url in _list(site))

    @property
    def feeds(self) -> tuple[str, ...]:
        return self._places("feed")

    @property
    def sitemaps(self) -> tuple[str, ...]:
        return self._places("sitemap")

    @property
    def fronts(self) -> tuple[str, ...]:
        return self._places("front")

    @property
    def missing(self) -> tuple[str, ...]:
        """What answers 404."""
        return self._places("missing")

    @property
    def forbidden(self) -> tuple[str, ...]:
        """What robots.txt forbids."""
        return self._places("forbidden")

    def article(self, url: str) -> DemoArticle | None:
        """The article at an address of this site, its old address included."""
        for site in self.sites:
            path = url.removeprefix(site.base)
            if path == site.paper.facts["moved_from"]:
                path = site.paper.facts["moved_to"]
            for article in site.paper.articles:
                if url.startswith(site.base) and article.path == path:
                    return article
        return None

    def _places(self, name: str) -> tuple[str, ...]:
        return tuple(site.base + site.paper.facts[name] for site in self.sites)


def _listen(address: str, paper: Paper) -> _Server:
    try:
        return _Server(address, paper)
    except OSError:
        return _Server(ADDRESSES[0], paper)


def _list(site: Site) -> list[str]:
    facts = site.paper.facts
    paths = [facts["moved_from"] if path == facts["moved_to"] else path for path in _paths(site)]
    return [site.base + path for path in [*paths, facts["missing"], facts["forbidden"]]]


def _paths(site: Site) -> list[str]:
    return [article.path for article in site.paper.articles]

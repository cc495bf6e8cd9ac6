"""Archives filled without a crawl: WARCs with their parts, written and delivered by the code that always does it."""

from __future__ import annotations

import atexit
import functools
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage import cdxj
from storage.archive import Archive
from storage.articles import write_part
from storage.model import Article, Block, Capture, Exchange, Extractor, Reason, TextSource
from storage.objects import ObjectStore
from storage.objects.local import LocalStore
from storage.spool import Parcel
from storage.warc import make_stem
from storage.warc_writer import WarcWriter

BEGIN = datetime(2026, 3, 1, 6, 0, 0, 250_000, tzinfo=UTC)
REQUEST = b"GET / HTTP/1.1\r\nHost: paper.example\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Page:
    """What was fetched, and what must come back."""

    url: str
    moment: datetime
    response: bytes
    #: What the archive gives back as its text.
    text: str


def page(number: int, version: int = 0) -> Page:
    moment = BEGIN + timedelta(minutes=number, days=version)
    text = f"Article {number} tells in its {version}. version of ærø and {hashlib.sha1(b'%d' % number).hexdigest()}."
    body = f"<html><p>{text}</p></html>".encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body)
    return Page(f"https://www.paper.example/{number}", moment, head + body, text)


def deliver(
    archive: Archive, serial: int, pages: list[Page], crawl: str = "0123456789ab", revisit: bool = False
) -> str:
    """Archive pages in one WARC, and with `revisit` the last one once more; return the WARC's name."""
    parcel = write(archive.state / "made", serial, pages, crawl, revisit)
    archive.deliver(parcel)
    return parcel.filename


def write(folder: Path, serial: int, pages: list[Page], crawl: str = "0123456789ab", revisit: bool = False) -> Parcel:
    """The same as files, not yet delivered."""
    folder.mkdir(parents=True, exist_ok=True)
    filename = make_stem(pages[0].moment, crawl, serial) + ".warc.gz"
    parcel = Parcel(folder / filename)
    writer = WarcWriter(parcel.warc, filename, {"software": "newskeep/tests"})
    captures: list[Capture] = []
    articles: list[Article] = []
    for one in pages:
        capture = writer.append(Exchange(one.url, one.moment, REQUEST, one.response, peer="192.0.2.1"))
        assert capture is not None
        captures.append(capture)
        articles.append(_article(one, capture))
    if revisit:
        again = Exchange(pages[-1].url, pages[-1].moment + timedelta(hours=1), REQUEST, pages[-1].response)
        capture = writer.append(again, refers_to=captures[-1])
        assert capture is not None
        captures.append(capture)
    writer.close()
    parcel.cdxj.write_bytes(b"".join(cdxj.lines(captures)))
    with parcel.text.open("wb") as file:
        for _ in write_part(file, articles):
            pass
    return parcel


def _article(one: Page, capture: Capture) -> Article:
    return Article(
        url=one.url,
        title=f"Title of {one.url}",
        language="en",
        blocks=(Block(one.text, "p", True, Reason("tests")), Block("Subscribe!", "p", False, Reason("repeated"))),
        extractor=Extractor("newskeep", "1"),
        timestamp=capture.timestamp,
        warc=TextSource(capture.filename, capture.offset, capture.length, capture.digest),
    )


def fill(archive: Archive, warcs: int = 3, pages: int = 4) -> list[Page]:
    """Deliver WARCs of one day, each with its last page revisited, a report and a memory; return the pages.

    Archives in empty folders that are filled alike are byte for byte the same.
    """
    made = [[page(serial * pages + number) for number in range(pages)] for serial in range(warcs)]
    if _is_empty_folder(archive):
        shutil.copytree(_filled(warcs, pages), archive.state, dirs_exist_ok=True)
    else:
        _fill(archive, made)
    return [each for some in made for each in some]


def _fill(archive: Archive, made: list[list[Page]]) -> None:
    for serial, some in enumerate(made):
        deliver(archive, serial, some, revisit=True)
    archive.store.put("crawls/2026/03/01/0123456789ab.json", b'{"crawl": "0123456789ab"}\n')
    archive.store.replace("sites/paper.example.json", b'{"seen": 1}\n')


def _is_empty_folder(archive: Archive) -> bool:
    """And one with its index in it."""
    folder = archive.state
    is_plain = type(archive.store) is LocalStore and archive.store.root == folder and not archive.has_index
    return is_plain and not (folder.exists() and any(folder.iterdir()))


@functools.cache
def _filled(warcs: int, pages: int) -> Path:
    """Most of what a test of an archive costs would be to fill it: done once a process, then copied."""
    temporary = tempfile.mkdtemp(prefix="newskeep-filled-")
    atexit.register(shutil.rmtree, temporary)
    folder = Path(temporary, "archive")
    for archive in folder_archive(folder):
        _fill(archive, [[page(serial * pages + number) for number in range(pages)] for serial in range(warcs)])
    return folder


def check(archive: Archive, pages: list[Page]) -> None:
    """Everything comes back: bytes, requests, text; nothing twice, revisits too."""
    for one in pages:
        memento = archive.get(one.url, one.moment)
        assert memento.response == one.response
        assert archive.reader.request(memento.capture).block == REQUEST
        assert archive.article(one.url, one.moment).text == one.text
        captures = list(archive.captures(one.url))
        assert len({capture.timestamp for capture in captures}) == len(captures)
        for capture in captures:
            assert archive.read(capture).response == one.response
    urls = {one.url for one in pages}
    assert {capture.url for capture in archive.captures("paper.example", match="host")} == urls
    assert sorted(article.url for article in archive.articles()) == sorted(urls)


def objects(store: ObjectStore) -> dict[str, bytes]:
    """Every object, whole."""
    found = {}
    for info in store.list():
        if info.key.partition("/")[0] in ("warc", "cdxj", "text", "crawls", "sites", "compacting", "compacted"):
            with store.open(info.key) as stream:
                found[info.key] = stream.read()
    return found


def folder_archive(path: Path) -> Iterator[Archive]:
    with Archive(LocalStore(str(path)), path) as archive:
        yield archive

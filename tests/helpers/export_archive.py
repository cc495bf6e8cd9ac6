"""An archive to export from: a paper with requisites on another host, versions, a revisit, a redirect, other languages.

`pytest_plugins = ["exported"]` in a test module gives it the session's `newsroom`.
Nothing is tested here: PYTEST_DONT_REWRITE lets test modules import the rest as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from web_archive import BEGIN, REQUEST, answer

from crawler.extraction.duplicates import fingerprinted
from newskeep.cli.export import _tools
from newskeep.export import Tools
from storage import cdxj
from storage.archive import Archive
from storage.articles import write_part
from storage.model import Article, Block, Capture, Exchange, Extractor, Reason, TextSource
from storage.objects.local import LocalStore
from storage.problems import Problem
from storage.spool import Parcel
from storage.warc import make_stem
from storage.warc_writer import WarcWriter

PAPER, CDN, OTHER = "https://www.paper.example", "https://cdn.example", "https://avis.example"
PAGE = b'<!doctype html><link rel=stylesheet href="https://cdn.example/style.css"><img src="/moved.png"><p>Bridge</p>'
CSS = b'@import "deep.css"; p { background: url(dot.png) }'
#: Path or address -> answer, captured in this order, a minute apart, each article with what it says.
PAGES: tuple[tuple[str, bytes, dict[str, object]], ...] = (
    (f"{CDN}/style.css", answer(CSS, headers=[("Content-Type", "text/css")]), {}),
    (f"{CDN}/deep.css", answer(b"p { color: red }", headers=[("Content-Type", "text/css")]), {}),
    (f"{CDN}/dot.png", answer(b"\x89PNG dot", headers=[("Content-Type", "image/png")]), {}),
    (f"{CDN}/unused.png", answer(b"\x89PNG unused", headers=[("Content-Type", "image/png")]), {}),
    (f"{PAPER}/moved.png", answer(b"", "302 Found", [("Location", f"{CDN}/picture.png")]), {}),
    (f"{CDN}/picture.png", answer(b"\x89PNG picture", headers=[("Content-Type", "image/png")]), {}),
    (
        f"{PAPER}/a",
        answer(PAGE),
        {
            "title": 'Ærø: "the bridge" | opens\u2028',
            "language": "en",
            "text": "Bridge, day one.",
            "confidence": 0.3125,
        },
    ),
    (
        f"{PAPER}/a",
        answer(PAGE + b"2"),
        {"title": "The bridge is open", "language": "en", "text": "Bridge, day two.", "confidence": 0.97},
    ),
    (f"{PAPER}/b", answer(PAGE), {"title": None, "language": "pt-BR", "text": ""}),
    (
        f"{OTHER}/c",
        answer(b"<p>Broen"),
        {"title": "Broen", "language": "da", "text": "Broen er åben.", "confidence": 0.06},
    ),
    (f"{OTHER}/d", answer("橋".encode()), {"title": "橋", "language": "ja", "text": "橋ができた。"}),
)
#: Articles, the newest first.
ARTICLES = (f"{OTHER}/d", f"{OTHER}/c", f"{PAPER}/b", f"{PAPER}/a", f"{PAPER}/a")


@pytest.fixture(scope="session")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("newsroom") / "archive"
    folder.mkdir()
    with Archive(LocalStore(str(folder)), folder) as archive:
        for day in range(2):
            archive.deliver(_write(folder / "made", day))
        yield archive


def tools(problems: list[Problem] | None = None, sign_key: Path | None = None) -> Tools:
    return _tools(sign_key, (problems if problems is not None else []).append)


def _write(folder: Path, day: int) -> Parcel:
    """A WARC: on the first day PAGES, on the second the last version of /a once more, as a revisit."""
    folder.mkdir(exist_ok=True)
    start = BEGIN + timedelta(days=day)
    filename = make_stem(start, "0123456789ab", day) + ".warc.gz"
    parcel = Parcel(folder / filename)
    writer = WarcWriter(parcel.warc, filename, {"software": "newskeep/tests"})
    captures: list[Capture] = []
    articles: list[Article] = []
    for number, (url, response, said) in enumerate(PAGES if day == 0 else ()):
        capture = _append(writer, Exchange(url, start + timedelta(minutes=number), REQUEST, response))
        captures.append(capture)
        if said:
            articles.append(_article(capture, said))
    if day:
        url, response, _ = PAGES[7]
        first = replace(_first_of(folder, url), filename="")
        captures.append(_append(writer, Exchange(url, start, REQUEST, response), first))
    writer.close()
    parcel.cdxj.write_bytes(b"".join(cdxj.lines(captures)))
    with parcel.text.open("wb") as file:
        for _ in write_part(file, articles):
            pass
    return parcel


def _append(writer: WarcWriter, exchange: Exchange, refers_to: Capture | None = None) -> Capture:
    capture = writer.append(exchange, refers_to)
    assert capture is not None
    return capture


def _first_of(folder: Path, url: str) -> Capture:
    with Archive(LocalStore(str(folder.parent)), folder.parent) as archive:
        return archive.find(url, BEGIN + timedelta(hours=1))


def _article(capture: Capture, said: dict[str, object]) -> Article:
    blocks = (Block(str(said["text"]), "p", True, Reason("tests")),) if said["text"] else ()
    article = Article(
        url=capture.url,
        title=said["title"],  # type: ignore[arg-type]
        authors=("Ada Ærø", "Bo Li"),
        published="2026-03-01T05:00:00+01:00",
        modified="2026-03-01",
        language=said["language"],  # type: ignore[arg-type]
        topics=("bridges",),
        confidence=said.get("confidence"),  # type: ignore[arg-type]
        blocks=(*blocks, Block("Subscribe!", "p", False, Reason("repeated"))),
        extractor=Extractor("newskeep", "1"),
        timestamp=capture.timestamp,
        warc=TextSource(capture.filename, capture.offset, capture.length, capture.digest),
    )
    return fingerprinted(article)


def day(number: int) -> datetime:
    return BEGIN + timedelta(days=number)

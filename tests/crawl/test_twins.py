"""AMP and print forms of pages without text: when they are asked for, and when they are believed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from command import Run
from next_second import next_second
from origin import Origin, response
from warcs import records

from storage import open_archive
from storage.errors import NotArchived

pytestmark = pytest.mark.long

HTML = [("Content-Type", "text/html; charset=utf-8")]
SENTENCE = "The council voted for the new bridge on Monday evening after a long debate about its cost and its colour."
WALL = "<form><h1>Log in</h1><p>Sign in to your account</p><input type=password name=p><button>Log in</button></form>"
AMP, PRINT = '<link rel="amphtml" href="{}">', '<link rel="alternate" media="print" href="{}">'


def shell(*links: str) -> bytes:
    head = "".join(links)
    return f'<!doctype html><title>Bridge</title>{head}<div id="root"></div><script src="/app.js"></script>'.encode()


def twin(canonical: str, body: str = f"<p>{SENTENCE}</p>" * 7) -> bytes:
    head = f'<!doctype html><html amp><title>A bridge opens</title><link rel="canonical" href="{canonical}">'
    return f"{head}<article><h1>A bridge opens</h1>{body}</article>".encode()


class Paper:
    """An origin with pages and their twins, each page with what becomes of it."""

    def __init__(self, origin: Origin, elsewhere: Origin) -> None:
        self.origin, self.elsewhere = origin, elsewhere
        self.pages: dict[str, bool] = {}
        origin.reply("/robots.txt", b"User-agent: *\nDisallow: /forbidden\n")
        self.page("amp", AMP.format("/amp/amp"), amp=twin("/amp"), has_text=True)
        self.page("secure", AMP.format("/amp/secure"), amp=twin(f"https://{origin.netloc}/secure"), has_text=True)
        self.page("print", PRINT.format("print/print"), has_text=True)
        origin.reply("/print/print", twin(origin.url("/print")), headers=HTML)
        self.page("second", PRINT.format("/print/second"), AMP.format("/amp/second"), amp=b"", has_text=True)
        origin.reply("/print/second", twin("/second?utm_source=print"), headers=HTML)
        # Its article is another's, or nobody's.
        self.page("other", AMP.format("/amp/other"), amp=twin("/another-story"))
        self.page("itself", AMP.format("/amp/itself"), amp=twin(""))
        self.page("nobody's", AMP.format("/amp/nobody's"), amp=twin("").replace(b"canonical", b"shortlink"))
        self.page("front", AMP.format("/amp/front"), amp=twin("/"))
        # There is nothing in it.
        self.page("wall", AMP.format("/amp/wall"), amp=twin("/wall", WALL))
        self.page("empty", AMP.format("/amp/empty"), amp=twin("/empty", ""))
        self.page("shells", AMP.format("/amp/shells"), amp=shell('<link rel="canonical" href="/shells">'))
        self.page("gone", AMP.format("/amp/gone"))
        # It leads somewhere else, or round and round.
        self.page("loop", AMP.format("/loop"), AMP.format("/loop#amp"))
        self.page("sends back", AMP.format("/amp/back"))
        origin.on("/amp/back", response(b"", "302 Found", headers=[("Location", "/sends%20back")]))
        self.page("refreshes", AMP.format("/amp/refreshes"), amp=b'<meta http-equiv="refresh" content="0;url=/trap">')
        # It is not ours to ask for.
        self.page("robots", AMP.format("/forbidden/a"))
        self.page("file", AMP.format("file:///etc/passwd"))
        self.page("other site", AMP.format(elsewhere.url("/amp/a").replace("127.0.0.1", "localhost")))
        self.page("mobile", '<link rel="alternate" media="only screen and (max-width: 640px)" href="/trap">')

    def page(self, name: str, *links: str, amp: bytes | None = None, has_text: bool = False) -> None:
        path = "/" + name.replace(" ", "%20")
        self.pages[self.origin.url(path)] = has_text
        self.origin.reply(path, shell(*links), headers=HTML)
        if amp is not None:
            self.origin.reply(f"/amp{path}", amp, headers=HTML)


@pytest.fixture
def paper() -> Iterator[Paper]:
    with Origin() as origin, Origin() as elsewhere:
        yield Paper(origin, elsewhere)


def save(newskeep: Run, *arguments: str) -> Mapping[str, Any]:
    done = newskeep("save", "--json", "--allow-private", *arguments)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return {line["url"]: line for line in map(json.loads, done.stdout.splitlines())}


def test_a_twin_gives_its_text_where_it_is_the_pages_own_and_nowhere_else(
    newskeep: Run, paper: Paper, tmp_path: Path
) -> None:
    told = save(newskeep, *paper.pages)
    assert {url: each["words"] is not None for url, each in told.items()} == paper.pages
    assert {each["reason"] for each in told.values()} == {None, "no text: needs scripts"}
    paths = [logged.path for logged in paper.origin.log]
    assert len(paths) == len(set(paths)), "each is asked for once"
    assert not paths.count("/trap") and "/forbidden/a" not in paths and not paper.elsewhere.log
    with open_archive(tmp_path / "archive") as archive:
        assert {article.url for article in archive.articles()} == {url for url, has in paper.pages.items() if has}
        # What it is not believed of is an answer in the archive all the same.
        for path in ("/amp/other", "/amp/wall", "/amp/back", "/amp/gone"):
            assert next(archive.captures(paper.origin.url(path))) is not None
            with pytest.raises(NotArchived):
                archive.article(paper.origin.url(path))


def test_the_text_names_its_source_and_comes_back_from_the_warc(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    url, amp = origin.url("/a"), origin.url("/amp/a")
    origin.reply("/a", shell(AMP.format(amp)), headers=[*HTML, ("X-Robots-Tag", "noarchive")])
    origin.reply("/amp/a", twin(url), headers=HTML)
    assert save(newskeep, url)[url]["title"] == "A bridge opens"
    with open_archive(tmp_path / "archive") as archive:
        article = archive.article(url)
        assert article == archive.article(amp)
    assert article.url == url and article.text.count(SENTENCE) == 7
    assert article.extractor is not None and article.extractor.method.startswith("twin, ")
    assert article.warc is not None
    [record] = [each for each in records(tmp_path / "archive") if each.offset == article.warc.offset]
    assert (record.url, record["Newskeep-Twin-Of"]) == (amp, url)
    # What the page says of its rights holds for its text.
    assert article.noarchive
    again = newskeep("reextract")
    assert again.returncode == 0, again.stderr
    with open_archive(tmp_path / "archive") as archive:
        assert archive.article(url) == article
    assert newskeep("verify").returncode == 0
    assert newskeep("reindex").returncode == 0
    assert SENTENCE.encode() in newskeep("get", url, "--as", "text").stdout
    for target, other in ((url, amp), (amp, url)):
        told = newskeep("remove", target, "--reason", "a test", "--dry-run").stderr.decode()
        assert f"the same text stays under 1 other address: {other}" in told


def test_each_visit_has_the_text_of_its_time(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    url = origin.url("/a")
    origin.reply("/a", shell(AMP.format("/amp/a")), headers=HTML)
    for body in ("first", "second", "second"):
        origin.on("/amp/a", response(twin(url, f"<p>{SENTENCE}</p>" * 7 + f"<p>The {body} edition.</p>"), headers=HTML))
    for edition in ("first", "second", "second"):
        next_second()
        save(newskeep, url)
        with open_archive(tmp_path / "archive") as archive:
            assert f"The {edition} edition." in archive.article(url).text


def test_pages_with_text_and_crawls_without_ask_for_no_twin(newskeep: Run, origin: Origin) -> None:
    page = twin(origin.url("/a")).replace(b"<article>", AMP.format("/amp/a").encode() + b"<article>")
    origin.reply("/a", page, headers=HTML)
    origin.reply("/b", shell(AMP.format("/amp/b")), headers=HTML)
    save(newskeep, origin.url("/a"))
    save(newskeep, origin.url("/b"), "--no-text")
    assert [logged.path for logged in origin.log if logged.path.startswith("/amp")] == []


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin

"""Pages that say `noarchive` on a server for others: no way to their text or bytes, and a reason on each."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from article_page import PAGE, PARAGRAPHS
from next_second import next_second
from origin import Origin
from replay_page import Replaying
from warm_start import shared
from web_archive import Answer, Serving, Site

from newskeep.web.options import ServeOptions
from storage import open_archive
from storage.urls import timestamp14

HTML = [("Content-Type", "text/html; charset=utf-8")]
HEADER = ("X-Robots-Tag", "noarchive")
META = b'<meta name="robots" content="noarchive"><title>'
#: What stands in every page, of its text and of its bytes.
WORDS = "eleven years for a roof"
FILM = b"frames of a film"
TOKEN = "0123456789abcdef-token"


class Held:
    """An archive with pages that say noarchive and such that do not, and the addresses of both."""

    def __init__(self, folder: Path, base: str) -> None:
        self.folder, self.base = folder, base
        with open_archive(folder) as archive:
            captures = list(archive.index.all_captures())
        self.stamps: dict[str, list[str]] = {}
        for capture in captures:
            self.stamps.setdefault(urlsplit(capture.url).path, []).append(timestamp14(capture.timestamp))
        self.captures = {urlsplit(capture.url).path: capture for capture in captures}

    def url(self, path: str) -> str:
        return f"{self.base}{path}"


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Held:
    folder = tmp_path_factory.mktemp("withheld") / "archive"
    story = PAGE.encode()
    with Origin() as origin:
        origin.reply("/plain", story.replace(b"Library", b"Plain"), headers=HTML)
        origin.reply("/meta", story.replace(b"<title>", META), headers=HTML)
        origin.reply("/film", FILM, headers=[("Content-Type", "video/mp4"), HEADER])
        origin.reply("/moved", status="302 Found", headers=[("Location", "/meta")])
        origin.reply("/turns", story.replace(b"spring", b"June"), headers=[*HTML, HEADER])
        origin.reply("/turns", story.replace(b"spring", b"July"), headers=HTML)
        _save(folder, *map(origin.url, ("/plain", "/meta", "/film", "/moved", "/turns")))
        next_second()
        _save(folder, origin.url("/turns"))
        return Held(folder, origin.url("").rstrip("/"))


def _save(folder: Path, *urls: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NEWSKEEP_", "AWS_"))}
    arguments = ("save", "--allow-private", "--archive", str(folder), *urls)
    shared().run(arguments, folder.parent, clean).check_returncode()


@pytest.fixture(scope="module")
def closed(held: Held) -> Iterator[Site]:
    with Serving(held.folder, "--noarchive", "withhold") as site:
        yield site


@pytest.fixture(scope="module")
def open_(held: Held) -> Iterator[Site]:
    with Serving(held.folder) as site:
        yield site


def ways(held: Held, path: str) -> list[str]:
    """Every address that gives a page's text or bytes; those with `{}` in front are of the originals."""
    url, stamp, capture = held.url(path), held.stamps[path][0], held.captures[path]
    return [
        *(f"{name}/{stamp}/{url}" for name in ("/article", "/beside", "/exchange", "/replay")),
        *(f"{name}/{url}" for name in ("/article", "/beside", "/exchange", "/replay", "/timegate")),
        f"/api/article?url={url}",
        f"/api/article?url={url}&at={stamp}",
        *(f"{{}}/web/{each}/{url}" for each in (stamp, f"{stamp}id_", f"{stamp}im_", stamp[:8])),
        f"{{}}/web/{url}",
        f"/warc/{capture.filename}",
    ]


def ask(site: Site, way: str, method: str = "GET", **headers: str) -> Answer:
    if way.startswith("{}"):
        return site.original(way[2:], method, **headers)
    return site.get(way, method, **headers)


def test_every_way_is_closed(held: Held, closed: Site) -> None:
    for way in ways(held, "/meta"):
        answer = ask(closed, way)
        assert answer.status == 451, (way, answer.status, answer.body[:200])
        assert b"noarchive" in answer.body
        assert WORDS.encode() not in answer.body
        assert ask(closed, way, "HEAD").status in (451, 405)


def test_bytes_that_are_no_page_are_closed_too(held: Held, closed: Site) -> None:
    for way in ways(held, "/film"):
        answer = ask(closed, way)
        assert FILM not in answer.body, way
        assert answer.status == 451 or (answer.status == 404 and "article" in way), (way, answer.status)


def test_the_reason_has_the_form_of_who_asks(held: Held, closed: Site) -> None:
    url = held.url("/meta")
    page = closed.get(f"/article/{url}", Accept="text/html")
    assert page.status == 451 and page.headers["content-type"].startswith("text/html")
    assert "not shown to others" in page.body.decode()
    told = json.loads(closed.get(f"/api/article?url={url}").body)
    assert told["status"] == 451 and "noarchive" in told["message"]
    assert "accept-datetime" in closed.get(f"/timegate/{url}").headers["vary"]


def test_where_a_redirect_leads_there_it_ends_the_same(held: Held, closed: Site) -> None:
    url = held.url("/moved")
    assert closed.get(f"/api/article?url={url}").status == 451
    assert closed.get(f"/article/{url}").status == 451
    sent = closed.original(f"/web/{held.stamps['/moved'][0]}/{url}")
    assert sent.status == 302
    assert closed.get(sent.headers["location"]).status == 451


def test_other_pages_are_shown(held: Held, closed: Site) -> None:
    url, stamp = held.url("/plain"), held.stamps["/plain"][0]
    for way in (f"/article/{stamp}/{url}", f"/api/article?url={url}", f"{{}}/web/{stamp}id_/{url}", f"/exchange/{url}"):
        assert ask(closed, way).status == 200, way
    assert WORDS.encode() in ask(closed, f"{{}}/web/{stamp}id_/{url}").body


def test_only_the_version_that_says_so_is_closed(held: Held, closed: Site) -> None:
    url, (first, second) = held.url("/turns"), held.stamps["/turns"]
    assert closed.original(f"/web/{first}id_/{url}").status == 451
    assert b"in July" in closed.original(f"/web/{second}id_/{url}").body
    assert closed.get(f"/article/{second}/{url}").status == 200
    assert closed.get(f"/compare/{first}-{second}/{url}").status == 451


def test_search_tells_that_it_is_held_and_no_word_of_it(closed: Site, open_: Site) -> None:
    asked = f"/api/search?q=%22{WORDS.replace(' ', '+')}%22"
    found = {urlsplit(each["url"]).path: each for each in json.loads(closed.get(asked).body)["articles"]}
    assert found["/meta"]["noarchive"] is True
    assert (found["/meta"]["snippet"], found["/meta"]["marks"]) == ("", [])
    assert WORDS in found["/plain"]["snippet"] and found["/plain"]["noarchive"] is False
    page = closed.get("/search?q=eleven+years").body.decode()
    assert page.count('class="passage"') == 2 and page.count('class="badge"') == 1
    assert open_.get("/search?q=eleven+years").body.decode().count('class="passage"') == 3


def test_feeds_leave_it_out(held: Held, closed: Site, open_: Site) -> None:
    assert held.url("/meta") in open_.get("/feeds/new.atom").body.decode()
    for kind in ("new", "changed"):
        feed = closed.get(f"/feeds/{kind}.atom").body.decode()
        assert held.url("/meta") not in feed
        assert held.url("/turns") not in feed or kind == "changed"
    assert held.url("/plain") in closed.get("/feeds/new.atom").body.decode()


def test_what_is_held_is_told(held: Held, closed: Site) -> None:
    url = held.url("/meta")
    assert b'"robotflags": "A"' in closed.get(f"/cdx?url={url}").body
    assert closed.get(f"/cdx/search/cdx?url={url}&fl=robotflags").body.split() == [b"A"] * 2
    assert json.loads(closed.get(f"/api/captures?url={url}").body)["captures"][0]["noarchive"] is True
    assert b'class="badge"' in closed.get(f"/captures/{url}").body
    assert closed.get(f"/timemap/link/{url}").status == 200
    for each in ("/", f"/captures/{url}", "/api/articles", f"/api/versions?url={url}", "/search"):
        answer = closed.get(each)
        assert answer.status == 200 and not any(line.encode() in answer.body for line in PARAGRAPHS), each


def test_parts_of_a_warc_are_given_where_nothing_in_them_says_so(held: Held, closed: Site) -> None:
    plain, marked = held.captures["/plain"], held.captures["/meta"]
    whole = f"bytes={plain.offset}-{plain.offset + plain.length - 1}"
    answer = closed.get(f"/warc/{plain.filename}", Range=whole)
    assert answer.status == 206 and len(answer.body) == plain.length
    for first, last in ((marked.offset, marked.offset), (0, marked.offset), (marked.offset + marked.length - 1, 10**9)):
        assert closed.get(f"/warc/{marked.filename}", Range=f"bytes={first}-{last}").status == 451


def test_on_this_machine_all_is_shown(held: Held, open_: Site) -> None:
    url, stamp = held.url("/meta"), held.stamps["/meta"][0]
    assert WORDS.encode() in open_.original(f"/web/{stamp}id_/{url}").body
    page = open_.get(f"/article/{stamp}/{url}")
    assert page.status == 200 and b'class="badge"' in page.body
    assert open_.get(f"/warc/{held.captures['/meta'].filename}").status == 200
    assert json.loads(open_.get(f"/api/article?url={url}").body)["noarchive"] is True


def test_replay_is_closed_too(held: Held) -> None:
    serving = Replaying(held.folder, "--noarchive", "withhold")
    with serving as site:

        def replayed(path: str, modifier: str = "") -> Answer:
            return site.get(f"{serving.replay}/web/{held.stamps[path][0]}{modifier}/{held.url(path)}")

        shown = replayed("/plain")
        assert shown.status == 200 and WORDS.encode() in shown.body
        for path, modifier in (("/meta", ""), ("/meta", "mp_"), ("/meta", "id_"), ("/film", "oe_"), ("/turns", "")):
            answer = replayed(path, modifier)
            assert answer.status == 451 and b"noarchive" in answer.body, (path, modifier)
        assert site.get(f"{serving.replay}/web/{held.url('/meta')}").status == 451
        # Asked in a way that only pywb understands, it finds the bytes closed.
        assert WORDS.encode() not in site.get(f"{serving.replay}/web/id_/{held.url('/meta')}").body


#: `newskeep serve` with addresses of a proxy in front, on ports that it tells.
BEHIND_A_PROXY = """
import sys
from newskeep.web import server
from newskeep.web.options import ServeOptions
from storage.archive import open_archive

folder, noarchive = sys.argv[1:]
urls = {"public_url": "https://archive.example", "originals_url": "https://originals.example"}
options = ServeOptions(port=0, originals_port=0, noarchive=noarchive or None, **urls)
with open_archive(folder) as archive:
    server.run(archive, options, lambda settled: print(settled.port, settled.originals_port, flush=True))
sys.exit()
"""


@pytest.mark.parametrize(("noarchive", "status"), [("", 451), ("show", 200), ("withhold", 451)])
def test_behind_a_proxy_it_is_for_others(held: Held, noarchive: str, status: int) -> None:
    arguments, root = (str(held.folder), noarchive), Path(__file__).parents[2]
    with shared().start(arguments, root, os.environ, stderr=subprocess.DEVNULL, before=BEHIND_A_PROXY) as process:
        assert process.stdout is not None
        try:
            port, originals_port = map(int, process.stdout.readline().split())
            site = Site(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{originals_port}", held.folder)
            url, stamp = held.url("/meta"), held.stamps["/meta"][0]
            for way in (f"{{}}/web/{stamp}id_/{url}", f"/api/article?url={url}"):
                assert ask(site, way).status == status, way
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("options", "withholds"),
    [
        (ServeOptions(), False),
        (ServeOptions(host="::1"), False),
        (ServeOptions(host="localhost"), False),
        (ServeOptions(host="0.0.0.0", token=TOKEN), True),
        (ServeOptions(host="192.0.2.1", token=TOKEN), True),
        (ServeOptions(host="archive.example", token=TOKEN), True),
        (ServeOptions(host="0.0.0.0", token=TOKEN, noarchive="show"), False),
        (ServeOptions(noarchive="withhold"), True),
        (ServeOptions(public_url="https://a.example", originals_url="https://b.example"), True),
        (ServeOptions(public_url="http://localhost:80", originals_url="http://127.0.0.1:81"), False),
        (ServeOptions(public_url="https://a.example", originals_url="https://b.example", noarchive="show"), False),
    ],
)
def test_who_is_shown_what_by_itself(options: ServeOptions, withholds: bool) -> None:
    assert options.withholds is withholds

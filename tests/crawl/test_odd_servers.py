"""Servers that do what no standard says and every browser reads: `newskeep save` against each of them."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import brotli
import pytest
from command import Run
from origin import Close, Origin, Reset, Script, response

from crawler.politeness.proxies import check_proxy
from storage import open_archive
from storage.errors import ConfigError
from storage.http import HttpMessage

pytestmark = pytest.mark.long

PAGE = (
    "<!doctype html><html lang=en><head><title>A bridge opens</title></head><body><article><h1>A bridge opens</h1>"
    + "".join(f"<p>Paragraph {n} tells of the bridge that the town has waited for since spring.</p>" for n in range(9))
    + "</article></body></html>"
).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
HTML = [("Content-Type", "text/html; charset=utf-8")]


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


def save(newskeep: Run, *arguments: str) -> list[dict[str, Any]]:
    done = newskeep("save", "--json", "--allow-private", "--timeout", "120", "--ignore-robots", *arguments)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def save_each(newskeep: Run, origin: Origin, scripts: Mapping[str, Script]) -> dict[str, dict[str, Any]]:
    """Save what the origin sends for each of the paths, in one run; return what is told by path."""
    for path, script in scripts.items():
        origin.on(path, *script)
    told = {line["url"].removeprefix(origin.url("")): line for line in save(newskeep, *map(origin.url, scripts))}
    assert told.keys() == scripts.keys()
    return told


def coded(coding: str, body: bytes) -> bytes:
    return response(body, headers=[*HTML, ("Content-Encoding", coding)])


# What is said of the body


def test_codings_that_are_not_true(newskeep: Run, origin: Origin) -> None:
    bodies = {
        "/charset": coded("utf-8", PAGE),
        "/plain-gzip": coded("gzip", PAGE),
        "/plain-br": coded("br", PAGE),
        "/plain-deflate": coded("deflate", PAGE),
        "/twice": coded("gzip", gzip.compress(gzip.compress(PAGE))),
        "/once": coded("gzip, gzip", gzip.compress(PAGE)),
        "/other": coded("deflate", gzip.compress(PAGE)),
        "/raw": coded("deflate", zlib.compress(PAGE)[2:-4]),
        "/true": coded("br", brotli.compress(PAGE)),
        "/unsaid": response(gzip.compress(PAGE), headers=HTML),
    }
    for path, answer in bodies.items():
        origin.on(path, answer)
    told = save(newskeep, *(origin.url(path) for path in bodies))
    assert {(line["outcome"], line["reason"], line["title"]) for line in told} == {("archived", None, "A bridge opens")}
    for path, answer in bodies.items():
        assert newskeep("get", origin.url(path)).stdout == PAGE, path
        assert newskeep("get", origin.url(path), "--as", "http").stdout == answer, path


def test_every_success_with_a_page_has_text(newskeep: Run, origin: Origin) -> None:
    statuses = ("201 Created", "203 Non-Authoritative Information", "206 Partial Content", "299 Fine")
    answers = {f"/page{status[:3]}": (response(PAGE + status.encode(), status, HTML),) for status in statuses}
    for path, told in save_each(newskeep, origin, answers).items():
        assert (told["outcome"], told["status"], told["title"]) == ("archived", int(path[-3:]), "A bridge opens")
    found = newskeep("search", "bridge").stdout.decode()
    assert all(path in found for path in answers)


# Lists


def test_comments_behind_urls(newskeep: Run, origin: Origin) -> None:
    origin.on_any(lambda _: response(PAGE, headers=HTML))
    lines = [
        "/a # why",
        "/b\t# tab, and http://other.example/",
        "/c#part",
        "/d#part # both",
        "/e?x=1%23 #",
        "# /f",
        "  # /g",
        "/h\u3000# wide",
    ]
    listed = "\n".join(re.sub("/", origin.url("/"), line, count=1) for line in lines)
    done = newskeep("save", "-i", "-", "--json", "--allow-private", "--ignore-robots", stdin=listed.encode())
    assert sorted(entry.path for entry in origin.log) == ["/a", "/b", "/c", "/d", "/e?x=1%23", "/h"]
    told = [json.loads(line)["url"] for line in done.stdout.splitlines()]
    assert {origin.url("/a"), origin.url("/d#part")} <= set(told)


def test_duplicates_have_a_word_and_a_pipe_is_a_list(newskeep: Run, origin: Origin) -> None:
    origin.reply("/a", PAGE, headers=HTML)
    url = origin.url("/a")
    done = newskeep("save", "-i", "/dev/stdin", "--json", "--allow-private", stdin=f"{url}\n{url}#x\n{url}\n".encode())
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert b"2 more in the list are the same URLs again; each is told once" in done.stderr
    once = newskeep("save", url, "--json", "--allow-private")
    assert b"same URLs" not in once.stderr


@pytest.mark.parametrize(
    ("proxy", "told"),
    [
        ("socks6://127.0.0.1:9050", "write http://HOST:PORT or socks5://HOST:PORT, not socks6://"),
        ("socks5h://user:secret@127.0.0.1:99999", "a bad port"),
        ("https://127.0.0.1:3128", "not https://"),
        ("127.0.0.1:3128", "must begin with http://"),
        ("http://127.0.0.1:99999", "a bad port"),
        ("http://", "no host name"),
    ],
)
def test_proxies_that_cannot_work_are_refused(newskeep: Run, origin: Origin, proxy: str, told: str) -> None:
    done = newskeep("save", origin.url("/a"), "--allow-private", "--proxy", proxy)
    assert done.returncode == 2
    assert told in done.stderr.decode() and done.stderr.count(b"\n") == 1 and b"secret" not in done.stderr
    assert origin.log == []


def test_proxies_of_the_environment_are_looked_at_too() -> None:
    check_proxy(None, {"http": "127.0.0.1:3128", "https": "http://p.example:8080"})
    check_proxy(None, {"all": "SOCKS5://127.0.0.1:1"})
    check_proxy("http://p.example:8080", {"all": "ftp://127.0.0.1:1"})
    for scheme in ("http", "https", "all"):
        with pytest.raises(ConfigError, match=f"{scheme}_proxy: a proxy is spoken to over HTTP or SOCKS"):
            check_proxy(None, {scheme: "FTP://127.0.0.1:1"})


# Heads


HEADS = (
    b"HTTP/1.1 200 OK\r\nContent-Type : text/html\r\nContent-Length\t: LENGTH",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: utf-8\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: LENGTH, LENGTH\r\nContent-Length: LENGTH",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: about 9",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: -1",
    b"HTTP/1.1 200 OK\r\nX Y: 1\r\n<br>\r\n: none\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
    b"HTTP/1.1 200 OK\r\n  X-First: folded\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
    b"HTTP/1.1  200  OK\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
    b"http/1.1 200\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
    b"HTTP/2 200 OK\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
    b"\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: LENGTH",
)


def test_heads_that_browsers_read(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    scripts: dict[str, Script] = {}
    for number, head in enumerate(HEADS):
        page = PAGE + b"<!-- %d -->" % number
        answer = head.replace(b"LENGTH", b"%d" % len(page)) + b"\r\n\r\n" + page
        scripts[f"/{number}"] = (answer, *ends(head))
    told = save_each(newskeep, origin, scripts)
    with open_archive(tmp_path / "archive") as archive:
        for number, head in enumerate(HEADS):
            line = told[f"/{number}"]
            assert (line["outcome"], line["reason"], line["title"]) == ("archived", None, "A bridge opens"), head
            held = archive.get(origin.url(f"/{number}"))
            assert held.message.payload == PAGE + b"<!-- %d -->" % number, head
            assert held.response == origin.logged(f"/{number}")[0].sent, head
    assert newskeep("get", origin.url("/0")).stdout == PAGE + b"<!-- 0 -->"
    assert newskeep("get", origin.url("/0"), "--as", "http").stdout == origin.logged("/0")[0].sent


def ends(head: bytes) -> tuple[Close, ...]:
    return (Close(),) if b"Connection: close" in head else ()


def test_chunks_under_another_coding(newskeep: Run, origin: Origin) -> None:
    chunked = b"%x\r\n%b\r\n0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: %b\r\n\r\n"
    packed = gzip.compress(PAGE)
    origin.on("/identity", head % b"identity, Chunked" + chunked % (len(PAGE), PAGE))
    origin.on("/gzip", head % b"gzip, chunked" + chunked % (len(packed), packed))
    origin.on("/twice", head % b"chunked\r\nTransfer-Encoding: chunked" + chunked % (len(PAGE), PAGE))
    for told in save(newskeep, *map(origin.url, ("/identity", "/gzip", "/twice"))):
        assert (told["outcome"], told["title"]) == ("archived", "A bridge opens"), told


NO_ANSWERS = {
    b"220 mail.example.org ready\r\n": "its first line is not one of HTTP",
    b"HTTP/1.1 OK\r\n\r\n": "its first line is not one of HTTP",
    b"HTTP/1.1 1000 Huh\r\nContent-Length: 2\r\n\r\nhi": "its first line is not one of HTTP",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!": "two lengths that differ",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\nworld\r\n0\r\n\r\n": (
        "its chunks make no sense"
    ),
}


def test_what_nobody_reads_has_a_reason_in_words(newskeep: Run, origin: Origin) -> None:
    told = save_each(newskeep, origin, {f"/{number}": (each, Close()) for number, each in enumerate(NO_ANSWERS)})
    for number, reason in enumerate(NO_ANSWERS.values()):
        line = told[f"/{number}"]
        assert (line["outcome"], line["reason"]) == ("failed", f"not a valid HTTP answer: {reason}")


def test_a_page_that_is_whole_by_its_markup(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    pages = [PAGE.replace(b"<article>", b"<article id=%d>" % number) for number in range(3)]
    answers = (
        HEAD + b"Content-Length: %d\r\n\r\n" % (len(pages[0]) + 9) + pages[0],
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(pages[1]), pages[1]),
        HEAD + b"Content-Length: 9999\r\n\r\n" + pages[2] + b"\n<!-- 0.2 s -->\n",
    )
    told = save_each(newskeep, origin, {f"/{number}": (each, Close()) for number, each in enumerate(answers)})
    for line in told.values():
        assert (line["outcome"], line["title"]) == ("archived", "A bridge opens")
        assert line["reason"] == "whole, though the connection was closed before the end that was announced"
    assert newskeep("get", origin.url("/0")).stdout.startswith(pages[0])
    assert b"Paragraph 3" in newskeep("get", origin.url("/0"), "--as", "text").stdout

    def are_whole() -> None:
        with open_archive(tmp_path / "archive") as archive:
            for number, page in enumerate(pages):
                assert len(origin.logged(f"/{number}")) == 1
                assert archive.get(origin.url(f"/{number}")).message.payload.startswith(page)
                assert "Paragraph 3" in archive.article(origin.url(f"/{number}")).text

    are_whole()
    assert newskeep("reextract").returncode == 0
    are_whole()


def test_a_page_that_is_cut_is_none(newskeep: Run, origin: Origin) -> None:
    origin.on(
        "/page", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9999\r\n\r\n" + PAGE[:-30], Close()
    )
    (told,) = save(newskeep, origin.url("/page"))
    assert (told["outcome"], told["words"]) == ("failed", None)
    assert told["reason"] == "the connection was closed in the middle of the answer"


@pytest.mark.parametrize("end", [Close(), Reset()])
def test_a_dead_kept_connection_is_tried_again_in_the_hosts_turn(
    newskeep: Run, origin: Origin, end: Close | Reset
) -> None:
    origin.reply("/first", PAGE, headers=HTML)
    origin.on("/page", end)
    origin.reply("/page", PAGE, headers=HTML)
    told = save(newskeep, origin.url("/first"), origin.url("/page"), "--delay", "1")
    assert [line["outcome"] for line in told] == ["archived", "archived"]
    dead, again = origin.logged("/page")
    assert again.at - dead.at >= 1


# Where an answer sends on


def sends_on(to: str, *cookies: str, status: str = "302 Found") -> bytes:
    return response(status=status, headers=[("Location", to), *(("Set-Cookie", cookie) for cookie in cookies)])


def cookie_of(request: bytes) -> str | None:
    return HttpMessage.parse(request).header("cookie")


def test_cookies_go_along_a_chain_of_redirects(newskeep: Run, origin: Origin) -> None:
    # To itself, over a gate, and with a cookie that each hop changes.
    origin.on("/self", sends_on("/self", "seen=1; Path=/"))
    origin.reply("/self", PAGE, headers=HTML)
    origin.on("/over", sends_on("/gate?back=/over", "one=1", "other=1; Path=/elsewhere"))
    origin.on("/gate", sends_on("/over", "two=2; Path=/"))
    origin.reply("/over", PAGE, headers=HTML)
    told = save(newskeep, origin.url("/self"), origin.url("/over"))
    assert [(line["outcome"], line["title"]) for line in told] == [("archived", "A bridge opens")] * 2
    assert [cookie_of(entry.request) for entry in origin.logged("/self")] == [None, "seen=1"]
    assert [cookie_of(entry.request) for entry in origin.logged("/over")] == [None, "one=1; two=2"]


def test_cookies_end_with_the_chain_and_stay_with_their_host(newskeep: Run, origin: Origin) -> None:
    with Origin("127.0.0.2") as other:
        origin.on("/a", sends_on(other.url("/b"), "own=1; Path=/"))
        other.on("/b", sends_on(origin.url("/c"), "theirs=1; Path=/"))
        origin.reply("/c", PAGE, headers=HTML)
        origin.reply("/d", PAGE, headers=HTML)
        save(newskeep, origin.url("/a"), origin.url("/d"))
        assert cookie_of(other.logged("/b")[0].request) is None
    assert cookie_of(origin.logged("/c")[0].request) == "own=1"
    assert cookie_of(origin.logged("/d")[0].request) is None


def test_loops_end(newskeep: Run, origin: Origin) -> None:
    origin.on("/same", sends_on("/same", "a=1"))
    for number in range(20):
        origin.on("/new", sends_on("/new", f"n={number}"))
    for told in save(newskeep, origin.url("/same"), origin.url("/new")):
        assert (told["outcome"], told["reason"]) == ("failed", "a redirect loop")
    assert [len(origin.logged(path)) for path in ("/same", "/new")] == [2, 3]


def test_a_page_that_only_sends_on(newskeep: Run, origin: Origin) -> None:
    origin.reply("/here", PAGE, headers=HTML)
    heads = {
        "/quoted": "<meta http-equiv=refresh content=\"0; url='/here'\">",
        "/bare": "<META CONTENT='3;URL=here' HTTP-EQUIV=Refresh><title>A title of some words about it</title>",
        "/no-url": "<meta http-equiv='refresh' content='0, /here'><p>This page has moved. <a href='/here'>Go on</a>.",
        "/whole": f"<meta http-equiv=refresh content='0;url={origin.url('/here')}#part'>",
    }
    for path, head in heads.items():
        origin.reply(path, f"<!doctype html><html><head>{head}</head></html>".encode(), headers=HTML)
    origin.reply("/field", b"<p>Moved", headers=[*HTML, ("Refresh", "0; url=/here")])
    told = save(newskeep, *map(origin.url, (*heads, "/field")))
    for line in told:
        # The target is fetched again for each, and is as it was.
        assert line["outcome"] in ("archived", "unchanged"), line
        assert line["final_url"] == origin.url("/here")
    assert newskeep("get", origin.url("/quoted")).stdout.startswith(b"<!doctype html><html><head><meta")


#: An article that renews itself, one that sends on, a page that waits for minutes, one for those without script.
STAYING = (
    PAGE.replace(b"<title>", b"<meta http-equiv=refresh content=900><title>"),
    PAGE.replace(b"<title>", b"<meta http-equiv=refresh content='5; url=/other'><title>"),
    b"<title>A bridge opens</title><meta http-equiv=refresh content='300; url=/other'>",
    b"<title>A bridge opens</title><noscript><meta http-equiv=refresh content='0; url=/other'></noscript>",
    b"<title>A bridge opens</title><meta http-equiv=refresh content='0; url=/5'>",
    b"<title>A bridge opens</title><meta http-equiv=refresh content='0; url=javascript:go()'>",
)


def test_a_page_that_does_not_only_send_on(newskeep: Run, origin: Origin) -> None:
    # The last but one is that of /5, and sends on to itself.
    paths = ("/1", "/2", "/3", "/4", "/5", "/6")
    scripts = {path: (response(page, headers=HTML),) for path, page in zip(paths, STAYING, strict=True)}
    for path, told in save_each(newskeep, origin, scripts).items():
        assert (told["outcome"], told["final_url"]) == ("archived", origin.url(path))
    assert sorted(entry.path for entry in origin.log) == [*paths]


LOCATIONS = (
    *("\\new\\story", "/new\\story", " /new/story\t", "BASE\\new\\story", "http:\\\\HOST/new/story"),
    *("http:/new/story", "\\\\HOST\\new/story", "///HOST/new/story", "/new/./x/../story"),
)


def test_redirects_that_browsers_read(newskeep: Run, origin: Origin) -> None:
    locations = [each.replace("BASE", origin.url("")).replace("HOST", origin.netloc) for each in LOCATIONS]
    for number in range(len(LOCATIONS)):
        origin.reply(f"/new/story{number}", PAGE, headers=HTML)
    scripts = {
        f"/{number}": (sends_on(each.replace("story", f"story{number}"), status="301 Moved Permanently"),)
        for number, each in enumerate(locations)
    }
    for path, told in save_each(newskeep, origin, scripts).items():
        found = (told["outcome"] in ("archived", "unchanged"), told["final_url"])
        assert found == (True, origin.url(f"/new/story{path[1:]}")), locations[int(path[1:])]


#: Targets that a browser hands to another program, or to nobody.
NOWHERE = {
    "mailto:desk@example.org": "that is not http: mailto",
    "tel:+4533123456": "that is not http: tel",
    "intent://a/#Intent;scheme=news;end": "that is not http: intent",
    "javascript:history.back()": "that is not http: javascript",
    "http://127.0.0.1:99999/a": (
        "that is refused: http://127.0.0.1:99999/a: has a bad port; a port is a number from 1 to 65535"
    ),
    "http://[::1/a": "that is refused: http://[::1/a: has a bad IPv6 address",
}


def test_redirects_that_lead_to_no_page_are_refused_in_words(newskeep: Run, origin: Origin) -> None:
    told = save_each(newskeep, origin, {f"/{number}": (sends_on(to),) for number, to in enumerate(NOWHERE)})
    for number, reason in enumerate(NOWHERE.values()):
        line = told[f"/{number}"]
        assert (line["outcome"], line["reason"]) == ("refused", f"redirects to an address {reason}"), line
        assert len(origin.logged(f"/{number}")) == 1

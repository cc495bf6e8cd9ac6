"""`newskeep save` and `get` as a person uses them: lists, outcomes, reasons, exit codes, what comes back."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from command import Run
from origin import Hang, Origin, Reset
from warcs import by_url, records
from warm_start import WarmStart

pytestmark = pytest.mark.long

PAGE = (
    "<!doctype html><html lang=en><head><title>A bridge opens</title></head><body><article><h1>A bridge opens</h1>"
    + "".join(f"<p>Paragraph {n} tells of the bridge that the town has waited for since spring.</p>" for n in range(9))
    + "</article></body></html>"
).encode()
HTML = [("Content-Type", "text/html; charset=utf-8")]


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        origin.reply("/page", PAGE, headers=HTML)
        yield origin


def outcomes(done: subprocess.CompletedProcess[bytes]) -> dict[str, dict[str, Any]]:
    return {line["url"]: line for line in map(json.loads, done.stdout.splitlines())}


def save(newskeep: Run, *arguments: str, stdin: bytes = b"") -> tuple[int, dict[str, dict[str, Any]]]:
    done = newskeep("save", "--json", "--allow-private", "--timeout", "120", *arguments, stdin=stdin)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done.returncode, outcomes(done)


def test_saved_page_comes_back(newskeep: Run, origin: Origin) -> None:
    url = origin.url("/page")
    code, told = save(newskeep, url)
    assert code == 0
    assert told[url]["outcome"] == "archived"
    assert told[url]["title"] == "A bridge opens"
    assert told[url]["words"] > 50
    assert newskeep("get", url).stdout == PAGE
    (logged,) = origin.logged("/page")
    assert newskeep("get", url, "--as", "http").stdout == logged.sent
    assert newskeep("get", url, "--as", "request").stdout == logged.request
    assert b"Paragraph 3 tells" in newskeep("get", url, "--as", "text").stdout
    article = json.loads(newskeep("get", url, "--as", "json").stdout)
    assert article["url"] == url
    assert article["warc"]["filename"].startswith("newskeep-")


def test_without_text_pages_are_archived_alone_until_reextract(newskeep: Run, origin: Origin) -> None:
    url = origin.url("/page")
    code, told = save(newskeep, "--no-text", url)
    assert (code, told[url]["outcome"], told[url]["reason"]) == (0, "archived", "its text is left out")
    assert newskeep("get", url).stdout == PAGE
    assert newskeep("get", url, "--as", "text").returncode == 6
    # Nothing is wrong with it.
    assert newskeep("verify", "--deep").returncode == 0
    assert newskeep("reextract").returncode == 0
    assert b"Paragraph 3 tells" in newskeep("get", url, "--as", "text").stdout


def test_second_save_is_unchanged_and_a_revisit(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    url = origin.url("/page")
    save(newskeep, url)
    code, told = save(newskeep, url)
    assert (code, told[url]["outcome"]) == (0, "unchanged")
    kept = by_url(tmp_path / "archive", "response", "revisit")[url]
    assert [record.type for record in kept] == ["response", "revisit"]
    second = origin.logged("/page")[1]
    assert newskeep("get", url, "--at", told[url]["timestamp"], "--as", "http").stdout == second.sent


@pytest.mark.parametrize("coding", ["gzip", "chunked"])
def test_body_is_what_a_browser_would_save(newskeep: Run, origin: Origin, coding: str) -> None:
    if coding == "gzip":
        origin.reply("/coded", gzip.compress(PAGE), headers=[*HTML, ("Content-Encoding", "gzip")])
    else:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
        origin.on("/coded", head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(PAGE), PAGE))
    url = origin.url("/coded")
    assert save(newskeep, url)[0] == 0
    assert newskeep("get", url).stdout == PAGE


def test_list_as_people_keep_it(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    url = origin.url("/page")
    host = origin.netloc.upper()
    lines = [
        "\ufeff# my list",
        "",
        url,
        url + "#part",
        f"HTTP://{host}/page",
        "  " + url + "  ",
        "no address",
        "ftp://a/b",
    ]
    (tmp_path / "list.txt").write_bytes("\r\n".join(lines).encode())
    code, told = save(newskeep, "-i", "list.txt")
    assert code == 4
    assert {key: line["outcome"] for key, line in told.items()} == {
        url: "archived",
        "no address": "refused",
        "ftp://a/b": "refused",
    }
    assert "http" in told["ftp://a/b"]["reason"]
    assert len(origin.logged("/page")) == 1


def test_list_from_standard_input(newskeep: Run, origin: Origin) -> None:
    code, told = save(newskeep, "-i", "-", stdin=origin.url("/page").encode() + b"\n\xff\xfe broken\n")
    assert code == 4
    assert told[origin.url("/page")]["outcome"] == "archived"


def test_reasons_are_for_people(newskeep: Run, origin: Origin) -> None:
    origin.reply("/robots.txt", b"User-agent: newskeep\nDisallow: /private\n")
    origin.reply("/missing", b"gone", status="404 Not Found")
    origin.on("/slow", Hang())
    origin.on("/reset", Reset())
    origin.reply("/large", b"x" * 300_000)
    origin.reply("/loop", status="302 Found", headers=[("Location", "/again")])
    origin.reply("/again", status="302 Found", headers=[("Location", "/loop")])
    origin.reply("/leave", status="302 Found", headers=[("Location", "file:///etc/passwd")])
    expected = {
        origin.url("/private/a"): ("refused", "robots.txt"),
        origin.url("/missing"): ("failed", "404 Not Found"),
        origin.url("/slow"): ("failed", "timed out after 2 s"),
        origin.url("/reset"): ("failed", "the connection was reset"),
        origin.url("/large"): ("failed", "too large"),
        origin.url("/loop"): ("failed", "a redirect loop"),
        origin.url("/leave"): ("refused", "redirects to an address that is not http: file"),
        "http://name.invalid/": ("failed", "name not found"),
        "http://127.0.0.1:1/": ("failed", "connection refused"),
    }
    code, told = save(newskeep, *expected, "--max-size", "100000", "--timeout", "2")
    assert {url: (line["outcome"], line["reason"]) for url, line in told.items()} == expected
    assert code == 5
    assert (len(origin.logged("/loop")), len(origin.logged("/again"))) == (1, 1)


def test_decompression_bomb_costs_its_text_only(newskeep: Run, origin: Origin) -> None:
    bomb = gzip.compress(b"<html><p>" + bytes(200_000_000))
    origin.reply("/bomb", bomb, headers=[*HTML, ("Content-Encoding", "gzip")])
    url = origin.url("/bomb")
    code, told = save(newskeep, url, origin.url("/page"))
    assert code == 0
    assert told[url]["outcome"] == "archived"
    assert "when decompressed" in told[url]["reason"]
    assert newskeep("get", url, "--as", "http").stdout.endswith(bomb)


@pytest.mark.parametrize(
    ("location", "leads"), [("http://127.0.0.1:1/a", "http://127.0.0.1:1/a"), ("/r", "/r"), ("http://[", "http://[")]
)
def test_redirect_that_leads_nowhere_is_said_to(newskeep: Run, origin: Origin, location: str, leads: str) -> None:
    origin.reply("/r", b"", status="302 Found", headers=[("Location", location)])
    url = origin.url("/r")
    assert save(newskeep, url)[0] == 5
    done = newskeep("get", url)
    where = origin.url(leads) if leads.startswith("/") else leads
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode() == f"newskeep: this is a redirect that leads to no page in the archive: {where}\n"
    assert newskeep("get", url, "--as", "http").stderr == b""


def test_redirect_is_followed_and_every_hop_kept(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    origin.reply("/old", status="301 Moved Permanently", headers=[("Location", "/page")])
    url = origin.url("/old")
    _, told = save(newskeep, url)
    assert told[url]["final_url"] == origin.url("/page")
    assert newskeep("get", url).stdout == PAGE
    assert newskeep("get", url, "--as", "http").stdout.startswith(b"HTTP/1.1 301 Moved Permanently")
    assert url in by_url(tmp_path / "archive", "response")


def test_private_addresses_are_refused_by_default(newskeep: Run, origin: Origin) -> None:
    urls = [origin.url("/page"), "http://[::ffff:10.0.0.1]/", "http://169.254.169.254/latest/", "http://localhost:9/"]
    done = newskeep("save", "--json", "--timeout", "2", *urls)
    told = outcomes(done)
    assert {line["outcome"] for line in told.values()} == {"refused"}
    assert all("not a public address" in line["reason"] for line in told.values())
    assert done.returncode == 5
    assert origin.log == []


@pytest.mark.parametrize("command", [("save",), ("crawl",), ("sites", "check")])
def test_what_refuses_a_private_address_names_the_way_out(
    newskeep: Run, origin: Origin, command: tuple[str, ...]
) -> None:
    done = newskeep(*command, origin.url("/"))
    assert b"not a public address: 127.0.0.1; --allow-private allows it" in done.stdout + done.stderr
    assert (done.returncode, origin.log) == (5, [])


def test_credentials_are_neither_sent_nor_kept(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    code, told = save(newskeep, f"http://anna:sesame@{origin.netloc}/page")
    assert code == 5
    (line,) = told.values()
    assert line["outcome"] == "refused"
    assert "sesame" not in json.dumps(told)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "archive").rglob("*") if path.is_file())
    assert b"sesame" not in kept
    assert origin.log == []


def test_proxy_credentials_are_not_recorded(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    origin.on_any(lambda path: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" if path.startswith("/") else None)
    proxy = f"http://anna:sesame@{origin.netloc}"
    code, told = save(newskeep, "http://news.invalid/page", "--proxy", proxy, "--ignore-robots")
    assert (code, told["http://news.invalid/page"]["outcome"]) == (0, "archived")
    (logged,) = origin.log
    assert b"Proxy-Authorization: Basic" in logged.request
    kept = [record for record in records(tmp_path / "archive") if record.type == "request"]
    secret = next(line for line in logged.request.splitlines() if line.startswith(b"Proxy-Auth"))
    marked = logged.request.replace(secret, b"Proxy-Authorization: [redacted]")
    assert [(record.block, record["Newskeep-Redacted"]) for record in kept] == [(marked, "Proxy-Authorization")]
    assert kept[0]["WARC-IP-Address"] is None


def test_report_holds_every_outcome(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    urls = [origin.url("/page"), origin.url("/none"), "ftp://a/b"]
    save(newskeep, *urls)
    (path,) = (tmp_path / "archive" / "crawls").rglob("*.json")
    report = json.loads(path.read_text())
    assert {line["url"] for line in report["outcomes"]} == set(urls)
    assert report["counts"] == {"archived": 1, "failed": 1, "refused": 1}
    assert report["state"] == "finished"


def test_spool_is_empty_after_a_run(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    save(newskeep, origin.url("/page"))
    assert [path for path in (tmp_path / "archive" / "spool").rglob("*") if path.is_file()] == []


def test_writer_that_fails_stops_the_crawl(
    environment: Mapping[str, str], origin: Origin, tmp_path: Path, warm_start: WarmStart
) -> None:
    urls = [origin.url(f"/{n}") for n in range(200)]
    noise = random.Random(1).randbytes(100_000)
    origin.on_any(lambda path: b"HTTP/1.1 200 OK\r\nContent-Length: 100005\r\n\r\n" + path.encode().ljust(5) + noise)
    # A limit on the size of files stands for the full disk: writing fails in the middle of a record.
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000));"
        "sys.argv = ['newskeep', *sys.argv[1:]]; from newskeep.cli import main; main()"
    )
    command = ("save", "--json", "--allow-private", "--ignore-robots", *urls)
    done = warm_start.python(script, *command, cwd=tmp_path, environment=environment)
    assert done.returncode == 3
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    assert b"cannot write" in done.stderr
    # 2 MB hold nineteen of them. One host is asked one at a time, so nothing was under way when the writer failed.
    assert len(origin.log) == 20


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["get", "http://a.example/none"], 3, b"archive"),
        (["get", "nonsense"], 2, b"http"),
        (["save", "-i", "absent.txt"], 2, b"absent.txt"),
        (["save", "http://a.example/", "--archive", "gopher://x"], 2, b"gopher"),
        (["save", "http://a.example/", "--config", "absent.toml"], 2, b"absent.toml"),
        (["captures", "a.example", "--since", "yesterday-ish"], 2, b"yesterday-ish"),
    ],
)
def test_bad_input_gets_one_line(newskeep: Run, arguments: list[str], code: int, message: bytes) -> None:
    done = newskeep(*arguments)
    assert done.returncode == code, done.stderr.decode()
    assert message in done.stderr
    assert b"Traceback" not in done.stderr


def test_what_is_not_archived_is_said(newskeep: Run, origin: Origin) -> None:
    save(newskeep, origin.url("/page"))
    done = newskeep("get", origin.url("/other"))
    assert done.returncode == 6
    assert b"not in the archive" in done.stderr


def test_configuration_file_names_its_mistake(newskeep: Run, tmp_path: Path) -> None:
    (tmp_path / "newskeep.toml").write_text('archiv = "here"\n')
    done = newskeep("captures", "a.example")
    assert done.returncode == 2
    assert b"newskeep.toml" in done.stderr
    assert b"did you mean 'archive'" in done.stderr


def test_scrapy_crawl_does_the_same(
    origin: Origin, tmp_path: Path, environment: Mapping[str, str], warm_start: WarmStart
) -> None:
    (tmp_path / "list.txt").write_text(origin.url("/page"))
    checkout = Path(__file__).parents[2]
    command = ["crawl", "urls", "-a", f"file={tmp_path / 'list.txt'}"]
    settings = ["-s", f"ARCHIVE={tmp_path / 'archive'}", "-s", "ALLOW_PRIVATE_ADDRESSES=1"]
    done = warm_start.scrapy(*command, *settings, cwd=checkout, environment=environment)
    assert done.returncode == 0, done.stderr
    assert len(by_url(tmp_path / "archive", "response")[origin.url("/page")]) == 1

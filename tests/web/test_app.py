"""Who is let in, what every answer carries, what a rude client may take; the API, the feeds, and `newskeep serve`."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import pytest
from command import Run
from waiting import until
from warm_start import shared
from web_archive import BIG, PAPER, RFC_URL, STORY, Serving, Site, fill

from crawler.politeness.addresses import is_loopback
from newskeep.web import auth
from newskeep.web.options import ServeOptions
from newskeep.web.server import HEAD_MAX_BYTES
from storage.errors import UsageError

pytest_plugins = ["web_archive"]

ATOM = "{http://www.w3.org/2005/Atom}"
TOKEN = "0123456789abcdef0123"


def get_json(site: Site, path: str) -> dict[str, object]:
    found = site.get(path)
    assert (found.status, found.headers["Content-Type"]) == (200, "application/json"), found.body
    told: dict[str, object] = json.loads(found.body)
    return told


# The API


def test_articles_page_by_page(site: Site) -> None:
    seen: list[object] = []
    address = f"/api/articles?limit=1&site=paper.example&language=en&author={quote('ada æRØ')}"
    while address:
        told = get_json(site, address.removeprefix(site.app))
        listed = told["articles"]
        assert isinstance(listed, list) and len(listed) <= 1
        seen += [each["timestamp"] for each in listed]
        address = str(told["next"] or "")
    assert seen == ["20260303060000", "20260302060000", "20260301060000"]
    assert len(get_json(site, "/api/articles?site=paper.example&language=en&author=aero")["articles"]) == 3  # type: ignore[arg-type]
    for nothing in ("site=other.example", "language=da", "author=Ad", "author=aero+ada", "from=2027", "to=2025"):
        assert get_json(site, f"/api/articles?{nothing}") == {"articles": [], "next": None}


def test_article_with_its_blocks(site: Site) -> None:
    told = get_json(site, f"/api/article?url={PAPER}/story&at=20260301")
    assert told["text"] == STORY[0]
    assert told["removed"] == [{"text": "Subscribe!", "reason": "repeated"}]
    assert get_json(site, f"/api/article?url={PAPER}/story")["text"] == STORY[-1]
    # Where a redirect led on the day that it was captured.
    assert get_json(site, f"/api/article?url={PAPER}/moved")["text"] == STORY[0]
    missing = site.get(f"/api/article?url={PAPER}/big")
    assert (missing.status, json.loads(missing.body)["status"]) == (404, 404)


def test_versions(site: Site) -> None:
    told = get_json(site, f"/api/versions?url={PAPER}/story")["versions"]
    assert isinstance(told, list)
    assert [(each["timestamp"], each["last"], each["captures"]) for each in told] == [
        ("20260301060000", "20260301060000", 1),
        ("20260302060000", "20260303060000", 2),
    ]


def test_captures_page_by_page(site: Site) -> None:
    address, seen = f"/api/captures?url={PAPER}&match=domain&limit=9", []
    while address:
        told = get_json(site, address.removeprefix(site.app))
        assert isinstance(told["captures"], list)
        seen += [(each["url"], each["timestamp"]) for each in told["captures"]]
        address = str(told["next"] or "")
    assert len(seen) == len(set(seen)) > 30
    first = get_json(site, f"/api/captures?url={PAPER}/big&limit=1")["captures"]
    assert isinstance(first, list)
    assert site.get(first[0]["links"]["original"]).body == BIG


def test_search(site: Site) -> None:
    (hit,) = _listed(get_json(site, "/api/search?q=against+bridge&site=paper.example&language=en&limit=1"))
    assert (hit["url"], hit["timestamp"], hit["authors"]) == (f"{PAPER}/story", "20260303060000", ["Ada Ærø"])
    marked = [hit["snippet"][start:end] for start, end in hit["marks"]]
    assert {"against", "bridge"} <= set(marked)
    for nothing in ("q=bridge&site=other.example", "q=bridge&from=2027", "q=nowhere", "q=bridge&after=0", 'q=%22"-*('):
        assert _listed(get_json(site, f"/api/search?{nothing}")) == []


def _listed(told: dict[str, object]) -> list[dict[str, Any]]:
    listed = told["articles"]
    assert isinstance(listed, list)
    return listed


def test_sites_and_counts(site: Site) -> None:
    sites = get_json(site, "/api/sites")
    assert sites["sites"] == [
        {"site": "paper.example", "links": {"articles": f"{site.app}/api/articles?site=paper.example"}}
    ]
    assert get_json(site, "/api/sites?after=paper.example") == {"sites": [], "next": None}
    counts = get_json(site, "/api/counts")
    assert (counts["warcs"], counts["articles"]) == (3, 3)


def test_verify_now(site: Site, tmp_path: Path) -> None:
    for path in ("/story", "/big-chunked", "/big", "/not-http"):
        told = get_json(site, f"/api/verify?url={PAPER}{path}")
        assert told["sound"] is True, told
    damaged = tmp_path / "archive"
    fill(damaged)
    warc = next(file for file in damaged.rglob("*00001.warc.gz") if "made" not in file.parts)
    data = bytearray(warc.read_bytes())
    held = get_json(site, f"/api/captures?url={PAPER}/story")["captures"]
    assert isinstance(held, list)
    data[held[0]["offset"] + held[0]["length"] // 2] ^= 0xFF
    warc.chmod(0o644)
    warc.write_bytes(data)
    with Serving(damaged) as other:
        told = get_json(other, f"/api/verify?url={PAPER}/story&at=20260301")
        assert told["sound"] is False
        assert isinstance(told["checks"], list) and told["checks"][0]["problem"]
        # What is damaged is not shown as if it were sound.
        assert other.original(f"/web/20260301060000/{PAPER}/story").status == 500


@pytest.mark.parametrize(
    "path",
    [
        "/api/captures",
        "/api/captures?url=nonsense",
        f"/api/captures?url={PAPER}&limit=0",
        f"/api/captures?url={PAPER}&limit=501",
        f"/api/captures?url={PAPER}&match=all",
        f"/api/captures?url={PAPER}&after=x",
        "/api/articles?after=1.2.3",
        "/api/articles?site=a%00b",
        "/api/articles?from=2026-02-30",
        "/api/search",
        "/api/search?q=a&after=x",
        f"/api/verify?url={PAPER}&at=never",
        "/feeds/new.atom?limit=1000",
        "/feeds/new.atom?site=" + "x" * 400,
    ],
)
def test_wrong_parameters_are_told(site: Site, path: str) -> None:
    found = site.get(path)
    assert found.status == 400
    told = json.loads(found.body)["message"] if path.startswith("/api") else found.body.decode()
    assert 5 < len(told) < 300


def test_errors_in_the_form_of_who_asks(site: Site) -> None:
    for path, status in (("/nowhere/<script>", 404), ("/timegate/http://never.example/<script>", 404)):
        page = site.get(quote(path, safe="/:"), Accept="text/html,*/*")
        assert (page.status, page.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
        assert b"<script>" not in page.body
    assert site.get("/nowhere").body == b"there is nothing at this address\n"
    assert json.loads(site.get("/api/nowhere").body)["status"] == 404
    assert site.get("/healthz", "POST").status == 405


# Feeds


def feed_of(site: Site, path: str) -> ElementTree.Element:
    found = site.get(path)
    assert found.headers["Content-Type"].startswith("application/atom+xml")
    root = ElementTree.fromstring(found.body)
    # What RFC 4287 requires of a feed and of each entry.
    for element in (root, *root.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
        assert datetime.fromisoformat(element.findtext(f"{ATOM}updated") or "").tzinfo
        assert element.findall(f"{ATOM}author/{ATOM}name")
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", element.findtext(f"{ATOM}id") or "")
    selves = [link.get("href") for link in root.findall(f"{ATOM}link") if link.get("rel") == "self"]
    assert selves == [site.app + path]
    ids = [element.text for element in root.iter(f"{ATOM}id")]
    assert len(ids) == len(set(ids))
    return root


def test_feeds_of_new_and_of_changed_articles(site: Site) -> None:
    for path, moment, text in (
        ("/feeds/new.atom", "2026-03-01T06:00:00Z", STORY[0]),
        ("/feeds/changed.atom", "2026-03-02T06:00:00Z", STORY[1]),
        ("/feeds/changed.atom?site=paper.example", "2026-03-02T06:00:00Z", STORY[1]),
    ):
        (entry,) = feed_of(site, path).findall(f"{ATOM}entry")
        assert entry.findtext(f"{ATOM}updated") == moment
        assert entry.findtext(f"{ATOM}summary") == text
        # The control character of the title has no place in XML.
        assert entry.findtext(f"{ATOM}title") == "Bridge & <b>council</b>"
        assert entry.findtext(f"{ATOM}author/{ATOM}name") == "Ada Ærø"
        assert {link.get("rel"): link.get("href") for link in entry.findall(f"{ATOM}link")}["via"] == f"{PAPER}/story"
    assert not feed_of(site, "/feeds/new.atom?site=other.example").findall(f"{ATOM}entry")


def test_feed_that_has_nothing_new_is_not_sent_again(site: Site) -> None:
    tag = site.get("/feeds/new.atom").headers["ETag"]
    again = site.get("/feeds/new.atom", If_None_Match=tag)
    assert (again.status, again.body) == (304, b"")
    # As a proxy writes the tag of what it packs, and as clients write several.
    for tags in (f"W/{tag}", f'"other", W/{tag}', f'"other",{tag}', "*"):
        assert site.get("/feeds/new.atom", If_None_Match=tags).status == 304
    for tags in ('"other"', tag.strip('"'), f"x{tag[1:]}", ""):
        assert site.get("/feeds/new.atom", If_None_Match=tags).status == 200


# What every answer carries, and metrics


def test_fields_of_the_app(site: Site) -> None:
    for path in ("/", "/nowhere", "/api/counts", f"/timegate/{RFC_URL}", f"/cdx?url={RFC_URL}", "/feeds/new.atom"):
        fields = site.get(path).headers
        policy = fields["Content-Security-Policy"]
        assert (
            policy.startswith("default-src 'none';") and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        )
        assert f"frame-src {site.originals};" in policy
        assert (fields["X-Content-Type-Options"], fields["X-Frame-Options"]) == ("nosniff", "DENY")
        assert "Set-Cookie" not in fields and "Server" not in fields


def test_health_and_metrics(site: Site) -> None:
    assert site.get("/healthz").body == site.original("/healthz").body == b"ok\n"
    before = site.get("/metrics").body.decode()
    site.get(f"/cdx?url={RFC_URL}")
    site.get("/<script>\n".replace("\n", "%0A").replace("<", "%3C").replace(">", "%3E"))
    after = site.get("/metrics")
    assert after.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    name = 'newskeep_requests_total{group="cdx",status="200"}'

    def count(text: str) -> int:
        return int(next((line.split()[-1] for line in text.splitlines() if line.startswith(name)), "0"))

    assert count(after.body.decode()) == count(before) + 1
    for line in after.body.decode().splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{\w+="\w+"(,\w+="\w+")*\})? -?[\d.]+', line), line


# Host and key


def test_only_loopback_names_on_loopback(site: Site) -> None:
    port = urlsplit(site.app).port
    for host in (f"127.0.0.1:{port}", "localhost", f"app.localhost:{port}", "[::1]:9", "127.8.9.1"):
        assert site.get("/healthz", Host=host).status == 200
    # A name of somebody else that resolves to us.
    for host in ("rebound.example", "127.0.0.1.rebound.example", "localhost.rebound.example", "0.0.0.0", "a b", "x/y"):
        for address in (f"{site.app}/api/counts", f"{site.originals}/web/2026/{PAPER}/story"):
            assert site.get(address, Host=host).status == 421
    found = site.get(f"/timegate/{RFC_URL}", Host="localhost:1234", X_Forwarded_Host="evil.example")
    assert found.headers["Location"].startswith(f"http://localhost:{urlsplit(site.originals).port}/web/")


def asked(address: str, sent: bytes) -> bytes:
    with connect(address) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_requests_whose_target_is_a_whole_url(site: Site) -> None:
    netloc = urlsplit(site.app).netloc.encode()
    end = b" HTTP/1.1\r\nHost: ignored.example\r\nConnection: close\r\n\r\n"
    for target, status in (
        (b"http://%b/healthz" % netloc, b"200"),
        (b"HTTP://%b" % netloc, b"200"),
        (b"http://%b/timegate/%b" % (netloc, RFC_URL.encode()), b"302"),
        (b"http://%b/api/counts?x=1" % netloc, b"200"),
        (b"http://rebound.example/healthz", b"421"),
        (b"http://me@%b/healthz" % netloc, b"421"),
    ):
        answer = asked(site.app, b"GET " + target + end)
        assert answer.startswith(b"HTTP/1.1 " + status), (target, answer[:200])


def test_http_1_0_has_no_host(site: Site) -> None:
    assert asked(site.app, b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert asked(site.app, b"GET /healthz HTTP/1.0\r\nHost: rebound.example\r\n\r\n").startswith(b"HTTP/1.1 421")
    assert asked(site.app, b"GET /healthz HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400")


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


def test_nobody_without_a_key(web_folder: Path) -> None:
    with Serving(web_folder, "--host", "0.0.0.0", "--user", "desk:sêcret:1", NEWSKEEP_WEB_TOKEN=TOKEN) as site:
        story = f"/web/20260301060000/{PAPER}/story"
        for address in (f"{site.app}/", f"{site.app}/metrics", f"{site.app}{story}", f"{site.originals}{story}"):
            for wrong in (
                None,
                "Bearer x",
                basic("desk:secret"),
                basic("desk"),
                "Basic !",
                f"Bearer {TOKEN}x",
                "Basic",
            ):
                found = site.get(address, **({} if wrong is None else {"Authorization": wrong}))
                assert found.status == 401
                assert found.headers["WWW-Authenticate"].startswith("Basic ")
                assert b"bridge" not in found.body
            for right in (f"Bearer {TOKEN}", f"bearer {TOKEN}", basic(f"anybody:{TOKEN}"), basic("desk:sêcret:1")):
                assert site.get(address, Authorization=right).status in (200, 302)
        assert site.get("/healthz").status == 200
        # Who was let in gets a link that needs no key on the other origin, for this original only.
        link = site.get(story, Authorization=f"Bearer {TOKEN}").headers["Location"]
        opened = site.get(link)
        assert (opened.status, STORY[0].encode() in opened.body) == (200, True)
        for other in (
            link.replace("/story", "/hostile"),
            link.replace("/~", "/~1"),
            link[:-1],
            re.sub(r"-[0-9a-f]{40}", "-" + "0" * 40, link),
        ):
            assert site.get(other).status == 401
        moved = site.get(f"/web/20260301060000/{PAPER}/moved", Authorization=f"Bearer {TOKEN}").headers["Location"]
        again = site.get(moved)
        assert again.status == 301
        assert STORY[0].encode() in site.get(again.headers["Location"]).body
        query = f"/web/20260301060000id_/{PAPER}/a%20b/%C3%A6?q=r%C3%B8d&x=1;y=2"
        assert site.get(site.get(query, Authorization=f"Bearer {TOKEN}").headers["Location"]).body == b"escapes"


def test_signed_links_end(monkeypatch: pytest.MonkeyPatch) -> None:
    options = ServeOptions(token=TOKEN)
    signed = auth.sign(options, "/web/2026/http://a.example/?b")
    assert auth.unsign(options, signed) == "/web/2026/http://a.example/?b"
    assert auth.unsign(ServeOptions(token=TOKEN), signed) is None
    later = time.time() + auth.LINK_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert auth.unsign(options, signed) is None


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (ServeOptions(host="0.0.0.0"), "--token"),
        (ServeOptions(host="archive.example"), "--token"),
        (ServeOptions(host="::", user="a:b", port=1, originals_port=1), "differ"),
        (ServeOptions(token="short"), "16 characters"),
        (ServeOptions(user="name"), "NAME:PASSWORD"),
        (ServeOptions(public_url="https://a.example"), "go together"),
        (ServeOptions(public_url="https://a.example", originals_url="https://a.example"), "differ"),
        (ServeOptions(public_url="https://a.example/x", originals_url="https://b.example"), "scheme and host"),
        (ServeOptions(public_url="javascript://a", originals_url="https://b.example"), "scheme and host"),
    ],
)
def test_options_that_do_not_go_together(options: ServeOptions, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        options.check()


def test_loopback() -> None:
    assert all(map(is_loopback, ("localhost", "LOCALHOST.", "a.localhost", "127.3.2.1", "::1")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "localhost.example", "1.2.3.4", "127.0.0.1.example", "")))


# Rude clients


def connect(address: str) -> socket.socket:
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname, parts.port), 30)


def test_what_is_no_request_is_refused(site: Site) -> None:
    for sent in (
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"GET http://127.0.0.1/\xff HTTP/1.1\r\n\r\n",
    ):
        with connect(site.app) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            head = connection.recv(65536)
            assert head[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 431", b"HTTP/1.1 200", b""), head[:200]
    assert site.get("/healthz").status == 200


def request_of(size: int) -> bytes:
    begin, end = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", b"\r\n\r\n"
    return begin + b"x" * (size - len(begin) - len(end)) + end


def test_a_head_is_bounded_however_it_comes(site: Site) -> None:
    """In one piece, in two, behind another request, in many fields, in spaces; one of just the size passes."""
    spaces = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX:" + b" " * 70_000 + b"x\r\n\r\n"
    fields = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: y\r\n" * 12_000 + b"\r\n"
    short, exact, long = request_of(100), request_of(HEAD_MAX_BYTES), request_of(HEAD_MAX_BYTES + 1)
    large = request_of(70_000)
    for pieces, wanted in (
        ([large], [b"431"]),
        ([large[:40_000], large[40_000:]], [b"431"]),
        ([long], [b"431"]),
        ([spaces], [b"431"]),
        ([fields], [b"431"]),
        ([exact], [b"200"]),
        ([short + exact], [b"200", b"200"]),
        ([short + large], [b"200", b"431"]),
    ):
        with connect(site.app) as connection:
            for piece in pieces:
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.sendall(piece)
            received = b""
            with suppress(ConnectionResetError):
                while len(re.findall(rb"HTTP/1\.1 (\d+)", received)) < len(wanted) and (data := connection.recv(65536)):
                    received += data
            assert re.findall(rb"HTTP/1\.1 (\d+)", received) == wanted, (len(pieces[0]), received[:200])
    assert site.get("/healthz").status == 200


def test_many_who_wait_keep_nobody_out(site: Site) -> None:
    """Connections that send half a request and those that take nothing of a large answer."""
    slow = []
    try:
        for number in range(60):
            connection = connect(site.app if number % 2 else site.originals)
            slow.append(connection)
            path = f"/web/20260301060000id_/{PAPER}/big" if number % 2 == 0 else "/healthz"
            end = b"\r\n\r\n" if number % 2 == 0 else b"\r\nX-Half"
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1".encode() + end)
        assert site.get(f"/cdx?url={RFC_URL}").status == 200
        assert site.original(f"/web/20260301060000id_/{PAPER}/a%20b/%C3%A6?q=r%C3%B8d&x=1;y=2").body == b"escapes"
    finally:
        for connection in slow:
            connection.close()


class ServingInHaste(Serving):
    """One whose limits are short."""

    def _before(self) -> str:
        return "from newskeep.web import server; server.REQUEST_SECONDS = server.STALL_SECONDS = 0.5"


def test_half_a_request_is_cut_off(web_folder: Path) -> None:
    """With the limits made short: a trickling request ends, and so does an answer that nobody takes."""
    with ServingInHaste(web_folder) as site:
        ends = [
            b"",
            b"GET / HT",
            b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n",
            b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nx",
        ]
        for sent in ends:
            with connect(site.app) as connection:
                connection.sendall(sent)
                # Trickling does not help.
                for _ in range(2_000):
                    time.sleep(0.05)
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        break
                else:
                    pytest.fail(f"still open after {sent!r}")
        # More than the buffers between take up.
        address, times = f"/web/20260301060000id_/{PAPER}/big", 8
        port = urlsplit(site.originals).port
        assert port is not None
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(120)
            connection.connect(("127.0.0.1", port))
            connection.sendall(f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() * times)
            until(lambda: not _is_open(port, connection.getsockname()[1]))
            received = 0
            with suppress(ConnectionResetError):
                while data := connection.recv(1 << 20):
                    received += len(data)
            assert received < times * len(BIG)


def _is_open(port: int, client: int) -> bool:
    """Whether the server at `port` holds its end of a connection of ours, told without reading from ours."""
    established = [f"0100007F:{port:04X}", f"0100007F:{client:04X}", "01"]
    return any(line.split()[1:4] == established for line in Path("/proc/net/tcp").read_text().splitlines())


# The command


def test_serve_says_what_is_wrong_in_one_line(newskeep: Run, web_folder: Path) -> None:
    done = newskeep("serve", "--archive", str(web_folder), "--host", "0.0.0.0")
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert b"--token" in done.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = newskeep("serve", "--archive", str(web_folder), "--port", str(taken.getsockname()[1]))
        assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
        assert b"--port" in done.stderr
    done = newskeep("serve", "--archive", str(web_folder.with_name("nothing-here")))
    assert (done.returncode, done.stderr.count(b"\n")) == (3, 1)


def test_serve_without_the_extra(web_folder: Path) -> None:
    hidden = "import sys; sys.modules['uvicorn'] = None; from newskeep.cli import main; main()"
    command = [sys.executable, "-c", hidden, "serve", "--archive", str(web_folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2], timeout=240
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"newskeep: uvicorn is not installed: {shlex.quote(sys.executable)} -m pip install 'newskeep[web]'\n"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_cleanly(web_folder: Path, number: signal.Signals) -> None:
    serving = Serving(web_folder)
    site = serving.__enter__()
    # One that stays open does not hold it up.
    with connect(site.app):
        assert site.get("/healthz").status == 200
        serving.process.send_signal(number)
        serving.process.communicate()
    assert serving.process.returncode == 0
    assert serving.log.read_text().count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_minds_signals_before_it_says_where_it_is(web_folder: Path, number: signal.Signals) -> None:
    command = ("serve", "--archive", str(web_folder), "--port", "0", "--originals-port", "0")
    with shared().start(command, web_folder.parent, os.environ) as process:
        assert process.stdout is not None and process.stdout.readline().startswith(b"http://")
        process.send_signal(number)
        _, said = process.communicate()
    assert process.returncode == 0, said
    assert said.count(b"\n") == 1

"""The other origin: originals byte for byte, and nothing in them that could act on a reader."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from filled_archive import page, write
from web_archive import ANSWERS, BIG, COOKIE, GZIPPED, HOSTILE_BODY, OTHERS, PAPER, RFC_URL, Site

from newskeep.web import payload
from newskeep.web.payload import payload_of
from storage import cdxj
from storage.archive import Archive
from storage.errors import Corrupt
from storage.http import HttpMessage
from storage.objects.local import LocalStore

pytest_plugins = ["web_archive"]

AT = "20260301060000"


@pytest.mark.parametrize("path", ["/hostile", "/gzipped", "/missing", "/broken", "/big", "/big-chunked", "/big-cut"])
@pytest.mark.parametrize("modifier", ["", "id_"])
def test_body_is_what_the_server_sent(site: Site, path: str, modifier: str) -> None:
    held = HttpMessage.parse(ANSWERS[path])
    found = site.original(f"/web/{AT}{modifier}/{PAPER}{path}")
    assert (found.status, found.body) == (held.status, held.payload)
    assert found.headers["Content-Length"] == str(len(held.payload))
    assert found.headers["Memento-Datetime"] == "Sun, 01 Mar 2026 06:00:00 GMT"
    assert site.original(f"/web/{AT}{modifier}/{PAPER}{path}", "HEAD").headers.items() >= [
        item for item in found.headers.items() if item[0].lower() != "date"
    ]


def test_revisit_has_the_body_of_what_it_refers_to(site: Site) -> None:
    found = site.original(f"/web/20260301070000id_/{PAPER}/big")
    assert found.body == BIG
    assert parsedate_to_datetime(found.headers["Memento-Datetime"]).hour == 7


def test_content_coding_stays(site: Site) -> None:
    found = site.original(f"/web/{AT}id_/{PAPER}/gzipped")
    assert (found.headers["Content-Encoding"], found.body) == ("gzip", GZIPPED)


def test_archived_fields_are_told_and_do_nothing(site: Site) -> None:
    found = site.original(f"/web/{AT}/{PAPER}/hostile")
    names = {name.lower() for name in found.headers}
    for name in ("set-cookie", "refresh", "service-worker-allowed", "access-control-allow-origin", "clear-site-data"):
        assert name not in names
        assert f"x-archive-orig-{name}" in names
    assert names.isdisjoint({"www-authenticate", "location"})
    assert found.headers.get_all("X-Archive-Orig-Set-Cookie") == [COOKIE, "second=1"]
    assert found.headers["X-Archive-Orig-X-Odd"] == "ab\xe6"
    assert "elsewhere.example" not in found.headers["Link"]
    assert not any(" " in name for name in names)
    policy = found.headers["Content-Security-Policy"]
    assert re.match(r"sandbox; default-src 'none';", policy) and "allow-" not in policy and "*" not in policy
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    assert found.headers["Referrer-Policy"] == "no-referrer"
    assert found.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert found.body == HOSTILE_BODY


def test_head_of_many_fields_is_cut(site: Site) -> None:
    # http.client gives up at a hundred.
    found = site.original(f"/web/{AT}/{PAPER}/many-fields")
    assert found.body == b"x"
    assert 40 < len(found.headers.get_all("X-Archive-Orig-X-Field") or []) <= 64


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("/hostile", "text/html; charset=utf-8", None),
        ("/page.svg", "image/svg+xml", None),
        ("/no-type", "application/octet-stream", "no-type"),
        ("/paper.pdf", "application/pdf", "paper.pdf"),
        ("/setup.exe", "application/octet-stream", "setup.exe"),
        ("/applet.hta", "application/octet-stream", "applet.hta"),
        ("/na%22me;%C3%A9.bin", "application/octet-stream", "na-me-.bin"),
        ("/odd-type", "application/octet-stream", "odd-type"),
        ("/evil-charset", "text/html; charset=utf-7", None),
        ("/not-http", "application/octet-stream", "not-http"),
    ],
)
def test_types_that_could_act_are_saved(site: Site, path: str, kind: str, name: str | None) -> None:
    found = site.original(f"/web/{AT}/{PAPER}{path}")
    assert found.headers["Content-Type"] == kind
    assert found.headers["Content-Disposition"] == (f'attachment; filename="{name}"' if name else None)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/odd-status", 200), ("/part", 200), ("/nothing", 204), ("/not-http", 200), ("/missing", 404), ("/broken", 503)],
)
def test_status_is_the_archived_one_where_http_has_it(site: Site, path: str, status: int) -> None:
    assert site.original(f"/web/{AT}id_/{PAPER}{path}").status == status


def test_what_is_not_http_comes_whole(site: Site) -> None:
    assert site.original(f"/web/{AT}id_/{PAPER}/not-http").body == ANSWERS["/not-http"]


@pytest.mark.parametrize("path", ["/big", "/big-chunked", "/hostile"])
@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=10-", 10, None), ("bytes=-7", -7, None), ("bytes=5-99999999", 5, None)],
)
def test_ranges(site: Site, path: str, asked: str, start: int, end: int | None) -> None:
    whole = HttpMessage.parse(ANSWERS[path]).payload
    found = site.original(f"/web/{AT}id_/{PAPER}{path}", Range=asked)
    assert (found.status, found.body) == (206, whole[start:end])
    first = start % len(whole)
    assert found.headers["Content-Range"] == f"bytes {first}-{first + len(found.body) - 1}/{len(whole)}"


def test_ranges_that_are_none(site: Site) -> None:
    address = f"/web/{AT}id_/{PAPER}/big"
    outside = site.original(address, Range="bytes=3000000-")
    assert (outside.status, outside.headers["Content-Range"], outside.body) == (416, "bytes */3000000", b"")
    for wrong in ("bytes=9-5", "bytes=-", "lines=1-2", "bytes=1-2,4-5", "bytes=1-x"):
        assert site.original(address, Range=wrong).status == 200
    assert site.original(address, Range="bytes=1-2", If_Range='"another"').status == 200
    tag = site.original(address, "HEAD").headers["ETag"]
    assert site.original(address, Range="bytes=1-2", If_Range=tag).body == BIG[1:3]


def test_what_somebody_has_is_not_sent_again(site: Site) -> None:
    address = f"/web/{AT}id_/{PAPER}/big"
    first = site.original(address)
    for fields in ({}, {"Range": "bytes=1-2"}):
        again = site.original(address, If_None_Match=f"W/{first.headers['ETag']}", **fields)
        assert (again.status, again.body) == (304, b"")
        for name in ("ETag", "Memento-Datetime", "Content-Security-Policy"):
            assert again.headers[name] == first.headers[name]
        assert site.original(address, If_None_Match='"another"').body == BIG
    missing = site.original(f"/web/{AT}id_/{PAPER}/missing")
    assert site.original(f"/web/{AT}id_/{PAPER}/missing", If_None_Match=missing.headers["ETag"]).status == 404


def test_a_warc_that_somebody_has(site: Site) -> None:
    name = next(site.folder.rglob("*.warc.gz")).name
    whole = site.get(f"/warc/{name}")
    tag = whole.headers["ETag"]
    again = site.get(f"/warc/{name}", If_None_Match=tag)
    assert (again.status, again.body) == (304, b"")
    assert site.get(f"/warc/{name}", Range="bytes=1-2", If_Range=tag).body == whole.body[1:3]
    assert site.get(f"/warc/{name}", Range="bytes=1-2", If_Range='"another"').status == 200


def test_streamed_is_what_is_read_whole(web_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to a body, for every capture: chunks whole and cut, revisits, what is not HTTP."""
    with Archive(LocalStore(str(web_folder)), web_folder) as archive:
        captures = [*archive.index.captures("example", match="domain"), *archive.index.captures(RFC_URL)]
        assert len(captures) == archive.index.counts().captures
        for capture in captures:
            whole = payload_of(archive, capture)
            body = b"".join(whole.pieces())
            with monkeypatch.context() as patch:
                for name in ("SMALL", "SMALL_UNPACKED", "_SURELY_SMALL"):
                    patch.setattr(payload, name, 0)
                streamed = payload_of(archive, capture)
            assert streamed.data is None
            assert (whole.size, streamed.size) == (len(body), len(body))
            assert b"".join(streamed.pieces()) == body
            assert (streamed.head.status, streamed.head.headers) == (whole.head.status, whole.head.headers)
            assert b"".join(streamed.part(3, 70_000)) == b"".join(whole.part(3, 70_000)) == body[3:70_000]


def test_redirects_stay_in_the_archive(site: Site) -> None:
    for modifier in ("", "id_"):
        moved = site.original(f"/web/{AT}{modifier}/{PAPER}/moved")
        assert (moved.status, moved.body) == (301, b"gone there")
        assert moved.headers["Location"] == f"{site.originals}/web/{AT}{modifier}/{PAPER}/story"
    # Never fetched: the archive says so itself.
    out = site.original(f"/web/{AT}/{PAPER}/moved-out").headers["Location"]
    assert out == f"{site.originals}/web/{AT}/https://elsewhere.example/?a=1&b=2"
    assert site.get(out).status == 404
    assert "Location" not in site.original(f"/web/{AT}/{PAPER}/moved-to-script").headers
    # Of the pair http and https only the redirect is held.
    assert "Location" not in site.original(f"/web/{AT}/http://www.paper.example/secure").headers


def test_url_that_was_written_otherwise_leads_to_no_loop(site: Site) -> None:
    found = site.original(f"/web/{AT}/http://old.example/Not%7Cnormal")
    assert (found.status, found.body) == (200, b"as another crawler wrote it")


URLS = [
    *(PAPER + path for path in ANSWERS if "?" in path or "//" in path),
    *(url for url in OTHERS if "secure" not in url and "normal" not in url),
]


@pytest.mark.parametrize("url", URLS)
def test_urls_in_paths(site: Site, url: str) -> None:
    held = HttpMessage.parse({**OTHERS, **{PAPER + path: each for path, each in ANSWERS.items()}}[url]).payload
    for written in (url, quote(url, safe=""), quote(url), url.replace("://", ":/", 1)):
        found = site.original(f"/web/{AT}id_/{written}")
        assert (found.status, found.body) == (200, held), written
    near = site.original(f"/web/2026/{url}")
    assert (near.status, near.headers["Location"]) == (302, f"{site.originals}/web/{AT}/{url}")
    assert "Memento-Datetime" not in near.headers


def test_urls_as_people_write_them(site: Site) -> None:
    for written in ("bl%C3%A5b%C3%A6r.example", "HTTP://BL%C3%85B%C3%86R.example/", "http:/xn--blbr-roah.example"):
        found = site.original(f"/web/{AT}/{written}")
        assert found.status in (200, 302)
        assert found.body in ("blåbær".encode(), b"")
    assert site.original(f"/web/{PAPER}/missing").headers["Location"] == f"{site.originals}/web/{AT}/{PAPER}/missing"
    near = site.original(f"/web/20260302id_/{PAPER}/missing")
    assert near.headers["Location"] == f"{site.originals}/web/{AT}id_/{PAPER}/missing"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/web/20261301/{PAPER}/", 400),
        (f"/web/00000000000000/{PAPER}/", 400),
        (f"/web/{AT}/ftp://paper.example/", 400),
        (f"/web/{AT}/http://user:secret@paper.example/", 400),
        (f"/web/{AT}/http://[::1/", 400),
        (f"/web/{AT}/", 400),
        (f"/web/{AT}/http://paper.example/%", 404),
        (f"/web/{AT}/{PAPER}/{'x' * 9000}", 400),
        ("/web/../etc/passwd", 400),
        ("/", 404),
        ("/api/counts", 404),
    ],
)
def test_wrong_addresses_are_told(site: Site, path: str, status: int) -> None:
    found = site.original(path)
    assert found.status == status
    assert b"Traceback" not in found.body and b"secret" not in found.body
    assert found.body.count(b"\n") <= 1


def test_scripts_are_no_service_workers_and_nothing_is_written(site: Site) -> None:
    address = f"/web/{AT}/{PAPER}/hostile"
    assert site.original(address, Service_Worker="script").status == 403
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert site.original(address, method).status == 405


def test_the_app_sends_to_the_other_origin(site: Site) -> None:
    for path in (
        f"/web/{AT}id_/{PAPER}/a%20b/%C3%A6?q=r%C3%B8d&x=1;y=2",
        f"/web/2026/{PAPER}//evil",
        "/web//x.example",
    ):
        found = site.get(path)
        assert (found.status, found.headers["Location"]) == (302, site.originals + path)
        assert found.body == b""


def _damaged(archive: Archive, kind: str, field: bytes, value: bytes) -> str:
    """Deliver a page and its revisit, with a field of one of the two records changed; return the page's URL."""
    parcel = write(archive.state / "made", 1, [page(1)], revisit=True)
    first, again = cdxj.read(parcel.cdxj.read_bytes().splitlines(), "")
    data = parcel.warc.read_bytes()
    changed = again if kind == "revisit" else first
    end = changed.offset + changed.length
    record = gzip.decompress(data[changed.offset : end])
    member = gzip.compress(re.sub(rb"\r\n%b: .*\r" % field, b"\r\n%b: %b\r" % (field, value), record, count=1))
    parcel.warc.write_bytes(data[: changed.offset] + member + data[end:])
    grown = len(member) - changed.length
    here = replace(changed, length=len(member))
    captures = [first, here] if changed is again else [here, replace(again, offset=again.offset + grown)]
    parcel.cdxj.write_bytes(b"".join(cdxj.lines(captures)))
    archive.deliver(parcel)
    return changed.url


def test_revisit_of_no_date_is_told_as_damage(tmp_path: Path) -> None:
    with Archive(LocalStore(str(tmp_path)), tmp_path) as archive:
        url = _damaged(archive, "revisit", b"WARC-Refers-To-Date", b"the day before")
        capture = archive.find(url)
        assert capture.is_revisit
        told = r"the revisit record of \S+ refers to 'the day before', which is no date"
        for read in (archive.read, lambda capture: payload_of(archive, capture)):
            with pytest.raises(Corrupt, match=told):
                read(capture)


def test_revisit_of_a_date_without_zone_is_read(tmp_path: Path) -> None:
    with Archive(LocalStore(str(tmp_path)), tmp_path) as archive:
        url = _damaged(archive, "revisit", b"WARC-Refers-To-Date", b"2026-03-01T06:01:00")
        assert archive.read(archive.find(url)).message.body == HttpMessage.parse(page(1).response).body


def test_length_that_is_no_number_is_told_as_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "SMALL", 0)
    monkeypatch.setattr(payload, "_SURELY_SMALL", 0)
    with Archive(LocalStore(str(tmp_path)), tmp_path) as archive:
        url = _damaged(archive, "response", b"Content-Length", "²".encode())
        (first, _) = archive.captures(url)
        with pytest.raises(Corrupt, match="no WARC record"):
            payload_of(archive, first)

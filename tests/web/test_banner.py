"""An archived page under its banner, whatever it is; what is archived stays as it was sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from web_archive import PAPER, Serving, Site, write

from storage.archive import Archive
from storage.objects.local import LocalStore
from storage.urls import timestamp14

AT = datetime(2026, 3, 1, 6, tzinfo=UTC)
#: What is archived: its type, its body, and whether a browser may be shown it.
KINDS = {
    "page": ("text/html", b"<!doctype html><title>Page</title><p>Text", True),
    "no-body": ("text/html", b"", True),
    "frameset": ("text/html", b"<frameset cols=50%,50%><frame src=a><frame src=b></frameset>", True),
    "xhtml": ("application/xhtml+xml", b'<html xmlns="http://www.w3.org/1999/xhtml"><head/><body/></html>', True),
    "picture": ("image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', True),
    "text": ("text/plain", b"</header><p>Only text", True),
    "json": ("application/json", b"{}", True),
    "report.pdf": ("application/pdf", b"%PDF-1.7", False),
    "program": ("application/x-msdownload", b"MZ", False),
    "no-type": ("", b"\x00\x01", False),
}
#: Addresses with signs that mean something elsewhere.
ODD = ["a,b;c 'none' *", "ærø-東京?page=2;3"]
_FRAME = re.compile(r'<iframe id="archived" src="([^"]+)" sandbox="([^"]*)"')


def _answer(kind: str, body: bytes) -> bytes:
    field = f"Content-Type: {kind}\r\n" if kind else ""
    return f"HTTP/1.1 200 OK\r\n{field}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("banner") / "archive"
    folder.mkdir()
    fetched = [(f"{PAPER}/{name}", AT, _answer(kind, body)) for name, (kind, body, _) in KINDS.items()]
    fetched += [(f"{PAPER}/page", AT + timedelta(days=day), _answer("text/html", b"later")) for day in (1, 2)]
    fetched += [(f"{PAPER}/{name}", AT, _answer("text/html", name.encode())) for name in ODD]
    with Archive(LocalStore(str(folder)), folder) as archive:
        archive.deliver(write(folder / "made", 0, fetched))
    with Serving(folder) as running:
        yield running


@pytest.mark.parametrize("name", KINDS)
def test_whatever_was_sent_has_its_banner(site: Site, name: str) -> None:
    _, body, is_shown = KINDS[name]
    found = site.get(f"/replay/{timestamp14(AT)}/{PAPER}/{name}")
    text = unescape(found.body.decode())
    assert found.status == 200 and f'<p class="url">{PAPER}/{name}</p>' in text
    assert "1 March 2026, 06:00:00 UTC" in text and f'href="/captures/{PAPER}/{name}"' in text
    frame = _FRAME.search(text)
    assert (frame is not None) == is_shown
    if frame:
        # Without pywb the original, which runs no script.
        assert frame[2] == "" and site.get(frame[1]).body == body
    else:
        assert "which is saved and not shown" in text
    assert site.original(f"/web/{timestamp14(AT)}id_/{PAPER}/{name}").body == body


@pytest.mark.parametrize("name", ["page", *ODD])
def test_the_frame_is_watched_for_other_addresses(site: Site, name: str) -> None:
    """The policy names one address, without a query, whatever signs are in it."""
    found = site.get(f"/replay/{timestamp14(AT)}/{quote(f'{PAPER}/{name}')}")
    directive, source = found.headers["Content-Security-Policy-Report-Only"].split(" ")
    frame = _FRAME.search(found.body.decode())
    assert frame is not None
    assert (directive, unquote(source)) == ("frame-src", unquote(unescape(frame[1])).partition("?")[0])
    assert not re.search("[;,?]", source)


def test_banner_leads_to_the_captures_around(site: Site) -> None:
    middle = site.get(f"/replay/{timestamp14(AT + timedelta(days=1))}/{PAPER}/page").body.decode()
    assert f'href="/replay/{timestamp14(AT)}/{PAPER}/page" rel="prev"' in middle
    assert f'href="/replay/{timestamp14(AT + timedelta(days=2))}/{PAPER}/page" rel="next"' in middle
    first = site.get(f"/replay/{timestamp14(AT)}/{PAPER}/page").body.decode()
    assert 'rel="prev"' not in first and 'rel="next"' in first


def test_time_in_the_address_is_that_of_the_banner(site: Site) -> None:
    near = site.get(f"/replay/20260301070000/{PAPER}/page")
    assert (near.status, near.headers["Location"]) == (302, f"/replay/{timestamp14(AT)}/{PAPER}/page")
    assert site.get(f"/replay/{PAPER}/page").headers["Location"].startswith(f"/replay/{timestamp14(AT)[:6]}03")
    assert site.get(f"/replay/2026/{PAPER}/nothing").status == 404
    # Nobody frames the banner itself.
    assert (
        "frame-ancestors 'none'"
        in site.get(f"/replay/{timestamp14(AT)}/{PAPER}/page").headers["Content-Security-Policy"]
    )

"""What a browser exchanges with servers, out of its net log: every byte that went."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass

import pytest
from browsing import rendered
from certificates import Authority
from h2_origin import H2Origin
from hostile_responses import hostile_cases
from origin import Close, Origin, response

from crawler.browser.job import RenderBounds, Rendered, RenderJob
from storage.model import Exchange

CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.long, pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")]

HTML = [("Content-Type", "text/html; charset=utf-8")]
#: Asks for each address, one after the other, and says so when it has them.
FETCHES = """<!doctype html><title>0</title><script>
(async () => {
  for (const path of %s) {
    await fetch(path, {signal: AbortSignal.timeout(3000)}).then((answer) => answer.arrayBuffer()).catch(() => 0);
  }
  document.body.append("all done");
})();
</script><body>"""


#: One for all: a browser is started for its bound of bytes.
BOUNDS = RenderBounds(seconds=120, rest=90, bytes=3 << 20)
#: Odd in its phrase, duplicates, extensions and trailers.
ODD = (
    b"HTTP/1.1 200 Fine  and dandy\r\nX-A: 1\r\nx-a: 2\r\nContent-Type: text/javascript\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    b'1d;ext="1"\r\ndocument.title = "from it";\n\n\r\n0\r\nX-Trailer: z\r\n\r\n'
)
UNTRUSTED = "the certificate is not issued by an authority that is trusted"
LARGE = bytes(range(256)) * 8_000
# Those that only take time, and those that a browser itself does not take for HTTP, are left out.
CASES = {
    name: case
    for name, case in hostile_cases().items()
    if case.verdicts == ("complete",) and not case.partial and not case.before and not case.also
}


def job(url: str, **given: object) -> RenderJob:
    return RenderJob(url, str(CHROMIUM), "newskeep/test", **{"allow_private": True, "bounds": BOUNDS, **given})  # type: ignore[arg-type]


def show(url: str, **given: object) -> Rendered:
    [shown] = rendered(job(url, **given))
    return shown


@dataclass(frozen=True, slots=True)
class Plain:
    """Pages of one origin without TLS, which one browser showed; the origin still knows what it sent."""

    origin: Origin
    cases: Rendered
    odd: Rendered
    whole: Rendered
    bounded: Rendered


@pytest.fixture(scope="module")
def plain() -> Plain:
    with Origin() as origin:
        paths = [case.install(origin, name).removeprefix(origin.url("")) for name, case in CASES.items()]
        origin.reply("/cases", (FETCHES % json.dumps(paths)).encode(), headers=HTML)
        origin.reply("/odd", b"<!doctype html><title>0</title><p>Hello<script src=/s.js></script>", headers=HTML)
        origin.on("/s.js", ODD, Close())
        origin.reply("/whole", (FETCHES % '["/large"]').encode(), headers=HTML)
        origin.on("/large", response(LARGE))
        origin.reply("/bounded", (FETCHES % '["/larger"]').encode(), headers=HTML)
        origin.on("/larger", response(LARGE * 2))
        paths = ["/cases", "/odd", "/whole", "/bounded"]
        return Plain(origin, *rendered(*(job(origin.url(path)) for path in paths)))


def by_path(shown: Rendered) -> dict[str, Exchange]:
    return {exchange.url.partition("://")[2].partition("/")[2]: exchange for exchange in shown.exchanges}


def test_a_raw_origin_byte_for_byte(plain: Plain) -> None:
    assert len(CASES) >= 20
    found, compared = by_path(plain.cases), list[str]()
    for name, case in CASES.items():
        exchange = found.get(f"case/{name}")
        logged = plain.origin.logged(f"/case/{name}")
        assert exchange is not None and logged, name
        if not exchange.response:
            continue
        # The browser may have asked again over a new connection.
        assert exchange.request in [each.request for each in logged], name
        whole = b"".join((*exchange.interim, exchange.response))
        assert whole in [each.sent.removesuffix(case.excess) for each in logged], name
        assert exchange.truncated is None, name
        compared.append(name)
    assert plain.cases.error is None
    # The rest is not HTTP to Chromium.
    assert len(compared) >= 0.9 * len(CASES)


def test_odd_phrases_duplicates_extensions_and_trailers(plain: Plain) -> None:
    page, loaded = plain.odd.exchanges
    for path, exchange in (("/odd", page), ("/s.js", loaded)):
        assert [exchange.request] == [logged.request for logged in plain.origin.logged(path)]
    # Nothing went that is in no exchange.
    asked = {logged.path for logged in plain.origin.log if not logged.path.startswith("/case/")}
    assert asked == {"/cases", "/odd", "/s.js", "/whole", "/large", "/bounded", "/larger"}
    assert (loaded.response, loaded.truncated, loaded.peer) == (ODD, None, "127.0.0.1")
    assert page.protocols == ("http/1.1",)
    assert b"newskeep/test" in page.request
    assert b"<title>from it</title>" in plain.odd.resources[0].data


def test_large_bodies_are_whole_up_to_the_bound(plain: Plain) -> None:
    assert by_path(plain.whole)["large"].response == response(LARGE)
    assert plain.bounded.error == "the page asks for more than 3,145,728 bytes"
    assert plain.bounded.resources == ()
    larger = by_path(plain.bounded)["larger"]
    assert larger.truncated == "length" and response(LARGE * 2).startswith(larger.response)
    assert len(larger.response) < 3 << 20


def test_http2_after_tls() -> None:
    body = b"<!doctype html><title>0</title><p>Hello from HTTP/2<script src=/s.js></script>" + b" " * 20_000
    answers = {
        "/": ([(":status", "200"), ("content-type", "text/html"), ("x-a", "1"), ("x-a", "2")], body),
        "/s.js": ([(":status", "200"), ("content-type", "text/javascript")], b"document.title = 'from it';"),
    }
    with H2Origin(Authority().server("localhost"), answers) as origin:
        # What is wrong with its certificate is told of every page that a browser shows.
        shown, again = rendered(*[job(origin.url("/"), insecure=True)] * 2)
        assert (again.exchanges[0].insecure, len(again.exchanges[0].certificates)) == (UNTRUSTED, 1)
        assert again.exchanges[0].protocols == ("h2", "tls/1.3")
        page, script = (exchange for exchange in shown.exchanges if "favicon" not in exchange.url)
        assert page.response == b"HTTP/1.1 200 \r\ncontent-type: text/html\r\nx-a: 1\r\nx-a: 2\r\n\r\n" + body
        assert page.request.startswith(b"GET / HTTP/1.1\r\nhost: localhost:%d\r\n" % origin.port)
        assert page.protocols == ("h2", "tls/1.3") and len(page.certificates) == 1
        assert page.cipher in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
        assert page.insecure == UNTRUSTED
        assert script.response.endswith(b"\r\n\r\ndocument.title = 'from it';")
        # Every frame of the streams stands in what went, in order; those of DATA up to their data.
        for exchange in (page, script):
            at = 0
            for head in _heads(exchange.response_frames):
                at = origin.sent.find(head, at)
                assert at >= 0
            assert exchange.request_frames in origin.received
    assert b"<title>from it</title>" in shown.resources[0].data


def _heads(frames: bytes) -> list[bytes]:
    """The frames, and of DATA the head with the length of its padding."""
    found, at = [], 0
    while at < len(frames):
        length, kind = int.from_bytes(frames[at : at + 3], "big"), frames[at + 3]
        size = 9 + (length if kind else 1 + frames[at + 9] if frames[at + 4] & 8 else 0)
        found.append(frames[at : at + (size if kind else 10 if frames[at + 4] & 8 else 9)])
        at += size
    return found


@pytest.mark.exhaustive
def test_a_certificate_that_is_bad_is_not_believed() -> None:
    with H2Origin(Authority().server("localhost"), {}) as origin:
        shown = show(origin.url("/"))
        assert origin.paths == []
    assert shown.error is not None and "ERR_CERT_AUTHORITY_INVALID" in shown.error
    assert (shown.exchanges, shown.resources) == ((), ())

"""URLs and times: one form of each, the same as Scrapy sends, pywb files and a person means."""

from __future__ import annotations

import pickle
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
import surt as package
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy import Request
from scrapy.utils.httpobj import urlparse_cached
from w3lib.url import safe_url_string
from warcio.timeutils import timestamp_to_datetime

from storage.errors import InvalidURL, UsageError
from storage.urls import (
    MAX_URL_CHARS,
    equivalent_form,
    normalize,
    parse_timestamp,
    site_of,
    surt,
    surt_prefix,
    timestamp14,
    without_dot_segments,
)

# What Scrapy makes of these is what goes over the wire.
LIKE_SCRAPY = [
    "https://example.com",
    "https://example.com/",
    "https://example.com?a=b",
    "https://example.com/?",
    "https://example.com/a b?c d",
    "https://example.com/æøå?æ=ø",
    "https://example.com/%E6%F8%E5?q=%zz%",
    "https://example.com/a|b[c]{d}^e`f\"g<h>i'j",
    "https://example.com/?a|b[c]{d}^e`f\"g<h>i'j\\k",
    "https://example.com\\a\\b?c\\d",
    "https://example.com//a//./b/../c",
    "https://example.com/a;b=c,d:e@f!g$h&i(j)*k+l=m~n",
    "https://example.com/?b=2&a=1&a=&&=",
    "https://example.com/?url=https://other.example/x?y=z",
    "https://example.com/é\u2028\u00a0x",
    "https://example.com/🗞?🗞",
    "  https://example.com/a  ",
    "https://EXAMPLE.com/Case",
    "HTTPS://example.com/",
    "https://example.com:8443/",
    "https://example.com:/",
    "https://foo_bar.example.com/",
    "https://example.com./",
    "https://münchen.example/",
    "https://例え.テスト/パス",
    "https://xn--mnchen-3ya.example/",
    "https://[::1]:8000/a",
    "http://127.0.0.1:8000/a",
    "http://localhost:8000/a",
]


def over_the_wire(url: str) -> tuple[str, str | None, int | None, str]:
    """Scheme, host, port and request target of what Scrapy sends for a URL."""
    parts = urlparse_cached(Request(url))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, parts.hostname, parts.port, target


@pytest.mark.parametrize("url", LIKE_SCRAPY)
def test_goes_over_the_wire_as_scrapy_sends_it(url: str) -> None:
    normal = normalize(url)
    assert over_the_wire(normal) == over_the_wire(url)
    # Scrapy takes it as it is, so request.url, the WARC and the index agree.
    assert Request(normal).url == safe_url_string(normal) == normal


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("HTTP://WWW.Example.COM:80/A?B#c", "http://www.example.com/A?B"),
        ("https://example.com:443", "https://example.com/"),
        ("https://example.com:0443/", "https://example.com/"),
        ("http://example.com:443/", "http://example.com:443/"),
        ("https://example.com/#top", "https://example.com/"),
        ("https://example.com?#", "https://example.com/"),
        ("\u00a0https://example.com/\r\n", "https://example.com/"),
        # UTS 46 without transition, as browsers do: ß stays ß; the built-in codec would make it ss.
        ("https://faß.example/", "https://xn--fa-hia.example/"),
        ("https://MÜNCHEN.example/", "https://xn--mnchen-3ya.example/"),
        ("https://a。b．example/", "https://a.b.example/"),
        ("https://foo_bar.münchen.example/", "https://foo_bar.xn--mnchen-3ya.example/"),
        # Not in IDNA 2008, and registered all the same.
        ("https://💩.la/", "https://xn--ls8h.la/"),
        ("https://ex%61mple.com/", "https://example.com/"),
        ("https://m%C3%BCnchen.example/", "https://xn--mnchen-3ya.example/"),
        ("http://[::FFFF:10.0.0.1]/", "http://[::ffff:a00:1]/"),
        ("http://[0:0:0:0:0:0:0:1]:80/", "http://[::1]/"),
        # Resolvers read all of these as addresses.
        ("http://127.1/", "http://127.0.0.1/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://0177.0.0.1/", "http://127.0.0.1/"),
        ("http://１２７.0.0.1./", "http://127.0.0.1/"),
        ("https://example.com/?a='b'", "https://example.com/?a=%27b%27"),
    ],
)
def test_one_form(url: str, normal: str) -> None:
    assert normalize(url) == normal
    assert normalize(normal) == normal


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("example.com", "starts with neither http:// nor https://; did you mean https://example.com?"),
        ("www.a.dk/å?b=1#c", "starts with neither http:// nor https://; did you mean https://www.a.dk/å?b=1#c?"),
        ("example.com:80/a", "starts with neither http:// nor https://; did you mean http://example.com:80/a?"),
        ("localhost:8000/a", "starts with neither http:// nor https://; did you mean http://localhost:8000/a?"),
        ("//example.com/a", "starts with neither http:// nor https://; did you mean https://example.com/a?"),
        ("htps://example.com/a", "starts with neither http:// nor https://; did you mean https://example.com/a?"),
        ("http//example.com/a", "starts with neither http:// nor https://; did you mean http://example.com/a?"),
        # What stands before an "@" may be a password.
        ("user:secret@example.com/a", "starts with neither http:// nor https://"),
        ("two words.example.com", "starts with neither http:// nor https://"),
        ("1.2", "starts with neither http:// nor https://"),
        ("ftp://example.com/", "starts with neither http:// nor https://"),
        ("file:///etc/passwd", "starts with neither http:// nor https://"),
        ("javascript:alert(1)", "starts with neither http:// nor https://"),
        ("http:", "has no host name"),
        ("https:///path", "has no host name"),
        ("http:/example.com", "has no host name; did you mean http://example.com?"),
        ("https:///example.com/a", "has no host name; did you mean https://example.com/a?"),
        ("http://:80/", "has no host name"),
        ("http://user@example.com/", "has a user name or password in it; Newskeep keeps no credentials"),
        ("http://@example.com/", "has a user name or password in it; Newskeep keeps no credentials"),
        ("http://example.com:0/", "has a bad port; a port is a number from 1 to 65535"),
        ("http://example.com:65536/", "has a bad port; a port is a number from 1 to 65535"),
        ("http://example.com:-1/", "has a bad port; a port is a number from 1 to 65535"),
        ("http://example.com:８０/", "has a bad port; a port is a number from 1 to 65535"),
        ("http://example.com:http/", "has a bad port; a port is a number from 1 to 65535"),
        ("http://[::1/", "has a bad IPv6 address"),
        ("http://[::g]/", "has a bad IPv6 address"),
        ("http://[fe80::1%25eth0]/", "has a bad IPv6 address"),
        ("http://[::1]x/", "has a bad IPv6 address"),
        ("http://x[::1]/", "has a bad IPv6 address"),
        ("http://[127.0.0.1]/", "has a bad IPv6 address"),
        ("http://::1/", "has no host name"),
        ("http://999.1.1.1/", "has a bad IPv4 address"),
        ("http://1.2.3.4.5/", "has a bad IPv4 address"),
        ("http://a..b/", "has a bad host name"),
        ("http://.a/", "has a bad host name"),
        ("http://./", "has a bad host name"),
        ("http://a b/", "has a bad host name"),
        ("http://*.example.com/", "has a bad host name"),
        ("http://a%2Fb/", "has a bad host name"),
        ("http://a%FF/", "has a bad host name"),
        ("http://a／b/", "has a bad host name"),
        (f"http://{'a' * 64}.com/", "has a bad host name"),
        (f"http://{'a.' * 127}com/", "has a bad host name"),
        ("http://a\u0000b/", "has a control character in it"),
        ("http://example.com/a\tb", "has a control character in it"),
        ("http://example.com/a\r\nHost: b", "has a control character in it"),
        ("http://example.com/\x7f", "has a control character in it"),
        ("http://example.com/\ud800", "is not valid Unicode"),
        ("http://\ud800.example/", "has a bad host name"),
        (f"http://example.com/{'a' * MAX_URL_CHARS}", "longer than 8,000 characters"),
        (f"http://example.com/{'é' * 2_000}", "longer than 8,000 characters once encoded"),
    ],
)
def test_says_why_not(url: str, reason: str) -> None:
    with pytest.raises(InvalidURL) as caught:
        normalize(url)
    assert caught.value.reason == reason
    assert caught.value.exit_code == 2
    message = str(caught.value)
    assert message.endswith(f": {reason}")
    assert message.isprintable() and len(message) < 300


@pytest.mark.parametrize(
    "url",
    [
        "http://user:hunter2@example.com/",
        "ftp://user:hunter2@example.com/",
        "user:hunter2@example.com",
        "http://user:hunter2\x00@example.com/",
        "http://user:hunter2/@example.com/",
        "http://hunter2@user:x@example.com/",
        "http://user:hunter2@[::/",
        f"http://user:hunter2@example.com/{'a' * MAX_URL_CHARS}",
    ],
)
def test_never_shows_a_password(url: str) -> None:
    with pytest.raises(InvalidURL) as caught:
        normalize(url)
    assert "hunter2" not in f"{caught.value!s} {caught.value!r} {caught.value.args}"


def test_error_comes_back_from_a_worker_process() -> None:
    error = pickle.loads(pickle.dumps(InvalidURL("http://x:y/", "has a bad port")))
    assert (str(error), error.reason) == ("http://x:y/: has a bad port", "has a bad port")


URL_TEXT = st.text() | st.text("ab.:/@?#[]%\\0179 é-_\t", max_size=40)


@settings(deadline=None)
@given(st.sampled_from(["", "http://", "https://a.example", "https://a.example/", "http://["]), URL_TEXT)
def test_any_text_is_a_url_for_good_or_an_error(start: str, text: str) -> None:
    try:
        normal = normalize(start + text)
    except InvalidURL:
        return
    assert normalize(normal) == normal
    assert normal.isascii() and " " not in normal and "#" not in normal
    assert Request(normal).url == normal
    assert "www." not in site_of(normal)[:4] and site_of(normal).isascii() and ":" not in site_of(normal)
    assert " " not in surt(normal)


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.Example.com/a", "example.com"),
        ("https://example.com:8443/a", "example.com"),
        ("https://www2.example.com/", "www2.example.com"),
        ("https://www.com/", "www.com"),
        ("https://www.example.com./", "example.com"),
        ("https://www.münchen.example/", "xn--mnchen-3ya.example"),
        ("http://127.0.0.1:8000/", "127.0.0.1"),
        ("http://[::1]:8000/", "--1"),
    ],
)
def test_site(url: str, site: str) -> None:
    assert site_of(url) == site


# pywb and cdx-indexer call surt.surt(url): our keys are theirs, also where we make them ourselves.
@pytest.mark.parametrize(
    "url",
    [
        *LIKE_SCRAPY,
        "http://www.example.com/A/b.HTML",
        "http://www2.example.com",
        "http://www.com/",
        "http://www/",
        "http://www.www.example.com/",
        "http://example.com/a/",
        "http://example.com/a//",
        "http://example.com//",
        "http://example.com/..a/.b/c..",
        "http://example.com/a/./b/../c/",
        "http://example.com/a%2Fb%20c",
        "http://example.com/(a(0123456789abcdefghij0123))/b.aspx",
        "http://example.com/?PHPSESSID=0123456789abcdef0123456789abcdef&b=2&a=1",
        "http://127.0.0.1/",
        "http://127.0.0.1:8000/A/b",
        "http://010.2.3.4/a",
        "http://300.2.3.4/a",
        "http://1.2.3.4.5/a",
        "http://1.2.3/a",
        "http://www.example.com:8080/a",
        "http://example.com:80/a",
        "https://example.com:443",
        "https://example.com:80/",
        "http://example.com:443/",
        "http://example.com:0/",
        "http://example.com:080/",
        "http://example.com:64999/",
        "http://example.com:65535/",
        "http://3.example.com/",
        "http://example.com.:8000/",
        "urn:a:b",
        "dns:example.com",
        "",
    ],
)
def test_surt_is_that_of_the_package(url: str) -> None:
    assert surt(url) == package.surt(url)


PIECES = [
    "www.",
    "www3.",
    "www",
    "a",
    "b-c",
    "_d",
    "9",
    "1.2.3.4",
    ":80",
    ":443",
    ":8080",
    "0x7f",
    ".com",
    ".",
    "..",
    "/",
    "//",
    "/.",
    "/..",
    "A",
]
PIECES += [
    "~",
    ",",
    ";",
    ":",
    "=",
    "+",
    "!",
    "*",
    "@",
    "&",
    "$",
    "'",
    "-",
    ".aspx",
    "(a)",
    "?q=1",
    "%20",
    "\n",
    " ",
    "é",
]


@settings(deadline=None)
@given(st.sampled_from(["http", "https"]), st.lists(st.sampled_from(PIECES), min_size=1, max_size=10))
def test_surt_is_that_of_the_package_for_anything(scheme: str, pieces: list[str]) -> None:
    url = f"{scheme}://" + "".join(pieces)
    try:
        expected = package.surt(url)
    except ValueError:
        expected = None
    key = surt(url)
    assert key == expected or expected is None
    assert " " not in key and key.isascii() and key.isprintable()


@pytest.mark.parametrize(
    "url", ["http://example.com:port/", "http://example.com:99999/", "http://a/\ud800", "filedesc:a b.arc", "\x00"]
)
def test_surt_of_what_the_package_cannot_read(url: str) -> None:
    key = surt(url)
    assert key.isascii() and key.isprintable() and " " not in key


def test_surt_package_is_imported_late_and_stays_off_the_network() -> None:
    """tldextract, which it imports, would fetch the public suffix list for a host's domain."""
    code = """
import sys
import storage.urls
assert not {"surt", "tldextract", "requests", "idna"} & set(sys.modules)
assert storage.urls.surt("https://www.example.com/a") == "com,example)/a"
assert "surt" not in sys.modules
calls = []
sys.addaudithook(lambda event, args: calls.append((event, args)) if event in
    {"socket.connect", "socket.sendto", "socket.getaddrinfo", "os.mkdir"} else None)
sys.addaudithook(lambda event, args: calls.append((event, args)) if event == "open" and args[1] not in
    {"r", "rb", None} else None)
assert storage.urls.surt("https://www.example.co.uk/a?b") == "uk,co,example)/a?b"
assert "surt" in sys.modules
print([call for call in calls if ".pyc" not in str(call)])
"""
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("[]\n", "")


@pytest.mark.parametrize(
    ("match", "url", "inside", "outside"),
    [
        (
            "exact",
            "http://example.com/a",
            ["https://www.example.com/A", "http://example.com/a/"],
            ["http://example.com/a/b", "http://example.com/a?b", "http://example.com/ab", "http://example.com/"],
        ),
        (
            "prefix",
            "http://example.com/a",
            ["http://example.com/a", "http://example.com/ab", "http://example.com/a/b", "http://example.com/a?b"],
            ["http://example.com/b", "http://example.com/", "http://a.example.com/a"],
        ),
        ("prefix", "http://example.com/a/", ["http://example.com/a/b"], ["http://example.com/ab"]),
        ("prefix", "http://example.com/a?", ["http://example.com/a?b=c"], ["http://example.com/ab"]),
        (
            "host",
            "www.example.com",
            ["http://example.com/", "https://www.example.com/a?b"],
            ["http://a.example.com/", "http://example.com.dk/", "http://example-a.com/", "http://example.com:8000/"],
        ),
        ("host", "localhost:8000", ["http://localhost:8000/a"], ["http://localhost:8001/a", "http://localhost/a"]),
        ("host", "http://[::1]:8000/x", ["http://[::1]:8000/a"], ["http://[::2]:8000/a"]),
        (
            "domain",
            "example.com",
            ["http://example.com/", "http://a.example.com/b", "http://a.b.example.com/"],
            ["http://example-a.com/", "http://example.dk/", "http://notexample.com/"],
        ),
        ("domain", "com", ["http://example.com/"], ["http://example.dk/", "http://example.community/"]),
        ("domain", "localhost", ["http://localhost/"], ["http://localhost2/"]),
    ],
)
def test_ranges(match: str, url: str, inside: list[str], outside: list[str]) -> None:
    start, end = surt_prefix(url, match)  # type: ignore[arg-type]
    assert [each for each in inside if not start <= surt(each) < end] == []
    assert [each for each in outside if start <= surt(each) < end] == []


def test_timestamp14() -> None:
    copenhagen = timezone(timedelta(hours=1))
    assert timestamp14(datetime(2026, 11, 21, 23, 59, 59, 999_999, UTC)) == "20261121235959"
    assert timestamp14(datetime(2026, 1, 1, 0, 30, tzinfo=copenhagen)) == "20251231233000"
    assert timestamp14(datetime(987, 6, 5, tzinfo=UTC)) == "09870605000000"
    with pytest.raises(ValueError, match="no zone"):
        timestamp14(datetime(2026, 1, 1))  # noqa: DTZ001


@settings(deadline=None)
@given(st.datetimes(timezones=st.just(UTC)))
def test_timestamp_round_trip(time: datetime) -> None:
    assert parse_timestamp(timestamp14(time)) == time.replace(microsecond=0)
    assert parse_timestamp(time.isoformat()) == time


@pytest.mark.parametrize("digits", ["2026", "202602", "202402", "202612", "20261121", "2026112122", "202611212201"])
def test_fills_up_as_pywb_does(digits: str) -> None:
    assert parse_timestamp(digits) == timestamp_to_datetime(digits, tz_aware=True)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2", "20000101000000", "29991231235959"),
        ("202", "20200101000000", "20291231235959"),
        ("2026", "20260101000000", "20261231235959"),
        ("20261", "20261001000000", "20261231235959"),
        ("202602", "20260201000000", "20260228235959"),
        ("2026022", "20260220000000", "20260228235959"),
        ("202611212201", "20261121220100", "20261121220159"),
        ("2026-11", "20261101000000", "20261130235959"),
        (" 2026-11-21\n", "20261121000000", "20261121235959"),
        ("2026-11-21T22:01:12", "20261121220112", "20261121220112"),
        ("2026-11-21T22:01:12Z", "20261121220112", "20261121220112"),
        ("2026-11-21 22:01:12+01:00", "20261121210112", "20261121210112"),
        ("2026-11-21T22:01:12.345-05:30", "20261122033112", "20261122033112"),
    ],
)
def test_times_people_write(text: str, start: str, end: str) -> None:
    assert timestamp14(parse_timestamp(text, "start")) == start
    assert timestamp14(parse_timestamp(text)) == end


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "20261301",
        "20260230",
        "2026-02-30",
        "20261121250000",
        "202611212201123",
        "0000",
        "２０２６",
        "²",
        "2026-11-21T25:00",
        "9999-12-31T23:59:59-01:00",
        "1" * 5000,
    ],
)
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="not a time; write 20261121220000, 2026-11-21 or") as caught:
        parse_timestamp(text)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("url", "resolved"),
    [
        ("https://n.example/a/../b/./c?x=/../y", "https://n.example/b/c?x=/../y"),
        ("https://n.example/../../a", "https://n.example/a"),
        ("https://n.example/a/%2E%2e", "https://n.example/"),
        ("https://n.example/a/.", "https://n.example/a/"),
        ("https://n.example/a..b/...", "https://n.example/a..b/..."),
        ("https://n.example", "https://n.example"),
    ],
)
def test_dot_segments_are_resolved(url: str, resolved: str) -> None:
    assert without_dot_segments(url) == resolved


def test_escapes_of_the_same_characters_are_equivalent() -> None:
    assert equivalent_form("https://n.example/a%2fb%7e?q=%c3%a6") == equivalent_form(
        "https://n.example/a%2Fb~?q=%C3%A6"
    )
    assert equivalent_form("https://n.example/a%2Fb") != equivalent_form("https://n.example/a/b")

"""What publishers say of the use of their pages, over heads, pages and files that are well made, broken or hostile."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from storage.rights.dates import read_date
from storage.rights.page import signals
from storage.rights.purposes import PURPOSES, Purpose, reserving
from storage.rights.robots_txt import ROBOTS_MAX_BYTES, RobotsTerms
from storage.rights.signal import SIGNALS_MOST, VALUE_MOST, Signal, pack, shown_until, to_json, unpack
from storage.rights.tdmrep import TDMREP_MAX_BYTES, TdmTerms

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
HTML = b"Content-Type: text/html\r\n"
URL = "https://news.example.org/2026/a-story?page=2"


def answer(head: bytes = b"", body: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body


def said(head: bytes = b"", body: bytes = b"") -> list[Signal]:
    return list(signals(answer(head, body)))


@pytest.mark.parametrize(
    ("head", "body", "found"),
    [
        (b"X-Robots-Tag: noai, noimageai\r\n", b"", ["noai X-Robots-Tag", "noimageai X-Robots-Tag"]),
        (b"X-Robots-Tag: NewsKeep: NOAI\r\n", b"", ["noai X-Robots-Tag"]),
        (b"X-Robots-Tag: otherbot: noai, nosnippet\r\n", b"", []),
        (b"X-Robots-Tag: otherbot: noai\r\nx-robots-tag: nosnippet\r\n", b"", ["nosnippet X-Robots-Tag"]),
        (b"X-Robots-Tag: max-snippet:-1, max-image-preview:large\r\n", b"", []),
        (b"X-Robots-Tag: noai\r\nX-Robots-Tag: noai\r\n", b"", ["noai X-Robots-Tag"]),
        (HTML, b"<meta name=robots content='noai,noindex'>", ["noai meta robots", "noindex meta robots"]),
        (HTML, b"<meta content=nosnippet name=Newskeep>", ["nosnippet meta newskeep"]),
        (HTML, b"<meta name=googlebot content=noai>", []),
        (HTML, b"<noscript><meta name=robots content=noai></noscript>", ["noai meta robots"]),
        (HTML, b"<style>/*<meta name=robots content=noai>*/</style>", []),
        (HTML, b"<meta name=robots content='no ai'>", []),
        (b"Content-Usage: train-ai=n, search=y\r\n", b"", ["train-ai n Content-Usage", "search y Content-Usage"]),
        (b"content-usage: train-ai=n\r\nContent-Usage: search=n;x=1\r\n", b"",
         ["train-ai n Content-Usage", "search n Content-Usage"]),
        (b"Content-Usage: train-ai=y, train-ai=n\r\n", b"", ["train-ai n Content-Usage"]),
        (b"Content-Usage: train-ai=maybe, search\r\n", b"", []),
        (b"Content-Usage: train-ai=n search=n\r\n", b"", []),
        (b"Content-Usage: Train-AI=n\r\n", b"", []),
        (b"Content-Usage: \xff\xfe=n\r\n", b"", []),
        (b"Content-Usage: " + b"(" * 3_000 + b"\r\n", b"", []),
        (b"Content-Usage: " + b"a=n," * 5_000 + b"\r\n", b"", []),
        (b"tdm-reservation: 1\r\ntdm-policy: https://a.example/p.json\r\n", b"",
         ["tdm-reservation 1 tdm-reservation", "tdm-policy https://a.example/p.json tdm-policy"]),
        (b"TDM-Reservation:  0 \r\n", b"", ["tdm-reservation 0 tdm-reservation"]),
        (b"tdm-reservation: true\r\n", b"", []),
        (HTML, b'<meta name="tdm-reservation" content="1">', ["tdm-reservation 1 meta tdm-reservation"]),
        (HTML, b'<meta name="tdm-reservation" content="">', []),
        (b'Link: </l.xml>; rel="license"; type="application/rsl+xml"\r\n', b"", ["license /l.xml Link"]),
        (b'Link: </a>; rel=next, </b>; rel="alternate license"\r\n', b"", ["license /b Link"]),
        (b'Link: </a>; title="rel=license"; rel=next\r\n', b"", []),
        (HTML, b'<link rel="license" type="application/rsl+xml" href="/l.xml">', ["license /l.xml link license"]),
        (HTML, b"<link rel=stylesheet href=/license>", []),
        (b"Content-Type: text/plain\r\n", b"<meta name=robots content=noai>", []),
        (HTML, b"<meta name=robots content=noai>"[:-2], []),
        (HTML, "<meta name=robots content=noai>".encode("utf-16"), ["noai meta robots"]),
        (HTML, b"<!-- <meta name=robots content=noai>", []),
        (HTML, b" " * 300_000 + b"<meta name=robots content=noai>", []),
        (b"Content-Encoding: gzip\r\n" + HTML, b"\x1f\x8b\x08 broken", []),
    ],
)  # fmt: skip
def test_what_an_answer_says(head: bytes, body: bytes, found: list[str]) -> None:
    assert [" ".join(filter(None, (name, value, source))) for name, value, source in said(head, body)] == found


@pytest.mark.parametrize(
    "body",
    [
        *(b"<link " * 40_000, b"<link rel='" * 20_000, b"<meta " + b"a=\"'" * 60_000, b"<title" * 40_000),
        b"<meta name=robots content='" + b"unavailable_after:" * 14_000 + b"'>",
        b"<meta name=robots content='" + b"," * 250_000 + b"'>",
        b"<meta name=robots content='" + b"unavailable_after: 1," * 10_000 + b"'>",
    ],
)
def test_no_page_holds_it_up(body: bytes) -> None:
    """Each is read in one pass; in two for each tag it would take minutes."""
    assert len(signals(answer(HTML, body))) <= SIGNALS_MOST


def test_much_is_cut() -> None:
    many = b"".join(b"Link: </%d>; rel=license\r\n" % number for number in range(500))
    assert len(signals(answer(many))) == SIGNALS_MOST
    (long,) = signals(answer(b"tdm-policy: " + b"x" * 5_000 + b"\r\n"))
    assert long.value == "x" * VALUE_MOST
    assert signals(b"") == () and signals(b"\0" * 100) == ()


ROBOTS: list[tuple[str, str, list[str]]] = [
    ("groups", "User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /\n", ["search yes 2", "ai-train no 2"]),
    ("ours", "User-agent: *\nContent-Signal: ai-train=no\n\nUser-agent: newskeep\nContent-Signal: ai-train=yes\n",
     ["ai-train yes 5"]),
    ("ours says nothing", "User-agent: newskeep\nDisallow:\nUser-agent: *\nContent-Signal: ai-train=no\n", []),
    ("ours with a version", "User-Agent: NewsKeep/1.0\nContent-Signal: ai-input=no\n", ["ai-input no 2"]),
    ("others'", "User-agent: GPTBot\nContent-Signal: ai-train=no\n", []),
    ("of several", "User-agent: GPTBot\nUser-agent: *\nContent-Signal: ai-train=no\n", ["ai-train no 3"]),
    ("a group in two", "User-agent: *\nAllow: /\nUser-agent: x\nAllow: /\nUser-agent: *\nContent-Signal: search=no\n",
     ["search no 6"]),
    ("above all groups", "Content-Signal: ai-train=no\nUser-agent: *\nAllow: /\n", ["ai-train no 1"]),
    ("in capitals", "USER-AGENT : *\nCONTENT-SIGNAL : AI-TRAIN = NO\n", ["ai-train no 2"]),
    ("misspelled", "User-agent: *\nContent-Signal: ai_train=no; ai-input=perhaps, =no, search=\n", ["ai-train no 2"]),
    ("twice", "User-agent: *\nContent-Signal: search=yes\nContent-Signal: search=no\n",
     ["search yes 2", "search no 3"]),
    ("of paths", "User-agent: *\nContent-Signal: /2026/ ai-train=no\nContent-Signal: /2025/ ai-train=yes\n",
     ["ai-train no 2"]),
    ("a comment", "User-agent: * # all\nContent-Signal: ai-train=no # please\n#Content-Signal: search=no\n",
     ["ai-train no 2"]),
    ("aipref", "User-Agent: *\nContent-Usage: / train-ai=n\nContent-Usage: /2026/ train-ai=y\n", ["train-ai y 3"]),
    ("aipref, same path", "User-Agent: *\nContent-Usage: / train-ai=n\nContent-Usage: / train-ai=y\n",
     ["train-ai n 2", "train-ai y 3"]),
    ("aipref, stars", "User-Agent: *\nContent-Usage: /*page= train-ai=n\nContent-Usage: /*.pdf$ search=n\n",
     ["train-ai n 2"]),
    ("aipref, escaped", "User-Agent: *\nContent-Usage: /%32026/%61 train-ai=n\n", ["train-ai n 2"]),
    ("aipref, tab", "User-Agent: *\nContent-Usage:\t/\ttrain-ai=n\n", ["train-ai n 2"]),
    ("aipref, no path", "User-Agent: *\nContent-Usage: train-ai=n\n", ["train-ai n 2"]),
    ("aipref, broken", "User-Agent: *\nContent-Usage: / train-ai=n search=n\nContent-Usage: / =\n", []),
    ("rsl", "User-agent: x\nLicense: https://a.example/l.xml#part\nLicense: /relative\nLicense: javascript:1\n",
     ["license https://a.example/l.xml#part 2"]),
    ("old Macs", "User-agent: *\rContent-Signal: ai-train=no\r", ["ai-train no 2"]),
    ("no robots.txt", "<!doctype html><title>Not found</title>Content-Signal", []),
    ("nothing", "", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found"), [each[1:] for each in ROBOTS], ids=[each[0] for each in ROBOTS])
def test_what_robots_txt_says(text: str, found: list[str]) -> None:
    terms = RobotsTerms.read(text.encode()).of(URL)
    assert [f"{name} {value} {source.rpartition(' ')[2]}" for name, value, source in terms] == found
    assert all(signal.source.startswith("robots.txt ") for signal in terms)


_PLAIN = b"User-agent: *\nContent-Signal: ai-train=no\n"


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (b"\xef\xbb\xbf" + _PLAIN, 1),
        (_PLAIN.decode().encode("utf-16"), 1),
        (_PLAIN.replace(b"a", b"a\0"), 1),
        (b"\xff\xfe\xfa junk\n\x80\x81\n" + _PLAIN, 0),  # a mark of UTF-16 that lies
        (b"\x80\x81\xff: x\n" + _PLAIN, 1),
        (b"Allow: /\n" * 30_000 + _PLAIN, 1),
        (b"x" * ROBOTS_MAX_BYTES + b"\n" + _PLAIN, 0),
        (_PLAIN + b"Content-Signal: ai-train=no\n" * 15_000, 2_000),
        (b"User-agent: a\n" * 30_000 + _PLAIN, 1),
        (b"User-agent: *\nContent-Usage: /" + b"*a" * 100_000 + b" train-ai=n\n", 0),
        (b"License: https://a.example/\n" * 15_000, 20),
        (b":" * 400_000, 0),
        (b"a b " * 100_000, 0),
    ],
)
def test_hostile_robots_txt(content: bytes, number: int) -> None:
    assert len(RobotsTerms.read(content).of(URL)) == number


def test_the_whole_of_a_robots_txt_names_the_paths() -> None:
    text = b"User-agent: *\nContent-Signal: ai-train=no\nContent-Usage: /photos/ train-ai=n\nLicense: https://a.example/l\n"
    assert [(signal.name, signal.value) for signal in RobotsTerms.read(text).all()] == [
        *(("ai-train", "no"), ("train-ai", "n for /photos/"), ("license", "https://a.example/l"))
    ]


TDMREP: list[tuple[str, bytes, list[str]]] = [
    ("a list", b'[{"location": "/", "tdm-reservation": 1, "tdm-policy": "https://a.example/p"}]',
     ["tdm-reservation 1", "tdm-policy https://a.example/p"]),
    ("an object", b'{"location": "/", "tdm-reservation": 1}', ["tdm-reservation 1"]),
    ("the longest", b'[{"location": "/", "tdm-reservation": 1}, {"location": "/2026/*", "tdm-reservation": 0}]',
     ["tdm-reservation 0"]),
    ("both", b'[{"location": "/", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}]',
     ["tdm-reservation 0", "tdm-reservation 1"]),
    ("another path", b'[{"location": "/2025/", "tdm-reservation": 1}]', []),
    ("the end", b'[{"location": "/2026/a-story$", "tdm-reservation": 1}]', []),
    ("words", b'[{"location": "2026/", "tdm-reservation": "1"}]', ["tdm-reservation 1"]),
    ("true", b'[{"location": "*", "tdm-reservation": true}]', ["tdm-reservation 1"]),
    ("other types", b'[1, null, [], {}, {"location": 1}, {"location": "/", "tdm-reservation": 2.0}]',
     []),
    ("a mark", b'\xef\xbb\xbf[{"location": "/", "tdm-reservation": 1}]', ["tdm-reservation 1"]),
    ("utf-16", '[{"location": "/", "tdm-reservation": 1}]'.encode("utf-16"), ["tdm-reservation 1"]),
    ("half a utf-16", '[{"location": "/"}]'.encode("utf-16")[:-1], []),
    ("the same key twice", b'[{"location": "/", "tdm-reservation": 0, "tdm-reservation": 1}]', ["tdm-reservation 1"]),
    ("nul", b'[{"location": "/\0", "tdm-reservation": 1}]', []),
    ("no utf-8", b'[{"location": "/\xff", "tdm-reservation": 1}]', []),
    ("a page", b"<!doctype html><title>Not found</title>", []),
    ("nothing", b"", []),
    ("cut", b'[{"location": "/", "tdm-reservation": 1}', []),
    ("deep", b"[" * 400_000, []),
    ("deep objects", b'{"a":' * 80_000, []),
    ("a number without end", b"1" * 400_000, []),
    ("large", b" " * TDMREP_MAX_BYTES + b'[{"location": "/", "tdm-reservation": 1}]', []),
    ("stars", b'[{"location": "/' + b"*a" * 100 + b'", "tdm-reservation": 1}]', []),
    ("many", b"[" + b",".join([b'{"location": "/", "tdm-reservation": 0}'] * 10_000) + b"]",
     ["tdm-reservation 0"] * 2_000),
]  # fmt: skip


@pytest.mark.parametrize(("content", "found"), [each[1:] for each in TDMREP], ids=[each[0] for each in TDMREP])
def test_what_tdmrep_json_says(content: bytes, found: list[str]) -> None:
    assert [f"{name} {value}" for name, value, _ in TdmTerms.read(content).of(URL)] == found


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("25 Jun 2030 15:00:00 PST", "2030-06-25T23:00"),
        ("25-Jun-2030 15:00:00 PST", "2030-06-25T23:00"),
        ("Tuesday, 25-Jun-30 15:00:00 UTC", "2030-06-25T15:00"),
        ("Tue, 25 Jun 2030 15:00:00 GMT", "2030-06-25T15:00"),
        ("25 Jun 2030 15:00:00 +0200", "2030-06-25T13:00"),
        ("25 Jun 2030 15:00:00 CEST", "2030-06-25T13:00"),
        ("25 Jun 2030 15:00", "2030-06-25T15:00"),
        ("Tue Jun 25 10:00:00 2030", "2030-06-25T10:00"),
        ("Tue Jun 25 10:00:00 CEST 2030", "2030-06-25T08:00"),
        ("Tue Jun 25 2030 10:00:00 GMT+0200 (CEST)", "2030-06-25T08:00"),
        ("2030-06-25T10:00:00+02:00", "2030-06-25T08:00"),
        ("2030-06-25T10:00:00.000Z", "2030-06-25T10:00"),
        ("2030-06-25 10:00:00 EST", "2030-06-25T15:00"),
        ("2030-06-25T10:00", "2030-06-25T10:00"),
        ("2030/06/25 10:00", "2030-06-25T10:00"),
        ("06/25/2030 3:00 PM", "2030-06-25T15:00"),
        ("1908615600", "2030-06-25T11:00"),
        # A day ends with that day.
        ("2030-06-25", "2030-06-26T00:00"),
        ("25.06.2030", "2030-06-26T00:00"),
        ("June 25, 2030", "2030-06-26T00:00"),
        ("25 June 2030", "2030-06-26T00:00"),
        # Two readings: the earlier.
        ("05/06/2030", "2030-05-07T00:00"),
        ("9999-12-31", "9999-12-31T00:00"),
    ],
)
def test_dates(text: str, moment: str) -> None:
    assert read_date(text) == datetime.fromisoformat(f"{moment}:00+00:00")
    assert read_date(f'  "{text}" ') == read_date(text)


@pytest.mark.parametrize(
    "text", ["", "never", "31 Feb 2030", "2030-13-01", "1/1/1", "0000-00-00", "25:61", "x" * 9_000, "٢٠٣٠"]
)
def test_what_is_no_date(text: str) -> None:
    assert read_date(text) is None


@pytest.mark.parametrize(
    "written",
    [
        "unavailable_after: Tue, 25 Jun 2030 15:00:00 GMT, noai",
        "noai, Unavailable_After: 2030-06-25T15:00:00Z",
        "noai unavailable_after: 25 Jun 2030 15:00:00 UTC",
        "unavailable_after=2030-06-25T15:00:00Z; noai",
        "unavailable_after: June 25, 2030 15:00, noai",
    ],
)
def test_unavailable_after_among_others(written: str) -> None:
    for message in (
        answer(f"X-Robots-Tag: {written}\r\n".encode()),
        answer(HTML, f'<meta name="robots" content="{written}">'.encode()),
    ):
        found = {signal.name: signal.value for signal in signals(message)}
        assert found == {"unavailable_after": "2030-06-25T15:00:00+00:00", "noai": None}


def test_until_when_it_may_be_shown() -> None:
    later, earlier = "2031-01-01T00:00:00+00:00", "2030-01-01T00:00:00+00:00"
    ends = [Signal("unavailable_after", value, "x") for value in (later, earlier, "soon", None)]
    assert shown_until(ends) == datetime.fromisoformat(earlier)
    assert shown_until(ends[2:]) is None and shown_until(()) is None
    assert shown_until([*ends, Signal("noarchive", None, "x")]) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("signal", "purposes"),
    [
        (("search", "no"), {"search"}),
        (("search", "n"), {"search"}),
        (("search", "yes"), set()),
        (("ai-train", "no"), {"ai-train"}),
        (("ai-input", "no"), {"ai-input"}),
        (("train-ai", "n"), {"ai-train"}),
        (("train-ai", "y"), set()),
        (("ai-use", "n"), {"ai-input"}),
        (("tdm-reservation", "1"), {"ai-input", "ai-train"}),
        (("tdm-reservation", "0"), set()),
        (("noai", None), {"ai-input", "ai-train"}),
        (("noimageai", None), set()),
        (("nosnippet", None), {"ai-input"}),
        (("noindex", None), {"search"}),
        (("noarchive", None), set()),
        (("license", "https://a.example/l.xml"), set()),
        (("unavailable_after", "2026-11-29T11:00:00+00:00"), {"search"}),
        (("unavailable_after", "2026-11-29T13:00:00+00:00"), set()),
        (("unavailable_after", "some day"), set()),
        (("never-heard-of", "n"), set()),
    ],
)
def test_what_follows(signal: tuple[str, str | None], purposes: set[Purpose]) -> None:
    said = Signal(*signal, "X")
    assert {purpose for purpose in PURPOSES if reserving([said], purpose, NOW)} == purposes


def test_the_strictest_counts_whoever_said_it() -> None:
    said = [
        Signal("ai-train", "yes", "robots.txt"),
        Signal("train-ai", "y", "X"),
        Signal("tdm-reservation", "1", "file"),
    ]
    assert reserving(said, "ai-train", NOW) == said[2]
    assert reserving(reversed(said), "ai-train", NOW) == said[2]
    image = [Signal("noimageai", None, "X-Robots-Tag")]
    assert reserving(image, "ai-train", NOW, is_image=True) == image[0]
    assert reserving(image, "search", NOW, is_image=True) is None


def test_packed_and_back() -> None:
    said = (Signal("license", 'a "b" \ud83d ☃', "Link"), Signal("noai", None, "meta robots"))
    assert unpack(pack(said)) == said and pack(said).isascii() and "\n" not in pack(said)
    assert unpack(json.dumps(to_json(said))) == said


@pytest.mark.parametrize(
    "text", [None, "", "[", "{}", "3", "[[]]", '[["a"]]', '[["a", 1, "b"]]', '[{"name": 1}]', "[" * 100_000, "[1e999]"]
)
def test_what_others_wrote_is_nothing(text: str | None) -> None:
    assert unpack(text) == ()

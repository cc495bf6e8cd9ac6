"""The CDX server in both dialects, parameter by parameter; real clients are in test_storage_web_clients.py."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from web_archive import PAPER, RFC_TIMES, RFC_URL, Answer, Site

from newskeep.web.cdx.paging import Pages, Turns
from newskeep.web.cdx.query import CdxQuery
from newskeep.web.cdx.search import Search
from newskeep.web.errors import Busy
from storage.archive import Archive
from storage.objects.local import LocalStore

pytest_plugins = ["web_archive"]


def ask(site: Site, path: str = "/cdx", /, **query: object) -> Answer:
    named = {name.removesuffix("_"): value for name, value in query.items()}
    return site.get(f"{path}?{urlencode(named, doseq=True)}")


def rows(site: Site, /, **query: object) -> list[dict[str, str]]:
    return [json.loads(line) for line in ask(site, output="json", **query).body.splitlines()]


IA = "/cdx/search/cdx"
BOTH = pytest.mark.parametrize("path", ["/cdx", IA])


def test_lines_are_those_of_the_cdxj_files(site: Site) -> None:
    held = {line for file in site.folder.rglob("*.cdxj") for line in file.read_bytes().splitlines()}
    found = ask(site, url="*.example").body.splitlines()
    found += ask(site, url="*.example.org").body.splitlines()
    assert set(found) == held
    assert len(found) == len(held)


def test_pywb_forms(site: Site) -> None:
    line = ask(site, url=RFC_URL, limit=1).body.decode()
    key, stamp, held = line.split(" ", 2)
    assert (key, stamp) == ("org,example,a)/", RFC_TIMES[0])
    assert json.loads(held)["url"] == RFC_URL
    row = rows(site, url=RFC_URL, limit=1)[0]
    assert list(row)[:3] == ["urlkey", "timestamp", "url"]
    assert all(isinstance(value, str) for value in row.values())
    named = {"timestamp": RFC_TIMES[0], "statuscode": "200"}
    assert rows(site, url=RFC_URL, limit=1, fl="timestamp,statuscode") == [named]
    text = ask(site, url=RFC_URL, limit=1, output="text", fl="timestamp,mime,status,offset").body.decode()
    assert text.split()[:3] == [RFC_TIMES[0], "text/html", "200"]
    empty = ask(site, url="never.example")
    assert (empty.status, json.loads(empty.body)["message"]) == (404, "No Captures found for: http://never.example/")


def test_internet_archive_forms(site: Site) -> None:
    lines = ask(site, IA, url=f"{PAPER}/big").body.decode().splitlines()
    assert [len(line.split(" ")) for line in lines] == [7, 7, 7]
    assert lines[0].split(" ")[:5] == ["example,paper)/big", "20260301060000", f"{PAPER}/big", "video/mp4", "200"]
    assert lines[2].split(" ")[3] == "warc/revisit"
    # The Internet Archive leaves a label out that is "sha1"; pywb shows others, and so do we.
    assert re.fullmatch("sha256:[0-9a-f]{64}", lines[0].split(" ")[5])
    table = json.loads(ask(site, IA, url=RFC_URL, output="json").body)
    assert table[0] == ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]
    assert [row[1] for row in table[1:]] == list(RFC_TIMES)
    assert json.loads(ask(site, IA, url=RFC_URL, output="json", fl="original,timestamp", limit=1).body) == [
        ["original", "timestamp"],
        [RFC_URL, RFC_TIMES[0]],
    ]
    empty = ask(site, IA, url="never.example")
    assert (empty.status, empty.body) == (200, b"")
    assert json.loads(ask(site, IA, url="never.example", output="json").body) == []
    resolved = ask(site, IA, url=f"{PAPER}/big", resolveRevisits="true").body.decode().splitlines()[2].split(" ")
    assert resolved[3:5] == ["video/mp4", "200"]
    assert resolved[8].isdigit() and resolved[9].endswith(".warc.gz")


@BOTH
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"limit": 2}, [0, 1]),
        ({"limit": 0}, []),
        ({"limit": -2}, [3, 4]),
        ({"limit": -20}, [0, 1, 2, 3, 4]),
        ({"sort": "reverse"}, [4, 3, 2, 1, 0]),
        ({"reverse": "true", "limit": 2}, [4, 3]),
        ({"offset": 1, "limit": 2}, [1, 2]),
        ({"from_": "20000621"}, [1, 2, 3, 4]),
        ({"from_": "200006210117", "to": "2001"}, [1, 2, 3]),
        ({"from_": "2010"}, []),
        ({"to": "20000620180259"}, [0]),
        ({"closest": "20010911", "limit": 1}, [3]),
        ({"closest": "20000621025943", "sort": "closest", "limit": 3}, [1, 2, 0]),
        ({"closest": "20000621025943", "limit": 2, "filter": "!timestamp:20000621011731"}, [2, 0]),
        ({"closest": "2005", "from_": "2001", "to": "2009"}, [4, 3]),
        ({"closest": "now", "limit": 1}, [4]),
        ({"closest": "", "sort": "closest"}, [0, 1, 2, 3, 4]),
        ({"collapse": "timestamp:8"}, [0, 1, 3, 4]),
        ({"collapse": "timestamp:4"}, [0, 3, 4]),
        ({"collapse": "urlkey"}, [0]),
        ({"collapse": "digest"}, [0, 1, 2, 3, 4]),
        ({"collapseTime": "6"}, [0, 3, 4]),
    ],
)
def test_which_captures(site: Site, path: str, query: dict[str, object], expected: list[int]) -> None:
    found = ask(site, path, url=RFC_URL, **query)
    lines = found.body.decode().splitlines() if found.status == 200 else []
    assert [line.split(" ")[1] for line in lines] == [RFC_TIMES[place] for place in expected]


UNTYPED = {"/no-type", "/not-http", "/odd-type", "/moved", "/moved-out", "/moved-to-script", "/part"}


def urls(site: Site, path: str = "/cdx", **query: object) -> set[str]:
    found = ask(site, path, fl="url", output="text", limit=1000, **query)
    return set(found.body.decode().split()) if found.status == 200 else set()


@BOTH
def test_scope(site: Site, path: str) -> None:
    paper = urls(site, path, url="paper.example", matchType="host")
    assert f"{PAPER}/story" in paper and f"{PAPER}/?q=http://other.example/a?b=c" in paper
    assert urls(site, path, url=f"{PAPER}/*") == urls(site, path, url="paper.example/*") == paper
    assert urls(site, path, url="*.paper.example") == urls(site, path, url="paper.example", matchType="domain") == paper
    assert urls(site, path, url=f"{PAPER}/big*") == {f"{PAPER}/big", f"{PAPER}/big-chunked", f"{PAPER}/big-cut"}
    assert urls(site, path, url=f"{PAPER}/story?*") == {f"{PAPER}/story?page=2"}
    assert urls(site, path, url="blåbær.example") == {"http://xn--blbr-roah.example/"}
    assert urls(site, path, url="paper.example:8000/port") == {"http://paper.example:8000/port"}
    assert urls(site, path, url=quote(f"{PAPER}/story", safe="")) == {f"{PAPER}/story"}


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("/cdx", "=status:404", {"/missing"}),
        ("/cdx", "statuscode:40", {"/missing"}),
        ("/cdx", "~status:[45]..", {"/missing", "/broken"}),
        ("/cdx", "!~mime:(text|image|application|video|warc)/", UNTYPED),
        ("/cdx", "~url:.*/PAPER", set()),
        ("/cdx", "~url:(?i).*/PAPER.PDF", {"/paper.pdf"}),
        (IA, "statuscode:404", {"/missing"}),
        (IA, "statuscode:40", set()),
        (IA, "statuscode:[45]..", {"/missing", "/broken"}),
        (IA, "!mimetype:(text|image|application|video|warc)/.*", UNTYPED),
        (IA, "~original:setup", {"/setup.exe"}),
        (IA, "=statuscode:404", {"/missing"}),
    ],
)
def test_filters(site: Site, path: str, text: str, expected: set[str]) -> None:
    found = urls(site, path, url=f"{PAPER}/*", filter=[text, "url:https://" if path == "/cdx" else "~url:https://"])
    assert found == {PAPER + each for each in expected}


def test_filters_go_together(site: Site) -> None:
    assert urls(site, url=f"{PAPER}/*", filter=["=status:200", "url:big", "!url:chunked", "!url:cut"]) == {
        f"{PAPER}/big"
    }


@BOTH
def test_pages(site: Site, path: str) -> None:
    first = ask(site, path, url=f"{PAPER}/*", page=0)
    assert first.status == 200 and len(first.body.splitlines()) > 20
    assert ask(site, path, url=f"{PAPER}/*", page=1).status == 400
    count = ask(site, path, url=f"{PAPER}/*", showNumPages="true").body
    assert json.loads(count) == (1 if path == IA else {"pages": 1, "pageSize": 5, "blocks": 1})


def test_pages_of_many(web_folder: Path) -> None:
    """Each capture on one page, whichever page is asked for first."""
    with Archive(LocalStore(str(web_folder)), web_folder) as archive:
        whole = list(archive.index.captures(PAPER, match="domain"))

        def query(page: int) -> CdxQuery:
            return CdxQuery(
                "pywb", PAPER, "domain", None, None, 1000, False, False, None, (), (), None, "cdxj", False, 0, page, 7,
                False, False, None,
            )  # fmt: skip

        for order in (range(5), reversed(range(5)), (3, 1, 4, 0, 2)):
            pages, found = Pages(), {}
            for page in order:
                after = pages.before(archive.index, query(page), page)
                found[page] = [line.capture for line in Search(archive.index, query(page), after).lines()]
            assert [capture for page in range(5) for capture in found[page]] == whole[:35]
        last = -(-len(whole) // 7)
        assert Pages().count(archive.index, query(0)) == len(whole)
        with pytest.raises(LookupError):
            Pages().before(archive.index, query(last), last)


def test_turns_are_given_back() -> None:
    turns = Turns(1)
    first = turns.take([1, 2])
    assert next(first) == 1
    with pytest.raises(Busy):
        next(turns.take([3]))
    first.close()  # type: ignore[attr-defined]
    assert list(turns.take([4, 5])) == [4, 5]
    assert list(turns.take([])) == []
    with pytest.raises(ZeroDivisionError):
        list(turns.take(1 // number for number in (1, 0)))
    assert list(turns.take([6])) == [6]


@BOTH
@pytest.mark.parametrize("output", ["text", "json"])
def test_resume_key_leads_through_all(site: Site, path: str, output: str) -> None:
    seen: list[object] = []
    extra: dict[str, object] = {}
    for _ in range(20):
        body = ask(site, path, url=f"{PAPER}/*", limit=7, showResumeKey="true", output=output, **extra).body.decode()
        if path == IA and output == "json":
            table = json.loads(body)[1:]
            key = table.pop()[0] if table[-2:-1] == [[]] else None
            seen += [row for row in table if row]
        else:
            lines, _, rest = body.partition("\n\n")
            seen += lines.splitlines()
            key = rest.strip() or None
        if key is None:
            break
        extra = {"resumeKey": key}
    whole = ask(site, path, url=f"{PAPER}/*", output=output).body.decode()
    assert seen == (json.loads(whole)[1:] if path == IA and output == "json" else whole.splitlines())


@BOTH
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"url": ""},
        {"url": "ftp://paper.example/"},
        {"url": "*"},
        {"url": "http://[::1/"},
        {"url": "a\x00b.example"},
        {"url": RFC_URL, "limit": "many"},
        {"url": RFC_URL, "limit": "1" * 30},
        {"url": RFC_URL, "limit": "-20000"},
        {"url": RFC_URL, "from": "2026-13"},
        {"url": RFC_URL, "to": "soon"},
        {"url": RFC_URL, "closest": "soon"},
        {"url": RFC_URL, "sort": "size"},
        {"url": RFC_URL, "matchType": "range"},
        {"url": RFC_URL, "output": "xml"},
        {"url": RFC_URL, "fl": "timestamp,password"},
        {"url": RFC_URL, "filter": "status"},
        {"url": RFC_URL, "filter": "secret:x"},
        {"url": RFC_URL, "filter": ["=status:200"] * 11},
        {"url": RFC_URL, "filter": "=status:" + "2" * 400},
        {"url": RFC_URL, "collapse": "timestamp:x"},
        {"url": RFC_URL, "page": "-1"},
        {"url": RFC_URL, "page": "0", "pageSize": "1000"},
        {"url": RFC_URL, "resumeKey": "AAAA"},
        {"url": RFC_URL, "resumeKey": "W10="},
        {"url": RFC_URL, "showNumPages": "perhaps"},
    ],
)
def test_wrong_parameters_are_told(site: Site, path: str, query: dict[str, object]) -> None:
    found = ask(site, path, **query)
    assert found.status == 400
    assert 10 < len(json.loads(found.body)["message"]) < 400


@pytest.mark.parametrize("expression", ["(", "[z-a]", "a{1000000}", "(?P<x", "(a|a)*(a|a)*(a|a)*(a|a)*(a|a)*\\d{3}b$"])
def test_expressions_end(site: Site, expression: str) -> None:
    found = ask(site, IA, url=f"{PAPER}/*", filter=f"original:{expression}")
    assert found.status in (200, 400)
    assert site.get("/healthz").status == 200

"""Memento as RFC 7089 describes it, with its own example."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

import pytest
from web_archive import BEGIN, PAPER, RFC_TIMES, RFC_URL, Site, answer, write

from newskeep.web import memento, memento_lookup
from storage.archive import Archive
from storage.index import WarcEntry
from storage.model import Capture
from storage.objects.local import LocalStore
from storage.urls import parse_timestamp

pytest_plugins = ["web_archive"]

Links = dict[str, tuple[set[str], str | None]]
_LINK = re.compile(r'<([^>]*)>((?:\s*;\s*\w+="[^"]*")*)\s*(?:,\s*|$)')


def links(field: str) -> Links:
    """Address -> its relations and its datetime, read by the grammar of RFC 8288."""
    found: Links = {}
    at = 0
    while at < len(field.strip()):
        match = _LINK.match(field, at)
        assert match, field[at:]
        values = dict(re.findall(r'(\w+)="([^"]*)"', match[2]))
        before, moment = found.get(match[1], (set(), values.get("datetime")))
        assert moment == values.get("datetime")
        found[match[1]] = before | set(values["rel"].split()), moment
        at = match.end()
    return found


def date(digits: str) -> str:
    return format_datetime(parse_timestamp(digits), usegmt=True)


@pytest.mark.parametrize(
    ("asked", "chosen", "beside"),
    [
        # The RFC's own.
        ("Tue, 11 Sep 2001 20:35:00 GMT", 3, {2: "prev", 4: "next last"}),
        # Before the first, behind the last, far away.
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0, {0: "first", 1: "next"}),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 4, {4: "last", 3: "prev"}),
        ("Mon, 01 Jan 0001 00:00:00 GMT", 0, {}),
        # Exactly one of them, and a second before and behind the middle of two.
        ("Wed, 21 Jun 2000 01:17:31 GMT", 1, {0: "first prev", 2: "next", 4: "last"}),
        ("Wed, 21 Jun 2000 02:59:43 GMT", 1, {}),
        ("Wed, 21 Jun 2000 02:59:44 GMT", 2, {}),
        (None, 4, {4: "last"}),
    ],
)
def test_timegate(site: Site, asked: str | None, chosen: int, beside: dict[int, str]) -> None:
    fields = {} if asked is None else {"Accept_Datetime": asked}
    for method in ("GET", "HEAD"):
        found = site.get(f"/timegate/{RFC_URL}", method, **fields)
        assert (found.status, found.body) == (302, b"")
        assert found.headers["Vary"] == "accept-datetime"
        assert "Memento-Datetime" not in found.headers
        assert found.headers["Location"] == f"{site.originals}/web/{RFC_TIMES[chosen]}/{RFC_URL}"
    told = links(found.headers["Link"])
    assert told[RFC_URL] == ({"original"}, None)
    assert told[f"{site.app}/timemap/link/{RFC_URL}"] == ({"timemap"}, None)
    for number, relations in {**beside, chosen: beside.get(chosen, "")}.items():
        found_relations, moment = told[f"{site.originals}/web/{RFC_TIMES[number]}/{RFC_URL}"]
        assert found_relations >= {*relations.split(), "memento"}
        assert moment == date(RFC_TIMES[number])
    assert [next(iter(relations)) for relations, _ in told.values()].count("original") == 1


def test_memento(site: Site) -> None:
    for number, digits in enumerate(RFC_TIMES):
        found = site.original(f"/web/{digits}/{RFC_URL}")
        assert (found.status, found.body) == (200, digits.encode())
        assert found.headers["Memento-Datetime"] == date(digits)
        told = links(found.headers["Link"])
        assert told[RFC_URL] == ({"original"}, None)
        assert told[f"{site.app}/timegate/{RFC_URL}"] == ({"timegate"}, None)
        by_relation = {each: uri for uri, (relations, _) in told.items() for each in relations if each != "memento"}
        places = {"first": 0, "last": 4, "prev": number - 1, "next": number + 1}
        for relation, place in places.items():
            wanted = f"{site.originals}/web/{RFC_TIMES[place]}/{RFC_URL}" if 0 <= place < 5 else None
            assert by_relation.get(relation) == wanted


@pytest.mark.parametrize(
    "wrong",
    ["yesterday", "2001-09-11T20:35:00Z", "Tue, 11 Sep 2001 20:35:00 CET", "Tue, 31 Feb 2001 20:35:00 GMT", "\xe6", ""],
)
def test_timegate_refuses_other_times(site: Site, wrong: str) -> None:
    found = site.get(f"/timegate/{RFC_URL}", Accept_Datetime=wrong)
    assert found.status == 400
    assert b"Accept-Datetime" in found.body
    assert found.headers["Vary"] == "accept-datetime"


def test_timegate_of_what_is_not_held(site: Site) -> None:
    found = site.get("/timegate/http://never.example/")
    assert found.status == 404
    assert found.headers["Vary"] == "accept-datetime"
    assert links(found.headers["Link"]) == {"http://never.example/": ({"original"}, None)}


def test_timemap_in_link_format(site: Site) -> None:
    found = site.get(f"/timemap/link/{RFC_URL}")
    assert found.headers["Content-Type"].startswith("application/link-format")
    told = links(found.body.decode())
    assert told[f"{site.app}/timegate/{RFC_URL}"][0] == {"timegate"}
    assert told[f"{site.app}/timemap/link/{RFC_URL}"][0] == {"self"}
    held = [(uri, *each) for uri, each in told.items() if "memento" in each[0]]
    assert [moment for _, _, moment in held] == [date(digits) for digits in RFC_TIMES]
    assert [relations - {"memento"} for _, relations, _ in held] == [{"first"}, set(), set(), set(), {"last"}]
    first = parsedate_to_datetime(held[0][2] or "")
    assert f'from="{format_datetime(first, usegmt=True)}"' in found.body.decode()
    assert all(site.get(uri).headers["Memento-Datetime"] == moment for uri, _, moment in held)


def test_timemap_in_json(site: Site) -> None:
    told = json.loads(site.get(f"/timemap/json/{RFC_URL}").body)
    assert told["original_uri"] == RFC_URL
    assert told["timegate_uri"] == f"{site.app}/timegate/{RFC_URL}"
    listed = told["mementos"]["list"]
    assert [each["uri"] for each in listed] == [f"{site.originals}/web/{digits}/{RFC_URL}" for digits in RFC_TIMES]
    assert (told["mementos"]["first"], told["mementos"]["last"]) == (listed[0], listed[-1])
    assert listed[0]["datetime"] == "2000-06-20T18:02:59Z"
    assert told["next"] is None
    missing = site.get("/timemap/json/http://never.example/")
    assert (missing.status, json.loads(missing.body)["status"]) == (404, 404)


def test_timemap_begins_where_it_is_told_to(site: Site) -> None:
    told = links(site.get(f"/timemap/link/2001/{RFC_URL}").body.decode())
    held = [relations for relations, moment in told.values() if moment]
    assert held == [{"memento"}, {"last", "memento"}]
    for wrong in (f"/timemap/xml/{RFC_URL}", f"/timemap/{RFC_URL}", f"/timemap/link/20011399/{RFC_URL}"):
        assert site.get(wrong).status == 400


def test_url_with_a_query(site: Site) -> None:
    url = f"{PAPER}/a%20b/%C3%A6?q=r%C3%B8d&x=1;y=2"
    found = site.get(f"/timegate/{url}")
    assert found.headers["Location"].endswith(f"/web/20260301060000/{url}")
    assert links(site.get(f"/timemap/link/{url}").body.decode())[url] == ({"original"}, None)


def test_timemap_of_many_goes_from_page_to_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two captures a second, on SURT-equal URLs beside; no page cuts a second in two or loses one."""
    from newskeep.web.addresses import Origins
    from newskeep.web.options import ServeOptions

    monkeypatch.setattr(memento, "PAGE", 4)
    folder = tmp_path / "archive"
    folder.mkdir()
    url = "http://front.example/"
    moments = [BEGIN + timedelta(seconds=number // 2, microseconds=number % 2) for number in range(21)]
    fetched = [(address, moment, answer(b"x")) for moment in moments for address in (url, "https://www.front.example/")]
    with Archive(LocalStore(str(folder)), folder) as archive:
        archive.deliver(write(folder / "made", 0, fetched))
        origins = Origins("http://app", "http://originals", ServeOptions())
        seen: list[str] = []
        since: datetime | None = None
        while True:
            found = memento.time_map(archive, origins, url, since)
            told = found.json()
            listed = told["mementos"]["list"]  # type: ignore[index]
            seen += [each["datetime"] for each in listed]
            pointed = [uri for uri, (relations, _) in links(found.link_format()).items() if relations == {"timemap"}]
            if told["next"] is None:
                assert not pointed
                break
            assert isinstance(told["next"], str) and len(listed) == 4
            assert [uri.replace("/link/", "/json/") for uri in pointed] == [told["next"]]
            since = parse_timestamp(told["next"].split("/")[5])
    assert seen == [f"2026-03-01T06:00:{second:02}Z" for second in range(11)]
    assert since is not None and since.tzinfo is UTC


def test_the_timegate_leads_to_the_page_and_not_to_a_wall_that_is_nearer(tmp_path: Path) -> None:
    page = Capture("http://front.example/", BEGIN, 200, "text/html", None, "a.warc.gz", 0, 1)
    wall = replace(page, timestamp=BEGIN + timedelta(days=9), offset=1, wall="a cookie wall")
    alone = replace(wall, url="http://alone.example/", offset=2)
    with Archive(LocalStore(str(tmp_path)), tmp_path) as archive:
        archive.index.add(WarcEntry("a.warc.gz", 3, "", ()), [page, wall, alone])
        for at in (None, BEGIN + timedelta(days=8)):
            assert memento_lookup.nearest(archive, page.url, at) == page
            assert memento_lookup.nearest(archive, alone.url, at) == alone
        assert memento_lookup.nearest(archive, page.url, wall.timestamp) == wall


def test_a_redirect_leads_to_the_page_and_not_to_a_wall_that_is_nearer(tmp_path: Path) -> None:
    old = Capture("http://front.example/old", BEGIN, 302, None, None, "a.warc.gz", 0, 1)
    # In the very second of the redirect, as walls come.
    wall = replace(old, url="http://front.example/new", status=200, offset=1, wall="a cookie wall")
    page = replace(wall, timestamp=BEGIN + timedelta(days=9), offset=2, wall=None)
    consent = replace(wall, url="http://consent.example/", offset=3)
    before = replace(old, timestamp=BEGIN - timedelta(days=9), status=200, offset=4)
    walled = replace(old, url="http://front.example/walled", offset=5)
    with Archive(LocalStore(str(tmp_path)), tmp_path) as archive:
        archive.index.add(WarcEntry("a.warc.gz", 6, "", ()), [old, wall, page, consent, before, walled])
        assert archive.redirected(old, "/new") == page
        assert archive.redirected(old, consent.url) == before, "a page of its own URL, where the target has none"
        assert archive.redirected(walled, consent.url) == consent, "nothing else is held"
        assert archive.redirected(old, "/old") == old, "to itself"
        assert archive.redirected(old, "/nowhere") is None

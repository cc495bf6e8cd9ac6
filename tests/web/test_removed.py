"""A page that was taken out, on every way by which the web side gives pages back, at every stage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from removed_archive import COMMON, MOVED, PLAIN, SECRET, WORD, Stage, fill, opened, removed
from replay_page import Replaying
from web_archive import BEGIN, PAPER, Answer, Serving, Site

from storage.removals import in_force
from storage.removing.hide import put
from storage.urls import timestamp14

pytest_plugins = ["removed_archive"]


class Ask(Protocol):
    def __call__(self, way: str, method: str = "GET", **headers: str) -> Answer: ...


def ways(stage: Stage) -> list[str]:
    """Every address that gives a page or tells of it; those with `{}` in front are of the originals."""
    url, stamps = SECRET, [timestamp14(capture.timestamp) for capture in stage.captures]
    at = [f"{name}/{stamp}/{url}" for name in ("/article", "/beside", "/exchange", "/replay") for stamp in stamps]
    return [
        *at,
        *(f"{name}/{url}" for name in ("/article", "/beside", "/exchange", "/replay", "/captures", "/timegate")),
        *(f"/timemap/{form}/{url}" for form in ("link", "json")),
        f"/compare/{stamps[0]}-{stamps[-1]}/{url}",
        f"/compare?url={url}&before={stamps[0]}&after={stamps[-1]}",
        *(f"/api/{name}?url={url}" for name in ("captures", "article", "versions")),
        f"/api/verify?url={url}&at={stamps[0]}",
        *(f"/cdx?url={url}{more}" for more in ("", "&closest=2026", "&matchType=host", "&output=json")),
        *(f"/cdx/search/cdx?url={url}{more}" for more in ("", "&matchType=prefix", "&output=json")),
        *(f"{{}}/web/{stamp}{kind}/{url}" for stamp in (*stamps, "2026") for kind in ("", "id_", "im_")),
        f"{{}}/web/{url}",
        f"/web/{stamps[0]}/{url}",
    ]


#: Every page that lists what is held.
LISTS = (
    "/",
    "/search",
    f"/search?q={WORD}",
    "/search?q=mayor",
    "/site/paper.example",
    "/sites",
    "/doubts",
    "/feeds/new.atom",
    "/feeds/changed.atom",
    "/api/articles",
    f"/api/search?q={WORD}",
    "/api/search?q=library",
    f"/api/captures?url={PAPER}/&match=prefix",
    f"/cdx?url={PAPER}/*",
    "/cdx?url=paper.example&matchType=domain",
    f"/captures/{PLAIN}",
    f"/article/{PLAIN}",
)


def asking(site: Site) -> Ask:
    def ask(way: str, method: str = "GET", **headers: str) -> Answer:
        return site.original(way[2:], method, **headers) if way.startswith("{}") else site.get(way, method, **headers)

    return ask


def gives(answer: Answer) -> bool:
    """Whether an answer has anything of the page."""
    return WORD.encode() in answer.body


@pytest.fixture(scope="module")
def ask(stage: Stage) -> Iterator[Ask]:
    with Serving(stage.folder) as site:
        yield asking(site)


def test_before_it_is_found_by_all_these_ways(unremoved: Stage) -> None:
    with Serving(unremoved.folder) as site:
        ask = asking(site)
        assert [way for way in ways(unremoved) if ask(way).status not in (200, 302, 303)] == []
        assert sum(gives(ask(way)) for way in ways(unremoved)) >= 12
        assert [way for way in LISTS if b"/secret" in ask(way).body] == [
            way for way in LISTS if way not in ("/doubts", f"/captures/{PLAIN}", f"/article/{PLAIN}")
        ]


def test_no_way_leads_to_it(stage: Stage, ask: Ask) -> None:
    for way in ways(stage):
        answer = ask(way)
        assert not gives(answer), way
        if way.startswith(("/cdx", "/api/captures")):
            assert answer.status == 404 or b"secret" not in answer.body, way
        elif not way.startswith(("/compare?", "/web/")):  # these lead on to what is not there
            assert answer.status == 404, (way, answer.status, answer.body[:200])
            assert ask(way, "HEAD").status in (404, 405), way


def test_no_list_has_it(ask: Ask) -> None:
    for way in LISTS:
        answer = ask(way)
        assert not gives(answer) or f"q={WORD}" in way, way
        assert b"/secret" not in answer.body, way
        assert answer.status in (200, 302), (way, answer.status)
    assert [each["url"] for each in json.loads(ask("/api/articles").body)["articles"]] == [PLAIN]
    assert json.loads(ask("/api/search?q=-nothing").body)["articles"][0]["url"] == PLAIN


def test_all_else_is_as_it_was(unremoved: Stage, ask: Ask) -> None:
    with opened(unremoved.folder) as archive:
        held = [timestamp14(capture.timestamp) for capture in archive.captures(PLAIN)]
    assert [each["timestamp"] for each in json.loads(ask(f"/api/captures?url={PLAIN}").body)["captures"]] == held
    for stamp in held:
        assert COMMON.encode() in ask(f"{{}}/web/{stamp}id_/{PLAIN}").body
    assert COMMON.encode() in ask(f"/article/{held[0]}/{PLAIN}").body
    # A redirect that led there leads to nothing that is held.
    assert ask(f"/captures/{MOVED}").status == 200
    assert ask(f"/api/article?url={MOVED}").status == 404


def test_a_warc_gives_none_of_its_bytes(stage: Stage, ask: Ask) -> None:
    with opened(stage.folder) as archive:
        files = [entry.filename for entry in archive.index.warcs()]
        held = list(archive.index.with_hidden.captures(SECRET))
        others = list(archive.captures(PLAIN))
        exchanges = {capture: archive.reader.exchange(capture) for capture in held}
    assert bool(held) != stage.is_purged
    for filename in files:
        answer = ask(f"/warc/{filename}")
        assert answer.status == (451 if any(capture.filename == filename for capture in held) else 200)
        assert not gives(answer) and b"/secret" not in answer.body
    for capture, records in exchanges.items():
        end = capture.offset + sum(len(member) for _, member in records)
        for first, last in ((capture.offset, capture.offset), (0, capture.offset), (end - 1, end - 1), (0, 10**9)):
            assert ask(f"/warc/{capture.filename}", Range=f"bytes={first}-{last}").status == 451, (first, last)
    for capture in others:
        span = f"bytes={capture.offset}-{capture.offset + capture.length - 1}"
        assert ask(f"/warc/{capture.filename}", Range=span).status == 206
    for capture in stage.captures if stage.is_purged else ():
        assert ask(f"/warc/{capture.filename}").status == 404


def test_replay_does_not_find_it(stage: Stage) -> None:
    if "," in stage.name:
        pytest.skip("pywb asks what the others ask, and takes long to start")
    serving = Replaying(stage.folder)
    with serving as site:
        stamp = timestamp14(stage.captures[0].timestamp)
        assert site.get(f"{serving.replay}/web/{timestamp14(BEGIN)}mp_/{PLAIN}").status == 200
        for path in (f"{stamp}/{SECRET}", f"{stamp}mp_/{SECRET}", f"{stamp}id_/{SECRET}", f"id_/{SECRET}"):
            answer = site.get(f"{serving.replay}/web/{path}")
            assert answer.status == 404 and not gives(answer), path


def test_a_server_that_runs_follows_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    fill(folder)
    with opened(folder) as archive, Serving(folder) as site:
        way = f"/article/{timestamp14(BEGIN)}/{SECRET}"
        first = site.get("/feeds/new.atom")
        assert gives(site.get(way)) and gives(first)
        removed(archive)
        assert site.get(way).status == 404
        # Who holds an older one, as a cache does, is given another.
        again = site.get("/feeds/new.atom", **{"If-None-Match": first.headers["etag"]})
        assert again.status == 200 and not gives(again)
        (hiding,) = in_force(archive.index.removals())
        put(archive, hiding.hide.about("restore", "a test", "tests"))
        assert gives(site.get(way))

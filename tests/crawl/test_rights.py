"""What publishers say of use: kept with each capture, shown, and obeyed by exports and servers for others."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from article_page import PAGE
from command import Run
from next_second import next_second
from origin import Origin
from warcs import by_url
from warm_start import shared
from web_archive import Serving

from storage import open_archive
from storage.rights.tdmrep import PATH as TDMREP

HTML = ("Content-Type", "text/html; charset=utf-8")
PLAIN = [("Content-Type", "text/plain")]
STORY = PAGE.encode()
PAST, FUTURE = "2001-01-01T00:00:00+00:00", "2999-01-01T00:00:00+00:00"
FIRST = b"User-agent: *\nContent-Signal: search=yes\nLicense: https://licence.example/l.xml\n"
SECOND = b"User-agent: *\nContent-Signal: search=yes, ai-train=no\nContent-Usage: /aipref train-ai=n, ai-use=n\n"
PAGES = {
    "/plain": [],
    "/noai": [("X-Robots-Tag", "noai")],
    "/aipref": [],
    "/past": [("X-Robots-Tag", f"unavailable_after: {PAST}")],
    "/future": [("X-Robots-Tag", f"unavailable_after: {FUTURE}")],
    "/tdm": [("tdm-reservation", "1"), ("tdm-policy", "https://policy.example/")],
}


@contextmanager
def publisher() -> Iterator[Origin]:
    with Origin() as origin:
        origin.reply("/robots.txt", FIRST, headers=PLAIN)
        origin.reply("/robots.txt", SECOND, headers=PLAIN)
        for path, fields in PAGES.items():
            # Each a text of its own.
            origin.reply(path, STORY.replace(b"Library", path[1:].encode()), headers=[HTML, *fields])
        yield origin


@pytest.fixture
def origin() -> Iterator[Origin]:
    with publisher() as origin:
        yield origin


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Origin, Path]]:
    """The origin, and a folder with an archive: one page under the first robots.txt, all under the second."""
    folder = tmp_path_factory.mktemp("rights")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NEWSKEEP_", "AWS_"))}
    with publisher() as origin:
        origin.reply("/early", STORY.replace(b"Library", b"early"), headers=[HTML])
        for paths in (["/early"], list(PAGES)):
            next_second()
            urls = map(origin.url, paths)
            done = shared().run(("save", "--allow-private", *urls), folder, {**clean, "HOME": str(folder / "home")})
            assert done.returncode == 0, done.stderr.decode()
        yield origin, folder / "archive"


@pytest.fixture
def saved(made: tuple[Origin, Path], tmp_path: Path) -> Origin:
    """The archive is this test's own."""
    origin, archive = made
    shutil.copytree(archive, tmp_path / "archive")
    return origin


def host(origin: Origin) -> str:
    return origin.netloc.partition(":")[0]


def said(fields: list[dict[str, Any]]) -> list[str]:
    return [" ".join(filter(None, (each["name"], each["value"]))) for each in fields]


def test_it_is_kept_with_each_capture(newskeep: Run, saved: Origin, tmp_path: Path) -> None:
    lines = map(json.loads, newskeep("captures", host(saved), "--json").stdout.splitlines())
    rights = {line["url"].removeprefix(saved.url("")): line["rights"] for line in lines}
    assert rights["/noai"] == [{"name": "noai", "value": None, "source": "X-Robots-Tag"}]
    assert said(rights["/past"]) == [f"unavailable_after {PAST}"]
    assert rights["/plain"] == [] and rights["/robots.txt"] == []
    article = json.loads(newskeep("get", saved.url("/tdm"), "--as", "json").stdout)
    assert said(article["rights"]) == ["tdm-reservation 1", "tdm-policy https://policy.example/"]
    kept = by_url(tmp_path / "archive", "response")
    assert kept[saved.url("/plain")][0]["Newskeep-Rights"] == "[]"
    assert kept[saved.url("/noai")][0]["Newskeep-Rights"] == '[["noai",null,"X-Robots-Tag"]]'
    assert newskeep("verify", "--deep").returncode == 0


@pytest.mark.parametrize("options", [(), ("--from-warcs",)])
def test_reindex_finds_it_again(newskeep: Run, saved: Origin, tmp_path: Path, options: tuple[str, ...]) -> None:
    with open_archive(tmp_path / "archive") as archive:
        before = [(each.url, each.rights, each.shown_until) for each in archive.index.all_captures()]
    for file in (tmp_path / "archive").glob("index.sqlite*"):
        file.unlink()
    assert newskeep("reindex", *options).returncode == 0
    with open_archive(tmp_path / "archive") as archive:
        assert [(each.url, each.rights, each.shown_until) for each in archive.index.all_captures()] == before
        assert {each.url for each in archive.index.articles() if each.shown_until} == {
            saved.url("/past"),
            saved.url("/future"),
        }


def test_what_an_older_version_kept_is_read_from_its_warc(newskeep: Run, saved: Origin, tmp_path: Path) -> None:
    """Without our field, as older versions and other crawlers wrote it."""
    archive = tmp_path / "archive"
    (warc,) = [path for path in archive.rglob("*.warc.gz") if b"/noai" in gzip.decompress(path.read_bytes())]
    foreign = tmp_path / "foreign.warc.gz"
    foreign.write_bytes(
        gzip.compress(gzip.decompress(warc.read_bytes()).replace(b"Newskeep-Rights: ", b"Foreign-Field: "))
    )
    other = ("--archive", str(tmp_path / "other"))
    done = newskeep("import", str(foreign), *other)
    assert done.returncode in (0, 7), done.stderr.decode()
    article = json.loads(newskeep("get", saved.url("/noai"), "--as", "json", *other).stdout)
    assert said(article["rights"]) == ["noai"]
    assert newskeep("verify", "--deep", *other).returncode == 0
    assert newskeep("reextract", *other).returncode == 0
    assert said(json.loads(newskeep("get", saved.url("/noai"), "--as", "json", *other).stdout)["rights"]) == ["noai"]


def test_the_terms_of_a_site_over_time(newskeep: Run, saved: Origin) -> None:
    done = newskeep("rights", host(saved), "--json")
    assert done.returncode == 0, done.stderr.decode()
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["url"] == saved.url("/robots.txt") and first["status"] == 200 and first["since"] < second["since"]
    assert said(first["signals"]) == ["search yes", "license https://licence.example/l.xml"]
    assert said(second["came"]) == ["ai-train no", "train-ai n for /aipref", "ai-use n for /aipref"]
    assert said(second["went"]) == ["license https://licence.example/l.xml"]
    assert second["came"][0]["source"] == "robots.txt Content-Signal line 2"
    told = newskeep("rights", host(saved)).stdout.decode()
    assert "+ ai-train no  (robots.txt Content-Signal line 2)" in told
    assert "- license https://licence.example/l.xml" in told
    done = newskeep("rights", "nowhere.example")
    assert done.returncode == 6 and done.stderr.count(b"\n") == 1
    assert newskeep("rights", "http://[").returncode == 2


def exported(newskeep: Run, origin: Origin, *options: str) -> tuple[set[str], str]:
    done = newskeep("export", "--format", "jsonl", "--to", "-", *options)
    lines = map(json.loads, done.stdout.splitlines())
    return {line["url"].removeprefix(origin.url("")) for line in lines}, done.stderr.decode()


def test_an_export_for_a_purpose_leaves_out_what_is_reserved(newskeep: Run, saved: Origin) -> None:
    everything = {"/early", *PAGES}
    assert exported(newskeep, saved) == (everything, "")
    # Robots.txt did not say so yet when the first page was taken.
    found, told = exported(newskeep, saved, "--for", "ai-train")
    assert found == {"/early"}
    assert "6 reserved for ai-train left out" in told and "by noai in X-Robots-Tag" in told
    assert "by ai-train=no in robots.txt Content-Signal" in told
    assert "1 of them names a licence" in told
    found, told = exported(newskeep, saved, "--for", "ai-input")
    assert found == everything - {"/noai", "/tdm", "/aipref"}
    assert "by ai-use=n in robots.txt Content-Usage" in told and "by tdm-reservation=1 in tdm-reservation" in told
    found, told = exported(newskeep, saved, "--for", "search")
    assert found == everything - {"/past"} and "1 by unavailable_after in X-Robots-Tag" in told
    assert exported(newskeep, saved, "--for", "ai-train", "--public")[0] == {"/early"}


@pytest.mark.usefixtures("saved")
@pytest.mark.parametrize("name", ["jsonl", "markdown", "wet", "parquet", "wacz", "cdxj"])
def test_whatever_the_format(newskeep: Run, tmp_path: Path, name: str) -> None:
    done = newskeep("export", "--format", name, "--to", "out", "--for", "ai-input", "--json")
    assert done.returncode == 0, done.stderr.decode()
    summary = json.loads(done.stdout)
    assert summary["reserved"]["noai in X-Robots-Tag"] == 1 and sum(summary["reserved"].values()) == 3
    assert json.loads((tmp_path / "out" / "_newskeep-export.json").read_bytes())["selection"]["for"] == "ai-input"
    # Another purpose is another export.
    done = newskeep("export", "--format", name, "--to", "out", "--for", "search")
    assert done.returncode == 2 and b"holds another export" in done.stderr


def test_parquet_has_all_that_was_said(newskeep: Run, saved: Origin, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    newskeep("export", "--format", "parquet", "--to", "out")
    rows = pq.read_table(tmp_path / "out").select(["url", "rights"]).to_pylist()
    rights = {row["url"].removeprefix(saved.url("")): said(row["rights"]) for row in rows}
    assert rights["/noai"] == ["noai", "search yes", "ai-train no"]
    assert rights["/early"] == ["search yes", "license https://licence.example/l.xml"]
    assert rights["/aipref"] == ["search yes", "ai-train no", "train-ai n", "ai-use n"]


def test_for_others_a_page_ends_with_its_time(newskeep: Run, saved: Origin, tmp_path: Path) -> None:
    found, told = exported(newskeep, saved, "--public")
    assert found == {"/early", *PAGES} - {"/past"}
    assert "1 whose unavailable_after is past left out" in told
    past, future = saved.url("/past"), saved.url("/future")
    with open_archive(tmp_path / "archive") as archive:
        capture = archive.find(past)
    with Serving(tmp_path / "archive", "--noarchive", "withhold") as closed:
        answer = closed.get(f"/api/article?url={past}")
        assert answer.status == 451 and b"unavailable_after" in answer.body
        assert closed.get(f"/api/article?url={future}").status == 200
        assert closed.get(f"/warc/{capture.filename}", Range=f"bytes={capture.offset}-{capture.offset}").status == 451
        assert past not in closed.get("/feeds/new.atom").body.decode()
    with Serving(tmp_path / "archive") as site:
        assert json.loads(site.get(f"/api/article?url={past}").body)["rights"][0]["name"] == "unavailable_after"
        page = site.get(f"/article/{saved.url('/aipref')}", Accept="text/html")
        page = site.get(page.headers["location"]) if page.status == 302 else page
        assert b"What the publisher said" in page.body and b"robots.txt Content-Usage line 3" in page.body


@pytest.mark.parametrize(("wanted", "status"), [(True, 200), (True, 404), (False, 200)])
def test_tdmrep_is_asked_for_once_a_day(
    newskeep: Run, origin: Origin, tmp_path: Path, wanted: bool, status: int
) -> None:
    path = "/2026/11/20/a-story-of-the-harbour.html"
    origin.reply("/front/", f'<a href="{path}">A story of the harbour</a>'.encode(), headers=[HTML])
    origin.reply(path, STORY, headers=[HTML])
    terms = b'[{"location": "/2026/", "tdm-reservation": 1, "tdm-policy": "https://policy.example/"}]'
    if status == 200:
        origin.reply(TDMREP, terms, headers=[("Content-Type", "application/json")])
    switch = "tdmrep = true\n" if wanted else ""
    (tmp_path / "newskeep.toml").write_text(f'{switch}[sites.own]\nstart = "{origin.url("/front/")}"\ndelay = 0\n')
    for _ in range(2):
        done = newskeep("crawl", "own", "--allow-private")
        assert done.returncode == 0, done.stderr.decode()
    assert [each.path for each in origin.log].count(TDMREP) == int(wanted)
    found, told = exported(newskeep, origin, "--for", "ai-input")
    if wanted and status == 200:
        assert found == set() and "by tdm-reservation=1 in tdmrep.json" in told
        states = [json.loads(line) for line in newskeep("rights", host(origin), "--json").stdout.splitlines()]
        (state,) = [each for each in states if each["url"] == origin.url(TDMREP)]
        assert said(state["signals"]) == [
            "tdm-reservation 1 for /2026/",
            "tdm-policy https://policy.example/ for /2026/",
        ]
        assert by_url(tmp_path / "archive", "response")[origin.url(TDMREP)][0].block.endswith(terms)
    else:
        assert found == {path}

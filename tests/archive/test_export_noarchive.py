"""Exports of what says `noarchive`: told how many they hold, and left out with `--public`, whatever the format."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from article_page import PAGE
from command import Run
from origin import Origin
from warm_start import WarmStart

HTML = [("Content-Type", "text/html")]
META = b'<meta name="robots" content="noarchive"><title>'
HEADER = ("X-Robots-Tag", "noarchive")
#: Stands in the bytes of what says noarchive, and in its text.
MARKED = b"railway friends"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, warm_start: WarmStart) -> Iterator[tuple[Origin, Path]]:
    """A server, and a folder with the archive of its pages: two plain ones, and a page and a picture with noarchive."""
    folder = tmp_path_factory.mktemp("noarchive")
    with Origin() as origin:
        plain = PAGE.encode().replace(MARKED, b"bus friends")
        origin.reply(
            "/plain", plain.replace(b"</main>", b'<img src="/marked.png"><img src="/p.png"></main>'), headers=HTML
        )
        origin.reply("/other", plain.replace(b"spring", b"June"), headers=HTML)
        origin.reply("/marked", PAGE.encode().replace(b"<title>", META), headers=HTML)
        origin.reply("/marked.png", b"\x89PNG marked", headers=[("Content-Type", "image/png"), HEADER])
        origin.reply("/p.png", b"\x89PNG plain", headers=[("Content-Type", "image/png")])
        urls = (origin.url(path) for path in ("/plain", "/other", "/marked"))
        command = ("save", "--allow-private", "--ignore-robots", "--requisites", *urls)
        home = {**os.environ, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
        assert warm_start.run(command, folder, home).returncode == 0
        yield origin, folder / "archive"


@pytest.fixture
def origin(saved: tuple[Origin, Path], tmp_path: Path) -> Origin:
    """The server whose pages are archived already."""
    shutil.copytree(saved[1], tmp_path / "archive")
    return saved[0]


def test_the_number_is_told(newskeep: Run, origin: Origin) -> None:
    done = newskeep("export", "--format", "jsonl", "--to", "all")
    assert b"3 articles in" in done.stderr and b"; 1 of them says noarchive" in done.stderr
    done = newskeep("export", "--format", "jsonl", "--to", "public", "--public")
    assert b"2 articles in" in done.stderr and b"; 1 that says noarchive left out" in done.stderr
    done = newskeep("export", "--format", "cdxj", "--to", "captures", "--json")
    assert (json.loads(done.stdout)["records"], json.loads(done.stdout)["noarchive"]) == (5, 2)
    # Told again by who finds it finished.
    assert (
        b"; 1 that says noarchive left out"
        in newskeep(*("export", "--format", "jsonl", "--to", "public", "--public")).stderr
    )
    assert origin.log


@pytest.mark.parametrize("name", ["jsonl", "markdown", "wet", "parquet", "wacz", "cdxj"])
def test_a_public_export_has_none_of_it(newskeep: Run, origin: Origin, tmp_path: Path, name: str) -> None:
    for to, options in (("all", ()), ("public", ("--public",))):
        done = newskeep("export", "--format", name, "--to", to, *options)
        assert done.returncode == 0, done.stderr.decode()
    marked = origin.url("/marked").encode()
    assert marked in _bytes(tmp_path / "all")
    held = _bytes(tmp_path / "public")
    assert marked not in held and MARKED not in held and b"PNG marked" not in held
    assert origin.url("/other").encode() in held


def test_what_a_page_needs_is_left_out_too(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    site = ("--site", "127.0.0.1")
    newskeep("export", "--format", "wacz", "--to", "public", "--public", *site, "--language", "en")
    held = _bytes(tmp_path / "public")
    assert b"PNG plain" in held and b"PNG marked" not in held
    assert origin.url("/marked").encode() + b'"' not in held


@pytest.mark.parametrize("name", ["jsonl", "cdxj"])
def test_a_stream_says_it_beside(newskeep: Run, origin: Origin, name: str) -> None:
    done = newskeep("export", "--format", name, "--to", "-", "--public")
    number = 1 if name == "jsonl" else 2
    assert f"{number} that say{'s' if number == 1 else ''} noarchive left out" in done.stderr.decode()
    assert b"marked" not in b"".join(
        line for line in done.stdout.splitlines() if json.loads(line[line.index(b"{") :])["url"] != origin.url("/plain")
    )


def test_where_nothing_else_is_chosen_the_reason_is_said(newskeep: Run, origin: Origin, tmp_path: Path) -> None:
    newskeep("save", "--allow-private", "--archive", "other", origin.url("/marked"))
    done = newskeep("export", "--archive", "other", "--format", "jsonl", "--to", "public", "--public")
    assert done.returncode == 6
    assert b"1 that says noarchive left out" in done.stderr
    assert not list((tmp_path / "public").glob("*"))


def test_another_selection_wants_another_place(newskeep: Run, origin: Origin) -> None:
    assert newskeep("export", "--format", "jsonl", "--to", "out").returncode == 0
    done = newskeep("export", "--format", "jsonl", "--to", "out", "--public")
    assert done.returncode == 2 and b"holds another export" in done.stderr
    assert origin.log


def _bytes(folder: Path) -> bytes:
    """All that the files of an export hold, unpacked; what Parquet presses is read as a table."""
    found = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file() and not each.name.startswith("_")):
        if path.suffix == ".wacz":
            with zipfile.ZipFile(path) as package:
                entries = [package.read(name) for name in package.namelist()]
            found += [gzip.decompress(each) if each.startswith(b"\x1f\x8b") else each for each in entries]
        elif path.suffix == ".parquet":
            found.append(_rows(path))
        else:
            data = path.read_bytes()
            found.append(gzip.decompress(data) if path.suffix == ".gz" else data)
    return b"\n".join(found)


def _rows(path: Path) -> bytes:
    import pyarrow.parquet as pq

    return json.dumps(pq.read_table(path).to_pylist(), default=str).encode()

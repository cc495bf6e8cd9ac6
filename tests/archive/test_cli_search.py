"""`newskeep search` and `newskeep export` as a person uses them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command import Run
from export_archive import OTHER, PAPER

from storage.archive import Archive

pytest_plugins = ["export_archive"]


@pytest.fixture
def copied(newsroom: Archive, tmp_path: Path) -> Path:
    """An archive of one's own, to spoil."""
    # Everything is in the file itself once nobody has it open.
    newsroom.close()
    newsroom.__dict__.pop("index", None)
    shutil.copytree(newsroom.state, tmp_path / "archive")
    return tmp_path / "archive"


@pytest.mark.parametrize("command", ["search", "export"])
@pytest.mark.parametrize("site", ["paper", "paper.example", "https://www.paper.example/a"])
def test_a_site_is_known_by_its_name_too(
    newskeep: Run, newsroom: Archive, tmp_path: Path, command: str, site: str
) -> None:
    (tmp_path / "newskeep.toml").write_text(f"[sites.paper]\nstart = '{PAPER}/'\n")
    arguments = ("bridge", "--json") if command == "search" else ("--format", "jsonl", "--to", "-")
    done = newskeep(command, *arguments, "--site", site, "--archive", newsroom.uri)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.splitlines()
    assert all(json.loads(line)["url"].startswith(PAPER) for line in done.stdout.splitlines())
    other = newskeep(command, *arguments, "--site", "other.example", "--archive", newsroom.uri)
    assert other.returncode == 6
    assert b"no article of other.example is held, but of " in other.stderr and b"reindex" not in other.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("search", "bridge"),
        ("export", "--format", "jsonl", "--to", "out"),
        ("captures", f"{PAPER}/a"),
        ("crawl", "http://127.0.0.1:1/"),
    ],
)
def test_a_time_that_ends_before_it_begins_is_said_to(
    newskeep: Run, newsroom: Archive, tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = newskeep(*command, "--since", "2026-03", "--until", "2026-02", "--archive", newsroom.uri)
    assert (done.returncode, done.stdout) == (2, b"")
    said = "newskeep: --since is after --until: 2026-03-01 00:00 and 2026-02-28 23:59, in UTC\n"
    assert done.stderr.decode() == said
    assert not (tmp_path / "out").exists()


def test_search_shows_what_was_found(newskeep: Run, newsroom: Archive) -> None:
    done = newskeep("search", "BRIDGE", "open*", "--archive", newsroom.uri)
    assert done.returncode == 0, done.stderr.decode()
    shown = done.stdout.decode()
    # The newest version alone.
    assert shown.splitlines() == [
        "The bridge is open",
        f"  2026-03-01 06:07  paper.example  {PAPER}/a",
        "  Bridge, day two.",
        "",
    ]
    found = newskeep("search", "橋", "--archive", newsroom.uri, "--json")
    line = json.loads(found.stdout)
    assert (line["url"], line["authors"], line["snippet"], line["marks"]) == (
        f"{OTHER}/d",
        ["Ada Ærø", "Bo Li"],
        "橋ができた。",
        [[0, 1]],
    )


@pytest.mark.parametrize(
    ("options", "urls"),
    [
        (["--site", "www.avis.example"], [f"{OTHER}/d", f"{OTHER}/c"]),
        (["--site", f"{PAPER}/a/b", "--language", "pt"], [f"{PAPER}/b"]),
        (["--author", "bo li", "--since", "2026-03-01T06:10"], [f"{OTHER}/d"]),
        (["--until", "2026-03-01T06:06:30"], [f"{PAPER}/a"]),
        (["--limit", "2"], [f"{OTHER}/d", f"{OTHER}/c"]),
    ],
)
def test_search_options(newskeep: Run, newsroom: Archive, options: list[str], urls: list[str]) -> None:
    done = newskeep("search", "--archive", newsroom.uri, "--json", *options, "--", "-nothing")
    assert [json.loads(line)["url"] for line in done.stdout.splitlines()] == urls, done.stderr.decode()


def test_a_word_with_a_minus_needs_nothing_before_it(newskeep: Run, newsroom: Archive) -> None:
    def found(*words: str) -> list[str]:
        done = newskeep("search", "--archive", newsroom.uri, "--json", *words)
        return [json.loads(line)["url"] for line in done.stdout.splitlines()]

    every = found("--", "-nothing")
    assert len(every) > 1
    # Letters of options in it, in any place, and after the value of an option.
    for words in (["-nothing"], ["-vhnothing"], ["-v", "-nothing"], ["--limit", "20", "-hoax"], ["-東京の橋"]):
        assert found(*words) == every, words
    assert newskeep("search", "-h").stdout.startswith(b"Usage:")
    wrong = newskeep("search", "--nothing", "--archive", newsroom.uri)
    assert wrong.returncode == 2 and b"--nothing" in wrong.stderr


def test_search_says_what_is_wrong(newskeep: Run, newsroom: Archive) -> None:
    done = newskeep("search", "unheard", "of", "--archive", newsroom.uri)
    assert done.returncode == 6 and done.stderr.decode() == f"newskeep: no article in {newsroom.uri} has: unheard of\n"
    assert newskeep("search", "--archive", newsroom.uri).returncode == 2
    done = newskeep("search", "x", "--site", "not a site", "--archive", newsroom.uri)
    assert done.returncode == 2 and b"is no site" in done.stderr
    assert newskeep("search", "x", "--archive", "nowhere").returncode == 3


@pytest.mark.sqlite_file("tables of an older version, made by hand")
def test_an_index_from_before_search(newskeep: Run, copied: Path) -> None:
    with closing(sqlite3.connect(copied / "index.sqlite")) as database, database:
        database.executescript(
            "DROP TABLE search; DROP TABLE searched; ALTER TABLE warcs DROP COLUMN searched;"
            "UPDATE about SET value = 1 WHERE name = 'schema'"
        )
    database.close()
    done = newskeep("search", "bridge", "--archive", str(copied))
    assert done.returncode == 6 and b"5 articles cannot be searched yet: newskeep reindex\n" in done.stderr
    assert newskeep("reindex", "--archive", str(copied)).returncode == 0
    done = newskeep("search", "bridge", "--archive", str(copied))
    assert done.returncode == 0 and done.stderr == b""
    # And it is known to be done.
    done = newskeep("reindex", "--archive", str(copied), "--json")
    assert json.loads(done.stdout.splitlines()[-1])["entered"] == 0


def test_export_to_a_stream_and_to_files(newskeep: Run, newsroom: Archive, tmp_path: Path) -> None:
    common = ("--archive", newsroom.uri, "--site", "paper.example")
    done = newskeep("export", "--format", "jsonl", "--to", "-", *common)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 3 and done.stderr == b""
    done = newskeep("export", "--format", "cdxj", "--to", "-", *common)
    assert len(done.stdout.splitlines()) == 5
    for expected in ("3 articles in 1 file (", "3 articles in 1 file ("):
        done = newskeep("export", "--format", "parquet", "--to", str(tmp_path / "out"), *common)
        assert done.returncode == 0 and done.stderr.decode().startswith(expected), done.stderr.decode()
    assert done.stderr.rstrip().endswith(b"1 of them there already")
    done = newskeep("export", "--format", "wacz", "--to", str(tmp_path / "wacz"), *common, "--json")
    assert json.loads(done.stdout)["records"] == 5


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--format", "wet", "--to", "-"], 2, "only jsonl and cdxj can go to standard output"),
        (["--format", "jsonl", "--to", "out", "--sign-key", "key.pem"], 2, "--sign-key is for --format wacz"),
        (["--format", "wacz", "--to", "out", "--sign-key", "key.pem"], 2, "key.pem: No such file"),
        (["--format", "cdxj", "--to", "out", "--language", "da"], 2, "captures have no language"),
        (["--format", "jsonl", "--to", "ftp://elsewhere/"], 2, "a folder, file:///… or s3://"),
        (["--format", "jsonl", "--to", "/proc/nothing"], 3, "/proc/nothing"),
        (["--format", "jsonl", "--to", "out", "--site", "elsewhere.example"], 6, "nothing in"),
    ],
)
def test_export_says_what_is_wrong(newskeep: Run, newsroom: Archive, options: list[str], code: int, said: str) -> None:
    done = newskeep("export", *options, "--archive", newsroom.uri)
    assert (done.returncode, done.stdout) == (code, b""), done.stderr.decode()
    assert said in done.stderr.decode() and b"Traceback" not in done.stderr and done.stderr.count(b"\n") == 1


def test_the_best_first_and_how_many(newskeep: Run, newsroom: Archive, tmp_path: Path) -> None:
    (tmp_path / "newskeep.toml").write_text(f"[sites.avis]\nstart = '{OTHER}/'\n")
    question = ("search", "--archive", newsroom.uri, "--json", "--limit", "1")
    done = newskeep(*question, "bridge OR broen", "site:avis", "--order", "relevance")
    assert done.returncode == 0 and json.loads(done.stdout)["url"] == f"{OTHER}/c"
    done = newskeep(*question, "bridge OR broen")
    assert done.stderr.decode() == "2 articles; shown: the newest 1\n"
    done = newskeep(*question, "bridge", "OR")
    said = "newskeep: OR stands between two words; the word itself is written small: or\n"
    assert (done.returncode, done.stderr.decode()) == (2, said)

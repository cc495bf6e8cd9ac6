"""`newskeep doubts` as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import Run
from export_archive import OTHER, PAPER

from storage import open_archive
from storage.archive import Archive

pytest_plugins = ["export_archive"]

#: As the command shows them, the least sure first. Of the five articles two have no confidence, one is sure.
UNSURE = f"  6 %  2026-03-01 06:09      3 words  Broen  {OTHER}/c"
DOUBTED = f' 31 %  2026-03-01 06:06      3 words  Ærø: "the bridge" | opens   {PAPER}/a'


def test_doubts_the_least_sure_first(newskeep: Run, newsroom: Archive) -> None:
    done = newskeep("doubts", "--archive", newsroom.uri)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().splitlines() == [UNSURE, DOUBTED]
    assert done.stderr.decode() == "2 of 3 articles doubtful (below 50 %)\n"


def test_doubts_of_another_bound(newskeep: Run, newsroom: Archive) -> None:
    least = newskeep("doubts", "--below", "0.1", "--archive", newsroom.uri)
    assert least.stdout.decode().splitlines() == [UNSURE]
    most = newskeep("doubts", "--below", "1", "--limit", "2", "--archive", newsroom.uri)
    assert most.stdout.decode().splitlines() == [UNSURE, DOUBTED]
    assert most.stderr.decode() == "3 of 3 articles doubtful (below 100 %); 2 shown, --limit shows more\n"


def test_where_none_is_doubtful_a_line_says_so(newskeep: Run, newsroom: Archive) -> None:
    done = newskeep("doubts", "--below", "0.05", "--archive", newsroom.uri)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode() == "none of 3 articles is doubtful (below 5 %)\n"
    later = newskeep("doubts", "--since", "2026-04", "--archive", newsroom.uri)
    assert (later.returncode, later.stdout) == (0, b"")
    assert later.stderr.decode() == "no article of these says how sure its text is: newskeep reextract\n"


def test_doubts_as_json(newskeep: Run, newsroom: Archive) -> None:
    done = newskeep("doubts", "--json", "--limit", "1", "--archive", newsroom.uri)
    assert json.loads(done.stdout) == {
        "url": f"{OTHER}/c",
        "timestamp": "20260301060900",
        "site": "avis.example",
        "title": "Broen",
        "published": "2026-03-01T05:00:00+01:00",
        "language": "da",
        "words": 3,
        "noarchive": False,
        "rights": [],
        "confidence": 0.06,
    }


@pytest.mark.parametrize("site", ["paper", "paper.example", "https://www.paper.example/a"])
def test_doubts_of_a_site_by_its_name(newskeep: Run, newsroom: Archive, tmp_path: Path, site: str) -> None:
    (tmp_path / "newskeep.toml").write_text(f"[sites.paper]\nstart = '{PAPER}/'\n")
    done = newskeep("doubts", site, "--archive", newsroom.uri)
    assert done.stdout.decode().splitlines() == [DOUBTED]
    assert done.stderr.decode() == "1 of 2 articles doubtful (below 50 %)\n"
    both = newskeep("doubts", site, "avis.example", site, "--archive", newsroom.uri)
    assert both.stdout.decode().splitlines() == [UNSURE, DOUBTED]
    assert both.stderr.decode() == "2 of 3 articles doubtful (below 50 %)\n"


def test_a_site_of_which_nothing_is_held(newskeep: Run, newsroom: Archive, tmp_path: Path) -> None:
    done = newskeep("doubts", "paper.example", "other.example", "--archive", newsroom.uri)
    assert (done.returncode, done.stdout) == (6, b"")
    why = "no article of other.example is held, but of avis.example, paper.example"
    assert done.stderr.decode() == f"newskeep: no doubts to list in {newsroom.uri}; {why}\n"
    empty = tmp_path / "empty"
    with open_archive(empty) as archive:
        archive.store.put("crawls/2026/03/01/0123456789ab.json", b"{}")
    done = newskeep("doubts", "--archive", str(empty))
    assert done.returncode == 6
    assert b"its index is empty: newskeep reindex" in done.stderr


@pytest.mark.parametrize("below", ["1.1", "-0.1", "nan", "half"])
def test_a_bound_that_is_no_share(newskeep: Run, newsroom: Archive, below: str) -> None:
    done = newskeep("doubts", f"--below={below}", "--archive", newsroom.uri)
    assert (done.returncode, done.stdout) == (2, b"")
    assert f"'{below}' is no number from 0 to 1" in done.stderr.decode()

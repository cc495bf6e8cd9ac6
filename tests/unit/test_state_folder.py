"""Where what is local to this machine lies, of an archive in a bucket."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.places import places


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "newskeep"


def test_a_slash_at_the_end_makes_no_other_archive(home: Path) -> None:
    for uri, same in (
        ("s3://bucket", "s3://bucket/"),
        ("s3://bucket/news", "s3://bucket/news//"),
        ("s3://bucket/news?region=eu-west-1", "s3://bucket/news/?region=eu-west-1"),
    ):
        assert places(uri, None)[1] == places(same, None)[1]
    assert places("s3://bucket/news", None)[1] != places("s3://bucket/new", None)[1]
    # As it always was.
    assert places("s3://bucket/news", None)[1] == home / "bucket-news-36fb237d"


def test_a_folder_that_was_made_for_the_slash_stays_in_use(home: Path) -> None:
    made = home / "bucket-news--dd374597"
    made.mkdir(parents=True)
    assert places("s3://bucket/news/", None)[1] == made
    (home / "bucket-news-36fb237d").mkdir()
    assert places("s3://bucket/news/", None)[1] == home / "bucket-news-36fb237d"

"""Users whom the system does not know, and folders with names that not everybody has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage import open_archive
from storage.errors import UsageError
from storage.homes import expanded, home
from storage.transparency.keys import key_path


def test_a_user_without_a_home_has_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    # None in the variables, and no line in passwd.
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2_000_000_011)
    assert home() == Path("/")
    assert key_path("/archives/news").parent == Path("/.config/newskeep/logs")


def test_homes_of_nobody_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/of/somebody")
    assert expanded("~/a") == Path("/home/of/somebody/a")
    with pytest.raises(UsageError, match="~nobody-of-that-name/a: no home of that user is known"):
        expanded("~nobody-of-that-name/a")


def test_an_archive_without_a_name_is_not_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="without a name"):
        open_archive("")


def test_a_current_folder_that_was_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UsageError, match="archive: the current folder is gone"):
        open_archive("archive")


def test_a_name_that_is_no_utf8_has_a_key_of_its_own() -> None:
    first, second = (key_path(os.fsdecode(b"/archives/\xff" + end)) for end in (b"", b"\xfe"))
    assert first != second
    # As it always was.
    assert key_path("/archives/news").name.startswith("archives-news-")

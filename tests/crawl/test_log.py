"""`newskeep log`, and crawls into an archive that has one: logged as it comes, stamped at the end, never in the way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import foreign_warcs as foreign
import pytest
from command import Run
from origin import Origin
from time_authority import TimeAuthority, running_authority

pytestmark = pytest.mark.long

PAGE = b"<html><title>A mill</title><p>The mill turns again after the winter, and the town came to see it.</p></html>"


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        origin.reply("/page", PAGE, headers=[("Content-Type", "text/html")])
        yield origin


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[TimeAuthority]:
    with running_authority(tmp_path / "authority") as running:
        yield running


@pytest.fixture
def environment(environment: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in environment.items() if name != "XDG_CONFIG_HOME"}


def test_what_is_saved_is_logged_and_stamped(
    newskeep: Run, origin: Origin, authority: TimeAuthority, tmp_path: Path
) -> None:
    (tmp_path / "newskeep.toml").write_text(f'time_authorities = ["{authority.url}"]\nallow_private = true\n')
    assert newskeep("log", "init", "--name", "tests").returncode == 0
    (key,) = (tmp_path / "home/.config/newskeep/logs").iterdir()
    assert key.stat().st_mode & 0o777 == 0o600
    again = newskeep("log", "init")
    assert (again.returncode, again.stderr.count(b"\n")) == (2, 1)
    assert b"is there already" in again.stderr

    assert newskeep("save", origin.url("/page")).returncode == 0
    told = json.loads(newskeep("log", "list", "--json").stdout)
    assert (told["name"], told["stamped"]) == ("tests", 1)
    # Of each exchange a response and a request, and the warcinfo.
    assert told["leaves"] == 5

    authority.instead = b"closed"
    saved = newskeep("save", origin.url("/page"))
    assert saved.returncode == 0
    assert b"the next run asks again" in saved.stderr
    authority.instead = None
    assert newskeep("log", "update").returncode == 0
    assert json.loads(newskeep("log", "list", "--json").stdout)["stamped"] == 2
    assert newskeep("verify", "--deep").returncode == 0

    warc = next((tmp_path / "archive").rglob("*.warc.gz"))
    warc.unlink()
    verified = newskeep("verify")
    assert verified.returncode == 7
    assert b"removed: the log has" in verified.stdout


def test_a_key_that_others_can_read_is_told_before_anything_is_fetched(
    newskeep: Run, origin: Origin, tmp_path: Path
) -> None:
    assert newskeep("log", "init").returncode == 0
    next((tmp_path / "home/.config/newskeep/logs").iterdir()).chmod(0o644)
    done = newskeep("save", "--allow-private", origin.url("/page"))
    assert (done.returncode, origin.log) == (2, [])
    assert b"others may read this key" in done.stderr


def test_due_and_import_have_it_stamped(
    newskeep: Run, origin: Origin, authority: TimeAuthority, tmp_path: Path
) -> None:
    site = f'[sites.mill]\nfeeds = "{origin.url("/feed")}"\ndelay = 0\n'
    settings = f'time_authorities = ["{authority.url}"]\nallow_private = true\n'
    (tmp_path / "newskeep.toml").write_text(settings + site)
    origin.reply("/", PAGE, headers=[("Content-Type", "text/html")])
    assert newskeep("log", "init").returncode == 0
    newskeep("due")
    first = json.loads(newskeep("log", "list", "--json").stdout)
    assert first["leaves"] > 0 and first["stamped"] == 1
    (tmp_path / "old.warc.gz").write_bytes(foreign.gzipped(foreign.WRITERS["heritrix"]("paper.example")))
    newskeep("import", "old.warc.gz")
    assert json.loads(newskeep("log", "list", "--json").stdout)["stamped"] == 2


def test_what_is_wrong_is_one_line(newskeep: Run, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    done = newskeep("log", "update")
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert b"newskeep log init begins one" in done.stderr
    assert b"has no log" in newskeep("log", "list").stderr

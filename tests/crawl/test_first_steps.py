"""`newskeep init` and `sites check --write`: from nothing to a site that is crawled, as a person and as a script."""

from __future__ import annotations

import os
import pty
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from command import Run
from origin import Origin
from small_paper import Paper
from warm_start import shared

from crawler.config import load
from crawler.sites.site import load_sites

pytestmark = pytest.mark.long

SITE = "https://www.example.org/"


def at_a_terminal(folder: Path, environment: Mapping[str, str], answers: bytes, *arguments: str) -> tuple[int, str]:
    """Run `newskeep init` in a terminal with what a person types, and return the exit code and what the screen had."""
    leader, terminal = pty.openpty()
    session = "import os; os.setsid()"
    with shared().start(
        ("init", *arguments), folder, environment, terminal, terminal, stdin=terminal, before=session
    ) as person:
        os.close(terminal)
        os.write(leader, answers)
        screen = b"".join(_shown(leader))
        code = person.wait(timeout=240)
    os.close(leader)
    return code, screen.decode().replace("\r\n", "\n")


def _shown(leader: int) -> Iterator[bytes]:
    try:
        while piece := os.read(leader, 4096):
            yield piece
    except OSError:  # how Linux says that nobody holds the other end any more
        return


def test_a_person_is_asked(tmp_path: Path, environment: Mapping[str, str]) -> None:
    typed = f"~/news\nnobody\nbot@example.org\n{SITE}\nexample\nhttps://example.co.uk/politics/\n\n"
    code, screen = at_a_terminal(tmp_path, environment, typed.encode())
    assert code == 0, screen
    assert "'nobody' is no contact: a web page (https://…) or an e-mail address" in screen
    assert "'example' is no address of a site" in screen
    config = load(tmp_path / "newskeep.toml", {})
    assert config.archive.endswith("/news") and "~" not in config.archive
    assert config.operator == "bot@example.org"
    sites = load_sites(config)
    assert list(sites) == ["example", "example-politics"]
    assert sites["example-politics"].section
    assert "newskeep sites check example " in screen


def test_enter_takes_what_is_offered(tmp_path: Path, environment: Mapping[str, str]) -> None:
    code, screen = at_a_terminal(tmp_path, environment, b"\n\n\n")
    assert code == 0, screen
    config = load(tmp_path / "newskeep.toml", {})
    assert (config.archive, config.operator, config.sites) == ("archive", None, {})


@pytest.mark.parametrize(("typed", "code", "kept"), [(b"n\n", 0, True), (b"\n", 0, True), (b"y\n\n\n\n", 0, False)])
def test_a_person_is_asked_before_a_file_is_overwritten(
    tmp_path: Path, environment: Mapping[str, str], typed: bytes, code: int, kept: bool
) -> None:
    (tmp_path / "newskeep.toml").write_text("# mine\n")
    assert at_a_terminal(tmp_path, environment, typed)[0] == code
    assert ((tmp_path / "newskeep.toml").read_text() == "# mine\n") == kept


def test_who_goes_leaves_nothing(tmp_path: Path, environment: Mapping[str, str]) -> None:
    code, screen = at_a_terminal(tmp_path, environment, b"archive\n\x04")  # Ctrl-D
    assert code == 130, screen
    assert "Traceback" not in screen
    assert list(tmp_path.iterdir()) == []


def test_a_script_gives_options(newskeep: Run, tmp_path: Path) -> None:
    given = ("--archive", "s3://bucket/news", "--operator", "https://example.org/bot", "--site", SITE, "--site", SITE)
    done = newskeep("init", *given)
    assert done.returncode == 0, done.stderr
    config = load(tmp_path / "newskeep.toml", {})
    assert (config.archive, config.operator) == ("s3://bucket/news", "https://example.org/bot")
    assert list(load_sites(config)) == ["example"]
    before = (tmp_path / "newskeep.toml").read_bytes()
    assert b"# A web page or e-mail address" in before
    for again in (("init",), ("init", "--yes")):
        done = newskeep(*again)
        assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
        assert b"newskeep.toml is there already: --force" in done.stderr
    assert (tmp_path / "newskeep.toml").read_bytes() == before
    assert newskeep("init", "--force").returncode == 0
    assert (tmp_path / "newskeep.toml").read_bytes() != before


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--archive", "ftp://example.org/"),
        ("--archive", ""),
        ("--archive", "a\nb"),
        ("--operator", "me"),
        ("--operator", "a b@example.org"),
        ("--operator", "https://example.org/\r\nX: y"),
        ("--site", "example"),
        ("--site", "ftp://example.org/"),
        ("--site", ""),
        ("--config", "none/newskeep.toml"),
    ],
)
def test_what_is_wrong_is_one_line(newskeep: Run, tmp_path: Path, option: str, value: str) -> None:
    done = newskeep("init", "--yes", option, value)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1), done.stderr
    assert not list(tmp_path.glob("*.toml"))


def test_a_site_is_tried_added_and_crawled(newskeep: Run, tmp_path: Path) -> None:
    file = tmp_path / "newskeep.toml"
    with Origin() as origin:
        paper = Paper(origin, stories=3)
        assert newskeep("init", "--yes", "--operator", "bot@example.org").returncode == 0
        file.write_text(file.read_text() + "allow_private = true  # a test's\ndelay = 0\n")
        before = file.read_bytes()
        done = newskeep("sites", "check", origin.url("/"), "--write")
        assert done.returncode == 0, done.stderr
        assert (
            b"newskeep: added to newskeep.toml as [sites.127-0-0-1]; newskeep crawl 127-0-0-1 crawls it\n"
            in done.stderr
        )
        written = file.read_bytes()
        assert written.startswith(before)
        done = newskeep("sites", "check", origin.url("/"), "--write")
        assert b"newskeep.toml has it already, as [sites.127-0-0-1]" in done.stderr
        assert file.read_bytes() == written
        # Else it says that nothing is new since the site was tried.
        paper.feed([paper.path(1)])
        paper.front([paper.path(1)])
        assert newskeep("crawl", "127-0-0-1").returncode == 0
        assert paper.path(1) in paper.asked()


def test_a_site_without_articles_is_not_added(newskeep: Run, tmp_path: Path) -> None:
    with Origin() as origin:
        Paper(origin, stories=0)
        done = newskeep("sites", "check", origin.url("/"), "--allow-private", "--delay", "0", "--write")
    assert done.returncode == 5
    assert b"nothing is written to newskeep.toml: no articles were found" in done.stderr
    assert not (tmp_path / "newskeep.toml").exists()


def test_sites_of_a_feed_reader_are_tried_and_added(newskeep: Run, tmp_path: Path) -> None:
    with Origin("127.0.0.2") as first, Origin("127.0.0.3") as second, Origin("127.0.0.4") as third:
        for origin, stories in ((first, 3), (second, 2), (third, 0)):
            Paper(origin, stories=stories).feed([], "/more.xml")
        (tmp_path / "feeds.opml").write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0"><head><title>Mine</title></head><body>'
            '<outline text="Towns &amp; villages">'
            f'<outline type="rss" text="One" xmlUrl="{first.url("/news.rss")}" htmlUrl="{first.url("/")}"/>'
            f'<outline type="rss" text="Its other feed" xmlUrl="{first.url("/more.xml")}" htmlUrl="{first.url("")}"/>'
            f'</outline><outline type="rss" text="Two" xmlUrl="{second.url("/news.rss")}"/>'
            f'<outline type="rss" text="None" xmlUrl="{third.url("/news.rss")}" htmlUrl="{third.url("/")}"/>'
            '<outline type="rss" text="Wrong" xmlUrl="feed:other" htmlUrl="mailto:a@example.org"/>'
            '<outline type="rss" text="Broken" xmlUrl="http://["/></body></opml>\n'
        )
        done = newskeep("sites", "check", "-i", "feeds.opml", "--allow-private", "--delay", "0", "--write")
        said = done.stdout.decode()
        assert done.returncode == 4, done.stderr
        assert f"{first.netloc}  3 articles" in said
        assert f"{second.netloc}  2 articles" in said
        assert f"{third.netloc}  nothing found" in said
        assert b"newskeep: mailto:a@example.org: " in done.stderr
        assert b"newskeep: http://[: " in done.stderr
        sites = tomllib.loads((tmp_path / "newskeep.toml").read_text())["sites"]
        assert [site["feeds"] for site in sites.values()] == [
            [first.url("/news.rss"), first.url("/more.xml")],
            [second.url("/news.rss")],
        ]
        done = newskeep("save", "-i", "feeds.opml")
        assert done.returncode == 2
        assert b"newskeep sites check -i FILE" in done.stderr

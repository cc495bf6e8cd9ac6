"""What `remove --also-future` is about is not fetched again, and says why; all else is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from article_page import PAGE
from command import Run
from origin import Origin

_HTML = [("Content-Type", "text/html")]
_REASON = "removed from the archive, and what comes later of it"


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        for path in ("/gone/a", "/gone/b", "/stays"):
            origin.reply(path, PAGE.encode(), headers=_HTML)
        origin.reply("/leads", b"", "302 Found", headers=[("Location", "/gone/a")])
        yield origin


def saved(newskeep: Run, *urls: str) -> list[tuple[str, str | None]]:
    done = newskeep("save", "--allow-private", "--json", "--delay", "0", *urls)
    told = {line["url"]: line for line in map(json.loads, done.stdout.splitlines())}
    return [(told[url]["outcome"], told[url]["reason"]) for url in urls]


def asked(origin: Origin, *paths: str) -> list[int]:
    return [len(origin.logged(path)) for path in paths]


def test_what_is_removed_for_good_is_not_asked_for(newskeep: Run, origin: Origin) -> None:
    a, b, stays, leads = map(origin.url, ("/gone/a", "/gone/b", "/stays", "/leads"))
    assert [each for each, _ in saved(newskeep, a, stays)] == ["archived"] * 2
    assert newskeep("remove", origin.url("/gone/*"), "--also-future", "--reason", "asked", "--yes").returncode == 0
    assert saved(newskeep, a, b, stays) == [
        ("refused", _REASON),
        ("refused", _REASON),
        ("unchanged", "same content as before"),
    ]
    # Nor where another page leads to it.
    assert saved(newskeep, leads)[0][0] == "refused"
    assert asked(origin, "/gone/a", "/gone/b", "/stays", "/leads") == [1, 0, 2, 1]


@pytest.mark.parametrize("options", [[], ["--also-future", "--until", "2099"]])
def test_what_may_be_shown_again_is_fetched(newskeep: Run, origin: Origin, options: list[str]) -> None:
    url = origin.url("/gone/a")
    saved(newskeep, url)
    assert newskeep("remove", url, *options, "--reason", "asked", "--yes").returncode == 0
    assert saved(newskeep, url)[0][0] == "archived"
    assert asked(origin, "/gone/a") == [2]


def test_what_is_given_back_is_fetched(newskeep: Run, origin: Origin) -> None:
    url = origin.url("/gone/a")
    saved(newskeep, url)
    assert newskeep("remove", url, "--also-future", "--reason", "asked", "--yes").returncode == 0
    assert newskeep("remove", url, "--undo", "--reason", "a mistake", "--yes").returncode == 0
    assert saved(newskeep, url)[0][0] != "refused"

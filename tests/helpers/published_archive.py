"""An archive of two months, for publishing: `pytest_plugins = ["published_archive"]`; and all that it answers.

Nothing is tested here: PYTEST_DONT_REWRITE lets test modules import the rest as well.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from filled_archive import BEGIN, deliver, fill, folder_archive, page

from storage.annotating.annotate import put as say
from storage.annotations import tagged
from storage.archive import Archive
from storage.maintenance.verify import Verification
from storage.objects.local import LocalStore
from storage.postgres_address import PostgresAddress
from storage.problems import Problem
from storage.published.month import Month
from storage.publishing.publish import PublishOptions, publish
from storage.publishing.release import release

MARCH, APRIL = Month(2026, 3), Month(2026, 4)
ONE = "https://www.paper.example/1"
#: What is told of the database is told of both kinds; it is the same where files alone are looked at.
over_both = pytest.mark.parametrize("archive", ["sqlite", "postgresql"], indirect=True)
#: What the database has little part in, and is asked for as elsewhere.
over_one = pytest.mark.parametrize(
    "archive", ["sqlite", pytest.param("postgresql", marks=pytest.mark.exhaustive)], indirect=True
)


@pytest.fixture
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    if getattr(request, "param", "sqlite") == "sqlite":
        yield from folder_archive(tmp_path / "archive")
        return
    address = PostgresAddress.parse(request.getfixturevalue("postgres_database"))
    with Archive(LocalStore(str(tmp_path / "archive")), tmp_path / "archive", address) as opened:
        yield opened


@pytest.fixture
def two_months(archive: Archive) -> Archive:
    """March: 3 WARCs of 4 pages, each with a revisit; April: two of the pages once more."""
    fill(archive)
    deliver(archive, 9, [page(1, 40), page(2, 40)], revisit=True)
    say(archive, tagged(ONE, "exact", "who", add=["one"]))
    say(archive, tagged("www.paper.example", "host", "who", add=["all"]))
    return archive


def published(archive: Archive, **options: Any) -> list[tuple[str, bool]]:
    problems: list[Problem] = []
    found = publish(archive, PublishOptions(**options), on_problem=problems.append)
    done = [(str(each.manifest.month), each.is_new) for each in found]
    assert problems == []
    return done


def let_go(archive: Archive) -> int:
    left = 0
    for each in publish(archive):
        done = release(archive, each.manifest)
        assert done.unanswered == 0
        left += done.left
    return left


def answers(archive: Archive) -> dict[str, Any]:
    """What the index answers to everything that can be asked of captures."""
    index = archive.index
    everything = list(index.all_captures())
    found: dict[str, Any] = {"all": everything, "hidden": list(index.with_hidden.all_captures())}
    middle = BEGIN + timedelta(days=20)
    for since, until in ((None, middle), (middle, None), (BEGIN, BEGIN + timedelta(minutes=3))):
        found[f"{since} {until}"] = list(index.all_captures(since=since, until=until))
    for match in ("host", "domain", "prefix"):
        found[match] = list(index.captures("www.paper.example", match=match))
    found["pages"] = [list(index.all_captures(limit=2, after=one)) for one in everything]
    found["tagged"] = [list(index.all_captures(tag=tag)) for tag in ("one", "all", "none")]
    found["tags"] = index.tags()
    for url in sorted({one.url for one in everything} | {"https://www.paper.example/none", "http://paper.example/%31"}):
        found[url] = [
            list(index.captures(url)),
            index.latest(url),
            index.latest(url, accept=lambda one: not one.is_revisit),
            [index.closest(url, BEGIN + timedelta(days=day)) for day in (-9, 0, 15, 25, 41, 99)],
            [index.find(url, one.timestamp, one.digest) for one in everything if one.url == url],
        ]
    digests = {one.digest for one in everything if one.digest}
    found["revisits"] = sorted(index.with_hidden.revisits(digests), key=lambda one: (one.filename, one.offset))
    return found


def sound(archive: Archive) -> list[Problem]:
    return list(Verification(archive, deep=True).problems())


def everywhere(archive: Archive) -> set[str]:
    """The folders of what is published that have the page `ONE`."""
    index = Path(archive.uri) / "index"
    words = f'"{ONE}"'.encode()
    found = {
        folder
        for folder in ("cdx", "withheld")
        if any(words in gzip.decompress(path.read_bytes()) for path in (index / folder).rglob("*.gz"))
    }
    rows = duckdb.execute(f"select count(*) from '{index}/table/**/*.parquet' where url = '{ONE}'").fetchall()
    return found | ({"table"} if rows != [(0,)] else set())

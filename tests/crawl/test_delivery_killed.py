"""`kill -9` at every step between the first byte and the index commit, and while the spool is emptied."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from promises import NewsOrigin, answer, check_parts, check_records, keeper_of, page
from s3_server import BUCKET, S3Server, use
from warm_start import WarmStart

KILL_WALK = Path(__file__).parents[1] / "helpers" / "kill_walk.py"

pytestmark = pytest.mark.long

pytest_plugins = ["s3_server"]

numbers = itertools.count()


@pytest.mark.parametrize(
    ("where", "walk"),
    [
        ("folder", "recovery"),
        pytest.param("s3", "crawl", marks=pytest.mark.exhaustive),
        pytest.param("folder", "crawl", marks=pytest.mark.exhaustive),
        pytest.param("s3", "recovery", marks=pytest.mark.exhaustive),
    ],
)
def test_killed_at_every_step(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    walk: str,
    warm_start: WarmStart,
) -> None:
    uri = str(tmp_path / "archive")
    if where == "s3":
        server: S3Server = request.getfixturevalue("moto_server")
        use(server, monkeypatch)
        uri = f"s3://{BUCKET}/killed-{next(numbers)}"
    with NewsOrigin() as origin:
        keeper = keeper_of(uri, tmp_path, environment, origin, warm_start)
    command = [
        sys.executable,
        str(KILL_WALK),
        walk,
        uri,
        str(keeper.state),
    ]
    done = subprocess.run(command, env=keeper.environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *told, steps = done.stdout.split()
    assert int(steps) > 20
    assert len(told) > int(steps)
    assert "Traceback" not in done.stderr
    with keeper.open() as archive:
        found = [url for url, _, _ in check_records(archive, check_parts(archive))]
        assert len(found) == len(set(found))
        for url in told:
            path = url.removeprefix("http://news.example")
            assert archive.get(url).response == answer(page(path), "text/html")
            assert archive.article(url).title == f"All about {path}"
    assert keeper.waiting() == []
    assert list((keeper.state / "spool").iterdir()) == []

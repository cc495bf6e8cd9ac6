"""`kill -9` at every step between the first byte and the index commit, and while the spool is emptied."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import pytest
from promises import NewsOrigin, answer, check_parts, check_records, keeper_of, page
from s3_server import BUCKET, S3Server, use
from warm_start import WarmStart

KILL_WALK = Path(__file__).parents[1] / "helpers" / "kill_walk.py"
#: Runs it as a script.
WALK = "import runpy, sys; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"

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
    walked = (str(KILL_WALK), walk, uri, str(keeper.state))
    done = warm_start.python(WALK, *walked, cwd=tmp_path, environment=keeper.environment, timeout=600)
    assert done.returncode == 0, done.stderr.decode()
    *told, steps = done.stdout.decode().split()
    assert int(steps) > 20
    assert len(told) > int(steps)
    assert b"Traceback" not in done.stderr
    with keeper.open() as archive:
        found = [url for url, _, _ in check_records(archive, check_parts(archive))]
        assert len(found) == len(set(found))
        for url in told:
            path = url.removeprefix("http://news.example")
            assert archive.get(url).response == answer(page(path), "text/html")
            assert archive.article(url).title == f"All about {path}"
    assert keeper.waiting() == []
    assert list((keeper.state / "spool").iterdir()) == []

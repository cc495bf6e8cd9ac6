"""Programs that others wrote find what they look for: pywb, cdx-toolkit, wayback, memento-client, schemathesis.

The server does not know them; each gets an environment of its own, made once.
"""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from foreign_venvs import clean_environ, environment
from pywb_server import running_pywb
from sample_archive import TOOLS, Tools
from web_archive import BIG, HOSTILE_BODY, PAPER, RFC_TIMES, RFC_URL, Serving, Site

pytestmark = pytest.mark.long

pytest_plugins = ["web_archive"]

CLIENTS = (
    "cdx-toolkit==0.9.39",
    "wayback==0.5.1",
    "memento-client==0.6.1",
    # memento-client does not name it.
    "setuptools<81",
)


@pytest.fixture(scope="module")
def clients() -> Path:
    return environment("webclients", CLIENTS) / "bin"


@pytest.fixture(scope="module")
def told(site: Site, clients: Path) -> dict[str, Any]:
    script = Path(__file__).parents[1] / "helpers" / "foreign_clients.py"
    command = [str(clients / "python"), str(script), site.app, site.originals, str(len(BIG))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, env=clean_environ())
    assert done.returncode == 0, done.stderr[-3000:]
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def test_memento_client(site: Site, told: dict[str, Any]) -> None:
    assert told["memento-client"] == {
        "closest": f"{site.originals}/web/20010911203610/{RFC_URL}",
        "beside": {
            "closest": "2001-09-11T20:36:10",
            "first": "2000-06-20T18:02:59",
            "prev": "2000-06-21T04:41:56",
            "next": "2009-10-27T20:49:54",
            "last": "2009-10-27T20:49:54",
        },
        "original": RFC_URL,
        "is_timegate": True,
        "is_memento": True,
        "body": "20010911203610",
    }


@pytest.mark.parametrize("dialect", ["pywb", "ia"])
def test_cdx_toolkit(told: dict[str, Any], dialect: str) -> None:
    answer = told[f"cdx-toolkit, {dialect}"]
    assert answer.pop("urls") > 20
    assert answer == {
        "times": list(RFC_TIMES[:4]),
        "statuses": ["200"],
        "nothing": 0,
        "estimate": 1,
        "same_size": True,
        # In the one it asks for the first capture, in the other for the last.
        "revisit": dialect == "ia",
        "location": f"{PAPER}/story",
        "odd": "escapes",
    }


def test_wayback(told: dict[str, Any]) -> None:
    answer = told["wayback"]
    assert answer["times"] == list(RFC_TIMES)
    assert answer["paged"] == answer["different"] > 20
    assert answer["dated"] == 2
    assert (answer["body"], answer["url"]) == ("20010911203610", RFC_URL)
    assert {"first memento", "prev memento", "next memento", "last memento", "timegate"} <= set(answer["links"])
    # It gives its users the archived fields under their old names.
    assert answer["headers"]["refresh"] == "0; url=https://elsewhere.example/"
    assert base64.b64decode(answer["hostile"]) == HOSTILE_BODY
    assert answer["moved"] == [f"{PAPER}/story", [f"{PAPER}/moved"]]
    assert answer["missing"] == "no memento"


@pytest.mark.exhaustive
def test_openapi_document_is_true_to_the_routes(web_folder: Path, tmp_path: Path) -> None:
    # Read-only: what it makes up is not to be fetched.
    with Serving(web_folder, "--read-only") as site:
        _hold_against(site, tmp_path)


def _hold_against(site: Site, tmp_path: Path) -> None:
    clients = environment("schemathesis", ["schemathesis==4.32.5"]) / "bin"
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    command = [
        *(str(clients / "schemathesis"), "run", f"{site.app}/openapi.json", "--no-color"),
        *("--checks", f"{checks},negative_data_rejection,unsupported_method"),
        # Every bound of every parameter, from both sides; made-up values beyond that have found nothing more.
        *("--phases", "coverage", "--seed", "1"),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=200, check=False, env=clean_environ(), cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.fixture(scope="module")
def pywb(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a pywb that has our WARCs and asks our CDX server where in them a capture lies."""
    folder = tmp_path_factory.mktemp("pywb")
    index = {
        "type": "cdx",
        "api_url": f"{site.app}/cdx?url={{url}}&closest={{closest}}&sort=closest",
        "replay_url": "",
    }
    places = sorted({f"{warc.parent}/" for warc in site.folder.glob("warc/**/*.warc.gz")})
    # JSON is YAML.
    (folder / "config.yaml").write_text(
        json.dumps({"collections": {"ours": {"index": index, "archive_paths": places}}, "framed_replay": False})
    )
    with running_pywb(Tools(environment("webarchive", TOOLS)), folder) as port:
        yield port


def _ask(port: int, path: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=240)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()


def test_pywb_replays_by_our_index(pywb: int) -> None:
    for digits in RFC_TIMES:
        assert _ask(pywb, f"/ours/{digits}id_/{RFC_URL}") == (200, digits.encode())
    # The nearest, and a revisit with the body of its original.
    assert _ask(pywb, f"/ours/20010910id_/{RFC_URL}") == (200, b"20010911203610")
    assert _ask(pywb, f"/ours/20260301070000id_/{PAPER}/big") == (200, BIG)
    assert _ask(pywb, f"/ours/20260301060000id_/{PAPER}/a%20b/%C3%A6?q=r%C3%B8d&x=1;y=2") == (200, b"escapes")
    assert _ask(pywb, f"/ours/20260301060000id_/{PAPER}/missing")[0] == 404
    assert _ask(pywb, "/ours/2026id_/http://never.example/")[0] == 404


def test_pywb_lists_by_our_index(pywb: int) -> None:
    status, body = _ask(pywb, f"/ours/cdx?url={RFC_URL}&output=json")
    assert status == 200
    assert [json.loads(line)["timestamp"] for line in body.splitlines()] == list(RFC_TIMES)
    assert len(_ask(pywb, f"/ours/cdx?url={PAPER}/&matchType=prefix")[1].splitlines()) > 20

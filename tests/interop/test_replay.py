"""pywb replays our archives: indexed by itself, and from our CDXJ files; both must give back what the servers sent."""

from __future__ import annotations

import heapq
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from hostile_responses import TEXT
from pywb_server import Pywb, running_pywb
from sample_archive import Sample, Tools, is_unclear, page, picture

from storage import open_archive
from storage.publishing.publish import PublishOptions, publish

pytest_plugins = ["sample_archive"]


@pytest.fixture(scope="module")
def pywb(sample: Sample, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pywb]:
    folder = tmp_path_factory.mktemp("pywb")
    for arguments in (["init", "theirs"], ["add", "theirs", *sample.warcs]):
        done = tools("wb-manager", *arguments, cwd=folder)
        assert done.returncode == 0, done.stderr
    with (folder / "ours.cdxj").open("wb") as merged:
        # Merging, not sorting: what a machine with many of these files would do.
        merged.writelines(heapq.merge(*(sample.cdxj(warc).read_bytes().splitlines(True) for warc in sample.warcs)))
    clusters = published(sample, folder / "published")
    places = sorted({f"{warc.parent}/" for warc in sample.warcs})
    ours = {"index": str(folder / "ours.cdxj"), "archive_paths": places}
    # JSON is YAML.
    zipnum = {"index_group": clusters, "archive_paths": places}
    collections = {"ours": ours, "published": zipnum}
    (folder / "config.yaml").write_text(json.dumps({"collections": collections, "framed_replay": False}))
    with running_pywb(tools, folder) as port:
        yield Pywb(port)


def published(sample: Sample, folder: Path) -> dict[str, dict[str, str]]:
    """The ZipNum clusters of the months of the archive, as pywb is told of them."""
    shutil.copytree(sample.archive, folder)
    with open_archive(folder) as archive:
        later = datetime.now(UTC) + timedelta(days=40)
        done = list(publish(archive, PublishOptions(table=False, now=later)))
    found = {str(each.manifest.month): each.manifest for each in done}
    return {
        month: {"type": "zipnum", "path": str(folder / manifest.of("cdx")["cluster.idx"].key)}
        for month, manifest in found.items()
    }


COLLECTIONS = pytest.mark.parametrize("collection", ["theirs", "ours", "published"])


@COLLECTIONS
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_pages_come_back(pywb: Pywb, sample: Sample, collection: str, scheme: str) -> None:
    origin = sample.secure if scheme == "https" else sample.origin
    expected = {
        "/page": page("The page"),
        "/picture.png": picture(),
        "/same": page("Always the same"),
        "/same-chunked": page("The same in chunks"),
        "/missing": page("Not here"),
        # Its 103 is in the WARC too, and must not come instead.
        "/early": page("The hinted page"),
    }
    for path, body in expected.items():
        answer = pywb.get(f"/{collection}/2999id_/{origin.url(path)}")
        assert answer.body == body, path
        assert answer.status == (404 if path == "/missing" else 200)


@COLLECTIONS
def test_page_is_rewritten_to_the_picture_of_the_archive(pywb: Pywb, sample: Sample, collection: str) -> None:
    answer = pywb.get(f"/{collection}/2999mp_/{sample.origin.url('/page')}")
    assert b"R\xc3\xb8dgr\xc3\xb8d med fl\xc3\xb8de, The page." in answer.body
    place = answer.body.partition(b'<img src="')[2].partition(b'"')[0].decode()
    # pywb writes the address with or without its own host in front.
    shown = pywb.get("/" + place.removeprefix(f"http://127.0.0.1:{pywb.port}").lstrip("/"))
    assert shown.headers["Content-Type"] == "image/png"
    assert shown.body == picture()


@COLLECTIONS
def test_redirect_leads_to_the_page(pywb: Pywb, sample: Sample, collection: str) -> None:
    answer = pywb.get(f"/{collection}/2999mp_/{sample.origin.url('/moved')}")
    assert answer.status == 301
    assert f"/{collection}/" in answer.headers["Location"]
    assert answer.headers["Location"].endswith(sample.origin.url("/page"))


@COLLECTIONS
@pytest.mark.parametrize("name", ["gzip", "chunked-gzip", "brotli", "deflate-raw", "lf-only", "header-bytes"])
def test_odd_answers_come_back(pywb: Pywb, sample: Sample, collection: str, name: str) -> None:
    answer = pywb.get(f"/{collection}/2999id_/{sample.origin.url(f'/case/{name}')}")
    assert answer.status == 200
    assert answer.body.replace(TEXT, b"") == b""
    assert answer.body


@COLLECTIONS
def test_timegate_picks_the_capture_by_its_time(pywb: Pywb, sample: Sample, collection: str) -> None:
    url = sample.origin.url("/changing")
    lines = pywb.get(f"/{collection}/cdx?output=json&url={quote(url)}").body.splitlines()
    assert len(lines) == 2
    for line, text in zip(lines, ("first", "second"), strict=True):
        at = datetime.strptime(json.loads(line)["timestamp"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        asked = format_datetime(at, usegmt=True)
        answer = pywb.get(f"/{collection}/{url}", Accept_Datetime=asked)
        assert answer.headers["Memento-Datetime"] == asked
        assert f"The {text} version".encode() in answer.body
        assert f'<{url}>; rel="original"' in answer.headers["Link"]


def test_both_indexes_say_the_same(pywb: Pywb, sample: Sample) -> None:
    found = {}
    for collection in ("theirs", "ours"):
        lines: list[dict[str, str]] = []
        for host in (sample.origin.netloc, sample.secure.netloc, "nyhed.example", "xn--blbr-roah.example"):
            answer = pywb.get(f"/{collection}/cdx?output=json&matchType=prefix&url={quote(f'http://{host}/')}")
            lines += map(json.loads, answer.body.splitlines())
        found[collection] = [_comparable(line) for line in lines]
    assert found["ours"] == found["theirs"]
    assert len(found["ours"]) > 100


def _comparable(line: dict[str, str]) -> dict[str, str | None]:
    same: dict[str, str | None] = {name: line[name] for name in ("urlkey", "timestamp", "url", *_PLACE)}
    if not is_unclear(line["url"]):
        # pywb leaves the digest's label out, calls a missing type "unk", and tells no status of a revisit.
        same["digest"] = line["digest"].removeprefix("sha1:")
        same["mime"] = line.get("mime", "unk")
        same["status"] = None if line.get("mime") == "warc/revisit" else line["status"]
    return same


_PLACE = ("filename", "offset", "length")


@COLLECTIONS
def test_what_was_never_fetched_is_not_there(pywb: Pywb, sample: Sample, collection: str) -> None:
    assert pywb.get(f"/{collection}/2999id_/{sample.origin.url('/never-fetched')}").status == 404

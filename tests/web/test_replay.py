"""`newskeep serve --replay`: pywb beside the server, behind its lock, from a bucket as from a folder; and its life."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import pytest
from command import Run
from live_processes import is_alive
from origin import Origin
from replay_page import MORE, Replaying, Shown, install, save
from s3_server import BUCKET, S3Server
from sample_archive import picture
from waiting import until
from web_archive import Answer, Site

pytest_plugins = ["replay_page", "s3_server"]

TOKEN = "0123456789abcdef-token"
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(frozen=True, slots=True)
class Locked:
    """A server over a bucket that asks for a token."""

    site: Site
    replay: str
    page: str
    temporary: Path


@pytest.fixture(scope="module")
def locked(moto_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    folder = tmp_path_factory.mktemp("bucket")
    environ = {
        "AWS_ENDPOINT_URL_S3": moto_server.endpoint,
        "AWS_ACCESS_KEY_ID": moto_server.access_key,
        "AWS_SECRET_ACCESS_KEY": moto_server.secret_key,
        "AWS_EC2_METADATA_DISABLED": "true",
        "XDG_STATE_HOME": str(folder / "state"),
        "TMPDIR": str(folder),
    }
    archive = f"s3://{BUCKET}/replay"
    with Origin() as origin:
        install(origin)
        save(origin, archive, **environ)
    serving = Replaying(folder / "none", "--archive", archive, "--token", TOKEN, **environ)
    with serving as site:
        yield Locked(site, serving.replay, origin.url("/page"), folder)


def test_page_from_a_bucket_with_its_pictures(locked: Locked) -> None:
    page = locked.site.get(f"{locked.replay}/web/2999/{locked.page}", **WITH_TOKEN)
    assert page.status == 200, page.body
    assert b"The bridge is open" in page.body
    place = re.search(rb'src="([^"]+plain\.png)"', page.body)
    assert place
    shown = locked.site.get(urljoin(locked.replay, place[1].decode()), **WITH_TOKEN)
    assert (shown.status, shown.headers["Content-Type"], shown.body) == (200, "image/png", picture())


def test_replay_has_the_lock_of_the_app(locked: Locked) -> None:
    address = f"{locked.replay}/web/2999/{locked.page}"
    assert locked.site.get(address).status == 401
    refused = locked.site.get(address, Accept="text/html", Accept_Language="de").body
    assert b"<h1>Anmeldung n" in refused and b"stylesheet" not in refused and b"<a " not in refused
    assert locked.site.get(address, Host="rebound.example", **WITH_TOKEN).status == 421
    assert locked.site.get(address, Service_Worker="script", **WITH_TOKEN).status == 403
    assert locked.site.get(address, method="POST", **WITH_TOKEN).status == 405


def test_replayed_answer_leaves_nothing_behind(locked: Locked) -> None:
    headers = locked.site.get(f"{locked.replay}/web/2999/{locked.page}", **WITH_TOKEN).headers
    assert "Set-Cookie" not in headers
    assert headers.get_all("Content-Security-Policy")[0].startswith("sandbox allow-scripts")  # type: ignore[index]
    assert len(headers.get_all("Content-Security-Policy") or ()) == 1
    assert headers["Memento-Datetime"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_tab_of_its_own_is_led_under_the_banner(locked: Locked) -> None:
    tab = {**WITH_TOKEN, "Sec_Fetch_Dest": "document", "Sec_Fetch_Mode": "navigate"}
    for stamp, led in (("2999/", "2999/"), ("2999mp_/", "2999/"), ("", "")):
        found = locked.site.get(f"{locked.replay}/web/{stamp}{locked.page}", **tab)
        assert (found.status, found.headers["Location"]) == (302, f"{locked.site.app}/replay/{led}{locked.page}")
    assert locked.site.get(f"{locked.replay}/web/*/{locked.page}", **tab).status == 200
    # Without the key it is asked for first, so that the frame has it.
    assert locked.site.get(f"{locked.replay}/web/2999/{locked.page}", Sec_Fetch_Dest="document").status == 401
    for others in ({"Sec_Fetch_Dest": "iframe"}, {"Sec_Fetch_Dest": "image"}, {}):
        page = locked.site.get(f"{locked.replay}/web/2999/{locked.page}", **WITH_TOKEN, **others)
        assert b"The bridge is open" in page.body
    plain = locked.site.get(f"{locked.replay}/web/2999id_/{locked.page}", **tab)
    assert plain.status == 200 and b"Newskeep" not in plain.body


def test_banner_stands_around_the_origin_of_replay(locked: Locked) -> None:
    first = locked.site.get(f"/replay/{locked.page}", **WITH_TOKEN)
    page = locked.site.get(first.headers["Location"], **WITH_TOKEN)
    assert f'src="{locked.replay}/web/2' in page.body.decode()
    assert f"frame-src {locked.site.originals} {locked.replay};" in page.headers["Content-Security-Policy"]
    framed = locked.site.get(f"{locked.replay}/web/2999/{locked.page}", **WITH_TOKEN)
    policy = framed.headers["Content-Security-Policy"]
    assert f"frame-ancestors 'self' {locked.site.app}" in policy
    assert "X-Frame-Options" not in framed.headers and "allow-top-navigation" not in policy


def test_home_is_the_reading_room(locked: Locked) -> None:
    assert locked.site.get(f"{locked.replay}/", **WITH_TOKEN).headers["Location"] == f"{locked.site.app}/"


def test_key_of_replay_opens_index_and_warcs_alone(locked: Locked) -> None:
    (config,) = locked.temporary.glob("newskeep-pywb-*/config.yaml")
    assert config.parent.stat().st_mode & 0o077 == 0
    warcs = json.loads(config.read_text())["collections"]["web"]["archive_paths"]
    assert TOKEN not in config.read_text()
    door = warcs.partition("://")[2].partition("@")[0]
    key = {"Authorization": f"Basic {base64.b64encode(door.encode()).decode()}"}
    assert locked.site.get(f"/cdx?url={locked.page}", **key).status == 200
    assert [locked.site.get(path, **key).status for path in ("/", "/api/counts", "/metrics")] == [401] * 3
    assert locked.site.get(f"{locked.replay}/web/2999/{locked.page}", **key).status == 401


def test_warcs_by_name_and_range(locked: Locked, moto_server: S3Server) -> None:
    client = moto_server.client()
    (held,) = client.list_objects_v2(Bucket=BUCKET, Prefix="replay/warc/")["Contents"]
    data = client.get_object(Bucket=BUCKET, Key=held["Key"])["Body"].read()
    client.close()
    name = held["Key"].rpartition("/")[2]

    def get(name: str, method: str = "GET", **headers: str) -> Answer:
        return locked.site.get(f"/warc/{name}", method, **headers, **WITH_TOKEN)

    whole, part, head = get(name), get(name, Range="bytes=100-199"), get(name, "HEAD")
    assert (whole.status, whole.headers["Content-Type"], whole.body) == (200, "application/warc", data)
    assert (part.status, part.body) == (206, data[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(data)}"
    assert get(name, Range=f"bytes={len(data)}-").status == 416
    assert (head.body, head.headers["Content-Length"]) == (b"", str(len(data)))
    others = (name.removesuffix(".gz"), "..%2f..%2fetc%2fpasswd", "index.sqlite", "x" + name)
    assert [get(other).status for other in others] == [404] * len(others)
    assert locked.site.get(f"/warc/{name}").status == 401


def test_pywb_may_die_and_ends_with_the_server(shown: Shown) -> None:
    serving = Replaying(shown.folder)
    with serving as site:
        style = shown.origin.url("/css/more.css")
        assert site.get(f"{serving.replay}/web/2999id_/{style}").body == MORE
        (pid,) = serving.children()
        os.kill(pid, signal.SIGKILL)
        until(lambda: "pywb ended" in serving.log.read_text())
        answer = site.get(f"{serving.replay}/web/2999/{shown.url}")
        assert answer.status == 503
        assert b"pywb is not running" in answer.body
        assert site.get("/healthz").status == 200
    said = serving.log.read_text().splitlines()
    assert len([line for line in said if "replay is off until the next start: pywb ended (signal 9)" in line]) == 1
    assert serving.process.returncode == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_pywb_does_not_outlive_the_server(shown: Shown, how: signal.Signals, tmp_path: Path) -> None:
    serving = Replaying(shown.folder, TMPDIR=str(tmp_path))
    with serving:
        (pid,) = serving.children()
        serving.process.send_signal(how)
        serving.process.wait()
        until(lambda: not is_alive(pid))
    assert "pywb ended" not in serving.log.read_text()


def test_what_is_missing_or_taken_is_one_line(newskeep: Run, shown: Shown, tmp_path: Path) -> None:
    serve = ("serve", "--archive", str(shown.folder), "--port", "0", "--replay")
    done = newskeep(*serve)
    folder = tmp_path / "home" / ".local" / "share" / "newskeep" / "pywb"
    line = f"--replay needs pywb, and {folder}/bin/pywb is not there; make it with: python3 -m venv {folder} && "
    assert (done.returncode, done.stdout) == (2, b"")
    assert line in done.stderr.decode().replace("\n", " ")
    program = tmp_path / "pywb"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = newskeep(*serve, "--pywb", str(program), "--replay-port", str(port))
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert f"port {port}".encode() in done.stderr and b"--replay-port" in done.stderr

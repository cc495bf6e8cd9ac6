"""Saving over HTTP, by the API, the CMS hook and the reading room: who may, what comes of it, what is refused."""

from __future__ import annotations

import http.client
import json
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from command import Run
from origin import Hang, Origin, response
from web_archive import Answer, Serving, ServingWithChild, Site

from newskeep.saving.jobs import URLS_MAX, WAITING_MAX, Job, JobQueue, QueueFull
from newskeep.web.saving import RateBound
from storage import open_archive

pytestmark = pytest.mark.long

TOKEN = "0123456789abcdef"
KEY = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OURS = {"Sec-Fetch-Site": "same-origin"}
PAGE = b"<!doctype html><title>A bridge opens</title><article><p>The town has waited for it since spring.</p></article>"
#: Fetching from this machine is for tests.
ENVIRON = {"NEWSKEEP_ALLOW_PRIVATE": "1", "NEWSKEEP_OPERATOR": "tests@example.org"}


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        page = response(PAGE, headers=[("Content-Type", "text/html")])
        origin.on_any(lambda path: page if path.startswith("/page") else None)
        yield origin


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "archive").mkdir()
    return tmp_path / "archive"


def post(site: Site, path: str, body: Any, **headers: str) -> Answer:
    """Send JSON, or what `body` is as text."""
    with closing(http.client.HTTPConnection(urlsplit(site.app).netloc, timeout=240)) as connection:
        sent = body if isinstance(body, str | bytes) else json.dumps(body)
        connection.request("POST", path, sent, {**JSON, **{name.replace("_", "-"): headers[name] for name in headers}})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())


def until(site: Site, job: str, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Ask after a job until it is as it should be."""
    while True:
        told: dict[str, Any] = json.loads(site.get(f"/api/jobs/{job}", **KEY).body)
        if is_so(told):
            return told
        assert told["state"] in ("waiting", "running"), told
        time.sleep(0.1)


def ended(site: Site, answer: Answer) -> dict[str, Any]:
    assert answer.status == 202, answer.body
    return until(site, json.loads(answer.body)["id"], lambda job: job["finished"] is not None)


def test_a_program_has_pages_saved_and_asks_after_them(folder: Path, origin: Origin) -> None:
    page, gone = origin.url("/page"), origin.url("/gone")
    with Serving(folder, "--user", "desk:a secret of theirs", "--token", TOKEN, **ENVIRON) as site:
        answer = post(site, "/api/save", {"urls": [page, gone, page]}, **KEY)
        location = answer.headers["Location"]
        assert json.loads(answer.body)["links"]["job"] == location == f"{site.app}{urlsplit(location).path}"
        job = ended(site, answer)
        assert {each["url"]: each["outcome"] for each in job["outcomes"]} == {page: "archived", gone: "failed"}
        assert (job["state"], job["asked_by"], job["error"]) == ("done", "the token, /api/save", None)
        assert site.get(f"/api/article?url={page}", **KEY).status == 200
        assert [each["id"] for each in json.loads(site.get("/api/jobs", **KEY).body)["jobs"]] == [job["id"]]
    (report,) = (json.loads(path.read_bytes()) for path in (folder / "crawls").rglob("*.json"))
    assert report["asked_by"] == f"the token, /api/save, job {job['id']}"
    assert b"secret" not in b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.exhaustive
def test_what_a_cms_puts_out_goes_before_all_else(folder: Path, origin: Origin) -> None:
    with Serving(folder, **ENVIRON) as site:
        first = post(site, "/api/save", {"url": origin.url("/page1")})
        later = post(site, "/api/save", {"url": origin.url("/page2")})
        put_out = post(site, "/api/published", {"url": origin.url("/page3")})
        # A CMS tells each save of its editor.
        again = post(site, "/api/published", {"url": origin.url("/page3")})
        assert json.loads(again.body)["id"] == json.loads(put_out.body)["id"]
        jobs = [ended(site, each) for each in (first, put_out, later)]
        assert [job["outcomes"][0]["outcome"] for job in jobs] == ["archived"] * 3
        assert jobs[1]["finished"] <= jobs[2]["started"]
        assert jobs[1]["asked_by"] == "this machine, /api/published"
        # What was put out once more may have changed.
        assert ended(site, post(site, "/api/published", {"url": origin.url("/page3")}))["outcomes"][0]["outcome"] == (
            "unchanged"
        )


def test_addresses_that_are_not_public_are_an_outcome(folder: Path, origin: Origin) -> None:
    with Serving(folder) as site:
        job = ended(site, post(site, "/api/save", {"url": origin.url("/page")}))
        assert job["outcomes"][0]["outcome"] == "refused"
        assert job["outcomes"][0]["reason"].startswith("not a public address")
    assert origin.requests == 0


def test_jobs_survive_a_restart_and_a_kill(folder: Path, origin: Origin) -> None:
    # So that the first is under way when the server is killed.
    may_answer = threading.Event()
    origin.on_request(lambda _path, _request: None if may_answer.wait(240) else b"")
    serving = ServingWithChild(folder, **ENVIRON)
    with serving as site:
        first = json.loads(post(site, "/api/save", {"url": origin.url("/page1")}).body)["id"]
        second = json.loads(post(site, "/api/save", {"url": origin.url("/page2")}).body)["id"]
        until(site, first, lambda job: job["state"] == "running")
        serving.process.send_signal(signal.SIGKILL)
        serving.process.wait()
    may_answer.set()
    with Serving(folder, **ENVIRON) as site:
        third = json.loads(post(site, "/api/save", {"url": origin.url("/page3")}).body)["id"]
    # It is asked to end in the middle, and goes on the next time.
    with Serving(folder, **ENVIRON) as site:
        for number, job in enumerate((first, second, third), 1):
            told = until(site, job, lambda job: job["finished"] is not None)
            assert (told["state"], len(told["outcomes"])) == ("done", 1), told
            assert told["outcomes"][0]["outcome"] in ("archived", "unchanged"), told
            with open_archive(folder) as archive:
                assert archive.get(origin.url(f"/page{number}")).message.payload == PAGE


@pytest.mark.exhaustive
def test_a_server_that_does_not_answer_holds_up_no_restart(folder: Path, origin: Origin) -> None:
    origin.on("/slow", Hang())
    origin.reply("/slow", PAGE, headers=[("Content-Type", "text/html")])
    with Serving(folder, **ENVIRON) as site:
        job = json.loads(post(site, "/api/save", {"urls": [origin.url("/page"), origin.url("/slow")]}).body)["id"]
        while not origin.logged("/slow") or len(until(site, job, lambda told: True)["outcomes"]) < 1:
            time.sleep(0.1)
    with Serving(folder, **ENVIRON) as site:
        told = until(site, job, lambda told: told["finished"] is not None)
        assert [each["outcome"] for each in told["outcomes"]] == ["archived", "archived"]
        assert len(origin.logged("/page")) == 1


WRONG = [
    ("not json", 400, "the body is no JSON"),
    ("[]", 400, "no other field"),
    ("{}", 400, "no other field"),
    ({"url": 1}, 400, "no other field"),
    ({"urls": "https://www.example.org/"}, 400, "no other field"),
    ({"urls": ["https://www.example.org/", None]}, 400, "no other field"),
    ({"url": "https://www.example.org/", "at": "now"}, 400, "no other field"),
    ({"urls": []}, 400, "name at least one URL"),
    ({"urls": [f"https://www.example.org/{n}" for n in range(URLS_MAX + 1)]}, 400, "at most 100 URLs"),
    ({"url": "ftp://www.example.org/"}, 400, "neither http:// nor https://"),
    ({"url": "https://www.example.org/\ud800"}, 400, "not valid Unicode"),
    ({"url": "https://www.example.org/" + "x" * 9_000}, 400, "longer than"),
    ("[" * 100_000, 400, "the body is no JSON"),
    ('{"url": "https://www.example.org/' + "x" * 1_000_001 + '"}', 413, "1,000,000 bytes"),
]


def test_what_is_wrong_is_told_in_a_line_and_makes_no_job(folder: Path) -> None:
    with Serving(folder, **ENVIRON) as site:
        for path in ("/api/save", "/api/published"):
            for body, status, message in WRONG:
                answer = post(site, path, body)
                assert answer.status == status, (body, answer.body)
                assert message in json.loads(answer.body)["message"] and len(answer.body) < 400
            assert post(site, path, {"url": "https://www.example.org/"}, Content_Type="text/plain").status == 415
            assert site.get(path).status == 405
        for job in ("x", "20260101000000000-00000000", "..%2F..%2Fx"):
            assert site.get(f"/api/jobs/{job}").status == 404
        assert json.loads(site.get("/api/jobs").body) == {"jobs": []}


def test_it_is_for_who_has_the_key_and_for_no_other_site(folder: Path) -> None:
    wanted = {"url": "http://127.0.0.1:9/"}
    with Serving(folder, "--token", TOKEN) as site:
        assert post(site, "/api/save", wanted).status == 401
        assert post(site, "/api/save", wanted, Authorization="Bearer 1123456789abcdef").status == 401
        for headers in (
            {"Sec_Fetch_Site": "cross-site"},
            {"Sec_Fetch_Site": "same-site"},
            {"Origin": "https://enemy.example"},
            {"Origin": "null"},
            {"Origin": site.originals},
        ):
            assert post(site, "/api/save", wanted, **KEY, **headers).status == 403, headers
            assert post(site, "/save", urlencode({"urls": wanted["url"]}), **KEY, **FORM, **headers).status == 403
        # A form must say where it stands.
        assert post(site, "/save", urlencode({"urls": wanted["url"]}), **KEY, **FORM).status == 403
        assert json.loads(site.get("/api/jobs", **KEY).body) == {"jobs": []}
    with Serving(folder, "--read-only") as site:
        assert post(site, "/api/save", wanted).status == 403
        assert post(site, "/save", urlencode({"urls": wanted["url"]}), **FORM, **OURS).status == 403
        assert b"Save" not in site.get("/", Accept="text/html").body
        assert site.get("/save", Accept="text/html").status == 403


def test_from_the_reading_room(folder: Path, origin: Origin) -> None:
    page = origin.url("/page?a=1&b=2")
    with Serving(folder, **ENVIRON) as site:
        assert b'action="/save"' in site.get("/", Accept="text/html").body
        assert b"Save it now" in site.get(f"/captures/{page}", Accept="text/html").body
        shown = unescape(site.get(f"/save?{urlencode({'url': page})}", Accept="text/html").body.decode())
        assert f">{page}</textarea>" in shown and f"location.href='{site.app}'+'/save?url='" in shown
        for elsewhere in ("none", "cross-site"):  # by the address bar, by the bookmarklet
            assert site.get("/save", Accept="text/html", Sec_Fetch_Site=elsewhere).status == 200
        form = urlencode({"urls": f" {page}\r\n{page}\r\n{origin.url('/gone')} "})
        answer = post(site, "/save", form, **FORM, **OURS)
        assert answer.status == 303
        where = answer.headers["Location"]
        until(site, where.rpartition("/")[2], lambda job: job["finished"] is not None)
        told = unescape(site.get(where, Accept="text/html").body.decode())
        assert re.search(r">archived</strong> <a [^>]+>A bridge opens</a>", told) and "404 Not Found" in told
        assert 'http-equiv="refresh"' not in told
        assert where in site.get("/save", Accept="text/html").body.decode()
        assert post(site, "/save", "urls=", **FORM, **OURS).status == 400


def test_what_is_taken_out_is_not_told_by_its_job_either(folder: Path, origin: Origin, newskeep: Run) -> None:
    page = origin.url("/page")
    with Serving(folder, **ENVIRON) as site:
        job = ended(site, post(site, "/api/save", {"url": page}))
        assert job["outcomes"][0]["title"] == "A bridge opens"
        done = newskeep("remove", page, "--reason", "tests", "--yes", "--archive", str(folder))
        assert done.returncode == 0, done.stderr
        for path in (f"/api/jobs/{job['id']}", "/api/jobs", f"/jobs/{job['id']}"):
            answer = site.get(path, Accept="text/html")
            assert answer.status == 200 and b"A bridge opens" not in answer.body and page.encode() in answer.body


def test_no_more_waits_than_may(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path / "jobs")
    for number in range(WAITING_MAX // URLS_MAX):
        queue.submit([f"https://www.example.org/{number}/{n}" for n in range(URLS_MAX)], "tests")
    with pytest.raises(QueueFull, match="1,000 URLs wait already"):
        queue.submit(["https://www.example.org/"], "tests")
    first = next(queue.waiting())
    queue.end(first.begun().ended())
    assert queue.submit(["https://www.example.org/"], "tests").state == "waiting"
    assert queue.get(first.id).state == "done"


def test_damaged_files_of_jobs_cost_no_other(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path / "jobs")
    job = queue.submit(["https://www.example.org/"], "tests", urgent=True)
    for number, damage in enumerate((b"", b"[]", b"{}", b"\xff", b'{"id": 1, "urls": [], "outcomes": []}')):
        (tmp_path / "jobs" / "waiting" / f"2026010100000000{number}-00000000.json").write_bytes(damage)
    assert list(queue.waiting()) == queue.newest(10) == [job] == [queue.get(job.id)]
    assert isinstance(job, Job)


def test_the_rate_is_bounded() -> None:
    bound = RateBound(2, 10)
    assert [bound.wait(now) for now in (0, 1, 2, 9.5)] == [0, 0, 8, 0.5]
    assert [bound.wait(now) for now in (10, 10.5, 11)] == [0, 0.5, 0]

"""`newskeep due` as cron starts it: quiet, one at a time, the most overdue first, ended in good order."""

from __future__ import annotations

import json
import logging
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command import Run
from opened import frontier_in
from origin import Origin, response
from warm_start import WarmStart

from crawler.frontier import open_frontier
from crawler.frontier.address_state import SiteState, Visit
from crawler.frontier.frontier import Frontier
from crawler.sites.site import Site
from newskeep.schedule.due import DueSites
from newskeep.schedule.troubles import KeptLog, Notebook, Trouble
from storage.errors import StoreUnavailable
from storage.locking import held

pytestmark = pytest.mark.long

NOW = datetime.now(UTC).replace(microsecond=0)
ITEM = "<item><title>Story {0}</title><link>{1}</link></item>"
FEED = '<?xml version="1.0"?><rss version="2.0"><channel><title>Gazette</title>{}</channel></rss>'
PAGE = "<html><title>Story {0}</title><article><h1>Story {0}</h1>{1}</article></html>"
WORDS = ("council", "harbour", "market", "school", "river", "winter", "budget", "mayor", "road", "church", "farmer")


def prose(*about: object) -> str:
    """Paragraphs that no other page has."""
    chance = random.Random(str(about))
    return "".join(f"<p>The {' '.join(chance.choices(WORDS, k=25))} of the bridge.</p>" for _ in range(8))


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        origin.on("/robots.txt", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        yield origin


@pytest.fixture
def configure(tmp_path: Path, origin: Origin) -> Callable[..., None]:
    """Write newskeep.toml with sites that are a feed each: name -> its address; empty: one of the origin's."""

    def write(head: str = "", **sites: str) -> None:
        tables = [f'allow_private = true\noperator = "me@example.org"\nworkers = 1\n{head}\n']
        for name, url in sites.items():
            feed = url or origin.url(f"/{name}/feed.xml")
            tables.append(f'[sites.{name}]\nfeeds = "{feed}"\ndelay = 0\n')
        (tmp_path / "newskeep.toml").write_text("".join(tables))

    return write


def publish(origin: Origin, site: str, stories: int, more: str = "") -> None:
    """Have the origin serve a feed with so many stories, with `more` in the page of each."""
    links = [origin.url(f"/{site}/{number}") for number in range(stories)]
    feed = FEED.format("".join(ITEM.format(number, link) for number, link in enumerate(links)))
    origin.reply(f"/{site}/feed.xml", feed.encode())
    for number in range(stories):
        page = PAGE.format(number, prose(site, number) + more).encode()
        origin.reply(f"/{site}/{number}", page, headers=[("Content-Type", "text/html")])


def asked(origin: Origin) -> list[str]:
    return [logged.path for logged in origin.log if logged.path != "/robots.txt"]


def make_due(tmp_path: Path, *sites: str) -> None:
    """Put the due time of sites and of their sources back by three days."""
    before = NOW - timedelta(days=3)
    with frontier_in(tmp_path / "archive") as frontier:
        for name in sites:
            state = frontier.site(name)
            frontier.put_site(SiteState(name, state.started, state.finished, before))
            for source in frontier.due_sources(name, NOW + timedelta(days=30)):
                frontier.visited([Visit(name, source.url, source.role, before, source.state, before)])


def test_says_nothing_when_all_is_well_and_fetches_nothing_that_is_not_due(
    newskeep: Run, origin: Origin, configure: Callable[..., None], tmp_path: Path
) -> None:
    configure(f'ping = "{origin.url("/ping/secret")}"', gazette="", herald="")
    for path in ("/ping/secret", "/ping/secret/start"):
        origin.reply(path, b"OK")
    publish(origin, "gazette", 2)
    publish(origin, "herald", 1)
    for number in range(2):
        done = newskeep("due")
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        first = asked(origin)[: -2 if number else None]
        assert (first[0], first[-1]) == ("/ping/secret/start", "/ping/secret")
        assert sorted(first[1:-1]) == ["/gazette/0", "/gazette/1", "/gazette/feed.xml", "/herald/0", "/herald/feed.xml"]
    assert asked(origin)[-2:] == ["/ping/secret/start", "/ping/secret"]
    # Slots missed for three days are caught up by one run.
    make_due(tmp_path, "gazette")
    done = newskeep("due", "--json")
    (line,) = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, line["site"], line["state"], done.stderr) == (0, "gazette", "finished", b"")
    assert newskeep("due", "--json").stdout == b""
    names = [json.loads(line)["site"] for line in newskeep("schedule", "next", "--json").stdout.splitlines()]
    assert sorted(names) == ["gazette", "herald"]


def test_trouble_is_told_once_a_day(
    newskeep: Run, origin: Origin, configure: Callable[..., None], tmp_path: Path
) -> None:
    configure(f'ping = "{origin.url("/ping")}"', gazette="", herald="", dead="http://127.0.0.1:9/feed")
    publish(origin, "gazette", 1)
    origin.reply("/herald/feed.xml", b"no", status="403 Forbidden")
    done = newskeep("due")
    assert done.returncode == 4
    told = sorted(done.stderr.decode().splitlines())
    assert len(told) == 2, told
    assert told[0].startswith("newskeep: dead: failed: ")
    assert "connection refused" in told[0]
    assert told[1].startswith("newskeep: herald: ")
    assert "403" in told[1]
    report = next(logged.request for logged in origin.log if logged.path == "/ping/fail")
    assert b"sites: " in report
    assert b"dead: failed" in report
    # It still fails, but that is known; with --verbose it is said all the same.
    make_due(tmp_path, "dead", "herald")
    done = newskeep("due", "dead")
    assert (done.returncode, done.stderr) == (5, b"")
    make_due(tmp_path, "dead")
    assert b"newskeep: dead: failed" in newskeep("due", "dead", "-v").stderr
    health = newskeep("health")
    assert health.returncode == 4
    assert b"dead" in health.stdout
    assert newskeep("health", "gazette").returncode == 0


def test_a_disk_with_too_little_room_is_told_once_a_day(
    newskeep: Run, origin: Origin, configure: Callable[..., None]
) -> None:
    publish(origin, "gazette", 2)
    configure(f"min_free = {10**18}", gazette="")
    done = newskeep("due", "--quiet")
    assert done.returncode == 3
    (line,) = done.stderr.decode().splitlines()
    assert line.endswith("make room, or set min_free lower")
    again = newskeep("due", "--quiet")
    assert (again.returncode, again.stderr) == (3, b"")
    assert origin.log == []
    configure(gazette="")
    assert newskeep("due").returncode == 0
    assert len(origin.logged("/gazette/1")) == 1


def test_one_at_a_time(newskeep: Run, origin: Origin, configure: Callable[..., None], tmp_path: Path) -> None:
    configure(gazette="", herald="")
    publish(origin, "gazette", 1)
    publish(origin, "herald", 1)
    with held(tmp_path / "archive" / "locks" / "due.lock", "newskeep due"):
        done = newskeep("due")
        assert (done.returncode, done.stdout) == (75, b"")
        assert b"newskeep due of this archive is already running" in done.stderr
        done = newskeep("due", "--quiet")
        assert (done.returncode, done.stdout + done.stderr) == (75, b"")
    # A site that `crawl` is at is left out; nothing is wrong with that.
    with held(tmp_path / "archive" / "locks" / "site-gazette.lock", "a crawl of gazette"):
        for _ in range(2):
            done = newskeep("due")
            assert (done.returncode, done.stdout + done.stderr) == (0, b"")
    assert sorted(asked(origin)) == ["/herald/0", "/herald/feed.xml"]
    assert newskeep("due").returncode == 0
    assert sorted(asked(origin))[:2] == ["/gazette/0", "/gazette/feed.xml"]


@pytest.mark.parametrize("how", ["time limit", "SIGTERM"])
def test_ends_in_good_order_and_the_rest_is_due_still(
    newskeep: Run,
    origin: Origin,
    configure: Callable[..., None],
    environment: Mapping[str, str],
    tmp_path: Path,
    warm_start: WarmStart,
    how: str,
) -> None:
    """A site of many slow pages, and a second one that there is no time for."""
    configure(gazette="", herald="")
    publish(origin, "herald", 1)
    links = [origin.url(f"/gazette/{number}") for number in range(60)]
    feed = FEED.format("".join(ITEM.format(number, link) for number, link in enumerate(links)))
    origin.reply("/gazette/feed.xml", feed.encode())
    slow = threading.Event()

    def story(path: str) -> bytes:
        slow.wait(0.4)
        page = PAGE.format(path, prose(path)).encode()
        return response(page, headers=[("Content-Type", "text/html")])

    origin.on_any(story)
    limit = ("--time-limit", "5s") if how == "time limit" else ()
    process = warm_start.start(("due", "--at-once", "1", *limit), tmp_path, environment)
    end = time.monotonic() + 60
    while how == "SIGTERM" and len(asked(origin)) < 4 and time.monotonic() < end:
        time.sleep(0.1)
    if how == "SIGTERM":
        process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=240)
    said = b"newskeep: stopped before the end; what is left is due still\n" if how == "SIGTERM" else b""
    assert (process.returncode, out, err) == (4 if how == "SIGTERM" else 0, b"", said)
    # How far it came is the machine's affair.
    assert len(asked(origin)) < 60
    assert "/herald/feed.xml" not in asked(origin)
    slow.set()
    make_due(tmp_path, "gazette")
    done = newskeep("due")
    assert (done.returncode, done.stderr) == (0, b"")
    stories = sorted(path for path in asked(origin) if path != "/gazette/feed.xml")
    assert stories == sorted(["/herald/0", "/herald/feed.xml", *(f"/gazette/{number}" for number in range(60))])


def test_what_is_wrong_with_the_configuration_is_one_line(newskeep: Run, tmp_path: Path) -> None:
    for text, said in (
        ("", "there are no sites"),
        ('[sites.gazette]\nfeeds = "https://gazette.example/feed"\nevery = "often"', "every must be"),
        ('ping = "hc.example"\n[sites.gazette]\nfeeds = "https://gazette.example/feed"', "ping must be"),
    ):
        (tmp_path / "newskeep.toml").write_text(text)
        done = newskeep("due")
        (line,) = done.stderr.decode().splitlines()
        assert done.returncode == 2
        assert said in line
    (tmp_path / "newskeep.toml").write_text("")
    assert "no site is named" in newskeep("due", "herald").stderr.decode()
    assert not (tmp_path / "archive").exists()


# What is due, and when


@pytest.fixture
def frontier(tmp_path: Path) -> Iterator[Frontier]:
    with open_frontier(tmp_path / "frontier.sqlite") as opened:
        yield opened


def sites(*names: str, every: float = 900.0) -> dict[str, Site]:
    return {name: Site(name, feeds=(f"https://{name}.example/feed",), every=every) for name in names}


def put(frontier: Frontier, name: str, due: datetime, blocked: datetime | None = None) -> None:
    frontier.put_site(SiteState(name, NOW - timedelta(days=1), NOW - timedelta(days=1), due, blocked))


def test_the_most_overdue_first(frontier: Frontier) -> None:
    put(frontier, "late", NOW - timedelta(hours=1))
    put(frontier, "later", NOW - timedelta(hours=9))
    put(frontier, "early", NOW + timedelta(hours=1))
    put(frontier, "blocked", NOW - timedelta(days=9), NOW + timedelta(hours=1))
    put(frontier, "removed", NOW - timedelta(days=9))
    queue = DueSites(frontier, sites("early", "blocked", "late", "new", "later"))
    assert queue.peek() == 3
    taken = [next(queue).name for _ in range(3)]
    assert taken == ["new", "later", "late"]
    for name in taken:
        queue.ended(name)
    # They are left due, as a crawl that could not start leaves them; still they are not taken again and again.
    assert list(queue) == []


def test_waits_for_what_becomes_due_while_others_run(frontier: Frontier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newskeep.schedule.due._LOOK", 0.05)
    put(frontier, "slow", NOW)
    put(frontier, "other", NOW + timedelta(hours=1))
    queue = DueSites(frontier, sites("slow", "other"))
    assert next(queue).name == "slow"
    timer = threading.Timer(0.3, lambda: put(frontier, "other", NOW))
    timer.start()
    assert next(queue).name == "other"
    timer.join()
    queue.ended("other")
    ended = threading.Timer(0.3, lambda: queue.ended("slow"))
    ended.start()
    assert next(queue, None) is None
    ended.join()


def test_ends_at_the_deadline_and_when_stopped(frontier: Frontier) -> None:
    put(frontier, "a", NOW)
    put(frontier, "b", NOW)
    assert next(DueSites(frontier, sites("a", "b"), deadline=time.monotonic()), None) is None
    running = DueSites(frontier, sites("a"), deadline=time.monotonic() + 0.3)
    assert next(running).name == "a"
    assert next(running, None) is None
    queue = DueSites(frontier, sites("a", "b"))
    assert next(queue).name == "a"
    queue.stop()
    assert next(queue, None) is None


def test_told_once_a_day_and_again_after_the_clock_was_put_back(tmp_path: Path) -> None:
    path = tmp_path / "state" / "told.json"
    trouble, other = Trouble("failed: gazette", "it failed"), Trouble("failed: herald", "this too")

    def news(at: datetime, *troubles: Trouble) -> list[Trouble]:
        notebook = Notebook(path)
        found = notebook.news(troubles, at)
        notebook.save(at)
        return found

    assert news(NOW, trouble) == [trouble]
    assert news(NOW + timedelta(minutes=15), trouble, other) == [other]
    assert news(NOW + timedelta(hours=23, minutes=55), trouble, other) == [trouble]
    assert news(NOW + timedelta(days=30)) == []
    assert news(NOW, trouble) == [trouble]
    assert news(NOW - timedelta(days=30), trouble) == [trouble]
    path.write_text("[damaged")
    assert news(NOW, trouble) == [trouble]


def test_what_is_logged_is_kept_with_its_traceback_if_it_is_a_fault_of_ours() -> None:
    kept, logger = KeptLog(), logging.Logger("crawler.some")
    logger.addHandler(kept)
    for error in (StoreUnavailable("the frontier is busy"), ZeroDivisionError("oh")):
        try:
            raise error
        except Exception:
            for _ in range(2):
                logger.exception("the crawl of %s failed", type(error).__name__)
    logger.info("all is well")
    known, fault = kept.troubles.values()
    assert known.line == "the crawl of StoreUnavailable failed: the frontier is busy"
    assert fault.line.startswith("the crawl of ZeroDivisionError failed\nTraceback ")
    assert fault.about == "log: the crawl of ZeroDivisionError failed"


def test_a_run_that_cannot_write_has_failed_for_all_who_ask(
    origin: Origin,
    configure: Callable[..., None],
    environment: Mapping[str, str],
    tmp_path: Path,
    warm_start: WarmStart,
) -> None:
    configure(gazette="")
    publish(origin, "gazette", 30, f"<!-- {random.Random(1).randbytes(200_000).hex()} -->")
    # A limit on the size of files stands for the full disk.
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000));"
        "sys.argv = ['newskeep', *sys.argv[1:]]; from newskeep.cli import main; main()"
    )
    done = warm_start.python(script, "due", "--json", cwd=tmp_path, environment=environment)
    assert done.returncode == 3, done.stderr.decode()
    (line,) = map(json.loads, done.stdout.splitlines())
    with frontier_in(tmp_path / "archive") as frontier:
        (run,) = frontier.runs("gazette", 1)
    assert line["state"] == run.state == "failed"
    assert "cannot write" in run.problems[-1]
    (report,) = (tmp_path / "archive" / "crawls").rglob("*.json")
    assert json.loads(report.read_bytes())["state"] == "failed"


@pytest.mark.parametrize("days", [3_000, pytest.param(5, marks=pytest.mark.exhaustive)])
def test_a_run_with_a_wrong_clock_costs_no_later_run(
    newskeep: Run,
    origin: Origin,
    configure: Callable[..., None],
    tmp_path: Path,
    environment: Mapping[str, str],
    warm_start: WarmStart,
    days: int,
) -> None:
    """Whatever it put years or days ahead: health names it, the next run asks again, and puts it right."""
    configure(gazette="")
    publish(origin, "gazette", 2)
    # What it serves from the second time on.
    publish(origin, "gazette", 3)
    ahead = str(int(environment.get("TESTS_DAYS_ON", "0")) + days)
    clock = Path(__file__).parents[1] / "helpers" / "every_process" / "sitecustomize.py"
    script = (
        f"import runpy, sys; runpy.run_path({str(clock)!r});"
        "sys.argv = ['newskeep', 'due']; from newskeep.cli import main; main()"
    )
    done = warm_start.python(script, cwd=tmp_path, environment={**environment, "TESTS_DAYS_ON": ahead})
    assert (done.returncode, done.stderr) == (0, b"")
    before = len(asked(origin))
    assert before == 3

    told = newskeep("health", "--json")
    (line,) = map(json.loads, told.stdout.splitlines())
    assert (told.returncode, line["trouble"]) == (4, True)
    assert "in the future" in line["why"] and "clock" in line["why"]
    (row,) = map(json.loads, newskeep("schedule", "list", "--json").stdout.splitlines())
    assert (row["state"], row["due"]) == ("due", None)

    done = newskeep("due", "--json")
    (line,) = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, line["state"]) == (0, "finished")
    assert "/gazette/feed.xml" in asked(origin)[before:] and "/gazette/2" in asked(origin)[before:]

    with frontier_in(tmp_path / "archive") as frontier:
        now = datetime.now(UTC) + timedelta(minutes=1)
        state = frontier.site("gazette")
        assert state.due is not None and state.due < now + timedelta(days=1)
        assert all(run.started < now and (run.finished or now) <= now for run in frontier.runs("gazette"))
        for path in ("feed.xml", "0", "1", "2"):
            known = frontier.known("gazette", origin.url(f"/gazette/{path}"))
            assert known is not None and known.announced < now
            assert known.fetched is not None and known.fetched < now, path
            assert known.due is not None and known.due < now + timedelta(days=31), path
    told = newskeep("health", "--json")
    (line,) = map(json.loads, told.stdout.splitlines())
    assert (told.returncode, line["verdict"]) == (0, "ok"), line

"""A good guest, read off the logs of servers: pauses, Retry-After, robots.txt, slow and dead hosts."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from command import Run
from origin import Hang, Logged, Origin, Pause, response
from warm_start import WarmStart

from crawler.frontier import open_frontier
from crawler.politeness.errors import HostLeftAlone
from crawler.politeness.host_gate import GateOptions, HostGate, retry_after
from crawler.politeness.robots import RULES_SECONDS, holds_for, parse
from storage.http import HttpMessage

HTML = [("Content-Type", "text/html")]


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        origin.on_any(lambda path: response(path.encode()) if path.startswith("/page") else None)
        yield origin


def save(newskeep: Run, *arguments: str, stdin: bytes = b"") -> dict[str, dict[str, Any]]:
    done = newskeep("save", "--json", "--allow-private", "--timeout", "120", *arguments, stdin=stdin)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return {line["url"]: line for line in map(json.loads, done.stdout.splitlines())}


def paths(origin: Origin) -> list[str]:
    return [entry.path for entry in origin.log if entry.path != "/robots.txt"]


def told(outcome: Mapping[str, Any]) -> tuple[str, str | None]:
    return outcome["outcome"], outcome["reason"]


# Retry-After


def test_retry_after_holds_for_the_host(newskeep: Run, origin: Origin) -> None:
    origin.on("/busy", response(status="429 Too Many Requests", headers=[("Retry-After", "2")]))
    origin.reply("/busy", b"now")
    urls = [origin.url(path) for path in ("/busy", "/page/1", "/page/2")]
    outcomes = save(newskeep, *urls)
    assert {line["outcome"] for line in outcomes.values()} == {"archived"}
    assert paths(origin) == ["/busy", "/busy", "/page/1", "/page/2"]
    first, again = origin.logged("/busy")
    assert again.at - first.at >= 2


def test_asked_once_more_and_no_more(newskeep: Run, origin: Origin) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    origin.on("/busy", response(status="503 Service Unavailable", headers=[("Retry-After", soon)]))
    origin.on("/busy", response(status="429 Too Many Requests", headers=[("Retry-After", "1")]))
    outcomes = save(newskeep, origin.url("/busy"), origin.url("/page/1"))
    assert told(outcomes[origin.url("/busy")]) == ("failed", "429 Too Many Requests, asked to wait 1 s")
    assert outcomes[origin.url("/page/1")]["outcome"] == "archived"
    assert paths(origin) == ["/busy", "/busy", "/page/1"]


def test_host_that_asks_for_too_long_is_left_alone(newskeep: Run, origin: Origin) -> None:
    origin.reply("/busy", status="503 Service Unavailable", headers=[("Retry-After", "7200")])
    outcomes = save(newskeep, *(origin.url(path) for path in ("/busy", "/page/1", "/page/2")))
    assert {told(line) for line in outcomes.values()} == {("failed", "503 Service Unavailable, asked to wait 7200 s")}
    assert paths(origin) == ["/busy"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("Sun, 22 Nov 2026 12:02:00 GMT", 120),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        ("Sunday, 22-Nov-26 12:02:00 GMT", 120),
        ("-5", None),
        ("1e3", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("9" * 400, 999_999_999_999),
        ("Sun, 99 Nov 2026 12:02:00 GMT", None),
    ],
)
def test_retry_after_field(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, datetime(2026, 11, 22, 12, tzinfo=UTC)) == seconds


def test_waits_outlive_a_run(tmp_path: Path) -> None:
    async def ask(gate: HostGate, *statuses: int) -> None:
        for status in statuses:
            async with gate.turn("news.example") as turn:
                turn.answered(status, "7200", 0.1)

    with open_frontier(tmp_path / "frontier.sqlite") as frontier:
        gate = HostGate(memory=frontier)
        asyncio.run(ask(gate, 200, 429))
        assert gate.left_alone("news.example") == "429 Too Many Requests, asked to wait 7200 s"
        tomorrow = HostGate(memory=frontier)
        with pytest.raises(HostLeftAlone, match="asked to wait 7200 s"):
            asyncio.run(ask(tomorrow, 200))
        assert tomorrow.left_alone("other.example") is None


def test_refusals_in_a_row_end_it() -> None:
    async def ask(gate: HostGate) -> None:
        for _ in range(2):
            async with gate.turn("news.example") as turn:
                turn.answered(429, "0", 0.1)

    gate = HostGate(GateOptions(refusals=2))
    asyncio.run(ask(gate))
    assert gate.left_alone("news.example") == "429 Too Many Requests, asked to wait 0 s, 2 times in a row"


# One at a time, and nobody waits for another


def test_slow_and_dead_hosts_delay_nobody(newskeep: Run) -> None:
    slow_page = (Pause(0.3), response(b"slow"))
    with Origin("127.0.0.2") as dead, Origin("127.0.0.3") as slow, Origin("127.0.0.4") as quick:
        for n in range(100):
            dead.on(f"/{n}", Hang())
            slow.on(f"/{n}", *slow_page)
        quick.on_any(lambda path: response(path.encode()))
        urls = [one.url(f"/{n}") for one, number in ((dead, 100), (slow, 15), (quick, 30)) for n in range(number)]
        # As many dead URLs at the front as there may be requests at once, and many more.
        outcomes = save(newskeep, "-i", "-", "--concurrency", "4", "--timeout", "1", stdin="\n".join(urls).encode())
        log = sorted((entry for one in (dead, slow, quick) for entry in one.log), key=lambda entry: entry.at)
    order = [entry for entry in log if entry.path != "/robots.txt"]
    last_quick = max(n for n, entry in enumerate(order) if _is_from(entry, quick))
    before = order[:last_quick]
    # Each takes a second to fail: were they in the way, all five would have come first.
    assert sum(_is_from(entry, dead) for entry in before) < 5
    assert sum(_is_from(entry, slow) for entry in before) < 10
    # After five requests without an answer it is left alone, and its URLs are told why.
    assert len([entry for entry in order if _is_from(entry, dead)]) == 5
    reasons = {told(outcomes[dead.url(f"/{n}")]) for n in range(100)}
    assert reasons == {("failed", "the host did not answer 5 times in a row (timed out)")}
    assert {line["outcome"] for url, line in outcomes.items() if not url.startswith(dead.url())} == {"archived"}


def _is_from(entry: Logged, origin: Origin) -> bool:
    return f"Host: {origin.netloc}".encode() in entry.request


class _Counting(Origin):
    """Counts how many requests it answers at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 0
        self._now = 0
        self._counting = threading.Lock()
        self.on_any(self._answer)

    def _answer(self, path: str) -> bytes | None:
        with self._counting:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.03)
        with self._counting:
            self._now -= 1
        return None if path == "/robots.txt" else response(path.encode())


def test_crawlers_of_a_run_share_the_gate(
    environment: Mapping[str, str], tmp_path: Path, warm_start: WarmStart
) -> None:
    script = """
import sys
from crawler.run import Crawl, run
from storage import open_archive

with open_archive("archive") as archive:
    crawls = [Crawl("urls", {"urls": [f"{sys.argv[1]}/{n}/{m}" for m in range(10)]}) for n in range(4)]
    result = run(archive, crawls, {"ALLOW_PRIVATE_ADDRESSES": True})
    assert result.counts == {"archived": 40}, result
"""
    with _Counting() as origin:
        address = origin.url("").rstrip("/")
        done = warm_start.python(script, address, cwd=tmp_path, environment=environment)
        assert done.returncode == 0, done.stderr.decode()
        assert len(paths(origin)) == 40
        assert len(origin.logged("/robots.txt")) == 1
        assert origin.most == 1


def test_time_out_is_tried_twice(newskeep: Run, origin: Origin) -> None:
    origin.on("/hang", Hang())
    outcomes = save(newskeep, origin.url("/hang"), origin.url("/page/1"), "--timeout", "1")
    assert told(outcomes[origin.url("/hang")]) == ("failed", "timed out after 1 s")
    assert sorted(paths(origin)) == ["/hang", "/hang", "/page/1"]


def test_delay_counts_from_the_end_of_an_answer(newskeep: Run) -> None:
    with Origin() as origin:
        for n in range(3):
            origin.on(f"/{n}", Pause(0.3), response(b"x"))
        save(newskeep, *(origin.url(f"/{n}") for n in range(3)), "--delay", "0.5")
        starts = [entry.at for entry in origin.log]
    gaps = [later - earlier for earlier, later in pairwise(starts[1:])]
    assert all(gap >= 0.8 for gap in gaps)


# robots.txt


def test_robots_crawl_delay_paces_the_host(newskeep: Run, origin: Origin) -> None:
    origin.reply("/robots.txt", b"User-agent: *\nCrawl-delay: 1\nDisallow: /private\n")
    outcomes = save(newskeep, *(origin.url(path) for path in ("/page/1", "/page/2", "/private")))
    assert told(outcomes[origin.url("/private")]) == ("refused", "robots.txt")
    starts = [entry.at for entry in origin.log]
    assert all(later - earlier >= 1 for earlier, later in pairwise(starts))


def test_robots_redirects_lead_to_other_hosts(newskeep: Run, origin: Origin) -> None:
    with Origin("127.0.0.2") as other:
        hops = [origin.url("/robots.txt"), *(one.url(f"/hop{n}") for n in range(2) for one in (other, origin))]
        for hop, following in zip(hops, [*hops[1:], other.url("/rules")], strict=True):
            path = hop.rpartition("/")[2]
            server = origin if hop.startswith(origin.url()) else other
            server.reply(f"/{path}", status="301 Moved Permanently", headers=[("Location", following)])
        other.reply("/rules", b"User-agent: *\nDisallow: /page/2\n")
        outcomes = save(newskeep, origin.url("/page/1"), origin.url("/page/2"))
    assert len(hops) == 5
    assert outcomes[origin.url("/page/1")]["outcome"] == "archived"
    assert told(outcomes[origin.url("/page/2")]) == ("refused", "robots.txt")


@pytest.mark.parametrize("status", ["500 Internal Server Error", "403 Forbidden"])
def test_robots_that_fails(newskeep: Run, origin: Origin, status: str) -> None:
    origin.reply("/robots.txt", status=status)
    (outcome,) = save(newskeep, origin.url("/page/1")).values()
    refused = status.startswith("5")
    assert outcome["outcome"] == ("refused" if refused else "archived")
    assert paths(origin) == ([] if refused else ["/page/1"])


@pytest.mark.parametrize(
    ("agents", "obeys"),
    [
        ("newskeep", True),
        ("NewsKeep", True),
        ("newskeep/1.0", True),
        ("newskeep 2", True),
        ("newskeep*", True),
        ("newskeep # ours", True),
        ("news", False),
        ("keep", False),
        ("newskeep-images", False),
        ("newskeeper", False),
        ("Mozilla/5.0 (compatible; newskeep)", False),
    ],
)
def test_a_product_token_is_matched_as_a_whole(agents: str, obeys: bool) -> None:
    group = f"user-agent : {agents}\nDisallow: /a\nCrawl-delay: 7\n"
    text = f"User-agent: other\nAllow: /\n\n{group}\nUser-agent: *\nDisallow: /b\n"
    rules = parse(text.encode(), "newskeep")
    refused = [path for path in ("/a", "/b") if not rules.can_fetch(f"https://n.example{path}", "newskeep")]
    assert refused == (["/a"] if obeys else ["/b"])
    assert rules.crawl_delay("newskeep") == (7 if obeys else None)


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-be", "utf-8-sig"])
def test_rules_in_the_coding_that_their_mark_says(coding: str) -> None:
    text = "\ufeff" * (coding == "utf-16-be") + "User-agent: *\r\nDisallow: /a\r\nCrawl-delay: 3\r\n"
    rules = parse(text.encode(coding), "newskeep")
    allowed = [rules.can_fetch(f"https://n.example{path}", "newskeep") for path in ("/a", "/b")]
    assert (allowed, rules.crawl_delay("newskeep")) == ([False, True], 3)


@pytest.mark.parametrize(("said", "delay"), [("1,5", 1.5), ("0,5 # half", 0.5), ("2.5", 2.5), ("2", 2), ("soon", None)])
def test_a_crawl_delay_with_a_decimal_comma(said: str, delay: float | None) -> None:
    rules = parse(f"User-agent: *\ncrawl-delay : {said}\nDisallow: /1,5\n".encode(), "newskeep")
    assert rules.crawl_delay("newskeep") == delay
    assert not rules.can_fetch("https://n.example/1,5", "newskeep")


#: Paths, and whether what they lead to may be asked for.
PATHS = {
    "/page/../private/1": False,
    "/page/%2e%2E/private/1": False,
    "/./private/1": False,
    "/page/.%2e/%2e/private/1": False,
    "/private/../page/1": True,
    "/page/1?from=/private/../x": True,
}


def test_robots_txt_is_about_what_will_be_served(newskeep: Run, origin: Origin) -> None:
    origin.reply("/robots.txt", b"User-agent: *\nDisallow: /private/\n")
    origin.on_any(lambda path: response(path.encode()))
    outcomes = save(newskeep, *map(origin.url, PATHS))
    for path, allowed in PATHS.items():
        assert outcomes[origin.url(path)]["outcome"] == ("archived" if allowed else "refused"), path


def test_every_success_brings_rules(newskeep: Run) -> None:
    statuses = ("201 Created", "203 Non-Authoritative Information", "206 Partial Content")
    with ExitStack() as stack:
        origins = [stack.enter_context(Origin(f"127.0.0.{number}")) for number in range(2, 2 + len(statuses))]
        for origin, status in zip(origins, statuses, strict=True):
            origin.reply("/robots.txt", b"User-agent: *\nDisallow: /private\n", status)
        outcomes = save(newskeep, *(origin.url("/private") for origin in origins))
    assert [told(each) for each in outcomes.values()] == [("refused", "robots.txt")] * len(statuses)


def test_robots_that_is_busy_is_asked_later(newskeep: Run, origin: Origin) -> None:
    origin.on("/robots.txt", response(status="429 Too Many Requests", headers=[("Retry-After", "1")]))
    origin.reply("/robots.txt", b"User-agent: *\nDisallow: /private\n")
    outcomes = save(newskeep, origin.url("/page/1"), origin.url("/private"))
    assert outcomes[origin.url("/page/1")]["outcome"] == "archived"
    assert told(outcomes[origin.url("/private")]) == ("refused", "robots.txt")
    assert [entry.path for entry in origin.log] == ["/robots.txt", "/robots.txt", "/page/1"]


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ("", RULES_SECONDS),
        ("Cache-Control: public, max-age=7200\r\n", 7200),
        ("Cache-Control: MAX-AGE=31536000\r\n", 86_400),
        ("Cache-Control: max-age=0, no-store\r\n", 600),
        ("Cache-Control: no-cache\r\nExpires: Sun, 22 Nov 2026 14:00:00 GMT\r\n", 600),
        ("Expires: Sun, 22 Nov 2026 14:00:00 GMT\r\n", 7200),
        ("Expires: 0\r\n", RULES_SECONDS),
    ],
)
def test_how_long_robots_txt_holds(fields: str, seconds: float) -> None:
    message = HttpMessage.parse(f"HTTP/1.1 200 OK\r\n{fields}\r\n".encode())
    assert holds_for(message, datetime(2026, 11, 22, 12, tzinfo=UTC)) == seconds


# Who asks


def test_many_pages_without_a_contact_are_warned_of_once(newskeep: Run) -> None:
    """Of servers elsewhere, here behind a proxy: nothing is sent to their addresses, which are for documents."""
    urls = [f"http://192.0.2.{1 + n % 3}/page/{n}" for n in range(45)]
    with Origin() as proxy:
        proxy.on_any(lambda path: response(path.encode()))
        arguments = ("save", "--allow-private", "--ignore-robots", "--proxy", proxy.url(""), *urls)
        assert newskeep(*arguments).stderr.count(b"operator") == 1
        assert b"operator" not in newskeep(*arguments, "--operator", "https://archive.example/").stderr
        assert b"operator" not in newskeep(*arguments[:10]).stderr


def test_servers_of_this_machine_need_no_contact(newskeep: Run, origin: Origin) -> None:
    urls = [origin.url(f"/page/{n}") for n in range(45)]
    urls += [url.replace("127.0.0.1", "localhost") for url in urls[:5]]
    assert b"operator" not in newskeep("save", "--allow-private", "--ignore-robots", *urls).stderr

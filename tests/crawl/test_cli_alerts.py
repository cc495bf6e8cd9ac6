"""`newskeep alerts`, and what `crawl` and `due` tell at their end, as a person runs them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command import Run
from mail_server import MailServer
from origin import Origin, response

pytestmark = pytest.mark.long

FEED = '<?xml version="1.0"?><rss version="2.0"><channel><title>Gazette</title>{}</channel></rss>'
ITEM = "<item><title>{0}</title><link>{1}</link></item>"
PAGE = "<html><title>{0}</title><article><h1>{0}</h1>{1}</article></html>"
SECRET = "/hook/of-our-secret"


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        origin.on("/robots.txt", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        yield origin


@pytest.fixture
def configure(tmp_path: Path, origin: Origin) -> Callable[[str], None]:
    def write(alerts: str) -> None:
        (tmp_path / "newskeep.toml").write_text(
            'allow_private = true\noperator = "me@example.org"\nworkers = 1\n'
            f'[sites.gazette]\nfeeds = "{origin.url("/feed.xml")}"\ndelay = 0\n{alerts}'
        )

    return write


def publish(origin: Origin, *titles: str) -> None:
    """Have the origin serve a feed of these stories, and them, from now on."""
    links = {title: origin.url(f"/{title.replace(' ', '-')}") for title in titles}
    feed = FEED.format("".join(ITEM.format(*each) for each in links.items()))
    served = {"/feed.xml": response(feed.encode(), headers=[("Content-Type", "application/rss+xml")])}
    for title in titles:
        told = "".join(f"<p>{title}: part {number} of what the council said of the bridge.</p>" for number in range(6))
        body = PAGE.format(title, told).encode()
        served[f"/{title.replace(' ', '-')}"] = response(body, headers=[("Content-Type", "text/html")])
    origin.on_any(served.get)


def posted(origin: Origin) -> list[Any]:
    return [json.loads(each.request.partition(b"\r\n\r\n")[2]) for each in origin.logged(SECRET)]


def test_crawl_and_due_tell_at_their_end(
    newskeep: Run, origin: Origin, configure: Callable[[str], None], tmp_path: Path
) -> None:
    origin.on(SECRET, response(b"ok"))
    (tmp_path / "hook").write_text(origin.url(SECRET))
    configure("")
    publish(origin, "Held before")
    assert newskeep("crawl", "gazette").returncode == 0
    configure('[alerts.all]\nwebhook = { file = "hook" }\nevery = 0\n')
    publish(origin, "Held before", "The bridge opens")
    done = newskeep("crawl", "gazette")
    assert (done.returncode, done.stderr.count(b"alert")) == (0, 0)
    assert [event["title"] for message in posted(origin) for event in message["events"]] == ["The bridge opens"]
    done = newskeep("due")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert len(posted(origin)) == 1


def test_a_receiver_that_is_away_fails_no_run_and_is_told_of_once_a_day(
    newskeep: Run, origin: Origin, configure: Callable[[str], None]
) -> None:
    origin.on(SECRET, response(b"", "500 Broken"))
    configure(f'[alerts.all]\nwebhook = "{origin.url(SECRET)}"\nevery = 0\n')
    publish(origin, "The bridge opens")
    done = newskeep("due", "-vv")
    said = done.stderr.decode()
    assert done.returncode == 0
    assert "alert all: webhook: 1 event not told: it answered 500; tried again after" in said
    assert "of-our-secret" not in said
    assert newskeep("due").stderr == b""
    (listed,) = map(json.loads, newskeep("alerts", "list", "--json").stdout.splitlines())
    assert (listed["waiting"], listed["tries"], listed["problem"]) == (1, 1, "it answered 500")
    sent = newskeep("alerts", "send", "--now")
    assert (sent.returncode, sent.stderr.count(b"it answered 500")) == (5, 1)
    shown = newskeep("alerts", "list")
    assert b"webhook at 127.0.0.1" in shown.stdout
    assert b"of-our-secret" not in shown.stdout + sent.stderr


def test_a_broken_outbox_or_a_missing_secret_fails_no_run(
    newskeep: Run, origin: Origin, configure: Callable[[str], None], tmp_path: Path
) -> None:
    configure('[alerts.all]\nwebhook = { variable = "NOT_SET_ANYWHERE" }\n')
    publish(origin, "The bridge opens")
    done = newskeep("crawl", "gazette")
    assert done.returncode == 0
    assert b"the variable NOT_SET_ANYWHERE is not set" in done.stderr
    (tmp_path / "archive" / "alerts.sqlite").write_bytes(b"no database" * 999)
    publish(origin, "The bridge opens", "Another story")
    done = newskeep("crawl", "gazette")
    assert done.returncode == 0
    assert b"outbox of alerts" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_test_message_arrives_whatever_the_hour(
    newskeep: Run, origin: Origin, configure: Callable[[str], None]
) -> None:
    origin.on(SECRET, response(b"ok"))
    with MailServer() as mails:
        configure(
            f'[alerts.all]\nwebhook = "{origin.url(SECRET)}"\nemail = "desk@example.org"\nquiet = "00:00-23:59"\n'
            f'[smtp]\nhost = "127.0.0.1"\nport = {mails.port}\ntls = "none"\nfrom = "bot@example.org"\n'
        )
        done = newskeep("alerts", "test", "all")
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.decode().splitlines() == [
            "alert all: webhook: it was taken",
            "alert all: email: it was taken",
        ]
        assert mails.mails[0].message["Subject"] == "[all] Test: A test of this alert"
        mails.answers["RCPT"] = "550 nobody"
        assert newskeep("alerts", "test", "all").returncode == 4
    assert [message["test"] for message in posted(origin)] == [True, True]
    wrong = newskeep("alerts", "test", "al")
    assert (wrong.returncode, wrong.stderr) == (2, b"newskeep: no alert is named 'al'; did you mean 'all'?\n")


def test_without_alerts_it_says_how_to_make_one(newskeep: Run, configure: Callable[[str], None]) -> None:
    configure("")
    done = newskeep("alerts", "list")
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"[alerts.NAME]" in done.stderr
    assert newskeep("alerts", "test", "x").returncode == 2
    assert newskeep("alerts", "send").returncode == 2


@pytest.mark.parametrize(
    "command", [("alerts", "list"), ("alerts", "send"), ("alerts", "test", "x"), ("due",), ("crawl", "gazette")]
)
def test_a_mistake_is_one_line_before_anything_is_done(
    newskeep: Run, origin: Origin, configure: Callable[[str], None], command: tuple[str, ...]
) -> None:
    configure('[alerts.x]\nwebhok = "https://hooks.example.org/secret"\n')
    done = newskeep(*command)
    assert done.returncode == 2
    assert done.stderr == b"newskeep: newskeep.toml: [alerts.x] unknown key 'webhok'; did you mean 'webhook'?\n"
    assert origin.log == []

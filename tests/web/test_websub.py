"""WebSub from a feed that names a hub to pages that are archived once it pushes; and what is not taken."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from command import Run
from hub import Hub, call, push
from origin import Origin
from ports import held_port
from small_paper import Paper
from waiting import until
from warm_start import shared
from web_archive import Site, forked_saving

pytestmark = pytest.mark.long

TOKEN = "0123456789abcdef"
KEY = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        yield hub


@pytest.fixture
def paper() -> Iterator[Paper]:
    with Origin() as origin:
        yield Paper(origin, stories=2)


def feed(paper: Paper, hub: str, *links: str) -> bytes:
    """A feed of these addresses that names the hub."""
    items = "".join(f"<item><title>A story</title><link>{link}</link></item>" for link in links)
    topic = paper.origin.url("/news.rss?x=1")
    named = f'<atom:link rel="self" href="{topic}"/><atom:link rel="hub" href="{hub}"/>'
    return f'<rss xmlns:atom="http://www.w3.org/2005/Atom"><channel>{named}{items}</channel></rss>'.encode()


def declare(folder: Path, paper: Paper, more: str = "websub = true\n") -> None:
    start, source = paper.origin.url("/"), paper.origin.url("/news.rss")
    table = f'[sites.paper]\nstart = "{start}"\nfeeds = ["{source}"]\ndelay = "0s"\n{more}'
    (folder / "newskeep.toml").write_text(f"allow_private = true\n{table}")


@pytest.fixture
def ports() -> Iterator[tuple[int, int]]:
    """The two ports of a server that may come again under the same address."""
    with held_port() as port, held_port() as originals:
        yield port, originals


@contextmanager
def serving(folder: Path, ports: tuple[int, int], *options: str) -> Iterator[Site]:
    """`newskeep serve` under a declared public address."""
    port, originals = ports
    app, other = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{originals}"
    command = ["serve", "--port", str(port), "--originals-port", str(originals)]
    public = ["--public-url", app, "--originals-url", other, "--token", TOKEN]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NEWSKEEP_", "AWS_"))}
    with (folder / "serve.log").open("wb") as log:
        process = shared().start(
            [*command, *public, *options], folder, clean, stderr=log.fileno(), before=forked_saving()
        )
    try:
        assert process.stdout is not None and process.stdout.readline(), (folder / "serve.log").read_text()
        yield Site(app, other, folder / "archive")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


def crawled(newskeep: Run, tmp_path: Path, paper: Paper, hub: str) -> None:
    paper.put("/news.rss", feed(paper, hub, paper.url(1), paper.url(2)), "application/rss+xml")
    declare(tmp_path, paper)
    done = newskeep("crawl", "paper")
    assert done.returncode == 0, done.stderr.decode()


def jobs(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(site.get("/api/jobs", **KEY).body)["jobs"]
    return found


def said_by(folder: Path) -> str:
    """What the server has written for its owner so far."""
    return (folder / "serve.log").read_text()


def test_what_a_hub_pushes_is_archived(
    newskeep: Run, tmp_path: Path, paper: Paper, hub: Hub, ports: tuple[int, int]
) -> None:
    crawled(newskeep, tmp_path, paper, hub.url)
    with serving(tmp_path, ports) as site:
        hub.wait_for(1)
        (asked,) = hub.asked
        assert asked["hub.topic"] == f"{paper.origin.url('/news.rss')}?x=1"
        assert asked["hub.callback"].startswith(f"{site.app}/websub/") and len(asked["hub.secret"]) == 64
        assert hub.challenged[0].body == b"a <challenge> & more"
        for number in (3, 4):
            paper.put(paper.path(number), paper.page(number))
        pushed = feed(paper, hub.url, *map(paper.url, (1, 2, 3)), "https://elsewhere.example/2026/11/22/a-long-story")
        (answer,) = hub.publish(pushed)
        assert answer.status == 202
        until(lambda: bool(jobs(site)) and jobs(site)[0]["finished"] is not None)
        (job,) = jobs(site)
        # What is held, and what is no article of the site, is not asked for.
        assert job["urls"] == [paper.url(3)] and job["outcomes"][0]["outcome"] == "archived"
        assert job["asked_by"] == f"WebSub, {hub.url.split('/')[2]}"
        # Nobody else can have anything saved.
        callback = asked["hub.callback"]
        wanted = feed(paper, hub.url, paper.url(4))
        for refused in (hub.publish(wanted, key="another"), [push(callback, wanted)]):
            assert [each.status for each in refused] == [202]
        assert push(callback[:-1], wanted).status == 410
        assert len(jobs(site)) == 1
        assert hub.publish(wanted, method="sha512")[0].status == 202
        until(lambda: len(jobs(site)) == 2)


def test_an_intent_is_verified_only_where_there_is_one(
    newskeep: Run, tmp_path: Path, paper: Paper, hub: Hub, ports: tuple[int, int]
) -> None:
    crawled(newskeep, tmp_path, paper, hub.url)
    with serving(tmp_path, ports):
        hub.wait_for(1)
        (asked,) = hub.asked
        callback, topic = asked["hub.callback"], asked["hub.topic"]
        right = {"hub.mode": "subscribe", "hub.topic": topic, "hub.challenge": "x", "hub.lease_seconds": "60"}
        assert call(callback, right).body == b"x"
        for name, value in (("hub.topic", f"{topic}2"), ("hub.mode", "unsubscribe"), ("hub.mode", "publish")):
            assert call(callback, {**right, name: value}).status == 404
        assert call(callback[:-4] + "0000", right).status == 404
        assert call(callback, {name: value for name, value in right.items() if name != "hub.challenge"}).status == 400
        assert call(callback, {**right, "hub.lease_seconds": "soon"}).status == 200


def test_secrets_are_in_one_file_and_nowhere_else(
    newskeep: Run, tmp_path: Path, paper: Paper, hub: Hub, ports: tuple[int, int]
) -> None:
    crawled(newskeep, tmp_path, paper, hub.url)
    with serving(tmp_path, ports, "-v") as site:
        hub.wait_for(1)
        shown = site.get("/status", Accept="text/html", **KEY).body + site.get("/metrics", **KEY).body
    secret = hub.asked[0]["hub.secret"].encode()
    files = [path for path in tmp_path.rglob("*") if path.is_file() and secret in path.read_bytes()]
    assert [path.parent.name for path in files] == ["websub"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700
    assert secret not in shown


def test_a_site_that_is_gone_is_unsubscribed(
    newskeep: Run, tmp_path: Path, paper: Paper, hub: Hub, ports: tuple[int, int]
) -> None:
    crawled(newskeep, tmp_path, paper, hub.url)
    with serving(tmp_path, ports):
        hub.wait_for(1)
    declare(tmp_path, paper, "websub = false\n")
    with serving(tmp_path, ports) as site:
        hub.wait_for(0)
        assert hub.asked[-1]["hub.mode"] == "unsubscribe" and "hub.secret" not in hub.asked[-1]
        assert push(hub.asked[0]["hub.callback"], b"<rss/>").status == 410
        assert not jobs(site)


def test_a_hub_that_moved_is_followed(
    newskeep: Run, tmp_path: Path, paper: Paper, hub: Hub, ports: tuple[int, int]
) -> None:
    crawled(newskeep, tmp_path, paper, hub.moved)
    with serving(tmp_path, ports):
        hub.wait_for(1)


def test_a_hub_that_refuses_is_told_of(
    newskeep: Run, tmp_path: Path, paper: Paper, hub: Hub, ports: tuple[int, int]
) -> None:
    hub.denies = "not for you"
    crawled(newskeep, tmp_path, paper, hub.url)
    with serving(tmp_path, ports):
        until(lambda: "the hub refuses" in said_by(tmp_path))
    assert said_by(tmp_path).count("not for you") == 1
    assert not hub.subscribers


def test_a_hub_at_an_address_that_is_not_public_is_not_asked(
    newskeep: Run, tmp_path: Path, paper: Paper, hub: Hub, ports: tuple[int, int]
) -> None:
    crawled(newskeep, tmp_path, paper, hub.url)
    file = tmp_path / "newskeep.toml"
    file.write_text(file.read_text().replace("allow_private = true", "allow_private = false"))
    with serving(tmp_path, ports):
        until(lambda: "could not be asked" in said_by(tmp_path))
    assert "it is at an address that is not public; allow_private" in said_by(tmp_path)
    assert not hub.asked


def test_without_a_public_address_it_says_so_and_asks_nobody(
    newskeep: Run, tmp_path: Path, paper: Paper, hub: Hub, ports: tuple[int, int]
) -> None:
    crawled(newskeep, tmp_path, paper, hub.url)
    with serving(tmp_path, ports, "--read-only"):
        until(lambda: "hubs cannot tell what paper has new: websub needs --public-url" in said_by(tmp_path))
    assert not hub.asked and not (tmp_path / "archive" / "websub").exists()

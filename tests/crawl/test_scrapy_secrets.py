"""Secrets that come by Scrapy's own ways: they reach the site and are in no record, report or log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from leaks import leaks
from origin import Origin
from small_paper import Paper
from warcs import records
from warm_start import WarmStart

pytestmark = pytest.mark.long
SPIDER = """
from scrapy import Request
from spiders.base import NewsSpider

class Town(NewsSpider):
    name = "town"
    start_urls = [{url!r}]
    delay = 0
    custom_settings = {{
        **NewsSpider.custom_settings,
        "DEFAULT_REQUEST_HEADERS": {{"Accept": "text/html", "X-Api-Key": "{key}", "Cookie": "sid={cookie}"}},
        "HTTPAUTH_USER": "anna", "HTTPAUTH_PASS": "{password}", "HTTPAUTH_DOMAIN": None,
    }}

    async def parse(self, response, **kwargs):
        async for each in super().parse(response, **kwargs):
            yield each
        address = {url!r}.replace("://", "://berta:{other}@") + "members"
        yield Request(address, callback=self.seen, dont_filter=True, headers={{"Cookie": "sid={cookie}"}})

    def seen(self, response):
        pass
"""
SECRETS = {
    "key": "key-of-the-paper-0815",
    "cookie": "cookie-of-the-paper-4711",
    "password": "sesame-open-2026",
    "other": "other-word-of-pass-9",
}


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        paper = Paper(origin, stories=2)
        renewed = f"sid={SECRETS['cookie']}-renewed; Path=/; HttpOnly"
        paper.put(paper.path(1), paper.page(1, more=f"Your key is {SECRETS['key']}."), Set_Cookie=renewed)
        paper.put("/members", b"hello", "text/plain")
        yield origin


def test_they_are_sent_and_not_kept(
    origin: Origin, tmp_path: Path, environment: Mapping[str, str], warm_start: WarmStart
) -> None:
    (tmp_path / "newskeep.toml").write_text('allow_private = true\nworkers = 1\nspider_modules = ["town_spiders"]\n')
    (tmp_path / "town_spiders.py").write_text(SPIDER.format(url=origin.url(), **SECRETS))
    done = warm_start.run(("crawl", "town", "--json", "-vv"), tmp_path, environment)
    assert done.returncode == 0, done.stderr
    (story,) = origin.logged(Paper.path(1))
    for secret in ("key", "cookie"):
        assert SECRETS[secret].encode() in story.request
    members = origin.logged("/members")[0]
    assert b"Authorization: Basic YmVydGE6" in members.request, "berta's, not that of all"
    (tmp_path / "told").write_bytes(done.stdout + done.stderr)
    apart = ("town_spiders.py", *(path.name for path in tmp_path.rglob("*.pyc")))
    assert leaks(tmp_path, *SECRETS.values(), apart_from=apart) == []
    kept = {(record.type, record.url): record for record in records(tmp_path / "archive")}
    request, answer = kept["request", origin.url(Paper.path(1))], kept["response", origin.url(Paper.path(1))]
    assert sorted((request["Newskeep-Redacted"] or "").split(", ")) == ["Authorization", "Cookie", "X-Api-Key"]
    assert answer["Newskeep-Redacted"] == "Set-Cookie, body"
    assert b"Set-Cookie: sid=[redacted]; Path=/; HttpOnly\r\n" in answer.block
    assert origin.url("/members") in {record.url for record in kept.values()}

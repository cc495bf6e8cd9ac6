"""The front page: what came out last, what has no date, and how the sites go."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from room_archive import Fetched, answer, plain, write
from web_archive import Serving

from crawler.frontier import frontier_of
from crawler.frontier.address_state import SiteRun, SiteState
from newskeep.web.reading_room.publication import by_day, dated, latest
from storage.archive import Archive
from storage.index import ArticleEntry
from storage.objects.local import LocalStore

CAPTURED = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
SITE = "https://www.paper.example"
_TITLES = re.compile(r'<h3[^>]*><a href="[^"]+">([^<]+)</a>')


def entry(published: str | None, captured: datetime = CAPTURED, url: str = f"{SITE}/a") -> ArticleEntry:
    return ArticleEntry(
        url=url, timestamp=captured, site="paper.example", title=None, published=published, language=None, words=1,
        filename="a", offset=0, part="a", part_offset=0, part_length=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("published", "moment", "is_published", "has_clock"),
    [
        ("2026-03-09T23:30:00-02:00", datetime(2026, 3, 10, 1, 30, tzinfo=UTC), True, True),
        ("2026-03-09T08:00:00Z", datetime(2026, 3, 9, 8, tzinfo=UTC), True, True),
        ("2026-03-09T08:00", datetime(2026, 3, 9, 8, tzinfo=UTC), True, True),
        # Of a day alone: behind all that has a time on it, but not later than it was seen.
        ("2026-03-09", datetime(2026, 3, 9, 23, 59, 59, 999_999, tzinfo=UTC), True, False),
        ("2026-03-10", CAPTURED, True, False),
        # A zone ahead, but no year.
        ("2026-03-11T02:00:00+14:00", datetime(2026, 3, 10, 12, tzinfo=UTC), True, True),
        ("2027-03-10", CAPTURED, False, True),
        ("9999-12-31T23:59:59-12:00", CAPTURED, False, True),
        ("0001-01-01T00:00:00+14:00", CAPTURED, False, True),
        ("yesterday", CAPTURED, False, True),
        ("", CAPTURED, False, True),
        (None, CAPTURED, False, True),
    ],
)
def test_an_article_came_out_when_its_page_says(
    published: str | None, moment: datetime, is_published: bool, has_clock: bool
) -> None:
    found = dated(entry(published))
    assert (found.moment, found.is_published, found.has_clock) == (moment, is_published, has_clock)


def test_each_address_once_the_latest_first() -> None:
    newer = entry("2026-03-01T09:00:00Z", CAPTURED + timedelta(days=1))
    other = entry(None, CAPTURED, f"{SITE}/b")
    found = latest([newer, entry("2026-03-09T10:00:00Z"), other])
    assert [each.entry for each in found] == [other, newer]
    assert [(str(day), len(same)) for day, same in by_day(found)] == [("2026-03-10", 1), ("2026-03-01", 1)]


def test_front_page_is_by_publication_and_sites_go_in_words(tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    made = []
    for number, published in enumerate(
        (now - timedelta(days=3), None, now - timedelta(hours=9), now - timedelta(days=400))
    ):
        url = f"{SITE}/{number}"
        article = replace(
            plain(url, f"Story {number}", "en", "Text."), published=published.isoformat() if published else None
        )
        made.append(Fetched(url, now - timedelta(hours=4 - number), answer("x"), article))
    folder = tmp_path / "archive"
    with Archive(LocalStore(str(folder)), folder) as archive:
        archive.store.check(write=True)
        archive.deliver(write(folder / "made", 0, made))
        run = SiteRun("paper", "1", now - timedelta(hours=1))
        frontier_of(archive).start_run(run)
        frontier_of(archive).finish_run(replace(run, finished=now, state="blocked"))
        frontier_of(archive).put_site(
            SiteState("paper", blocked_until=now + timedelta(hours=5), blocked_reason="429 for an hour")
        )
    config = tmp_path / "newskeep.toml"
    config.write_text(f'[sites.paper]\nstart = ["{SITE}/"]\n')
    with Serving(folder, "--config", str(config)) as site:
        text = site.get("/").body.decode()
        assert _TITLES.findall(text) == ["Story 1", "Story 2", "Story 0", "Story 3"]
        assert len(re.findall(r"captured <time [^>]+>[^<]+</time>, no date given", text)) == 1
        sites = site.get("/sites").body.decode()
        assert "4 articles captured in the last 60 days" in sites
        [told] = re.findall(r'<small class="meta">(.+?)</small></li>', text)
        assert told.startswith('<strong class="bad">banned</strong>: ') and f"<span>{told}</span>" in sites

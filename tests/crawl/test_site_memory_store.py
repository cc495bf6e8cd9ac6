"""Site memories where several machines learn of a site at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from s3_server import BUCKET, S3Server, use

from crawler.extraction.template.site_memory import SiteMemory
from crawler.session.site_memory_store import SiteMemoryStore
from storage.model import Article, Block, Reason
from storage.objects import ObjectStore, open_store

pytest_plugins = ["s3_server"]
SITE = "paper.example"


@pytest.fixture
def bucket(moto_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ObjectStore]:
    use(moto_server, monkeypatch)
    store = open_store(f"s3://{BUCKET}/memories-{tmp_path.name}")
    yield store
    store.close()


def article(number: int) -> Article:
    blocks = tuple(
        Block(f"Paragraph {n} of story {number} tells of the bridge.", "p", True, Reason("model")) for n in range(3)
    )
    return Article(
        f"https://{SITE}/story-{number}", blocks=blocks, timestamp=datetime(2026, 11, 22, 0, number, tzinfo=UTC)
    )


def test_what_another_machine_learns_in_the_same_moment_is_kept(bucket: ObjectStore, tmp_path: Path) -> None:
    here, there = (SiteMemoryStore(bucket, tmp_path / name) for name in ("here", "there"))
    here.learn(SITE, [article(1)])
    others = iter([2, 3])

    def learned_late(memory: SiteMemory) -> SiteMemory:
        # The other one is quicker, twice.
        for number in others:
            there.learn(SITE, [article(number)])
            break
        return memory.learn([article(4)])

    told = here.revise(SITE, learned_late)
    assert told == there.load(SITE) and len(told.stories) == 4


def test_what_is_forgotten_stays_so_while_another_machine_learns(bucket: ObjectStore, tmp_path: Path) -> None:
    here, there = (SiteMemoryStore(bucket, tmp_path / name) for name in ("here", "there"))
    here.learn(SITE, map(article, range(1, 5)))
    forgotten = iter([article(2).url])

    def learned_late(memory: SiteMemory) -> SiteMemory:
        there.forget(forgotten)
        return memory.learn([article(5)])

    here.revise(SITE, learned_late)
    assert here.load(SITE) == SiteMemory().learn(map(article, (1, 3, 4, 5)))


def test_what_was_learned_while_the_store_was_away_comes_to_it_later(tmp_path: Path) -> None:
    away = SiteMemoryStore(open_store(str(tmp_path / "file" / "archive")), tmp_path / "state")
    (tmp_path / "file").write_bytes(b"")
    assert len(away.learn(SITE, [article(1)]).stories) == 1
    back = SiteMemoryStore(open_store(str(tmp_path / "archive")), tmp_path / "state")
    back.learn(SITE, [article(2)])
    elsewhere = SiteMemoryStore(open_store(str(tmp_path / "archive")), tmp_path / "other")
    assert len(elsewhere.load(SITE).stories) == 2
    assert not any((tmp_path / "state").rglob("*.json"))

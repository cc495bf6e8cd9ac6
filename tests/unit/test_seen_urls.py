"""Each URL of a list is new once, in little memory."""

from __future__ import annotations

import random
import sys

from crawler.seen_urls import SeenURLs


def test_a_url_is_new_once() -> None:
    drawn = random.Random(1)
    asked = [f"https://news{drawn.randrange(9)}.example/{drawn.randrange(9_000)}" for _ in range(30_000)]
    seen, known = SeenURLs(), set[str]()
    for url in (*asked, "", "", "\ud800", "\ud800"):
        assert seen.add(url) == (url not in known)
        known.add(url)
    assert len(known) > 20_000


def test_a_url_takes_less_than_40_bytes() -> None:
    seen = SeenURLs()
    for number in range(30_000):
        seen.add(f"https://news.example/{number}")
    assert sum(map(sys.getsizeof, seen._tables)) < 30_000 * 40

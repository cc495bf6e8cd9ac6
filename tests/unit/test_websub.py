"""WebSub without a network: hubs that feeds name, signatures, leases, and what is kept on disk."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.discovery.hubs import Topic, read_topic
from newskeep.websub.callback import deny, verify
from newskeep.websub.signature import is_signed
from newskeep.websub.store import SubscriptionStore
from newskeep.websub.subscription import LEASE, Subscription

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
FEED = "https://paper.example/news.rss"
HUB = "https://hub.example/"
ATOM = 'xmlns:atom="http://www.w3.org/2005/Atom"'


def made() -> Subscription:
    return Subscription.new("paper", FEED, FEED, HUB, "https://archive.example")


@pytest.mark.parametrize(
    ("content", "fields", "expected"),
    [
        (
            f'<rss {ATOM}><channel><atom:link rel="hub" href="{HUB}"/><atom:link rel="self" href="/a?utm_s=x"/>',
            [],
            Topic("https://paper.example/a?utm_s=x", (HUB,)),
        ),
        (
            f'<feed><link href="{HUB}" rel="HUB"/><link rel="hub" href="/own"/><entry><link rel="hub" href="/x"/>',
            [],
            Topic(FEED, (HUB, "https://paper.example/own")),
        ),
        (
            f'{{"feed_url": "/f.json", "hubs": [{{"type": "x"}}, {{"type": "WebSub", "url": "{HUB}"}}, 7]}}',
            [],
            Topic("https://paper.example/f.json", (HUB,)),
        ),
        # Fields count before the document; several links in one, and unquoted relations.
        (
            f'<rss {ATOM}><channel><atom:link rel="self" href="/other"/></channel></rss>',
            [f'<{HUB}>; rel=hub, </self>; title="a, b"; rel="self"'],
            Topic("https://paper.example/self", (HUB,)),
        ),
        ("<rss/>", [f'<{HUB}>; title="x"; rel="nofollow hub"'], Topic(FEED, (HUB,))),
        ("<rss><channel><link>https://paper.example/</link></channel></rss>", [], None),
        (f'<rss {ATOM}><channel><atom:link rel="hub" href="javascript:x"/></channel></rss>', [], None),
        (f'<rss {ATOM}><channel><atom:link rel="hub" href="https://u:p@hub.example/"/></channel></rss>', [], None),
        ("", [], None),
        ("[]", [], None),
        ('{"hubs": "x"}', ["<>; rel=self", "nonsense"], None),
    ],
)
def test_hubs_of_feeds(content: str, fields: list[str], expected: Topic | None) -> None:
    assert read_topic(content.encode(), FEED, "application/xml", fields) == expected


@given(st.binary(max_size=300), st.lists(st.text(max_size=80), max_size=3))
def test_any_bytes_are_read(content: bytes, fields: list[str]) -> None:
    read_topic(content, FEED, None, fields)


def test_signatures() -> None:
    body, secret = b"<rss/>", "secret"
    for method in ("sha1", "sha256", "sha384", "sha512"):
        right = hmac.new(secret.encode(), body, method).hexdigest()
        assert is_signed(body, f"{method}={right}", secret) and is_signed(
            body, f"{method.upper()}={right.upper()}", secret
        )
        for wrong in (f"{method}={right[:-1]}", right, f"md5={right}", f"{method}=", f"{method}=é"):
            assert not is_signed(body, wrong, secret)
        assert not is_signed(body + b" ", f"{method}={right}", secret)
        assert not is_signed(body, f"{method}={right}", "another")
    assert not is_signed(body, None, secret) and not is_signed(body, "", secret)


def test_a_lease_is_renewed_before_it_ends() -> None:
    asked = made().being_asked(NOW)
    assert made().is_due(NOW) and not asked.is_due(NOW) and asked.is_due(NOW + timedelta(hours=2))
    active = asked.verified(NOW, 1_000)
    assert active.until == NOW + timedelta(seconds=1_000)
    assert not active.is_due(NOW + timedelta(seconds=700)) and active.is_due(NOW + timedelta(seconds=800))
    renewed = active.being_asked(NOW).verified(NOW + timedelta(seconds=800), None)
    assert renewed.until == NOW + timedelta(seconds=800) + LEASE and renewed.secret == asked.secret
    for seconds, least, most in ((0, 60, 60), (-5, 60, 60), (10**11, 86_400, 90 * 86_400)):
        assert least <= asked.verified(NOW, seconds).lease.total_seconds() <= most


def test_a_hub_that_fails_is_asked_ever_more_rarely() -> None:
    failing, waits = made(), []
    for _ in range(40):
        failing = failing.failed(NOW, "no answer")
        assert failing.not_before is not None
        waits.append(failing.not_before - NOW)
    assert waits == sorted(waits) and waits[0] < timedelta(hours=1) < waits[-1] < timedelta(days=1)


def test_what_is_verified_and_refused(tmp_path: Path) -> None:
    store = SubscriptionStore(tmp_path / "websub")
    asked = made().being_asked(NOW)
    store.put(asked)
    assert store.all() == [asked] and store.get("../secret") is None and store.get(asked.id) == asked
    assert not verify(store, asked.id, "subscribe", FEED, 60, NOW + timedelta(days=2))
    assert not verify(store, asked.id, "subscribe", f"{FEED}x", 60, NOW)
    assert verify(store, asked.id, "subscribe", FEED, 600, NOW)
    found = store.get(asked.id)
    assert found is not None and found.state == "active" and found.takes(NOW)
    assert deny(store, asked.id, FEED, "no\x1b[31m room", NOW)
    found = store.get(asked.id)
    assert found is not None and (found.state, found.problem) == ("denied", "no [31m room")
    assert not found.is_due(NOW + timedelta(hours=1)) and found.is_due(NOW + timedelta(days=2))
    assert not verify(store, asked.id, "unsubscribe", FEED, None, NOW)
    store.put(found.leaving())
    assert not verify(store, asked.id, "subscribe", FEED, 60, NOW)
    assert verify(store, asked.id, "unsubscribe", FEED, None, NOW) and not store.all()


def test_secrets_are_not_shown() -> None:
    one = made()
    assert one.secret not in repr(one) and one.id not in repr(one)


def test_a_damaged_file_is_none_of_ours(tmp_path: Path) -> None:
    store = SubscriptionStore(tmp_path)
    for text in ("", "[]", "{}", '{"lease": "x"}', "\0"):
        (tmp_path / f"{'a' * 48}.json").write_text(text)
        assert store.all() == [] and store.get("a" * 48) is None
